"""Scoring on Spark: the rows of a DataFrame, and mail as a source of rows.

The executors' Python needs the textsent of the driver. A shipped model is found there by its name; another preset
is sent to them as an archive, once a session.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa

from textsent import __version__, errors
from textsent.errors import InputError, MissingExtraError, OptionError, TextsentError
from textsent.mail import MailOptions
from textsent.mailstores import FORMATS
from textsent.mbox import DEFAULT_MAX_MESSAGE_BYTES
from textsent.pieces import PIECE_BYTES, Job, Piece, check_end, check_version, cut, job_for
from textsent.presets import preset_files
from textsent.readers import open_reader
from textsent.schema import MAIL_SCHEMA, MODEL_KEY
from textsent.score import DEFAULT_MODEL, Scorer
from textsent.sources import find_sources
from textsent.storage import is_url

try:
    from py4j.protocol import Py4JError
    from pyspark import SparkFiles
    from pyspark.errors import PySparkException
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
    from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
    from pyspark.sql.types import StringType, StructField, StructType
except ImportError as exc:
    raise MissingExtraError("scoring on Spark needs the package pyspark: pip install 'textsent[spark]'") from exc


def score_spark(
    df: DataFrame, *, column: str | None = None, model: str | Path = DEFAULT_MODEL, **settings: Any
) -> DataFrame:
    """Return a DataFrame with the columns sentiment, score, words, coverage and error after its own.

    Rows stay in their partitions and in their order; the columns that came in keep names, types, values and
    metadata. Nothing is scored before an action asks for it, and no shuffle is needed. Each Python worker of an
    executor loads the model once and uses one core.

    Args:
        df: Any DataFrame; also a streaming one.
        column: The column of the texts; by default `text`, or else the only column of strings.
        model: A shipped preset's name, which the executors find in the textsent that is installed there, or a
            preset's folder, which is sent to them.
        **settings: Those of `Scorer.from_preset`, such as prefix, threshold, sentences and workers: threads of a
            Python worker, by default 1, as `spark.task.cpus` is.

    Raises:
        InputError: There is no such column, or it holds something else than strings.
        OptionError: The DataFrame has a column of an added one's name already, or a setting makes no sense.
        PresetError: There is no such model.
    """
    if not isinstance(df, DataFrame):
        kind = type(df)
        raise InputError(f"score_spark takes a DataFrame of Spark. Received: {kind.__module__}.{kind.__qualname__}")
    column = _text_column(df.schema, column)
    settings = {"workers": 1, **settings, "column": column}
    job = job_for(model, settings, output="")
    scorer = job.load_on_driver()
    schema = StructType([*df.schema.fields, *_added_fields(df.schema, scorer)])
    archive = _sent(df.sparkSession, Path(job.model), job.model_files) if Path(job.model).is_absolute() else None
    names = df.columns
    # Spark would take a name with a dot for a field's of a struct.
    plain = df.toDF(*_numbered(len(names)))
    with warnings.catch_warnings():
        # No pandas comes into this, whatever its version.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        return plain.mapInArrow(lambda batches: _scored(batches, job, archive, names), schema)


def _text_column(schema: StructType, column: str | None) -> str:
    strings = [field.name for field in schema.fields if isinstance(field.dataType, StringType)]
    listed = ", ".join(map(repr, schema.names)) or "none"
    if column is None:
        if "text" not in strings and len(strings) != 1:
            found = f"{len(strings)} hold strings" if strings else "none holds strings"
            problem = f"no column is named 'text' and {found}"
            raise InputError(f"{problem}: name one with column=. The columns are {listed}")
        column = "text" if "text" in strings else strings[0]
    if column not in schema.names:
        raise InputError(f"the DataFrame has no column {column!r}: name one with column=. The columns are {listed}")
    if schema.names.count(column) > 1:
        raise InputError(f"{schema.names.count(column)} columns are named {column!r}: rename them")
    kind = schema[column].dataType
    if not isinstance(kind, StringType):
        raise InputError(
            f"the column {column!r} holds {kind.simpleString()}, not strings: name another one with column=, "
            f"or cast it. The columns are {listed}"
        )
    return column


def _added_fields(schema: StructType, scorer: Scorer) -> list[StructField]:
    added = from_arrow_schema(scorer.output_schema(pa.schema([]))).fields
    taken = {name.lower() for name in schema.names}
    clashes = [field.name for field in added if field.name.lower() in taken]  # Spark's names know no case
    if clashes:
        raise OptionError(
            f"the DataFrame already has the column{'s'[: len(clashes) > 1]} {', '.join(map(repr, clashes))}: "
            "give the added columns a prefix, for instance prefix='textsent_'"
        )
    metadata = {MODEL_KEY: scorer.name}
    return [StructField(field.name, field.dataType, True, metadata) for field in added]


def _scored(
    batches: Iterable[pa.RecordBatch], job: Job, archive: str | None, names: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """Yield batches with their scores, on an executor."""
    scorer = None
    for batch in batches:
        if scorer is None:
            folder = Path(SparkFiles.get(archive), Path(job.model).name) if archive else job.model
            scorer = replace(job, model=str(folder)).load()
        scored = scorer(batch.rename_columns(list(names)))
        # Java's Arrow takes two columns of one name for one; Spark looks at their places only.
        yield scored.rename_columns(_numbered(scored.num_columns))


def _numbered(columns: int) -> list[str]:
    return [f"column_{number}" for number in range(columns)]


def _sent(session: SparkSession, folder: Path, checksum: str) -> str:
    """Send a preset to the executors, if they don't have it; return the name of its archive."""
    archive = _archive(folder, checksum)
    context = getattr(session, "sparkContext", None)  # Spark Connect has none
    if context is None:
        session.addArtifacts(str(archive), archive=True)
    elif not any(uri.endswith(f"/{archive.name}") for uri in context.listArchives):
        context.addArchive(str(archive))
    return archive.name


