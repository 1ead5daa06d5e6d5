"""Short texts to learn from: single sentences of the reviews, changed a little, and sentences made from lexicons.

A network that has only read whole film reviews falls apart on a line of a mail. Here it meets sentences, most of
them from the reviews: some speak of a parcel in place of a film, some say the opposite by one word, some have
another word of the same tone, some end in an emoji. What each is worth is for the teacher and the lexicons to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textsent.frames import Words
from textsent.preprocess import Settings, split_words
from textsent.templates import TABLES

EMOJI_TONES: dict[str, float] = {
    **dict.fromkeys("😀😃😄😁😊😍🥰😘🤩🥳🎉❤💕💖👏🙌💯🏆", 1.0),
    **dict.fromkeys("🙂👍😉😎🤗✅✨🔥💪😂🤣🙏👌⭐🌟😋😇", 0.7),
    **dict.fromkeys("😛😮😳🤔😐🙃", 0.0),
    **dict.fromkeys("😕🙁☹😟😑😬😒🙄😓😣😖😩😫❌", -0.7),
    **dict.fromkeys("😠😡🤬👎😢😭💔🤮🤢😤😞😔💩🖕", -1.0),
}
"""Emoji and their tone, -1 … 1: our own judgement."""

SPACES = (3, 40)
"""Spaces in a sentence that is taken, the one before it included: at least and at most."""

ADJECTIVE_COUNT, VERB_COUNT = 5, 5
"""Times that a word must stand in the texts as an adjective, or as a verb, does: see `tone_words`."""

_THINGS = TABLES["thing"]

FILM_WORDS = {
    "movie": _THINGS,
    "film": _THINGS,
    "flick": _THINGS,
    "picture": _THINGS,
    "plot": _THINGS,
    "story": _THINGS,
    "script": _THINGS,
    "acting": ("service", "support", "work", "help", "cleaning"),
    "actor": ("agent", "driver", "waiter", "doctor", "seller"),
    "actress": ("nurse", "teacher", "waitress", "manager", "lady"),
    "actors": ("people", "agents", "drivers", "waiters", "workers"),
    "cast": ("staff", "crew", "team", "people"),
    "director": ("manager", "owner", "developer", "chef", "boss"),
    "characters": ("features", "rooms", "parts", "dishes", "people"),
    "character": ("feature", "room", "part", "dish", "person"),
    "scenes": ("pages", "menus", "days", "parts"),
    "scene": ("page", "menu", "day", "part"),
    "movies": ("products", "hotels", "apps", "phones", "places"),
    "films": ("products", "hotels", "apps", "phones", "places"),
    "watch": ("use", "try", "buy", "order", "visit"),
    "watched": ("used", "tried", "bought", "ordered", "visited"),
    "watching": ("using", "trying", "buying", "ordering", "visiting"),
    "seen": ("used", "tried", "had", "bought"),
    "hollywood": ("this company", "the industry", "the shop"),
}
"""Words of film reviews, and what stands in their place in other people's mail."""

SWAPPED = 0.5
REPLACED = 0.25
DENIED = 0.08
WITH_EMOJI = 0.08
"""Shares of the sentences that are changed so."""

_SENTENCE = re.compile(r"[^.!?]+[.!?]*")
_TAG = re.compile(r"<[^<>]{1,40}>")
_FILM_WORD = re.compile(rf"\b({'|'.join(FILM_WORDS)})\b", re.IGNORECASE)
_WORD = re.compile(r"[a-z][a-z'-]+")
_AUXILIARY = re.compile(r"\b(is|are|was|were|does|did|do|would|could|should|will|can)\b(?! not\b|n't)")
_DENIAL = re.compile(r"\b(is|are|was|were|does|did|do|would|could|should)(?: not\b|n't)")

_Floats = np.ndarray[Any, np.dtype[np.float32]]


