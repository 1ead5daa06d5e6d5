"""The report in a browser: Debian's Chromium, driven by Playwright; skipped where there is none."""

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from test_report import HOSTILE, NO_MODEL, scored, weeks  # noqa: F401 - a fixture

from textsent.files import score_file
from textsent.report import ReportOptions, write_report
from textsent.score import load

EXAMPLES = Path(__file__).parents[1] / "examples"

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
    page.locator("#texts:focus").wait_for()


def test_a_click_on_the_bad_week_shows_its_mails(page):
    page.locator('figure a[href="#from=2026-03-02&to=2026-03-08"]').first.click()
    wait_for_texts(page)
    assert found(page) == "60 of 1,200 texts here"
    assert page.locator("#list > li").count() == 40
    assert "broken" in page.locator("#list > li").first.inner_text()
    dates = page.locator("#list .from").all_inner_texts()
    assert all("2026-03-0" in date for date in dates)


BAD = (
    "The lamp came broken, and nobody answers. Terrible service.",
    "What a waste of money, this is awful.",
    "I am very disappointed, it stopped working again.",
)
GOOD = (
    "Thank you, the lamp is wonderful!",
    "I love it, the light is lovely.",
    "Everything works perfectly, thanks a lot.",
)


def write_mailbox(path, mails):
    """Write a mailbox of twenty weeks of so many mails, one in five of them bad, in the ninth three in five."""
    start = datetime(2026, 1, 5, 9, tzinfo=UTC)
    with path.open("w", encoding="ascii") as file:
        for number in range(20 * mails):
            week, place = divmod(number, mails)
            sent = start + timedelta(weeks=week, hours=150 * place / mails)
            file.write(
                f"From p{number % 97}@example.org {sent.ctime()}\n"
                f"From: Person {number % 97} <p{number % 97}@example.org>\n"
                f"Date: {sent:%a, %d %b %Y %H:%M:%S} +0000\n"
                f"Message-ID: <{number}@example.org>\n"
                f"Subject: lamp {week}.{place}\n\n"
                f"{(BAD if place % 5 < (3 if week == 8 else 1) else GOOD)[number % 3]}\n\n"
            )
    return path


def test_of_a_mailbox_of_100_000_mails_the_bad_week_is_named_at_the_top_and_a_click_shows_its_mails(
    page_of, tmp_path
):
    # Six texts, so that little is left to predict: what is tested is the way from a mailbox to the page.
    summary = score_file(
        write_mailbox(tmp_path / "box.mbox", 5000), tmp_path / "scored.parquet", load(device="cpu")
    )
    assert (summary.rows, summary.sentiments["negative"]) == (100_000, 22_000)
    page = page_of(tmp_path / "scored.parquet")
    told = page.locator("header .headline p").all_inner_texts()
    assert told[1] == (
        "The week of 2 March 2026 is the worst of all: 60% of its 5,000 texts are negative, 20% in the other weeks."
    )
    page.locator('figure a[href="#from=2026-03-02&to=2026-03-08"]').first.click()
    wait_for_texts(page)
    assert 30 <= int(found(page).split()[0]) < 1500
    shown = page.locator("#list > li").all_inner_texts()
    assert all(re.search(r"lamp 8\.\d+ .* 2026-03-0[2-8] ", mail, re.DOTALL) for mail in shown)
    assert any(text in shown[0] for text in BAD)
    assert len(page.content()) < 5_000_000


def test_the_report_of_the_example_inbox_shows_its_mails(page_of, tmp_path):
    score_file(EXAMPLES / "inbox.mbox", tmp_path / "scored.parquet", load(device="cpu"))
    page = page_of(tmp_path / "scored.parquet", ReportOptions())
    assert (
        page.locator("header .headline p")
        .first.inner_text()
        .startswith("34% of 61 texts with a score are negative")
    )
    assert page.locator("blockquote mark").count() > 20
    assert found(page) == "61 of 61 texts here"
    page.locator('figure a[href="#from=2026-02-09&to=2026-02-15"]').first.click()
    wait_for_texts(page)
    assert found(page) == "8 of 61 texts here"
    dates = page.locator("#list .from").all_inner_texts()
    assert all(re.search(r" 2026-02-(09|1[0-5]) ", date) for date in dates)


def test_links_lead_to_the_parts_of_the_page(page):
    links = page.locator("nav a")
    for place in range(links.count()):
        target = links.nth(place).get_attribute("href")
        assert page.locator(target).count() == 1, target
    assert links.all_inner_texts()[:3] == ["Over time", "Scores", "By shop"]


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
    page.locator("#found", has_text=re.compile("^1,200")).wait_for()


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
    page = page_of(source, viewport={"width": 400, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
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
