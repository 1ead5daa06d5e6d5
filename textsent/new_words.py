"""Words that a model lacks: which of them some texts hold often enough, and the vectors that they begin with."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa

from textsent.preprocess import FIRST_WORD_ID, OUT_OF_VOCABULARY_ID, Preprocessor, as_text_array, split_words

MOST_NEW_WORDS = 5000

REACH = 10
"""Words to each side of a word that are its context. With words of film reviews that the model was made to forget,
10 brought its log loss nearer to what it had been than 5 and 2 did."""

SHRINKAGE = 30.0
"""Strength of the ridge penalty, in words of average context. By the same measure 10 to 100 were alike."""

_ROWS = 2000  # texts whose contexts are summed at a time

_Floats = np.ndarray[Any, np.dtype[np.float32]]
_Sums = np.ndarray[Any, np.dtype[np.float64]]
_Longs = np.ndarray[Any, np.dtype[np.int64]]


def new_words(texts: pa.Array, preprocessor: Preprocessor, least: int) -> dict[str, int]:
    """Return the words of texts that a vocabulary lacks, with the number of texts that hold each.

    Numbers and other words without a letter are left out, emoji aren't.

    Args:
        texts: Array of strings.
        preprocessor: Holds the vocabulary, and says how texts are cut into words.
        least: Texts that must hold a word.

    Returns:
        MOST_NEW_WORDS at most, the most frequent first; of two as frequent as each other the one that comes first
        in the alphabet.
    """
    known = set(preprocessor.vocabulary)
    counts: Counter[str] = Counter()
    texts = as_text_array(texts)
    for start in range(0, len(texts), _ROWS):
        words, offsets = split_words(texts.slice(start, _ROWS), preprocessor.settings)
        encoded = words.dictionary_encode()
        owners = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        pairs = np.unique(np.stack([encoded.indices.to_numpy(), owners]), axis=1)
        numbers = np.bincount(pairs[0], minlength=len(encoded.dictionary))
        counts.update(dict(zip(encoded.dictionary.to_pylist(), numbers.tolist(), strict=True)))
    found = {
        word: count for word, count in counts.items() if count >= least and word not in known and _may_be_word(word)
    }
    ranked = sorted(found, key=lambda word: (-found[word], word))
    return {word: found[word] for word in ranked[:MOST_NEW_WORDS]}


def vectors_from_contexts(
    texts: pa.Array, preprocessor: Preprocessor, table: _Floats, known: int, least: int
) -> _Floats:
    """Return vectors for the last words of a vocabulary, told from the words that they stand among.

    The mean vector of a word's neighbours is turned into its own by a linear map, which is fitted on the words
    that have a vector: Khodak et al., "A La Carte Embedding: Cheap but Effective Induction of Semantic Feature
    Vectors", 2018. Where fewer words than two for each value of a vector could be fitted on, and for a word that
    stands among none that is known, it is the vector of out-of-vocabulary words, with which the network reads the
    word as it did.

    Args:
        texts: Array of strings.
        preprocessor: Its vocabulary's first words are known, the others new.
        table: float32, shape (FIRST_WORD_ID + known, size): the known words' vectors, and the special ids'.
        known: How many words are known.
        least: Times that a known word must occur to be fitted on.

    Returns:
        float32, shape (new words, size).
    """
    rows, size = FIRST_WORD_ID + len(preprocessor.words), table.shape[1]
    sums, numbers, occurrences = np.zeros((rows, size)), np.zeros(rows), np.zeros(rows, np.int64)
    padded = np.concatenate([table, np.zeros((rows - len(table), size), np.float32)])
    texts = as_text_array(texts)
    for start in range(0, len(texts), _ROWS):
        ids = preprocessor(texts.slice(start, _ROWS))
        occurrences += np.bincount(ids.ids, minlength=rows)
        _add_contexts(ids.ids, ids.offsets, padded, FIRST_WORD_ID + known, sums, numbers)
    vectors = np.repeat(table[OUT_OF_VOCABULARY_ID][None], rows - len(table), axis=0)
    means = sums / np.maximum(numbers, 1)[:, None]
    fitted_on = FIRST_WORD_ID + np.flatnonzero(
        (occurrences[FIRST_WORD_ID : len(table)] >= least) & (numbers[FIRST_WORD_ID : len(table)] > 0)
    )
    if len(fitted_on) < 2 * size:
        return vectors
    weights = np.log1p(occurrences[fitted_on])[:, None]
    contexts, targets = means[fitted_on], table[fitted_on].astype(np.float64)
    middle, target_middle = contexts.mean(axis=0), targets.mean(axis=0)
    centred = contexts - middle
    penalty = SHRINKAGE * centred.var(axis=0).sum() * np.eye(size)
    mapping = np.linalg.solve(
        (weights * centred).T @ centred + penalty, (weights * centred).T @ (targets - target_middle)
    )
    stands_among_known = numbers[len(table) :] > 0
    told = target_middle + (means[len(table) :] - middle) @ mapping
    vectors[stands_among_known] = told[stands_among_known]
    return vectors


def _add_contexts(
    ids: np.ndarray[Any, np.dtype[np.int32]],
    offsets: _Longs,
    table: _Floats,
    known: int,
    sums: _Sums,
    numbers: _Sums,
) -> None:
    """Add to each id's sum the vectors of the known words within REACH, and to its number how many these are."""
    owners = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    is_known = (ids >= FIRST_WORD_ID) & (ids < known)
    for distance in range(1, min(REACH, len(ids) - 1) + 1):
        before, after = slice(None, -distance), slice(distance, None)
        within = owners[before] == owners[after]
        for word, neighbour in ((before, after), (after, before)):
            usable = within & is_known[neighbour]
            words, neighbours = ids[word][usable], ids[neighbour][usable]
            order = np.argsort(words, kind="stable")
            words, neighbours = words[order], neighbours[order]
            if len(words):
                firsts = np.flatnonzero(np.diff(words, prepend=-1))
                sums[words[firsts]] += np.add.reduceat(table[neighbours].astype(np.float64), firsts, axis=0)
                numbers += np.bincount(words, minlength=len(numbers))


def _may_be_word(word: str) -> bool:
    return any(character.isalpha() or not character.isascii() for character in word)
