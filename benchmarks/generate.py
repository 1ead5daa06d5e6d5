"""Made texts: words of the shipped vocabulary by Zipf's law, in texts as long as film reviews.

python -m benchmarks.generate csv 1000 made.csv     a file of 1,000 MB
"""

import argparse
import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from textsent.preprocess import Preprocessor
from textsent.presets import find_preset

MEAN_WORDS, SPREAD = 233, 0.65
"""Of a film review: mean, and standard deviation of the logarithm."""


def texts(seed: int = 0, filler: int = 0) -> Iterator[str]:
    """Yield texts without end, each with a last word of `filler` letters, as a mail has its tracking links."""
    vocabulary = np.array(Preprocessor.from_preset(find_preset("imdb-lstm")).vocabulary)
    frequency = 1 / (np.arange(len(vocabulary)) + 2.7)  # Zipf and Mandelbrot
    cumulative = np.cumsum(frequency / frequency.sum())
    random = np.random.default_rng(seed)
    middle = np.log(MEAN_WORDS) - SPREAD**2 / 2
    noise = bytes(random.integers(97, 123, filler + 1000).astype(np.uint8)).decode()
    while True:
        lengths = np.maximum(1, random.lognormal(middle, SPREAD, 1000)).astype(int)
        places = np.searchsorted(cumulative, random.random(lengths.sum()), side="right")
        drawn = vocabulary[np.minimum(places, len(vocabulary) - 1)]
        for words in np.split(drawn, np.cumsum(lengths)[:-1]):
            start = int(random.integers(1000))
            yield " ".join([*words, noise[start : start + filler]])


def write_csv(path: Path, size: int, filler: int = 0) -> None:
    """Write a CSV file of at least `size` bytes: number, text."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["number", "text"])
        for number, text in enumerate(texts(filler=filler)):
            writer.writerow([number, text])
            if number % 1000 == 0 and file.tell() >= size:
                return


def write_parquet(path: Path, size: int, filler: int = 0) -> None:
    """Write a Parquet file of at least `size` bytes of text: number, text."""
    import pyarrow as pa
    import pyarrow.parquet

    schema = pa.schema([("number", pa.int64()), ("text", pa.string())])
    written = rows = 0
    made = texts(filler=filler)
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        while written < size:
            chunk = list(islice(made, 1000))
            writer.write_batch(pa.record_batch([range(rows, rows + len(chunk)), chunk], schema=schema))
            written += sum(map(len, chunk))
            rows += len(chunk)


def write_mbox(path: Path, size: int, filler: int = 0) -> None:
    """Write a mailbox of at least `size` bytes; a third of the messages are HTML."""
    with path.open("w", encoding="utf-8") as file:
        for number, text in enumerate(texts(filler=filler)):
            html = number % 3 == 0
            body = f"<html><body><p>{text}</p></body></html>" if html else text
            file.write(
                f"From user{number}@example.com Tue Feb  3 09:14:22 2026\n"
                f"From: User {number} <user{number}@example.com>\n"
                "To: support@example.org\n"
                f"Subject: Message {number}\n"
                "Date: Tue, 03 Feb 2026 09:14:22 +0000\n"
                f"Message-ID: <{number}@example.com>\n"
                "MIME-Version: 1.0\n"
                f"Content-Type: text/{'html' if html else 'plain'}; charset=utf-8\n"
                "Content-Transfer-Encoding: 8bit\n\n"
                f"{body}\n\n"
            )
            if number % 1000 == 0 and file.tell() >= size:
                return


WRITERS = {"csv": write_csv, "parquet": write_parquet, "mbox": write_mbox}


def main() -> None:
    """Write a file from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("format", choices=WRITERS)
    parser.add_argument("megabytes", type=int)
    parser.add_argument("path", type=Path)
    parser.add_argument("--filler", type=int, default=0, help="letters of a last word that no model knows")
    options = parser.parse_args()
    WRITERS[options.format](options.path, options.megabytes * 10**6, options.filler)


if __name__ == "__main__":
    main()
