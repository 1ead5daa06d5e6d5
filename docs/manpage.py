"""The manual page, from the command line's own definitions: python docs/manpage.py > docs/textsent.1.

The format is that of man(7).
"""

import re
from collections.abc import Iterator
from typing import Any

import typer.main

from textsent import __version__
from textsent.cli import app

EXIT_CODES = {
    "0": "Done.",
    "1": "An error, which one line on standard error tells.",
    "2": "The command line is wrong.",
    "130": "Interrupted by Ctrl-C.",
}
ENVIRONMENT = {
    "KERAS_BACKEND": "What Keras trains on, and scores on with a GPU: tensorflow, jax or torch.",
    "NLTK_DATA": "Folders in which NLTK's stop words and lexicons are looked for.",
    "NO_COLOR": "Set to anything, it leaves colours out.",
}


def manual_page() -> str:
    """Return the page."""
    group: Any = typer.main.get_command(app)
    context = group.make_context("textsent", [], resilient_parsing=True)
    lines = [
        r".\" Made by docs/manpage.py.",
        f'.TH TEXTSENT 1 "" "textsent {__version__}" "User Commands"',
        ".SH NAME",
        r"textsent \- " + _plain(group.help).rstrip(".").lower(),
        ".SH SYNOPSIS",
        ".B textsent",
        r"[\fIoptions\fR] \fIcommand\fR [\fIarguments\fR]",
        ".SH DESCRIPTION",
        _plain(group.help),
        "Data goes to standard output, progress and messages to standard error. The commands are:",
        *(line for name, command in group.commands.items() for line in _item(rf"\fB{name}\fR", command.help)),
        ".SH OPTIONS",
        *_options(group, context),
    ]
    for name, command in group.commands.items():
        own = command.make_context(name, [], parent=context, resilient_parsing=True)
        usage = " ".join(command.collect_usage_pieces(own))
        lines += [
            f'.SH "TEXTSENT {name.upper()}"',
            rf"\fBtextsent {name}\fR {_plain(usage)}",
            ".PP",
            _plain(command.help),
            *_options(command, own),
            ".PP",
            "Example:",
            ".PP",
            rf"\fB{_plain(command.epilog.removeprefix('Example:'))}\fR",
        ]
    for title, entries in (("EXIT STATUS", EXIT_CODES), ("ENVIRONMENT", ENVIRONMENT)):
        lines += [
            f'.SH "{title}"',
            *(line for name, text in entries.items() for line in _item(rf"\fB{name}\fR", text)),
        ]
    return "\n".join(lines) + "\n"


def _options(command: Any, context: Any) -> Iterator[str]:
    for parameter in command.get_params(context):
        if record := parameter.get_help_record(context):
            names, text = record
            yield from _item(rf"\fB{_plain(names)}\fR", text)


def _item(name: str, text: str) -> tuple[str, str, str]:
    return ".TP", name, _plain(text)


def _plain(text: str) -> str:
    """Return text on one line, nothing of which is a request or an escape."""
    line = re.sub(r"\s+", " ", text).strip().replace("\\", r"\(rs").replace("-", r"\-").replace("'", r"\(aq")
    return rf"\&{line}" if line.startswith(".") else line


if __name__ == "__main__":
    print(manual_page(), end="")
