import pyarrow as pa
import pytest

from textsent.errors import InputError, OptionError
from textsent.schema import (
    MAIL_SCHEMA,
    NO_TEXT,
    RAW_FIELDS,
    SCORE_SCHEMA,
    is_mail,
    is_text,
    scored_schema,
    text_column,
)

SCORE_COLUMNS = ["sentiment", "score", "words", "coverage", "error"]


def schema(**columns):
    return pa.schema(list(columns.items()))


def types(columns):
    return {field.name: field.type for field in columns}


def test_a_mail_has_eleven_columns():
    assert types(MAIL_SCHEMA) == {
        "message_id": pa.string(),
        "date": pa.timestamp("ms", "UTC"),
        "from": pa.string(),
        "to": pa.string(),
        "subject": pa.string(),
        "in_reply_to": pa.string(),
        "list_id": pa.string(),
        "text": pa.string(),
        "attachments": pa.int32(),
        "flags": pa.list_(pa.string()),
        "offset": pa.int64(),
    }


def test_the_bytes_of_a_mail_have_columns_of_their_own():
    assert types(RAW_FIELDS) == {
        "raw_separator": pa.binary(),
        "raw_content": pa.large_binary(),
        "raw_begins": pa.bool_(),
    }
    assert not set(RAW_FIELDS.names) & {*MAIL_SCHEMA.names, *SCORE_COLUMNS}


def test_every_reason_why_a_mail_has_no_text_is_a_word_or_two():
    assert set(NO_TEXT) == {"encrypted", "images_only", "attachments_only", "oversize", "unreadable"}
    assert all(reason and "_" not in reason for reason in NO_TEXT.values())


def test_scoring_adds_five_columns():
    assert types(SCORE_SCHEMA) == {
        "sentiment": pa.string(),
        "score": pa.float32(),
        "words": pa.int32(),
        "coverage": pa.float32(),
        "error": pa.string(),
    }


def test_added_columns_come_after_those_that_came_in():
    came_in = schema(id=pa.int64(), text=pa.large_string())
    assert scored_schema(came_in) == pa.schema([*came_in, *SCORE_SCHEMA])


def test_a_prefix_stands_before_the_names_of_the_added_columns_alone():
    names = scored_schema(schema(text=pa.string(), score=pa.int8()), "ts_").names
    assert names == ["text", "score", *("ts_" + name for name in SCORE_COLUMNS)]


def test_metadata_and_nullability_of_what_came_in_stay():
    came_in = pa.schema([pa.field("text", pa.string(), nullable=False, metadata={"a": "b"})], {"pandas": "{}"})
    scored = scored_schema(came_in)
    assert scored.metadata == {b"pandas": b"{}"}
    assert scored.field("text").equals(came_in.field("text"), check_metadata=True)


def test_the_name_of_the_model_is_metadata_beside_what_came_in():
    came_in = pa.schema([("text", pa.string())], {"pandas": "{}", "textsent.model": "older"})
    assert scored_schema(came_in, model="newer").metadata == {b"pandas": b"{}", b"textsent.model": b"newer"}
    assert scored_schema(schema(text=pa.string()), model="newer").metadata == {b"textsent.model": b"newer"}
    assert scored_schema(schema(text=pa.string())).metadata is None


def test_columns_that_came_in_may_share_a_name():
    came_in = pa.schema([("a", pa.string()), ("a", pa.int64())])
    assert scored_schema(came_in).names == ["a", "a", *SCORE_COLUMNS]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ["text", "score"],
            "the input already has the column 'score': "
            "give the added columns a prefix, for instance --prefix textsent_",
        ),
        (
            ["words", "text", "error"],
            "the input already has the columns 'words', 'error': "
            "give the added columns a prefix, for instance --prefix textsent_",
        ),
    ],
)
def test_an_added_column_must_not_have_the_name_of_one_that_came_in(names, message):
    with pytest.raises(OptionError) as error:
        scored_schema(pa.schema([(name, pa.string()) for name in names]))
    assert str(error.value) == message


