"""An output in parts: a folder of files that are written one by one, in any order, by any number of machines.

Until all of it is there the folder holds `_unfinished`: in it `plan.json`, what the rows depend on, `run`, which
run is at it, and for each part that is done a report, written after it. At the end `_manifest.json` tells of all
parts, and `_SUCCESS` says that they are all there, as other programs expect it. Names that begin with `_` are
hidden from what reads such folders.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from textsent.errors import InputError, OptionError, OutputError
from textsent.record import Record
from textsent.record import verify as verify_file
from textsent.storage import (
    SUCCESS_FILE,
    UNFINISHED_FOLDER,
    Location,
    ask_each,
    is_url,
    reading,
    without_file_scheme,
    writing,
)
from textsent.unfinished import differences

MANIFEST_FILE = "_manifest.json"
_PLAN_FILE = "plan.json"
_RUN_FILE = "run"


@dataclass(frozen=True)
class Part:
    """A file of the folder, and the rows in it.

    Attributes:
        number: Its place among the parts, from 0 on.
        name: Where it is in the folder; empty where it would hold no rows, and isn't there.
        rows: Rows in it.
        left_out: Rows that were read for it and not written, since they have no score.
        sentiments: Rows by sentiment.
        errors: Rows without a score, by reason.
        flagged: Rows with a score and an error, by error.
        inputs: What was read for it, each with its rows.
        bounds: Of a span of a mailbox, bytes before its first message and before the first one after it.
        notes: What was decided by what an input looks like, as its encoding, in a sentence each.
        size: Bytes of the file.
        sha256: Its checksum, in hexadecimal.
    """

    number: int
    name: str = ""
    rows: int = 0
    left_out: int = 0
    sentiments: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    flagged: dict[str, int] = field(default_factory=dict)
    inputs: list[tuple[str, int]] = field(default_factory=list)
    bounds: tuple[int, int] | None = None
    notes: list[str] = field(default_factory=list)
    size: int = 0
    sha256: str = ""

    def to_json(self) -> str:
        """Return it as a JSON object."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, content: str | bytes) -> Self:
        """Return what `to_json` wrote.

        Raises:
            ValueError: It isn't that.
        """
        values = json.loads(content)
        try:
            values["inputs"] = [(str(name), int(rows)) for name, rows in values["inputs"]]
            values["bounds"] = values["bounds"] and tuple(values["bounds"])
            return cls(**values)
        except (TypeError, LookupError) as exc:
            raise ValueError(f"it is no part's report: {exc}") from exc


