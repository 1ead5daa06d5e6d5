"""Sentences made for a network to learn from: clauses whose tone is known, in frames that keep or turn it.

The patterns are those of `textsent.templates`. Clauses come from there and from lexicons' words, and sentences of
reviews are put into the same frames, so that a network learns what a frame does rather than what stands in it. How
often each kind comes, and what probability each is worth, is our choice: no other was tried.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from textsent.templates import TABLES

SURE = 0.9
"""A sentence of a review is framed where it is positive or negative with this probability."""

FRAMED_WORDS = 25
"""And where it has no more words."""

_Floats = np.ndarray[Any, np.dtype[np.float32]]
_Tone = int  # 1 good, -1 bad, 0 neither

_NAMES: Mapping[_Tone, str] = {1: "good", 0: "plain", -1: "bad"}

_PLAINLY: Mapping[_Tone, float] = {1: 0.96, 0: 0.5, -1: 0.04}
_INDIRECTLY: Mapping[_Tone, float] = {1: 0.92, 0: 0.5, -1: 0.07}
_ON_BALANCE: Mapping[_Tone, float] = {1: 0.85, -1: 0.13}
_OPPOSITE: Mapping[_Tone, float] = {1: 0.06, 0: 0.5, -1: 0.66}
"""Probability of being positive, by the tone of the clause in a frame. What is not bad need not be good."""

_CHOICE = re.compile(r"\[([^][]*)\]|\{([a-z ]+|[A-Z])\}")
_WHOLE_CLAUSE = re.compile(r"\{[nq]\}")
_OF_ITS_WORDS = re.compile(r"\{[A-Znq]\}")
_BEGINNING = re.compile(
    r"(?i:the|this|that|it|i|there|they|we|you|he|she|my|his|her|these|those|all|every\w*)\b[^.!?;:]*$"
)
"""A sentence of one piece that can stand after `that`."""

_ARTICLE = re.compile(r"\ba (?=(?!one|eu|uni|use(?!less)|us[ua]|ut)[aeiou])")
_SYNTAX = str.maketrans("[]{}|", "     ")


@dataclass(frozen=True)
class Words:
    """Words whose tone is known, by how they are used.

    Attributes:
        good: Adjectives of a good tone.
        bad: Adjectives of a bad tone.
        like: Verbs that say that one likes something, as they stand after `I`.
        dislike: Verbs that say the opposite.
    """

    good: Sequence[str]
    bad: Sequence[str]
    like: Sequence[str]
    dislike: Sequence[str]


class Clause(NamedTuple):
    """Something said, with its tone; empty is what can't be said of it.

    Attributes:
        tone: 1 good, -1 bad, 0 neither.
        said: As it is.
        denied: By `not`.
        asked: As a question.
    """

    tone: _Tone
    said: str
    denied: str = ""
    asked: str = ""


def made_sentences(words: Words, number: int, seed: int) -> tuple[list[str], _Floats]:
    """Return sentences and the probability that each is positive.

    Args:
        words: Words of a known tone, beside the tables' own; none of its fields is empty.
        number: Of sentences.
        seed: Of the choice.

    Returns:
        The sentences, and float32, shape (number,), 0 … 1: 0.5 has no tone.
    """
    maker = _Maker(words, seed)
    made = [maker.text() for _ in range(number)]
    return [text for text, _ in made], np.array([target for _, target in made], np.float32)


def framed_sentences(
    words: Words, sentences: Sequence[str], targets: _Floats, number: int, seed: int
) -> tuple[list[str], _Floats]:
    """Return sentences of reviews in the same frames, and the probability that each is then positive.

    Args:
        words: As of `made_sentences`.
        sentences: Sentences; those are framed that are short and have a plain tone.
        targets: float32, shape (sentences,): the probability that each is positive.
        number: Of framed sentences; fewer where there aren't so many to frame.
        seed: Of the choice.
    """
    maker = _Maker(words, seed)
    plain = np.flatnonzero(np.maximum(targets, 1 - targets) >= SURE).tolist()
    maker.random.shuffle(plain)
    clauses = (
        Clause(1 if targets[row] > 0.5 else -1, said)
        for row in plain
        if sentences[row].count(" ") < FRAMED_WORDS and _BEGINNING.match(said := _as_clause(sentences[row]))
    )
    made = [maker.framed(clause) for clause, _ in zip(clauses, range(number), strict=False)]
    return [text for text, _ in made], np.array([target for _, target in made], np.float32)


def misspelled(text: str, random: random.Random) -> str:
    """Return a text with a letter of one of its words lost, doubled, or before its neighbour."""
    words = text.split(" ")
    long = [place for place, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    if not long:
        return text
    place = random.choice(long)
    word, at = words[place], random.randrange(1, len(words[place]) - 1)
    words[place] = random.choice(
        (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
        )
    )
    return " ".join(words)


def _as_clause(sentence: str) -> str:
    """Return a sentence as it can stand within another, without a pattern's syntax."""
    return sentence.translate(_SYNTAX).strip(" .!?")


