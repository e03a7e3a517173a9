"""The markers of the accuracy benchmark: one of every type, each on its own contig."""

from __future__ import annotations

from mrdtrack.lab.simulate_reference import InventedReference
from mrdtrack.panel.model import (
    SCHEMA,
    Breakpoint,
    BreakpointEnd,
    Duplication,
    Marker,
    Panel,
    Sequence,
    SmallVariant,
)

LENGTH = 6_000
CENTRE = 3_000
FAR = 50_000
JUNCTION = "TGTGCGAGAGATCCACTTGGCTACGGTATAGCAGTGCCTCGGTACTTCGATCTCTGG"
TRANSCRIPT = "GATGCAAGTCTTCACGATTGGCAATCCAGTAAGGCTTCACCATTGACCGTA"
ITD_LENGTHS = (21, 60, 75, 150, 300)
_OTHER = {"A": "G", "C": "T", "G": "A", "T": "C"}


def reference_of() -> InventedReference:
    """Invent one contig a marker type, and two for every translocation."""
    names = ["snv", "mnv", "homopolymer", "delins", "npm1", "del52", "del300"]
    names += [f"itd{length}" for length in ITD_LENGTHS] + ["inversion"]
    for strands in ("pp", "pm", "mp", "mm"):
        names += [f"t_{strands}_a", f"t_{strands}_b"]
    lengths = dict.fromkeys(names, LENGTH)
    lengths["del50000"] = LENGTH + FAR
    reference = InventedReference(lengths, seed=31)
    reference.place("homopolymer", CENTRE - 1, "GAAAAAAAC")
    return reference


def panel_of(reference: InventedReference) -> Panel:
    """Give the markers, in the order of the table."""
    markers: list[Marker] = [
        _small(reference, "SNV", "snv", 1, ""),
        _small(reference, "MNV 3 bp", "mnv", 3, ""),
        SmallVariant(
            id="homopolymer -1",
            kind="small_variant",
            contig="homopolymer",
            position=CENTRE,
            ref="GA",
            alt="G",
        ),
        _small(reference, "delins 5>2", "delins", 5, "GT"),
        _inserted(reference, "insertion 4 bp (NPM1)", "npm1", "TCTG"),
        *(_itd(f"itd{length}", length) for length in ITD_LENGTHS),
        _deletion(reference, "deletion 52", "del52", 52),
        _deletion(reference, "deletion 300", "del300", 300),
        _adjacency(
            "deletion 50,000",
            ("del50000", CENTRE, "+"),
            ("del50000", CENTRE + FAR, "-"),
        ),
        _adjacency("inversion", ("inversion", 2000, "+"), ("inversion", 4000, "+")),
        *(_translocation(strands) for strands in ("pm", "pp", "mm", "mp")),
        Sequence(id="IG junction", kind="sequence", sequence=JUNCTION, locus="IGH"),
        Sequence(id="fusion transcript", kind="sequence", sequence=TRANSCRIPT, join=25),
    ]
    return Panel(schema_=SCHEMA, patient="BENCH", marker=tuple(markers))


def _small(
    reference: InventedReference, name: str, contig: str, n_ref: int, alt: str
) -> SmallVariant:
    ref = reference.fetch(contig, CENTRE - 1, CENTRE - 1 + n_ref)
    return SmallVariant(
        id=name,
        kind="small_variant",
        contig=contig,
        position=CENTRE,
        ref=ref,
        alt=alt or "".join(_OTHER[base] for base in ref),
    )


def _inserted(
    reference: InventedReference, name: str, contig: str, bases: str
) -> SmallVariant:
    ref = reference.fetch(contig, CENTRE - 1, CENTRE)
    return SmallVariant(
        id=name,
        kind="small_variant",
        contig=contig,
        position=CENTRE,
        ref=ref,
        alt=ref + bases,
    )


def _deletion(
    reference: InventedReference, name: str, contig: str, length: int
) -> SmallVariant:
    ref = reference.fetch(contig, CENTRE - 1, CENTRE + length)
    return SmallVariant(
        id=name,
        kind="small_variant",
        contig=contig,
        position=CENTRE,
        ref=ref,
        alt=ref[0],
    )


def _itd(contig: str, length: int) -> Duplication:
    return Duplication(
        id=f"ITD {length} bp",
        kind="duplication",
        contig=contig,
        start=CENTRE,
        end=CENTRE + length - 1,
    )


def _adjacency(
    name: str, left: tuple[str, int, str], right: tuple[str, int, str]
) -> Breakpoint:
    ends = [
        BreakpointEnd.model_validate(
            {"contig": contig, "position": position, "strand": strand}
        )
        for contig, position, strand in (left, right)
    ]
    return Breakpoint(id=name, kind="breakpoint", left=ends[0], right=ends[1])


def _translocation(strands: str) -> Breakpoint:
    signs = strands.replace("p", "+").replace("m", "-")
    return _adjacency(
        f"translocation {signs[0]}/{signs[1]}",
        (f"t_{strands}_a", CENTRE, signs[0]),
        (f"t_{strands}_b", CENTRE + 500, signs[1]),
    )
