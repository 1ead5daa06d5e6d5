"""What scoring at scale costs and where it bends: rates measured here, and a simulation of pieces over workers.

python -m benchmarks.scale [--megabytes 8] [--workers 64] [--terabytes 1] [--latency 0.03] [--bandwidth 90]

The rates are of processor time, so that other work on the machine doesn't count. The simulation hands each piece to
the worker that is free first, as `--engine local` and Ray do, and knows nothing of the network but the time of a
request and the bytes a second of a connection, which are assumptions.
"""

from __future__ import annotations

import argparse
import base64
import heapq
import tempfile
import time
import tracemalloc
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.generate import texts
from textsent.files import score_file
from textsent.mbox import _LOOK_BACK
from textsent.outputfolder import Part
from textsent.pieces import PIECE_BYTES, Piece
from textsent.presets import checksum, find_preset
from textsent.readers import open_reader
from textsent.score import load
from textsent.sources import Span

READ_BYTES = 1 << 20
"""Of a mailbox behind a URL, a request."""

REQUESTS_OF_A_FILE = 3
"""Its size, twice, and its content."""

ATTACHMENTS = {"short mails": 0, "mails with 70 kB of attachments": 50_000}


def write_mailbox(path: Path, size: int, attachment: int) -> int:
    """Write mails of 40 words, each with so many bytes attached; return their number."""
    random = np.random.default_rng(2)
    number = 0
    with path.open("wb") as file:
        for text in texts(seed=3):
            number += 1
            body = " ".join(islice(text.split(), 40)).encode()
            file.write(b"From ann@example.com Tue Feb  3 09:14:22 2026\nFrom: ann@example.com\nSubject: x\n")
            if attachment:
                content = base64.encodebytes(random.bytes(attachment))
                file.write(
                    b'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b\n'
                    b"Content-Type: text/plain\n\n%s\n--b\nContent-Type: application/pdf\n"
                    b"Content-Transfer-Encoding: base64\n\n%s--b--\n\n" % (body, content)
                )
            else:
                file.write(b"\n%s\n\n" % body)
            if file.tell() >= size:
                break
    return number


def rates(megabytes: int) -> Iterator[tuple[str, float, float, float]]:
    """Yield of each kind of mail its name, and of a core second: MB scored, MB read alone, and mails scored."""
    scorer = load(device="cpu", workers=1)
    with tempfile.TemporaryDirectory() as folder:
        path, output = Path(folder, "in.mbox"), Path(folder, "scored.parquet")
        for kind, attachment in ATTACHMENTS.items():
            mails = write_mailbox(path, megabytes * 10**6, attachment)
            size = path.stat().st_size / 1e6
            started = time.process_time()
            score_file(path, output, scorer, overwrite=True)
            scored = time.process_time()
            with open_reader(path) as reader:
                for _ in reader:
                    pass
            yield kind, size / (scored - started), size / (time.process_time() - scored), mails / (scored - started)


def driver_bytes(pieces: int) -> float:
    """Return the bytes that whoever runs a job holds of each piece and its part."""
    tracemalloc.start()
    held = [
        (
            Piece(number, ("s3://box/archive.mbox",), Span(number, number + 1), 1),
            Part(
                number, f"part-{number:06}.parquet", 1000, 0, {"positive": number}, {"no words": 1}, {},
                [("s3://box/archive.mbox", 1000)], (number, number + 1), [], 1, f"{number:064x}",
            ),
        )
        for number in range(pieces)
    ]  # fmt: skip
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / len(held)


def schedule(seconds: Iterable[float], workers: int) -> tuple[float, float]:
    """Return the seconds that pieces take on workers, in this order, and the share of workers that have one."""
    free = [0.0] * workers
    total = 0.0
    for piece in seconds:
        total += piece
        heapq.heapreplace(free, free[0] + piece)
    return max(free), total / max(free) / workers


