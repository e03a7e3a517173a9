"""Show mrdtrack's module in a real MultiQC, in an environment of its own.

Run with `python -m benchmarks.multiqc_module`. MultiQC is large and needs no place
among mrdtrack's dependencies, so it is installed into a throw-away environment beside
this checkout; that takes some minutes and a package index.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from benchmarks.reports import marker
from mrdtrack.levels.result import Call, Level, Software, VisitResult
from mrdtrack.reports.output_files import write_files
from mrdtrack.reports.result_files import result_files

CHECKOUT = Path(__file__).resolve().parents[1]
EXPECTED = {"S1": "quantified", "S2": "not detected"}


def result(sample: str, call: Call, value: float) -> VisitResult:
    """Make one sample."""
    level = Level(
        metric="vaf_gdna",
        value=value,
        low=value / 2,
        high=2 * value + 1e-4,
        call=call,
        p_value=None,
        lob=None,
        lod95=1e-4,
        loq=None,
        required_sensitivity=1e-3,
        input_genomes=None,
        limited_by=None,
        markers_used=1,
    )
    return VisitResult(
        sample=sample,
        patient="P001",
        disease="AML",
        assembly=None,
        date="2026-01-01",
        specimen="bone_marrow",
        timepoint=None,
        molecule_mode="umi",
        markers=(marker(0),),
        level=level,
        quality=(),
        software=Software(version="0"),
    )


def shown(folder: Path, python: Path) -> dict[str, str]:
    """Run MultiQC over two samples and read its own table back: sample to call."""
    for made in (result("S1", "quantified", 0.004), result("S2", "not_detected", 0.0)):
        write_files(folder / "in", result_files(made, None, None), force=False)
    command = [python, "-m", "multiqc", "--strict", "--no-version-check", "-o"]
    subprocess.run(
        [str(x) for x in (*command, folder / "out", folder / "in")], check=True
    )
    table = folder / "out" / "multiqc_data" / "multiqc_mrdtrack.txt"
    rows = [line.split("\t") for line in table.read_text().splitlines()]
    place = rows[0].index("mrd_call")
    return {row[0]: row[place] for row in rows[1:]}


def main() -> None:
    """Install, run and compare."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        venv.create(folder / "env", with_pip=True)
        python = folder / "env" / "bin" / "python"
        install = [str(python), "-m", "pip", "install", "-q", "multiqc", str(CHECKOUT)]
        subprocess.run(install, check=True)
        found = shown(folder, python)
    print(found)
    if found != EXPECTED:
        sys.exit("MultiQC does not show what it should")


if __name__ == "__main__":
    main()
