"""Files are what the JSON Schemas of their models say.

That the schemas published in `docs/schemas` are those of the models is tested with the
documentation.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mrdtrack.follow_up.timeline import Timeline
from mrdtrack.levels.result import VisitResult
from mrdtrack.reports.result_files import result_files
from mrdtrack.reports.timeline_files import timeline_files
from tests.reports.builders import level, visit_result
from tests.reports.hostile import HOSTILE, hostile_timeline
from tests.reports.timelines import timeline


@pytest.mark.parametrize("call", ["quantified", "not_detected", "not_evaluable"])
def test_results(call: Any) -> None:
    check = Draft202012Validator(VisitResult.model_json_schema(by_alias=True))
    result = visit_result(level=level(call))
    check.validate(json.loads(result_files(result, None, None)["P001-V1.mrd.json"]))


def test_timelines() -> None:
    check = Draft202012Validator(Timeline.model_json_schema(by_alias=True))
    for made in (timeline(), *(hostile_timeline(text) for text in HOSTILE.values())):
        [content] = timeline_files(made, ("json",)).values()
        check.validate(json.loads(content))
