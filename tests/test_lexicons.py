import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from conftest import SHARED
from hypothesis import given
from hypothesis import strategies as st
from nltk_files import INDEX, go_offline, install, packed, private_folder, serving

from textsent import lexicons
from textsent.errors import InputError
from textsent.lexicons import Lexicons
from textsent.preprocess import Settings

NLTK = SHARED / "data" / "nltk"
VADER = "sentiment/vader_lexicon"
OPINIONS = "corpora/opinion_lexicon"
RATINGS = "vader_lexicon/vader_lexicon.txt"
POSITIVE = "opinion_lexicon/positive-words.txt"
NEGATIVE = "opinion_lexicon/negative-words.txt"

VADER_FILES = {RATINGS: "splendid\t3.2\t0.7\t[3, 3, 4]\nwonky\t-1.4\t0.5\t[-1, -2]\n:>\t2.1\t0.3\t[2]"}
OPINION_FILES = {
    POSITIVE: "; words that praise\n;\n\nsplendid\nsturdy\ntop-class\n",
    NEGATIVE: "; words that blame\n\nwonky\nrattling\nna\xefve\n".encode("latin-1"),
}

LEXICONS = Lexicons(
    {
        "splendid": 3.0,
        "wonky": -1.5,
        "quirky": -0.8,
        ":>": 2.0,
        "xd": 2.5,
        "gr8": 3.1,
        "can't stand": -2.0,
        "q": 1.0,
    },
    ("splendid", "sturdy", "quirky", "top-class", "mixed"),
    ("wonky", "rattling", "mixed", "don't-care"),
)


@pytest.fixture
def nltk_data(tmp_path, monkeypatch):
    return private_folder(tmp_path, monkeypatch)


@pytest.fixture
def silent(capfd):
    """Checks at the end that nothing was printed."""
    yield
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def many_processes(monkeypatch):
    """Let few texts count as many."""
    monkeypatch.setattr(lexicons, "_FEWEST_BYTES", 0)
    monkeypatch.setattr(lexicons, "_COMPOUND_ROWS", 3)


# The lists


@pytest.mark.usefixtures("silent")
def test_the_lists_are_read_from_nltks_data(nltk_data):
    install(nltk_data, VADER, packed(VADER_FILES))
    install(nltk_data, OPINIONS, packed(OPINION_FILES))
    assert Lexicons.from_nltk() == Lexicons(
        {"splendid": 3.2, "wonky": -1.4, ":>": 2.1},
        ("splendid", "sturdy", "top-class"),
        ("wonky", "rattling", "naïve"),
    )


def test_a_list_that_is_not_installed_is_downloaded(nltk_data, tmp_path, monkeypatch):
    install(nltk_data, OPINIONS, packed(OPINION_FILES))
    with serving(tmp_path, monkeypatch) as serve:
        requests = serve(VADER_FILES, package=VADER, unzip=0)
        assert Lexicons.from_nltk(index_url=INDEX).ratings["splendid"] == 3.2
        assert len(requests) == 2


@pytest.mark.parametrize(
    ("installed", "missing", "package"),
    [(None, "VADER's ratings of words", "vader_lexicon"), (VADER, "Hu and Liu's opinion words", "opinion_lexicon")],
)
def test_offline_one_error_says_which_list_is_missing_and_what_to_try(
    nltk_data, monkeypatch, installed, missing, package
):
    go_offline(monkeypatch)
    if installed:
        install(nltk_data, installed, packed(VADER_FILES))
    with pytest.raises(InputError) as caught:
        Lexicons.from_nltk("leave --this out")
    assert str(caught.value).startswith(f"{missing} aren't installed and can't be downloaded: ")
    assert f"run `python -m nltk.downloader {package}` on a machine with a network" in str(caught.value)
    assert str(caught.value).endswith(", or leave --this out")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "there are none"),
        ("\n\n", "there are none"),
        ("splendid\t3.2\nwonky\n", "line 2 has no rating from -4 to 4"),
        ("splendid\tvery\n", "line 1 has no rating from -4 to 4"),
        ("splendid\tnan\n", "line 1 has no rating from -4 to 4"),
        ("splendid\t40\n", "line 1 has no rating from -4 to 4"),
        (b"ok\t1\ncaf\xe9\t1\n", "byte 8 is not UTF-8"),
    ],
)
def test_ratings_that_are_none_are_an_error(nltk_data, content, reason):
    install(nltk_data, VADER, packed({RATINGS: content}))
    with pytest.raises(InputError) as caught:
        Lexicons.from_nltk()
    assert str(caught.value) == (
        f"VADER's ratings of words, sentiment/vader_lexicon/vader_lexicon.txt in NLTK's data, can't be used: "
        f"{reason}: get them anew with `python -m nltk.downloader --force vader_lexicon`, or leave out what needs "
        "them"
    )


