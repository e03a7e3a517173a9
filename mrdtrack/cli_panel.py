"""The commands on a panel: import, check and show; see `cli`."""

from __future__ import annotations

from typing import Any

import click

from mrdtrack import options
from mrdtrack.door import Door


@click.group(cls=Door)
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
@options.path("--reads", text="Reads like those to come: they must fit.")
@options.path("--common", text="VCF of common variants (1 % or more).")
@click.option(
    "--at-diagnosis",
    is_flag=True,
    help="The reads are of diagnosis: each marker must be seen in them.",
)
def panel_check(**request: Any) -> None:
    """Look for all faults of a panel at once; exit 1 where there is any.

    What else is worth knowing of each marker before any follow-up is sequenced is said
    on stderr, and is no fault.
    """
    from mrdtrack.commands.panel_check import PanelCheckRequest, panel_check

    panel_check(PanelCheckRequest(**request))


@panel.command("show")
@options.panel_argument
def panel_show(**request: Any) -> None:
    """Show the markers of a panel."""
    from mrdtrack.commands.panel_show import PanelShowRequest, panel_show

    panel_show(PanelShowRequest(**request))