def test_an_added_column_must_not_have_the_name_of_one_that_came_in_with_the_prefix():
    with pytest.raises(OptionError) as error:
        scored_schema(schema(ts_score=pa.string()), "ts_")
    assert str(error.value).startswith("the input already has the column 'ts_score': ")


def test_the_column_named_text_holds_the_texts():
    assert text_column(schema(title=pa.string(), text=pa.string())) == "text"


def test_the_only_column_of_strings_holds_the_texts():
    assert text_column(schema(id=pa.int64(), review=pa.string())) == "review"


def test_the_only_column_of_strings_holds_the_texts_where_text_holds_numbers():
    assert text_column(schema(text=pa.int64(), review=pa.string())) == "review"


def test_the_column_asked_for_holds_the_texts():
    assert text_column(schema(title=pa.string(), text=pa.string()), "title") == "title"


@pytest.mark.parametrize(
    ("columns", "name", "message"),
    [
        (
            schema(title=pa.string(), body=pa.string()),
            None,
            "no column is named 'text' and 2 hold strings: choose one with --text-column. "
            "The columns are 'title', 'body'",
        ),
        (
            schema(id=pa.int64()),
            None,
            "no column is named 'text' and none holds strings: choose one with --text-column. The columns are 'id'",
        ),
        (
            schema(),
            None,
            "no column is named 'text' and none holds strings: choose one with --text-column. The columns are none",
        ),
        (
            schema(id=pa.int64(), text=pa.string()),
            "body",
            "there is no column 'body': choose one with --text-column. The columns are 'id', 'text'",
        ),
        (
            schema(id=pa.int64(), text=pa.string()),
            "id",
            "the column 'id' holds int64, not strings: choose one with --text-column. The columns are 'id', 'text'",
        ),
    ],
)
def test_a_column_of_texts_that_cannot_be_told_is_an_error(columns, name, message):
    with pytest.raises(InputError) as error:
        text_column(columns, name)
    assert str(error.value) == message


@pytest.mark.parametrize("name", ["text", None])
def test_two_columns_of_the_name_are_an_error(name):
    with pytest.raises(InputError) as error:
        text_column(pa.schema([("text", pa.string()), ("text", pa.string())]), name)
    assert str(error.value) == "2 columns are named 'text': rename them"


@pytest.mark.parametrize("name", ["a", None])
def test_a_column_of_numbers_with_the_name_of_the_column_of_strings_is_an_error(name):
    with pytest.raises(InputError) as error:
        text_column(pa.schema([("a", pa.string()), ("a", pa.int64())]), name)
    assert str(error.value) == "2 columns are named 'a': rename them"


@pytest.mark.parametrize("value_type", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_strings_and_dictionaries_of_strings_are_text(value_type):
    assert is_text(value_type)
    assert is_text(pa.dictionary(pa.int32(), value_type))


@pytest.mark.parametrize(
    "data_type",
    [pa.null(), pa.int64(), pa.binary(), pa.list_(pa.string()), pa.dictionary(pa.int32(), pa.int64())],
    ids=str,
)
def test_other_types_are_no_text(data_type):
    assert not is_text(data_type)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (MAIL_SCHEMA, True),
        (pa.schema([*MAIL_SCHEMA, *RAW_FIELDS]), True),
        (schema(text=pa.string(), flags=pa.list_(pa.string())), False),
        (schema(text=pa.string(), flags=pa.string()), False),
        (schema(text=pa.string(), flags=pa.list_(pa.int64())), False),
        (schema(text=pa.string()), False),
        (pa.schema([("flags", pa.list_(pa.string()))] * 2), False),
        (schema(), False),
    ],
)
def test_mails_are_told_by_their_flags(columns, expected):
    assert is_mail(columns) == expected
