import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from conftest import WORDS, FirstWordNetwork, add_ngrams
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[1]))  # at the end: the textsent under test is the installed one

from benchmarks import explain as benchmark
from textsent import explain as module
from textsent.errors import InputError
from textsent.explain import Effect, Explanation, explain, explain_row
from textsent.model import SentimentModel
from textsent.ngrams import NgramTable
from textsent.preprocess import FIRST_WORD_ID, OUT_OF_VOCABULARY_ID, Preprocessor, Settings
from textsent.presets import Calibration
from textsent.score import Scorer, load
from textsent.windows import Layout

MAIL = Settings(emoji=True, typography=True, markup=True, elongated=True)
TONES = {"great": 2.0, "terrible": -3.0, "guys": 0.5}


class SumNetwork(FirstWordNetwork):
    """Gives a window the sum of its words' log-odds."""

    def __init__(self):
        self._odds = np.zeros(FIRST_WORD_ID + len(WORDS) + 1)
        for word, odds in TONES.items():
            self._odds[FIRST_WORD_ID + WORDS.index(word)] = odds
        self.words = 0

    def reading(self, ids):
        def read(starts, ends):
            self.words += int((ends - starts).sum())
            sums = [self._odds[ids[start:end]].sum() for start, end in zip(starts, ends, strict=True)]
            return (1 / (1 + np.exp(-np.array(sums)))).astype(np.float32)

        return read


def scorer(layout=Layout(400), words=WORDS, settings=MAIL, **attributes):  # noqa: B008 - it is frozen
    return Scorer(Preprocessor(words, settings), SentimentModel(SumNetwork(), layout, **attributes))


def effects(found):
    return {effect.text: round(effect.effect, 2) for effect in found}


def test_an_effect_is_what_the_log_odds_lose_without_the_part():
    (found,) = scorer().explain(["Great service! The guys, though: terrible."])
    assert found.score == pytest.approx(1 / (1 + np.exp(0.5)), abs=1e-6)
    assert found.sentiment == "negative"
    assert found.error is None
    assert found.sentences == (
        Effect(0, 14, "Great service!", pytest.approx(2, abs=1e-3)),
        Effect(15, 42, "The guys, though: terrible.", pytest.approx(-2.5, abs=1e-3)),
    )
    assert [(word.start, word.end) for word in found.words] == [
        (0, 5),
        (6, 13),
        (15, 18),
        (19, 23),
        (25, 31),
        (33, 41),
    ]
    assert effects(found.words) == {
        "Great": 2, "service": 0, "The": 0, "guys": 0.5, "though": 0, "terrible": -3,
    }  # fmt: skip


def test_effects_are_of_the_calibrated_score():
    (found,) = scorer(calibration=Calibration(temperature=2.0, bias=0.7)).explain(["great service. terrible guys."])
    assert effects(found.words) == {"great": 1, "service": 0, "terrible": -1.5, "guys": 0.25}
    assert effects(found.sentences) == {"great service.": 1, "terrible guys.": -1.25}


def test_what_ngrams_add_counts_too():
    table = NgramTable(np.random.default_rng(3).normal(0, 1, 1 << 10).astype(np.float16), 0.0)
    text = "the great service. the guys"
    (plain,), (more,) = scorer().explain([text]), scorer(ngrams=table).explain([text])
    ids = Preprocessor(WORDS)([text, text])
    ids.ids[ids.offsets[1] + 1] = OUT_OF_VOCABULARY_ID
    (with_great, without), (share, _) = table.opinion(ids)
    expected = (1 - share) * plain.words[1].effect + share * (with_great - without)
    assert more.words[1].effect == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        (Layout(4, long_texts="first"), {"great": 2, "terrible": -3}),
        (Layout(2, long_texts="last"), {"guys": 0.5, "great": 2}),
        (Layout(2, long_texts="first", unknown="drop"), {"great": 2, "terrible": -3}),
        (Layout(3, long_texts="first", start=True, unknown="drop"), {"great": 2, "terrible": -3}),
    ],
)
def test_words_that_the_network_does_not_read_have_no_effect(layout, expected):
    (found,) = scorer(layout).explain(["Great lid, terrible lid. So many guys, great"])
    assert {word.text.lower(): round(word.effect, 2) for word in found.words if word.effect} == expected


def test_an_explanation_shows_the_text_in_runs():
    text = " <b>Great</b> service :( terrible!"
    (found,) = scorer().explain([text])
    assert "".join(run for run, _ in found.runs()) == text
    assert [run for run, effect in found.runs() if effect] == ["Great", "terrible"]
    assert [word.text for word in found.strongest_words(9)] == ["terrible", "Great"]
    assert [word.text for word in found.strongest_words(1)] == ["terrible"]


@pytest.mark.parametrize(
    ("text", "error"), [(None, "no text"), ("", "no words"), ("?!", "no words"), ("zzz", "no known words")]
)
def test_a_text_without_a_score_says_why(text, error):
    assert scorer().explain([text]) == [Explanation(text, None, None, error=error)]


def test_no_texts_have_no_explanations():
    assert explain(scorer(), []) == []


def test_texts_that_are_no_strings_are_an_error():
    with pytest.raises(InputError, match="texts must be strings"):
        explain(scorer(), [1])
    with pytest.raises(InputError, match="several strings"):
        explain(scorer(), "great")


def test_texts_come_from_arrow_too():
    array = pa.chunked_array([["great"], ["great", None]])
    assert explain(scorer(), array.combine_chunks().dictionary_encode()) == explain(
        scorer(), ["great", "great", None]
    )


