import pyarrow as pa
import pytest

from textsent.extremes import HELD_CHARACTERS, MostNegative, place_of
from textsent.schema import MAIL_SCHEMA, SCORE_SCHEMA


def scored(columns: dict, scores: list[float | None], prefix: str = "", limit: float = 0.5) -> pa.RecordBatch:
    sentiments = [None if score is None else "negative" if score < limit else "positive" for score in scores]
    added = {"sentiment": sentiments, "score": scores}
    nothing = [None] * len(scores)
    came_in = pa.record_batch(columns)
    return pa.RecordBatch.from_arrays(
        [*came_in.columns, *(pa.array(added.get(field.name, nothing), field.type) for field in SCORE_SCHEMA)],
        names=[*came_in.schema.names, *(prefix + name for name in SCORE_SCHEMA.names)],
    )  # fmt: skip


def found(*batches: pa.RecordBatch, **settings) -> list[tuple[int, str]]:
    extremes = MostNegative(**settings)
    for batch in batches:
        extremes.add(batch)
    return [(extreme.row, extreme.text) for extreme in extremes.found]


def test_the_three_rows_with_the_lowest_scores_of_all_batches_are_found_in_their_order():
    batches = [
        scored({"text": ["a", "b", "c", "d"]}, [0.4, None, 0.2, 0.9]),
        scored({"text": ["e", "f"]}, [0.1, 0.3]),
    ]
    assert found(*batches) == [(5, "e"), (3, "c"), (6, "f")]


def test_rows_that_are_not_called_negative_are_not_found():
    assert found(scored({"text": ["a", "b", "c"]}, [0.7, None, 0.9])) == []
    assert found(scored({"text": ["a", "b"]}, [0.1, 0.3], limit=0.2)) == [(1, "a")]


def test_of_equal_texts_the_lowest_is_found_and_of_equal_scores_the_first():
    assert found(scored({"text": ["a", "a ", "b"]}, [0.1, 0.1, 0.2])) == [(1, "a"), (3, "b")]
    assert found(scored({"text": ["a", "b"]}, [0.4, 0.2]), scored({"text": ["a"]}, [0.05])) == [(3, "a"), (2, "b")]


def mails(*mails: tuple[str | None, str]) -> dict:
    columns = {"subject": [subject for subject, _ in mails], "text": [text for _, text in mails]}
    return {field.name: pa.array(columns.get(field.name, [None] * len(mails)), field.type) for field in MAIL_SCHEMA}


def test_a_mail_is_shown_by_its_subject_or_else_by_its_text():
    batch = scored(mails(("Timer", "awful"), (None, "bad"), ("", "worse")), [0.1, 0.2, 0.3])
    assert found(batch) == [(1, "Timer"), (2, "bad"), (3, "worse")]


def test_column_and_prefix_are_those_of_the_scorer():
    batch = scored({"text": ["a"], "body": ["b"], "score": [7]}, [0.1], prefix="our_")
    assert found(batch, column="body", prefix="our_") == [(1, "b")]


def test_of_a_huge_text_only_the_beginning_is_held():
    ((_, text),) = found(scored({"text": [" " * 1_000_000 + "x" * 1_000_000]}, [0.1]))
    assert text == "x" * HELD_CHARACTERS


@pytest.mark.parametrize(("row", "place"), [(1, ("a", 1)), (2, ("a", 2)), (3, ("c", 1)), (5, ("c", 3))])
def test_a_row_of_several_inputs_is_found_in_its_own(row, place):
    assert place_of(row, [("a", 2), ("b", 0), ("c", 3)]) == place


def test_a_row_after_the_last_one_is_an_error():
    with pytest.raises(IndexError):
        place_of(3, [("a", 2)])
