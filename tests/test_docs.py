import ast
import doctest
import re
from pathlib import Path

import pytest
import typer.main
from small_trainings import Observer, labelled

from textsent.cli import app
from textsent.options import Options
from textsent.recipes import RECIPES
from textsent.schema import MAIL_SCHEMA, NO_TEXT
from textsent.score import load
from textsent.train import train

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
MAIL = (ROOT / "docs" / "mail.md").read_text("utf-8")
PERFORMANCE = (ROOT / "docs" / "performance.md").read_text("utf-8")
TRAINING = (ROOT / "docs" / "training.md").read_text("utf-8")
ADAPTING = (ROOT / "docs" / "adapting.md").read_text("utf-8")
EXPLAINING = (ROOT / "docs" / "explaining.md").read_text("utf-8")
MODEL = (ROOT / "docs" / "model.md").read_text("utf-8")
PANDAS = (ROOT / "docs" / "pandas.md").read_text("utf-8")
COMMAND_LINE = (ROOT / "docs" / "command-line.md").read_text("utf-8")
PAGES = [path.read_text("utf-8") for path in sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = typer.main.get_command(app).commands
OPTIONS = {
    name: {option for parameter in command.params for option in parameter.opts}
    for name, command in COMMANDS.items()
}


def shell_lines():
    blocks = re.findall(r"```sh\n(.*?)```", README + "".join(PAGES), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if "textsent " in line]


@pytest.mark.parametrize("line", shell_lines())
def test_a_command_of_the_documentation_names_only_options_that_exist(line):
    for name, arguments in re.findall(r"textsent (\w+)([^|#&]*)", line):
        used = set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", arguments))
        assert used <= OPTIONS[name]


def test_every_option_that_the_text_names_exists():
    named = set(re.findall(r"`(--[a-z][a-z-]+)", README + "".join(PAGES)))
    assert named <= set.union(*OPTIONS.values(), {"--help", "--only", "--version"})


def test_every_picture_and_page_that_is_linked_is_there():
    pages = ((ROOT, README), *((ROOT / "docs", page) for page in PAGES))
    for folder, text in pages:
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (folder / target).exists(), target


@pytest.mark.parametrize("option", ["--keep-quotes", "--keep-signatures", "--with-subject", "--max-message-mb"])
def test_every_option_about_mail_is_explained(option):
    assert f"`{option}`" in MAIL


def test_every_column_and_flag_of_a_mail_is_explained():
    for name in (*MAIL_SCHEMA.names, *NO_TEXT, "deleted", "recovered", "quotes_kept"):
        assert f"`{name}`" in MAIL
    for reason in NO_TEXT.values():
        assert f"`{reason}`" in README


def test_the_python_about_mail_prints_what_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mail.mbox").write_text("From ann Tue Feb  3 09:14:22 2026\nSubject: Timer\n\nIt works.\n")
    (block,) = re.findall(r"```python\n(.*?)```", MAIL, re.DOTALL)
    scope = {}
    exec(compile(block, "mail.md", "exec"), scope)
    assert capsys.readouterr().out == "Timer\n\nIt works.\n"
    called = [line.rpartition("  # ") for line in block.splitlines() if line.startswith("textsent.")]
    assert called
    for call, _, value in called:
        assert eval(call, scope) == ast.literal_eval(value)


def test_the_recipe_of_one_s_own_trains_and_scores_as_it_is_printed(tmp_path):
    (block,) = re.findall(r"```python\n(.*?)```", TRAINING, re.DOTALL)
    (tmp_path / "my_recipes.py").write_text(block)
    options = Options(recipe=f"{tmp_path / 'my_recipes.py'}:bag_of_words", epochs=1)
    train(labelled(200), tmp_path / "bag", options, Observer(), pictures=False)
    assert load(tmp_path / "bag", device="cpu").score(["great fine", "awful bad"]).shape == (2,)


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


def test_the_verdicts_of_the_documentation_are_the_model_s():
    from textsent.display import verdict_lines

    (block,) = re.findall(r"```\n((?:positive|negative).*?)```", COMMAND_LINE, re.DOTALL)
    texts = [line.split("  ", 2)[2] for line in block.splitlines()]
    scored = load(device="cpu").score_columns(texts)
    assert [line.plain for line in verdict_lines(texts, scored)] == block.splitlines()


def test_the_readme_names_every_command():
    assert all(f"textsent {name}" in README for name in COMMANDS)


@pytest.mark.parametrize(("name", "page"), [("README.md", README), ("pandas.md", PANDAS)])
def test_the_python_of_a_page_prints_what_it_says(name, page, monkeypatch):
    monkeypatch.chdir(ROOT / "examples")
    found = re.findall(r"```pycon\n(.*?)```", page, re.DOTALL)
    assert found
    assert "```python" not in page
    example = doctest.DocTestParser().get_doctest("\n".join(found), {}, name, name, 0)
    assert doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example).failed == 0


def test_every_option_of_explain_is_explained_or_common():
    common = {"--model", "-m", "--device", "--trust-recipe", "--help", "text"}
    assert {option for option in OPTIONS["explain"] - common if f"`{option}`" not in EXPLAINING} == set()


def test_the_python_about_explanations_runs(capsys):
    (block,) = re.findall(r"```python\n(.*?)```", EXPLAINING, re.DOTALL)
    exec(compile(block, "explaining.md", "exec"), {})
    assert "wonderful" in capsys.readouterr().out
