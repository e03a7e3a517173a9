"""The tools of assay planning and validation."""
