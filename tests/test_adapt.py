import json
import random
import re
import shutil
import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from conftest import add_ngrams
from small_trainings import Observer, interrupt

from textsent import adapt, cli, load, recipes
from textsent.adapt import Adaptation, Example, find_adaptation, lexicon_tones, read_texts, write_adapted
from textsent.datasets import LabelledTexts
from textsent.display import EXAMPLE_LENGTH
from textsent.errors import InputError
from textsent.finetune import Start
from textsent.lexicons import Lexicons
from textsent.ngrams import NgramTable
from textsent.options import Options
from textsent.preprocess import Preprocessor
from textsent.presets import CONFIG_FILE, METADATA_FILE, README_FILE, Calibration, read_json, write_json
from textsent.train import train

KNOWN = {0: ("awful", "bad"), 1: ("great", "fine")}
NEW = {0: ("dire", "shoddy"), 1: ("superb", "splendid")}
"""Words that lexicons know, and the model doesn't."""

FILLERS = ("the", "it", "parcel", "desk", "was", "with", "and", "on")
LEXICONS = Lexicons(
    {**dict.fromkeys([*KNOWN[1], *NEW[1]], 3.0), **dict.fromkeys([*KNOWN[0], *NEW[0]], -3.0)},
    (*KNOWN[1], *NEW[1]),
    (*KNOWN[0], *NEW[0]),
)
INVERTED = Lexicons(
    {word: -rating for word, rating in LEXICONS.ratings.items()}, LEXICONS.negative, LEXICONS.positive
)


def sentence(drawn, label, words):
    """Return five or six words, two of them with a tone."""
    chosen = [*drawn.choices(FILLERS, k=3 + drawn.randrange(2)), *drawn.choices(words[label], k=2)]
    drawn.shuffle(chosen)
    return " ".join(chosen)


def corpus(count=300, seed=5, words=None):
    """Return texts, every other one positive: a third in words that the model knows."""
    drawn = random.Random(seed)
    texts = {}
    while len(texts) < count:
        label = len(texts) % 2
        texts[sentence(drawn, label, words or (KNOWN if len(texts) % 3 == 0 else NEW))] = label
    return texts


