"""What the reports of a 20-visit patient cost: CPU seconds and bytes of each format.

Run with `python -m benchmarks.reports`. The page must stay under 150 kB and 0.5 s.
"""

from __future__ import annotations

import time

from mrdtrack.counts import MoleculeMode
from mrdtrack.follow_up.timeline import Estimate, Timeline, TimelineVisit
from mrdtrack.levels.result import MarkerResult, Software
from mrdtrack.reports.timeline_files import FORMATS, timeline_files
from mrdtrack.reports.words import LANGUAGES

N_VISITS = 20
N_MARKERS = 10
MOST_SECONDS = 0.5
MOST_BYTES = 150_000


def marker(number: int) -> MarkerResult:
    """Make one marker at four in a thousand."""
    mode: MoleculeMode = "umi"
    return MarkerResult(
        marker=f"M{number}",
        kind="small_variant",
        alt=40,
        ref=9_950,
        ambiguous=10,
        other=0,
        molecules=10_000,
        molecule_mode=mode,
        denominator_kind="molecules_at_locus",
        denominator=9_990,
        error_class="A[C>T]G",
        assessable=True,
        fraction=0.004,
        fraction_low=0.0029,
        fraction_high=0.0054,
        p_value=1e-30,
        lod95=3e-4,
        call="quantified",
    )


def course() -> Timeline:
    """Make a patient with visits a month apart."""
    visits = tuple(
        TimelineVisit(
            sample=f"P001-V{number}",
            date=f"{2024 + number // 12}-{number % 12 + 1:02d}-15",
            specimen="bone_marrow",
            timepoint=None,
            source="mrdtrack",
            metric="vaf_gdna",
            value=0.004 / (1 + number),
            low=0.003 / (1 + number),
            high=0.005 / (1 + number),
            lod95=1e-5,
            loq=3e-5,
            required_sensitivity=1e-4,
            call="quantified",
            log10_reduction=Estimate(value=0.1 * number),
            markers=tuple(marker(i) for i in range(N_MARKERS)),
        )
        for number in range(N_VISITS)
    )
    return Timeline(
        patient="P001",
        disease="AML",
        visits=visits,
        kinetics=(),
        flags=(),
        schedule=(),
        software=Software(version="0"),
    )


def measure() -> list[tuple[str, float, int]]:
    """Time each format in each language: first (with its imports), then again."""
    made = course()
    rows = []
    for form in FORMATS:
        for language in LANGUAGES:
            for turn in ("first", "again"):
                before = time.process_time()
                files = timeline_files(made, (form,), language=language)
                spent = time.process_time() - before
                size = sum(len(content) for content in files.values())
                rows.append((f"{form} {language} {turn}", spent, size))
    return rows


def main() -> None:
    """Print the measurements, and fail where the page is too dear."""
    for name, seconds, size in measure():
        print(f"{name:<18} {seconds:8.3f} s {size:9,d} bytes")
        if name.startswith("html") and (seconds > MOST_SECONDS or size > MOST_BYTES):
            raise SystemExit(f"{name} costs more than it may")


if __name__ == "__main__":
    main()