class OutputFolder:
    """A folder of parts, on any file system.

    Attributes:
        name: Its path or URL.
        run: Tells the run from any other one that takes the folder up.
    """

    def __init__(self, name: str, run: str = "") -> None:
        """Name it, and the run, by default a new one; nothing is read or written yet."""
        self.name = name.rstrip("/") or "/"
        self.run = run or uuid.uuid4().hex
        with writing(self.name):
            self._location = Location.of(self.name)

    @property
    def _unfinished(self) -> Location:
        return self._location / UNFINISHED_FOLDER

    def take_up(self, facts: Mapping[str, Any], resume: bool) -> dict[int, Part]:
        """Begin, or go on, as the one run that is at the folder; return the parts that an earlier one has written.

        Args:
            facts: What the rows depend on: all of it JSON.
            resume: Whether to go on where an earlier run has written some.

        Raises:
            OutputError: The folder is complete, or holds something else, or can't be written; or it isn't said
                whether an earlier run's parts are wanted.
            OptionError: The run can't be gone on with, for it began otherwise; the message says what differs.
        """
        now = json.loads(json.dumps(facts))
        with writing(self.name):
            info = self._location.info
            if info.is_file:
                raise OutputError(f"{self.name} is a file, not a folder: name another one")
            if (self._location / SUCCESS_FILE).info.is_file:
                raise OutputError(f"{self.name} is complete already: name another folder")
            plan = self._unfinished / _PLAN_FILE
            if plan.info.is_file:
                if not resume:
                    raise OutputError(
                        f"{self.name} holds parts of a run that didn't come to its end, or is still at it: go on "
                        "with --resume when it is no longer, or name another folder"
                    )
                if changed := differences(self._read(plan), now):
                    raise OptionError(
                        f"the run in {self.name} can't go on, it began otherwise: {changed}: "
                        "give what it began with, or name another folder"
                    )
                (self._unfinished / _RUN_FILE).write_bytes(self.run.encode())
                return self._parts()
            if found := self._location.files_below():
                raise OutputError(
                    f"{self.name} isn't empty, it holds {found[0].name}: name an empty folder, or a new one"
                )
            (self._unfinished / _RUN_FILE).write_bytes(self.run.encode())
            plan.write_bytes(json.dumps(now).encode())
        return {}

    def _read(self, plan: Location) -> dict[str, Any]:
        try:
            return dict(json.loads(plan.read_bytes()))
        except (ValueError, TypeError) as exc:
            raise OutputError(
                f"{self.name} can't be gone on with, {plan.name} was cut off or changed: name another folder"
            ) from exc

    def _is_own(self) -> bool:
        """Return whether the run that is at the folder is this one, and not another that has gone on with it."""
        try:
            return (self._unfinished / _RUN_FILE).read_bytes() == self.run.encode()
        except FileNotFoundError:
            return False

    def _check_own(self) -> None:
        if not self._is_own():
            raise OutputError(f"{self.name} was taken up by another run: let that one end, or name another folder")

    def _parts(self) -> dict[int, Part]:
        files = {file.key: file.listed.size for file in self._location.files_below()}
        reports = [
            file for file in self._unfinished.files_below() if _REPORT.fullmatch(file.key.rpartition("/")[2])
        ]
        parts = {}
        for content in ask_each(Location.read_bytes, reports):
            try:
                part = Part.from_json(content)
            except ValueError:
                continue  # it was cut off while it was written
            if not part.name or files.get((self._location / part.name).key) == part.size:
                parts[part.number] = part
        return parts

    def put(self, part: Part, path: Path) -> None:
        """Add a part, which takes the place of one of that name.

        Args:
            part: The part.
            path: The file that becomes it.

        Raises:
            OutputError: It can't be written, or another run is at the folder.
        """
        with writing(self.name):
            self._check_own()
            (self._location / part.name).upload(path, grows_in=self._unfinished)
        self._report(part)

    def put_none(self, part: Part, name: str) -> None:
        """Note a part that holds no rows, and so isn't there; nor is what had its name, from an earlier attempt.

        Args:
            part: The part.
            name: Where it would be in the folder.

        Raises:
            OutputError: It can't be written, or another run is at the folder.
        """
        with writing(self.name):
            self._check_own()
            (self._location / name).delete()
        self._report(part)

    def _report(self, part: Part) -> None:
        with writing(self.name):
            (self._unfinished / f"{part.number:06}.json").write_bytes(part.to_json().encode())

    def give_up(self) -> None:
        """Leave the folder as it was found, unless there is a part in it, or another run is at it.

        Raises:
            OutputError: It can't be written.
        """
        with writing(self.name):
            if self._is_own() and not self._parts() and not self._location.files_below():
                self._unfinished.delete_folder()

    def complete(self, facts: Mapping[str, Any], parts: Sequence[Part]) -> None:
        """Say that all parts are there.

        Args:
            facts: What the rows depend on.
            parts: All parts.

        Raises:
            OutputError: It can't be written, or another run is at the folder.
        """
        manifest = {
            "facts": facts,
            "rows": sum(part.rows for part in parts),
            "left_out": sum(part.left_out for part in parts),
            "inputs": rows_of_inputs(parts),
            "parts": [
                {"name": part.name, "rows": part.rows, "size": part.size, "sha256": part.sha256}
                for part in parts
                if part.name
            ],
        }
        with writing(self.name):
            self._check_own()
            content = json.dumps(manifest, indent=1).encode() + b"\n"
            (self._location / MANIFEST_FILE).write_bytes(content, grows_in=self._unfinished)
            (self._location / SUCCESS_FILE).write_bytes(b"", grows_in=self._unfinished)
        with suppress(OutputError), writing(self.name):  # who may write may not always delete
            self._unfinished.delete_folder()


