"""A preset's README: its model card and the pictures in it, made from the facts of its training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from textsent.datasets import LabelledTexts
from textsent.preprocess import Preprocessor
from textsent.presets import CALIBRATION, NGRAMS, PICTURES_FOLDER
from textsent.recipes import Recipe

_FIGURES = {
    "texts": "texts",
    "accuracy": "accuracy",
    "f1": "F1",
    "auc": "AUC",
    "log_loss": "log loss",
    "calibration_error": "calibration error",
}
_EPOCH_FIGURES = ("loss", "accuracy", "validation_loss", "validation_accuracy")


def model_card(
    facts: dict[str, Any],
    history: Sequence[dict[str, Any]],
    config: dict[str, Any],
    recipe: Recipe,
    pictures: Sequence[tuple[str, str]],
) -> str:
    """Return the Markdown page that a preset is described by.

    Args:
        facts: What `metadata.json` holds.
        history: The epochs, as `history.json` holds them.
        config: What `config.json` holds.
        recipe: What was trained.
        pictures: Path, within the preset, and title of each picture.
    """
    options, data = facts["options"], facts["data"]
    parts = {"validation": facts["validation"], **({"test": facts["test"]} if "test" in facts else {})}
    kept = next(epoch for epoch in reversed(history) if epoch["best"])
    lines = [
        f"# A model of the recipe {options['recipe']}",
        "",
        f"The tone of texts, by a network of {recipe.shape or 'its own shape'}.",
        f"Origin of the recipe: {recipe.origin}.",
        *([f"Published of it: {recipe.published}."] if recipe.published else []),
        "",
        "## How it was made",
        "",
        *(["```sh", facts["command"], "```", ""] if facts["command"] else []),
        *([_sentence_of_start(facts["started_from"])] if "started_from" in facts else []),
        _sentence_of_data(data),
        f"The vocabulary has {config['vocabulary_size']:,} words. {_sentence_of_window(config)}",
        *([_SENTENCE_OF_NGRAMS] if config.get(NGRAMS) else []),
        *_sentence_of_calibration(config, fitted=kept["number"] > 0),
        "",
        f"It took {facts['minutes']} minutes on {facts['hardware']['cores']} cores "
        f"{'with' if facts['hardware']['gpu'] else 'without'} a GPU. "
        f"Of {history[-1]['number']} epochs the weights of number {kept['number']} were kept."
        + (" The training was interrupted." if facts["interrupted"] else ""),
        "Versions: " + ", ".join(f"{name} {number}" for name, number in facts["versions"].items()) + ".",
        "",
        "## How it does",
        "",
        "| part | " + " | ".join(_FIGURES.values()) + " |",
        "|---" * (len(_FIGURES) + 1) + "|",
        *(
            f"| {name} | " + " | ".join(_shown(figures[figure]) for figure in _FIGURES) + " |"
            for name, figures in parts.items()
        ),
        "",
    ]
    if recipe.keep != "last":
        alone = " The epochs' own figures are of the network alone." if config.get(NGRAMS) else ""
        lines += [f"The epoch was chosen on the validation part: expect a little less elsewhere.{alone}", ""]
    lines += [
        "| epoch | " + " | ".join(figure.replace("_", " ") for figure in _EPOCH_FIGURES) + " | |",
        "|---" * (len(_EPOCH_FIGURES) + 2) + "|",
        *(
            f"| {epoch['number']} | "
            + " | ".join(_shown(epoch[figure]) for figure in _EPOCH_FIGURES)
            + f" | {'kept' if epoch is kept else ''} |"
            for epoch in history
        ),
        "",
    ]
    for path, title in pictures:
        lines += [f"![{title}]({path})", ""]
    lines += [
        "## Where it fails",
        "",
        "It knows the words and the tone of the texts that it was trained on and of no others: what it makes of",
        "texts of another kind, length or language is to be measured before it is believed (`textsent evaluate`).",
    ]
    return "\n".join(lines) + "\n"


def draw_pictures(
    folder: Path,
    history: Sequence[dict[str, Any]],
    training: LabelledTexts,
    preprocessor: Preprocessor,
    window: int,
    vectors: np.ndarray[Any, np.dtype[np.float32]],
    validation_scores: np.ndarray[Any, np.dtype[np.float32]],
    validation: LabelledTexts,
) -> list[tuple[str, str]]:
    """Draw a training's pictures into a preset, each as SVG and PNG; return the path and the title of each.

    Args:
        folder: The preset.
        history: The epochs, as `history.json` holds them.
        training: The labelled texts that were trained on.
        preprocessor: The network's.
        window: Words that it reads at once.
        vectors: float32, shape (words, size): its embedding, without the ids that are no words.
        validation_scores: float32, shape (texts,): what it says of the validation part.
        validation: That part.
    """
    from textsent import pictures
    from textsent.describe import word_counts, words_by_label, z_scores

    positive, negative = words_by_label(training, preprocessor.settings)
    vocabulary = preprocessor.vocabulary
    tones = z_scores(_counts(positive, vocabulary), _counts(negative, vocabulary))
    drawn = {
        "learning": ("Loss and accuracy by epoch", pictures.learning_curves(history)),
        "words": (
            "Words of the texts",
            pictures.word_count_chart(word_counts(training.texts, preprocessor.settings), window),
        ),
        "embedding": (
            "The embedding in two dimensions",
            pictures.embedding_map(vocabulary, vectors, tones),
        ),
        "calibration": (
            "How well scores are calibrated",
            pictures.calibration_curve(validation_scores, validation.labels),
        ),
    }
    for name, (_, chart) in drawn.items():
        pictures.save(chart, folder / PICTURES_FOLDER, name)
    return [(f"{PICTURES_FOLDER}/{name}.svg", title) for name, (title, _) in drawn.items()]


def _counts(counted: dict[str, int], words: Sequence[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array([counted.get(word, 0) for word in words], np.int64)


def _sentence_of_data(data: dict[str, Any]) -> str:
    """Return what it was trained on, in a sentence or two."""
    beside = f" and {data['unlabelled_texts']:,} unlabelled ones" if data["unlabelled_texts"] else ""
    tested = f", {data['test_texts']:,} to test with" if data["test_texts"] else ""
    cut = "No group has texts in two parts. " if data["cut_by_group"] else ""
    short = ""
    if data.get("short_texts"):
        short = (
            f" Beside them stood {data['short_texts']:,} single sentences: of these texts, judged by a linear "
            "teacher and the lexicons of VADER and of Hu and Liu, and made from the lexicons' words and patterns "
            "of textsent's own."
        )
    return (
        f"Trained on {data['training_texts']:,} labelled texts{beside}, with {data['validation_texts']:,} to "
        f"validate with{tested}. {cut}SHA-256 of the data: `{data['sha256']}`.{short}"
    )


def _sentence_of_start(start: dict[str, Any]) -> str:
    """Return what model the training started from."""
    number = start["new_words"]
    words = f", with {number:,} new word{'s'[: number != 1]}" if number else ""
    return f"Fine-tuned: it started from {start['model']}{words}. SHA-256 of that model: `{start['sha256']}`."


_SENTENCE_OF_NGRAMS = (
    "Beside the network a linear model judges a text by its n-grams of one to three words; its log-odds count for "
    "up to 0.4 of the mean, the less, the shorter a text."
)


def _sentence_of_calibration(config: dict[str, Any], fitted: bool) -> list[str]:
    """Return what becomes of the network's log-odds, in a sentence; none where nothing does."""
    found = config.get(CALIBRATION)
    if not found:
        return []
    band = f" Scores from {found['neutral'][0]} to {found['neutral'][1]} are neutral." if "neutral" in found else ""
    source = "fitted on the validation part" if fitted else "as in the model that it started from"
    return [f"Log-odds are divided by {found['temperature']:.3f}, {source}.{band}"]


def _sentence_of_window(config: dict[str, Any]) -> str:
    """Return what of a text is read."""
    match config.get("long_texts", "windows"):
        case "first":
            return f"Of a text the first {config['window']:,} words are read, and no others."
        case "last":
            return f"Of a text the last {config['window']:,} words are read, and no others."
        case _:
            return f"A text is read {config['window']:,} words at a time."


def _shown(value: float | int | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
