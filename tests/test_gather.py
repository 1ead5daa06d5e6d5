import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textsent.errors import InputError, OptionError
from textsent.gather import domain_of, gather, picked, sender_of
from textsent.schema import MODEL_KEY
from textsent.tone import NEGATIVE, NEUTRAL, NO_TIME, POSITIVE, UNSCORED

SCORED = {
    "sentiment": ["negative", "positive", "neutral", None],
    "score": [0.1, 0.9, 0.5, None],
    "words": [3, 3, 3, 0],
    "coverage": [1.0, 1.0, 1.0, None],
    "error": [None, None, None, "no words"],
}
TEXTS = ["what a mess", "what a joy", "what a day", "…"]


def written(path, model=None, **columns):
    table = pa.table({**columns, **SCORED})
    pq.write_table(table.replace_schema_metadata({MODEL_KEY: model} if model else None), path)
    return path


def mails(path, **columns):
    usual = {
        "message_id": ["<1>", "<2>", "<3>", "<4>"],
        "from": ["Ada <Ada@Example.org>", "bob@example.org", "Ada <ada@example.org>", None],
        "in_reply_to": [None, "<1>", None, "<9>"],
        "list_id": ["news", "news", None, ""],
        "subject": ["a", "b", "c", "d"],
        "text": TEXTS,
    }
    return written(path, **{**usual, **columns})


def test_all_rows_are_counted(tmp_path):
    found = gather([written(tmp_path / "s.parquet", "imdb-lstm", text=TEXTS)])
    assert found.rows.sentiments.tolist() == [NEGATIVE, POSITIVE, NEUTRAL, UNSCORED]
    np.testing.assert_allclose(found.rows.scores, [0.1, 0.9, 0.5, np.nan], atol=1e-6)
    assert found.rows.times.tolist() == [NO_TIME] * 4
    assert found.errors == {"no words": 1}
    assert found.models == {"imdb-lstm": 4}
    assert found.groupings == ()
    assert found.threads.tolist() == [-1] * 4


def test_words_of_negative_texts_are_counted_apart_and_those_without_a_score_not_at_all(tmp_path):
    found = gather([written(tmp_path / "s.parquet", text=["so bad", "so good", "so so", "bad bad"])])
    assert found.negative_words == {"so": 1, "bad": 1, "good": 0}
    assert found.other_words == {"so": 3, "bad": 0, "good": 1}


def test_mails_are_grouped_by_sender_domain_and_list_whatever_the_case(tmp_path):
    found = gather([mails(tmp_path / "s.parquet")])
    assert [grouping.title for grouping in found.groupings] == ["sender", "domain", "list"]
    sender, domain, lists = found.groupings
    assert list(sender.values) == ["ada@example.org", "bob@example.org"]
    assert sender.codes.tolist() == [0, 1, 0, -1]
    assert domain.codes.tolist() == [0, 0, 0, -1]
    assert lists.codes.tolist() == [0, 0, -1, -1]


def test_any_column_may_group_rows_numbers_too(tmp_path):
    path = written(tmp_path / "s.parquet", text=TEXTS, shop=["x", "y", None, "x"], stars=[1, 5, 1, None])
    shop, stars = gather([path], by=["shop", "stars"]).groupings
    assert (list(shop.values), shop.codes.tolist()) == (["x", "y"], [0, 1, -1, 0])
    assert (list(stars.values), stars.codes.tolist()) == (["1", "5"], [0, 1, 0, -1])


def test_answers_are_in_the_thread_of_what_they_answer_and_two_answers_to_a_missing_mail_too(tmp_path):
    replies = [None, "<1>", "<2>", "<0>"]
    first, second, third, alone = gather([mails(tmp_path / "a.parquet", in_reply_to=replies)]).threads
    assert first == second == third >= 0
    assert alone == -1
    apart = gather([mails(tmp_path / "b.parquet", in_reply_to=["<9>", None, "<9>", None])]).threads
    assert apart[0] == apart[2] >= 0
    assert apart[1] == apart[3] == -1