_REPORT = re.compile(r"\d+\.json")


def rows_of_inputs(parts: Iterable[Part]) -> list[tuple[str, int]]:
    """Return the inputs of parts, in their order, each with the rows that were read of it."""
    rows: dict[str, int] = {}
    for part in parts:
        for name, count in part.inputs:
            rows[name] = rows.get(name, 0) + count
    return list(rows.items())


def verify(name: str) -> Record:
    """Return the record of a file or a folder that `textsent score` wrote, after checking that it is as it was.

    Args:
        name: Its path, or a folder's URL.

    Raises:
        InputError: It isn't, or it has no record, or it can't be read.
    """
    path = without_file_scheme(name)
    if not is_url(path):
        return verify_folder(path) if Path(path).is_dir() else verify_file(path)
    with reading(name):
        if Location.of(name).info.is_file:
            raise InputError(
                f"{name} is a single file, of which only a copy on a disk can be checked: fetch it first"
            )
    return verify_folder(name)


def verify_folder(name: str) -> Record:
    """Return the record of an output folder, after checking that its parts are what was written.

    Args:
        name: Its path or URL.

    Raises:
        InputError: They aren't, or the folder isn't complete, or can't be read.
    """
    with reading(name):
        location = Location.of(name.rstrip("/") or "/")
        if not (location / SUCCESS_FILE).info.is_file:
            if (location / UNFINISHED_FOLDER / _PLAN_FILE).info.is_file:
                raise InputError(f"{name} isn't complete: go on with the run that writes it, with --resume")
            raise InputError(
                f"{name} is no folder that textsent score has written in parts: name one, or files in it"
            )
        try:
            manifest = json.loads((location / MANIFEST_FILE).read_bytes())
            expected = {str(part["name"]): (int(part["size"]), str(part["sha256"])) for part in manifest["parts"]}
            record = Record(
                facts=dict(manifest["facts"]),
                inputs=[(str(name), int(rows)) for name, rows in manifest["inputs"]],
                rows=sum(int(part["rows"]) for part in manifest["parts"]),
                left_out=int(manifest["left_out"]),
                size=sum(size for size, _ in expected.values()),
            )
        except (ValueError, TypeError, LookupError) as exc:
            raise InputError(f"{name}: its {MANIFEST_FILE} can't be read, it has been changed: {exc}") from exc
        found = {file.key[len(location.key) :].lstrip("/") for file in location.files_below()}
        if stranger := sorted(found - expected.keys()):
            raise InputError(f"{name} isn't what was written: {stranger[0]} is none of its parts")
        for part, (size, sha256) in expected.items():
            if part not in found:
                raise InputError(f"{name} isn't what was written: {part} is missing")
            if _sum_of(location / part) != (size, sha256):
                raise InputError(f"{name} isn't what was written: {part} was changed")
    read = sum(rows for _, rows in record.inputs)
    if read != record.rows + record.left_out:
        raise InputError(f"{name} isn't complete: {read:,} rows were read for it, {record.rows:,} were written")
    return record


def _sum_of(location: Location) -> tuple[int, str]:
    total, size = hashlib.sha256(), 0
    with location.open() as file:
        while chunk := file.read(_READ_BYTES):
            total.update(chunk)
            size += len(chunk)
    return size, total.hexdigest()


_READ_BYTES = 8 << 20
