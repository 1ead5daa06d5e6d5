"""The picture of a report in the README: python docs/screenshot.py. Needs playwright, and Chromium."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

import textsent
from textsent.report import write_report

ROOT = Path(__file__).parents[1]
WIDTH, HEIGHT = 960, 760  # pixels

with TemporaryDirectory() as folder, sync_playwright() as playwright:
    scored, page = Path(folder) / "scored.parquet", Path(folder) / "report.html"
    textsent.score_file(ROOT / "examples" / "inbox.mbox", scored, textsent.load())
    write_report([scored], page)
    browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
    tab = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    tab.goto(page.as_uri())
    tab.screenshot(path=ROOT / "docs" / "report.png")
    browser.close()