def test_mails_that_answer_each_other_in_a_ring_end(tmp_path):
    found = gather([mails(tmp_path / "a.parquet", in_reply_to=["<3>", "<1>", "<2>", "<4>"])])
    assert len(found.threads) == 4


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([0, 86400, None, 1], pa.timestamp("s")), [0, 86400, NO_TIME, 1]),
        (pa.array([0, 86400_000, None, 1], pa.timestamp("ms", "UTC")), [0, 86400, NO_TIME, 0]),
        (pa.array([0, 1, None, 2], pa.date32()), [0, 86400, NO_TIME, 2 * 86400]),
        (pa.array(["1970-01-02", "1970-01-01T01:00:30.5Z", "yesterday", None]), [86400, 3630, NO_TIME, NO_TIME]),
        (pa.array(["1970-01-01 00:01", "1970-13-01", "", " 1970-01-01"]), [60, NO_TIME, NO_TIME, 0]),
        (
            pa.array(["1970-01-02T00:00:00+02:00", "1970-02-30", "1970-01-022", "0001-01-01T00:00+05:00"]),
            [79200, NO_TIME, NO_TIME, NO_TIME],
        ),
        (pa.array(["1970-01-02", None, "1970-01-02", "x"], pa.large_string()), [86400, NO_TIME, 86400, NO_TIME]),
    ],
)
def test_dates_of_any_type_are_read_and_what_is_none_is_no_date(tmp_path, values, expected):
    path = written(tmp_path / "s.parquet", date=values, text=TEXTS)
    assert gather([path]).rows.times.tolist() == expected


def test_dates_that_can_not_be_read_are_counted_and_missing_ones_are_none_of_them(tmp_path):
    path = written(tmp_path / "s.parquet", date=["1970-01-02", " ", "5/10/2025", "soon"], text=TEXTS)
    found = gather([path])
    assert (found.unread, found.unread_example) == (2, "5/10/2025")
    assert gather([written(tmp_path / "n.parquet", date=[None] * 4, text=TEXTS)]).unread == 0


def test_a_column_of_numbers_called_date_is_none_and_refused_where_it_is_asked_for(tmp_path):
    path = written(tmp_path / "s.parquet", date=[1, 2, 3, 4], text=TEXTS)
    found = gather([path])
    assert found.rows.times.tolist() == [NO_TIME] * 4
    assert (found.unread, found.unread_example) == (4, "1")
    with pytest.raises(InputError, match="the column 'date' holds int64, not dates"):
        gather([path], date="date")


def test_several_files_are_one(tmp_path):
    paths = [written(tmp_path / f"{name}.parquet", text=TEXTS, shop=["x"] * 4) for name in "ab"]
    found = gather(paths, by=["shop"])
    assert len(found.rows) == 8
    assert found.groupings[0].codes.tolist() == [0] * 8


def test_rows_are_counted_by_the_model_that_scored_them_and_by_file(tmp_path):
    paths = [
        written(tmp_path / f"{name}.parquet", model, text=TEXTS) for name, model in zip("abc", "xyx", strict=True)
    ]
    found = gather([*paths, written(tmp_path / "d.parquet", text=TEXTS)])
    assert found.models == {"x": 8, "y": 4, "": 4}
    assert [rows for _, rows in found.inputs] == [4] * 4


def test_a_file_that_is_named_twice_is_refused_whatever_the_name(tmp_path):
    path = written(tmp_path / "s.parquet", text=TEXTS)
    (tmp_path / "link.parquet").symlink_to(path)
    with pytest.raises(
        OptionError, match=r"s\.parquet is named twice: its rows would count twice, so name it once"
    ):
        gather([path, path])
    with pytest.raises(OptionError, match=r"link\.parquet is named twice, as .*s\.parquet before: "):
        gather([path, tmp_path / "link.parquet"])


def test_equal_texts_that_have_a_score_are_counted(tmp_path):
    assert gather([written(tmp_path / "s.parquet", text=["a", "a", "b", "a"])]).repeated == 1


