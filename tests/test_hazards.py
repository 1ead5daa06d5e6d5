import json
from pathlib import Path

import pytest

from textsent.readers import open_reader

FOLDER = Path(__file__).parent / "data" / "mail"
EXPECTED = json.loads((FOLDER / "expected.json").read_text("utf-8"))


def of(expected, key, number, default):
    """Return what is expected of a message, by its number."""
    return expected.get(key, {}).get(str(number), default)


@pytest.mark.parametrize("name", EXPECTED)
def test_mail_is_read_whatever_wrote_it(name):
    expected = EXPECTED[name]
    with open_reader(FOLDER / name) as reader:
        rows = [row for batch in reader for row in batch.to_pylist()]
    assert [row["subject"] for row in rows] == expected["subjects"]
    for number, (row, phrase) in enumerate(zip(rows, expected["phrases"], strict=True)):
        text = " ".join((row["text"] or "").split())
        assert phrase in text if phrase else not text
        assert [words for words in of(expected, "absent", number, []) if words in text] == []
        assert set(of(expected, "flags", number, [])) <= set(row["flags"])
        assert set(of(expected, "not_flags", number, [])).isdisjoint(row["flags"])
        date = row["date"] and row["date"].isoformat()
        assert date == of(expected, "dates", number, date)


def test_every_hazard_is_expected():
    assert {path.name for path in FOLDER.iterdir()} == {"expected.json", *EXPECTED}
    assert len(EXPECTED) >= 50
