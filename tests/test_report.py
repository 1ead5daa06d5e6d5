import html
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textsent import report as module
from textsent.cli import main
from textsent.errors import OutputError, PresetError
from textsent.files import score_file
from textsent.report import ReportOptions, headline, report, write_report
from textsent.schema import MODEL_KEY
from textsent.score import load
from textsent.tone import Rows, timeline, tone_of

NO_MODEL = ReportOptions(model="none")

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(2)>",
    '"><a href="javascript:alert(3)">x</a>',
    "\x1b[31mred\x1b[0m [bold]not bold[/bold]",
    "left \u202eright\u202c to left",
    "{{ 7 * 7 }} {% raw %} \u2028 <!-- -->",
    "w" * 1_000_000,
)


def scored(path, texts, scores, *, dates=None, model=None, **columns):
    """Write a scored file; a score of None is a row without one."""
    sentiments = [
        None if one is None else "negative" if one < 0.4 else "positive" if one > 0.6 else "neutral"
        for one in scores
    ]
    table = pa.table(
        {
            **columns,
            **({} if dates is None else {"date": pa.array(dates, pa.timestamp("ms", "UTC"))}),
            "text": pa.array(texts, pa.string()),
            "sentiment": pa.array(sentiments, pa.string()),
            "score": pa.array(scores, pa.float32()),
            "words": pa.array([3] * len(texts), pa.int32()),
            "coverage": pa.array([1.0] * len(texts), pa.float32()),
            "error": pa.array(["no words" if one is None else None for one in scores], pa.string()),
        }
    )
    pq.write_table(table.replace_schema_metadata({MODEL_KEY: model} if model else None), path)
    return path


