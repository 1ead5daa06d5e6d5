"""Adapting a model to texts that nobody labelled: it gets their words, and lexicons tell it what they sound like.

The words are added in any case, with vectors told from their contexts (`textsent.new_words`). What lexicons have to
tell depends on the model. One that was trained on labels alone errs otherwise than a lexicon does, and their sum is
right about foreign texts more often than either is. One that has learned from lexicons, as the shipped one has,
may know what they know of such texts, or better (KNOWS_LEXICONS), and then nothing is trained.

In a training each text's target is the probability by the model's log-odds and LEXICON_ODDS times what
lexicons say of it, less for a long text. Where both say the same it is surer than the model was. Where lexicons say
nothing it is the model's own, which holds the model where it was: Hinton, Vinyals and Dean, "Distilling the
Knowledge in a Neural Network", 2015. Taught by hard labels, and only by the texts that it agreed with a lexicon
about, a model learned nothing on the development sets (`docs/adapting.md`).

Nobody's labels say whether that helped. So a fifth of the texts is held out of a training, and nothing is written
where the model would drift too far, agree with lexicons less often, or lose what it knew of plain sentences.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textsent.checkpoint import TrainingFolder
from textsent.datasets import describe_labels
from textsent.errors import InputError
from textsent.finetune import Start
from textsent.fitting import Beginning, Epoch, Observer
from textsent.lexicons import Lexicons
from textsent.mail import DEFAULT_OPTIONS, MailOptions
from textsent.odds import log_odds, probabilities
from textsent.options import Options
from textsent.preprocess import Preprocessor, WordIds, as_text_array
from textsent.presets import (
    HISTORY_FILE,
    METADATA_FILE,
    PICTURES_FOLDER,
    README_FILE,
    new_preset,
    read_json,
    write_json,
)
from textsent.readers import open_reader
from textsent.recipes import recipe
from textsent.teaching import Lesson, fitting_of, sentiment_model
from textsent.train import write_network
from textsent.windows import Layout

LEAST_TEXTS, MOST_TEXTS = 200, 10_000
"""Different texts in the model's language that it takes to adapt to, and that are learnt from, drawn at random."""

LEAST_TEXTS_OF_A_WORD = 5

LEXICON_ODDS, HALF_LENGTH = 3.0, 50
"""Log-odds of a very short text that lexicons find as positive as can be; words of a text of which they have half.
On short foreign texts 2 to 4 were alike. Of film reviews, which the model knows better than any lexicon does, 0.903
of the targets are right by this, 0.874 whatever the length, and 0.908 by the model alone."""

SURE_SCORE, SURE_LEXICON = 0.6, 0.2
"""A score, from 0.5 on, and what lexicons say, 0 … 1, from which on each has an opinion of a text."""

LEAST_AGREED, LEAST_AGREED_OF_A_CLASS = 50, 10
"""Texts that model and lexicons must agree on."""

MOST_WEIGHT = 4.0
"""Positive and negative texts weigh the same in all, but none more than so many others."""

KNOWS_LEXICONS = 0.85
"""Of the texts that lexicons are sure about, the share on whose side a model is that knows all that they know. The
shipped one is on their side of 0.93 of the remarks of the development sets, and of 0.71 of the mail, where it is
right more often than they are; a model that had not learned from them was on their side of 0.71 to 0.80."""

UNSURE_SCORES, LEAST_UNSURE = (0.27, 0.73), 0.2
"""Scores between which a model is unsure, log-odds of about 1, and the share of texts that it must be unsure of.
Others are what it was trained for, and lexicons have nothing to tell it. It was unsure of 0.12 of film reviews, and
of 0.46 to 0.55 of the development sets' texts."""

HELD_OUT = 0.2
MOST_CHANGED = 0.25
"""Share of the texts whose verdict may change. What helped on the development sets changed 0.05 to 0.18 of them."""

MOST_LOST = 0.05
"""Share of the plain sentences that the model had right which it may have wrong."""

