"""How files of reads are changed, and how mrdtrack reads them."""

from __future__ import annotations

import dataclasses
import json
import struct
import zlib
from pathlib import Path
from typing import Literal

from fuzzing import bam_parts, cram_parts, index_parts
from fuzzing.cases import PER_RECORD, Case, Draw, Given, Value
from fuzzing.changes import Pick, change_bytes, change_text
from fuzzing.seeds import Seeds
from mrdtrack.commands.quantify import QuantifyRequest, quantify
from mrdtrack.counting.count import count_reads
from mrdtrack.counting.settings import CountingSettings
from mrdtrack.counts import SampleCounts
from mrdtrack.panel.model import Panel
from mrdtrack.panel.reference import Reference


def _bam_case(
    name: str, bam: bytes, seeds: Seeds, touched: int, *, index: str = ""
) -> Case:
    allowance = PER_RECORD * touched
    files = {"a.bam": bam}
    if index:
        path = seeds.folder / f"{name}.bam.{index}"
        files[f"a.bam.{index}"] = path.read_bytes()
    return Case(
        files=files,
        main="a.bam",
        seed=f"{name} bam",
        allowance=0 if index else allowance,
        warned=allowance,
    )


def _any_bam(seeds: Seeds, pick: Pick) -> tuple[str, bytes, str]:
    name = pick.choice(("plain", "plain", "umi", "plain.odd"))
    index = pick.choice(("", "bai", "csi")) if name != "plain.odd" else "bai"
    return name, (seeds.folder / f"{name}.bam").read_bytes(), index


def change_bam_bytes(draw: Draw) -> Case:
    """Change the compressed bytes: a checksum stands behind every one."""
    seeds, pick, _ = draw
    name, bam, index = _any_bam(seeds, pick)
    return _bam_case(name, change_bytes(bam, pick), seeds, 0, index=index)


def change_bam_records(draw: Draw) -> Case:
    """Change records, and compress them again."""
    seeds, pick, _ = draw
    name = pick.choice(("plain", "umi"))
    before = seeds.bams[name]
    after = bam_parts.change_records(before, pick)
    bam = bam_parts.join_bam(after, pick.choice((700, 5000, 60_000)))
    seen = bam_parts.split_records(b"".join(after.records))
    touched = bam_parts.changed_records(before.records, seen)
    return _bam_case(name, bam, seeds, touched)


def change_bam_header(draw: Draw) -> Case:
    """Change the header, and compress the file again."""
    seeds, pick, _ = draw
    after = bam_parts.change_header(seeds.bams["plain"], pick)
    case = _bam_case("plain", bam_parts.join_bam(after), seeds, 0)
    return dataclasses.replace(case, allowance=None)


def change_bam_blocks(draw: Draw) -> Case:
    """Change whole blocks; or compress the same records into other blocks."""
    seeds, pick, _ = draw
    name, bam, index = _any_bam(seeds, pick)
    if pick.random() < 0.2:
        name = "plain"
        same = bam_parts.join_bam(seeds.bams[name], pick.randrange(50, 65_000))
        return _bam_case(name, same, seeds, 0)
    after = bam_parts.change_blocks(bam, pick)
    try:
        seen = bam_parts.split_bam(after).records
        before = bam_parts.split_bam(bam).records
        touched = bam_parts.changed_records(before, seen)
        moved = touched == 0 and seen != before
    except (ValueError, zlib.error, struct.error):
        touched, moved = 0, False
    case = _bam_case(name, after, seeds, touched, index=index)
    # By an index only what is read is seen to be in order.
    return dataclasses.replace(case, allowance=None) if index and moved else case


def _change_index(draw: Draw, kind: Literal["bai", "csi"]) -> Case:
    seeds, pick, _ = draw
    name = pick.choice(("plain", "umi") if kind == "csi" else ("plain", "plain.odd"))
    bam = (seeds.folder / f"{name}.bam").read_bytes()
    data = (seeds.folder / f"{name}.bam.{kind}").read_bytes()
    inflated = bam_parts.inflate(data) if kind == "csi" else data
    if pick.random() < 0.75:
        index = index_parts.split_index(inflated)
        index_parts.change_index(index, index_parts.record_offsets(bam), pick)
        inflated = index_parts.join_index(index)
    else:
        inflated = change_bytes(inflated, pick)
    packed = bam_parts.compress(inflated) if kind == "csi" else inflated
    files = {"a.bam": bam, f"a.bam.{kind}": packed}
    return Case(files=files, main=f"a.bam.{kind}", seed=f"{name} bam", allowance=0)


