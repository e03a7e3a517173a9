"""What is changed and how, how mrdtrack reads it, and what it may make of it.

A changed file is refused with one sentence, or it is read. Then the result is judged by
what the change allows (`Case.allowance`):

* 0: the change says nothing new (other block sizes, line ends, damage in an index,
  bytes behind a checksum), so the result must be the one of the right file;
* n: so many records differ, so the counts may move by no more than these explain;
* None: the file says something else now, and only must say it without contradiction.
"""

from __future__ import annotations

import dataclasses
import json
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from fuzzing import bam_parts, cram_parts, index_parts
from fuzzing.changes import Pick, change_bytes, change_text, same_meaning
from fuzzing.seeds import Seeds, Texts
from mrdtrack.commands.levels import LevelsRequest, levels
from mrdtrack.commands.panel_import import PanelImportRequest, panel_import
from mrdtrack.commands.quantify import QuantifyRequest, quantify
from mrdtrack.commands.timeline import TimelineRequest, timeline
from mrdtrack.counting.count import count_reads
from mrdtrack.counting.settings import CountingSettings
from mrdtrack.counts import SampleCounts
from mrdtrack.panel.file import read_panel
from mrdtrack.panel.model import Panel
from mrdtrack.panel.reference import Reference
from mrdtrack.protocols.read import list_packaged, parse_protocol

PER_RECORD = 3
"""Molecules one changed record may move: itself, its mate, and a place to go to."""

