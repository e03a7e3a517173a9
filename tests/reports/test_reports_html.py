"""The page: no script, nothing fetched, hostile text inert, small, quick, stable."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser
from typing import Any

import pytest

from mrdtrack.follow_up.timeline import Kinetics, Timeline, Treatment
from mrdtrack.reports.chart_geometry import chart_metric, geometry
from mrdtrack.reports.html import html
from mrdtrack.reports.timeline_files import compose, timeline_files
from mrdtrack.reports.timeline_view import timeline_view
from mrdtrack.reports.view import Figure
from mrdtrack.reports.words import LANGUAGES, words
from tests.reports.builders import all_markers
from tests.reports.hostile import HOSTILE, hostile_timeline
from tests.reports.timelines import (
    insufficient,
    negative,
    not_evaluable,
    rt_qpcr,
    timeline,
    visit,
)

EN = words("en")


class Page(HTMLParser):
    """Gathers the elements and attributes of a page."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def twenty_visits() -> Timeline:
    """Make a long course in two tissues, with the markers at each visit."""
    visits = []
    for month in range(20):
        day = f"{2024 + month // 12}-{month % 12 + 1:02d}-15"
        specimen = ("bone_marrow", "peripheral_blood")[month % 2]
        markers = tuple(all_markers())
        if month % 3:
            made = visit(f"V{month}", day, specimen=specimen, markers=markers)
        else:
            made = negative(f"V{month}", day, specimen=specimen, markers=markers)
        visits.append(made)
    return timeline(visits=tuple(visits))


def test_page_fetches_and_runs_nothing() -> None:
    content = html(timeline_view(timeline(), EN))
    page = Page(content)
    policy = dict(page.attributes)["content"]
    assert "Content-Security-Policy" in content.decode()
    assert "script" not in page.elements
    assert "link" not in page.elements
    assert "img" not in page.elements
    assert not [name for name, _value in page.attributes if name.startswith("on")]
    assert policy
    for name, value in page.attributes:
        if name in {"src", "href"}:
            assert value.startswith(("#", "https://doi.org/"))
    assert "url(" not in content.decode()
    assert "@import" not in content.decode()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_changes_no_element(text: str, language: Any) -> None:
    plain = Page(html(compose(hostile_timeline("plain"), language, "clinician")))
    content = html(compose(hostile_timeline(text), language, "clinician"))
    page = Page(content)
    assert page.elements.count("script") == 0
    assert set(page.elements) <= set(plain.elements)
    assert not [name for name, _value in page.attributes if name.startswith("on")]
    assert len(content) < 150_000
    shown = content.decode()
    assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e\u2066-\u2069]", shown)
    assert "49" not in re.findall(r"<title>.*?</title>", shown)[0]


def test_twenty_visits_are_small_and_quick() -> None:
    made = twenty_visits()
    timeline_files(timeline())
    before = time.process_time()
    files = timeline_files(made, ("html",))
    assert time.process_time() - before < 0.5
    assert len(files["P001.timeline.html"]) < 150_000


def test_equal_inputs_give_equal_bytes() -> None:
    assert timeline_files(timeline()) == timeline_files(timeline())


@pytest.mark.parametrize("language", LANGUAGES)
def test_exact_values_stand_behind_the_words(language: Any) -> None:
    content = html(compose(timeline(), language, "clinician")).decode()
    shown = dict(re.findall(r'<data value="([^"]+)">([^<]+)</data>', content))
    point = "," if language == "fr" else "."
    assert shown["0.00231"] == f"2{point}3\u00d710⁻³"
    assert shown["0.44"] == f"4{point}4\u00d710⁻¹"


def test_running_line_is_quoted_for_the_stylesheet() -> None:
    made = timeline(patient='";} body { display: none } /*')
    content = html(timeline_view(made, EN)).decode()
    [running] = re.findall(r"@bottom-left \{ content: \"([^\"]*)\"; \}", content)
    assert re.fullmatch(r"(?:[A-Za-z0-9]|\\[0-9a-f]{6})*", running)
    assert "counter(page)" in content


# --- the drawing ----------------------------------------------------------------------


def drawing(made: Timeline) -> Figure:
    view = timeline_view(made, EN)
    [figure] = [
        block
        for section in view.sections
        for block in section.blocks
        if block.block == "figure"
    ]
    return figure