def test_a_list_of_opinion_words_without_any_is_an_error(nltk_data):
    install(nltk_data, VADER, packed(VADER_FILES))
    install(nltk_data, OPINIONS, packed({**OPINION_FILES, NEGATIVE: "; nothing but comments\n"}))
    with pytest.raises(InputError, match=r"opinion_lexicon/negative-words\.txt in NLTK's data, can't be used"):
        Lexicons.from_nltk()


@pytest.fixture
def real(nltk_data):
    """NLTK's own lists, where the developers' data is at hand."""
    for package in (VADER, OPINIONS):
        path = NLTK / f"{package}.zip"
        if not path.is_file():
            pytest.skip(f"{path.name}, NLTK's own, is not here")
        install(nltk_data, package, path.read_bytes())
    return Lexicons.from_nltk()


def test_nltks_own_lists_have_the_words_that_their_authors_tell_of(real):
    assert len(real.ratings) == 7502
    assert (len(real.positive), len(real.negative)) == (2006, 4783)
    valences = real.valences()
    assert len(valences) == 11547
    assert valences["good"] == 1.9
    assert valences["sturdy"] == 2  # Hu and Liu's alone
    assert valences["geeky"] == -0.3  # VADER's -0.6, halved


def test_compound_scores_are_those_of_nltks_analyzer(real):
    from nltk.sentiment.vader import SentimentIntensityAnalyzer

    texts = [
        "The handle came off, which is not good at all.",
        "Splendid service, and VERY friendly people!!!",
        "The box was fine but the lamp is horrible :(",
        "Delivered on Tuesday.",
    ]
    analyzer = SentimentIntensityAnalyzer()
    expected = [analyzer.polarity_scores(text)["compound"] for text in texts]
    assert real.compound_scores(pa.array(texts)).tolist() == np.float32(expected).tolist()


# Words


def test_a_words_valence_is_vaders_else_two_by_hu_and_lius_sign():
    assert LEXICONS.valences() == {
        "splendid": 3.0,
        "wonky": -1.5,
        "quirky": -0.4,  # the lists disagree
        "sturdy": 2.0,
        "rattling": -2.0,
    }


def test_a_word_with_an_apostrophe_or_an_accent_has_a_valence():
    assert Lexicons({"ain't": -1.0}, ("chérie",), ()).valences() == {"ain't": -1.0, "chérie": 2.0}


# VADER's scores of texts


def compound(rating):
    return round(rating / math.sqrt(rating**2 + 15), 4)


def test_a_compound_score_is_the_normalised_sum_of_the_ratings():
    scores = LEXICONS.compound_scores(pa.array(["a splendid lamp", "this wonky lamp :>", "a lamp"]))
    assert scores.dtype == np.float32
    assert scores.tolist() == np.float32([compound(3), compound(-1.5 + 2), 0]).tolist()


def test_a_null_and_an_empty_text_have_a_compound_score_of_zero():
    assert LEXICONS.compound_scores(pa.array([None, "", "  ", "!"])).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("texts", [pa.array([], pa.string()), pa.nulls(0)])
def test_no_texts_have_no_scores(texts):
    assert LEXICONS.compound_scores(texts).shape == (0,)
    assert LEXICONS.opinion_scores(texts, Settings()).shape == (0,)


def test_what_is_no_text_is_an_error():
    with pytest.raises(InputError, match="texts must be strings"):
        LEXICONS.compound_scores(pa.array([1, 2]))
    with pytest.raises(InputError, match="texts must be strings"):
        LEXICONS.opinion_scores(pa.array([1, 2]), Settings())


