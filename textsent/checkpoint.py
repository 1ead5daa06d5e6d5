"""What an unfinished training leaves on disk, so that it can go on where it stopped.

A training folder stands beside the model that it makes and is removed when that is complete. All that is in it is
data: JSON, text and NumPy's arrays, read without pickle. Checkpoints are replaced as a whole or not at all; until
the first one is written nothing else in the folder counts.
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from errno import EEXIST
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile

import numpy as np

from textsent.atomic import PRIVATE_FOLDER
from textsent.errors import InputError, OptionError, OutputError
from textsent.presets import read_json
from textsent.unfinished import differences

_RUN_FILE = "run.json"
_CHECKPOINT_FILE = "checkpoint.npz"
_BEST_FILES = "best-{}.npz"
_STATE = "state"

_DAMAGED = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    RuntimeError,
    AttributeError,
    BadZipFile,
    zlib.error,
)
"""What comes of reading a file of arrays that isn't as it was written."""

_Array = np.ndarray[Any, np.dtype[Any]]


class TrainingFolder:
    """The folder of an unfinished training.

    Attributes:
        path: The folder: the model's name and `.training`.
    """

    def __init__(self, output: Path) -> None:
        """Name the folder beside the model that will be written to `output`.

        Raises:
            OutputError: It has no name.
        """
        if not output.resolve().name:
            raise OutputError(f"{output} can't be written: name a folder in it")
        self.path = output.resolve().with_name(f"{output.resolve().name}.training")

    @property
    def exists(self) -> bool:
        """Whether there is an unfinished training."""
        return (self.path / _RUN_FILE).is_file()

    def begin(self, run: dict[str, Any]) -> None:
        """Make the folder, empty but for what the training depends on.

        Args:
            run: Options and data by name, for `check_same`.

        Raises:
            OutputError: The folder can't be made.
        """
        beginning = self.path.with_name(f"{self.path.name}.partial")  # so that there is none without its file
        try:
            if self.path.exists():
                raise FileExistsError(EEXIST, os.strerror(EEXIST))
            shutil.rmtree(beginning, ignore_errors=True)
            beginning.mkdir(PRIVATE_FOLDER)
            (beginning / _RUN_FILE).write_text(json.dumps(run, indent=2), "utf-8")
            beginning.rename(self.path)
        except OSError as exc:
            raise OutputError(f"{self.path} can't be written: {exc.strerror}") from exc

    def check_same(self, run: dict[str, Any]) -> None:
        """Check that the unfinished training depends on the same as this one.

        Raises:
            OptionError: An option or the data are others; the message says which.
            PresetError: The folder is damaged.
        """
        before = read_json(self.path / _RUN_FILE)
        if changed := differences(before, json.loads(json.dumps(run))):
            raise OptionError(
                f"the training in {self.path} can't go on, it began otherwise: {changed}: "
                "give what it began with, or begin anew with --overwrite"
            )

    def save(self, model: Any, state: dict[str, Any], arrays: dict[str, _Array]) -> None:
        """Write a checkpoint in place of the last one.

        Args:
            model: A compiled `keras.Model` whose optimizer is built.
            state: Where the training is; anything that JSON can hold.
            arrays: What else it depends on.
        """
        with self._replaced(_CHECKPOINT_FILE) as file:
            encoded = np.frombuffer(json.dumps(state).encode(), np.uint8)
            np.savez(file, **{_STATE: encoded}, **arrays, **_by_number(_variables(model)))  # type: ignore[arg-type]

    def load(self, model: Any, arrays: dict[str, _Array]) -> dict[str, Any]:
        """Give a model and arrays, in place, the values of the last checkpoint; return its state.

        Raises:
            InputError: The checkpoint is damaged, or of another model.
        """
        with self._saved(_CHECKPOINT_FILE) as saved:
            for name, array in arrays.items():
                if saved[name].shape != array.shape:
                    raise ValueError(f"{name} has the shape {saved[name].shape}, not {array.shape}")
                array[...] = saved[name]
            for name, variable in _by_number(_variables(model)).items():
                variable.assign(saved[name])
            return json.loads(saved[_STATE].tobytes())

    @property
    def has_checkpoint(self) -> bool:
        """Whether a checkpoint has been written."""
        return (self.path / _CHECKPOINT_FILE).is_file()

    def save_arrays(self, name: str, arrays: Mapping[str, _Array]) -> None:
        """Write arrays to a file of that name, which ends in .npz."""
        with self._replaced(name) as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]

    def load_arrays(self, name: str) -> dict[str, _Array] | None:
        """Return the arrays of a file that `save_arrays` wrote; None where there is none.

        Raises:
            InputError: The file is damaged.
        """
        if not (self.path / name).is_file():
            return None
        with self._saved(name) as saved:
            return {array: saved[array] for array in saved}

    def save_best(self, model: Any, epoch: int) -> None:
        """Write the weights of an epoch, the best so far; those of the one before it stay until the next one."""
        with self._replaced(_BEST_FILES.format(epoch)) as file:
            np.savez(file, **_by_number(model.get_weights()))
        for older in sorted(self.path.glob(_BEST_FILES.format("*")), key=lambda path: path.stat().st_mtime)[:-2]:
            older.unlink()

    def load_best(self, model: Any, epoch: int) -> None:
        """Give a model the weights of an epoch, the best so far.

        Raises:
            InputError: The file is damaged, or of another model.
        """
        with self._saved(_BEST_FILES.format(epoch)) as saved:
            model.set_weights([saved[name] for name in _by_number(model.get_weights())])

    def remove(self) -> None:
        """Remove the folder and all that is in it, if it is one."""
        if self.exists:
            shutil.rmtree(self.path, ignore_errors=True)

    @contextmanager
    def _saved(self, name: str) -> Iterator[Mapping[str, _Array]]:
        """Give the arrays in a file; an error while they are used says that the file is damaged."""
        try:
            with (self.path / name).open("rb") as file, np.load(file, allow_pickle=False) as saved:
                yield saved
        except _DAMAGED as exc:
            reason = " ".join(str(exc).split()) or type(exc).__name__
            raise InputError(f"{self.path / name} can't be read: {reason}: begin anew with --overwrite") from exc

    @contextmanager
    def _replaced(self, name: str) -> Iterator[IO[bytes]]:
        """Give a file to write, which takes its name when it is complete and on the disk."""
        partial = self.path / f"{name}.partial"
        try:
            with partial.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.path / name)
        except OSError as exc:
            raise OutputError(f"{self.path / name} can't be written: {exc.strerror}") from exc


def _variables(model: Any) -> list[Any]:
    """Return all that training changes: weights, the states of random generators, and the optimizer's."""
    return [*model.variables, *model.optimizer.variables]


def _by_number(values: list[Any]) -> dict[str, Any]:
    return {f"value_{number}": value for number, value in enumerate(values)}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say of what the system refuses to write that it can't be written.

    Raises:
        OutputError: It does.
    """
    try:
        yield
    except OSError as exc:
        raise OutputError(f"{path} can't be written: {exc.strerror or exc}") from exc
