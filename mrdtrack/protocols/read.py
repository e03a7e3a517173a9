"""Protocols from the package or from a laboratory's own file."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from mrdtrack.errors import FaultList, ProtocolError
from mrdtrack.protocols.protocol import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedProtocol:
    """A protocol and the SHA-256 of the file it was read from."""

    protocol: Protocol
    digest: str


def list_packaged() -> tuple[str, ...]:
    """List the ids of the packaged protocols."""
    folder = resources.files("mrdtrack.protocols") / "data"
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(n.removesuffix(".toml") for n in names if n.endswith(".toml")))


@lru_cache(maxsize=64)
def read_packaged(name: str) -> LoadedProtocol:
    """Read a packaged protocol.

    Raises:
        ProtocolError: there is none of that id.
    """
    if name not in list_packaged():
        raise ProtocolError(
            name,
            "is no packaged protocol and no file",
            f"use one of {', '.join(list_packaged())}, or a .toml file",
        )
    file = resources.files("mrdtrack.protocols") / "data" / f"{name}.toml"
    return parse_protocol(f"protocol {name}", file.read_bytes())


def read_protocol(name: str) -> LoadedProtocol:
    """Read a protocol by id, or from a file where the name ends in `.toml`.

    Raises:
        ProtocolError: there is no such protocol, or the file is no TOML.
        FaultList: keys or values are wrong; all are told.
        OSError: the file cannot be read.
    """
    if name.endswith(".toml"):
        return parse_protocol(name, Path(name).read_bytes())
    return read_packaged(name)


def parse_protocol(where: str, content: bytes) -> LoadedProtocol:
    """Parse a protocol file's content.

    Raises:
        ProtocolError: it is no TOML.
        FaultList: keys or values are wrong; all are told.
    """
    try:
        tree = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ProtocolError(
            where, f"is not TOML ({error})", "write it as the documentation shows"
        ) from error
    try:
        protocol = Protocol.model_validate(tree)
    except ValidationError as error:
        faults = [
            _say_fault(tree, fault["loc"], fault["msg"]) for fault in error.errors()
        ]
        raise FaultList(where, faults, "correct the protocol file") from error
    return LoadedProtocol(protocol=protocol, digest=hashlib.sha256(content).hexdigest())


def _say_fault(
    tree: dict[str, object], place: tuple[int | str, ...], message: str
) -> str:
    """Say a fault with the id of its rule."""
    rules = tree.get("rule")
    named = ""
    if len(place) > 1 and place[0] == "rule" and isinstance(rules, list):
        rule = rules[int(place[1])]
        named = str(rule.get("id", "")) if isinstance(rule, dict) else ""
    path = ".".join(str(part) for part in place) or "file"
    return f"{path}{f' ({named[:60]})' if named else ''}: {message}"


def choose_default(disease: str) -> tuple[str, ...]:
    """Choose the packaged protocols that apply to a disease unless others are named."""
    return tuple(
        name
        for name in list_packaged()
        if disease in read_packaged(name).protocol.default_for
    )
