"""Files of NLTK's data packages: those that are installed, or else downloaded with NLTK's own downloader."""

from __future__ import annotations

import io
import os
import sys
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from textsent.errors import InputError


def read_nltk_file(path: str, what: str, otherwise: str, index_url: str | None = None) -> bytes:
    """Return what is in a file of NLTK's data, whose package is downloaded where it isn't installed.

    A download goes into the first of the folders in NLTK_DATA and of NLTK's own that can be written to.

    Args:
        path: The file by NLTK's name for it, `corpora/stopwords/english` for instance; its second part is the
            package. The package may be installed as a zip or unpacked.
        what: What an error calls that which is in the file, in the plural: `NLTK's stop words`.
        otherwise: What an error gives as another way out: `name a file of words with --stopwords`.
        index_url: Where the downloader's list of packages is; None for NLTK's own.

    Raises:
        InputError: The file can't be had or read.
    """
    package = path.split("/")[1]
    # What NLTK has to say, it prints or warns of.
    with warnings.catch_warnings(record=True) as warned, redirect_stdout(io.StringIO()):
        warnings.simplefilter("always")
        try:
            installed = _installed(path)
        except (OSError, ValueError, BadZipFile) as exc:
            raise InputError(
                f"{what} are installed and can't be read: {_one_line(exc)}: get them anew with "
                f"`python -m nltk.downloader --force {package}`, or {otherwise}"
            ) from exc
        if installed is not None:
            return installed
        # Such as that others can write to a folder, which NLTK passes over for it.
        refused = [f": {_one_line(one.message)}" for one in warned if one.category is RuntimeWarning][:1]
        try:
            _download(package, index_url)
            installed = _installed(path)
            if installed is None:
                raise ValueError(f"what was downloaded has no {path}")
        # A list of packages that isn't as it should be: a TypeError where it lacks something, a ParseError where it
        # is no XML, as the page that a hotel's network answers with.
        except (OSError, ValueError, TypeError, ParseError, BadZipFile) as exc:
            raise InputError(
                f"{what} aren't installed{''.join(refused)} and can't be downloaded: {_one_line(exc)}: "
                f"run `python -m nltk.downloader {package}` on a machine with a network and name the folder that "
                f"it says in NLTK_DATA, or {otherwise}"
            ) from exc
        return installed


def installed_package(package: str) -> str | None:
    """Return where a package of NLTK's data is; None where it isn't installed. NLTK isn't imported.

    Args:
        package: By NLTK's name for it, `corpora/stopwords` for instance.
    """
    for folder in _folders():
        for name in (f"{package}.zip", package):
            if (found := folder / name).exists():
                return str(found)
    return None


def _folders() -> list[Path]:
    """Return the folders that `nltk.data.path` holds on a POSIX system, in its order."""
    named = [Path(folder) for folder in os.environ.get("NLTK_DATA", "").split(os.pathsep) if folder]
    own = [Path(sys.prefix, below, "nltk_data") for below in ("", "share", "lib")]
    return [
        *named,
        Path("~/nltk_data").expanduser(),
        *own,
        *(Path(below, "nltk_data") for below in _SYSTEM_FOLDERS),
    ]


_SYSTEM_FOLDERS = ("/usr/share", "/usr/local/share", "/usr/lib", "/usr/local/lib")


def _installed(path: str) -> bytes | None:
    """Return what is in a file of NLTK's data; None where it isn't installed."""
    import nltk

    try:
        pointer = nltk.data.find(path)
    except LookupError:
        return None
    with pointer.open() as file:
        return file.read()


def _download(package: str, index_url: str | None) -> None:
    """Download a package of NLTK's data.

    Raises:
        ValueError: It can't be downloaded; of some reasons NLTK raises another error.
    """
    from nltk.downloader import Downloader

    # Unless told otherwise, the downloader prints why it failed and returns False.
    downloader = Downloader(index_url)
    downloader.download(package, quiet=True, raise_on_error=True, print_error_to=io.StringIO())


def _one_line(said: Warning | Exception | str) -> str:
    return " ".join(str(said).split()).rstrip(".") or type(said).__name__
