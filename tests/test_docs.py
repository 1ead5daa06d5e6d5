import re
import runpy
import sys
from pathlib import Path

import pytest
import typer.main

import textsent
from textsent import errors
from textsent.cli import app
from textsent.recipes import RECIPES
from textsent.schema import ADVICE, MAIL_SCHEMA, NO_TEXT

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
MAIL = (ROOT / "docs" / "mail.md").read_text("utf-8")
TRAINING = (ROOT / "docs" / "training.md").read_text("utf-8")
EXPLAINING = (ROOT / "docs" / "explaining.md").read_text("utf-8")
SCORES = (ROOT / "docs" / "scores.md").read_text("utf-8")
API = (ROOT / "docs" / "api.md").read_text("utf-8")
FILES = (ROOT / "docs" / "files.md").read_text("utf-8")
OUTPUTS = runpy.run_path(str(ROOT / "docs" / "outputs.py"))
PAGES = [path.read_text("utf-8") for path in sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = typer.main.get_command(app).commands
OPTIONS = {
    name: {option for parameter in command.params for option in parameter.opts}
    for name, command in COMMANDS.items()
}


def test_every_option_that_the_text_names_exists():
    named = set(re.findall(r"`(--[a-z][a-z-]+)", README + "".join(PAGES)))
    of_all = {"--help", "--only", "--version", "--install-completion", "--show-completion"}
    assert named <= set.union(*OPTIONS.values(), of_all)


def test_every_picture_and_page_that_is_linked_is_there():
    pages = ((ROOT, README), *((ROOT / "docs", page) for page in PAGES))
    for folder, text in pages:
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (folder / target).exists(), target


@pytest.mark.parametrize("option", ["--keep-quotes", "--keep-signatures", "--with-subject", "--max-message-mb"])
def test_every_option_about_mail_is_explained(option):
    assert f"`{option}`" in MAIL


@pytest.mark.parametrize(
    "option", ["--encoding", "--delimiter", "--no-header", "--infer-types", "--on-error", "--max-errors"]
)
def test_every_option_about_tables_and_texts_is_explained(option):
    assert f"`{option}" in FILES


def test_every_problem_of_a_row_is_explained():
    assert all(f"`{problem}" in FILES for problem in ADVICE)


def test_every_column_and_flag_of_a_mail_is_explained():
    for name in (*MAIL_SCHEMA.names, *NO_TEXT, "deleted", "recovered", "quotes_kept"):
        assert f"`{name}`" in MAIL
    for reason in NO_TEXT.values():
        assert f"`{reason}`" in SCORES


def test_the_table_of_recipes_names_each_of_them():
    assert all(f"`{name}`" in TRAINING for name in RECIPES)


def test_every_option_of_train_and_describe_is_explained_or_common():
    common = {
        "--epochs",
        "--batch-size",
        "--patience",
        "--text-column",
        "--quiet",
        "-q",
        "-o",
        "--window",
        "--part",
    }
    undocumented = (OPTIONS["train"] | OPTIONS["describe"]) - common - {"--help", "--no-pictures", "--output"}
    assert {option for option in undocumented if option not in TRAINING} == set()


def test_the_readme_names_every_command():
    assert all(f"textsent {name}" in README for name in COMMANDS)


def test_every_option_of_explain_is_explained_or_common():
    common = {"--model", "-m", "--device", "--trust-recipe", "--help", "text"}
    assert {option for option in OPTIONS["explain"] - common if f"`{option}`" not in EXPLAINING} == set()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
@pytest.mark.parametrize("path", OUTPUTS["PAGES"], ids=lambda path: path.name)
def test_the_outputs_of_a_page_are_those_of_its_commands_and_of_its_python(path):
    page = path.read_text("utf-8")
    assert OUTPUTS["remade"](page) == page, "make it anew with `make outputs`"


def test_an_output_that_is_not_what_is_printed_is_replaced_times_and_the_rest_of_a_long_one_aside():
    page = (
        "```console\n$ echo 3 rows in 0.1 s '(40 rows/s)'; echo b; echo c\n3 rows in 9.9 s (1 rows/s)\na\n…\n```\n"
    )
    page += "```pycon\n>>> for letter in 'xy':\n...     letter\n'z'\n\n```\n"
    assert OUTPUTS["remade"](page) == page.replace("a\n…", "b\n…").replace("'z'", "'x'\n'y'")


def test_the_reference_names_every_public_name_and_every_error():
    for name in {*textsent.__all__, "TextsentClassifier"}:
        assert f"textsent.{name}" in API
    assert all(error in API for error in vars(errors) if error.endswith("Error"))


def test_the_page_of_commands_is_that_of_the_command_line_as_it_is(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    page = runpy.run_path(str(ROOT / "docs" / "reference.py"))["reference_page"]()
    assert (ROOT / "docs" / "commands.md").read_text("utf-8") == page, "make it anew with `make manual`"