@cache
def _archive(folder: Path, checksum: str) -> Path:
    """Return an archive of a preset, which is there as long as this process: an executor may come late.

    Its name is that of what is in it: a preset that is trained anew is another one.
    """
    parent = tempfile.mkdtemp(prefix="textsent-")
    atexit.register(shutil.rmtree, parent, ignore_errors=True)
    path = Path(parent, f"textsent-{folder.name}-{checksum[:16]}.zip")
    with zipfile.ZipFile(path, "w") as archive:
        for name in preset_files(folder):
            # Without the time of the file: Spark Connect takes another archive of the same name for a mistake.
            archive.writestr(zipfile.ZipInfo(f"{folder.name}/{name}"), (folder / name).read_bytes())
    return path


@contextmanager
def spark_errors() -> Iterator[None]:
    """Turn what Spark raises in a `with` block into the TextsentError of the driver or executor that is behind it.

    Spark wraps what Python raises elsewhere into texts of many lines. What isn't textsent's is left as it is::

        with spark_errors():
            score_spark(df).write.parquet("scored")

    Raises:
        TextsentError: The error, of the class that it had.
    """
    try:
        yield
    except (PySparkException, Py4JError) as exc:
        error = _error_in(str(exc))
        if error is None:
            raise
        raise error from exc


def _error_in(text: str) -> TextsentError | None:
    """Return the last of textsent's errors in a text that holds tracebacks."""
    if found := _OURS.findall(text):
        name, message = found[-1]
        kind = getattr(errors, name, TextsentError)
        return kind(message)
    if "No module named 'textsent'" in text:
        return MissingExtraError(
            "textsent isn't installed in the executors' Python: install what the driver has there, "
            "and name that Python in PYSPARK_PYTHON"
        )
    return None


_OURS = re.compile(r"^\s*textsent\.errors\.(\w+): (.+?)\s*$", re.MULTILINE)


