"""The commands that prove an assay: controls, plan, simulation, study; see `cli`."""

from __future__ import annotations

from typing import Any

import click

from mrdtrack import options
from mrdtrack.door import Command


@click.command(cls=Command)
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


@click.command(cls=Command)
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


@click.command(cls=Command)
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


@click.command(cls=Command)
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


@click.command("spike-ins", cls=Command)
@click.argument("spikes", metavar="SPIKES", type=options.PATH)
@options.files("files", "FILE...")
@options.output_folder
@options.path("--panel", text="Panel of the clones to look for in reads.")
@click.option(
    "--family",
    multiple=True,
    help="CLONE=FAMILY, where its genes do not tell (may be repeated).",
)
@click.option(
    "--compat",
    type=click.Choice(["vidjil"]),
    help="Repeat another program's numbers, its flaws with them.",
)
@options.input_amount
@options.required_sensitivity
@click.option("--sample", help="Name of the sample (default: as the file says).")
@click.option("--date", type=options.IsoDate(), help="Day the sample was taken.")
@click.option("--specimen", type=click.Choice(options.SPECIMENS), help="Tissue.")
@click.option(
    "--time-point",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Time point of a .vidjil file.",
)
@click.option(
    "--molecules",
    type=click.Choice(options.MOLECULES),
    default="auto",
    show_default=True,
    help="What counts as one molecule.",
)
@click.option("--umi-tag", type=options.Tag(), help="Tag that holds the UMI.")
@options.threads
@options.force
@options.quiet
@options.table_format
def spike_ins(**request: Any) -> None:
    """Give clones as shares of cells, by SPIKES of known copies in each FILE.

    SPIKES is a table of name, family, copies and sequence, or the labels of Vidjil.
    Each FILE is the reads of a tube (with --panel), or a .vidjil file.
    """
    from mrdtrack.commands.spike_ins import SpikeInsRequest, spike_ins

    spike_ins(SpikeInsRequest(**request))