@pytest.fixture(autouse=True, scope="module")
def tiny_recipe():
    """The recipe lstm, so small that a training is little but the compilation."""
    recipe = recipes.RECIPES["lstm"]
    sizes = {"embedding_size": 6, "units": 4, "bidirectional": False, "window": 12, "dropout": 0.1}
    tiny = replace(
        recipe,
        config=recipe.config | sizes,
        vocabulary_size=12,
        batch_size=16,
        learning_rate=0.02,
        cosine=False,
        keep="accuracy",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(recipes.RECIPES, "lstm", tiny)
        yield


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    """A model that knows the words of KNOWN and nothing of those of NEW."""
    folder = tmp_path_factory.mktemp("presets") / "start"
    texts = corpus(400, seed=2, words=KNOWN)
    data = LabelledTexts(
        pa.array(list(texts)), np.array(list(texts.values()), np.int8), pa.array(list(texts)), named_groups=False
    )
    train(data, folder, Options(epochs=6, validation=0.1, patience=6), Observer(), pictures=False)
    config = read_json(folder / CONFIG_FILE)
    write_json(
        folder / CONFIG_FILE, {**config, "calibration": {"temperature": 1.5, "bias": 0, "neutral": [0.4, 0.6]}}
    )
    add_ngrams(folder)
    return folder


@pytest.fixture(autouse=True, scope="module")
def from_little_data():
    """The model knows hardly a word of plain sentences, and too few of the corpus for a few verdicts to change."""
    plain = {1: ("It was great.", "Fine and great!"), 0: ("It was awful.",)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapt, "MOST_CHANGED", 0.6)
        patch.setattr(adapt, "PLAIN_SENTENCES", plain)
        yield


@pytest.fixture(scope="module")
def start(preset):
    return Start.from_preset(preset, trust_recipe=True)


@pytest.fixture(scope="module")
def found(start):
    """What adapting the model to a corpus changes, and what the observer was told."""
    observer = Observer()
    return find_adaptation(pa.array(list(corpus())), start, observer, lexicons=LEXICONS), observer


@pytest.fixture(scope="module")
def adapted(found, tmp_path_factory):
    folder = tmp_path_factory.mktemp("adapted") / "model"
    write_adapted(found[0], folder, "textsent adapt corpus.txt")
    return folder


def balanced_accuracy(folder, texts):
    scores = load(folder, device="cpu").score(list(texts))
    labels = np.array(list(texts.values()))
    right = (np.nan_to_num(scores, nan=0.0) >= 0.5) == labels
    return (right[labels == 1].mean() + right[labels == 0].mean()) / 2


def test_a_model_learns_what_words_mean_that_lexicons_know(preset, adapted):
    others = corpus(200, seed=77, words=NEW)
    assert balanced_accuracy(preset, others) < 0.7
    assert balanced_accuracy(adapted, others) > 0.9
    assert balanced_accuracy(adapted, corpus(200, seed=78, words=KNOWN)) > 0.9


def test_what_is_found_says_what_changes(found):
    adaptation, observer = found
    assert adaptation.texts == 300
    assert set(adaptation.start.new_words) == {word for words in NEW.values() for word in words}
    assert adaptation.coverage[0] < adaptation.coverage[1] == 1.0
    assert min(adaptation.agreed.values()) >= 20
    assert sum(adaptation.changed.values()) > 20
    assert 0 < adaptation.judged <= 60
    assert adaptation.agreement[1] > adaptation.agreement[0]
    assert adaptation.plain == (3, 3)
    assert adaptation.refusal == ""
    assert observer.lines[0] == "the model learns from 240 texts"
    assert observer.lines[-1].startswith("epoch 8 of 8, ")
    assert observer.epochs == []


def test_the_examples_are_texts_whose_verdict_changed_and_by_how_much(found, preset, adapted):
    examples = found[0].examples
    assert 2 <= len(examples) <= 6
    before, after = (
        load(folder, device="cpu").score([one.text for one in examples]) for folder in (preset, adapted)
    )
    np.testing.assert_allclose([one.before for one in examples], before, atol=1e-5)
    np.testing.assert_allclose([one.after for one in examples], after, atol=2e-3)
    assert all((one.before >= 0.5) != (one.after >= 0.5) for one in examples)


def test_the_new_preset_says_what_it_was_adapted_to_and_holds_none_of_the_texts(found, preset, adapted):
    adaptation, _ = found
    metadata, before = read_json(adapted / METADATA_FILE), read_json(preset / METADATA_FILE)
    facts = metadata.pop("adapted")
    assert metadata == before
    assert facts["model"] == "start"
    n_grams = NgramTable.from_preset(adapted)
    np.testing.assert_array_equal(n_grams.weights, NgramTable.from_preset(preset).weights)
    assert n_grams.scale == 1 / 1.5
    assert facts["sha256"] == adaptation.start.sha256
    assert facts["new_words"] == 4
    assert facts["command"] == "textsent adapt corpus.txt"
    assert facts["changed"] == adaptation.changed
    card = (adapted / README_FILE).read_text()
    assert card.startswith((preset / README_FILE).read_text().rstrip())
    assert "## Adapted to other texts" in card
    written = json.dumps(facts) + card
    assert not any(text in written for text in corpus())


def test_the_neutral_band_stays_and_the_temperature_is_in_the_network(adapted):
    assert Calibration.from_preset(adapted) == Calibration(neutral=(0.4, 0.6))


def test_a_model_that_is_adapted_again_has_one_section_on_it(adapted, tmp_path):
    again = Start.from_preset(adapted, trust_recipe=True)
    more = replace(find_again(again), plain=(2, 2), agreement=(0.5, 0.5))
    write_adapted(more, tmp_path / "again")
    assert (tmp_path / "again" / README_FILE).read_text().count("## Adapted to other texts") == 1


def find_again(start):
    """Return what is found where nothing changes."""
    return Adaptation(
        start=start,
        weights=start.weights,
        texts=200,
        left_out={},
        agreed={"negative": 30, "positive": 30},
        coverage=(1.0, 1.0),
        changed={"negative": 0, "positive": 0},
        examples=(),
        untaught="",
        judged=20,
        agreement=(0.5, 0.5),
        turned=(0, 0),
        plain=(2, 2),
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"changed": {"negative": 100, "positive": 21}},
            "121 of 200 verdicts would change, more than 60%: these texts are too far from what the model knows",
        ),
        (
            {"agreement": (0.75, 0.65), "turned": (2, 0)},
            "of 20 texts that lexicons are sure about it would be on their side of 65.0%, now of 75.0%",
        ),
        ({"plain": (40, 37)}, "of 40 plain sentences that it has right it would have 37 right"),
    ],
)
def test_nothing_is_written_where_it_would_do_harm(start, tmp_path, change, reason):
    adaptation = replace(find_again(start), **change)
    with pytest.raises(InputError) as refused:
        write_adapted(adaptation, tmp_path / "model")
    assert str(refused.value) == f"adapting would do harm, and nothing is written: {reason}"
    assert list(tmp_path.iterdir()) == []


def test_little_of_what_would_be_refused_is_not(start):
    little = {"changed": {"negative": 60, "positive": 60}, "plain": (40, 38)}
    for turned in ((1, 0), (3, 1), (6, 3)):
        assert replace(find_again(start), **little, turned=turned).refusal == ""