Value = tuple[object, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Files of one trial, and what the result may differ by.

    `seed` names the right result to compare with; `main` is the changed file. `warned`
    is the allowance where the result says that the index could not be used.
    """

    files: Mapping[str, bytes]
    main: str
    seed: str
    allowance: int | None
    warned: int = 0
    grow: bool = False


class Draw(NamedTuple):
    """What a change is drawn from; `grown` are changed files worth changing again."""

    seeds: Seeds
    pick: Pick
    grown: list[bytes]


class Given(NamedTuple):
    """What is read: the files of a case, in a folder."""

    seeds: Seeds
    folder: Path
    case: Case


class Kind(NamedTuple):
    """One kind of file: how often it is drawn, how it is changed, how it is read."""

    name: str
    weight: float
    change: Callable[[Draw], Case]
    read: Callable[[Given], Value]


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
        touched = bam_parts.changed_records(bam_parts.split_bam(bam).records, seen)
    except (ValueError, zlib.error, struct.error):
        touched = 0
    return _bam_case(name, after, seeds, touched, index=index)


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


def _text_change(
    kind: str,
    name: str,
    extra: Callable[[Seeds], Mapping[str, bytes]] | None = None,
) -> Callable[[Draw], Case]:
    """Build the change of one kind of text; `name` is a file for each seed."""
    names = name.split()

    def change(draw: Draw) -> Case:
        seeds, pick, grown = draw
        number = pick.randrange(len(seeds.texts[kind]))
        text = seeds.texts[kind][number]
        allowance: int | None = None
        if pick.random() < 0.04:
            data, allowance = same_meaning(text, pick), 0
        else:
            if grown and pick.random() < 0.3:
                text = pick.choice(grown).decode("utf-8", "replace")
            data = change_text(text, pick)
        mine = names[number % len(names)]
        files = {mine: data, **(extra(seeds) if extra else {})}
        return Case(
            files=files,
            main=mine,
            seed=f"{kind} {number}",
            allowance=allowance,
            grow=True,
        )

    return change


def read_panel_file(given: Given) -> Value:
    """Read a panel; what is read once must be a panel."""
    return tuple(
        read_panel(given.folder / given.case.main).model_dump_json().splitlines()
    )


def read_import(given: Given) -> Value:
    """Import a laboratory's file; what is written must be a panel."""
    _, folder, case = given
    out = folder / "out" / "panel.toml"
    panel_import(
        PanelImportRequest(files=(folder / case.main,), output=out, quiet=True)
    )
    return (read_panel(out).model_dump_json(exclude={"patient"}),)


def read_timeline(given: Given) -> Value:
    """Build the timeline of three visits, with what is given beside them."""
    _, folder, case = given
    out = folder / "out"
    visits = [folder / name for name in case.files if name.endswith(".mrd.json")]
    timeline(
        TimelineRequest(
            results=visits,
            output=out,
            external=_given(folder, case, "external.csv"),
            treatments=_given(folder, case, "treatments.csv"),
            facts=_given(folder, case, "facts.toml"),
            formats=("json", "tsv"),
            quiet=True,
        )
    )
    return whole_files(out, 2)


def _given(folder: Path, case: Case, name: str) -> Path | None:
    return folder / name if name in case.files else None


def _two_visits(seeds: Seeds) -> dict[str, bytes]:
    texts = seeds.texts["result"]
    return {f"v{i}.mrd.json": texts[i].encode() for i in range(1, len(texts))}


def _three_visits(seeds: Seeds) -> dict[str, bytes]:
    texts = seeds.texts["result"]
    return {f"v{i}.mrd.json": text.encode() for i, text in enumerate(texts)}


def read_levels(given: Given) -> Value:
    """Judge a table of counts, with sites beside it."""
    seeds, folder, _ = given
    out = folder / "out"
    levels(
        LevelsRequest(
            panel=seeds.folder / "panel.toml",
            counts=(folder / "S0.counts.tsv",),
            background_counts=(folder / "S0.background.tsv",),
            output=out,
            quiet=True,
        )
    )
    return whole_files(out, 2)


def _counts(seeds: Seeds) -> dict[str, bytes]:
    return {"S0.counts.tsv": seeds.texts["counts"][0].encode()}


def _sites(seeds: Seeds) -> dict[str, bytes]:
    return {"S0.background.tsv": seeds.texts["sites"][0].encode()}


def read_protocol_text(given: Given) -> Value:
    """Read a protocol."""
    data = (given.folder / given.case.main).read_bytes()
    return (parse_protocol(given.case.main, data).protocol.model_dump_json(),)


def change_protocol(draw: Draw) -> Case:
    """Change one of the packaged protocols."""
    seeds, pick, _ = draw
    name = pick.choice(list_packaged())
    texts: dict[str, Texts] = {"protocol": seeds.texts[f"protocol {name}"]}
    mine = draw._replace(seeds=seeds._replace(texts=texts), grown=[])
    case = _text_change("protocol", "p.toml")(mine)
    return dataclasses.replace(case, seed=f"protocol {name} 0", grow=False)


def change_reference(draw: Draw) -> Case:
    """Change a FASTA or the index beside it; it is small, without the far markers."""
    seeds, pick, _ = draw
    fasta = seeds.reference.read_bytes()[:3000]
    fai = b"chr1\t2900\t6\t2900\t2901\n"
    if pick.random() < 0.5:
        fasta = change_bytes(fasta, pick)
    else:
        fai = change_text(fai.decode(), pick)
    files = {"r.fa": fasta, "r.fa.fai": fai}
    return Case(files=files, main="r.fa", seed="reference", allowance=None)


def read_reference(given: Given) -> Value:
    """Fetch a few bases, as haplotypes are made of them."""
    with Reference(given.folder / "r.fa") as reference:
        told = [reference.fetch(name, 100, 250) for name in list(reference.lengths)[:3]]
    return tuple(told)


KINDS = (
    Kind("BAM, compressed bytes", 12, change_bam_bytes, read_bam_for_few),
    Kind("BAM, records", 13, change_bam_records, read_bam),
    Kind("BAM, header", 4, change_bam_header, read_bam),
    Kind("BAM, blocks", 5, change_bam_blocks, read_bam_for_few),
    Kind("BAI", 9, change_bai, read_bam_for_few),
    Kind("CSI", 6, change_csi, read_bam_for_few),
    Kind("CRAM, SAM", 1, change_other_reads, read_bam),
    Kind("reads, whole command", 2, change_reads_of_command, read_by_quantify),
    Kind("reference", 2, change_reference, read_reference),
    Kind("panel", 13, _text_change("panel", "p.toml"), read_panel_file),
    Kind("VCF", 7, _text_change("vcf", "a.vcf"), read_import),
    Kind("AIRR", 4, _text_change("airr", "a.tsv"), read_import),
    Kind("vidjil", 3, _text_change("vidjil", "a.vidjil"), read_import),
    Kind("tables", 4, _text_change("table", "t.tsv t.bedpe i.tsv"), read_import),
    Kind(
        "visit result", 3, _text_change("visit", "v0.mrd.json", _two_visits),
        read_timeline,
    ),
    Kind(
        "results of other methods", 1,
        _text_change("external", "external.csv", _three_visits), read_timeline,
    ),
    Kind(
        "treatments", 1, _text_change("treatments", "treatments.csv", _three_visits),
        read_timeline,
    ),
    Kind("facts", 1, _text_change("facts", "facts.toml", _three_visits), read_timeline),
    Kind("counts", 3, _text_change("counts", "S0.counts.tsv", _sites), read_levels),
    Kind("sites", 2, _text_change("sites", "S0.background.tsv", _counts), read_levels),
    Kind(
        "background", 1, _text_change("background", "background.json"), read_by_quantify
    ),
    Kind("protocol", 3, change_protocol, read_protocol_text),
)  # fmt: skip
