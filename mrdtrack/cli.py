"""The command line: parse, call one function, and nothing else.

A command imports what it needs when it runs, so that `--help` stays quick.
"""

from __future__ import annotations

import os
from typing import Any

import click

from mrdtrack import __version__, options
from mrdtrack.door import GATE_MET, PROGRAM, Door, debug_option

# Small matrices gain nothing from BLAS threads, and lose much on busy cores. To be
# said before numpy loads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@click.group(
    PROGRAM,
    cls=Door,
    params=[debug_option()],
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """Follow a patient's own leukaemia markers in the reads of each visit.

    For research use; not a medical device.
    """


def gate(met: bool) -> None:
    """Exit 3 where a finding named by --fail-on was made."""
    if met:
        click.get_current_context().exit(GATE_MET)


@main.command()
@options.panel_argument
@options.files("reads", "READS...")
@options.output_folder
@options.reference
@click.option("--sample", help="Name of the sample (default: as the reads say).")
@click.option("--date", type=options.IsoDate(), help="Day the sample was taken.")
@click.option("--specimen", type=click.Choice(options.SPECIMENS), help="Tissue.")
@click.option("--timepoint", help="Label of the visit.")
@options.input_amount
@options.path("--control", text="Reads of a control (may be repeated).", multiple=True)
@options.path("--background", text="Background file, as `background` writes it.")
@options.reading
@options.required_sensitivity
@options.alpha
@options.threads
@options.force
@options.quiet
@options.table_format
@options.fail_on(options.CALLS, "a sample's call")
def quantify(fail_on: tuple[str, ...], **request: Any) -> None:
    """Count a panel's markers in the READS of a visit, and call its level.

    READS are BAM, CRAM or SAM; FASTQ for `sequence` markers. Several samples may be
    given at once.
    """
    from mrdtrack.commands.quantify import QuantifyRequest, quantify

    results = quantify(QuantifyRequest(**request))
    gate(any(result.level.call in fail_on for result in results))


@main.command()
@options.panel_argument
@options.files("counts", "COUNTS...")
@options.output_folder
@options.path(
    "--control-counts", text="Counts of a control (may be repeated).", multiple=True
)
@options.path(
    "--background-counts", text="Non-marker positions (may be repeated).", multiple=True
)
@options.path("--background", text="Background file, as `background` writes it.")
@options.input_amount
@options.required_sensitivity
@options.alpha
@options.force
@options.quiet
@options.table_format
@options.fail_on(options.CALLS, "a sample's call")
def levels(fail_on: tuple[str, ...], **request: Any) -> None:
    """Call levels from COUNTS tables alone, without reads.

    PANEL may be `-`: then every marker of the tables is one of the level.
    """
    from mrdtrack.commands.levels import LevelsRequest, levels

    results = levels(LevelsRequest(**request))
    gate(any(result.level.call in fail_on for result in results))


@main.command()
@options.files("results", "RESULT.mrd.json...")
@options.output_folder
@click.option(
    "--protocol",
    "protocols",
    multiple=True,
    help="Id of a packaged protocol, or a file (may be repeated).",
)
@options.path("--external", text="Results of other methods, as CSV.")
@options.path("--treatments", text="Treatments, as CSV.")
@options.path("--facts", text="What rules must know of the patient, as TOML.")
@click.option("--baseline", help="Sample to measure reductions from.")
@click.option(
    "--as-of",
    type=options.IsoDate(),
    help="Day to say what is due on (default: that of the last visit).",
)
@click.option(
    "--compare",
    multiple=True,
    help="Also list on stdout how flags differ under this protocol instead.",
)
@options.language
@click.option(
    "--audience",
    type=click.Choice(["clinician", "patient"]),
    default="clinician",
    show_default=True,
    help="Reader of the report.",
)
@click.option(
    "--format",
    "formats",
    type=options.Listed(["html", "pdf", "json", "tsv", "fhir"]),
    default="html,json,tsv",
    show_default=True,
    help="Files to write, with commas between them.",
)
@options.force
@options.quiet
@options.fail_on(options.ACTIONS, "the action of a flag")
def timeline(fail_on: tuple[str, ...], compare: tuple[str, ...], **asked: Any) -> None:
    """Put a patient's visits in order: the course, flags and a report."""
    from mrdtrack.commands import timeline as command

    request = command.TimelineRequest(**asked)
    course = command.timeline(request)
    if compare:
        differences = command.compare(request, compare)
        click.echo(command.tell_differences(differences), nl=False)
    gate(any(flag.action in fail_on for flag in course.flags))


