"""What README.md and the pages show of textsent, made anew: python docs/outputs.py.

- In blocks called console, what each command after a `$` prints in a terminal; in a block without a name right
  below one called sh, what the last command of that prints. A last line `…` stands for all that would follow.
- In blocks called pycon, what Python prints.
- docs/report.png, with --picture: needs playwright, and Chromium.
"""

import argparse
import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

COLUMNS = 96
"""Of the terminal. It knows no colours, and can't move its cursor, so that nothing is printed and then replaced."""

PICTURE_SIZE = 960, 760  # pixels

REST = "…"

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_BELOW = re.compile(r"^```sh\n([^`]*)^```\n\n```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROGRESS = re.compile(r"^\d+%, .* left\n", re.MULTILINE)
_TIMES = re.compile(r"\d+\.\d s \([\d,]+ rows/s\)")


def blocks(page: str, language: str) -> list[str]:
    """Return what stands in a page's blocks of a language."""
    return [body for name, body in _BLOCK.findall(page) if name == language]


def remade(page: str) -> str:
    """Return a page with its outputs as they are now; times that differ stay as they were."""
    scope: dict[str, Any] = {}

    def block(found: re.Match[str]) -> str:
        language, body = found.groups()
        if language == "console":
            body = _session(body)
        elif language == "pycon":
            body = _dialogue(body, scope)
        return f"```{language}\n{body}```"

    def below(found: re.Match[str]) -> str:
        commands, output = found.groups()
        command = commands.splitlines()[-1].rpartition("&& ")[2]
        return f"```sh\n{commands}```\n\n```\n{_newer(output, in_terminal(command))}```"

    with _folder():
        return _BLOCK.sub(block, _BELOW.sub(below, page))


def _session(body: str) -> str:
    """Return the commands of a block, each with what it prints now."""
    parts = re.split(r"^(\$ .+\n)", body, flags=re.MULTILINE)[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return "".join(line + _newer(output, in_terminal(line.removeprefix("$ "))) for line, output in pairs)


def _newer(old: str, new: str) -> str:
    """Return `new`, no longer than `old` where that ends with REST, and `old`'s lines where only times differ."""
    before, now = old.splitlines(), new.rstrip("\n").splitlines()
    if before[-1:] == [REST]:
        now = [*now[: len(before) - 1], REST]
    known = {_TIMES.sub("", line): line for line in before}
    return "".join(known.get(_TIMES.sub("", line), line) + "\n" for line in now)


def in_terminal(command: str) -> str:
    """Return what a command prints in a terminal, without spaces at line ends and lines of progress."""
    import pty  # which Windows lacks

    end, terminal = pty.openpty()
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "PYTHONUTF8": "1",
        "TERM": "dumb",
        "COLUMNS": str(COLUMNS),
        "LINES": "50",
    }
    called = f'textsent() {{ {shlex.quote(sys.executable)} -m textsent "$@"; }}\n{command}'
    with subprocess.Popen(
        ["bash", "-c", called], stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal, env=environment
    ):
        os.close(terminal)
        printed = b"".join(_chunks(end))
    os.close(end)
    return _PROGRESS.sub("", "".join(line.rstrip() + "\n" for line in printed.decode().splitlines()))


def _chunks(file: int) -> Iterator[bytes]:
    try:
        while chunk := os.read(file, 1 << 16):
            yield chunk
    except OSError:  # so a terminal says on Linux that nobody writes to it any more
        return


def _dialogue(body: str, scope: dict[str, Any]) -> str:
    """Return the statements of a block, each with what Python prints now."""
    parts = []
    for part in doctest.DocTestParser().parse(body):
        if isinstance(part, str):
            parts.append(part)
            continue
        printed = StringIO()
        with redirect_stdout(printed):
            exec(compile(part.source, "<page>", "single"), scope)
        first, *others = part.source.splitlines()
        parts += [f">>> {first}\n", *(f"... {line}".rstrip() + "\n" for line in others), printed.getvalue()]
    return "".join(parts)


@contextmanager
def _folder() -> Iterator[None]:
    """Be in an empty folder that has examples/ in it, and what is in that."""
    with TemporaryDirectory() as name, chdir(name):
        for path in ((ROOT / "examples"), *(ROOT / "examples").iterdir()):
            Path(path.name).symlink_to(path)
        yield


def take_picture() -> None:
    """Write docs/report.png: the top of the report on the example mailbox."""
    from playwright.sync_api import sync_playwright

    import textsent
    from textsent.report import write_report

    with _folder(), sync_playwright() as playwright:
        scored, page = Path("scored.parquet"), Path("report.html")
        textsent.score_file("inbox.mbox", scored, textsent.load())
        write_report([scored], page)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        width, height = PICTURE_SIZE
        tab = browser.new_page(viewport={"width": width, "height": height})
        tab.goto(page.absolute().as_uri())
        tab.screenshot(path=ROOT / "docs" / "report.png")
        browser.close()


def main() -> None:
    """Write the pages anew."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--picture", action="store_true", help="take the picture of the report too")
    options = parser.parse_args()
    for path in PAGES:
        page = path.read_text("utf-8")
        path.write_text(remade(page), "utf-8")
    if options.picture:
        take_picture()


if __name__ == "__main__":
    main()
