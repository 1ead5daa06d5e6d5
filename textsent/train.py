"""Training: labelled texts and a recipe in, a preset folder out."""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from textsent import __version__
from textsent.calibrate import fit_temperature
from textsent.checkpoint import TrainingFolder, writing
from textsent.cores import usable_cores
from textsent.datasets import LabelledTexts, class_weights
from textsent.errors import DeviceError, DivergedError, InputError, OptionError, OutputError
from textsent.evaluate import Evaluation, evaluate, without_nan
from textsent.export import export, round_embedding, save_weights
from textsent.finetune import Start
from textsent.fitting import Beginning, Epoch, Fitting, Observer
from textsent.language import MIN_COVERAGE, MIN_COVERAGE_KEY
from textsent.model import (
    SentimentModel,
    import_keras,
    keras_sees_gpu,
)
from textsent.modelcard import draw_pictures, model_card
from textsent.ngrams import NgramTable
from textsent.options import Options
from textsent.parts import Parts, check_parts, cut, stands_in
from textsent.prepare import Prepared, Sources, load_prepared, prepare, save_prepared
from textsent.preprocess import FIRST_WORD_ID, Preprocessor, as_text_array
from textsent.presets import (
    CALIBRATION,
    CONFIG_FILE,
    HISTORY_FILE,
    METADATA_FILE,
    NGRAMS,
    PROJECTED,
    README_FILE,
    WEIGHTS_FILE,
    Calibration,
    new_preset,
    read_json,
    write_json,
)
from textsent.recipes import Recipe, recipe
from textsent.stopwords import stop_words as read_stop_words
from textsent.teaching import fitting_of, network_of
from textsent.unlabelled import ngram_table
from textsent.windows import Layout

NEUTRAL_BAND = (0.33, 0.67)
"""Scores that a model which has read sentences without any tone calls neutral: about those that CheckList takes for
neutral in models of two classes. Of made sentences that it was not trained on, the shipped model had 0.911 of the
three classes right with it, the mean of their recalls, and 0.893 with 0.4 to 0.6."""


class Trained(NamedTuple):
    """How well a model does on what was held out.

    Attributes:
        validation: On the part that its epoch was chosen by.
        test: On the part that nothing was chosen by; None where there is none.
        before: How well the model does that the training started from; None where it started from none.
        has_learned: Whether that is another model than this; False where no epoch made it better.
    """

    validation: Evaluation
    test: Evaluation | None
    before: Trained | None = None
    has_learned: bool = True