def test_rows_without_ids_are_a_thread_by_their_subject_where_one_answers(tmp_path):
    subjects = ["Late again", "AW: Re[2]:  late AGAIN", "Late again", "Re: something else"]
    first, second, third, alone = gather([written(tmp_path / "a.parquet", subject=subjects, text=TEXTS)]).threads
    assert first == second == third >= 0
    assert alone == -1
    same = gather([written(tmp_path / "b.parquet", subject=["Question"] * 4, text=TEXTS)])
    assert same.threads.tolist() == [-1] * 4
    with_ids = gather([mails(tmp_path / "c.parquet", subject=["a", "Re: a", "Re: a", "b"], in_reply_to=[None] * 4)])
    assert with_ids.threads.tolist() == [-1] * 4


MAILBOX = b"""\
From ann@example.org Mon Mar  2 09:14:22 2026
X-Textsent-Score: 0.0423
X-Textsent-Sentiment: negative
X-Textsent-Model: imdb-lstm
From: Ann <ann@example.org>
Date: Mon, 2 Mar 2026 09:14:22 +0000
Message-ID: <1>

It broke at once.

From bob@example.org Tue Mar  3 09:14:22 2026
X-Textsent-Score: much
From: bob@example.org
Message-ID: <2>

?

From bob@example.org Wed Mar  4 09:14:22 2026
X-Textsent-Score: 0.9312
X-Textsent-Sentiment: positive
X-Textsent-Model: other
Date: Wed, 4 Mar 2026 09:14:22 +0000
From: bob@example.org

It works.
"""


@pytest.mark.parametrize("prefix", ["", "x_"])
def test_a_mailbox_with_scores_in_its_headers_is_read(tmp_path, prefix):
    path = tmp_path / "annotated.mbox"
    path.write_bytes(MAILBOX)
    found = gather([path], prefix=prefix)
    np.testing.assert_allclose(found.rows.scores, [0.0423, np.nan, 0.9312], atol=1e-6)
    assert found.rows.sentiments.tolist() == [NEGATIVE, UNSCORED, POSITIVE]
    assert (found.rows.times != NO_TIME).tolist() == [True, False, True]
    assert found.errors == {"no score in its header": 1}
    assert found.models == {"imdb-lstm": 1, "other": 1}
    assert list(found.groupings[0].values) == ["ann@example.org", "bob@example.org"]
    assert list(picked([path], np.array([2]), ["text"])) == [(2, {"text": "It works."})]


def test_mailboxes_and_tables_are_not_read_as_one(tmp_path):
    (tmp_path / "a.mbox").write_bytes(MAILBOX)
    table = written(tmp_path / "s.parquet", text=TEXTS)
    with pytest.raises(
        InputError, match=r"a\.mbox and 1 more are mailboxes and other files, which aren't read as one"
    ):
        gather([tmp_path / "a.mbox", table])
    with pytest.raises(InputError, match=r"a\.mbox has other columns than"):
        gather([table, tmp_path / "a.mbox"])


def test_a_mailbox_without_a_score_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "a.mbox").write_bytes(MAILBOX.replace(b"X-Textsent", b"X-Other"))
    with pytest.raises(InputError, match=r"a\.mbox isn't scored, no mail in it has a score.*`textsent score INPUT"):
        gather([tmp_path / "a.mbox"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"by": ["colour"]}, "there is no column 'colour': choose one with --by"),
        ({"date": "when"}, "there is no column 'when': choose one with --date-column"),
        ({"text": "body"}, "there is no column 'body'"),
        ({"prefix": "x_"}, "isn't scored, it lacks the columns x_sentiment, "),
    ],
)
def test_a_column_that_there_is_not_is_an_error_that_says_how_to_name_one(tmp_path, settings, message):
    with pytest.raises(InputError, match=message):
        gather([written(tmp_path / "s.parquet", text=TEXTS)], **settings)


def test_a_file_that_is_not_scored_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "a.csv").write_text("text\nhello\n")
    with pytest.raises(InputError, match=r"a\.csv isn't scored.*score it first with `textsent score"):
        gather([tmp_path / "a.csv"])


