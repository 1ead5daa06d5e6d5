"""Inputs of any size, cut into pieces that are scored one by one, in any order, by any number of machines.

A piece is a span of a large file or some small ones. What comes out of it is a part of an output folder; the parts,
in the order of their names, hold the rows in the order in which they went in.
"""

from __future__ import annotations

import json
import os
import platform
import re
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, is_dataclass, replace
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any, Self

from textsent import __version__
from textsent.compression import MAX_RATIO
from textsent.errors import InputError, NoRowsError, OptionError, OutputError, PresetError, TextsentError
from textsent.files import ErrorOptions, Summary, score_file
from textsent.mbox import is_from_git, message_at
from textsent.outputfolder import OutputFolder, Part, rows_of_inputs
from textsent.presets import checksum, find_preset, shipped_presets
from textsent.record import sha256_of
from textsent.score import Scorer, load, loaded
from textsent.sources import DIVISIBLE, Source, Span, find_sources, is_plain, shown_name
from textsent.storage import Location, ask_each, is_of_a_store, is_url, reading, without_query

PIECE_BYTES = 128 << 20
"""What is scored at a time, and done anew where it failed: a minute of a core for mail."""

_MOST_FILES = 1000
"""Of a piece: a store's answers about each take a tenth of a second."""

_MOST_PIECES = 1_000_000
"""The names of their parts have six digits, and so stand in the order of their numbers."""

ATTEMPTS = 3
"""Times that a piece is tried where a store doesn't answer."""

_PAUSE_SECONDS = 2.0
"""Before the second attempt; then twice as long each time."""

_HIVE = re.compile(r"[^/=_.][^/=]*=[^/]*")

SUFFIXES = {"parquet": ".parquet", "csv": ".csv", "jsonl": ".jsonl", "mbox": ".mbox"}
"""Of parts, by the format of the output."""