def train(
    data: LabelledTexts,
    output: Path,
    options: Options,
    observer: Observer,
    *,
    start: Start | None = None,
    unlabelled: pa.Array | None = None,
    validation: LabelledTexts | None = None,
    test: LabelledTexts | None = None,
    embeddings: Path | None = None,
    stop_words: Path | None = None,
    pictures: bool = True,
    overwrite: bool = False,
    resume: bool = False,
    command: str = "",
) -> Trained:
    """Train a recipe and write it as a preset; return how well it does on what was held out.

    With unlabelled texts the recipe `lstm` starts from word vectors trained on all texts but those held out, and
    it also learns from what a linear teacher, trained on the training part, thinks of them. With short texts it
    learns from single sentences as well, which the teacher and lexicons judge (`textsent.short_texts`).

    Until the preset is complete a folder beside it, named after it with `.training` at its end, holds checkpoints.
    A KeyboardInterrupt ends training early: the best epoch so far becomes the preset, and the folder stays, so that
    the training can go on.

    Args:
        data: Labelled texts.
        output: Folder to write the preset to; it appears when training is over.
        options: How to train.
        observer: Is told how training goes.
        start: A model to start from, in place of random weights; see `textsent.finetune`. The recipe is its own.
        unlabelled: Array of strings, of which null ones are left out; needs the extra `textsent[unlabelled]`.
        validation: Texts to choose the best epoch by, in place of a share of `data`.
        test: Texts to measure the result by, in place of a share of `data`.
        embeddings: File of word vectors, for a recipe with fixed ones; see `textsent.embeddings.read_vectors`.
        stop_words: File of stop words, for a recipe that leaves them out; by default NLTK's.
        pictures: Draw pictures into the preset.
        overwrite: Replace a preset of that name, and an unfinished training.
        resume: Go on with an unfinished training; it ends with the weights that it would have had.
        command: The command line, to be stored with the preset.

    Raises:
        InputError: There is too little data, or it is all of one label, or a file can't be used.
        OptionError: An option doesn't go with the recipe, or with the training that is to go on.
        OutputError: The folder exists or can't be written.
        DivergedError: The loss is no number any more.
        DeviceError: The precision needs a GPU and there is none.
        MissingExtraError: A package that is needed isn't installed.
        KeyboardInterrupt: Interrupted before the first epoch was over; the training can go on.
    """
    check_output_folder(output, overwrite, resume)
    unfinished = TrainingFolder(output)
    sources = Sources(
        None if unlabelled is None else as_text_array(unlabelled).cast(pa.large_string()).drop_null(),
        embeddings,
        stop_words,
    )
    options = checked(options, sources, start)
    chosen = recipe(options.recipe) if start is None else start.recipe
    if len(np.unique(data.labels)) < 2:
        label = "positive" if len(data) and data.labels[0] else "negative"
        raise InputError(f"all {len(data):,} texts are labelled {label}: there must be texts of both labels")
    parts = cut(data, options, validation, test)
    check_parts(parts, options)
    run = _run(data, options, sources, validation, test, start)
    if sources.unlabelled is not None:
        sources = replace(sources, unlabelled=_not_held_out(sources.unlabelled, parts))
    import_keras()
    if options.precision != "float32" and not keras_sees_gpu():
        raise DeviceError(
            f"training in {options.precision} needs a GPU, and Keras sees none: leave --precision out"
        )
    if resume and unfinished.exists:
        unfinished.check_same(run)
    else:
        unfinished.remove()
        unfinished.begin(run)
    began = time.monotonic()
    if start is not None:
        start = start.learning_from(parts.training.texts)
        chosen = start.recipe
    try:
        if unfinished.has_checkpoint:
            prepared = load_prepared(unfinished, parts, sources, options)
        else:
            if start is None:
                prepared = prepare(parts, sources, options, observer)
            else:
                prepared = start.prepared(parts.training)
            with writing(unfinished.path):
                save_prepared(prepared, parts, unfinished)
        fitting = _fitting(chosen, parts, prepared, options, unfinished)
        if start is not None:
            start.watch(fitting, prepared.lesson(parts))
    except BaseException:
        if not unfinished.has_checkpoint:
            unfinished.remove()
        raise
    seconds = time.monotonic() - began
    observer.began(_beginning(parts, prepared, fitting))
    try:
        fitting.run(observer)
    except KeyboardInterrupt:
        if not fitting.state.done:
            raise
    except DivergedError:
        unfinished.remove()  # it would diverge again
        raise
    fitting.load_best()
    trained, weights = chosen.build(prepared.config), fitting.model.get_weights()  # in float32, without optimizer
    trained.set_weights(weights if start is None else start.kept(weights, fitting.kept_epoch))
    ngrams = None if start is None else start.ngrams
    if prepared.teacher is not None:
        observer.said("n-grams are weighed")
        whole = len(prepared.texts) - len(prepared.short_texts(parts))
        ngrams = ngram_table(
            prepared.preprocessor(prepared.texts.slice(0, whole)),
            fitting.arrays["targets"][:whole],
            len(parts.training),
        )
    seconds += sum(epoch.seconds for epoch in fitting.state.epochs)
    facts = {
        "command": command,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "minutes": round(seconds / 60, 1),
        "hardware": _hardware(),
        "versions": _versions(),
        "options": asdict(options),
        **({} if start is None else {"started_from": start.facts()}),
        "interrupted": not fitting.is_over,
        "data": {
            "sha256": run["data"],
            "training_texts": len(parts.training),
            "unlabelled_texts": 0 if sources.unlabelled is None else len(sources.unlabelled),
            "short_texts": len(prepared.short_texts(parts)),
            "validation_texts": len(parts.validation),
            "validation_from_file": validation is not None,
            "test_texts": 0 if parts.test is None else len(parts.test),
            "cut_by_group": parts.cut_by_group,
        },
    }
    with new_preset(output) as folder:
        result = _write_preset(
            folder,
            trained,
            ngrams,
            prepared,
            parts,
            facts,
            fitting.state.epochs,
            fitting.kept_epoch,
            pictures,
            start,
        )
    if fitting.is_over:
        unfinished.remove()
    return result


def checked(options: Options, sources: Sources, start: Start | None = None) -> Options:
    """Return options with the recipe's own where none were given, if it can do what it is asked for.

    Args:
        options: How to train.
        sources: What is given beside the labelled texts, which need not have been read yet.
        start: A model to start from.

    Raises:
        OptionError: It can't.
        MissingExtraError: A package that is needed isn't installed.
    """
    chosen = recipe(options.recipe) if start is None else start.recipe
    if start is not None:
        start.check(options, sources)
    sources.check(chosen, options)
    others = sources.unlabelled is not None or options.short_texts
    if options.class_weight == "balanced" and chosen.teacher and others:
        raise OptionError(
            "--class-weight balanced doesn't go with --unlabelled and --short-texts, whose texts have no class"
        )
    return options.completed(chosen)


