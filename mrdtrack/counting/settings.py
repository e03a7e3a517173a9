"""What a user may choose about counting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mrdtrack.counts import MoleculeMode
from mrdtrack.kernels.arrays import ReadFilter

HIGHEST_QUALITY = 60
"""Base qualities above say no more: consensus callers write up to 93."""
RANDOM_BASE = 0.25
DEPTH_TAG = "cD"
UMI_TAGS = ("MI", "RX")


@dataclass(frozen=True, slots=True, kw_only=True)
class CountingSettings:
    """Filters, molecules and threads; `molecules` None chooses from the reads.

    `read_groups` are ids of those to count; none means all, or the sample's.
    """

    molecules: MoleculeMode | None = None
    umi_tag: str | None = None
    scan: bool = False
    read_groups: tuple[str, ...] = ()
    min_family_size: int = 1
    min_base_quality: int = 20
    min_mapping_quality: int = 20
    threads: int = 1


def build_read_filter(settings: CountingSettings) -> ReadFilter:
    """Turn the settings into the tables the kernels look up.

    A base scores, against a random one, `10 log10((1 - e) / 0.25)` when it fits and
    `10 log10((e / 3) / 0.25)` when not, with e its error probability; one below the
    least base quality scores nothing.
    """
    quality = np.minimum(np.arange(256, dtype=np.float64), HIGHEST_QUALITY)
    error = np.minimum(10 ** (-quality / 10), 1 - RANDOM_BASE)
    match = 10 * np.log10((1 - error) / RANDOM_BASE)
    mismatch = 10 * np.log10(error / 3 / RANDOM_BASE)
    silent = np.arange(256) < settings.min_base_quality
    match[silent] = 0.0
    mismatch[silent] = 0.0
    tags = _wanted_tags(settings)
    return ReadFilter(
        min_mapping_quality=settings.min_mapping_quality,
        match_phred=match,
        mismatch_phred=mismatch,
        n_tags=len(tags),
        tags=np.array([ord(tag[0]) | ord(tag[1]) << 8 for tag in tags], np.int64),
    )


def _wanted_tags(settings: CountingSettings) -> tuple[str, ...]:
    """Name the tags that molecules may depend on: of consensus, then of UMIs."""
    if settings.molecules in {None, "umi"}:
        umi_tags = (settings.umi_tag,) if settings.umi_tag else UMI_TAGS
        return (DEPTH_TAG, *umi_tags)
    return ()
