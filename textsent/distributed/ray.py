"""Scoring on Ray Data: pieces into the parts of an output folder, or rows into a dataset of Ray's.

A scorer is an actor, which loads the preset from its own machine's disk and has one core, or as many as `workers`
says. Nothing of the preset or of the texts goes through the driver: it sends the names of pieces, and gets reports.
"""

from __future__ import annotations

import logging
import math
import os
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from textsent import __version__, errors
from textsent._accessor import show_pandas
from textsent.cores import usable_cores
from textsent.errors import InputError, MissingExtraError, OptionError, TextsentError
from textsent.files import scored_batches
from textsent.mail import DEFAULT_OPTIONS, MailOptions
from textsent.outputfolder import Part
from textsent.pieces import PIECE_BYTES, Engine, Job, Piece, check_end, cut, job_for
from textsent.readers import open_reader
from textsent.schema import text_column
from textsent.score import DEFAULT_MODEL, WINDOW_ROWS, Scorer
from textsent.sources import find_sources
from textsent.tables import DEFAULT_TABLE_OPTIONS, TableOptions

if TYPE_CHECKING:
    from ray.data import Dataset

_ATTEMPTS = 100
"""How often a piece is begun before the run ends: it may be what ends the workers. A machine that is lost is asked
once a second until Ray knows of it, and each time counts."""

_CONNECT_SECONDS = 5
_CHECK_SECONDS = 120  # it starts a worker on each machine, which imports textsent

_STORE_BYTES = 1 << 28
"""What a cluster of our own holds for what its workers exchange, which is reports."""


def ray_engine(address: str | None = None, concurrency: int | None = None, gpus_per_worker: float = 0) -> Engine:
    """Return what scores pieces on Ray Data.

    A piece whose worker or machine ends is scored anew elsewhere.

    Args:
        address: The cluster's `host:port`, or `auto` for the one that this machine is in. By default what
            RAY_ADDRESS in the environment says; else one is begun on this machine, and ended. Where Ray is
            initialized already, its cluster is taken.
        concurrency: Scorers at a time; by default as many as the cluster has room for.
        gpus_per_worker: GPUs that each of them has, which may be a part of one.

    Raises:
        MissingExtraError: Ray isn't installed.
        OptionError: An option makes no sense. So does the engine where the cluster can't be reached or has no room
            for so many scorers, or where another textsent or preset is on its machines.
    """
    _check_address(address)
    _check_extra()

    def score(job: Job, pieces: Sequence[Piece]) -> Generator[Part]:
        job = _for_workers(job, gpus_per_worker)
        with _connected(address):
            room = _Room.of_cluster(job, gpus_per_worker)
            scorers = room.for_scorers(concurrency)
            room.check_machines(job)
            yield from _scored(job, pieces, scorers, room)

    return score


def _scored(job: Job, pieces: Sequence[Piece], scorers: int, room: _Room) -> Generator[Part]:
    import ray
    from ray.data import ActorPoolStrategy

    rows = ray.data.from_items([{"piece": piece.to_json()} for piece in pieces], override_num_blocks=len(pieces))
    reports = _mapped(
        rows,
        _PieceScorer,
        fn_constructor_args=(job, Path.cwd()),
        batch_format="pyarrow",
        batch_size=1,
        # None waits behind another at its actor, where it would be done for too if that one ends it.
        compute=ActorPoolStrategy(size=min(scorers, len(pieces)), max_tasks_in_flight_per_actor=1),
        **room.of_a_scorer,
    )
    context = reports.context
    context.enable_progress_bars = context.print_on_execution_start = False
    context.execution_no_progress_timeout_s = -1  # a file that can't be cut may take hours
    batches = reports.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)
    try:
        with closing(iter(batches)) as answers:
            for answer in answers:
                for report in answer.to_pylist():
                    if report["error"]:
                        raise getattr(errors, report["error"])(report["message"])
                    yield Part.from_json(report["part"])
    except (ray.exceptions.RayTaskError, ray.exceptions.UserCodeException):
        raise
    except (ray.exceptions.RayActorError, ray.exceptions.OutOfMemoryError) as exc:
        raise InputError(
            f"workers of Ray's have ended {_ATTEMPTS} times at the same piece, for want of memory most often: give "
            "them more, or less to do with --piece-mb"
        ) from exc
    except ray.exceptions.RayError as exc:
        reason = (str(exc).splitlines() or [type(exc).__name__])[0].rstrip(".")
        raise OptionError(f"Ray's cluster failed: {reason}: go on with --resume when it is there again") from exc


