"""Every kind of file that is changed, how, and how mrdtrack reads it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

from fuzzing.cases import Case, Draw, Given, Kind, Value
from fuzzing.changes import change_bytes, change_text, same_meaning
from fuzzing.reads_kinds import (
    change_bai,
    change_bam_blocks,
    change_bam_bytes,
    change_bam_header,
    change_bam_records,
    change_csi,
    change_other_reads,
    change_reads_of_command,
    read_bam,
    read_bam_for_few,
    read_by_quantify,
    whole_files,
)
from fuzzing.seeds import Seeds, Texts
from mrdtrack.commands.levels import LevelsRequest, levels
from mrdtrack.commands.panel_import import PanelImportRequest, panel_import
from mrdtrack.commands.timeline import TimelineRequest, timeline
from mrdtrack.panel.file import read_panel
from mrdtrack.panel.reference import Reference
from mrdtrack.protocols.read import list_packaged, parse_protocol


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
