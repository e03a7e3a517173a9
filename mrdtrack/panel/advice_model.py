"""What advice on a panel is made of: findings, and what the reads will be like."""

from __future__ import annotations

from typing import Literal, NamedTuple

ANCHOR = 10
"""Bases on both sides of a join that a read should have."""
PROBE = 25
"""Bases beside a marker that matter to it."""

Denominator = Literal["molecules_at_locus", "flank", "locus_reads"]


class ReadsFacts(NamedTuple):
    """What is known of the reads that will come; lengths in bases."""

    read_length: int | None = None
    fragment_length: float | None = None
    is_amplicon: bool = False


class Advice(NamedTuple):
    """One thing to know of one marker; `code` is stable, `message` is a sentence."""

    marker: str
    code: str
    severity: Literal["info", "warning"]
    message: str
