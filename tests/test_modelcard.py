from dataclasses import replace

import pytest
from small_trainings import bag

from textsent.modelcard import model_card

FACTS = {
    "command": "textsent train --data 'my reviews.csv' --recipe cnn-500",
    "created": "2026-11-22T07:08:04+00:00",
    "minutes": 12.5,
    "hardware": {"machine": "x86_64", "cores": 2, "gpu": False},
    "versions": {"python": "3.11.7", "textsent": "0.1.0"},
    "options": {"recipe": "cnn-500", "seed": 1},
    "interrupted": False,
    "data": {
        "sha256": "2e88",
        "training_texts": 22482,
        "unlabelled_texts": 0,
        "validation_texts": 2518,
        "test_texts": 0,
        "cut_by_group": True,
    },
    "validation": {
        "texts": 2518,
        "unscored": 0,
        "accuracy": 0.91,
        "f1": 0.9051,
        "auc": None,
        "log_loss": 0.2266,
        "calibration_error": 0.01243,
        "confusion": [[1208, 114], [113, 1083]],
    },
}
EPOCH = {"loss": 0.4, "accuracy": 0.8, "validation_loss": 0.26, "validation_accuracy": 0.9, "seconds": 9.0}
HISTORY = [{"number": number, **EPOCH, "best": number < 3} for number in (1, 2, 3)]
CONFIG = {"vocabulary_size": 30000, "window": 1500}
RECIPE = replace(bag, shape="embedding 4, mean, sigmoid", origin="a write-up", published="test 0.8779")

CARD = """\
# A model of the recipe cnn-500

The tone of texts, by a network of embedding 4, mean, sigmoid.
Origin of the recipe: a write-up.
Published of it: test 0.8779.

## How it was made

```sh
textsent train --data 'my reviews.csv' --recipe cnn-500
```

Trained on 22,482 labelled texts, with 2,518 to validate with. No group has texts in two parts. \
SHA-256 of the data: `2e88`.
The vocabulary has 30,000 words. A text is read 1,500 words at a time.

It took 12.5 minutes on 2 cores without a GPU. Of 3 epochs the weights of number 2 were kept.
Versions: python 3.11.7, textsent 0.1.0.

## How it does

| part | texts | accuracy | F1 | AUC | log loss | calibration error |
|---|---|---|---|---|---|---|
| validation | 2,518 | 0.9100 | 0.9051 | – | 0.2266 | 0.0124 |

The epoch was chosen on the validation part: expect a little less elsewhere.

| epoch | loss | accuracy | validation loss | validation accuracy | |
|---|---|---|---|---|---|
| 1 | 0.4000 | 0.8000 | 0.2600 | 0.9000 |  |
| 2 | 0.4000 | 0.8000 | 0.2600 | 0.9000 | kept |
| 3 | 0.4000 | 0.8000 | 0.2600 | 0.9000 |  |

![Loss and accuracy by epoch](pictures/learning.svg)

## Where it fails

It knows the words and the tone of the texts that it was trained on and of no others: what it makes of
texts of another kind, length or language is to be measured before it is believed (`textsent evaluate`).
"""


def card(facts=None, recipe=RECIPE, pictures=()):
    return model_card(FACTS | (facts or {}), HISTORY, CONFIG, recipe, pictures)


def test_a_card_says_what_the_facts_say():
    assert card(pictures=[("pictures/learning.svg", "Loss and accuracy by epoch")]) == CARD


def test_what_there_is_not_is_not_told():
    text = card({"command": ""}, replace(RECIPE, shape="", published="", keep="last"))
    assert "a network of its own shape." in text
    for absent in ("Published", "```", "The epoch was chosen", "![", "None"):
        assert absent not in text


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (
            {"unlabelled_texts": 49730},
            "Trained on 22,482 labelled texts and 49,730 unlabelled ones, with 2,518 to ",
        ),
        ({"test_texts": 1000}, "with 2,518 to validate with, 1,000 to test with. No group "),
        ({"cut_by_group": False}, "with 2,518 to validate with. SHA-256 "),
    ],
)
def test_the_data_are_told_in_a_sentence(data, sentence):
    assert sentence in card({"data": FACTS["data"] | data})


def test_short_texts_are_told_after_the_data():
    text = card({"data": FACTS["data"] | {"unlabelled_texts": 9, "short_texts": 12_345}})
    assert (
        "SHA-256 of the data: `2e88`. Beside them stood 12,345 single sentences: of these texts, judged by a "
        "linear teacher and the lexicons of VADER and of Hu and Liu, and made from the lexicons' words and "
        "patterns of textsent's own.\n"
    ) in text


def test_n_grams_are_told_in_a_sentence():
    sentence = "Beside the network a linear model judges a text by its n-grams"
    assert sentence in model_card(FACTS, HISTORY, CONFIG | {"ngrams": True}, RECIPE, [])
    assert sentence not in model_card(FACTS, HISTORY, CONFIG, RECIPE, [])


def test_a_calibration_is_told_in_a_sentence():
    for calibration, sentence in (
        ({"temperature": 1.25, "bias": 0}, "\nLog-odds are divided by 1.250, fitted on the validation part.\n"),
        (
            {"temperature": 0.5, "bias": 0, "neutral": [0.4, 0.6]},
            "divided by 0.500, fitted on the validation part. Scores from 0.4 to 0.6 are neutral.\n",
        ),
    ):
        assert sentence in model_card(FACTS, HISTORY, CONFIG | {"calibration": calibration}, RECIPE, [])
    kept = [{**HISTORY[0], "number": 0, "best": True}]
    text = model_card(FACTS, kept, CONFIG | {"calibration": {"temperature": 2, "bias": 0}}, RECIPE, [])
    assert "\nLog-odds are divided by 2.000, as in the model that it started from.\n" in text


def test_a_part_to_test_on_has_its_own_row():
    lines = card({"test": FACTS["validation"] | {"texts": 1000, "accuracy": 0.5, "auc": 0.75}}).splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("| validation"))
    assert lines[at + 1] == "| test | 1,000 | 0.5000 | 0.9051 | 0.7500 | 0.2266 | 0.0124 |"


@pytest.mark.parametrize(("long_texts", "where"), [("first", "first"), ("last", "last")])
def test_what_of_a_long_text_is_not_read_is_told(long_texts, where):
    text = model_card(FACTS, HISTORY, CONFIG | {"long_texts": long_texts}, RECIPE, [])
    assert f"Of a text the {where} 1,500 words are read, and no others." in text


def test_a_training_that_was_interrupted_is_told():
    assert "were kept. The training was interrupted.\n" in card({"interrupted": True})


def test_a_gpu_is_told():
    assert "on 2 cores with a GPU." in card({"hardware": FACTS["hardware"] | {"gpu": True}})
