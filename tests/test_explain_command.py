import io
import json
import re
import sys
from html.parser import HTMLParser

import pytest
from rich.console import Console

from textsent import cli
from textsent.display import print_explanation, visible
from textsent.explain import Effect, Explanation
from textsent.explanation_page import page

ATTACKS = (
    "<script>alert(1)</script>",
    "</script></div><img src=x onerror=alert(2)>",
    '"><a href="javascript:alert(3)" style="x">x</a>',
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J",
    "[bold]not bold[/bold] [/nope] :smile:",
    "left \u202eright\u202c \u2066to\u2069 left",
    "w" * 1_000_000,
)

HOSTILE = (
    "great \x1b[31m\x07service\u202e [bold]terrible[/bold] <script>guys</script> {{ 7*7 }} \x00 & \"the\" 'great'"
)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def textsent(here, monkeypatch, capfd, tiny_preset):
    """Runs textsent explain in this process: arguments in; exit code, stdout and stderr out."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "meta_path", sys.meta_path[:])  # where the command line hides pandas

    def run(*arguments: object, stdin: bytes = b"") -> tuple[int, str, str]:
        model = ["--model", str(tiny_preset)]
        monkeypatch.setattr(sys, "argv", ["textsent", "explain", *map(str, arguments), *model])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin))))
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code or 0, *capfd.readouterr()

    return run


class Page(HTMLParser):
    """What is on a page: its tags, and the text in the element that shows the text."""

    def __init__(self, content):
        super().__init__()
        self.tags, self.shown, self._depth = set(), "", 0
        self.feed(content)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self._depth += tag == "div"

    def handle_endtag(self, tag):
        self._depth -= tag == "div"

    def handle_data(self, data):
        self.shown += data if self._depth else ""


def explanation(text, *words):
    found = tuple(Effect(text.index(word), text.index(word) + len(word), word, effect) for word, effect in words)
    return Explanation(text, 0.25, "negative", (Effect(0, len(text), text, -1.25),), found)


def printed(found, words=10, **settings):
    shown = Console(file=io.StringIO(), width=60, markup=False, emoji=False, highlight=False, **settings)
    print_explanation(shown, found, words)
    return shown.file.getvalue()


def test_a_text_is_explained(textsent):
    code, out, err = textsent("Great service. Terrible guys!")
    assert (code, err) == (0, "")
    score, _, rest = out.partition("\n")
    assert re.fullmatch(r"0\.\d{3}  (positive|negative)", score)
    for part in ("sentence", "word", "Great service.", "Terrible guys!"):
        assert part in rest


def test_a_text_comes_from_standard_input(textsent):
    assert textsent("-", stdin=b"great\nservice") == textsent("great\nservice")
    code, out, err = textsent("-", stdin=b"great \xe9")
    assert (code, out) == (1, "")
    assert err.startswith("textsent: standard input can't be read: the text is not UTF-8") or "not UTF-8" in err


def test_a_row_of_a_file_is_explained_as_its_text_is(textsent, here):
    (here / "rows.csv").write_text('id,body,title\n1,great service,a\n2,"terrible, guys",b\n')
    (here / "box.mbox").write_text("From a Tue Feb  3 09:14:22 2026\nSubject: guys\n\nterrible, guys\n")
    expected = textsent("terrible, guys", "--json")
    assert textsent("rows.csv", "--row", 2, "--text-column", "body", "--json") == expected
    assert textsent("box.mbox", "--row", 1, "--json") == expected
    assert textsent("-", "--row", 2, "--format", "text", "--json", stdin=b"great\nterrible, guys\n") == expected
    assert json.loads(textsent("box.mbox", "--row", 1, "--with-subject", "--json")[1])["text"].startswith("guys")


def test_a_row_of_a_table_is_found_as_scoring_finds_it_and_a_bad_one_says_why(textsent, here):
    (here / "rows.csv").write_bytes(b"id;text\n1\n2;great caf\xe9\n3;great service\n")
    assert textsent("rows.csv", "--row", 1) == (0, "no score: too few fields\n", "")
    assert textsent("rows.csv", "--row", 3, "--json") == textsent("great service", "--json")
    shown = textsent("rows.csv", "--row", 2, "--encoding", "cp1250", "--delimiter", "semicolon", "--json")[1]
    assert json.loads(shown)["text"] == "great café"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("rows.csv", "rows.csv is a file: choose one of its rows, for instance --row 1"),
        ("rows.csv --row 3", "rows.csv has no row 3: it has 2, and the first one is row 1"),
        ("none.csv --row 1", "none.csv: there is no such file: check the path"),
        (
            "rows.csv --row 1 --text-column body",
            "rows.csv: there is no column 'body': choose one with --text-column. The columns are 'text'",
        ),
        ("great --html rows.csv", "rows.csv exists already: choose another name, or replace it with --overwrite"),
        ("great --html none/page.html", "none/page.html can't be written: there is no folder none"),
    ],
)
def test_what_goes_wrong_is_said_in_one_line(textsent, here, arguments, message):
    (here / "rows.csv").write_text("text\ngreat\nterrible\n")
    assert textsent(*arguments.split()) == (1, "", f"textsent: {message}\n")


def test_a_row_counts_from_one(textsent):
    code, out, err = textsent("rows.csv", "--row", 0)
    assert (code, out) == (2, "")
    assert "--row" in err


@pytest.mark.parametrize(("text", "error"), [("", "no words"), ("?!", "no words"), ("zzz", "no known words")])
def test_a_text_without_a_score_says_why(textsent, text, error):
    assert textsent(text) == (0, f"no score: {error}\n", "")
    assert json.loads(textsent(text, "--json")[1]) == {
        "text": text, "score": None, "sentiment": None, "sentences": [], "words": [], "error": error,
    }  # fmt: skip
    assert f"no score: {error}" in textsent(text, "--html", "-")[1]


def test_json_has_the_offsets_of_all_words(textsent):
    text = "Great service, guys."
    found = json.loads(textsent(text, "--json", "--words", 1)[1])
    assert found["text"] == text
    assert [text[word["start"] : word["end"]] for word in found["words"]] == ["Great", "service", "guys"]
    assert [word["text"] for word in found["words"]] == ["Great", "service", "guys"]
    assert [sentence["text"] for sentence in found["sentences"]] == [text]


def test_a_page_is_written_and_replaced_only_when_asked_to(textsent, here):
    assert textsent("great guys", "--html", "page.html") == (0, "", "")
    first = (here / "page.html").read_text("utf-8")
    assert textsent("great", "--html", "page.html", "--overwrite") == (0, "", "")
    assert first != (here / "page.html").read_text("utf-8") == textsent("great", "--html", "-")[1]


def test_a_page_shows_a_text_as_text_whatever_it_holds():
    found = explanation(HOSTILE, ("great", 1.0), ("terrible", -2.0), ("guys", 0.5))
    content = page(found, 10, "a<b")
    shown = Page(content)
    assert shown.shown == visible(HOSTILE)
    assert not shown.tags & {"script", "link", "img", "iframe"}
    assert "49" not in shown.shown
    assert "a&lt;b" in content
    assert not re.search("[\x00\x07\x1b\u202e]|https?:", content)
    assert '<mark class="down" style="--strength: 0.70" title="-2.00">terrible</mark>' in content
    assert "prefers-color-scheme: dark" in content


def test_a_terminal_shows_a_text_as_text_whatever_it_holds():
    found = explanation(HOSTILE, ("great", 1.0), ("terrible", -2.0))
    for settings in ({}, {"force_terminal": True, "color_system": "standard"}):
        out = printed(found, **settings)
        plain = re.sub("\x1b\\[[0-9;]*m", "", out) if settings else out
        assert not re.search("[\x00\x07\x1b\u202e]", plain)
        assert "[bold]" in plain
        assert "[31m" in plain  # what is left of the escape sequence is text


@pytest.mark.parametrize("text", ATTACKS)
def test_whatever_a_text_a_sentence_and_a_word_hold_they_are_text(text):
    found = explanation(text, (text, -1.0))
    content, out = page(found, 10), printed(found)
    shown = Page(content)
    assert shown.shown == visible(text)
    assert not shown.tags & {"script", "link", "img", "iframe", "a"}
    for written in (content, out):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", written)
    assert visible(text)[:30] in out
    assert max(map(len, out.splitlines())) <= 60
    assert len(out) < 12_000


def test_a_page_wraps_words_that_are_longer_than_its_lines():
    assert page(explanation("w" * 1000), 10).count("overflow-wrap: anywhere") == 2


@pytest.mark.parametrize("words", [(), (("good", 0.0),)])
def test_where_no_word_moves_the_score_that_is_said_and_no_table_is_empty(words):
    found = explanation("good good", *words)
    out, content = printed(found), page(found, 10)
    assert "effect  word" not in out
    assert "more with smaller effects" not in out
    assert "No word by itself moves the score." in out
    assert "<h2>Words</h2>" not in content
    assert "No word by itself moves the score." in content
    assert "No word by itself" not in printed(explanation("good", ("good", 1.0)), words=0)


def test_colours_say_how_strong_a_word_is():
    out = printed(
        explanation("good bad so", ("good", 1.0), ("bad", -0.4), ("so", 0.05)),
        force_terminal=True,
        color_system="standard",
    )
    assert "\x1b[1;7;32mgood\x1b[0m \x1b[1;31mbad\x1b[0m so" in out


def test_without_colours_the_listed_words_stand_in_brackets():
    out = printed(explanation("good bad so", ("good", 1.0), ("bad", -0.4), ("so", 0.05)), words=2)
    assert "[+good] [-bad] so" in out
    lines = [line.rstrip() for line in out.splitlines()]
    assert lines == [
        "0.250  negative",
        "",
        "[+good] [-bad] so",
        "",
        "effect  sentence",
        " -1.25  good bad so",
        "",
        "effect  word",
        " +1.00  good",
        " -0.40  bad",
        "… and 1 more with smaller effects",
        "",
        "An effect is what the text's log-odds of being positive lose",
        "without that part.",
    ]


def test_of_a_long_text_the_beginning_is_shown():
    out = printed(explanation("good " + "so " * 10_000, ("good", 1.0)))
    assert len(out) < 12_000
    assert re.search(r"… and\s+20,005\s+more\s+characters", out)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\tb\r\nc\rd", "a b\nc\nd"), ("a\x1b[2J\u202eb\x9b", "a[2Jb"), ("a\u2028b", "a\nb"), ("", "")],
)
def test_lines_stay_and_what_steers_a_terminal_goes(text, shown):
    assert visible(text) == shown