def _mapped(data: Dataset, scorer: type, **settings: Any) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the retries have no other place up to Ray 2.63
        return data.map_batches(scorer, **settings)


class _PieceScorer:
    """Scores pieces, in an actor: a table with a column `piece` in, one with `part`, `error` and `message` out."""

    def __init__(self, job: Job, folder: Path) -> None:
        _go_to(folder)
        self._job = job

    def __call__(self, pieces: pa.Table) -> pa.Table:
        reports = [_report(self._job, piece) for piece in pieces.column("piece").to_pylist()]
        return pa.Table.from_pylist(reports, _REPORT_SCHEMA)


_REPORT_SCHEMA = pa.schema({"part": pa.string(), "error": pa.string(), "message": pa.string()})


def _go_to(folder: Path) -> None:
    """Let relative paths name in a worker what they name where the run began."""
    with suppress(OSError):  # it isn't on this machine: nor is what they name
        os.chdir(folder)


def _report(job: Job, content: str) -> dict[str, str | None]:
    piece = Piece.from_json(content)
    try:
        part = job.score(piece)
    except TextsentError as exc:
        return {"part": None, **_as_data(exc)}
    except MemoryError:
        return {"part": None, **_as_data(InputError(f"{piece.sources[0]}: {_NO_MEMORY}"))}
    return {"part": part.to_json(), "error": None, "message": None}


_NO_MEMORY = "a scorer has too little memory for it: give them more, or less to do with --piece-mb"


def _as_data(error: TextsentError) -> dict[str, str]:
    """Return an error as data: raised in a worker, it would come with Ray's traceback."""
    return {"error": type(error).__name__, "message": str(error)}