def test_line_breaks_where_a_visit_says_nothing() -> None:
    made = timeline(
        visits=(
            visit("A", "2025-01-01"),
            negative("B", "2025-02-01"),
            insufficient("C", "2025-03-01"),
            visit("D", "2025-04-01"),
            not_evaluable("E", "2025-05-01"),
            visit("F", "2025-06-01"),
            visit("G", "2025-07-01"),
        )
    )
    layout = geometry(made, "vaf_gdna", 960)
    assert [len(points) for _specimen, points in layout.lines] == [2, 2]
    shapes = [mark.shape for mark in layout.marks]
    assert shapes[:5] == [
        "detected",
        "not_detected",
        "insufficient",
        "detected",
        "not_evaluable",
    ]
    # not detected stands at its limit, which is where its tick is
    assert layout.marks[1].y == layout.marks[1].lod
    assert layout.marks[4].y > layout.bottom
    assert layout.marks[4].lod is None


def test_heights_follow_the_logarithm() -> None:
    made = timeline(
        visits=(
            visit("A", "2025-01-01", value=1e-1, low=1e-2, high=1.0),
            visit("B", "2025-02-01", value=1e-3, low=1e-4, high=1e-2, lod95=None),
        ),
        kinetics=(),
    )
    layout = geometry(made, "vaf_gdna", 960)
    heights = {exponent: y for y, exponent in layout.decades}
    assert layout.marks[0].y == heights[-1]
    assert layout.marks[0].low == heights[-2]
    assert layout.marks[1].high == heights[-2]
    assert layout.thresholds == ()
    assert all(layout.left < mark.x < layout.right for mark in layout.marks)


def test_threshold_is_drawn_on_its_own_metric_only() -> None:
    def course(metric: str) -> Kinetics:
        return Kinetics(
            specimen="bone_marrow",
            metric=metric,
            baseline_sample=None,
            nadir_sample=None,
            doubling_time_days=None,
            threshold=0.02,
        )

    own = geometry(timeline(kinetics=(course("vaf_gdna"),)), "vaf_gdna", 960)
    other = geometry(timeline(kinetics=(course("is_pct"),)), "vaf_gdna", 960)
    assert [line.value for line in own.thresholds] == [0.02]
    assert other.thresholds == ()


def test_treatments_never_overlap() -> None:
    treatments = tuple(
        Treatment(start=start, end=end, name=name, kind=kind)
        for start, end, name, kind in (
            ("2025-01-01", "2025-06-01", "long one", "induction"),
            (
                "2025-02-01",
                "2025-02-03",
                "a label that is so much longer than its bar",
                "x",
            ),
            ("2025-06-20", None, "transplant near the end", "transplant"),
            ("2020-01-01", "2020-02-01", "before", "x"),
            ("2030-01-01", None, "after", "x"),
            ("2025-03-01", None, "open", "x"),
        )
    )
    made = timeline(
        visits=(visit("A", "2025-01-01"), visit("B", "2025-07-01")),
        treatments=treatments,
    )
    layout = geometry(made, "vaf_gdna", 960)
    assert len(layout.bars) == 4
    labels = {bar.name: bar.label for bar in layout.bars}
    assert labels["long one"] == "inside"
    assert labels["a label that is so much longer than…"] == "after"
    assert labels["transplant near the end"] == "before"
    assert len({bar.y for bar in layout.bars}) >= 3


def test_drawing_says_all_by_attributes() -> None:
    figure = drawing(timeline())
    for svg in (figure.wide, figure.narrow):
        assert "style=" not in svg
        assert "<style" not in svg
        assert svg.count('class="point"') == 11
        assert svg.count('tabindex="0"') == 11
        assert svg.count('visibility="hidden"') == 11
    assert 'id="wide-title"' in figure.wide
    assert 'id="narrow-title"' in figure.narrow
    assert "&lt; " not in figure.wide.replace("\u202f", " ").split("point")[0]


def test_single_visit_other_tissue_and_other_method_on_the_axis() -> None:
    external = rt_qpcr("2025-01-01", 0.01, None).model_copy(
        update={"metric": "vaf_gdna", "specimen": None}
    )
    made = timeline(
        visits=(visit("A", "2025-01-01", specimen="other"), external), treatments=()
    )
    figure = drawing(made)
    assert "other method" in figure.wide
    assert "other specimen" in figure.wide
    assert "specimen not stated" in figure.wide


def test_no_drawing_without_own_results() -> None:
    made = timeline(visits=(rt_qpcr("2025-01-01", 0.01, "quantified"),))
    assert chart_metric(made) is None
    assert "<svg" not in html(timeline_view(made, EN)).decode()


def test_unseen_levels_leave_a_scale() -> None:
    made = timeline(visits=(not_evaluable("A", "2025-01-01"),), kinetics=())
    layout = geometry(made, "vaf_gdna", 960)
    assert [exponent for _y, exponent in layout.decades] == [-5, -4, -3, -2, -1, 0]