def _fitting(chosen: Recipe, parts: Parts, prepared: Prepared, options: Options, folder: TrainingFolder) -> Fitting:
    """Return a network that is ready to be fitted, at its beginning or where its last checkpoint was."""
    lesson, starts = prepared.lesson(parts), {}
    if options.class_weight == "balanced":
        negative, positive = class_weights(parts.training.labels)
        lesson = replace(lesson, weights=lesson.targets * positive + (1 - lesson.targets) * negative)
    if prepared.vectors is not None:
        special = np.zeros((FIRST_WORD_ID, prepared.vectors.shape[1]), np.float32)
        starts["embedding"] = [np.concatenate([special, prepared.vectors])]
    return fitting_of(chosen, prepared.config, lesson, folder, options, starts)


def _beginning(parts: Parts, prepared: Prepared, fitting: Fitting) -> Beginning:
    best = fitting.state.best
    return Beginning(
        texts=len(prepared.texts),
        validation_texts=len(parts.validation),
        cut_by_group=parts.cut_by_group,
        words=len(prepared.preprocessor.words),
        steps=len(fitting.batches),
        epochs=fitting.epochs,
        epoch=max(1, fitting.next_epoch),
        step=fitting.state.step,
        best_accuracy=best.validation_accuracy if best else None,
    )


def _write_preset(
    folder: Path,
    model: Any,
    ngrams: NgramTable | None,
    prepared: Prepared,
    parts: Parts,
    facts: dict[str, Any],
    epochs: Sequence[Epoch],
    kept_epoch: int,
    pictures: bool,
    start: Start | None,
) -> Trained:
    """Write all of a preset into a folder; return how well it does on what was held out."""
    graph = write_network(model, prepared.config, prepared.preprocessor, folder, ngrams)
    layout = Layout.from_config(prepared.config)
    final = SentimentModel(network_of(graph, folder, model, layout), layout, usable_cores(), ngrams=ngrams)
    scores = final.predict(prepared.preprocessor(parts.validation.texts))
    before = None
    if start is None and facts["options"]["short_texts"]:
        final.calibration = _write_calibration(folder, scores, parts.validation)
        scores = final.predict(prepared.preprocessor(parts.validation.texts))
    elif start is not None:
        final.calibration = start.write_calibration(folder, scores, parts.validation.labels, kept_epoch)
        scores = final.predict(prepared.preprocessor(parts.validation.texts))
        tested = None if parts.test is None else start.evaluate(parts.test)
        before = Trained(start.evaluate(parts.validation), tested)
    validation, test = evaluate(scores, parts.validation.labels), None
    facts = {**facts, "validation": validation.to_json()}
    if parts.test is not None:
        test = evaluate(final.predict(prepared.preprocessor(parts.test.texts)), parts.test.labels)
        facts["test"] = test.to_json()
    history = [without_nan(asdict(epoch)) for epoch in epochs]
    write_json(folder / METADATA_FILE, facts)
    write_json(folder / HISTORY_FILE, history)
    drawn: list[tuple[str, str]] = []
    if pictures:
        (table,) = model.get_layer("embedding").get_weights()
        vectors = table[FIRST_WORD_ID:]
        drawn = draw_pictures(
            folder, history, parts.training, prepared.preprocessor, layout.window, vectors, scores, parts.validation
        )
    card = model_card(facts, history, read_json(folder / CONFIG_FILE), recipe(facts["options"]["recipe"]), drawn)
    (folder / README_FILE).write_text(card, "utf-8")
    return Trained(validation, test, before, kept_epoch > 0)


def _write_calibration(folder: Path, scores: np.ndarray[Any, Any], validation: LabelledTexts) -> Calibration:
    """Add to a preset what makes its scores probabilities, which of them are neutral, and what it can't read."""
    scored = ~np.isnan(scores)
    calibration = Calibration(fit_temperature(scores[scored], validation.labels[scored]), neutral=NEUTRAL_BAND)
    config = read_json(folder / CONFIG_FILE)
    write_json(folder / CONFIG_FILE, {**config, CALIBRATION: calibration.to_json(), MIN_COVERAGE_KEY: MIN_COVERAGE})
    return calibration


def write_network(
    model: Any,
    config: dict[str, Any],
    preprocessor: Preprocessor,
    folder: Path,
    ngrams: NgramTable | None = None,
) -> str:
    """Write a preset's network, preprocessor and configuration; return which graph it has.

    Args:
        model: An uncompiled `keras.Model` built from `config`; its embedding is rounded in place.
        config: What the recipe was built from, with `recipe`, `vocabulary_size` and the layout's fields.
        preprocessor: What turns texts into the network's ids.
        folder: An existing folder.
        ngrams: What n-grams say beside the network; None for nothing.
    """
    round_embedding(model)
    save_weights(model, folder / WEIGHTS_FILE)
    graph = export(model, folder)
    preprocessor.save(folder)
    config = config if graph == PROJECTED else {**config, "graph": graph}
    if ngrams is not None:
        ngrams.save(folder)
        config = {**config, NGRAMS: True}
    write_json(folder / CONFIG_FILE, config)
    return graph