@main.group()
def panel() -> None:
    """Import, check and show the panel of a patient."""


@panel.command("import")
@options.files("files", "FILE...")
@options.path("-o", "--output", text="Panel to write (`-`: stdout).", required=True)
@click.option("--patient", help="Pseudonym of the patient.")
@click.option("--disease", type=click.Choice(options.DISEASES), help="Disease.")
@click.option("--assembly", help="Label of the assembly.")
@click.option(
    "--from",
    "kind",
    type=click.Choice(options.IMPORT_KINDS),
    help="Kind of the files (default: as they look).",
)
@click.option("--sample", help="Sample to take from a file of several.")
@click.option(
    "--time-point",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Time point of a .vidjil file to take clones from.",
)
@click.option("--pass-only", is_flag=True, help="Leave out variants that a filter hit.")
@click.option(
    "--min-share",
    type=options.Number(below=1),
    help="Least share of its locus (or VAF) of a marker, as a fraction.",
)
@click.option(
    "--skip-unusable",
    is_flag=True,
    help="Leave out records that are wrong, and say so.",
)
@options.reference
@options.path("--course", text="Also write a .vidjil's time points, as results in CSV.")
@options.force
@options.quiet
def panel_import(**request: Any) -> None:
    """Make a panel from a laboratory's own FILEs.

    VCF (symbolic and BND alleles too), AIRR tables, .vidjil, immunoSEQ, getITD, Arriba,
    STAR-Fusion, BEDPE, or a table of markers.
    """
    from mrdtrack.commands.panel_import import PanelImportRequest, panel_import

    panel_import(PanelImportRequest(**request))


@panel.command("check")
@options.panel_argument
@options.reference
@options.path("--reads", text="Reads whose contigs must fit.")
def panel_check(**request: Any) -> None:
    """Look for all faults of a panel at once; exit 1 where there is any."""
    from mrdtrack.commands.panel_check import PanelCheckRequest, panel_check

    panel_check(PanelCheckRequest(**request))


@panel.command("show")
@options.panel_argument
def panel_show(**request: Any) -> None:
    """Show the markers of a panel."""
    from mrdtrack.commands.panel_show import PanelShowRequest, panel_show

    panel_show(PanelShowRequest(**request))


@main.command()
@options.panel_argument
@options.files("reads", "CONTROL...")
@options.path("-o", "--output", text="Background file to write.", required=True)
@options.reference
@options.reading
@options.threads
@options.force
@options.quiet
def background(**request: Any) -> None:
    """Make a background file of CONTROL reads, for `quantify --background`."""
    from mrdtrack.commands.background import BackgroundRequest, background

    background(BackgroundRequest(**request))


@main.group()
def protocols() -> None:
    """List, show and check the clinical rules."""


@protocols.command("list")
def protocols_list() -> None:
    """List the packaged protocols."""
    from mrdtrack.commands.protocols import list_protocols

    list_protocols()


@protocols.command("show")
@options.protocol_argument
def protocols_show(protocol: str) -> None:
    """Show a PROTOCOL (an id, or a file) rule by rule, with the source of each."""
    from mrdtrack.commands.protocols import show_protocol

    show_protocol(protocol)