READINGS, MOST_EPOCHS, LEAST_EPOCHS = 16_000, 8, 2
"""How many texts are read in all, and how often each."""

RATE, BATCH_SIZE = 1.0, 16
"""Learning rate in the recipe's own, and windows in a batch."""

SHOWN_WORDS, SHOWN_EXAMPLES = 20, 6

PLAIN_SENTENCES = {
    1: (
        "I loved every minute of it.",
        "A wonderful film, funny and touching.",
        "The best service I have had in years.",
        "Great product, works perfectly.",
        "Thank you so much for your quick help!",
        "I am very happy with it.",
        "The staff were friendly and helpful.",
        "Excellent value for money.",
        "The acting is superb and the story is moving.",
        "I would recommend it to everyone.",
        "It is not bad at all, I like it.",
        "Beautiful, simple and easy to use.",
        "Everything went well and I am delighted.",
        "What a lovely surprise, we enjoyed it.",
        "The new version is much better and a joy to use.",
        "Perfect, exactly what I wanted.",
        "It was a pleasure to deal with you.",
        "A fantastic evening and a brilliant cast.",
        "I am impressed, well done.",
        "My favourite by far, it is amazing.",
    ),
    0: (
        "I hated every minute of it.",
        "A terrible film, boring and stupid.",
        "The worst service I have had in years.",
        "Awful product, it broke at once.",
        "Your reply was rude and useless.",
        "I am very disappointed with it.",
        "The staff were unfriendly and slow.",
        "A complete waste of money.",
        "The acting is dreadful and the story is dull.",
        "I would not recommend it to anyone.",
        "It is not good at all, I dislike it.",
        "Ugly, complicated and hard to use.",
        "Everything went wrong and I am angry.",
        "What a horrible mess, we were annoyed.",
        "The new version is much worse and a pain to use.",
        "Poor quality, nothing like I expected.",
        "I regret that I bought this rubbish.",
        "A painful evening and a pathetic cast.",
        "I am furious, this is unacceptable.",
        "It fails every time, it is a disaster.",
    ),
}
"""By label; our own wording. A model is held to those that it had right before."""

_SECTION = "## Adapted to other texts"

_Floats = np.ndarray[Any, np.dtype[np.float32]]
_Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Example:
    """A text whose verdict changes.

    Attributes:
        text: All of it.
        before: Its score before, 0 … 1.
        after: Its score after.
    """

    text: str
    before: float
    after: float


@dataclass(frozen=True)
class Adaptation:
    """What adapting a model to texts changes.

    Attributes:
        start: The model, with the words that are new to it.
        weights: Those of its network after, as Keras lists them.
        texts: How many texts were read: learnt from or held out.
        left_out: How many were left out, by reason.
        agreed: Texts that model and lexicons agreed on, by label: `negative`, `positive`.
        coverage: Share of all words of the texts that the model knows, 0 … 1, before and after.
        changed: Texts whose verdict changes, by the new one: `negative`, `positive`.
        examples: Those of them that change most, SHOWN_EXAMPLES at most, of either kind.
        untaught: Why lexicons taught it nothing and nothing was trained; empty where they did.
        judged: Texts that lexicons are sure about, where they taught it those held out.
        agreement: Share of these on whose side lexicons and model agree, 0 … 1, before and after.
        turned: How many of these it is on the lexicons' side of no more, and how many newly.
        plain: Plain sentences that the model had right, and how many of these it has right after.
    """

    start: Start
    weights: Sequence[_Floats]
    texts: int
    left_out: dict[str, int]
    agreed: dict[str, int]
    coverage: tuple[float, float]
    changed: dict[str, int]
    examples: tuple[Example, ...]
    untaught: str
    judged: int
    agreement: tuple[float, float]
    turned: tuple[int, int]
    plain: tuple[int, int]

    @property
    def refusal(self) -> str:
        """Why the model would be worse for it, as far as that can be told; empty where it wouldn't.

        That it agrees with lexicons less often, and not by chance, is told by McNemar's test at one standard error:
        "Note on the sampling error of the difference between correlated proportions or percentages", 1947.
        """
        changed, (before, after), (known, left) = sum(self.changed.values()), self.agreement, self.plain
        lost, won = self.turned
        if changed > MOST_CHANGED * self.texts:
            return (
                f"{changed:,} of {self.texts:,} verdicts would change, more than {MOST_CHANGED:.0%}: "
                "these texts are too far from what the model knows"
            )
        if lost - won > np.sqrt(lost + won):
            return (
                f"of {self.judged:,} texts that lexicons are sure about it would be on their side of {after:.1%}, "
                f"now of {before:.1%}"
            )
        if left < known - MOST_LOST * known:
            return f"of {known} plain sentences that it has right it would have {left} right"
        return ""

    def to_json(self) -> dict[str, Any]:
        """Return what a preset's metadata hold of it: no text of the corpus, and no word of it."""
        return {
            **self.start.facts(),
            "texts": self.texts,
            "left_out": self.left_out,
            "agreed": self.agreed,
            "coverage": {"before": self.coverage[0], "after": self.coverage[1]},
            "changed": self.changed,
            "taught_by_lexicons": not self.untaught,
            "agreement_with_lexicons": {
                "texts": self.judged,
                "before": self.agreement[0],
                "after": self.agreement[1],
            },
            "plain_sentences": {"before": self.plain[0], "after": self.plain[1]},
        }


