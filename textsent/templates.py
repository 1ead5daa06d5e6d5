"""What sentences are made of: words and patterns about mails, tickets and everyday reviews, with a known tone.

A film review seldom says that a parcel is late or that an agent was kind. What is said here by a word whose tone
lexicons know, or as a customer would tell it, is put into frames by `textsent.frames`: denied, compared, doubted,
asked and answered, told of others or of the past, or with neutral words around. The kinds are those that Ribeiro et
al. test a model's behaviour by ("Beyond Accuracy: Behavioral Testing of NLP Models with CheckList", 2020); all
wording is our own.

The tables are in the text files of `textsent/wording`, a pattern a line, each in a file of its name or under a
heading. In a pattern `[a|b]` is one of two, `[a|]` one or nothing, and `{name}` one of what stands in the table of
that name, or what a frame puts there.
"""

from __future__ import annotations

from collections import defaultdict
from importlib.resources import files

_HEADING = "## "


def _tables() -> dict[str, tuple[str, ...]]:
    """Return the lines of each table, by its name."""
    tables: dict[str, list[str]] = defaultdict(list)
    for file in sorted(files(__package__).joinpath("wording").iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".txt"):
            continue
        name = file.name.removesuffix(".txt").replace("_", " ")
        for line in file.read_text("utf-8").splitlines():
            if line.startswith(_HEADING):
                name = line.removeprefix(_HEADING)
            elif line and not line.startswith("#"):
                tables[name].append(line)
    return {name: tuple(lines) for name, lines in tables.items()}


TABLES: dict[str, tuple[str, ...]] = {
    **_tables(),
    "number": tuple(map(str, range(2, 60))),
    "code": tuple(f"{part}{7919 * part % 9973}" for part in range(11, 99)),
}
"""The lines of each table, by its name."""