@protocols.command("check")
@options.protocol_argument
def protocols_check(protocol: str) -> None:
    """Look for all faults of a PROTOCOL at once; exit 1 where there is any."""
    from mrdtrack.commands.protocols import check_protocol

    check_protocol(protocol)


@main.command()
@options.output_folder
@click.option(
    "--depth",
    type=options.Number(),
    required=True,
    help="Informative molecules a marker.",
)
@click.option("--markers", type=click.IntRange(min=1), help="Number of markers.")
@options.path("--panel", text="Panel to count the markers in, instead.")
@options.input_amount
@click.option(
    "--molecules",
    type=click.Choice(options.PLANNED_MOLECULES),
    default="umi",
    show_default=True,
    help="Kind of molecules, for their usual error rate.",
)
@click.option("--error-rate", type=options.Number(below=1), help="Errors a molecule.")
@options.controls
@options.alpha
@options.force
def plan(**request: Any) -> None:
    """Tell what a planned assay could see: expected LoB, LoD95 and LoQ."""
    from mrdtrack.commands.plan import PlanRequest, plan

    plan(PlanRequest(**request))


@main.command()
@options.panel_argument
@options.output_folder
@options.reference
@click.option(
    "--level",
    "levels",
    type=click.FloatRange(min=0, max=1),
    multiple=True,
    help="Level of a dilution, as a fraction (may be repeated).",
)
@click.option(
    "--replicates",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Samples of each level.",
)
@options.controls
@options.path("--course", text="Visits to simulate instead, as CSV: sample,level,...")
@options.path("--control-reads", text="Real BAM to spike the molecules into.")
@click.option(
    "--assay",
    type=click.Choice(options.ASSAYS),
    default="capture",
    show_default=True,
    help="How molecules are made and read.",
)
@click.option(
    "--depth",
    type=click.FloatRange(min=1),
    default=1000.0,
    show_default=True,
    help="Molecules over any one point.",
)
@options.share("--contamination", "Share of the molecules of another person.")
@options.share("--carry-over", "Share of the molecules of the sample before.")
@click.option("--lost", multiple=True, help="Marker that is gone (may be repeated).")
@click.option(
    "--write",
    type=click.Choice(["bam", "fastq"]),
    default="bam",
    show_default=True,
    help="Format of the reads.",
)
@options.seed
@options.force
def simulate(**request: Any) -> None:
    """Make reads with known truth: dilution series, courses, controls."""
    from mrdtrack.commands.simulate import SimulateRequest, simulate

    simulate(SimulateRequest(**request))


@main.command()
@options.files("levels", "LEVELS...")
@options.path("--truth", text="TSV: sample, true_level, lot.", required=True)
@options.output_folder
@options.path(
    "--control-counts", text="Counts of a control (may be repeated).", multiple=True
)
@options.path(
    "--control-background",
    text="Its non-marker positions (may be repeated).",
    multiple=True,
)
@options.goal("--cv-goal", 0.3, "Relative standard deviation allowed at the LoQ.")
@options.goal("--total-error-goal", 0.7, "Total error allowed at the LoQ.")
@options.alpha
@options.force
def validate(**request: Any) -> None:
    """Work out an assay's LoB, LoD and LoQ from LEVELS tables with known truth."""
    from mrdtrack.commands.validate import ValidateRequest, validate

    validate(ValidateRequest(**request))


@main.command()
@options.output_folder
@options.language
@options.force
@options.quiet
def demo(**request: Any) -> None:
    """Run the main job on the packaged example, an invented patient."""
    from mrdtrack.commands.demo import DemoRequest, demo

    demo(DemoRequest(**request))


@main.command()
@options.quiet
def warm(quiet: bool) -> None:
    """Compile the kernels ahead of the first run, for images and CI."""
    from mrdtrack.commands.warm import WarmRequest, warm

    warm(WarmRequest(quiet=quiet))
