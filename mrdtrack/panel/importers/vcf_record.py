"""One record of a VCF, as far as the meaning of its alleles depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mrdtrack.panel.importers.outcome import Fault


class Unusable(Exception):
    """A sound record of which no marker can be made; the text says why."""


class Record(NamedTuple):
    """What an allele's meaning depends on; `info` holds END where the file gives it.

    `name` is the record's own ID; `source` is the program that the header names;
    `allele` is 0 for the first ALT allele.
    """

    contig: str
    position: int
    ref: str
    info: Mapping[str, Any]
    name: str = ""
    source: str = ""
    allele: int = 0

    def text(self, *keys: str) -> str:
        """Give the first of the INFO texts that is there, else ''."""
        for key in keys:
            value = self.info.get(key)
            if isinstance(value, tuple | list):
                value = value[0] if value else None
            if isinstance(value, str) and value not in {"", "."}:
                return value
        return ""

    def number(self, key: str) -> int | None:
        """Give an INFO number."""
        value = self.info.get(key)
        if isinstance(value, tuple | list):
            value = value[0] if value else None
        try:
            return int(value) if value is not None else None
        except (TypeError, ValueError):
            return None

    @property
    def homology(self) -> int:
        """Bases alike on both sides of the join."""
        return len(self.text("HOMSEQ")) or self.number("HOMLEN") or 0

    def end(self, alt: str) -> int:
        """Give the last base of a symbolic allele's span.

        Raises:
            Fault: the record gives neither END nor SVLEN.
        """
        lengths = self.info.get("SVLEN")
        if isinstance(lengths, tuple) and len(lengths) > max(self.allele, 1):
            return self.position + abs(int(lengths[self.allele]))
        end = self.number("END")
        if end is not None and end > self.position:
            return end
        length = self.number("SVLEN")
        if not length:
            raise Fault(f"{alt} has neither END nor SVLEN: its span is not known")
        return self.position + abs(length)


def inserted_bases(record: Record) -> str:
    """Give the bases between the ends of a join, '' where there are none.

    Raises:
        Unusable: the record gives their number, and not the bases.
    """
    inserted = record.text("SVINSSEQ", "INSERTED").upper()
    if inserted:
        return inserted
    for key in ("INSLEN", "SVINSLEN", "NTLEN"):
        length = record.number(key)
        if length:
            raise Unusable(
                f"{length} bases are inserted at the join ({key}), and the record does "
                "not give them: give the sequence over the join"
            )
    return ""
