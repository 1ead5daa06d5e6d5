import doctest
import re
from pathlib import Path

import pytest
import typer.main

from textsent.cli import app

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
COMMANDS = typer.main.get_command(app).commands
OPTIONS = {
    name: {option for parameter in command.params for option in parameter.opts}
    for name, command in COMMANDS.items()
}


def shell_lines():
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if "textsent " in line]


@pytest.mark.parametrize("line", shell_lines())
def test_a_command_of_the_readme_names_only_options_that_exist(line):
    for name, arguments in re.findall(r"textsent (\w+)([^|#&]*)", line):
        used = set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", arguments))
        assert used <= OPTIONS[name]


def test_the_readme_names_every_command():
    assert all(f"textsent {name}" in README for name in COMMANDS)


def test_the_readme_s_python_prints_what_it_says():
    (block,) = re.findall(r"```pycon\n(.*?)```", README, re.DOTALL)
    example = doctest.DocTestParser().get_doctest(block, {}, "README.md", "README.md", 0)
    assert doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example).failed == 0