def score_ray(
    data: Dataset | str | Path | Sequence[str | Path],
    *,
    model: str | Path = DEFAULT_MODEL,
    column: str | None = None,
    concurrency: int | None = None,
    gpus_per_worker: float = 0,
    ordered: bool = False,
    format: str | None = None,
    mail: MailOptions = DEFAULT_OPTIONS,
    table: TableOptions = DEFAULT_TABLE_OPTIONS,
    piece_bytes: int = PIECE_BYTES,
    **settings: Any,
) -> Dataset:
    """Return the rows of a dataset of Ray's, or of files, with the columns that scoring adds: a dataset of Ray's.

    Nothing is read or scored before its rows are asked for. Files are read by the scorers: a large mailbox or
    Parquet file by many, every row once. Where Ray isn't initialized it is: with the cluster that RAY_ADDRESS in
    the environment names, or on this machine.

    Args:
        data: A dataset, or paths, URLs and patterns of files, which all the machines can read.
        model: The preset's name, or its folder, on all of them.
        column: The column that holds the texts; by default `text`, or else the only column of strings.
        concurrency: Scorers at a time, of a dataset at most; by default as many as the cluster has room for.
        gpus_per_worker: GPUs that each of them has, which may be a part of one.
        ordered: Keep the order of the rows, which makes them wait for one another; of a dataset too, from then on.
        format: Format of the files, by default what their suffixes say.
        mail: What of a mail counts as its text.
        table: How CSV, JSON Lines and text files are written. A bad row has no score and its reason in `error`.
        piece_bytes: Bytes of a file that a scorer reads at a time.
        **settings: The other settings of `textsent.score.Scorer.from_preset`; `workers` are the cores of a scorer,
            by default one.

    Raises:
        MissingExtraError: Ray isn't installed.
        OptionError: The cluster can't be reached, or has no room for so many scorers, or another textsent is on
            its machines.
        PresetError: There is no such preset here or there, or it is another one there.
        InputError: A file isn't there, or the column isn't. What is found out later is raised where the rows are
            asked for.
    """
    _check_extra()
    import ray
    from ray.data import ActorPoolStrategy, Dataset

    job = _for_workers(job_for(model, {"column": column, **settings}, ""), gpus_per_worker)
    scorer = job.load_on_driver()
    pieces = []
    if not isinstance(data, Dataset):
        names = _names(data)
        pieces = list(cut(find_sources(names, format), piece_bytes))
    if not ray.is_initialized():
        _connect(None)
    room = _Room.of_cluster(job, gpus_per_worker)
    scorers = room.for_scorers(concurrency)
    room.check_machines(job)
    if isinstance(data, Dataset):
        _check_columns(data, scorer)
        scored = _mapped(
            data,
            _RowScorer,
            fn_constructor_args=(job,),
            batch_format="pyarrow",
            batch_size=WINDOW_ROWS,
            zero_copy_batch=True,
            # Of no fixed size: what the dataset is made of needs cores too.
            compute=ActorPoolStrategy(min_size=1, max_size=scorers),
            udf_modifying_row_count=False,
            **room.of_a_scorer,
        )
    else:
        table = replace(table, keep_bad_rows=True, may_guess=True, text_column=column)
        rows = ray.data.from_items(
            [{"piece": piece.to_json()} for piece in pieces], override_num_blocks=len(pieces)
        )
        scored = _mapped(
            rows,
            _FileScorer,
            fn_constructor_args=(job, Path.cwd(), {"format": format, "mail": mail, "table": table}),
            batch_format="pyarrow",
            batch_size=1,
            compute=ActorPoolStrategy(size=min(scorers, len(pieces)), max_tasks_in_flight_per_actor=1),
            **room.of_a_scorer,
        )
    context = scored.context  # which is that of `data`, where it is a dataset
    context.raise_original_map_exception = True  # a TextsentError stays one
    if ordered:
        context.execution_options.preserve_order = True
    return scored


def _names(data: Any) -> list[str]:
    if isinstance(data, str | Path):
        return [str(data)]
    if not isinstance(data, Sequence) or not all(isinstance(name, str | Path) for name in data):
        kind = type(data)
        raise InputError(
            f"score_ray takes a Dataset of Ray's, or paths. Received: {kind.__module__}.{kind.__qualname__}"
        )
    return [str(name) for name in data]


@contextmanager
def ray_errors() -> Iterator[None]:
    """Let a TextsentError that a worker raised in a `with` block say what is wrong, and no more.

    As Ray raises it, it is of that class too, but says in many lines where it was raised::

        with ray_errors():
            score_ray("archive.mbox").write_parquet("scored")

    Raises:
        TextsentError: The error, of the class that it had.
    """
    try:
        yield
    except TextsentError as exc:
        error = getattr(exc, "cause", None)  # of Ray's class
        if not isinstance(error, TextsentError):
            raise
        raise type(error)(str(error).partition("\n")[0]) from exc  # the lines below are Ray's


