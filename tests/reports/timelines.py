"""Realistic timelines, made in code."""

from __future__ import annotations

from typing import Any

from mrdtrack.follow_up.timeline import (
    Change,
    Citation,
    Estimate,
    Flag,
    Kinetics,
    MarkerCourse,
    ProtocolNote,
    ProtocolUsed,
    ScheduleItem,
    Timeline,
    TimelineVisit,
    Treatment,
    Unjudged,
)
from mrdtrack.levels.result import Software
from tests.reports.builders import all_markers

CITATION = Citation(
    reference="Heuser M et al. 2021 update on MRD in acute myeloid leukemia. Blood",
    doi="10.1182/blood.2021013626",
    locator="Table 4",
    status="S",
    confidence="M",
)


def visit(sample: str, date: str, **given: Any) -> TimelineVisit:
    """Make a visit of mrdtrack in marrow: quantified at 1 %, unless told otherwise."""
    fields: dict[str, Any] = {
        "sample": sample,
        "date": date,
        "specimen": "bone_marrow",
        "timepoint": None,
        "source": "mrdtrack",
        "metric": "vaf_gdna",
        "value": 0.01,
        "low": 0.008,
        "high": 0.0125,
        "lod95": 1.2e-4,
        "loq": 3.0e-4,
        "required_sensitivity": 1e-3,
        "limited_by": "depth",
        "p_value": 1e-30,
        "call": "quantified",
    }
    return TimelineVisit(**(fields | given))


def negative(sample: str, date: str, **given: Any) -> TimelineVisit:
    """Make a visit where nothing was seen, with adequate depth."""
    fields: dict[str, Any] = {
        "value": 0.0,
        "low": 0.0,
        "high": 1.4e-4,
        "p_value": 1.0,
        "call": "not_detected",
        "log10_reduction": Estimate(value=3.57, relation=">="),
    }
    return visit(sample, date, **(fields | given))


def insufficient(sample: str, date: str, **given: Any) -> TimelineVisit:
    """Make a visit that could not have seen the required level."""
    fields: dict[str, Any] = {
        "call": "insufficient_sensitivity",
        "lod95": 8.0e-3,
        "high": 9.0e-3,
        "limited_by": "input",
        "log10_reduction": None,
        "log10_reduction_reason": "the sample could not show a reduction",
        "log10_reduction_reason_fr": "le prélèvement ne pouvait montrer de réduction",
    }
    return negative(sample, date, **(fields | given))


def not_evaluable(sample: str, date: str, **given: Any) -> TimelineVisit:
    """Make a visit without a result."""
    fields: dict[str, Any] = {
        "value": None,
        "low": None,
        "high": None,
        "lod95": None,
        "loq": None,
        "p_value": None,
        "call": "not_evaluable",
        "reason": "no marker could be assessed",
    }
    return visit(sample, date, **(fields | given))


def rt_qpcr(date: str, value: float, call: Any) -> TimelineVisit:
    """Make an imported RT-qPCR result."""
    return visit(
        "external-" + date,
        date,
        source="external",
        method="RT-qPCR",
        metric="ratio_pct_abl1",
        target="NPM1",
        value=value,
        low=None,
        high=None,
        lod95=0.001,
        loq=None,
        required_sensitivity=None,
        p_value=None,
        call=call,
        log10_reduction=Estimate(value=2.4) if value else None,
    )


def flag(**given: Any) -> Flag:
    """Make a flag of relapse."""
    fields: dict[str, Any] = {
        "rule": "25.npm1.fu.bm",
        "protocol": "eln-aml-mrd-2025",
        "protocol_version": "1",
        "action": "PREEMPTIVE_DISCUSS",
        "action_origin": "source",
        "visit": "P001-V8",
        "confidence": "interval",
        "because": "MRD rose from not detected to 2.3e-3 in bone marrow, more than one "
        "log above the nadir.",
        "because_fr": "La MRD est passée de non détectée à 2,3 pour 1000 dans la "
        "moelle, soit plus d'un log au-dessus du nadir.",
        "would_change_if": "a second sample within 4 weeks does not confirm the rise.",
        "would_change_if_fr": "un second prélèvement sous 4 semaines ne confirme pas "
        "la hausse.",
        "citation": CITATION,
        "call": "MRD relapse",
        "call_fr": "rechute moléculaire",
        "numbers": {"level": 2.3e-3},
    }
    return Flag(**(fields | given))


