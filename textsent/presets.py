"""A preset: the folder that holds a trained model, and where such folders are."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from textsent.atomic import PRIVATE_FOLDER, take_name
from textsent.errors import OutputError, PresetError

CONFIG_FILE = "config.json"
IDS_KEY = "ids"
"""Key of the projection's metadata: the number of word ids, from 0 on."""

HISTORY_FILE = "history.json"
METADATA_FILE = "metadata.json"
README_FILE = "README.md"
PICTURES_FOLDER = "pictures"

GET_ANEW = "get the model's files anew"
"""What is to be done about a damaged one, or one that textsent didn't write."""
SETTINGS_FILE = "preprocessor.json"
VOCABULARY_FILE = "vocabulary.txt"
ONNX_FILE = "model.onnx"
PROJECTION_FILE = "projection.onnx"
WEIGHTS_FILE = "model.weights.h5"
COMMON_FILES = (CONFIG_FILE, METADATA_FILE, SETTINGS_FILE, VOCABULARY_FILE, WEIGHTS_FILE)
PROJECTED, WHOLE, NO_GRAPH = "projected", "whole", "none"
GRAPHS = {PROJECTED: (PROJECTION_FILE, ONNX_FILE), WHOLE: (ONNX_FILE,), NO_GRAPH: ()}
"""What `graph` may be in a preset's configuration, and the files that it means: the pooled LSTM as two graphs, as
it is where nothing is said; any other network as one; or none, where `textsent.export` lacks one of its layers."""

RECURRENT_KERNELS = "recurrent_kernels"
"""Name of what the network multiplies its states by, in `model.onnx`: shape (directions, units, 4 × units)."""

NGRAMS_FILE = "ngrams.npz"
NGRAMS = "ngrams"
"""Key of `config.json`: whether the preset has a table of n-grams beside its network."""

MOST_BYTES = {
    CONFIG_FILE: 1 << 24,
    SETTINGS_FILE: 1 << 24,
    METADATA_FILE: 1 << 24,
    HISTORY_FILE: 1 << 24,
    README_FILE: 1 << 24,
    VOCABULARY_FILE: 1 << 28,
    NGRAMS_FILE: 1 << 30,
    PROJECTION_FILE: 1 << 31,
    ONNX_FILE: 1 << 31,
    WEIGHTS_FILE: 1 << 33,
}
"""What a preset's files may have, a hundred times what those of large models do: a preset may come from anyone."""

PRESET_FILES = tuple(sorted(COMMON_FILES + GRAPHS[PROJECTED]))

CALIBRATION = "calibration"
"""Key of `config.json`: a `Calibration`; a preset without it is left as it is."""


@dataclass(frozen=True)
class Calibration:
    """What a preset makes of a text's log-odds: score = sigmoid(log-odds / temperature + bias).

    Attributes:
        temperature: 0.01 … 100; over 1 it moves scores towards 0.5, under 1 away from it.
        bias: Log-odds, -100 … 100; over 0 it makes all texts more positive.
        neutral: Scores from the first to the second value are called neutral; with None no score is.
    """

    temperature: float = 1.0
    bias: float = 0.0
    neutral: tuple[float, float] | None = None

    @classmethod
    def from_preset(cls, folder: Path) -> Self:
        """Return what a preset's configuration says; without an entry scores stay as the network gives them.

        Raises:
            PresetError: The entry makes no sense.
        """
        found = read_json(folder / CONFIG_FILE).get(CALIBRATION, {})
        known = {field.name for field in fields(cls)}
        if not isinstance(found, dict) or not found.keys() <= known:
            problem = f"calibration may hold {', '.join(sorted(known))}. Received: {found!r}"
            raise PresetError(f"{folder / CONFIG_FILE}: {problem}")
        for name, low, high in (("temperature", 0.01, 100), ("bias", -100, 100)):
            if name in found and not _is_number(found[name], low, high):
                problem = f"the calibration's {name} must be a number from {low} to {high}"
                raise PresetError(f"{folder / CONFIG_FILE}: {problem}. Received: {found[name]!r}")
        band = found.get("neutral")
        if band is not None:
            is_pair = isinstance(band, list) and len(band) == 2 and all(_is_number(end, 0, 1) for end in band)
            if not is_pair or band[0] > band[1]:
                problem = "the calibration's neutral band needs two numbers, 0 ≤ low ≤ high ≤ 1"
                raise PresetError(f"{folder / CONFIG_FILE}: {problem}. Received: {band!r}")
            found = {**found, "neutral": tuple(band)}
        return cls(**found)

    def to_json(self) -> dict[str, Any]:
        """Return what `config.json` holds of it."""
        band = {} if self.neutral is None else {"neutral": list(self.neutral)}
        return {"temperature": self.temperature, "bias": self.bias, **band}

    def then(self, temperature: float, bias: float) -> Calibration:
        """Return this and another temperature and bias after it, as one.

        The neutral band is moved along with the temperature, which so changes no verdict; a bias does.
        """
        band = self.neutral
        if band is not None:
            low, high = (_tempered(end, temperature) for end in band)
            band = low, high
        return Calibration(self.temperature * temperature, self.bias / temperature + bias, band)


NO_CALIBRATION = Calibration()


def _tempered(score: float, temperature: float) -> float:
    """Return what becomes of a score, 0 … 1, whose log-odds are divided by a temperature."""
    if score in (0, 1):
        return score
    odds = math.log(score) - math.log1p(-score)
    return (1 + math.tanh(odds / temperature / 2)) / 2