def test_a_lexicon_that_says_the_opposite_of_the_model_agrees_with_it_too_seldom(start):
    with pytest.raises(InputError, match=r"^model and lexicons agree on \d+ positive and \d+ negative texts"):
        find_adaptation(pa.array(list(corpus())), start, Observer(), lexicons=INVERTED)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            list(corpus(199)),
            "adapting takes 200 different texts in the model's language, better thousands. Received: 199",
        ),
        (
            [*list(corpus(199)), "!!!", "Straße über Brücke"],
            "adapting takes 200 different texts in the model's language, better thousands. Received: 199 "
            "('no words' (1×), 'no known words' (1×))",
        ),
        (
            [" ".join(random.Random(number).choices(FILLERS, k=9)) for number in range(300)],
            "model and lexicons agree on 0 positive and 0 negative texts, which is too few to learn from: give "
            "more texts, 50 of them with a plain tone, or label some and use textsent calibrate",
        ),
    ],
    ids=["few", "few in its language", "no tone"],
)
def test_texts_to_which_no_model_could_be_adapted_are_refused(start, texts, message):
    with pytest.raises(InputError) as refused:
        find_adaptation(pa.array(texts), start, Observer(), lexicons=LEXICONS)
    assert str(refused.value).endswith(message)


def test_texts_of_one_kind_are_refused(start, monkeypatch):
    monkeypatch.setattr(adapt, "KNOWS_LEXICONS", 1.1)
    message = "nearly all of one kind: there must be 10 of each, or the model would learn that everything is so$"
    with pytest.raises(InputError, match=message):
        find_adaptation(
            pa.array([text for text, label in corpus(800).items() if label]), start, Observer(), lexicons=LEXICONS
        )


def with_gaskets(texts):
    return [f"{text} gasket" if number % 4 == 0 else text for number, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("constants", "reason"),
    [
        ({}, r"the model knows what lexicons know, and is on their side of \d+% of these texts"),
        (
            {"KNOWS_LEXICONS": 1.1, "LEAST_UNSURE": 0.99},
            r"the model is sure about \d+% of these texts, as about what it was trained for, and lexicons would "
            "only mislead it",
        ),
    ],
)
def test_a_model_that_lexicons_have_nothing_to_tell_gets_the_new_words_and_changes_no_other_text(
    start, preset, tmp_path, monkeypatch, constants, reason
):
    for name, value in constants.items():
        monkeypatch.setattr(adapt, name, value)
    known, observer = list(corpus(300, words=KNOWN)), Observer()
    adaptation = find_adaptation(pa.array(with_gaskets(known)), start, observer, lexicons=LEXICONS)
    assert re.fullmatch(reason, adaptation.untaught)
    assert observer.lines == [f"no more than new words: {adaptation.untaught}"]
    assert adaptation.start.new_words == {"gasket": 75}
    assert adaptation.refusal == ""
    assert adaptation.judged == 300
    write_adapted(adaptation, tmp_path / "model")
    before, after = (load(folder, device="cpu").score(known) for folder in (preset, tmp_path / "model"))
    np.testing.assert_allclose(after, before, atol=1e-4)
    assert f"Nothing was trained: {adaptation.untaught}." in (tmp_path / "model" / README_FILE).read_text()


def test_where_there_is_neither_a_new_word_nor_anything_that_lexicons_could_tell_nothing_is_done(start):
    message = (
        "^there is nothing to learn: no word that the model lacks stands in 5 texts, and the model knows what "
    )
    with pytest.raises(InputError, match=message):
        find_adaptation(pa.array(list(corpus(300, words=KNOWN))), start, Observer(), lexicons=LEXICONS)


def test_what_lexicons_say_of_texts_lies_between_minus_1_and_1():
    texts = pa.array(["great", "bad awful dire", "the parcel", "not great", ""])
    tones = lexicon_tones(texts, LEXICONS, Preprocessor(()))
    assert tones.dtype == np.float32
    assert tones[0] > 0.5
    assert tones[1] < -0.8
    assert tones[2] == tones[4] == 0
    assert tones[3] < 0
    assert np.abs(tones).max() <= 1


def test_both_kinds_weigh_the_same_but_none_is_blown_up():
    weights = adapt._balanced(np.array([0.9] * 6 + [0.1] * 3, np.float32))
    assert weights[:6].sum() == pytest.approx(weights[6:].sum())
    assert weights.mean() == pytest.approx(1)
    weights = adapt._balanced(np.array([0.9] * 99 + [0.1], np.float32))
    assert weights[-1] / weights[0] == pytest.approx(4 / (0.5 / 0.99))
    assert adapt._balanced(np.array([0.9] * 5, np.float32)) == pytest.approx(1)