def change_bai(draw: Draw) -> Case:
    """Damage a BAI, which has no checksum."""
    return _change_index(draw, "bai")


def change_csi(draw: Draw) -> Case:
    """Damage a CSI, and compress it with right checksums."""
    return _change_index(draw, "csi")


def read_bam(given: Given) -> Value:
    """Count the markers in a file of reads."""
    return _count(given, given.seeds.panel)


def read_bam_for_few(given: Given) -> Value:
    """Count one marker, which is quicker."""
    return _count(given, given.seeds.few)


def _count(given: Given, panel: Panel) -> Value:
    seeds, folder, case = given
    path = folder / next(name for name in case.files if name.startswith("a."))
    with Reference(seeds.reference) as reference:
        counts = count_reads(path, panel, reference, CountingSettings())
    return count_values(counts)


def count_values(counts: SampleCounts) -> Value:
    """Give the numbers that are compared."""
    codes = {finding.code for finding in counts.quality}
    numbers: list[object] = [counts.molecule_mode, "INDEX_UNUSABLE" in codes]
    for row in counts.markers:
        parts = (row.alt, row.ref, row.ambiguous, row.other)
        if row.assessable and sum(part or 0 for part in parts) != row.molecules:
            raise AssertionError(f"{row.marker}: the classes do not add up")
        numbers += parts
    for site in counts.identity:
        numbers += (site.ref_molecules, site.alt_molecules)
    return tuple(numbers)


def change_other_reads(draw: Draw) -> Case:
    """Change a CRAM (containers, blocks, index), a SAM or a FASTQ."""
    seeds, pick, _ = draw
    how = pick.randrange(4)
    cram = (seeds.folder / "plain.cram").read_bytes()
    crai = (seeds.folder / "plain.cram.crai").read_bytes()
    if how < 2:
        files = {"a.cram": cram_parts.change_cram(cram, pick), "a.cram.crai": crai}
        return Case(files=files, main="a.cram", seed="plain bam", allowance=None)
    if how == 2:
        files = {"a.cram": change_bytes(cram, pick)}
        return Case(files=files, main="a.cram", seed="plain bam", allowance=0)
    text = (seeds.folder / "plain.sam").read_text()
    files = {"a.sam": change_text(text, pick)}
    return Case(files=files, main="a.sam", seed="plain bam", allowance=None)


def change_reads_of_command(draw: Draw) -> Case:
    """Change reads or their index in any way, for a whole run of quantify."""
    ways = (change_bam_bytes, change_bam_records, change_bam_header, change_bam_blocks)
    case = draw.pick.choice((*ways, change_bai, change_csi))(draw)
    return dataclasses.replace(case, allowance=None)


def read_by_quantify(given: Given) -> Value:
    """Run quantify to its files."""
    seeds, folder, case = given
    out = folder / "out"
    scan = "scan.toml" if case.main == "a.bam" else "panel.toml"
    panel = case.main if case.main.endswith(".toml") else None
    reference = case.main if case.main.endswith(".fa") else None
    quantify(
        QuantifyRequest(
            panel=folder / panel if panel else seeds.folder / scan,
            reads=(
                folder / "a.bam"
                if "a.bam" in case.files
                else seeds.folder / "plain.bam",
            ),
            output=out,
            reference=folder / reference if reference else seeds.reference,
            background=folder / "background.json"
            if "background" in case.seed
            else None,
            molecules="fragments" if "background" in case.seed else "auto",
            quiet=True,
        )
    )
    return whole_files(out, 5)


def whole_files(out: Path, n_least: int) -> Value:
    """See that every file of a run is there and can be read; give their bytes."""
    paths = sorted(out.iterdir())
    if len(paths) < n_least:
        raise AssertionError(f"only {[path.name for path in paths]} were written")
    told: list[object] = []
    for path in paths:
        content = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            json.loads(content, parse_constant=_no_constant)
        if not path.name.endswith("provenance.json"):
            told.append(content)
    return tuple(told)


def _no_constant(word: str) -> float:
    raise AssertionError(f"the JSON holds {word}")
