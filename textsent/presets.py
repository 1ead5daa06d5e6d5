"""A preset: the folder that holds a trained model, and where such folders are."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from textsent.errors import PresetError
from textsent.preprocess import SETTINGS_FILE, VOCABULARY_FILE

CONFIG_FILE = "config.json"
IDS_KEY = "ids"
"""Key of the projection's metadata: the number of word ids, from 0 on."""

HISTORY_FILE = "history.json"
METADATA_FILE = "metadata.json"
README_FILE = "README.md"
PICTURES_FOLDER = "pictures"
ONNX_FILE = "model.onnx"
PROJECTION_FILE = "projection.onnx"
WEIGHTS_FILE = "model.weights.h5"
COMMON_FILES = (CONFIG_FILE, METADATA_FILE, SETTINGS_FILE, VOCABULARY_FILE, WEIGHTS_FILE)
PROJECTED, WHOLE, NO_GRAPH = "projected", "whole", "none"
GRAPHS = {PROJECTED: (PROJECTION_FILE, ONNX_FILE), WHOLE: (ONNX_FILE,), NO_GRAPH: ()}
"""What `graph` may be in a preset's configuration, and the files that it means: the pooled LSTM as two graphs, as
it is where nothing is said; any other network as one; or none, where `textsent.export` lacks one of its layers."""

PRESET_FILES = tuple(sorted(COMMON_FILES + GRAPHS[PROJECTED]))


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
    """Check that a preset's folder holds all its files.

    Raises:
        PresetError: One is missing, or `config.json` names a graph that there isn't.
    """
    files = PRESET_FILES
    if (folder / CONFIG_FILE).is_file():
        graph = read_json(folder / CONFIG_FILE).get("graph", PROJECTED)
        if not isinstance(graph, str) or graph not in GRAPHS:
            raise PresetError(
                f"{folder / CONFIG_FILE}: graph must be one of {', '.join(GRAPHS)}. Received: {graph!r}"
            )
        files = tuple(sorted(COMMON_FILES + GRAPHS[graph]))
    missing = [name for name in files if not (folder / name).is_file()]
    if missing:
        raise PresetError(
            f"{folder} is not a complete preset, it lacks {', '.join(missing)}: "
            "train it again with `textsent train`, or use --model imdb-lstm"
        )


def is_outside(recipe: object) -> bool:
    """Return whether a recipe's name is an import path, so that its code isn't textsent's."""
    return isinstance(recipe, str) and ":" in recipe


def read_json(path: Path) -> dict[str, Any]:
    """Return what a preset's JSON file holds.

    Raises:
        PresetError: The file can't be read or isn't a JSON object.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as exc:
        raise PresetError(f"{path} can't be read: {exc}") from exc
    if not isinstance(content, dict):
        raise PresetError(f"{path} must hold a JSON object. Received: {type(content).__name__}")
    return content


def write_json(path: Path, content: dict[str, Any] | list[dict[str, Any]]) -> None:
    """Write one of a preset's JSON files."""
    path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
