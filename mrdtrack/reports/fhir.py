"""A timeline as a FHIR R4 bundle, after the HL7 Genomics Reporting guide.

LOINC codes are those the guide (hl7.org/fhir/uv/genomics-reporting, STU3) gives to its
own profiles: report 51969-4, variant 69548-6, allelic fraction 81258-6, read depth
82121-5, gene 48018-6. Neither that guide nor LOINC has a code for an MRD level: it
carries a local code and its name. A negative is written as `< LoD`, never as zero.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from mrdtrack.errors import OutputError
from mrdtrack.follow_up.timeline import Estimate, Flag, Timeline, TimelineVisit
from mrdtrack.levels.result import MarkerResult
from mrdtrack.reports import level_text, phrases
from mrdtrack.reports.inert_text import visible
from mrdtrack.reports.level_text import FRACTIONS
from mrdtrack.reports.tables import json_bytes, stable
from mrdtrack.reports.timeline_view import timeline_view
from mrdtrack.reports.words import words

Resource = dict[str, Any]

_GUIDE = "http://hl7.org/fhir/uv/genomics-reporting/StructureDefinition/"
_LOINC = "http://loinc.org"
_LOCAL = "urn:mrdtrack:code"
_UCUM = "http://unitsofmeasure.org"
_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:mrdtrack")
_PRESENCE = {
    "quantified": "Present",
    "detected_below_loq": "Present",
    "not_detected": "Absent",
    "insufficient_sensitivity": "Indeterminate",
    "not_evaluable": "No call",
}


def fhir_bundle(timeline: Timeline) -> bytes:
    """Write the bundle: patient, specimens, levels, variants, report, proposals.

    Raises:
        OutputError: fhir.resources is not installed.
    """
    try:
        from fhir.resources.R4B.bundle import Bundle
    except ImportError as missing:
        raise OutputError(
            "FHIR",
            "it needs fhir.resources, which is not installed",
            'install it with pip install "mrdtrack[fhir]"',
        ) from missing
    content = bundle(timeline)
    Bundle.model_validate(content)
    return json_bytes(content)


def bundle(timeline: Timeline) -> Resource:
    """Make the bundle as plain values."""
    made = _Maker(timeline.patient)
    patient = made.add(
        "Patient",
        "patient",
        {"identifier": [{"value": visible(timeline.patient), "use": "secondary"}]},
    )
    results = []
    for number, visit in enumerate(timeline.visits):
        specimen = made.add("Specimen", f"specimen-{number}", _specimen(visit, patient))
        shared: Resource = {
            "status": "preliminary",
            "subject": patient,
            "specimen": specimen,
            "effectiveDateTime": visit.date,
        }
        markers = [
            made.add(
                "Observation",
                f"variant-{number}-{index}",
                shared | _variant(marker),
            )
            for index, marker in enumerate(visit.markers)
        ]
        level = shared | _level(visit)
        if markers:
            level["derivedFrom"] = markers
        results += [made.add("Observation", f"level-{number}", level), *markers]
    made.add("DiagnosticReport", "report", _report(timeline, patient, results))
    for number, flag in enumerate(timeline.flags):
        made.add("Task", f"flag-{number}", _proposal(flag, patient))
    return {"resourceType": "Bundle", "type": "collection", "entry": made.entries}


class _Maker:
    """Gathers the entries, each under a name that the patient and its role decide."""

    def __init__(self, patient: str) -> None:
        self.patient = patient
        self.entries: list[Resource] = []

    def add(self, kind: str, role: str, content: Mapping[str, Any]) -> Resource:
        """Add a resource and give the reference to it."""
        name = str(uuid.uuid5(_SPACE, f"{self.patient}\n{role}"))
        self.entries.append(
            {
                "fullUrl": f"urn:uuid:{name}",
                "resource": {"resourceType": kind, "id": name, **content},
            }
        )
        return {"reference": f"urn:uuid:{name}"}


def _specimen(visit: TimelineVisit, patient: Resource) -> Resource:
    return {
        "identifier": [{"value": visible(visit.sample)}],
        "type": {"text": phrases.SPECIMENS[visit.specimen]},
        "subject": patient,
        "collection": {"collectedDateTime": visit.date},
    }


def _level(visit: TimelineVisit) -> Resource:
    name = phrases.METRICS.get(visit.metric, visible(visit.metric))
    content: Resource = {
        "category": [_text("laboratory")],
        "code": _code(visit.metric, f"Measurable residual disease: {name}"),
        "method": {"text": visible(visit.method or "mrdtrack")},
    }
    if level_text.is_negative(visit) and visit.lod95:
        content["valueQuantity"] = {
            "comparator": "<",
            **_quantity(visit.lod95, visit.metric),
        }
    elif visit.value and visit.call != "not_evaluable":
        content["valueQuantity"] = _quantity(visit.value, visit.metric)
    else:
        content["dataAbsentReason"] = {
            "text": visible(visit.reason) or "no level can be stated"
        }
    if visit.call:
        content["interpretation"] = [_code(visit.call, phrases.CALLS[visit.call])]
    components = [
        {"code": _code(code, text), "valueQuantity": _quantity(value, visit.metric)}
        for code, text, value in (
            ("low", "lower end of the 95 % interval", visit.low),
            ("high", "upper end of the 95 % interval", visit.high),
            ("lod95", "limit of detection of this sample", visit.lod95),
            ("loq", "limit of quantification", visit.loq),
        )
        if value
    ]
    if visit.log10_reduction is not None:
        components.append(_reduction(visit.log10_reduction))
    if components:
        content["component"] = components
    return content


def _reduction(reduction: Estimate) -> Resource:
    quantity: Resource = {"value": stable(reduction.value)}
    if reduction.relation != "=":
        quantity["comparator"] = reduction.relation
    return {
        "code": _code("log10_reduction", "log10 reduction from the baseline"),
        "valueQuantity": quantity,
    }


def _variant(marker: MarkerResult) -> Resource:
    content: Resource = {
        "meta": {"profile": [f"{_GUIDE}variant"]},
        "category": [_text("laboratory")],
        "code": _loinc("69548-6", "Genetic variant assessment"),
        "valueCodeableConcept": _text(_PRESENCE[marker.call]),
        "note": [{"text": visible(f"marker {marker.marker}")}],
    }
    components: list[Resource] = []
    if marker.gene:
        components.append(
            {
                "code": _loinc("48018-6", "Gene studied [ID]"),
                "valueCodeableConcept": _text(visible(marker.gene)),
            }
        )
    if marker.fraction:
        components.append(
            {
                "code": _loinc("81258-6", "Sample variant allelic frequency [NFr]"),
                "valueQuantity": _quantity(marker.fraction, "vaf_gdna"),
            }
        )
    if marker.molecules is not None:
        components.append(
            {
                "code": _loinc("82121-5", "Allelic read depth"),
                "valueQuantity": {"value": marker.molecules, "unit": "molecules"},
            }
        )
    if marker.lod95:
        components.append(
            {
                "code": _code("lod95", "limit of detection of this sample"),
                "valueQuantity": _quantity(marker.lod95, "vaf_gdna"),
            }
        )
    if components:
        content["component"] = components
    return content


def _report(timeline: Timeline, patient: Resource, results: list[Resource]) -> Resource:
    view = timeline_view(timeline, words("en"))
    more = " ".join(line.text for line in view.headline_more)
    content: Resource = {
        "meta": {"profile": [f"{_GUIDE}genomic-report"]},
        "status": "preliminary",
        "code": _loinc("51969-4", "Genetic analysis report"),
        "subject": patient,
        "conclusion": f"{view.headline} {more}",
    }
    if view.date:
        content["effectiveDateTime"] = view.date
    if results:
        content["result"] = results
    return content


def _proposal(flag: Flag, patient: Resource) -> Resource:
    return {
        "status": "draft",
        "intent": "proposal",
        "code": _code(flag.action, phrases.ACTIONS[flag.action]),
        "description": visible(
            f"{flag.protocol} {flag.protocol_version}, {flag.rule}: {flag.because} "
            f"Would change if: {flag.would_change_if} ({flag.citation.reference})"
        ),
        "for": patient,
    }


def _quantity(value: float, metric: str) -> Resource:
    if metric in FRACTIONS:
        return {"value": stable(value), "unit": "1", "system": _UCUM, "code": "1"}
    unit = phrases.UNITS.get(metric)
    known = {"unit": unit} if unit else {}
    return {"value": stable(value), **known}


def _code(code: str, text: str) -> Resource:
    return {"coding": [{"system": _LOCAL, "code": _token(code)}], "text": text}


def _token(code: str) -> str:
    return "-".join(visible(code).split()) or "unnamed"


def _loinc(code: str, text: str) -> Resource:
    return {"coding": [{"system": _LOINC, "code": code}], "text": text}


def _text(text: str) -> Resource:
    return {"text": text}
