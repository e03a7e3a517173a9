"""How levels are judged, as the command line asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mrdtrack.levels.visit_facts import LevelSettings, genomes_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """Options of every command that judges levels; None leaves a default in force."""

    input_ng: float | None = None
    input_genomes: float | None = None
    required_sensitivity: float | None = None
    alpha: float | None = None
    min_molecules: int | None = None
    level_marker: tuple[str, ...] = ()
    declared_rate: float | None = None
    design_factor: float | None = None
    carry_over: float | None = None
    dual_indexed: bool = False


def level_settings(asked: Judging) -> LevelSettings:
    """Take what the user chose over the defaults of `LevelSettings`."""
    chosen: dict[str, Any] = {
        "alpha": asked.alpha,
        "min_molecules": asked.min_molecules,
        "declared_rate": asked.declared_rate,
        "design_factor": asked.design_factor,
    }
    return LevelSettings(
        required_sensitivity=asked.required_sensitivity,
        input_genomes=genomes_of(asked.input_ng, asked.input_genomes),
        carry_over=asked.carry_over,
        dual_indexed=asked.dual_indexed,
        level_markers=frozenset(asked.level_marker),
        **{name: value for name, value in chosen.items() if value is not None},
    )