def read_texts(
    sources: Sequence[str | Path],
    format: str | None = None,
    column: str | None = None,
    mail: MailOptions = DEFAULT_OPTIONS,
    seed: int = 1,
) -> pa.Array:
    """Return the different texts of inputs, or MOST_TEXTS of them, drawn at random.

    Which are drawn hangs on the texts and the seed, not on the order in which they stand.

    Args:
        sources: Paths of inputs, as `textsent.files.score_file` takes them.
        format: Their format, by default what their suffixes say.
        column: The column of the texts, by default `text` or the only column of strings.
        mail: What of a mail counts as its text.
        seed: Another one draws other texts.

    Returns:
        Array of large strings; null and blank texts are left out.

    Raises:
        InputError: An input can't be read.
    """
    drawn: dict[bytes, str] = {}
    with open_reader(sources, format, mail) as reader:
        if not reader.schema.names:
            raise InputError(f"{reader.name} has no rows")
        name = reader.text_column(column)
        for batch in reader:
            for text in as_text_array(batch.column(name)).to_pylist():
                if text and text.strip():
                    drawn[hashlib.blake2b(f"{seed}:{text}".encode(), digest_size=16).digest()] = text
            if len(drawn) > 2 * MOST_TEXTS:
                drawn = dict(sorted(drawn.items())[:MOST_TEXTS])
    return pa.array([text for _, text in sorted(drawn.items())[:MOST_TEXTS]], pa.large_string())