def write_weeks(path, mails):
    """Write twenty weeks of so many mails each, one in five of them negative, and in the ninth three in five."""
    start = datetime(2026, 1, 5, 9, tzinfo=UTC)
    numbers = range(20 * mails)
    is_bad = [number % mails % 5 < (3 if number // mails == 8 else 1) for number in numbers]
    return scored(
        path,
        [f"The {'broken' if bad else 'lovely'} lamp, number {number}." for number, bad in enumerate(is_bad)],
        [
            0.05 + 0.1 * (number % mails) / mails if bad else 0.9 - 0.1 * (number % mails) / mails
            for number, bad in enumerate(is_bad)
        ],
        dates=[
            start + timedelta(weeks=number // mails, hours=160 * (number % mails) / mails) for number in numbers
        ],
        message_id=[f"<{number}@x>" for number in numbers],
        **{"from": [f"Person {number % 7} <p{number % 7}@example.org>" for number in numbers]},
        subject=[f"Lamp {number}" for number in numbers],
        shop=[["Lyon", "Oslo", None][number % 3] for number in numbers],
    )


@pytest.fixture(scope="module")
def weeks(tmp_path_factory):
    """Twenty weeks of 60 mails each."""
    return write_weeks(tmp_path_factory.mktemp("weeks") / "weeks.parquet", 60)


def rows_in(page):
    """Return the rows that a page holds to be looked through."""
    found = re.search(r'<script type="application/json" id="rows">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1])


def test_the_bad_week_is_named_at_the_top(weeks, tmp_path):
    found = write_report([weeks], tmp_path / "r.html", NO_MODEL)
    assert found.headline[0].startswith("22% of 1,200 texts are negative (interval of 95 %: ")
    assert found.headline[1] == (
        "The week of 2 March 2026 is the worst of all: 60% of its 60 texts are negative, 20% in the other weeks."
    )
    page = (tmp_path / "r.html").read_text("utf-8")
    assert page.index("The week of 2 March 2026 is the worst of all") < page.index("<main>")


def test_figures_are_of_all_rows_and_texts_a_sample_and_the_page_says_so(weeks, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SHOWN_TEXTS", 200)
    found = write_report([weeks], tmp_path / "r.html", NO_MODEL)
    page = (tmp_path / "r.html").read_text("utf-8")
    assert found.tone.rows == 1200
    assert len(rows_in(page)) == len(found.texts) == 200
    assert "A sample of 200 of 1,200 texts" in page
    assert len({row.date[:7] for row in found.texts}) == 5
    numbers = [row.row for row in found.texts]
    assert numbers == sorted(set(numbers))
    assert report([weeks], NO_MODEL).texts == found.texts


def test_rows_are_grouped_by_sender_and_domain_and_by_what_is_asked_for(weeks):
    found = report([weeks], ReportOptions(model="none", by=("shop",)))
    assert [title for title, _ in found.groups] == ["shop", "sender"]
    (_, shops), (_, senders) = found.groups
    assert {group.value for group in shops} == {"Lyon", "Oslo"}
    assert len(senders) == 7


def test_the_most_negative_and_the_most_positive_come_first(weeks):
    most_negative, most_positive = report([weeks], NO_MODEL).extremes
    assert len(most_negative) == len(most_positive) == module.EXTREMES
    scores = [row.score for row, _ in most_negative]
    assert scores == sorted(scores)
    assert max(scores) < 0.1
    assert min(row.score for row, _ in most_positive) > 0.8


def test_words_that_set_negative_texts_apart_are_told(weeks):
    negative, other = report([weeks], NO_MODEL).words
    assert negative[0].word == "broken"
    assert other[0].word == "lovely"


def test_what_could_not_be_scored_is_counted_by_reason(tmp_path):
    path = scored(tmp_path / "s.parquet", ["a", "b", None], [0.1, None, None])
    write_report([path], tmp_path / "r.html", NO_MODEL)
    page = (tmp_path / "r.html").read_text("utf-8")
    assert '<th scope="row">no words</th><td>2</td>' in page
    only = scored(tmp_path / "n.parquet", ["a"], [None])
    assert report([only], NO_MODEL).headline == ("None of the 1 rows has a score.",)
    write_report([only], tmp_path / "n.html", NO_MODEL)


def test_no_text_can_end_the_data_or_begin_an_element(tmp_path):
    path = scored(
        tmp_path / "s.parquet", [*HOSTILE] * 3, [0.01, 0.99, 0.5] * 7,
        **{"from": [f"{text[:60]} <a@b.org>" for text in [*HOSTILE] * 3]},
        subject=[text[:80] for text in HOSTILE] * 3,
        message_id=[f"<{text[:40]}{number}>" for number, text in enumerate([*HOSTILE] * 3)],
        shop=[text[:50] for text in HOSTILE] * 3,
    )  # fmt: skip
    options = ReportOptions(model="none", by=("shop",), title="</title><script>alert(9)</script>\x1b[1m")
    write_report([path], tmp_path / "r.html", options)
    page = (tmp_path / "r.html").read_text("utf-8")
    assert page.count("<script") == 3
    assert page.count("</script>") == 3
    assert "<img" not in page
    assert not re.search(r"<[^>]*\son\w+=", page)
    assert 'href="javascript' not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert html.escape("<script>alert(1)</script>") in page
    assert len(page) < 400_000
    shown = {row[6] for row in rows_in(page)}
    assert "<script>alert(1)</script>" in shown
    assert "left right to left" in shown


def test_the_policy_lets_nothing_be_loaded_and_no_other_script_run(weeks, tmp_path):
    write_report([weeks], tmp_path / "r.html", NO_MODEL)
    page = (tmp_path / "r.html").read_text("utf-8")
    policy = html.unescape(re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1])
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r'(?:src|href)="(?!#)', page)
    assert "url(" not in page
    assert 'style="' not in page


def test_names_and_addresses_are_replaced_where_that_is_asked_for(tmp_path):
    texts = [
        "Dear Marta, write to marta.keller@firm.example or call +49 170 1234567.",
        "Best wishes, Marta Keller, see https://firm.example/marta",
        "The market is great.",
    ]
    path = scored(
        tmp_path / "s.parquet", texts, [0.1, 0.9, 0.8],
        **{"from": ["Marta Keller <marta.keller@firm.example>"] * 3},
        message_id=["<1>", "<2>", "<3>"], subject=["From Marta", "x", "y"],
    )  # fmt: skip
    write_report([path], tmp_path / "r.html", ReportOptions(model="none", anonymize=True))
    page = (tmp_path / "r.html").read_text("utf-8")
    for secret in ("marta", "keller", "firm.example", "1234567"):
        assert secret not in page.lower()
    assert "Dear [name], write to [address] or call [number]." in {row[6] for row in rows_in(page)}
    assert "The market is great." in page
    assert "person 1" in page
    assert "Names and addresses were replaced" in page


def test_a_csv_and_json_lines_give_the_same_figures(weeks, tmp_path):
    from pyarrow import csv

    table = pq.read_table(weeks)
    csv.write_csv(table.drop_columns("message_id"), tmp_path / "w.csv")
    expected, found = report([weeks], NO_MODEL), report([tmp_path / "w.csv"], NO_MODEL)
    assert found.headline == expected.headline
    assert found.groups == ()
    assert dict(found.models) == {"": 1200}


def test_a_mailbox_with_scores_in_its_headers_gives_the_same_figures_as_a_table(tmp_path):
    inbox = Path(__file__).parents[1] / "examples" / "inbox.mbox"
    paths = [tmp_path / name for name in ("scored.parquet", "scored.mbox")]
    for path in paths:
        score_file(inbox, path, load(device="cpu"))
    table, mailbox = (report([path], NO_MODEL) for path in paths)
    assert mailbox.headline == table.headline
    assert mailbox.models == {"imdb-lstm": 61}
    assert [row.text for row in mailbox.texts] == [row.text for row in table.texts]
    assert [row.row for row in mailbox.texts] == [row.row for row in table.texts]


def test_without_dates_or_texts_there_is_a_page_still(tmp_path):
    path = scored(tmp_path / "s.parquet", ["a", "b"], [0.1, 0.9])
    table = pq.read_table(path).drop_columns("text")
    pq.write_table(table, path)
    found = write_report([path], tmp_path / "r.html", NO_MODEL)
    assert found.line.periods == ()
    assert {row.text for row in found.texts} == {""}


def test_a_page_that_exists_is_replaced_on_demand_alone_and_none_is_left_half_written(weeks, tmp_path):
    page = tmp_path / "r.html"
    page.write_text("mine")
    with pytest.raises(OutputError, match="exists already: choose another name, or replace it with --overwrite"):
        write_report([weeks], page, NO_MODEL)
    assert page.read_text() == "mine"
    write_report([weeks], page, NO_MODEL, overwrite=True)
    assert page.read_text("utf-8").startswith("<!doctype html>")
    with pytest.raises(OutputError, match="there is no folder"):
        write_report([weeks], tmp_path / "none" / "r.html", NO_MODEL)
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]


def test_a_headline_tells_a_lasting_change_and_that_nothing_stands_out():
    codes = [0] * 20 + [2] * 80

    def told(second):
        sentiments = codes * 10 + second * 10
        times = [86400 * 7 * (number // 100) + 4 * 86400 for number in range(len(sentiments))]
        rows = Rows(np.array(sentiments, np.int8), np.array(sentiments, np.float32) / 2, np.array(times, np.int64))
        return headline(tone_of(rows.sentiments, rows.scores), timeline(rows))

    assert told(codes)[1:] == ("No week stands out, and no lasting change is sure.",)
    (change,) = told([0] * 40 + [2] * 60)[1:]
    assert change == "From the week of 16 March 1970 on more texts are negative: 40%, before 20%."


def test_of_several_worst_periods_one_is_the_worst_of_all():
    codes = []
    for day in range(30):
        share = {11: 60, 21: 90}.get(day, 20)
        codes += [0] * share + [2] * (100 - share)
    times = [86400 * (number // 100) for number in range(len(codes))]
    rows = Rows(np.array(codes, np.int8), np.array(codes, np.float32) / 2, np.array(times, np.int64))
    _, first, second = headline(tone_of(rows.sentiments, rows.scores), timeline(rows))
    assert first.startswith("22 January 1970 is the worst of all: 90%")
    assert second.startswith("12 January 1970 is the worst until then: 60%")


def test_where_weeks_of_a_few_texts_are_not_compared_the_headline_says_among_which_it_looked():
    codes, times = [], []
    for week, (bad, texts) in enumerate([(3, 3), *[(20, 100)] * 9, (60, 100), *[(20, 100)] * 9, (70, 100)]):
        codes += [0] * bad + [2] * (texts - bad)
        times += [86400 * (7 * week + 5)] * texts
    rows = Rows(np.array(codes, np.int8), np.array(codes, np.float32) / 2, np.array(times, np.int64))
    _, first, second = headline(tone_of(rows.sentiments, rows.scores), timeline(rows))
    assert first.startswith(
        "The week of 25 May 1970 is the worst of all weeks with 10 texts or more: 70% of its 100"
    )
    assert first.endswith(" texts are negative, 22% in the other weeks.")  # (3 + 18 * 20 + 60) of 1,903
    assert second.startswith(
        "The week of 16 March 1970 is the worst until then among weeks with 10 texts or more: 60%"
    )


def test_rows_of_several_files_say_which_they_are_from_and_models_that_differ_are_told(tmp_path):
    first = scored(tmp_path / "a.parquet", ["bad", "good"], [0.1, 0.9], model="one")
    second = scored(tmp_path / "b.parquet", ["worse", "better"], [0.05, 0.95], model="two")
    found = write_report([first, second], tmp_path / "r.html")
    assert [row.place for row, _ in found.extremes[0]] == ["row 1 of b.parquet", "row 1 of a.parquet"]
    assert found.notes == (
        "Several models scored these rows, and scores may differ for that alone: one (2 rows), two (2 rows).",
    )
    assert found.marked_by == ""
    page = (tmp_path / "r.html").read_text("utf-8")
    assert "row 1 of b.parquet" in page
    assert html.escape(found.notes[0]) in page
    assert "scored by: one (2 rows), two (2 rows)." in page
    assert [row[0] for row in rows_in(page)] == [row.place for row in found.texts]
    hidden = report([first, second], ReportOptions(model="none", anonymize=True))
    assert {row.place for row in hidden.texts} == {f"row {row} of file {file}" for row in (1, 2) for file in (1, 2)}
    assert report([first], NO_MODEL).texts[0].place == "row 1"


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path):
    (tmp_path / "x").mkdir()
    paths = [scored(tmp_path / name, ["a"], [0.1]) for name in ("s.parquet", "x/s.parquet")]
    assert [row.source for row in report(paths, NO_MODEL).texts] == list(map(str, paths))


def test_dates_that_can_not_be_read_and_texts_that_come_again_are_told(tmp_path, monkeypatch, capsys):
    path = scored(tmp_path / "s.parquet", ["same"] * 3 + ["a"], [0.1, 0.1, 0.1, 0.9])
    table = pq.read_table(path).append_column("date", pa.array(["2/3/2026 <b>", "soon", None, "2026-03-02"]))
    pq.write_table(table, path)
    found = write_report([path], tmp_path / "r.html", NO_MODEL)
    assert found.notes == (
        "2 rows have a date that can't be read, such as '2/3/2026 <b>': write dates like 2026-03-02, or "
        "2026-03-02T09:30:00+01:00.",
        "2 rows have the same text as a row before.",
    )
    assert "2/3/2026 &lt;b&gt;" in (tmp_path / "r.html").read_text("utf-8")
    assert "2/3" not in report([path], ReportOptions(model="none", anonymize=True)).notes[0]
    monkeypatch.setattr("sys.argv", ["textsent", "report", str(path), "-m", "none", "-o", str(tmp_path / "c.html")])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().err.splitlines()[1:3] == list(found.notes)


def test_a_thread_without_ids_turns_by_its_subject(tmp_path):
    path = scored(
        tmp_path / "s.parquet", ["good", "bad"], [0.9, 0.1], subject=["My lamp", "Re: my lamp"],
        dates=[datetime(2026, 3, day, tzinfo=UTC) for day in (2, 3)],
    )  # fmt: skip
    ((first, last),) = report([path], NO_MODEL).turned[0]
    assert (first.text, last.text) == ("good", "bad")


def test_handles_domains_and_names_that_only_other_rows_tell_are_replaced(tmp_path):
    texts = ["Ask Zelda or @zelda_k on zelda.example, says Ringo.", "x"]
    path = scored(
        tmp_path / "s.parquet", texts, [0.1, None],
        **{"from": ["Ann <ann@example.org>", "Zelda <z@zelda.example>"]}, to=["Ringo <r@example.org>", None],
    )  # fmt: skip
    (row,) = report([path], ReportOptions(model="none", anonymize=True)).texts
    assert row.text == "Ask [name] or [handle] on [domain], says [name]."


def test_no_half_of_an_address_is_left_where_a_text_is_cut_and_no_part_among_the_words(tmp_path):
    text = "https://x.example/" + "a" * (8 * module.SHOWN_CHARACTERS - 30) + " ann.smith@example.org"
    texts = [text, *["write to ann.smith@example.org or www.annsmith.example"] * 40, *["fine"] * 40]
    path = scored(tmp_path / "s.parquet", texts, [0.1] * 41 + [0.9] * 40, buyer=["ann@x.org"] * 81)
    found = write_report([path], tmp_path / "r.html", ReportOptions(model="none", anonymize=True, by=("buyer",)))
    page = (tmp_path / "r.html").read_text("utf-8")
    assert "ann" not in page
    assert found.title == "The tone of these texts"


def test_equal_texts_are_among_the_most_negative_once(tmp_path):
    path = scored(tmp_path / "s.parquet", ["bad"] * 20 + ["worse", "good"], [0.1] * 20 + [0.05, 0.9])
    assert [row.text for row, _ in report([path], NO_MODEL).extremes[0]] == ["worse", "bad"]


def test_an_input_is_not_replaced_by_its_report(weeks):
    with pytest.raises(OutputError, match="is an input of the report"):
        write_report([weeks], weeks, NO_MODEL, overwrite=True)


def test_a_name_that_is_too_long_is_an_error_in_a_line(weeks, tmp_path):
    with pytest.raises(OutputError, match="can't be written"):
        write_report([weeks], tmp_path / ("x" * 250 + ".html"), NO_MODEL)


def test_a_model_that_is_asked_for_must_be_there_and_the_one_that_scored_need_not(weeks, tmp_path):
    with pytest.raises(PresetError, match="there is no model 'nowhere'"):
        report([weeks], ReportOptions(model="nowhere"))
    path = scored(tmp_path / "s.parquet", ["a", "b"], [0.1, 0.9], model="elsewhere")
    found = report([path])
    assert (dict(found.models), found.marked_by) == ({"elsewhere": 2}, "")


def test_words_are_marked_by_the_model_that_scored(tmp_path):
    path = scored(tmp_path / "s.parquet", ["a terrible waste", "a wonderful day"], [0.1, 0.9], model="imdb-lstm")
    found = report([path])
    ((_, negative),), ((_, positive),) = found.extremes
    assert found.marked_by == "imdb-lstm"
    assert min(negative, key=lambda piece: piece.effect).text in ("terrible", "waste")
    assert max(positive, key=lambda piece: piece.effect).text == "wonderful"
    assert "".join(piece.text for piece in negative) == "a terrible waste"


def test_what_stands_in_for_a_name_is_not_marked(tmp_path):
    path = scored(tmp_path / "s.parquet", ["Dear Marta, a terrible waste"], [0.1], model="imdb-lstm")
    table = pq.read_table(path).add_column(0, "from", pa.array(["Marta <m@x.example>"]))
    pq.write_table(table, path)
    ((_, pieces),), _ = report([path], ReportOptions(model="imdb-lstm", anonymize=True)).extremes
    assert "".join(piece.text for piece in pieces) == "Dear [name], a terrible waste"
    assert any("name" in piece.text and not piece.effect for piece in pieces)
    assert any(piece.effect < 0 for piece in pieces)


def test_the_command_says_what_the_page_says(weeks, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["textsent", "report", str(weeks), "-m", "none", "--by", "shop"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[1].startswith("The week of 2 March 2026 is the worst of all")
    assert err.splitlines()[-1] == "written to report.html"
    assert (tmp_path / "report.html").read_text("utf-8").startswith("<!doctype html>")
