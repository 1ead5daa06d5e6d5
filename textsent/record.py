"""The record of a run: what an output was made of and by, to tell later whether it is still that.

Parquet holds it among its metadata, under `KEY`. Other formats, and a Parquet file that is compressed as a whole,
have no place for it: if it is wanted a file beside the output holds it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from textsent.errors import InputError, PresetError

KEY = "textsent.run"
SUFFIX = ".run.json"

_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class Record:
    """What a run was.

    Attributes:
        facts: What the rows depend on, by name: version, model, options.
        inputs: The inputs by name, each with its rows.
        rows: Rows written.
        left_out: Rows that weren't written, since they have no score.
        size: Bytes of the output; of Parquet those before its metadata.
        sha256: Of these bytes, in hexadecimal.
    """

    facts: dict[str, Any]
    inputs: list[tuple[str, int]] = field(default_factory=list)
    rows: int = 0
    left_out: int = 0
    size: int = 0
    sha256: str = ""

    def to_json(self) -> str:
        """Return it as a JSON object."""
        return json.dumps(asdict(self))


def record_path(output: Path) -> Path:
    """Return where the record of an output is that can't hold it."""
    return output.with_name(output.name + SUFFIX)


def sha256_of(path: Path, size: int) -> str:
    """Return the SHA-256, in hexadecimal, of a file's first bytes."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while size > 0 and (chunk := file.read(min(size, _READ_BYTES))):
            total.update(chunk)
            size -= len(chunk)
    return total.hexdigest()


def verify(path: str | Path) -> Record:
    """Return the record of an output, after checking that the output is what was written.

    Args:
        path: A file that `textsent score` wrote.

    Raises:
        InputError: It isn't, or it has no record, or it can't be read.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder: name a file in it")
    try:
        record, rows = _parquet_record(path) if _is_parquet(path) else (_file_record(path), None)
        sha256 = sha256_of(path, record.size)
    except FileNotFoundError as exc:
        raise InputError(f"{exc.filename or path}: there is no such file: check the path") from exc
    except (OSError, pa.ArrowException) as exc:
        reason = (str(exc).splitlines() or [type(exc).__name__])[0]
        raise InputError(f"{path} isn't what was written: {reason}") from exc
    if sha256 != record.sha256:
        raise InputError(f"{path} isn't what was written: its checksum is another")
    if rows is not None and rows != record.rows:
        raise InputError(f"{path} isn't what was written: it has {rows:,} rows, {record.rows:,} were written")
    read = sum(rows for _, rows in record.inputs)
    if read != record.rows + record.left_out:
        left_out = f" and {record.left_out:,} left out" if record.left_out else ""
        raise InputError(
            f"{path} isn't complete: {read:,} rows were read for it, {record.rows:,} were written{left_out}"
        )
    return record


def installed_model(record: Record) -> bool | None:
    """Return whether the model of that name, here, is the one that scored; None where there is none here."""
    from textsent.presets import checksum, find_preset

    try:
        return checksum(find_preset(str(record.facts.get("model")))) == record.facts.get("model_files")
    except (PresetError, OSError):
        return None


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _parquet_record(path: Path) -> tuple[Record, int]:
    import pyarrow.parquet

    with path.open("rb") as stream, pyarrow.parquet.ParquetFile(stream) as file:
        metadata = file.schema_arrow.metadata or {}
        content = (file.metadata.metadata or metadata).get(KEY.encode())
        if content is None:
            raise InputError(f"{path} has no record of the run that wrote it: score it again with this version")
        return _from_json(content, path), file.metadata.num_rows


def _file_record(path: Path) -> Record:
    try:
        content = record_path(path).read_bytes()
    except FileNotFoundError as exc:
        raise InputError(
            f"{path} has no record of the run that wrote it, {record_path(path).name}: only Parquet holds one by "
            "itself; for other formats score with --record"
        ) from exc
    record = _from_json(content, record_path(path))
    size = path.stat().st_size
    if size != record.size:
        raise InputError(f"{path} isn't what was written: it has {size:,} bytes, {record.size:,} were written")
    return record


def _from_json(content: bytes, path: Path) -> Record:
    try:
        values: Mapping[str, Any] = json.loads(content)
        inputs = [(str(name), int(rows)) for name, rows in values["inputs"]]
        return Record(
            facts=dict(values["facts"]),
            inputs=inputs,
            rows=int(values["rows"]),
            left_out=int(values["left_out"]),
            size=int(values["size"]),
            sha256=str(values["sha256"]),
        )
    except (ValueError, TypeError, LookupError) as exc:
        raise InputError(f"{path}: its record can't be read, it has been changed: {exc}") from exc
