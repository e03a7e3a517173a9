"""Are all samples the patient's? Their germline alleles, compared over the visits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mrdtrack.counts import QualityFinding, Severity
from mrdtrack.errors import ResultError
from mrdtrack.findings import REASONS, finding
from mrdtrack.follow_up.timeline import Estimate, IdentityCheck, TimelineVisit
from mrdtrack.levels.identity_donor import DONOR_SHARES, judge_chimerism
from mrdtrack.levels.identity_model import SAME, SIBLING, STRANGER
from mrdtrack.levels.identity_pairs import (
    Compared,
    Evidence,
    compare,
    given_genotypes,
)
from mrdtrack.levels.identity_sex import YChromosome, y_chromosome
from mrdtrack.levels.identity_verdict import (
    CONTAMINATION_DROP,
    ShareOfOther,
    profile_share,
)
from mrdtrack.levels.result import MarkerResult, VisitResult

FAILED: Final = frozenset({"other_person", "relative", "mixed", "sex_mismatch"})
"""Verdicts of samples that are not the patient's, or not mainly."""
MOST_CONTAMINATION: Final = 0.1
"""A sample that surely holds more of another person is mixed, not contaminated."""
LEAST_GENOTYPES: Final = 10
"""Genotypes that a panel must give to stand for the patient."""
PANEL: Final = "panel"
_RELATIVE_DROP: Final = 2.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of whose cells a sample may hold.

    Attributes:
        donor: result of the donor's own sample.
        transplant: day of the transplant.
        accepted: samples that the user accepts whatever their alleles say.
    """

    donor: VisitResult | None = None
    transplant: str | None = None
    accepted: frozenset[str] = frozenset()

    def may_hold_donor(self, result: VisitResult) -> bool:
        """Tell whether a sample was taken when a donor's cells may be in it."""
        if self.transplant is None:
            return self.donor is not None
        return result.date is not None and result.date > self.transplant


@dataclass(frozen=True, slots=True, kw_only=True)
class _Patient:
    """What the patient is known by."""

    name: str
    evidence: Evidence
    y: YChromosome | None


def check_identity(
    results: Sequence[VisitResult], known: Known
) -> tuple[IdentityCheck, ...]:
    """Compare the samples of a patient, in date order.

    Raises:
        ResultError: a sample that is to be accepted is not among the results.
    """
    strange = known.accepted - {result.sample for result in results}
    if strange:
        raise ResultError(
            "--accept-identity",
            f"sample {min(strange)} is not among the results",
            "name a sample of this patient as its result does",
        )
    ordered = sorted(results, key=lambda r: (r.date or "", r.sample))
    patient, seen = _find_patient(ordered, known)
    if patient is None:
        return ()
    checks = []
    for result in ordered:
        if result.sample != patient.name:
            check = _check(result, patient, known, seen.get(result.sample))
            named = check.verdict in FAILED and result.sample in known.accepted
            checks.append(check.model_copy(update={"accepted": named}))
    return tuple(checks)


def _evidence(result: VisitResult) -> Evidence:
    return Evidence(result.identity, result.searched)


def _find_patient(
    results: Sequence[VisitResult], known: Known
) -> tuple[_Patient | None, dict[str, Compared]]:
    """Choose what the patient is known by, and what the others were found to be.

    The panel's genotypes; else the sample that fewest of the others contradict, the
    earliest among equals, of those taken before a transplant.
    """
    with_alleles = [result for result in results if result.identity]
    if not with_alleles:
        return None, {}
    given = given_genotypes(with_alleles[0].identity)
    if len(given.alleles) >= LEAST_GENOTYPES:
        y = y_chromosome(with_alleles[0].identity)
        return _Patient(name=PANEL, evidence=given, y=y), {}
    before = [r for r in with_alleles if not known.may_hold_donor(r)]
    candidates = before or with_alleles[:1]
    options: list[tuple[int, VisitResult, dict[str, Compared]]] = []
    for candidate in candidates:
        seen = {
            other.sample: compare(_evidence(candidate), _evidence(other))
            for other in candidates
            if other is not candidate
        }
        refused = sum(c.judged.verdict == "other_person" for c in seen.values())
        options.append((refused, candidate, seen))
        if 2 * refused <= len(seen):
            break
    _, chosen, seen = min(options, key=lambda option: option[0])
    patient = _Patient(
        name=chosen.sample,
        evidence=_evidence(chosen),
        y=y_chromosome(chosen.identity),
    )
    return patient, seen


def _check(
    result: VisitResult, patient: _Patient, known: Known, seen: Compared | None
) -> IdentityCheck:
    may_hold_donor = known.may_hold_donor(result)
    if may_hold_donor and known.donor is not None:
        return _check_donor(result, patient, known.donor)
    found = seen or compare(patient.evidence, _evidence(result))
    check = IdentityCheck(
        sample=result.sample,
        against=patient.name,
        verdict="undecided",
        n_positions=found.n_positions,
        log10_ratio=round(found.judged.log10_ratio, 2),
    )
    sexes = {patient.y, y_chromosome(result.identity)}
    differ = sexes == {"present", "absent"}
    if found.n_positions == 0 and not differ:
        update: dict[str, object] = {"verdict": "not_compared", "log10_ratio": None}
    elif may_hold_donor:
        update = _with_unknown_donor(found)
    elif found.judged.verdict == "undecided" and differ:
        update = {"verdict": "sex_mismatch"}
    else:
        update = _without_donor(found)
    return check.model_copy(update={**update, "y_differs": differ})