def test_a_text_has_the_same_explanation_whatever_the_others_are(monkeypatch):
    texts = [
        "great service. terrible guys",
        None,
        "the guys. " * 50,
        "",
        "great " * 2000,
        "wait <3 days, great :)",
    ]
    alone = [explain(scorer(), [text])[0] for text in texts]
    assert explain(scorer(), texts) == alone
    monkeypatch.setattr(module, "_TEXTS_AT_ONCE", 2)
    monkeypatch.setattr(module, "_WORDS_AT_ONCE", 100)
    assert explain(scorer(), texts[::-1]) == alone[::-1]


def test_only_the_words_of_the_strongest_sentences_are_erased_one_by_one(monkeypatch):
    monkeypatch.setattr(module, "MOST_WORDS", 3)
    (found,) = scorer().explain(["The guys. Terrible service. The great service. The the the."])
    assert [word.text for word in found.words] == ["Terrible", "service", "The", "great", "service"]
    assert len(found.sentences) == 4


def test_a_long_sentence_counts_as_several(monkeypatch):
    monkeypatch.setattr(module, "SENTENCE_WORDS", 4)
    (found,) = scorer().explain(["the great the great the terrible the guys guys, the"])
    assert [sentence.text for sentence in found.sentences] == [
        "the great the", "great the terrible", "the guys guys, the",
    ]  # fmt: skip


def test_of_a_long_text_the_strongest_pieces_are_explained_and_count_by_their_share(monkeypatch):
    monkeypatch.setattr(module, "PIECE_WORDS", 4)
    monkeypatch.setattr(module, "MOST_PIECES", 2)
    (found,) = scorer(Layout(4)).explain(["The great guys. The the. The service. Terrible guys the guys. Service."])
    assert effects(found.sentences) == {"The great guys.": 0.62, "Terrible guys the guys.": -0.67}
    assert effects(found.words)["Terrible"] == -1


@pytest.mark.parametrize("text", ["great. " * 100_000, "great " * 100_000, "great," * 100_000, "a" * 1_000_000])
def test_the_work_is_bounded_whatever_a_text_holds(text):
    tested = Scorer(Preprocessor((*WORDS, "aaa"), MAIL), SentimentModel(network := LengthNetwork(), Layout(400)))
    (found,) = tested.explain([text])
    assert found.words
    assert network.words < 3_000_000


class LengthNetwork(FirstWordNetwork):
    """Counts the words that it is given."""

    def __init__(self):
        self.words = 0

    def reading(self, ids):
        def read(starts, ends):
            self.words += int((ends - starts).sum())
            return np.full(len(starts), 0.6, np.float32)

        return read


@settings(deadline=None)
@given(
    st.text()
    | st.lists(st.sampled_from([*WORDS, ". ", "<3 days ", "<p>", "<br />", "\xa0", ":(", "'"])).map("".join),
    st.sampled_from([MAIL, Settings(), Settings(break_tags=False, split="space")]),
)
def test_effects_lie_in_the_text_in_order_and_apart(text, own):
    (found,) = scorer(words=(*WORDS, "p"), settings=own).explain([text])
    for spans in (found.sentences, found.words):
        end = 0
        for span in spans:
            assert end <= span.start < span.end <= len(text)
            assert span.text == text[span.start : span.end]
            end = span.end
    assert "".join(run for run, _ in found.runs()) == text
    assert (found.error is None) == bool(found.sentences)


def test_a_preset_is_explained_with_its_ngrams(tiny_preset, tmp_path):
    import shutil

    folder = tmp_path / "more"
    shutil.copytree(tiny_preset, folder)
    add_ngrams(folder)
    texts = ["great service. terrible guys", "the great guys"]
    for name in (tiny_preset, folder):
        tested = load(name, device="cpu")
        for text, found in zip(texts, tested.explain(texts), strict=True):
            assert found.score == pytest.approx(float(tested.score([text])[0]), abs=1e-6)
            assert any(word.effect for word in found.words)


def test_a_row_of_a_file_is_explained(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("score,text\n1,great\n2,terrible\n")  # a file that was scored before may be explained
    assert explain_row(scorer(), path, 2).words[0].text == "terrible"
    with pytest.raises(InputError, match=r"rows.csv has no row 3: it has 2, and the first one is row 1"):
        explain_row(scorer(), path, 3)


def test_a_mail_without_text_says_why(tmp_path):
    path = tmp_path / "picture.eml"
    path.write_text(
        "Subject: Lid\nMIME-Version: 1.0\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n"
        "iVBORw0KGgo=\n"
    )
    assert explain_row(scorer(), path, 1).error == "only images"


def test_the_benchmark_finds_that_words_matter_which_do():
    found = {
        figure.what: figure
        for figure in benchmark.faithfulness(
            "made", ["the great guys the the service"] * 4, scorer(), scorer().explain
        )
    }
    ratio = found["made: those that support most against any"]
    assert ratio.is_reached
    assert found["made: 20% of words deleted, those that support most"].value == pytest.approx(2, abs=0.01)


def test_the_benchmark_tells_words_that_do_not_matter():
    def wrong(texts):
        return [Explanation(text, 0.9, "positive", words=(Effect(0, 3, "the", 9.0),)) for text in texts]

    *_, ratio = benchmark.faithfulness("made", ["the great guys the the service"] * 4, scorer(), wrong)
    assert not ratio.is_reached


def test_spans_are_deleted_from_a_text():
    assert benchmark.deleted("a great lid", [(8, 11), (2, 8)]) == "a "


def test_a_tag_that_is_read_as_a_word_is_explained():
    (found,) = scorer(words=(*WORDS, "p"), settings=Settings()).explain(["<p>"])
    assert [part.text for part in found.words] == ["p"]
    assert [part.text for part in found.sentences] == ["<p>"]
