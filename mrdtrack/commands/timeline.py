"""`mrdtrack timeline`: visit results in, timeline, kinetics, flags and reports out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mrdtrack.commands.redaction import redacted_given
from mrdtrack.errors import ResultError
from mrdtrack.follow_up.build import Given, build_timeline
from mrdtrack.follow_up.comparison import Difference, compare_assessments
from mrdtrack.follow_up.external import read_external
from mrdtrack.follow_up.facts import Facts, check_iso_date, read_facts, read_treatments
from mrdtrack.follow_up.identity import Known
from mrdtrack.follow_up.timeline import Timeline
from mrdtrack.follow_up.visits import read_visit, read_visits
from mrdtrack.protocols.read import read_protocol
from mrdtrack.reports.terminal import timeline_text, wants_colour
from mrdtrack.reports.timeline_files import write_timeline
from mrdtrack.reports.words import words

if TYPE_CHECKING:
    from mrdtrack.reports.timeline_files import Audience, Format
    from mrdtrack.reports.words import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineRequest:
    """What the command line asks for.

    `protocols` empty takes the disease's packaged defaults. `as_of` is the day samples
    are due or overdue on (the last visit's without it). `donor` is a result of the
    donor's own sample; `accept_identity` are samples to use although their germline
    alleles are not the patient's.
    """

    results: Sequence[Path]
    output: Path
    protocols: Sequence[str] = ()
    external: Path | None = None
    treatments: Path | None = None
    facts: Path | None = None
    donor: Path | None = None
    accept_identity: Sequence[str] = ()
    baseline: str | None = None
    as_of: str | None = None
    language: Language = "en"
    audience: Audience = "clinician"
    formats: Sequence[Format] = ("html", "json", "tsv")
    redact: bool = False
    force: bool = False
    quiet: bool = False


def timeline(request: TimelineRequest) -> Timeline:
    """Build a patient's timeline and write what was asked for into the folder.

    Raises:
        InputError: a file is wrong, or an output exists and `force` is not given.
    """
    course = assess_course(request, request.protocols)
    write_timeline(
        course,
        request.output,
        request.formats,
        language=request.language,
        audience=request.audience,
        force=request.force,
    )
    if not request.quiet:
        colour = wants_colour(sys.stderr)
        said = timeline_text(course, words(request.language), colour=colour)
        sys.stderr.write(said)
    return course


def assess_course(request: TimelineRequest, protocols: Sequence[str]) -> Timeline:
    """Read a request's files and build its timeline under these protocols."""
    if request.as_of is not None:
        _check_day(request.as_of)
    given = Given(
        external=read_external(request.external) if request.external else (),
        treatments=read_treatments(request.treatments) if request.treatments else (),
        facts=read_facts(request.facts) if request.facts else Facts(),
        protocols=[read_protocol(name) for name in protocols] or None,
        baseline=request.baseline,
        as_of=request.as_of,
        identity=Known(
            donor=read_visit(request.donor) if request.donor else None,
            accepted=frozenset(request.accept_identity),
        ),
    )
    results = read_visits(request.results) if request.results else ()
    if request.redact:
        return build_timeline(*redacted_given(results, given))
    return build_timeline(results, given)


def _check_day(day: str) -> None:
    try:
        check_iso_date(day)
    except ValueError as error:
        raise ResultError("--as-of", str(error), "write it as YYYY-MM-DD") from error


def compare(request: TimelineRequest, others: Sequence[str]) -> tuple[Difference, ...]:
    """Assess the same files under other protocols; list the flags that differ."""
    return compare_assessments(
        assess_course(request, request.protocols), assess_course(request, others)
    )


def tell_differences(differences: Sequence[Difference]) -> str:
    """Tell the differences as tab-separated lines under a header."""
    lines = ["date\tvisit\taction\tonly_in\tprotocol\tversion\trule"]
    lines += [
        "\t".join(
            (
                d.date,
                d.visit,
                d.action,
                d.only_in,
                d.protocol,
                d.protocol_version,
                d.rule,
            )
        )
        for d in differences
    ]
    return "\n".join(lines) + "\n"
