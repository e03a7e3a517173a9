"""Every error for a user says where, what, and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mrdtrack.errors import FaultList, InputError
from tests.faults.error_sites import Site, find_sites, texts_of
from tests.faults.reached_errors import unreached

REPOSITORY = Path(__file__).resolve().parents[2]
SITES = find_sites(REPOSITORY / "mrdtrack")


def remedies(site: Site) -> list[str]:
    """The literal texts of a site's remedy, its last argument."""
    return texts_of(site.arguments[-1]) if len(site.arguments) == 3 else []


def test_sites_are_found() -> None:
    assert len(SITES) > 150
    assert {site.error for site in SITES} >= {
        "AlignmentsError",
        "CountsError",
        "FaultList",
        "OutputError",
        "PanelError",
        "ProtocolError",
        "ReferenceMismatch",
        "ResultError",
        "UnusableIndex",
    }


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
def test_an_error_says_what_to_do(site: Site) -> None:
    for text in remedies(site):
        assert re.match(r"[a-z`{-]", text), text
        assert len(text.replace("{}", "what is right")) >= 8, text
        assert not text.endswith((".", "!")), text
    for argument in site.arguments:
        for text in texts_of(argument):
            assert "\n" not in text
            assert not text.lower().startswith(("error", "invalid input")), text


def test_what_is_reached_is_noted() -> None:
    everything = unreached(set())
    assert len(everything) == len(SITES)
    site = everything[0]
    assert site not in unreached({(site.module, site.last)})
    assert len(unreached({(site.module, site.last)})) >= len(SITES) - 3


def test_noting_changes_no_error() -> None:
    one = InputError("a", "is wrong", "mend it")
    assert (str(one), one.remedy) == ("a: is wrong; mend it", "mend it")
    several = FaultList("a", ["b", "c"], remedy="mend them")
    assert str(several) == "a: b; c; mend them"
