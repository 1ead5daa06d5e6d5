"""The page of commands and options, from the command line's own definitions.

python docs/reference.py > docs/commands.md
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import typer.main
from manpage import ENVIRONMENT, EXIT_CODES

from textsent.cli import app

_DEFAULT = re.compile(r" \[default: \(?(.*?)\)?(?:; x>=\d+)?\]$")
_REST = re.compile(r" \[(?:x>=\d+(?:; )?)?(required)?\]$")


def reference_page() -> str:
    """Return the page."""
    group: Any = typer.main.get_command(app)
    context = group.make_context("textsent", [], resilient_parsing=True)
    lines = [
        "<!-- Made by docs/reference.py. -->",
        "",
        "# Commands and options",
        "",
        "What `textsent COMMAND --help` prints, of every command. Data goes to standard output, progress and",
        "messages to standard error. [The command line](command-line.md) says more.",
        "",
        *_items(
            ((f"[textsent {name}](#textsent-{name})", command.help) for name, command in group.commands.items())
        ),
        "",
        "Of `textsent` itself:",
        "",
        *_items(_options(group, context)),
    ]
    for name, command in group.commands.items():
        own = command.make_context(name, [], parent=context, resilient_parsing=True)
        example = command.epilog.removeprefix("Example:").strip()
        lines += ["", f"## textsent {name}", "", _plain(command.help), "", "```sh", example, "```", ""]
        lines += _items(_options(command, own))
    lines += ["", "## Exit codes", "", *_items((f"`{code}`", text) for code, text in EXIT_CODES.items())]
    lines += ["", "## Environment", "", *_items((f"`{name}`", text) for name, text in ENVIRONMENT.items())]
    return "\n".join(lines) + "\n"


def _options(command: Any, context: Any) -> Iterator[tuple[str, str]]:
    for parameter in command.get_params(context):
        if record := parameter.get_help_record(context):
            names, text = record
            yield f"`{names}`", text


def _items(entries: Iterable[tuple[str, str]]) -> list[str]:
    return [f"- {name}: {_plain(text)}" for name, text in entries]


def _plain(text: str) -> str:
    """Return a help text on one line, its default a sentence; nothing of it is markup but code in backticks."""
    line = re.sub(r"\s+", " ", text).strip()
    line = _DEFAULT.sub(r" Default: \1.", line)
    line = _REST.sub(lambda found: " Required." if found[1] else "", line)
    line = re.sub(r"(?<![\w`-])(--?(?:[a-z][a-z-]*)?)(?=[\s,;.]|$)", r"`\1`", line)
    return re.sub(r"([\\*<\[\]])", r"\\\1", line)


if __name__ == "__main__":
    print(reference_page(), end="")