def _not_held_out(unlabelled: pa.Array, parts: Parts) -> pa.Array:
    """Return the unlabelled texts that may be learnt from.

    Raises:
        InputError: There are none.
    """
    left = unlabelled.filter(pa.array(~stands_in(unlabelled, parts.held_out)))
    if not len(left):
        raise InputError(
            "the unlabelled texts are all among those held out to validate or test with: "
            "give others, or leave --unlabelled out"
        )
    return left


def _run(
    data: LabelledTexts,
    options: Options,
    sources: Sources,
    validation: LabelledTexts | None,
    test: LabelledTexts | None,
    start: Start | None,
) -> dict[str, Any]:
    """Return all that the weights depend on, by a name that a user understands."""
    keras, chosen = import_keras(), recipe(options.recipe) if start is None else start.recipe
    told_apart = {"build", "settings", "shape", "origin", "published"}
    trained_by = {
        field.name: getattr(chosen, field.name) for field in fields(chosen) if field.name not in told_apart
    }
    return {
        **asdict(options),
        **({} if start is None else {"model to start from": start.sha256}),
        "data": data.digest(),
        "order of the data": _digest(data.texts),
        "validation file": None if validation is None else validation.digest(),
        "test file": None if test is None else test.digest(),
        "unlabelled texts": None if sources.unlabelled is None else _digest(sources.unlabelled),
        "embeddings": None if sources.embeddings is None else [sources.embeddings.name, _size(sources.embeddings)],
        "stop words": None if sources.stop_words is None else list(read_stop_words(sources.stop_words)),
        "versions": [f"textsent {__version__}", f"keras {keras.__version__}"],
        **{f"the recipe's {name}": value for name, value in trained_by.items()},
    }


def _size(path: Path) -> int:
    """Return the bytes of a file.

    Raises:
        InputError: There is none.
    """
    try:
        return path.stat().st_size
    except OSError as exc:
        raise InputError(f"{path} can't be opened: {exc.strerror}: check the path") from exc


def _digest(texts: pa.Array) -> str:
    """Return a SHA-256 of texts in their order."""
    hashed = hashlib.sha256()
    for text in texts.to_pylist():
        encoded = text.encode()
        hashed.update(len(encoded).to_bytes(8) + encoded)
    return hashed.hexdigest()


def check_output_folder(output: Path, overwrite: bool, resume: bool = False) -> None:
    """Check that a preset can be written.

    Args:
        output: Its folder.
        overwrite: A preset of that name, and an unfinished training of it, may be replaced.
        resume: An unfinished training goes on, and may replace what it wrote when it was interrupted.

    Raises:
        OptionError: There is nothing to go on with.
        OutputError: Something of that name exists and is not to be replaced, or the folder around it is missing.
    """
    try:
        output.exists()
    except OSError as exc:
        raise OutputError(f"{output} can't be written: {exc.strerror}") from exc
    unfinished = TrainingFolder(output)
    if unfinished.path.exists() and not unfinished.exists:
        raise OutputError(f"{unfinished.path} is in the way, and is no unfinished training: move it")
    if resume and not unfinished.exists:
        raise OptionError(f"there is no unfinished training in {unfinished.path}: leave --resume out to begin one")
    is_preset = (output / CONFIG_FILE).is_file()
    if output.exists() and not ((overwrite or resume) and is_preset):
        advice = ", or replace it with --overwrite" if is_preset else ""
        raise OutputError(f"{output} exists already: choose another folder with --output{advice}")
    if unfinished.exists and not (overwrite or resume):
        raise OutputError(
            f"{unfinished.path} holds an unfinished training: go on with it by --resume, "
            "or begin anew with --overwrite"
        )
    if not output.absolute().parent.is_dir():
        raise OutputError(f"{output} can't be written: there is no folder {output.parent}")


def _hardware() -> dict[str, Any]:
    return {
        "machine": platform.machine(),
        "cores": usable_cores(),
        "gpu": keras_sees_gpu(),
    }


def _versions() -> dict[str, str]:
    import keras

    packages = ("keras", "numpy", "onnx", "onnxruntime", "pyarrow", keras.config.backend())
    known = {"python": platform.python_version(), "textsent": __version__}
    return known | {package: version(package) for package in packages}
