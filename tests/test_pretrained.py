import csv
import json
from pathlib import Path

import numpy as np
import pytest

from textsent.model import SentimentModel
from textsent.presets import HISTORY_FILE, METADATA_FILE, PRESET_FILES, find_preset, read_json, shipped_presets
from textsent.readers import open_reader
from textsent.score import load

EXAMPLES = Path(__file__).parents[1] / "examples"
LONG = "the acting was wonderful and the story kept me watching until the very end " * 60


def test_the_shipped_preset_is_complete_and_under_15_mb():
    folder = find_preset("imdb-lstm")
    assert set(PRESET_FILES) < {path.name for path in folder.iterdir()}
    assert sum(path.stat().st_size for path in folder.iterdir()) < 15_000_000


def test_the_shipped_preset_says_what_it_was_made_by_and_of():
    metadata = read_json(find_preset("imdb-lstm") / METADATA_FILE)
    assert metadata["command"] in (find_preset("imdb-lstm") / "README.md").read_text("utf-8")
    assert metadata["validation"]["accuracy"] >= 0.90
    assert json.dumps(metadata).count("/") == 0


def test_the_history_of_the_shipped_preset_has_the_epoch_that_its_metadata_report_on():
    history = json.loads((find_preset("imdb-lstm") / HISTORY_FILE).read_text("utf-8"))
    assert [(epoch["number"], epoch["best"]) for epoch in history] == [
        (1, True), (2, True), (3, True), (4, True), (5, True),
    ]  # fmt: skip
    reported = read_json(find_preset("imdb-lstm") / METADATA_FILE)["validation"]
    # The epoch's figures are of the network alone, without the n-grams.
    assert history[4]["validation_accuracy"] < reported["accuracy"]


def test_every_shipped_preset_loads():
    assert all(load(name, device="cpu") for name in shipped_presets())


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("great service", 0.92716),
        ("you guys are terrible", 0.07065),
        ("One of the finest films of the year, and I would watch it again tomorrow.", 0.94273),
        ("Two hours of my life that I will never get back.", 0.36335),
        ("The parcel arrived on Tuesday.", 0.46927),
        (LONG, 0.99999),
    ],
)
def test_the_shipped_scores_stay_what_they_are(text, score):
    assert load("imdb-lstm", device="cpu").score([text])[0] == pytest.approx(score, abs=1e-4)


def example_texts():
    with (EXAMPLES / "reviews.csv").open(encoding="utf-8", newline="") as file:
        reviews = [row["text"] for row in csv.DictReader(file)]
    with open_reader(EXAMPLES / "inbox.mbox") as reader:
        return reviews + [text for batch in reader for text in batch.column("text").to_pylist()]


def test_scores_by_8_bit_integers_are_those_of_the_shipped_model_within_three_hundredths():
    texts = example_texts()
    exact = load("imdb-lstm", device="cpu").score(texts)
    quick = load("imdb-lstm", device="cpu", precision="int8").score(texts)
    assert len(texts) > 60
    assert 0 < np.nanmax(abs(quick - exact)) < 0.03
    np.testing.assert_array_equal(np.isnan(quick), np.isnan(exact))


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_the_shipped_model_gives_an_example_one_score_alone_and_among_others(precision):
    scorer = load("imdb-lstm", device="cpu", precision=precision)
    texts = [*example_texts(), LONG, None, ""]
    together = scorer.score(texts)
    alone = [scorer.score([text])[0] for text in texts]
    np.testing.assert_allclose(together, alone, atol=1e-6, rtol=0)


def test_on_keras_the_shipped_model_gives_the_scores_that_it_gives_on_onnx_runtime():
    from textsent.model import KerasNetwork

    scorer = load("imdb-lstm", device="cpu")
    ids = scorer.preprocessor([*example_texts()[:8], "great service"])
    on_keras = SentimentModel(
        KerasNetwork.from_preset(find_preset("imdb-lstm")),
        scorer.model.layout,
        calibration=scorer.model.calibration,
        ngrams=scorer.model.ngrams,
    )
    np.testing.assert_allclose(scorer.model.predict(ids), on_keras.predict(ids), atol=1e-5, rtol=0)


def test_the_shipped_model_is_as_accurate_as_its_readme_says(imdb_train):
    from textsent.datasets import read_labelled
    from textsent.evaluate import evaluate
    from textsent.parts import validation_part

    held_out = validation_part(read_labelled(imdb_train), find_preset("imdb-lstm"))
    chosen = held_out.where(np.arange(len(held_out)) % 5 == 0)
    assert evaluate(load("imdb-lstm", device="cpu").score(chosen.texts), chosen.labels).accuracy > 0.88
