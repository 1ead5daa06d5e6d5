"""Make textsent/sentences.json: what NLTK's Punkt learns of sentences from texts.

python scripts/train_sentences.py train.parquet unlabelled.parquet

The texts stand in the column `text`. The shipped file was made from the reviews of the Large Movie Review Dataset
that are for training: the 25,000 labelled ones and the 50,000 others. That takes some minutes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import textsent
from textsent.sentences import PARAMETERS_FILE, learn


def texts_of(paths: list[str]) -> Iterator[str]:
    """Yield the texts of files, thousands as one with blank lines between."""
    for path in paths:
        with textsent.open_reader(path) as reader:
            for batch in reader:
                yield "\n\n".join(filter(None, batch.column("text").to_pylist()))


def main() -> None:
    """Write the file into the package."""
    target = Path(textsent.__file__).with_name(PARAMETERS_FILE)
    target.write_text(json.dumps(learn(texts_of(sys.argv[1:])), ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(f"{target}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
