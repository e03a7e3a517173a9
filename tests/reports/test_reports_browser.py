"""The page in a real browser: silent, accessible, whole on paper."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from pypdf import PdfReader

from mrdtrack.commands.batch import carried_over
from mrdtrack.reports.batch_files import batch_files
from mrdtrack.reports.html import html
from mrdtrack.reports.timeline_files import compose
from mrdtrack.reports.words import LANGUAGES
from tests.reports.courses import SHAPES
from tests.reports.hostile import HOSTILE, hostile_timeline
from tests.reports.test_reports_batch import run
from tests.reports.timelines import timeline

pytestmark = pytest.mark.browser

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=QUIET)
        yield opened
        opened.close()


class Opened:
    """A page with all that it asked for and complained of."""

    def __init__(self, page: Page, path: Path) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        page.goto(path.as_uri())


def opened(browser: Browser, folder: Path, content: bytes, **options: Any) -> Opened:
    path = folder / "report.html"
    path.write_bytes(content)
    return Opened(browser.new_page(**options), path)


@pytest.mark.parametrize("audience", ["clinician", "patient"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("look", [(1280, "light"), (1280, "dark"), (390, "dark")])
def test_silent_and_accessible(
    browser: Browser, tmp_path: Path, audience: Any, language: Any, look: Any
) -> None:
    width, scheme = look
    made = opened(
        browser,
        tmp_path,
        html(compose(timeline(), language, audience)),
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
    )
    findings = Axe().run(made.page)
    assert findings.violations_count == 0, findings.generate_report()
    assert made.page.evaluate(
        "document.documentElement.scrollWidth <= window.innerWidth"
    )
    assert made.requests == [made.page.url]
    assert made.complaints == []
    made.page.close()


def check_quiet(made: Opened) -> None:
    findings = Axe().run(made.page)
    assert findings.violations_count == 0, findings.generate_report()
    assert made.page.evaluate(
        "document.documentElement.scrollWidth <= window.innerWidth"
    )
    clipped = made.page.evaluate(
        "[...document.querySelectorAll('.scroll')].filter(e =>"
        " e.scrollWidth > e.clientWidth + 1).map(e => e.getAttribute('aria-label'))"
    )
    assert clipped == []
    assert made.requests == [made.page.url]
    assert made.complaints == []
    made.page.close()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("look", [(1280, "light"), (390, "dark")])
@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_is_accessible_and_whole(
    browser: Browser, tmp_path: Path, name: str, language: Any, look: Any
) -> None:
    content = html(compose(SHAPES[name](), language, "clinician"))
    size = {"width": look[0], "height": 900}
    made = opened(browser, tmp_path, content, viewport=size, color_scheme=look[1])
    check_quiet(made)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("look", [(1280, "dark"), (390, "light")])
def test_the_run_s_page_is_accessible_and_whole(
    browser: Browser, tmp_path: Path, language: Any, look: Any
) -> None:
    results = run()
    files = batch_files("R1", results, carried_over(results), ("html",), language)
    size = {"width": look[0], "height": 900}
    content = files["R1.batch.html"]
    made = opened(browser, tmp_path, content, viewport=size, color_scheme=look[1])
    check_quiet(made)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_does_nothing(browser: Browser, tmp_path: Path, text: str) -> None:
    made = opened(
        browser,
        tmp_path,
        html(compose(hostile_timeline(text), "en", "clinician")),
        viewport={"width": 1280, "height": 900},
    )
    made.page.wait_for_timeout(50)
    assert made.requests == [made.page.url]
    assert made.complaints == []
    assert made.page.locator("script").count() == 0
    assert made.page.locator("h1").is_visible()
    assert made.page.evaluate(
        "document.documentElement.scrollWidth <= window.innerWidth"
    )
    made.page.close()


def test_points_speak_on_hover_and_focus(browser: Browser, tmp_path: Path) -> None:
    made = opened(
        browser,
        tmp_path,
        html(compose(timeline(), "en", "clinician")),
        viewport={"width": 1280, "height": 900},
    )
    point = made.page.locator(".wide .point").nth(5)
    assert not point.locator(".tip").is_visible()
    point.focus()
    assert point.locator(".tip").is_visible()
    assert "< 1.2" in (point.get_attribute("aria-label") or "").replace("\u202f", " ")
    other = made.page.locator(".wide .point").nth(2)
    other.locator("> circle").hover()
    assert other.locator(".tip").is_visible()
    made.page.keyboard.press("Tab")
    made.page.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_paper_clips_nothing(browser: Browser, tmp_path: Path, language: Any) -> None:
    made = opened(
        browser,
        tmp_path,
        html(compose(timeline(), language, "clinician")),
        viewport={"width": 703, "height": 1000},  # the width of A4 less its margins
    )
    made.page.emulate_media(media="print")
    too_wide = made.page.evaluate(
        "[...document.querySelectorAll('body *')].filter(e => !e.closest('svg') &&"
        " e.getBoundingClientRect().right > 704).map(e => e.outerHTML.slice(0, 99))"
    )
    skipped = [element for element in too_wide if 'class="skip"' not in element]
    assert skipped == []
    paper = made.page.pdf(prefer_css_page_size=True)
    pages = PdfReader(io.BytesIO(paper)).pages
    assert 3 <= len(pages) <= 6
    text = "".join("".join(page.extract_text().split()) for page in pages)
    last = {"en": "Change(log10)", "fr": "Variation(log10)"}[language]
    assert last in text
    assert {"en": f"page1of{len(pages)}", "fr": f"page1sur{len(pages)}"}[
        language
    ] in text
    made.page.close()
