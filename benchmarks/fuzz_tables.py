"""Mutated tables and texts, read by the hundred thousand: no exception but a refusal, no row lost.

python -m benchmarks.fuzz_tables [--files 100000] [--seed 0]

CSV, JSON Lines and Parquet are sprinkled with what parsers stumble over, cut and overwritten, and read. Each mark
that a CSV file still holds must come out in a row or a column's name; there must be a row for each line of text and
JSON; and whatever the blocks that a file is read in, the rows must be the same.
"""

import argparse
import io
import json
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from textsent import encodings
from textsent.errors import InputError
from textsent.readers import open_reader
from textsent.tables import TableOptions

SLOW_SECONDS = 5.0

_MARK = re.compile(rb"t\d+t")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TOKENS = [
    b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xc3", _BYTE_ORDER_MARK, b";", b"\t", b" ",
    b"x" * 40, b"{", b"}", b"[", b"]", b"\\", b"\\ud800", b"null", b"NaN", b"1e999", b"-", b"PAR1",
]  # fmt: skip


def mutated(data: bytes, chosen: random.Random) -> bytes:
    """Return data with a few things done to it."""
    changed = bytearray(data)
    for _ in range(chosen.randint(1, 5)):
        at = chosen.randint(0, len(changed))
        kind = chosen.randrange(4)
        if kind == 0:
            changed[at:at] = chosen.choice(_TOKENS)
        elif kind == 1:
            del changed[at : at + chosen.choice([1, 1, 3, 20])]
        elif kind == 2 and changed:
            changed[min(at, len(changed) - 1)] = chosen.randrange(256)
        else:
            changed[at:at] = changed[at : at + chosen.choice([1, 8, 60])]
    return bytes(changed)


def check_csv(path: Path, chosen: random.Random) -> Counter[str]:
    """Read a mutated CSV file, and return what became of its rows."""
    lines = ["id,text"]
    for row in range(chosen.randint(1, 12)):
        words = chosen.choice(["so good", "caf\u00e9", 'say ""no""', "a\nb", "a, b", ""])
        lines.append(f'{row},"{words} t{row}t"' if chosen.random() < 0.6 else f"{row},good t{row}t")
    data = mutated(chosen.choice(["\n", "\r\n"]).join(lines).encode(), chosen)
    names, rows = _read(path, data, delimiter=",")
    found = "".join([*names, *(str(value) for row in rows for value in row)]).encode()
    lost = set(_MARK.findall(data)) - set(_MARK.findall(found))
    assert not lost, f"lost {lost} of {data!r}"
    with _blocks_of(chosen.randint(4, 12)):
        assert _read(path, data, delimiter=",") == (names, rows), data
    return _problems(rows)


def check_lines(path: Path, chosen: random.Random) -> Counter[str]:
    """Read mutated JSON Lines, as they are and as text, and return what became of the rows."""
    values = [
        {"text": f"good {row}", "n": chosen.choice([row, None, 0.5, "x"]), "o": {"a": [row]}} for row in range(8)
    ]
    data = mutated("".join(json.dumps(value) + "\n" for value in values).encode(), chosen)
    lines = data.removeprefix(_BYTE_ORDER_MARK).splitlines()
    _, rows = _read(path.with_suffix(".txt"), data)
    assert len(rows) == len(lines), data
    names, rows = _read(path, data)
    assert len(rows) == sum(1 for line in lines if line.strip()), data
    with _blocks_of(chosen.randint(4, 12)):
        assert _read(path, data) == (names, rows), data
    return _problems(rows)


def check_parquet(path: Path, chosen: random.Random) -> Counter[str]:
    """Read a mutated Parquet file, and return what became of its rows."""
    try:
        return _problems(_read(path, mutated(_PARQUET, chosen))[1])
    except InputError:
        return Counter({"refused": 1})


CHECKS: dict[str, Callable[[Path, random.Random], Counter[str]]] = {
    "csv": check_csv,
    "jsonl": check_lines,
    "parquet": check_parquet,
}


def _parquet() -> bytes:
    texts = pa.array(["so good", None, "caf\u00e9"] * 20)
    table = pa.table({"text": texts, "n": pa.array(range(60)), "tags": pa.array([["x"], None, []] * 20)})
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=25)
    return sink.getvalue()


_PARQUET = _parquet()


def _read(path: Path, data: bytes, **options: Any) -> tuple[list[str], list[list[Any]]]:
    path.write_bytes(data)
    table = TableOptions(encoding="utf-8", keep_bad_rows=True, may_guess=True, **options)
    with open_reader(path, table=table) as reader:
        rows = [list(row.values()) for batch in reader for row in batch.to_pylist()]
        return reader.schema.names, [[repr(value) for value in row[:-2]] + row[-2:] for row in rows]


def _problems(rows: list[list[Any]]) -> Counter[str]:
    return Counter(re.sub(r"^wrong type.*", "wrong type", row[-2] or "good") for row in rows)


@contextmanager
def _blocks_of(size: int) -> Iterator[None]:
    usual = encodings.BLOCK_BYTES
    encodings.BLOCK_BYTES = size
    try:
        yield
    finally:
        encodings.BLOCK_BYTES = usual


def main() -> None:
    """Read mutated files, and print what became of their rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=100_000, help="of each format")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for format, check in CHECKS.items():
            found: Counter[str] = Counter()
            slowest = 0.0
            for seed in range(options.seed, options.seed + options.files):
                started = time.perf_counter()
                try:
                    found += check(Path(folder) / f"a.{format}", random.Random(seed))
                except InputError:  # of a header that can't be told, or a file that is something else
                    found["refused"] += 1
                except BaseException:
                    print(f"{format}, seed {seed}:")
                    raise
                slowest = max(slowest, time.perf_counter() - started)
                assert slowest < SLOW_SECONDS, f"{format}, seed {seed} took {slowest:.1f} s"
            rows = ", ".join(f"{name} {count:,}" for name, count in found.most_common())
            print(f"{format}: {options.files:,} mutated files, slowest {slowest:.2f} s; rows: {rows}", flush=True)


if __name__ == "__main__":
    main()