class MailDataSource(DataSource):
    """Mail as a source of Spark, with the columns of `textsent.schema.MAIL_SCHEMA`: a row is a message.

    A large mailbox is read in pieces, each in a task of its own; so is any other file, or several small ones::

        spark.dataSource.register(MailDataSource)
        spark.read.format("textsent-mail").option("pieceMb", 64).load("s3://bucket/mail/**/*.mbox")

    What is loaded is a path, a URL, or a pattern of them, or several, see `textsent.readers.Reader`; each executor
    must reach it under that name. The files are listed at `load`.

    Options: pieceMb, MiB of a mailbox that a task reads, by default 128; maxMessageMb, of a longer message only the
    text parts are held, up to so many MiB; keepQuotes, keepSignatures and withSubject, true or false, see
    `textsent.MailOptions`.
    """

    _pieces: list[Piece] | None = None

    @classmethod
    def name(cls) -> str:  # noqa: D102
        return "textsent-mail"

    def schema(self) -> StructType:
        """Return the columns, after a look at the files.

        Raises:
            InputError: There is no such file, or it holds no mail.
            OptionError: There is no such option, or it makes no sense.
        """
        self._planned()
        return _mail_schema()

    def reader(self, schema: StructType) -> DataSourceReader:
        """Return what reads the mail, wherever it is sent.

        Raises:
            OptionError: Other columns are asked for.
        """
        if [(field.name, field.dataType) for field in schema.fields] != [
            (field.name, field.dataType) for field in _mail_schema().fields
        ]:
            raise OptionError(
                "mail has columns of its own: leave out .schema(…), and choose among them with .select(…)"
            )
        pieces, self._pieces = self._planned(), None  # each task gets this object too
        return _MailReader(pieces, self._mail_options())

    def streamReader(self, schema: StructType) -> NoReturn:  # noqa: N802 - Spark's name
        """Refuse to be a stream.

        Raises:
            OptionError: Always.
        """
        raise OptionError("mail can't be read as a stream: say spark.read instead of spark.readStream")

    def _planned(self) -> list[Piece]:
        if self._pieces is None:
            unknown = sorted(set(self.options) - {name.lower() for name in (*_OPTIONS, *_PATHS)})
            if unknown:
                raise OptionError(f"there is no option {unknown[0]!r}: choose among {', '.join(_OPTIONS)}")
            self._mail_options()
            piece_bytes = self._bytes_of("pieceMb", PIECE_BYTES)
            sources = find_sources(_paths(self.options.get("path"), self.options.get("paths")))
            for source in sources:
                if source.format not in FORMATS and source.folder is None:
                    raise InputError(
                        f"{source.name} holds no mail, it is {source.format}: read it with Spark's own formats, "
                        "for instance spark.read.csv"
                    )
            self._pieces = list(cut(sources, piece_bytes))
        return self._pieces

    def _mail_options(self) -> MailOptions:
        return MailOptions(
            keep_quotes=self._is_set("keepQuotes"),
            keep_signatures=self._is_set("keepSignatures"),
            with_subject=self._is_set("withSubject"),
            max_message_bytes=self._bytes_of("maxMessageMb", DEFAULT_MAX_MESSAGE_BYTES),
        )

    def _is_set(self, name: str) -> bool:
        value = str(self.options.get(name, "false"))
        if value.lower() not in ("true", "false"):
            raise OptionError(f"the option {name} must be true or false. Received: {value}")
        return value.lower() == "true"

    def _bytes_of(self, name: str, default: int) -> int:
        value = self.options.get(name)
        if value is None:
            return default
        try:
            size = int(float(value) * (1 << 20))
        except (ValueError, OverflowError):
            size = 0
        if size < 1:
            raise OptionError(f"the option {name} must be a number of MiB over 0. Received: {value}")
        return size


_OPTIONS = ("pieceMb", "maxMessageMb", "keepQuotes", "keepSignatures", "withSubject")
_PATHS = ("path", "paths")


def _paths(path: str | None, paths: str | None) -> list[str]:
    """Return what `load` was given, one path, or several as JSON: whole paths, and URLs."""
    named = [*([path] if path else []), *(json.loads(paths) if paths else [])]
    if not named:
        raise OptionError("there is no input: name at least one file in load(…)")
    # An executor runs in a folder of its own.
    return [name if is_url(name) else os.path.abspath(name) for name in named]  # noqa: PTH100 - a link keeps its name


def _mail_schema() -> StructType:
    return from_arrow_schema(MAIL_SCHEMA, prefer_timestamp_ntz=True)


class _MailReader(DataSourceReader):
    """Reads pieces of mail, a task each."""

    def __init__(self, pieces: list[Piece], mail: MailOptions) -> None:
        self._pieces = pieces
        self._mail = mail
        self._version = __version__

    def __getstate__(self) -> dict[str, Any]:
        """Return what each task gets: its own piece comes as its partition."""
        return {**vars(self), "_pieces": []}

    def partitions(self) -> Sequence[InputPartition]:
        return [InputPartition(piece) for piece in self._pieces]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        check_version(self._version)
        piece: Piece = partition.value
        schema = to_arrow_schema(_mail_schema(), timezone="UTC")
        with open_reader(piece.sources, mail=self._mail, span=piece.span) as reader:
            for batch in reader:
                yield batch.cast(schema)
        check_end(piece, reader.bounds)
