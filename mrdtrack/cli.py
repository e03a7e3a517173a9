"""The command line: parse, call one function, and nothing else.

A command imports what it needs when it runs, so that `--help` stays quick.
"""

from __future__ import annotations

import os
from typing import Any

import click

from mrdtrack import __version__, cli_assay, cli_panel, cli_protocols, options
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
@options.path("--control", text="Reads of a control (may be repeated).", multiple=True)
@options.path("--background", text="Background file, as `background` writes it.")
@options.reading
@options.judging
@options.threads
@options.checksums
@options.redact
@options.force
@options.quiet
@options.table_format
@options.fail_on(options.CALLS, "a sample's call")
def quantify(fail_on: tuple[str, ...], **request: Any) -> None:
    """Count a panel's markers in the READS of a visit, and call its level.

    READS are BAM, CRAM or SAM; FASTQ for `sequence` markers (x_R1.fastq and x_R2.fastq
    are read as pairs). Several samples may be given at once.
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
@click.option(
    "--one-run", is_flag=True, help="The samples were sequenced together (carry-over)."
)
@options.judging
@options.threads
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
@options.files("results", "[RESULT.mrd.json...]", required=False)
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
@options.path("--donor", text="Result of the transplant donor's own sample.")
@click.option(
    "--accept-identity",
    multiple=True,
    metavar="SAMPLE",
    help="Use a sample although its germline alleles failed (may be repeated).",
)
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
@options.redact
@options.force
@options.quiet
@options.fail_on(options.ACTIONS, "the action of a flag")
def timeline(fail_on: tuple[str, ...], compare: tuple[str, ...], **asked: Any) -> None:
    """Put a patient's visits in order: the course, flags and a report."""
    from mrdtrack.commands import timeline as command

    if not asked["results"] and asked["external"] is None:
        raise click.UsageError("give RESULT.mrd.json files, or --external")
    request = command.TimelineRequest(**asked)
    course = command.timeline(request)
    if compare:
        differences = command.compare(request, compare)
        click.echo(command.tell_differences(differences), nl=False)
    gate(any(flag.action in fail_on for flag in course.flags))


@main.command()
@options.files("results", "RESULT.mrd.json...")
@options.output_folder
@click.option(
    "--run",
    default="run",
    show_default=True,
    help="Name of the sequencing run, for the page and its files.",
)
@options.language
@click.option(
    "--format",
    "formats",
    type=options.Listed(["html", "pdf", "tsv", "multiqc"]),
    default="html,tsv,multiqc",
    show_default=True,
    help="Files to write, with commas between them.",
)
@options.force
@options.fail_on(options.CALLS, "a sample's call")
def batch(fail_on: tuple[str, ...], **asked: Any) -> None:
    """Put the samples of a sequencing run on one page: levels, quality, carry-over."""
    from mrdtrack.commands.batch import BatchRequest, batch

    results = batch(BatchRequest(**asked))
    gate(any(result.level.call in fail_on for result in results))


for command in (
    cli_panel.panel,
    cli_assay.background,
    cli_protocols.protocols,
    cli_assay.plan,
    cli_assay.simulate,
    cli_assay.validate,
    cli_assay.spike_ins,
):
    main.add_command(command)


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