class _RowScorer:
    """Scores rows, in an actor."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._scorer: Scorer | None = None

    @property
    def scorer(self) -> Scorer:
        """The scorer, loaded when it is needed: what fails in an actor's making isn't told as it is."""
        if self._scorer is None:
            self._scorer = self._job.load()
        return self._scorer

    def __call__(self, rows: pa.Table) -> pa.Table:
        scored = map(self.scorer, rows.combine_chunks().to_batches())
        return pa.Table.from_batches(scored, self.scorer.output_schema(rows.schema))


class _FileScorer(_RowScorer):
    """Reads pieces and scores their rows, in an actor: a table with a column `piece` in."""

    def __init__(self, job: Job, folder: Path, files: dict[str, Any]) -> None:
        super().__init__(job)
        _go_to(folder)
        self._files = files

    def __call__(self, pieces: pa.Table) -> Iterator[pa.Table]:
        for piece in map(Piece.from_json, pieces.column("piece").to_pylist()):
            files = {**self._files, "workers": self.scorer.workers, "span": piece.span}
            with open_reader(piece.sources, **files) as reader:
                yield self.scorer.output_schema(reader.schema).empty_table()  # there may be no rows
                for batch in scored_batches(reader, self.scorer):
                    yield pa.Table.from_batches([batch])
            check_end(piece, reader.bounds)


def _check_columns(data: Dataset, scorer: Scorer) -> None:
    """Check the columns of a dataset, where they are known before it is computed."""
    schema = data.schema(fetch_if_missing=False)
    if schema is not None and isinstance(schema.base_schema, pa.Schema):
        text_column(schema.base_schema, scorer.column)
        scorer.output_schema(schema.base_schema)


def _for_workers(job: Job, gpus_per_worker: float) -> Job:
    """Return a job whose scorer takes what an actor has."""
    settings = dict(job.scorer)
    device = settings.get("device", "auto")
    if gpus_per_worker < 0:
        raise OptionError(f"the GPUs of a scorer must be 0 or more. Received: {gpus_per_worker:g}")
    if device == "gpu" and not gpus_per_worker:
        raise OptionError("on Ray a scorer has no GPU unless it is given one: --gpus-per-worker 1")
    if device == "cpu" and gpus_per_worker:
        raise OptionError("--gpus-per-worker is for scoring on GPUs: leave it out, or --device cpu")
    settings["device"] = "gpu" if gpus_per_worker else "cpu"
    settings["workers"] = settings.get("workers") or 1
    return replace(job, scorer=settings)


@dataclass(frozen=True)
class _Room:
    """What a cluster has for scorers.

    Attributes:
        cores: Of a scorer.
        gpus: Of a scorer.
        scorers: By machine, those that it has room for.
    """

    cores: int
    gpus: float
    scorers: dict[str, int]

    @classmethod
    def of_cluster(cls, job: Job, gpus: float) -> _Room:
        """Return the room of the cluster that Ray is connected to.

        Raises:
            OptionError: It has no GPUs, and they are wanted.
        """
        import ray

        machines = {node["NodeID"]: node["Resources"] for node in ray.nodes() if node["Alive"]}
        if gpus and not any(resources.get("GPU") for resources in machines.values()):
            raise OptionError("the cluster has no GPU: leave out --gpus-per-worker to score on its cores")
        cores = job.scorer["workers"]
        scorers = {
            machine: math.floor(
                min(
                    resources.get("CPU", 0) / cores,
                    resources.get("GPU", 0) / gpus if gpus else math.inf,
                )
            )
            for machine, resources in machines.items()
        }
        return cls(cores, gpus, {machine: count for machine, count in scorers.items() if count})

    def for_scorers(self, concurrency: int | None) -> int:
        """Return how many scorers there are to be.

        Raises:
            OptionError: There is no room for them.
        """
        most = sum(self.scorers.values())
        each = f"{self.cores} {'core' if self.cores == 1 else 'cores'}"
        each += f" and {self.gpus:g} GPUs" if self.gpus else ""
        if concurrency is not None and concurrency < 1:
            raise OptionError(f"there must be at least one scorer. Received: {concurrency}")
        if most < (concurrency or 1):
            raise OptionError(
                f"the cluster has room for {most} scorers of {each}, not for {concurrency or 1}: "
                + ("lower --concurrency, or add machines" if most else "give each fewer, or add machines")
            )
        return concurrency or most

    @property
    def of_a_scorer(self) -> dict[str, Any]:
        """What an actor is made with."""
        # By default Ray Data does a piece anew for ever, whatever workers it ends.
        retries = {"max_restarts": -1, "max_task_retries": _ATTEMPTS - 1}
        return {"num_cpus": self.cores, "num_gpus": self.gpus or None, **retries}

    def check_machines(self, job: Job) -> None:
        """Check that a job can be done on every machine that has room for scorers.

        Raises:
            OptionError: Another textsent is on one, or none.
            PresetError: There is no such preset on one, or it is another one.
        """
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        check = ray.remote(num_cpus=0, max_retries=0)(_check)
        asked = [
            check.options(scheduling_strategy=NodeAffinitySchedulingStrategy(machine, soft=False)).remote(job)
            for machine in self.scorers
        ]
        try:
            found = ray.get(asked, timeout=_CHECK_SECONDS)
        except ray.exceptions.GetTimeoutError as exc:
            raise OptionError(
                f"the cluster has started no worker in {_CHECK_SECONDS} seconds: see what `ray status` says"
            ) from exc
        except ray.exceptions.RayError as exc:
            raise OptionError(
                f"Ray's workers can't load textsent: install textsent {__version__} on all machines of the cluster"
            ) from exc
        for error in filter(None, found):
            raise getattr(errors, error["error"])(error["message"])


def _check(job: Job) -> dict[str, str] | None:
    try:
        job.check()
    except TextsentError as exc:
        return _as_data(exc)
    return None


def _check_extra() -> None:
    show_pandas()  # Ray Data imports it
    try:
        import ray.data  # noqa: F401
    except ImportError as exc:
        raise MissingExtraError(
            f"Ray is needed, and {exc.name} isn't installed: pip install 'textsent[ray]'"
        ) from exc


def _check_address(address: str | None) -> None:
    """Check that an address is one, and that something is there."""
    if address is None or address in ("auto", "local"):
        return
    if "://" in address:
        raise OptionError(
            f"there is no way through {address.partition('://')[0]}:// for Ray Data: run textsent on a machine of "
            "the cluster with --address auto, for instance by ray job submit"
        )
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise OptionError(f"--address needs host:port, or auto. Received: {address!r}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
    except (OSError, OverflowError) as exc:
        raise OptionError(f"Ray's cluster at {address} can't be reached: {exc}: check --address") from exc


@contextmanager
def _connected(address: str | None) -> Iterator[None]:
    """Connect to a cluster, or begin one, unless Ray is initialized, and undo that at the end."""
    import ray

    if ray.is_initialized():
        with _quiet():
            yield
        return
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # else it writes to the terminal, past Python
    with _standard_error_aside():  # where it tells of that
        _connect(address, object_store_memory=_STORE_BYTES)
    try:
        with _quiet():
            yield
    finally:
        ray.shutdown()


def _connect(address: str | None, **of_own_cluster: Any) -> None:
    """Connect to a cluster, or begin one on this machine.

    Raises:
        OptionError: It can't be reached, or begun.
    """
    import ray

    address = address or os.environ.get("RAY_ADDRESS") or "local"
    _check_address(address)
    settings: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    if address == "local":
        settings |= {"num_cpus": usable_cores(), "include_dashboard": False, **of_own_cluster}
    try:
        with _signals_kept():
            ray.init(address, **settings)
    except Exception as exc:  # Ray raises that class itself, among others
        reason = (str(exc).splitlines() or [type(exc).__name__])[0].rstrip(".")
        where = "can't be begun on this machine" if address == "local" else f"at {address} can't be reached"
        raise OptionError(f"Ray's cluster {where}: {reason}: see what `ray status` says") from exc


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Keep what SIGTERM does, for which Ray has its own way."""
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if is_main:
            signal.signal(signal.SIGTERM, before)


@contextmanager
def _standard_error_aside() -> Iterator[None]:
    """Let nothing through to standard error, whoever writes there."""
    sys.stderr.flush()
    kept, nowhere = os.dup(_STANDARD_ERROR), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STANDARD_ERROR)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, _STANDARD_ERROR)
        os.close(kept)
        os.close(nowhere)


_STANDARD_ERROR = 2


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Ray Data from writing to the terminal; its files of logs have all of it."""
    handlers = [
        handler for handler in logging.getLogger("ray.data").handlers if isinstance(handler, logging.StreamHandler)
    ]
    levels = [handler.level for handler in handlers]
    for handler in handlers:
        handler.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for handler, level in zip(handlers, levels, strict=True):
            handler.setLevel(level)
