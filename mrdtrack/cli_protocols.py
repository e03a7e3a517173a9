"""The commands on clinical rules: list, show and check; see `cli`."""

from __future__ import annotations

import click

from mrdtrack import options
from mrdtrack.door import Door


@click.group(cls=Door)
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