def find_adaptation(
    texts: pa.Array, start: Start, observer: Observer, seed: int = 1, lexicons: Lexicons | None = None
) -> Adaptation:
    """Return what adapting a model to texts changes; nothing is written.

    Args:
        texts: Array of strings, none of them null, in random order: the first are held out.
        start: The model.
        observer: Is told how training goes.
        seed: Of the order and the dropout.
        lexicons: Say what texts sound like; by default those that NLTK has.

    Raises:
        InputError: There are too few texts, or model and lexicons agree on too few of them; or a lexicon is neither
            installed nor to be had.
        DivergedError: The loss is no number any more.
    """
    lexicons = lexicons or Lexicons.from_nltk("adapt the model with labels, by textsent calibrate or train --init")
    scorer = start.scorer()
    scored = scorer.score_columns(texts)
    left_out = Counter(reason for reason in scored.column("error").to_pylist() if reason)
    usable = pc.is_null(scored.column("error"))
    texts, scored = texts.filter(usable), scored.filter(usable)
    if len(texts) < LEAST_TEXTS:
        others = f" ({describe_labels(left_out)})" if left_out else ""
        raise InputError(
            f"adapting takes {LEAST_TEXTS} different texts in the model's language, better thousands. "
            f"Received: {len(texts):,}{others}"
        )
    before = scored.column("score").to_numpy()
    tones = lexicon_tones(texts, lexicons, start.preprocessor)
    is_sure = np.abs(tones) >= SURE_LEXICON
    same_side = (before >= 0.5) == (tones > 0)
    both = is_sure & (np.abs(before - 0.5) >= SURE_SCORE - 0.5) & same_side
    agreed = {"negative": int((both & (tones < 0)).sum()), "positive": int((both & (tones > 0)).sum())}
    untaught = _reason_not_to_teach(before, same_side[is_sure])
    plain = [sentence for sentences in PLAIN_SENTENCES.values() for sentence in sentences]
    truth = np.repeat(list(PLAIN_SENTENCES), [len(sentences) for sentences in PLAIN_SENTENCES.values()]) == 1
    plain_before = scorer.score(plain)
    was_right = ~np.isnan(plain_before) & ((plain_before >= 0.5) == truth)
    if untaught:
        start, judged = start.learning_from(texts, LEAST_TEXTS_OF_A_WORD), is_sure
        if not start.new_words:
            raise InputError(
                f"there is nothing to learn: no word that the model lacks stands in {LEAST_TEXTS_OF_A_WORD} texts, "
                f"and {untaught}"
            )
        observer.said(f"no more than new words: {untaught}")
        weights = list(start.weights)
    else:
        _check_agreed(agreed)
        held_out = np.arange(len(texts)) < HELD_OUT * len(texts)
        learnt, judged = texts.filter(pa.array(~held_out)), held_out & is_sure
        start = replace(start.learning_from(learnt, LEAST_TEXTS_OF_A_WORD), trains_embedding=True)
        told = LEXICON_ODDS * tones / (1 + scored.column("words").to_numpy() / HALF_LENGTH)
        targets = probabilities(log_odds(before) + told).astype(np.float32)
        lesson = Lesson(
            texts=start.preprocessor(learnt),
            targets=targets[~held_out],
            weights=_balanced(targets[~held_out]),
            labelled=len(learnt),
            opinions=None,
            validation=start.preprocessor(texts.filter(pa.array(held_out))),
            validation_labels=(tones[held_out] > 0).astype(np.int8),
        )
        weights = _taught(start, lesson, seed, observer)
    after, plain_after = _scores(start, weights, texts, plain)
    moved = (before >= 0.5) != (after >= 0.5)
    sides = [((scores >= 0.5) == (tones > 0))[judged] for scores in (before, after)]
    return Adaptation(
        start=start,
        weights=weights,
        texts=len(texts),
        left_out=dict(left_out),
        agreed=agreed,
        coverage=(_coverage(scorer.preprocessor(texts)), _coverage(start.preprocessor(texts))),
        changed={"negative": int((moved & (after < 0.5)).sum()), "positive": int((moved & (after >= 0.5)).sum())},
        examples=_examples(texts, before, after, moved),
        untaught=untaught,
        judged=int(judged.sum()),
        agreement=(float(sides[0].mean()), float(sides[1].mean())) if judged.any() else (0.0, 0.0),
        turned=(int((sides[0] & ~sides[1]).sum()), int((sides[1] & ~sides[0]).sum())),
        plain=(int(was_right.sum()), int((was_right & ((plain_after >= 0.5) == truth)).sum())),
    )