def _without_donor(found: Compared) -> dict[str, object]:
    """Name the verdict on a sample that should be the patient's alone."""
    judged = found.judged
    if judged.verdict == "other_person":
        lead = found.told[SIBLING] - found.told[STRANGER]
        return {"verdict": "relative" if lead >= _RELATIVE_DROP else "other_person"}
    if judged.verdict != "contaminated":
        return {"verdict": judged.verdict}
    mixed = judged.share.low > MOST_CONTAMINATION
    return {
        "verdict": "mixed" if mixed else "contaminated",
        "other_share": _estimate(judged.share),
    }


def _with_unknown_donor(found: Compared) -> dict[str, object]:
    """Name the verdict on a sample taken after a transplant from an unknown donor."""
    whole = max(found.told[STRANGER], found.told[SIBLING])
    profile = np.append(found.told[:STRANGER], whole)
    if profile[1:].max() - profile[SAME] >= CONTAMINATION_DROP:
        share = profile_share(DONOR_SHARES, profile)
        return {"verdict": "donor_cells", "other_share": _estimate(share)}
    same = found.judged.verdict == "same_person"
    return {"verdict": "same_person" if same else "undecided"}


def _check_donor(
    result: VisitResult, patient: _Patient, donor: VisitResult
) -> IdentityCheck:
    found = judge_chimerism(patient.evidence, _evidence(donor), _evidence(result))
    check = IdentityCheck(
        sample=result.sample,
        against=patient.name,
        verdict="undecided",
        n_positions=found.n_positions,
        log10_ratio=round(found.log10_ratio, 2),
    )
    update: dict[str, object] = {}
    if found.n_positions == 0:
        update = {"verdict": "not_compared", "log10_ratio": None}
    elif found.is_other:
        update = {"verdict": "other_person"}
    elif found.fits and found.shows_donor:
        update = {"verdict": "donor_cells", "other_share": _estimate(found.share)}
    elif found.fits:
        update = {"verdict": "same_person"}
    return check.model_copy(update=update)


def _estimate(share: ShareOfOther) -> Estimate:
    return Estimate(
        value=round(share.value, 5),
        low=round(share.low, 5),
        high=round(share.high, 5),
    )


def apply_identity(
    visits: Sequence[TimelineVisit], checks: Sequence[IdentityCheck], known: Known
) -> list[TimelineVisit]:
    """Tell each visit's finding; one that failed cannot be evaluated."""
    of_sample = {check.sample: check for check in checks}
    return [
        _apply(visit, of_sample[visit.sample], known)
        if visit.source == "mrdtrack" and visit.sample in of_sample
        else visit
        for visit in visits
    ]


def _apply(visit: TimelineVisit, check: IdentityCheck, known: Known) -> TimelineVisit:
    quality = visit.quality + _findings(check, known)
    if check.verdict not in FAILED or check.accepted:
        return visit.model_copy(update={"quality": quality})
    reason = REASONS["identity_failed"]
    return visit.model_copy(
        update={
            **dict.fromkeys(("value", "low", "high", "lod95", "loq", "p_value")),
            "limited_by": None,
            "call": "not_evaluable",
            "reason": reason,
            "reason_codes": ("identity_failed",),
            "markers": tuple(_unusable(marker) for marker in visit.markers),
            "groups": (),
            "quality": quality,
        }
    )


def _unusable(marker: MarkerResult) -> MarkerResult:
    """Take a marker's counts away: they are another person's."""
    numbers = (
        *("alt", "ref", "ambiguous", "other", "molecules", "denominator"),
        *("alt_forward", "alt_reverse", "ref_forward", "ref_reverse"),
        *("ref_left", "ref_right", "related"),
        *("fraction", "fraction_low", "fraction_high", "p_value", "lod95"),
    )
    return marker.model_copy(
        update={
            **dict.fromkeys(numbers),
            "filters": {},
            "assessable": False,
            "reason": REASONS["identity_failed"],
            "reason_code": "identity_failed",
            "call": "not_evaluable",
        }
    )


_CODES: Final = {
    "other_person": "identity_other_person",
    "relative": "identity_relative",
    "mixed": "identity_mixed",
    "contaminated": "identity_contaminated",
    "sex_mismatch": "identity_sex_mismatch",
    "undecided": "identity_undecided",
}


def _findings(check: IdentityCheck, known: Known) -> tuple[QualityFinding, ...]:
    """Say what a check found; that a sample is the patient's needs no finding."""
    about: dict[str, str | int | float] = {
        "against": check.against,
        "n_positions": check.n_positions,
    }
    share = check.other_share
    if share is not None:
        about |= {
            "rate": share.value,
            "low": share.low or 0.0,
            "high": share.high or 0.0,
        }
    if check.verdict == "donor_cells":
        if known.donor is not None:
            return (finding("chimerism", "info", **about),)
        return (finding("chimerism_donor_unknown", "warning", **about),)
    if check.verdict == "same_person" and check.y_differs:
        return (finding("identity_y_differs", "warning", **about),)
    if check.verdict not in _CODES:
        return ()
    severity: Severity = "error" if check.verdict in FAILED else "warning"
    found = finding(_CODES[check.verdict], severity, **about)
    if not check.accepted:
        return (found,)
    return (found, finding("identity_accepted", "warning", sample=check.sample))


def unchecked(
    results: Sequence[VisitResult], checks: Sequence[IdentityCheck]
) -> tuple[QualityFinding, ...]:
    """Say where nothing shows that the samples are of one person."""
    if len(results) < 2 or any(check.verdict != "not_compared" for check in checks):
        return ()
    return (finding("identity_unchecked", "info"),)