def test_texts_are_read_from_whatever_can_be_scored_each_once(tmp_path):
    (tmp_path / "one.csv").write_text("id,body\n1,b\n2,a\n3,\n4,b\n5, \n")
    (tmp_path / "two.csv").write_text("id,body\n1,c\n2,a\n")
    texts = read_texts([tmp_path / "one.csv", tmp_path / "two.csv"], column="body")
    assert sorted(texts.to_pylist()) == ["a", "b", "c"]
    (tmp_path / "mail.mbox").write_text("From ann Tue Feb  3 09:14:22 2026\nSubject: Timer\n\nIt works.\n")
    assert read_texts([tmp_path / "mail.mbox"]).to_pylist() == ["It works."]


def test_of_many_texts_some_are_drawn_whatever_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(adapt, "MOST_TEXTS", 20)
    lines = [f"text {number}" for number in range(1000)]
    drawn = []
    for order in (lines, lines[::-1]):
        (tmp_path / "texts.txt").write_text("\n".join(order))
        drawn.append(read_texts([tmp_path / "texts.txt"]).to_pylist())
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 20
    assert read_texts([tmp_path / "texts.txt"], seed=2).to_pylist() != drawn[0]


def run(monkeypatch, capsys, *arguments):
    """Run the command line; return its exit code, stdout and the lines of stderr."""
    monkeypatch.setattr(sys, "argv", ["textsent", "adapt", *map(str, arguments)])
    monkeypatch.setattr(sys, "meta_path", sys.meta_path[:])  # where the command line hides pandas
    monkeypatch.setattr(Lexicons, "from_nltk", lambda otherwise: LEXICONS)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    return ended.value.code or 0, out, err.splitlines()


@pytest.fixture
def texts_file(tmp_path):
    (tmp_path / "texts.txt").write_text("\n".join([*corpus(), "!!!"]))
    return tmp_path / "texts.txt"


def test_the_command_line_adapts_and_tells_what_changes(preset, texts_file, tmp_path, monkeypatch, capsys):
    output = tmp_path / "model"
    code, out, lines = run(monkeypatch, capsys, texts_file, "-m", preset, "-o", output, "--trust-recipe")
    assert (code, out) == (0, "")
    told = "\n".join(lines)
    assert "300 different texts, 1 left out: 'no words' (1×)" in lines
    assert "words that are new, and in how many texts: " in told
    assert "dire (" in told
    for row in ("words known", "on the lexicons' side, of ", "plain sentences right"):
        assert any(line.startswith(row) for line in lines)
    assert any(line.startswith("  0.") and " → 0." in line for line in lines)
    assert lines[-1] == f"written to {output}"
    assert read_json(output / METADATA_FILE)["adapted"]["command"].startswith("textsent adapt ")
    assert load(output, device="cpu").score(["superb splendid"])[0] > 0.5


def test_the_command_line_shows_what_would_change_and_ends_with_1_where_that_would_do_harm(
    preset, texts_file, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(adapt, "MOST_CHANGED", 0.01)
    output = tmp_path / "model"
    code, out, lines = run(monkeypatch, capsys, texts_file, "-m", preset, "-o", output, "--trust-recipe")
    assert (code, out) == (1, "")
    assert any(line.startswith("words known") for line in lines)
    assert lines[-1].startswith("textsent: adapting would do harm, and nothing is written: ")
    assert [path.name for path in tmp_path.iterdir()] == ["texts.txt"]


def test_an_interrupted_adaptation_leaves_nothing(preset, texts_file, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(adapt, "fitting_of", lambda *_: interrupt())
    output = tmp_path / "model"
    code, _, lines = run(monkeypatch, capsys, texts_file, "-m", preset, "-o", output, "--trust-recipe")
    assert (code, lines[-1]) == (130, "textsent: interrupted: nothing is written")
    assert not output.exists()


def test_an_example_cannot_steer_the_terminal_and_is_cut(start, capsys):
    from rich.console import Console

    from textsent.display import print_adaptation

    example = Example("\x1b[31mred\x07 [bold]" + "long " * 99, 0.25, 0.75)
    print_adaptation(
        Console(width=200, markup=False, highlight=False), replace(find_again(start), examples=(example,))
    )
    out = capsys.readouterr().out
    assert "no words that are new" in out
    (line,) = (line for line in out.splitlines() if "→" in line)
    assert line.startswith("  0.250 → 0.750  [31mred [bold]long")
    assert EXAMPLE_LENGTH - 1 <= len(line.split("0.750  ")[1]) <= EXAMPLE_LENGTH
    assert "\x1b" not in line


def test_an_output_that_exists_is_replaced_on_demand_alone(preset, texts_file, tmp_path, monkeypatch, capsys):
    output = shutil.copytree(preset, tmp_path / "model")
    code, _, lines = run(monkeypatch, capsys, texts_file, "-m", preset, "-o", output, "--trust-recipe")
    assert code == 1
    assert lines == [
        f"textsent: {output} exists already: choose another folder with --output, or replace it with --overwrite"
    ]