def write_adapted(adaptation: Adaptation, output: Path, command: str = "") -> None:
    """Write a preset of what was found.

    Args:
        adaptation: What `find_adaptation` returned.
        output: Folder to write; one of that name is replaced.
        command: The command line, to be stored with the preset.

    Raises:
        InputError: The model would be worse for it.
        OutputError: The folder can't be written.
    """
    if adaptation.refusal:
        raise InputError(f"adapting would do harm, and nothing is written: {adaptation.refusal}")
    start, preset = adaptation.start, adaptation.start.folder
    model = start.recipe.build(start.config)
    model.set_weights(adaptation.weights)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    facts = {"command": command, "created": created, **adaptation.to_json()}
    with new_preset(output) as folder:
        write_network(model, start.config, start.preprocessor, folder, start.ngrams)
        start.write_neutral_band(folder)
        write_json(folder / METADATA_FILE, {**read_json(preset / METADATA_FILE), "adapted": facts})
        if (preset / HISTORY_FILE).is_file():
            shutil.copyfile(preset / HISTORY_FILE, folder / HISTORY_FILE)
        if (preset / PICTURES_FOLDER).is_dir():
            shutil.copytree(preset / PICTURES_FOLDER, folder / PICTURES_FOLDER)
        card = preset / README_FILE
        before = card.read_text("utf-8") if card.is_file() else ""
        (folder / README_FILE).write_text(_card(before, adaptation, command), "utf-8")


def lexicon_tones(texts: pa.Array, lexicons: Lexicons, preprocessor: Preprocessor) -> _Floats:
    """Return what lexicons say of texts: float32, shape (texts,), -1 negative … 1 positive.

    It is the mean of VADER's compound score and of Hu and Liu's words.
    """
    opinions = lexicons.opinion_scores(texts, preprocessor.settings)
    return ((lexicons.compound_scores(texts) + opinions) / 2).astype(np.float32)


def _reason_not_to_teach(scores: _Floats, same_side: np.ndarray[Any, np.dtype[np.bool_]]) -> str:
    """Return why lexicons have nothing to tell a model of texts; empty where they have.

    Args:
        scores: float32, shape (texts,), 0 … 1: the model's.
        same_side: bool, shape (texts that lexicons are sure about,): whether the model is on their side.
    """
    if len(same_side) and same_side.mean() >= KNOWS_LEXICONS:
        return f"the model knows what lexicons know, and is on their side of {same_side.mean():.0%} of these texts"
    unsure = float(((scores > UNSURE_SCORES[0]) & (scores < UNSURE_SCORES[1])).mean())
    if unsure < LEAST_UNSURE:
        return (
            f"the model is sure about {1 - unsure:.0%} of these texts, as about what it was trained for, and "
            "lexicons would only mislead it"
        )
    return ""