def test_an_input_without_rows_and_standard_input_are_refused(tmp_path):
    table = pa.table({"text": pa.array([], pa.string()), **{name: pa.array([], pa.string()) for name in SCORED}})
    pq.write_table(table, tmp_path / "empty.parquet")
    with pytest.raises(InputError, match=r"no rows in .*empty\.parquet"):
        gather([tmp_path / "empty.parquet"])
    with pytest.raises(OptionError, match="reads its input twice"):
        gather(["-"])


def test_columns_with_a_prefix_are_found(tmp_path):
    table = pa.table({"text": TEXTS, **{f"t_{name}": values for name, values in SCORED.items()}})
    pq.write_table(table, tmp_path / "s.parquet")
    assert gather([tmp_path / "s.parquet"], prefix="t_").rows.sentiments.tolist() == [0, 2, 1, 3]


def test_rows_are_picked_by_their_places_over_files(tmp_path):
    paths = [written(tmp_path / f"{name}.parquet", text=[f"{name}{row}" for row in range(4)]) for name in "ab"]
    found = list(picked(paths, np.array([1, 3, 4, 7]), ["text"]))
    assert found == [(1, {"text": "a1"}), (3, {"text": "a3"}), (4, {"text": "b0"}), (7, {"text": "b3"})]


@pytest.mark.parametrize(
    ("field", "sender", "domain"),
    [
        ("Ada Lund <Ada@Example.ORG>", "ada@example.org", "example.org"),
        ("ada@example.org (Ada)", "ada@example.org", "example.org"),
        ("The Crew", "the crew", ""),
        ('"a@b, c" <d@e.org>', "d@e.org", "e.org"),
        ("", "", ""),
        ("<<<>>>" * 500, ("<<<>>>" * 500)[:200], ""),
    ],
)
def test_a_sender_is_an_address_in_lower_case(field, sender, domain):
    assert (sender_of(field), domain_of(field)) == (sender, domain)


def test_scores_of_a_csv_file_with_rows_that_have_none_are_read(tmp_path):
    from pyarrow import csv

    csv.write_csv(pa.table({"text": TEXTS, **SCORED}), tmp_path / "s.csv")
    found = gather([tmp_path / "s.csv"])
    assert found.rows.sentiments.tolist() == [NEGATIVE, POSITIVE, NEUTRAL, UNSCORED]


def test_a_sentiment_without_a_score_counts_for_nothing(tmp_path):
    scores = {**SCORED, "score": [0.1, None, float("nan"), None]}
    pq.write_table(pa.table({"text": TEXTS, **scores}), tmp_path / "s.parquet")
    assert gather([tmp_path / "s.parquet"]).rows.sentiments.tolist() == [NEGATIVE, *[UNSCORED] * 3]


@pytest.mark.parametrize("values", [[0.1, 5.0, None, None], ["0.1", "abc", "", None], [[0.1], [], None, None]])
def test_what_is_no_score_is_refused_by_the_columns_name(tmp_path, values):
    pq.write_table(pa.table({"text": TEXTS, **SCORED, "score": values}), tmp_path / "s.parquet")
    with pytest.raises(InputError, match="the column 'score' must hold scores, 0 … 1") as raised:
        gather([tmp_path / "s.parquet"])
    assert "nan" not in str(raised.value)


@pytest.mark.parametrize("values", [[["a"], [], None, None], [{"x": 1}] * 4, [b"\xff"] * 4])
def test_a_column_that_groups_no_rows_is_refused(tmp_path, values):
    path = written(tmp_path / "s.parquet", text=TEXTS, odd=values)
    with pytest.raises(InputError, match=r"the column 'odd' holds .* choose another one"):
        gather([path], by=["odd"])


def test_a_column_is_grouped_by_once_and_the_only_column_of_strings_is_the_text(tmp_path):
    path = written(tmp_path / "s.parquet", review=TEXTS)
    found = gather([path], by=["review", "review"])
    assert len(found.groupings) == 1
    assert found.text == "review"


def test_a_column_of_dates_that_is_asked_for_must_hold_one(tmp_path):
    path = written(tmp_path / "s.parquet", text=TEXTS, when=["05/10/2025", "soon", None, ""])
    with pytest.raises(InputError, match="nothing in the column 'when' can be read as a date: write"):
        gather([path], date="when")
