"""What is known of a model: its files, how it was made, and its model card."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textsent.errors import PresetError
from textsent.presets import (
    CONFIG_FILE,
    METADATA_FILE,
    README_FILE,
    SETTINGS_FILE,
    Calibration,
    check_preset,
    find_preset,
    read_json,
)


@dataclass(frozen=True)
class ModelInfo:
    """What a preset's folder tells of it.

    Attributes:
        name: The folder's name.
        folder: The preset.
        size: Bytes of its files, those of the folders in it left out.
        config: What `config.json` holds.
        preprocessor: What `preprocessor.json` holds.
        metadata: What `metadata.json` holds: how it was made.
        calibration: What becomes of its log-odds.
        card: Its `README.md`, Markdown; None where it has none.
    """

    name: str
    folder: Path
    size: int
    config: dict[str, Any]
    preprocessor: dict[str, Any]
    metadata: dict[str, Any]
    calibration: Calibration
    card: str | None

    def to_json(self) -> dict[str, Any]:
        """Return all but the card."""
        return {
            "name": self.name,
            "folder": str(self.folder),
            "bytes": self.size,
            "config": self.config,
            "preprocessor": self.preprocessor,
            "metadata": self.metadata,
        }

    def facts(self) -> dict[str, str]:
        """Return what is most asked for, by its name, in words."""
        config, made = self.config, self.metadata
        temperature, bias, band = self.calibration.temperature, self.calibration.bias, self.calibration.neutral
        facts = {
            "model": self.name,
            "folder": str(self.folder),
            "size": f"{self.size / 1e6:,.1f} MB",
            "recipe": str(config.get("recipe", "not told")),
            "vocabulary": f"{_number(config.get('vocabulary_size'))} words",
            "window": f"{_number(config.get('window'))} words",
            "calibration": f"temperature {temperature:g}, bias {bias:g}",
            "neutral": "no score" if band is None else f"scores from {band[0]:g} to {band[1]:g}",
        }
        if config.get("min_coverage"):
            facts["language"] = (
                f"a text has no score where less than {config['min_coverage']} of its words are known"
            )
        versions = made.get("versions")
        version = versions.get("textsent") if isinstance(versions, dict) else None
        if "created" in made:
            facts["made"] = f"{made['created']}" + (f", by textsent {version}" if version else "")
        if "command" in made:
            facts["by"] = str(made["command"])
        return facts


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "an unknown number of"


def model_info(name: str | os.PathLike[str]) -> ModelInfo:
    """Return what is known of a model.

    Args:
        name: A shipped preset's name, or a preset's folder.

    Raises:
        PresetError: There is no such preset, it is incomplete, or a file of it can't be read.
    """
    folder = find_preset(name)
    check_preset(folder)
    try:
        card = (folder / README_FILE).read_text("utf-8")
    except FileNotFoundError:
        card = None
    except (OSError, ValueError) as exc:
        raise PresetError(f"{folder / README_FILE} can't be read: {exc}") from exc
    return ModelInfo(
        name=folder.resolve().name,
        folder=folder,
        size=sum(path.stat().st_size for path in folder.iterdir() if path.is_file()),
        config=read_json(folder / CONFIG_FILE),
        preprocessor=read_json(folder / SETTINGS_FILE),
        metadata=read_json(folder / METADATA_FILE),
        calibration=Calibration.from_preset(folder),
        card=card,
    )