TEXTS = ["a splendid lamp", None, "wonky!", "", "not splendid 😀", "nothing\x00 here", "SPLENDID :> lamp"] * 3


@pytest.mark.usefixtures("many_processes", "silent")
@pytest.mark.parametrize("text_type", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_compound_scores_are_the_same_for_any_number_of_processes(text_type):
    texts = pa.array(TEXTS, pa.string()).cast(text_type)
    alone = LEXICONS.compound_scores(texts, workers=1)
    assert alone.tolist() == [LEXICONS.compound_scores(pa.array([text], pa.string()))[0] for text in TEXTS]
    assert LEXICONS.compound_scores(texts, workers=3).tolist() == alone.tolist()


@pytest.mark.usefixtures("many_processes")
def test_a_slice_of_texts_is_scored_by_several_processes_as_itself():
    texts = pa.array(TEXTS).slice(2, 9)
    assert LEXICONS.compound_scores(texts, workers=2).tolist() == LEXICONS.compound_scores(texts, 1).tolist()


def test_by_default_there_is_a_process_on_each_usable_core(many_processes, monkeypatch):
    started = []

    class Worker(lexicons._Worker):
        def __init__(self, ratings):
            started.append(self)
            super().__init__(ratings)

    monkeypatch.setattr(lexicons, "_Worker", Worker)
    monkeypatch.setattr(lexicons, "usable_cores", lambda: 2)
    LEXICONS.compound_scores(pa.array(TEXTS))
    assert len(started) == 2


def test_few_texts_start_no_process(monkeypatch):
    monkeypatch.setattr(lexicons, "_Worker", None)
    monkeypatch.setattr(lexicons, "_COMPOUND_ROWS", 3)
    assert len(LEXICONS.compound_scores(pa.array(TEXTS), workers=4)) == len(TEXTS)


def test_a_script_without_a_guard_runs_once(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import pyarrow as pa\n"
        "from textsent import lexicons\n"
        "print('begun')\n"
        "lexicons._FEWEST_BYTES, lexicons._COMPOUND_ROWS = 0, 2\n"
        "words = lexicons.Lexicons({'splendid': 3.0}, ('splendid',), ())\n"
        "print(words.compound_scores(pa.array(['splendid'] * 8), workers=2).tolist())\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(lexicons.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, script.name], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout == f"begun\n{[float(np.float32(compound(3)))] * 8}\n"


@pytest.mark.usefixtures("many_processes")
def test_a_process_that_is_killed_is_an_error_that_says_so(monkeypatch):
    class Worker(lexicons._Worker):
        def __init__(self, ratings):
            super().__init__(ratings)
            self._process.send_signal(signal.SIGKILL)

    monkeypatch.setattr(lexicons, "_Worker", Worker)
    with pytest.raises(InputError) as caught:
        LEXICONS.compound_scores(pa.array(TEXTS), workers=2)
    assert str(caught.value) == (
        "a process that computed VADER's scores was killed by signal 9, for want of memory perhaps: free some "
        "memory and try again"
    )


@pytest.mark.usefixtures("many_processes")
def test_a_process_that_cannot_be_started_is_an_error(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(InputError, match="no process can be started to compute VADER's scores, No such file"):
        LEXICONS.compound_scores(pa.array(TEXTS), workers=2)


@pytest.mark.usefixtures("many_processes")
def test_no_process_outlives_the_call(monkeypatch):
    started = []

    class Worker(lexicons._Worker):
        def __init__(self, ratings):
            super().__init__(ratings)
            started.append(self._process)

    monkeypatch.setattr(lexicons, "_Worker", Worker)
    LEXICONS.compound_scores(pa.array(TEXTS), workers=2)
    assert [process.returncode is None for process in started] == [False, False]


@pytest.mark.skipif(os.name != "posix", reason="processes share a pipe by its number")
def test_a_process_whose_input_ends_ends():
    answers, answering = os.pipe()
    with os.fdopen(answers, "rb") as answers, os.fdopen(answering, "wb") as answering:
        task = json.dumps({"ratings": {"splendid": 3.0}, "answers": answering.fileno()})
        schema = pa.schema([("text", pa.large_string())], {"task": task})
        with subprocess.Popen(
            [sys.executable, "-c", "from textsent.lexicons import serve; serve()"],
            stdin=subprocess.PIPE,
            pass_fds=(answering.fileno(),),
        ) as process:
            answering.close()
            with pa.ipc.new_stream(process.stdin, schema) as stream:
                stream.write_batch(pa.record_batch([pa.array(["splendid", None], pa.large_string())], schema))
            process.stdin.close()
            assert process.wait() == 0
        assert np.frombuffer(answers.read(), np.float32).tolist() == np.float32([compound(3), 0]).tolist()


# Hu and Liu's scores of texts


def opinion(*texts, settings=None):
    return LEXICONS.opinion_scores(pa.array(texts, pa.string()), settings or Settings()).tolist()


def squashed(positive, negative):
    return pytest.approx(math.tanh((positive - negative) / math.sqrt(positive + negative + 1)))


def test_an_opinion_score_is_the_squashed_share_by_which_one_side_has_more_words():
    assert opinion("Splendid!") == [squashed(1, 0)]
    assert opinion("sturdy, splendid and quirky") == [squashed(3, 0)]
    assert opinion("sturdy, but wonky, wonky and rattling") == [squashed(1, 3)]
    assert LEXICONS.opinion_scores(pa.array(["sturdy"]), Settings()).dtype == np.float32


def test_texts_without_opinion_words_score_zero_and_so_do_words_on_both_lists():
    assert opinion(None, "", "a lamp", "mixed") == [0, 0, 0, 0]


@pytest.mark.parametrize(
    "text",
    [
        "not sturdy",
        "It's not very sturdy",
        "no it is sturdy",
        "isn't sturdy",
        "isn’t sturdy",
        "dont call it sturdy",
        "hardly SPLENDID",
        "Never, ever splendid",
    ],
)
def test_a_negation_up_to_three_words_before_flips_a_word(text):
    assert opinion(text) == [squashed(0, 1)]


@pytest.mark.parametrize(
    "text", ["not that it is sturdy", "sturdy not", "want sturdy", "sturdy, isn't it", "nota sturdy"]
)
def test_a_negation_further_off_or_behind_flips_nothing(text):
    assert opinion(text) == [squashed(1, 0)]


def test_two_negations_flip_a_word_once():
    assert opinion("no, not sturdy") == [squashed(0, 1)]


def test_a_negation_ends_with_its_text():
    assert opinion("it is not", "sturdy", "", "never", None, "wonky") == [
        0,
        squashed(1, 0),
        0,
        0,
        0,
        squashed(0, 1),
    ]


def test_stop_words_and_capitals_change_no_opinion_score():
    assert opinion("NOT Sturdy", settings=Settings(lower=False, stop_words=("not", "sturdy"))) == [squashed(0, 1)]


def test_settings_decide_what_is_a_word():
    assert opinion("a top-class lamp") == [0]
    assert opinion("a top-class lamp", settings=Settings(filters=" ")) == [squashed(1, 0)]


def plain_opinion(words):
    """The same by a loop over the words."""
    positive, negative = 0, 0
    for place, word in enumerate(words):
        flips = any(before in ("not", "won't") for before in words[max(0, place - 3) : place])
        positive += word == ("wonky" if flips else "sturdy")
        negative += word == ("sturdy" if flips else "wonky")
    return math.tanh((positive - negative) / math.sqrt(positive + negative + 1))


@given(
    st.lists(
        st.lists(st.sampled_from(["sturdy", "wonky", "not", "won't", "the", "mixed"]), max_size=12), max_size=8
    )
)
def test_opinion_scores_are_those_of_a_loop_over_the_words(texts):
    scores = opinion(*(" ".join(words) for words in texts))
    assert scores == pytest.approx([plain_opinion(words) for words in texts], abs=1e-6)


def test_opinion_scores_do_not_depend_on_where_the_texts_are_divided(monkeypatch):
    texts = ["not sturdy", "wonky", None, "never", "splendid", "sturdy wonky sturdy", ""]
    whole = opinion(*texts)
    monkeypatch.setattr(lexicons, "_OPINION_ROWS", 2)
    assert opinion(*texts) == whole