def find_preset(name: str | os.PathLike[str]) -> Path:
    """Return the folder of a preset.

    Args:
        name: A folder, or the name of one that is shipped, such as `imdb-lstm`.

    Raises:
        PresetError: There is neither.
    """
    path = Path(name)
    shipped = shipped_presets()
    if path.name == str(name) and str(name) in shipped:
        return shipped[str(name)]
    if path.is_dir():
        return path
    raise PresetError(
        f"there is no model {str(name)!r}: give a folder made by `textsent train`, "
        f"or a shipped one: {', '.join(shipped) or 'none'}"
    )


def shipped_presets() -> dict[str, Path]:
    """Return the folders of the presets that came with the package, by name."""
    package = Path(__file__).parent
    # A wheel has the presets inside the package; a source tree, also when installed editable, beside it.
    for folder in (package / "pretrained", package.parent / "pretrained"):
        if folder.is_dir():
            return {path.name: path for path in sorted(folder.iterdir()) if (path / CONFIG_FILE).is_file()}
    return {}


def check_preset(folder: Path) -> None:
    """Check that a preset's folder holds all its files, none too large, and none a link to elsewhere.

    Raises:
        PresetError: One is missing, too large or elsewhere, or `config.json` names a graph that there isn't.
    """
    for name, most in MOST_BYTES.items():
        _check_file(folder / name, most)
    files = preset_files(folder) if (folder / CONFIG_FILE).is_file() else PRESET_FILES
    missing = [name for name in files if not (folder / name).is_file()]
    if missing:
        raise PresetError(
            f"{folder} is not a complete preset, it lacks {', '.join(missing)}: "
            "train it again with `textsent train`, or use --model imdb-lstm"
        )


def _check_file(path: Path, most: int) -> None:
    """Check that a file of a preset, where there is one, is of a size that it may have, and in its folder."""
    try:
        size = path.stat().st_size
        # Some installers make the files of a package links to their store.
        if path.is_symlink() and not path.resolve().is_relative_to(path.parent.resolve()) and not _is_shipped(path):
            raise PresetError(f"{path} is a link out of the model's folder: copy the file that it leads to there")
        if not path.is_file():
            raise PresetError(f"{path} is no regular file: {GET_ANEW}")
    except FileNotFoundError:
        return
    except (OSError, RuntimeError) as exc:
        raise PresetError(f"{path} can't be read: {exc}: {GET_ANEW}") from exc
    if size > most:
        raise PresetError(f"{path} has {size:,} bytes, and {most:,} at most are read: {GET_ANEW}")


def _is_shipped(path: Path) -> bool:
    return any(path.parent.samefile(folder) for folder in shipped_presets().values())


def preset_files(folder: Path) -> tuple[str, ...]:
    """Return the names of the files that a preset must have by its configuration.

    Raises:
        PresetError: That names a graph that there isn't, or can't be read.
    """
    config = read_json(folder / CONFIG_FILE)
    graph = config.get("graph", PROJECTED)
    if not isinstance(graph, str) or graph not in GRAPHS:
        raise PresetError(f"{folder / CONFIG_FILE}: graph must be one of {', '.join(GRAPHS)}. Received: {graph!r}")
    return tuple(sorted((*COMMON_FILES, *GRAPHS[graph], *([NGRAMS_FILE] if config.get(NGRAMS) else []))))


def checksum(folder: Path) -> str:
    """Return the SHA-256, in hexadecimal, of a preset's files: of what its scores depend on."""
    total = hashlib.sha256()
    for name in preset_files(folder):
        content = (folder / name).read_bytes()
        total.update(f"{name} {len(content)}\n".encode())
        total.update(content)
    return total.hexdigest()


def is_outside(recipe: object) -> bool:
    """Return whether a recipe's name is an import path, so that its code isn't textsent's."""
    return isinstance(recipe, str) and ":" in recipe


@contextmanager
def new_preset(output: Path) -> Iterator[Path]:
    """Give a folder to fill, which takes its name when all went well; otherwise nothing of it is left.

    Args:
        output: The name; a folder of that name is replaced.

    Raises:
        OutputError: The system refuses to make or to fill it.
    """
    final = output.resolve()
    partial = final.with_name(f".{final.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(PRIVATE_FOLDER)
        try:
            yield partial
            if final.exists():
                old = final.with_name(f".{final.name}.{os.getpid()}.old")
                partial.chmod(final.stat().st_mode & 0o777)
                final.rename(old)
                partial.rename(final)
                shutil.rmtree(old, ignore_errors=True)
            else:
                take_name(partial, final)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as exc:
        raise OutputError(f"{output} can't be written: {exc.strerror or exc}") from exc


def read_json(path: Path) -> dict[str, Any]:
    """Return what a preset's JSON file holds.

    Raises:
        PresetError: The file can't be read or isn't a JSON object.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as exc:
        raise PresetError(f"{path} can't be read: {exc}: {GET_ANEW}") from exc
    except RecursionError as exc:
        raise PresetError(f"{path} can't be read: lists stand within lists, too deep: {GET_ANEW}") from exc
    if not isinstance(content, dict):
        raise PresetError(f"{path} must hold a JSON object: {GET_ANEW}. Received: {type(content).__name__}")
    return content


def _is_number(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high  # no NaN is


def write_json(path: Path, content: dict[str, Any] | list[dict[str, Any]]) -> None:
    """Write one of a preset's JSON files."""
    path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
