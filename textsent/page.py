"""Pages of HTML that need nothing else: how their templates are filled, and how they are written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from textsent.display import printable, visible
from textsent.errors import OutputError
from textsent.sources import STANDARD_STREAM
from textsent.unfinished import UnfinishedOutput


def filled(template: str, **values: Any) -> str:
    """Return a template of `textsent/pages` with its values, which are text whatever they hold.

    Args:
        template: Its name.
        **values: What it asks for.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("textsent", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"visible": visible, "printable": printable, "share": share}
    return environment.get_template(template).render(values)


def share(part: float) -> str:
    """Return a share, 0 … 1, as per cent: without decimals, but near 0 and 100."""
    return f"{part:.1%}" if 0 < part < 0.01 or 0.99 < part < 1 else f"{part:.0%}"


def write_page(content: str, path: str | Path, overwrite: bool = False) -> None:
    """Write a page; until it is complete there is no file of that name, or the one that was there.

    Args:
        content: The page.
        path: Its file; `-` is standard output.
        overwrite: Replace a file of that name.

    Raises:
        OutputError: The file exists, or can't be written.
    """
    if str(path) == STANDARD_STREAM:
        sys.stdout.write(content)
        return
    check_page(path, overwrite)
    with UnfinishedOutput(path) as unfinished:
        try:
            unfinished.path.write_bytes(content.encode("utf-8", "replace"))
            unfinished.complete()
        except OSError as exc:
            raise OutputError(f"{path} can't be written: {exc.strerror or exc}") from exc


def check_page(path: str | Path, overwrite: bool = False) -> None:
    """Check that a page can be written, before it is made; see `write_page`."""
    if str(path) == STANDARD_STREAM:
        return
    try:
        exists, has_folder = Path(path).exists(), Path(path).absolute().parent.is_dir()
        is_special = exists and not Path(path).is_file()
    except (OSError, ValueError) as exc:
        raise OutputError(f"{path} can't be written: {getattr(exc, 'strerror', None) or exc}") from exc
    if is_special:
        raise OutputError(f"{path} is no regular file: choose another name, or - for standard output")
    if exists and not overwrite:
        raise OutputError(f"{path} exists already: choose another name, or replace it with --overwrite")
    if not has_folder:
        raise OutputError(f"{path} can't be written: there is no folder {Path(path).parent}")
