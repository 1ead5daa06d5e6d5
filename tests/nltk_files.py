"""NLTK's data in a private folder, and a server that NLTK's downloader gets it from."""

import functools
import hashlib
import http.server
import io
import threading
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

# Warnings of NLTK's own dependencies, on import.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import nltk

HOST = "http://nltk.invalid"
"""No such host can be: what is asked of it goes by the proxy, which is the test's server. NLTK refuses to ask this
machine itself."""

INDEX = f"{HOST}/index.xml"


def private_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the one folder in which NLTK looks for data from now on and into which it puts them; it is empty."""
    folder = tmp_path / "nltk_data"
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(nltk.data, "path", [str(folder)])
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NLTK_DATA", raising=False)
    return folder


def packed(files: Mapping[str, str | bytes]) -> bytes:
    """Return a package as NLTK's server has it: the bytes of a zip."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def install(folder: Path, package: str, content: bytes) -> None:
    """Put a package's zip where NLTK finds it; `package` is for instance corpora/stopwords."""
    path = folder / f"{package}.zip"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o600)


def install_lexicons(folder: Path, tones: Mapping[str, float]) -> None:
    """Put lexicons of these words, with their tone from -4 to 4, where NLTK finds them."""
    ratings = "".join(f"{word}\t{tone}\t0.5\t[1]\n" for word, tone in tones.items())
    install(folder, "sentiment/vader_lexicon", packed({"vader_lexicon/vader_lexicon.txt": ratings}))
    positive = "\n".join(word for word, tone in tones.items() if tone > 0)
    negative = "\n".join(word for word, tone in tones.items() if tone < 0)
    opinions = {"opinion_lexicon/positive-words.txt": positive, "opinion_lexicon/negative-words.txt": negative}
    install(folder, "corpora/opinion_lexicon", packed(opinions))


def go_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no request of NLTK's succeed."""
    _use_proxy(monkeypatch, 1)


def _use_proxy(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("NLTK_ALLOW_PROXIED_URLOPEN", "1")


class _Proxy(http.server.ThreadingHTTPServer):
    """Answers for each host from one folder."""

    def __init__(self, folder: Path) -> None:
        self.requests: list[str] = []
        super().__init__(("127.0.0.1", 0), functools.partial(_Handler, directory=folder))

    def handle_error(self, request, client_address):
        pass  # the client may hang up


class _Handler(http.server.SimpleHTTPRequestHandler):
    def translate_path(self, path):
        return super().translate_path(path.removeprefix(HOST))

    def log_message(self, format, *args):
        self.server.requests.append(self.path)


@contextmanager
def serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[str]]]:
    """Serve a package; what is given says which and returns the list of what was asked for."""
    folder = tmp_path / "served"
    folder.mkdir()
    with _Proxy(folder) as server:
        _use_proxy(monkeypatch, server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()

        def serve(files, content=None, package="corpora/stopwords", unzip=1, collections=""):
            """Tell of a zip with the files, and serve it or other content."""
            told = packed(files)
            subdir, name = package.split("/")
            (folder / f"{name}.zip").write_bytes(content or told)
            unzipped = sum(map(len, files.values()))
            (folder / "index.xml").write_text(
                f'<nltk_data><packages><package id="{name}" name="words" subdir="{subdir}" unzip="{unzip}" '
                f'url="{HOST}/{name}.zip" size="{len(told)}" unzipped_size="{unzipped}" '
                f'checksum="{hashlib.md5(told).hexdigest()}" sha256_checksum="{hashlib.sha256(told).hexdigest()}"/>'
                f"</packages><collections>{collections}</collections></nltk_data>"
            )
            return server.requests

        serve.folder = folder
        yield serve
        server.shutdown()
        thread.join()