def aml_visits() -> tuple[TimelineVisit, ...]:
    """Make diagnosis, treatment, an adequate negative, gaps and a relapse."""
    return (
        visit(
            "P001-V1",
            "2024-11-04",
            timepoint="diagnosis",
            value=0.44,
            low=0.43,
            high=0.451,
            baseline=True,
        ),
        visit(
            "P001-B1",
            "2024-11-04",
            timepoint="diagnosis",
            specimen="peripheral_blood",
            value=0.31,
            low=0.30,
            high=0.32,
            baseline=True,
        ),
        visit(
            "P001-V2",
            "2024-12-12",
            timepoint="c1",
            value=0.0123,
            low=0.0105,
            high=0.0143,
            log10_reduction=Estimate(value=1.553, low=1.49, high=1.62),
            change_from_previous=Change(
                from_sample="P001-V1",
                log10=Estimate(value=-1.55, low=-1.62, high=-1.49),
            ),
        ),
        visit(
            "P001-V3",
            "2025-01-28",
            timepoint="c2",
            call="detected_below_loq",
            value=2.1e-4,
            low=8.3e-5,
            high=4.3e-4,
            log10_reduction=Estimate(value=3.32, low=3.01, high=3.72),
            change_from_previous=Change(
                from_sample="P001-V2", log10=Estimate(value=-1.77, low=-2.2, high=-1.4)
            ),
        ),
        insufficient(
            "P001-B2", "2025-02-20", specimen="peripheral_blood", timepoint="follow-up"
        ),
        rt_qpcr("2025-03-20", 0.012, "quantified"),
        negative("P001-V4", "2025-03-20", timepoint="end of consolidation", nadir=True),
        negative(
            "P001-B3",
            "2025-04-22",
            specimen="peripheral_blood",
            lod95=2.0e-4,
            high=2.3e-4,
            log10_reduction=Estimate(value=3.19, relation=">="),
            nadir=True,
        ),
        not_evaluable("P001-V5", "2025-06-24", timepoint="follow-up"),
        negative("P001-V6", "2025-08-05", lod95=1.6e-4, high=1.8e-4),
        insufficient("P001-V7", "2025-10-14"),
        rt_qpcr("2025-10-14", 0.0, "not_detected"),
        visit(
            "P001-V8",
            "2025-12-09",
            timepoint="follow-up",
            value=2.31e-3,
            low=1.62e-3,
            high=3.2e-3,
            log10_reduction=Estimate(value=2.28, low=2.13, high=2.43),
            change_from_previous=Change(
                from_sample="P001-V6",
                log10=Estimate(value=1.16, relation=">="),
                p_value=1e-6,
            ),
            markers=all_markers(),
            quality=(
                {
                    "code": "few_families",
                    "severity": "warning",
                    "message": "Family sizes are small: median 2 reads.",
                },
            ),
        ),
    )


def timeline(**given: Any) -> Timeline:
    """Make the timeline of an AML patient in molecular relapse."""
    fields: dict[str, Any] = {
        "patient": "P001",
        "disease": "AML",
        "visits": aml_visits(),
        "kinetics": (
            Kinetics(
                specimen="bone_marrow",
                metric="vaf_gdna",
                baseline_sample="P001-V1",
                baseline_is_diagnosis=True,
                nadir_sample="P001-V4",
                doubling_time_days=Estimate(value=31.2, low=22.0, high=48.5),
                doubling_time_method="log-linear fit",
                conversion="negative to positive, to be confirmed",
                conversion_fr="négative à positive, à confirmer",
                molecular_relapse="suspected on 2025-12-09; not confirmed yet",
                molecular_relapse_fr="suspectée le 2025-12-09 ; pas encore confirmée",
                time_to_threshold_days=Estimate(value=66.0, low=40.0, high=110.0),
                threshold=1e-2,
                threshold_rule="x",
                markers=(
                    MarkerCourse(
                        marker="NPM1-A",
                        gene="NPM1",
                        role="level",
                        status="rising",
                        because="seen again after two visits without it",
                        because_fr="revue après deux visites sans elle",
                    ),
                    MarkerCourse(
                        marker="FLT3-ITD",
                        gene="FLT3",
                        role="level",
                        status="lost",
                        because="not seen since 2024-12-12",
                        because_fr="non revue depuis le 2024-12-12",
                    ),
                ),
                conditions=("The same panel was used at every visit.",),
                conditions_fr=("Le même panel a servi à chaque visite.",),
            ),
        ),
        "flags": (
            flag(),
            flag(
                rule="21.repeat",
                action="REPEAT_SAMPLE",
                action_origin="mrdtrack",
                visit="P001-V7",
                confidence="estimate",
                because="The sample could not have seen 1e-3: it held too little DNA.",
                because_fr="Le prélèvement ne pouvait voir 1 pour 1000 : peu d'ADN.",
                would_change_if="the repeated sample reaches 1e-3.",
                would_change_if_fr="le nouveau prélèvement atteint 1 pour 1000.",
                call="",
                call_fr="",
            ),
        ),
        "unjudged": (
            Unjudged(
                rule="25.npm1.c2.pb",
                protocol="eln-aml-mrd-2025",
                visit="P001-V3",
                missing="an NPM1 transcript ratio in blood after cycle 2",
                missing_fr="un ratio de transcrit NPM1 dans le sang après le cycle 2",
            ),
        ),
        "schedule": (
            ScheduleItem(
                kind="confirmation_due",
                due="2026-01-06",
                specimen="bone_marrow",
                because="A relapse is confirmed by a second sample within 4 weeks.",
                because_fr="Une rechute se confirme sur un second prélèvement sous "
                "4 semaines.",
                rule="25.npm1.fu.bm",
            ),
        ),
        "treatments": (
            Treatment(
                start="2024-11-08",
                end="2024-11-15",
                name="7+3 + midostaurin",
                kind="induction",
            ),
            Treatment(
                start="2025-01-03", end="2025-03-10", name="HiDAC", kind="consolidation"
            ),
            Treatment(
                start="2025-01-15", end=None, name="midostaurin", kind="maintenance"
            ),
        ),
        "protocols": (
            ProtocolUsed(
                id="eln-aml-mrd-2025",
                version="1",
                title="ELN-DAVID AML MRD 2025",
                title_fr="ELN-DAVID LAM MRD 2025",
                digest="sha256:77aa12bc90",
            ),
        ),
        "notes": (
            ProtocolNote(
                rule="25.note",
                protocol="eln-aml-mrd-2025",
                visit=None,
                text="Relapse needs confirmation in a second sample.",
                text_fr="La rechute est à confirmer sur un second prélèvement.",
                citation=CITATION,
            ),
        ),
        "anchors": {"diagnosis": "2024-11-04", "treatment_start": "2024-11-08"},
        "software": Software(version="0.1.0"),
    }
    return Timeline(**(fields | given))
