"""mrdtrack: measurable residual disease from patient-specific markers."""

__version__ = "0.1.0"
