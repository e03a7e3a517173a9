"""Timelines whose every free text field holds something nasty."""

from __future__ import annotations

from typing import Any

from mrdtrack.follow_up.timeline import Timeline
from tests.reports.timelines import timeline

HOSTILE = {
    "script": '<script>alert(1)</script><img src=x onerror="alert(2)">',
    "attribute": '" onmouseover="alert(1)" x="',
    "end of style": "</style><svg onload=alert(1)>*/ } body{display:none}",
    "formula": '=HYPERLINK("http://example.org","x")',
    "command": "@SUM(1+1)*cmd|' /C calc'!A0",
    "lines": "one\r\ntwo\tthree\u2028four\x00\x1b[31mred",
    "right to left": "\u202eevil\u2066turned\u200f",
    "long": "x" * 10_000,
    "long words": "word " * 2_000,
    "template": "{{ 7*7 }} {% raw %} {patient} {0} %s #panic(1) \\u{41}",
    "typst": '#read("view.json") $x$ *bold* _under_ @label <tag> `raw`',
    "other scripts": "患者 مريض пациент 😀",
}
# Fields that hold codes, dates or numbers and not free text.
_CODES = {
    "schema",
    "date",
    "specimen",
    "source",
    "metric",
    "call",
    "role",
    "status",
    "action",
    "action_origin",
    "confidence",
    "kind",
    "due",
    "start",
    "end",
    "relation",
    "molecule_mode",
    "denominator_kind",
    "severity",
    "limited_by",
}


def hostile_timeline(text: str) -> Timeline:
    """Put the text into every free field of the timeline."""
    return Timeline.model_validate(
        _filled(timeline().model_dump(mode="json", by_alias=True), text, "")
    )


def _filled(value: Any, text: str, key: str) -> Any:
    if isinstance(value, dict):
        return {name: _filled(item, text, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, text, key) for item in value]
    free_kind = key == "kind" and value in {"induction", "consolidation", "maintenance"}
    if isinstance(value, str) and (key not in _CODES or free_kind):
        return text
    return value
