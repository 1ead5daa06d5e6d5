"""The report in a browser: Debian's Chromium, driven by Playwright; skipped where there is none."""

import shutil

import pytest
from test_report import HOSTILE, NO_MODEL, scored, weeks, write_weeks  # noqa: F401 - a fixture

from textsent.report import ReportOptions, write_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright isn't installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page_of(browser, tmp_path_factory):
    """Opens a report; no request may leave it, and nothing may be said on its console."""
    opened = []

    def open_page(source, options=NO_MODEL, **settings):
        path = tmp_path_factory.mktemp("page") / "report.html"
        write_report([source], path, options)
        page = browser.new_page(**settings)
        said, asked = [], []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.goto(path.as_uri())
        opened.append((page, said, asked, path))
        return page

    yield open_page
    for page, said, asked, path in opened:
        assert said == []
        assert {url.partition("#")[0] for url in asked} == {path.as_uri()}
        page.close()


@pytest.fixture
def page(page_of, weeks):  # noqa: F811
    return page_of(weeks, ReportOptions(model="none", by=("shop",)))


def found(page):
    return page.locator("#found").inner_text()


def wait_for_texts(page):
    """Wait until the page has gone to its texts, after a link was followed."""
    page.wait_for_function("document.activeElement.id === 'texts'")


def test_a_click_on_the_bad_week_shows_its_mails(page):
    page.locator('figure a[href="#from=2026-03-02&to=2026-03-08"]').first.click()
    wait_for_texts(page)
    assert found(page) == "60 of 1,200 texts here"
    assert page.locator("#list > li").count() == 40
    assert "broken" in page.locator("#list > li").first.inner_text()
    dates = page.locator("#list .from").all_inner_texts()
    assert all("2026-03-0" in date for date in dates)


def test_of_100_000_mails_the_bad_week_is_named_at_the_top_and_a_click_shows_some_of_its_mails(page_of, tmp_path):
    page = page_of(write_weeks(tmp_path / "many.parquet", 5000))
    assert "The week of 2 March 2026 is the worst of all" in page.locator("header").inner_text()
    page.locator('figure a[href="#from=2026-03-02&to=2026-03-08"]').first.click()
    wait_for_texts(page)
    assert 30 <= int(found(page).split()[0]) < 1500
    assert all("2026-03-0" in date for date in page.locator("#list .from").all_inner_texts())
    assert len(page.content()) < 5_000_000


def test_the_keyboard_reaches_a_bar_and_follows_it(page):
    bar = page.locator('figure a[href="#from=2026-03-02&to=2026-03-08"]').first
    bar.focus()
    page.keyboard.press("Enter")
    wait_for_texts(page)
    assert found(page).startswith("60 of ")


def test_words_dates_and_sentiment_filter_and_show_all_shows_all_again(page):
    page.fill("#words-of", "LAMP 1199")
    assert found(page) == "1 of 1,200 texts here"
    page.fill("#words-of", "")
    page.select_option("#sentiment", "0")
    assert found(page) == "264 of 1,200 texts here"
    page.fill("#from", "2026-03-02")
    page.fill("#to", "2026-03-08")
    assert found(page) == "36 of 1,200 texts here"
    page.get_by_role("button", name="Show all").click()
    page.wait_for_function("document.getElementById('found').textContent.startsWith('1,200')")


def test_a_group_leads_to_its_texts_and_says_whose_they_are(page):
    page.get_by_role("link", name="Oslo").click()
    wait_for_texts(page)
    assert found(page) == "400 of 1,200 texts here of shop “Oslo”"


def test_texts_are_ordered_as_asked_and_shown_bit_by_bit(page):
    page.select_option("#order", "old")
    assert "2026-01-05" in page.locator("#list .from").first.inner_text()
    page.get_by_role("button", name="Show more").click()
    assert page.locator("#list > li").count() == 80


def test_a_table_is_sorted_by_a_click_on_its_head_and_says_so(page):
    table = page.locator("table.sortable").nth(2)
    head = table.locator("thead th").nth(6)
    for order in ("descending", "ascending"):
        head.get_by_role("button").click()
        assert head.get_attribute("aria-sort") == order
        values = [float(text) for text in table.locator("tbody td:nth-child(7)").all_inner_texts()]
        assert values == sorted(values, reverse=order == "descending")


def test_texts_that_attack_are_shown_as_text(page_of, tmp_path):
    source = scored(
        tmp_path / "s.parquet", [*HOSTILE] * 2, [0.1, 0.9] * 7,
        **{"from": [f"{text[:60]} <a@b.org>" for text in [*HOSTILE] * 2]},
        subject=[text[:80] for text in HOSTILE] * 2,
        message_id=[f"<{number}>" for number in range(14)],
    )  # fmt: skip
    page = page_of(source)
    page.fill("#words-of", "alert(1)")
    assert "<script>alert(1)</script>" in page.locator("#list").inner_text()
    assert page.evaluate("document.images.length + document.querySelectorAll('iframe, object, embed').length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_the_page(page_of, weeks, scheme):  # noqa: F811
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe isn't installed").Axe()
    # Its script isn't the page's own, and axe may look at any page.
    page = page_of(weeks, ReportOptions(by=("shop",)), color_scheme=scheme, bypass_csp=True)
    assert [(found["id"], found["nodes"][0]["html"]) for found in axe.run(page).response["violations"]] == []


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_window(page_of, weeks, width, scheme):  # noqa: F811
    page = page_of(weeks, viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