@dataclass(frozen=True)
class Piece:
    """What is scored at a time.

    Attributes:
        number: Its place among the pieces, from 0 on.
        sources: Paths or URLs: one, or several small files.
        span: What of the one source; None is all.
        size: Bytes of it.
        folder: Where its part is in the output folder: the sources' hive partitions, as `year=2026/month=02`.
    """

    number: int
    sources: tuple[str, ...]
    span: Span | None
    size: int
    folder: str = ""

    def part_name(self, output_format: str) -> str:
        """Return where its part is in the output folder."""
        return f"{self.folder}/part-{self.number:06}{SUFFIXES[output_format]}".lstrip("/")

    def to_json(self) -> str:
        """Return it as a JSON object."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, content: str) -> Self:
        """Return what `to_json` wrote."""
        values = json.loads(content)
        values["sources"] = tuple(values["sources"])
        values["span"] = values["span"] and Span(*values["span"])
        return cls(**values)


def cut(sources: Sequence[Source], piece_bytes: int = PIECE_BYTES) -> Iterator[Piece]:
    """Yield the pieces of inputs, in their order.

    Mailboxes and Parquet files that aren't compressed are cut; any other file is in one piece. Small files of one
    format and partition share a piece, a thousand of them at most.

    Args:
        sources: The inputs.
        piece_bytes: Bytes of a piece, as near as can be.

    Raises:
        InputError: An input can't be read.
        OptionError: One is a pipe, which can't be cut.
    """
    for source in sources:
        if source.size is None:
            raise OptionError(f"{shown_name(source.name)} is a pipe, which can't be scored in parts: name files")
    large = [source.name for source in sources if (source.size or 0) > piece_bytes and source.format in DIVISIBLE]
    divisible = {name for name, plain in zip(large, ask_each(is_plain, large), strict=True) if plain}
    number = small_bytes = 0
    small: list[Source] = []

    def gathered() -> Iterator[Piece]:
        nonlocal number, small_bytes
        if small:
            sources = tuple(source.name for source in small)
            yield Piece(number, sources, None, small_bytes, partitions(small[0].name))
            number += 1
            small_bytes = 0
            small.clear()

    for source in sources:
        size, partition = source.size or 0, partitions(source.name)
        alike = small and (small[0].format, partitions(small[0].name)) == (source.format, partition)
        if not alike or small_bytes + size > piece_bytes or len(small) == _MOST_FILES:
            yield from gathered()
        if source.name not in divisible:
            small.append(source)
            small_bytes += size
            continue
        for start in range(0, size, piece_bytes):
            end = min(start + piece_bytes, size)
            yield Piece(number, (source.name,), Span(start, end), end - start, partition)
            number += 1
    yield from gathered()


def partitions(name: str) -> str:
    """Return the hive partitions that a file is in, as `year=2026/month=02`; empty where there are none."""
    folders = PurePosixPath(without_query(name)).parts[:-1]
    return "/".join(part for part in folders if _HIVE.fullmatch(part))


def check_end(piece: Piece, bounds: tuple[int, int] | None) -> None:
    """Check that the next piece of a mailbox begins where this one has ended: it looks for that by itself.

    For whoever doesn't compare the bounds of all pieces at the end, as `score_folder` does.

    Args:
        piece: The piece.
        bounds: Those of its reader; None where it is no span of a mailbox.

    Raises:
        InputError: It doesn't, as in a mailbox that is made for that.
    """
    if piece.span is None or bounds is None:
        return
    name, end = piece.sources[0], piece.span.end
    with reading(name), Location.of(name).open() as file:
        size = file.seek(0, os.SEEK_END)
        begins = message_at(file, end, is_from_git(file)) if end < size else size
    if (size if begins is None else begins) != bounds[1]:
        raise InputError(
            f"{name} can't be cut at byte {end:,}: a message there holds what looks like others: "
            "read it in one piece, of the size of the mailbox"
        )


def check_version(version: str) -> None:
    """Check that the textsent that is installed here is that where a run began.

    Raises:
        OptionError: It isn't.
    """
    if version != __version__:
        raise OptionError(
            f"textsent {__version__} is installed on {platform.node()}, but {version} where the run began: "
            "install the same on all machines"
        )


@dataclass(frozen=True)
class Job:
    """How pieces are scored, by whoever does it: plain data, to be sent to another machine.

    Attributes:
        model: The preset's name, or its folder, on that machine.
        scorer: The settings of `Scorer.from_preset`.
        output: The output folder's path or URL; empty where no parts are written.
        output_format: One of SUFFIXES.
        on_error: What becomes of rows without a score, see `textsent.files.ErrorOptions`.
        files: The other settings of `textsent.files.score_file`, of how files are read and written.
        version: Of textsent, where the job began.
        model_files: The checksum of the preset there.
        run: The run that is at the output folder, see `OutputFolder`.
    """

    model: str
    scorer: dict[str, Any]
    output: str
    output_format: str
    on_error: str
    files: dict[str, Any]
    version: str
    model_files: str
    run: str = ""

    def check(self) -> None:
        """Check that what the scores depend on is the same here as where the job began.

        Raises:
            OptionError: Another version of textsent is installed here than where the job began.
            PresetError: There is no such preset here, or it is another one.
        """
        check_version(self.version)
        self._check_files(checksum(find_preset(self.model)))

    def load_on_driver(self) -> Scorer:
        """Return the scorer on a CPU, for who sends the work elsewhere: it tells what is wrong with the settings.

        Raises:
            OptionError: A setting makes no sense.
        """
        return load(self.model, **{**self.scorer, "device": "cpu", "precision": "float32"})  # there may be no GPU

    def load(self) -> Scorer:
        """Return the scorer, which is loaded and checked once a process; raise what `check` does."""
        check_version(self.version)
        scorer = loaded(self.model, **self.scorer)
        self._check_files(scorer.model_files)
        return scorer

    def _check_files(self, model_files: str | None) -> None:
        if model_files != self.model_files:
            raise PresetError(
                f"the preset {self.model} on {platform.node()} is another than where the run began: "
                "put the same files on all machines"
            )

    def score(self, piece: Piece) -> Part:
        """Score a piece, and write its part.

        Raises:
            InputError: It can't be read, or has a bad row where that is to end the run.
            OutputError: Its part can't be written, or another run is at the folder.
        """
        for attempt in range(1, ATTEMPTS):
            try:
                return self._score(piece)
            except (InputError, OutputError) as exc:
                if not is_of_a_store(exc.__cause__) or not any(map(is_url, (*piece.sources, self.output))):
                    raise
            time.sleep(_PAUSE_SECONDS * attempt)
        return self._score(piece)

    def _score(self, piece: Piece) -> Part:
        summary = Summary()
        name = piece.part_name(self.output_format)
        folder = OutputFolder(self.output, self.run)
        with tempfile.TemporaryDirectory(prefix="textsent-") as temporary:
            path = Path(temporary, PurePosixPath(name).name)
            try:
                score_file(
                    piece.sources,
                    path,
                    self.load(),
                    errors=ErrorOptions(self.on_error),
                    summary=summary,
                    span=piece.span,
                    **self.files,
                )
            except NoRowsError:
                inputs = [(source, 0) for source in piece.sources]
                part = Part(piece.number, inputs=inputs, bounds=summary.bounds, notes=summary.notes)
                folder.put_none(part, name)
                return part
            part = Part(
                number=piece.number,
                name=name,
                rows=summary.rows - summary.left_out,
                left_out=summary.left_out,
                sentiments=dict(summary.sentiments),
                errors=dict(summary.errors),
                flagged=dict(summary.flagged),
                inputs=summary.inputs,
                bounds=summary.bounds,
                notes=summary.notes,
                size=path.stat().st_size,
                sha256=sha256_of(path, path.stat().st_size),
            )
            folder.put(part, path)
        return part


def job_for(
    model: str | Path,
    scorer: Mapping[str, Any],
    output: str,
    output_format: str = "parquet",
    on_error: str = "keep",
    files: Mapping[str, Any] | None = None,
) -> Job:
    """Return a job that begins here; see `Job`.

    Raises:
        PresetError: There is no such preset here.
        OptionError: There is no such format.
    """
    if output_format not in SUFFIXES:
        raise OptionError(f"{output_format!r} can't be written: choose one of {', '.join(SUFFIXES)}")
    folder = find_preset(model)
    name = folder.name if shipped_presets().get(folder.name) == folder else str(folder.resolve())
    return Job(
        name, dict(scorer), output, output_format, on_error, dict(files or {}), __version__, checksum(folder)
    )


Engine = Callable[[Job, Sequence[Piece]], Generator[Part]]
"""Scores pieces, in any order; closed before its end, it stops."""


def here(job: Job, pieces: Sequence[Piece]) -> Generator[Part]:
    """Score pieces in this process, one after the other, each on all cores that the scorer may use."""
    for piece in pieces:
        yield job.score(piece)


LOCAL = "local"


def engine_of(
    name: str = LOCAL, address: str | None = None, concurrency: int | None = None, gpus_per_worker: float = 0
) -> Engine:
    """Return an engine by its name: `local` or `ray`.

    Args:
        name: Its name.
        address: Ray's cluster, see `textsent.distributed.ray`.
        concurrency: Scorers at a time.
        gpus_per_worker: GPUs that each of them has.

    Raises:
        OptionError: There is no such engine, or it has none of these options.
        MissingExtraError: It isn't installed.
    """
    if name == LOCAL:
        if address is not None or concurrency is not None or gpus_per_worker:
            raise OptionError("--address, --concurrency and --gpus-per-worker are for --engine ray")
        return here
    if name == "ray":
        from textsent.distributed.ray import ray_engine

        return ray_engine(address, concurrency, gpus_per_worker)
    raise OptionError(f"there is no engine {name!r}: choose one of local, ray")


def score_folder(
    sources: str | Path | Sequence[str | Path],
    job: Job,
    *,
    engine: Engine = here,
    resume: bool = False,
    max_errors: int | None = None,
    piece_bytes: int = PIECE_BYTES,
    on_part: Callable[[Summary], object] | None = None,
    summary: Summary | None = None,
) -> Summary:
    """Score the rows of files into a folder of parts, which says so when all of them are there.

    What is held here doesn't grow with the rows, only with the number of the files and pieces.

    Args:
        sources: Paths, URLs and patterns of the inputs, or one.
        job: How they are scored, and into what folder: an empty one, or one that isn't there.
        engine: What scores the pieces.
        resume: Go on with a run that didn't come to its end, if there is one, with the parts that it lacks.
        max_errors: The run ends when more rows have no score, once the part is written in which they are.
        piece_bytes: Bytes of an input that are scored at a time.
        on_part: Called with the summary so far after each part.
        summary: What to fill and to return, for one who wants to know how far a run came that was interrupted.

    Raises:
        InputError: An input can't be read, or there are no rows, or more with an error than are allowed.
        OutputError: The folder isn't empty, or can't be written, or another run has taken it up.
        OptionError: The run can't be gone on with, for it began otherwise; or an input is a pipe.
    """
    started = time.monotonic()
    summary = summary or Summary()
    names = [str(sources)] if isinstance(sources, str | Path) else [str(source) for source in sources]
    errors = ErrorOptions(max_errors=max_errors)
    found = find_sources(names, job.files.get("format"), job.files.get("max_ratio", MAX_RATIO))
    pieces = list(cut(found, piece_bytes))
    if len(pieces) > _MOST_PIECES:
        raise OptionError(
            f"there are {len(pieces):,} pieces, {_MOST_PIECES:,} at most can be scored into one folder: make them "
            "larger with --piece-mb, or score the inputs into several folders"
        )
    title = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    summary.size = sum(piece.size for piece in pieces)
    facts = {
        "textsent": job.version,
        **{name: getattr(job, name) for name in ("model", "model_files", "output_format", "on_error")},
        **{name: value for name, value in job.scorer.items() if name not in ("device", "workers")},
        **{name: vars(value) if is_dataclass(value) else value for name, value in job.files.items()},
        "piece_bytes": piece_bytes,
        "inputs": [source.name for source in found],
        **{f"the input {source.name}": source.state for source in found},
    }
    folder = OutputFolder(job.output)
    parts = folder.take_up(facts, resume)
    job = replace(job, run=folder.run)
    for part in parts.values():
        _count(summary, part, pieces)
    summary.resumed = summary.rows
    if on_part and parts:
        on_part(summary)
    try:
        while waiting := [piece for piece in pieces if piece.number not in parts] or _read_wrongly(pieces, parts):
            with closing(engine(job, waiting)) as scored:
                for part in scored:
                    if part.number in parts:
                        _count(summary, parts[part.number], pieces, -1)
                    parts[part.number] = part
                    _count(summary, part, pieces)
                    summary.seconds = time.monotonic() - started
                    if on_part:
                        on_part(summary)
                    errors.check(summary.errors, summary.rows, title)
    except (TextsentError, KeyboardInterrupt):
        if not parts:
            folder.give_up()
        raise
    errors.check(summary.errors, summary.rows, title)  # also of what an earlier run has done
    done = [parts[piece.number] for piece in pieces]
    summary.inputs = rows_of_inputs(done)
    if not summary.rows:
        raise NoRowsError(f"no rows in {title}: there is nothing to score")
    folder.complete(facts, done)
    return summary


def _count(summary: Summary, part: Part, pieces: Sequence[Piece], times: int = 1) -> None:
    """Add a part to a summary, or take it away: -1 times."""
    summary.rows += times * (part.rows + part.left_out)
    summary.left_out += times * part.left_out
    for all_of_them, own in (
        (summary.sentiments, part.sentiments),
        (summary.errors, part.errors),
        (summary.flagged, part.flagged),
    ):
        for name, rows in own.items():
            all_of_them[name] += times * rows
    if times > 0:
        summary.notes += part.notes
    summary.position += times * pieces[part.number].size
    summary.committed = summary.rows


def _read_wrongly(pieces: Sequence[Piece], parts: Mapping[int, Part]) -> list[Piece]:
    """Return the spans that didn't begin where the one before has ended, with the place where they do.

    It takes a mailbox made for that: a span looks for its first message from further up, see `message_at`.
    """
    found = []
    for before, piece in pairwise(pieces):
        if before.span is None or piece.span is None or before.sources != piece.sources:
            continue
        if before.span.end != piece.span.start:  # the mailbox is an input twice
            continue
        ended, began = parts[before.number].bounds, parts[piece.number].bounds
        if ended and began and ended[1] != began[0]:
            found.append(replace(piece, span=piece.span._replace(first=ended[1])))
    return found