def piece_seconds(
    size: float, rate: float, options: argparse.Namespace, files: int = 1, begin: float = 0.1, cut: bool = True
) -> float:
    """Return the seconds of a piece: its processor time or, where that is longer, the time until it is read.

    Args:
        size: Bytes.
        rate: Bytes a core second.
        options: `latency`, `bandwidth`.
        files: That it consists of.
        begin: Seconds before anything is read.
        cut: Whether it is a span, before which is looked for what its first message is within.
    """
    read = size + (_LOOK_BACK if cut else 0)
    requests = files * REQUESTS_OF_A_FILE + read / READ_BYTES
    return begin + max(size / rate, requests * options.latency + read / (options.bandwidth * 1e6))


def cases(rate: float, begin: float, options: argparse.Namespace) -> Iterator[tuple[str, float, float]]:
    """Yield what is scored, how, the hours that it takes, and the share of workers that have a piece meanwhile."""
    size, random = options.terabytes * 1e12, np.random.default_rng(1)

    def of(pieces: Iterable[float]) -> tuple[float, float]:
        elapsed, busy = schedule(pieces, options.workers)
        return elapsed / 3600, busy

    def alike(piece: float, **settings: float | bool) -> list[float]:
        return [piece_seconds(piece, rate, options, begin=begin, **settings)] * int(-(-size // piece))

    yield "one mailbox, whole", *of([piece_seconds(size, rate, options, cut=False)])
    for piece in (16 << 20, PIECE_BYTES, 1 << 30, 16 << 30):
        yield f"one mailbox, pieces of {piece >> 20:,} MiB", *of(alike(piece))
    yield "one mailbox, 128 MiB, four workers a core", *_shared(alike(PIECE_BYTES), size, rate, options)
    mails = 75e3
    yield "a file a mail of 75 kB, 128 MiB", *of(alike(PIECE_BYTES, files=int(PIECE_BYTES / mails), cut=False))
    yield (
        "the same, four workers a core",
        *_shared(alike(PIECE_BYTES, files=int(PIECE_BYTES / mails), cut=False), size, rate, options),
    )
    for name, piece in (("128", PIECE_BYTES), ("32", PIECE_BYTES >> 2)):
        skewed = random.lognormal(0, 1.5, max(1, int(size / piece)))
        skewed *= size / rate / skewed.sum()
        yield f"pieces of {name} MiB that take differently long (σ = 1.5)", *of(begin + skewed)
    files = random.pareto(1.1, 3000) + 0.01
    files *= size / files.sum()
    whole = [piece_seconds(file, rate, options, cut=False) for file in files]
    yield "3,000 compressed mailboxes (Pareto, 1.1), by name", *of(whole)
    yield "the same, the largest first", *of(sorted(whole, reverse=True))


def _shared(seconds: list[float], size: float, rate: float, options: argparse.Namespace) -> tuple[float, float]:
    """Return hours and share for workers that are four to a core: they wait together, but compute in turn."""
    elapsed, busy = schedule(seconds, 4 * options.workers)
    return max(elapsed, size / rate / options.workers) / 3600, busy


def main() -> None:
    """Measure, simulate, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=8, help="of each mailbox that is measured")
    parser.add_argument("--terabytes", type=float, default=1)
    parser.add_argument("--workers", type=int, default=64, help="of a core each")
    parser.add_argument("--latency", type=float, default=0.03, help="seconds until a store answers")
    parser.add_argument("--bandwidth", type=float, default=90, help="MB/s of a connection")
    options = parser.parse_args()
    started = time.process_time()
    checksum(find_preset("imdb-lstm"))
    begin = time.process_time() - started
    print(f"before a piece, to check the model: {begin:.2f} s of a core")
    print(f"whoever runs the job holds of each piece: {driver_bytes(20_000):,.0f} bytes")
    found = list(rates(options.megabytes))
    for kind, all_of_it, reading, mails in found:
        print(f"{kind}: {all_of_it:,.1f} MB/s of a core, {mails:,.0f} mails/s; reading alone {reading:,.1f} MB/s")
    for kind, all_of_it, _, _ in found:
        core_hours = options.terabytes * 1e12 / (all_of_it * 1e6) / 3600
        print(f"\n{options.terabytes:g} TB of {kind}: {core_hours:,.1f} core-hours; {options.workers} workers:")
        for case, hours, busy in cases(all_of_it * 1e6, begin, options):
            print(f"  {case:<56} {hours:>8,.2f} h, {busy:>4.0%} at work")


if __name__ == "__main__":
    main()