def sentences(texts: pa.Array, number: int, seed: int) -> list[str]:
    """Return sentences of texts, drawn at random; fewer where there aren't so many.

    Args:
        texts: Array of strings without nulls.
        number: Of sentences; no text gives more than a few times its share.
        seed: Of the choice.
    """
    random = np.random.default_rng([seed, 5])
    share = max(1, -(-2 * number // max(len(texts), 1)))
    found: list[str] = []
    for row in random.permutation(len(texts)):
        text = _TAG.sub(". ", texts[int(row)].as_py())
        fitting = [
            sentence.strip()
            for sentence in _SENTENCE.findall(text)
            if SPACES[0] <= sentence.count(" ") <= SPACES[1] and len(sentence) < 400
        ]
        if len(fitting) > share:
            fitting = [fitting[int(place)] for place in random.choice(len(fitting), share, replace=False)]
        found += fitting
        if len(found) >= number:
            break
    return found[:number]


def changed(
    texts: Sequence[str], valences: Mapping[str, float], seed: int
) -> tuple[list[str], np.ndarray[Any, np.dtype[np.bool_]]]:
    """Return sentences of film reviews as they might stand elsewhere.

    Args:
        texts: Sentences.
        valences: Words and their tone, -4 … 4.
        seed: Of the changes.

    Returns:
        The sentences, and bool, shape (sentences,): whether each is still as it was.
    """
    random = np.random.default_rng([seed, 6])
    alike = _Alike(valences)
    emoji = [symbol for symbol, tone in EMOJI_TONES.items() if tone]
    result = []
    for text in texts:
        if random.random() < SWAPPED:
            text = _FILM_WORD.sub(lambda found: _one(FILM_WORDS[found[1].lower()], random), text)
        if random.random() < REPLACED:
            text = alike.replaced(text.lower(), random)
        if random.random() < DENIED:
            denied = _DENIAL.sub(r"\1", text.lower(), count=1)
            text = denied if denied != text.lower() else _AUXILIARY.sub(r"\1 not", denied, count=1)
        if random.random() < WITH_EMOJI:
            text = f"{text} {_one(emoji, random)}"
        result.append(text)
    as_found = [text.lower() == before.lower() for text, before in zip(result, texts, strict=True)]
    return result, np.array(as_found, bool)


def emoji_tones(texts: Sequence[str]) -> _Floats:
    """Return the mean tone of the emoji in each text, 0 where there are none: float32, shape (texts,)."""
    tones = np.zeros(len(texts), np.float32)
    for row, text in enumerate(texts):
        if not text.isascii():
            found = [EMOJI_TONES[symbol] for symbol in text if symbol in EMOJI_TONES]
            tones[row] = np.mean(found) if found else 0
    return tones


class _Alike:
    """Finds words of a like tone and form."""

    def __init__(self, valences: Mapping[str, float]) -> None:
        self._keys: dict[str, tuple[int, str]] = {}
        self._words: dict[tuple[int, str], list[str]] = {}
        for word, valence in valences.items():
            if abs(valence) >= 1 and word.isalpha():
                key = (round(valence), next((end for end in ("ly", "ing", "ed", "s") if word.endswith(end)), ""))
                self._keys[word] = key
                self._words.setdefault(key, []).append(word)

    def replaced(self, text: str, random: np.random.Generator) -> str:
        """Return a text with the words whose tone is known replaced by others of the same."""

        def other(found: re.Match[str]) -> str:
            key = self._keys.get(found[0])
            return found[0] if key is None else _one(self._words[key], random)

        return _WORD.sub(other, text)


def tone_words(texts: pa.Array, valences: Mapping[str, float], settings: Settings) -> Words:
    """Return adjectives and verbs of a known tone, found by the company that they keep in texts.

    What often stands after *very*, *so*, *really* and the like is an adjective; what often stands between *I* and
    *it*, *this* or *the* is a verb. Where there are none, two common words stand in.

    Args:
        texts: Array of strings.
        valences: Words and their tone, -4 … 4.
        settings: How texts are cut into words.
    """
    words, _ = split_words(texts, settings)
    known = [word for word, valence in valences.items() if abs(valence) >= 1 and word.isalpha()]
    ranks = pc.index_in(words, value_set=pa.array(known, pa.large_string()))
    ranks = ranks.fill_null(-1).to_numpy(zero_copy_only=False)

    def is_one_of(*choices: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
        found = pc.is_in(words, value_set=pa.array(choices, pa.large_string()))
        return found.to_numpy(zero_copy_only=False)

    def counted(places: np.ndarray[Any, np.dtype[np.bool_]]) -> np.ndarray[Any, np.dtype[np.int64]]:
        return np.bincount(ranks[1:-1][places & (ranks[1:-1] >= 0)], minlength=len(known))

    strengthened = is_one_of("very", "so", "really", "too", "extremely", "rather", "pretty")
    adjectives = counted(strengthened[:-2]) >= ADJECTIVE_COUNT
    verbs = counted(is_one_of("i", "we", "really")[:-2] & is_one_of("it", "this", "the")[2:]) >= VERB_COUNT
    good = np.array([valences[word] > 0 for word in known], bool)

    def chosen(which: np.ndarray[Any, np.dtype[np.bool_]], fallback: Sequence[str]) -> Sequence[str]:
        return [word for word, wanted in zip(known, which, strict=True) if wanted] or fallback

    return Words(
        good=chosen(adjectives & ~verbs & good, ("good", "great")),
        bad=chosen(adjectives & ~verbs & ~good, ("bad", "terrible")),
        like=chosen(verbs & good, ("like", "love")),
        dislike=chosen(verbs & ~good, ("dislike", "hate")),
    )


def _one(choices: Sequence[str], random: np.random.Generator) -> str:
    return choices[int(random.integers(len(choices)))]


@dataclass(frozen=True)
class ShortTexts:
    """Short texts to learn from.

    Attributes:
        found: Array of strings: sentences of texts, changed.
        as_found: bool, shape (found sentences,): which of them are as they were.
        words: Words of a known tone, by the lexicons.
        made: Array of strings: sentences made from these and from tables of our own.
        made_targets: float32, shape (made sentences,): the probability that each is positive.
    """

    found: pa.Array
    as_found: np.ndarray[Any, np.dtype[np.bool_]]
    words: Words
    made: pa.Array
    made_targets: _Floats