class _Maker:
    """Makes texts, one after the other."""

    def __init__(self, words: Words, seed: int) -> None:
        self.random = random.Random(f"sentences {seed}")
        # The lexicons' words come from film reviews, the templates' from elsewhere: half of each.
        self._adjectives = {
            1: (words.good, TABLES["good adjective"]),
            -1: (words.bad, TABLES["bad adjective"]),
            0: (TABLES["plain"],),
        }
        self._verbs = {1: words.like, -1: words.dislike}
        self._facts = {
            tone: [line for line in TABLES[f"{name} fact"] if _BEGINNING.match(line)]
            for tone, name in _NAMES.items()
        }
        kinds: list[tuple[float, Callable[[], tuple[str, float]]]] = [
            (0.04, self._word),
            (0.14, self._same),
            (0.16, lambda: self._in_frame("denied", _OPPOSITE, 0.5, 0.28, 0.22)),
            (0.07, lambda: self._in_frame("affirmed", _INDIRECTLY, 0.4, 0.4, 0.2)),
            (0.13, lambda: self._in_frame("outweighed", _ON_BALANCE, 0.5, 0.5, 0)),
            (0.22, lambda: self._one_of("good fact", 0.95, "bad fact", 0.05)),
            (0.05, lambda: self._one_of("good compared", 0.88, "bad compared", 0.1)),
            (0.05, lambda: self._one_of("good degree", 0.94, "bad degree", 0.06)),
            (0.02, lambda: self._one_of("mildly good", 0.7, "mildly bad", 0.27)),
            (0.03, lambda: (self._drawn("sarcasm"), 0.08)),
            (0.05, lambda: self._one_of("good mail", 0.95, "bad mail", 0.05)),
            (0.13, lambda: (self._filled("{fact}"), 0.5)),
            (0.03, lambda: (self._drawn("plain mail"), 0.5)),
        ]
        self._kinds = [kind for _, kind in kinds]
        self._weights = list(accumulate(weight for weight, _ in kinds))

    def text(self) -> tuple[str, float]:
        """Return a sentence, in a letter now and then, and its target."""
        (kind,) = self.random.choices(self._kinds, cum_weights=self._weights)
        made, target = kind()
        return self._in_a_letter(made, target)

    def framed(self, clause: Clause) -> tuple[str, float]:
        """Return a clause in a frame, and its target."""
        other = self._clause(-clause.tone)
        frames, targets = self.random.choice(
            (
                (_FRAMES_OF_ANY["same"], _PLAINLY),
                (_FRAMES_OF_ANY["denied"], _OPPOSITE),
                (_FRAMES_OF_ANY["denied"], _OPPOSITE),
                (_FRAMES_OF_ANY["affirmed"], _INDIRECTLY),
                (_FRAMES_OF_ANY["outweighed"], _ON_BALANCE),
            )
        )
        made = self._filled(self.random.choice(frames), clause, other)
        return self._in_a_letter(made, targets[clause.tone])

    def _in_a_letter(self, made: str, target: float) -> tuple[str, float]:
        """Return a text with what changes no tone around it."""
        chance = self.random.random()
        if chance < 0.15:
            around = self._filled("[{fact}|{fact}|{please}]")
            made = f"{around}. {made}" if self.random.random() < 0.5 else f"{made}. {around}"
        elif chance < 0.3:
            before, after = self.random.choice(((0, 0), (1, 0), (0, 1), (1, 1), (2, 1), (1, 2), (3, 2)))
            parts = [self._filled("{fact}") for _ in range(before)]
            parts += [made, *(self._filled("{fact}") for _ in range(after))]
            if self.random.random() < 0.4:
                parts.append(self._filled("{please}"))
            if self.random.random() < 0.6:
                parts.insert(0, self._filled("{greeting}"))
            if self.random.random() < 0.6:
                parts.append(self._filled("{closing}"))
            made = ". ".join(parts)
        if self.random.random() < 0.03:
            made = misspelled(made, self.random)
        return made, target

    def _tone(self, *shares: float) -> _Tone:
        """Return good, bad or neither, with these shares."""
        (tone,) = self.random.choices((1, -1, 0), shares)
        return tone

    def _word(self) -> tuple[str, float]:
        tone = self._tone(0.4, 0.4, 0.2)
        pattern = "[{A}|{K}]" if tone else "[{thing}|{plain}|{plain word}|{who}|{name}|{place}|{role}]"
        return self._filled(pattern, Clause(tone, "")), _PLAINLY[tone]

    def _same(self) -> tuple[str, float]:
        tone = self._tone(0.4, 0.4, 0.2)
        return self._filled(self.random.choice(TABLES["same"]), self._clause(tone)), _PLAINLY[tone]

    def _one_of(self, good: str, good_target: float, bad: str, bad_target: float) -> tuple[str, float]:
        table, target = (good, good_target) if self.random.random() < 0.48 else (bad, bad_target)
        return self._drawn(table), target

    def _drawn(self, table: str) -> str:
        """Return one of a table's patterns, filled."""
        return self._filled(self.random.choice(TABLES[table]))

    def _in_frame(self, table: str, targets: Mapping[_Tone, float], *shares: float) -> tuple[str, float]:
        """Return a clause in one of a table's frames, and its target; the shares are of good, bad and neither."""
        tone, frame = self._tone(*shares), self.random.choice(TABLES[table])
        clause = self._clause(tone, whole=bool(_WHOLE_CLAUSE.search(frame)))
        other = self._clause(-tone if self.random.random() < 0.8 else 0)
        return self._filled(frame, clause, other), targets[tone]

    def _clause(self, tone: _Tone, whole: bool = False) -> Clause:
        """Return a clause of a tone; a whole one can be denied and asked."""
        if self.random.random() < 0.35 and not whole:
            return Clause(tone, self._filled(self.random.choice(self._facts[tone])))
        kinds = ["plain clause"]
        if tone:
            kinds = ["clause", "clause", "clause", "deed", "deed", "feeling"]
            if tone > 0:
                kinds.append("would")
        pattern = self.random.choice(TABLES[self.random.choice(kinds)])
        subject, people = self._subject(), self._filled("[you guys|the {people}|your {people}|they|these {people}]")
        chosen = {
            "S": subject,
            "T": self._drawn("thing"),
            "P": people,
            "Z": self.random.choice((subject, people, self._drawn("name"))),
            "A": self._adjective(tone),
            "K": self._predicate(tone),
            "F": self._verb(tone),
            "do": self._filled(self.random.choice(TABLES["liked"]).replace("{S}", subject)),
            **self._deed(tone),
        }
        for name, value in chosen.items():
            pattern = pattern.replace(f"{{{name}}}", value)
        said, denied, asked = self._filled(pattern).split(" / ")
        return Clause(tone, said, denied, asked)

    def _deed(self, tone: _Tone) -> dict[str, str]:
        """Return the forms of a verb, with what it takes."""
        if not tone:
            base, past = self._drawn("plain verb").split(", ")
            return {"base": base, "past": past}
        forms, taken = self._drawn(f"{_NAMES[tone]} deed").split(";")
        names = ("base", "third", "past", "done")
        return {name: f"{form} {taken}" for name, form in zip(names, forms.split(", "), strict=True)}

    def _subject(self) -> str:
        return self._filled("[{the} {thing}|{the} {thing}|{the} {thing}|it|{the} {plain} {thing}|everything]")

    def _adjective(self, tone: _Tone) -> str:
        return self.random.choice(self.random.choice(self._adjectives[tone]))

    def _predicate(self, tone: _Tone) -> str:
        """Return what something can be: an adjective, or a phrase."""
        return self._adjective(tone) if self.random.random() < 0.5 else self._drawn(f"{_NAMES[tone]} predicate")

    def _verb(self, tone: _Tone) -> str:
        return self.random.choice(self._verbs[tone]) if tone else ""

    def _filled(self, pattern: str, clause: Clause | None = None, other: Clause | None = None) -> str:
        """Return a pattern with its choices made.

        Args:
            pattern: As in `textsent.templates`.
            clause: What stands in a frame, and whose tone its adjective and verb have.
            other: What it is set against.
        """

        def chosen(found: re.Match[str]) -> str:
            choices, name = found.groups()
            if choices is not None:
                return self.random.choice(choices.split("|"))
            if name in TABLES:
                return self.random.choice(TABLES[name])
            match name:
                case "fact":
                    return self._clause(0).said
                case "G" | "B":
                    return self._adjective(1 if name == "G" else -1)
                case "L":
                    return self._verb(1)
                case "S":
                    return self._subject()
                case "T":
                    return self._drawn("thing")
            if clause is None:
                raise KeyError(name)
            match name:
                case "K":
                    return self._predicate(clause.tone)
                case "A" | "X":
                    return self._adjective(clause.tone if name == "A" else -clause.tone)
                case "F" | "Y":
                    return self._verb(clause.tone if name == "F" else -clause.tone)
                case "c":
                    return clause.said
                case "n":
                    return clause.denied
                case "q":
                    return clause.asked
                case "d" | "e":
                    return self._clause(clause.tone).said
                case "o" if other is not None:
                    return other.said
            raise KeyError(name)

        before = ""
        while before != pattern:
            before, pattern = pattern, _CHOICE.sub(chosen, pattern)
        return _ARTICLE.sub("an ", " ".join(pattern.replace(" ,", ",").split()))


_FRAMES_OF_ANY = {
    table: tuple(frame for frame in TABLES[table] if not _OF_ITS_WORDS.search(frame))
    for table in ("same", "denied", "affirmed", "outweighed")
}
"""The frames that take any sentence, since they need no other form of it and none of its words."""
