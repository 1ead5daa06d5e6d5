"""The documentation as a site, as `make docs` builds it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import textsent

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The site's pages by name."""
    for package in ("sphinx", "myst_parser", "furo", "sklearn"):
        pytest.importorskip(package)
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "sphinx",
            "-W",
            "--keep-going",
            "-q",
            "-d",
            folder / "trees",
            ROOT / "docs",
            folder / "site",
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return {path.stem: path.read_text("utf-8") for path in (folder / "site").glob("*.html")}


def test_every_page_is_in_the_navigation(pages):
    for path in (ROOT / "docs").glob("*.md"):
        assert f'href="{path.stem}.html"' in pages["search"] or path.stem == "index"


def test_no_page_asks_another_site_for_anything(pages):
    for page in pages.values():
        loaded = re.findall(r'<(?:script|img|iframe|source)\b[^>]*\bsrc="([^"]*)|<link\b[^>]*\bhref="([^"]*)', page)
        assert loaded
        assert not [address for found in loaded for address in found if "//" in address]


def test_every_public_name_has_an_entry(pages):
    for name in set(textsent.__all__) - {"__version__"} | {"TextsentClassifier"}:
        assert f'id="textsent.{name}"' in pages["api"]


def test_a_file_that_a_page_links_to_is_copied_into_the_site(pages):
    for name in ("inbox.mbox", "README.md"):
        assert re.search(rf'href="_downloads/\w+/{re.escape(name)}"', pages["tutorial"])
