import runpy
from pathlib import Path

import pytest
import typer.main

from textsent.cli import app

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def page():
    return runpy.run_path(str(DOCS / "manpage.py"))["manual_page"]()


def test_the_manual_page_is_that_of_the_command_line_as_it_is(page):
    assert (DOCS / "textsent.1").read_text("utf-8") == page, "make it anew with `make manual`"


def test_the_manual_page_names_every_option(page):
    for command in typer.main.get_command(app).commands.values():
        for parameter in command.params:
            for option in parameter.opts if parameter.param_type_name == "option" else ():
                assert option.replace("-", r"\-") in page


def test_no_line_of_the_manual_page_is_a_request_by_accident(page):
    known = (".TH ", ".SH ", ".TP", ".PP", ".B ", r".\" ")
    assert all(line.startswith(known) for line in page.splitlines() if line.startswith((".", "'")))