def _taught(start: Start, lesson: Lesson, seed: int, observer: Observer) -> list[_Floats]:
    """Train a network; return its weights.

    Args:
        start: What it starts from.
        lesson: What it learns, and what is held out, labelled by lexicons.
        seed: Of the order and the dropout.
        observer: Is told how training goes.
    """
    own = recipe(start.config["recipe"])
    chosen = replace(start.recipe, learning_rate=RATE * own.learning_rate, keep="last")
    epochs = min(max(READINGS // lesson.labelled, LEAST_EPOCHS), MOST_EPOCHS)
    options = Options(start.config["recipe"], epochs=epochs, batch_size=BATCH_SIZE, seed=seed)
    with _training_folder() as folder:
        fitting = fitting_of(chosen, start.config, lesson, folder, options, {})
        observer.said(f"the model learns from {lesson.labelled:,} texts")
        fitting.run(_EpochsTold(observer, epochs))
        return start.kept(fitting.model.get_weights(), epochs)


def _scores(start: Start, weights: Sequence[_Floats], *texts: Any) -> list[_Floats]:
    """Return what a network with these weights makes of some texts, and of others."""
    model, layout = start.recipe.build(start.config), Layout.from_config(start.config)
    model.set_weights(weights)
    with _training_folder() as folder:
        predicting = sentiment_model(model, layout, folder.path, start.ngrams)
        return [predicting.predict(start.preprocessor(some)) for some in texts]


@contextmanager
def _training_folder() -> Iterator[TrainingFolder]:
    """Give a folder for a training that isn't to go on."""
    with tempfile.TemporaryDirectory(prefix="textsent-") as place:
        folder = TrainingFolder(Path(place) / "model")
        folder.begin({})
        yield folder


class _EpochsTold:
    """Tells an observer that an epoch is over, and not its figures, which are by lexicons and not by labels."""

    def __init__(self, observer: Observer, epochs: int) -> None:
        self._observer = observer
        self._epochs = epochs

    def said(self, line: str) -> None:
        self._observer.said(line)

    def began(self, beginning: Beginning) -> None:
        pass

    def step_done(self, epoch: int, step: int, windows: int, loss: float, accuracy: float) -> None:
        pass

    def epoch_done(self, epoch: Epoch) -> None:
        self._observer.said(f"epoch {epoch.number} of {self._epochs}, {epoch.seconds:.0f} s")


def _check_agreed(agreed: dict[str, int]) -> None:
    """Check that model and lexicons agree on enough texts.

    Raises:
        InputError: They don't.
    """
    numbers = f"{agreed['positive']:,} positive and {agreed['negative']:,} negative"
    if sum(agreed.values()) < LEAST_AGREED:
        raise InputError(
            f"model and lexicons agree on {numbers} texts, which is too few to learn from: give more texts, "
            f"{LEAST_AGREED} of them with a plain tone, or label some and use textsent calibrate"
        )
    if min(agreed.values()) < LEAST_AGREED_OF_A_CLASS:
        raise InputError(
            f"model and lexicons agree on {numbers} texts, nearly all of one kind: there must be "
            f"{LEAST_AGREED_OF_A_CLASS} of each, or the model would learn that everything is so"
        )


def _coverage(ids: WordIds) -> float:
    """Return the share of known words among all words of texts."""
    return float(ids.known_words.sum() / ids.words.sum())


def _balanced(targets: _Floats) -> _Floats:
    """Return weights by which positive and negative texts count the same, 1 on average: float32, shape (texts,)."""
    positive = targets >= 0.5
    share = np.clip(positive.mean(), 1 / len(targets), 1 - 1 / len(targets))
    weights = np.minimum(np.where(positive, 0.5 / share, 0.5 / (1 - share)), MOST_WEIGHT)
    return (weights / weights.mean()).astype(np.float32)


def _examples(texts: pa.Array, before: _Floats, after: _Floats, moved: _Flags) -> tuple[Example, ...]:
    found = []
    for rows in (np.flatnonzero(moved & (after < 0.5)), np.flatnonzero(moved & (after >= 0.5))):
        most = rows[np.argsort(-np.abs(after - before)[rows], kind="stable")][: SHOWN_EXAMPLES // 2]
        found += [Example(texts[int(row)].as_py(), float(before[row]), float(after[row])) for row in most]
    return tuple(found)


def _card(before: str, adaptation: Adaptation, command: str) -> str:
    """Return a preset's page with a section on what it was adapted to, in place of an earlier one."""
    kept = re.sub(rf"^{_SECTION}\n.*?(?=^## |\Z)", "", before, flags=re.MULTILINE | re.DOTALL).rstrip()
    start, changed = adaptation.start, adaptation.changed
    lines = [
        *([kept, ""] if kept else []),
        _SECTION,
        "",
        "The figures above are those of the model before.",
        "",
        *(["```sh", command, "```", ""] if command else []),
        f"Adapted without labels from {start.name} (SHA-256 `{start.sha256}`) to {adaptation.texts:,} texts. Model "
        f"and lexicons found {adaptation.agreed['positive']:,} of them positive and "
        f"{adaptation.agreed['negative']:,} negative. {len(start.new_words):,} words are new.",
        "",
        "| | before | after |",
        "|---|---|---|",
        "| words that it knows | {:.4f} | {:.4f} |".format(*adaptation.coverage),
        f"| agreement with lexicons on {adaptation.judged:,} texts | {{:.4f}} | {{:.4f}} |".format(
            *adaptation.agreement
        ),
        "| plain sentences right | {} | {} |".format(*adaptation.plain),
        "",
        f"{changed['negative']:,} verdicts became negative, {changed['positive']:,} positive."
        + (f" Nothing was trained: {adaptation.untaught}." if adaptation.untaught else ""),
    ]
    return "\n".join(lines) + "\n"
