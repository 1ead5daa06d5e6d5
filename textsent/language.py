"""Whether a text is in a model's language, by the words that the model knows.

A film model knows some words of any text in the Latin alphabet: names, loan words, and the small words of foreign
titles (`der`, `la`, `que`). So these count as unknown here, a word with a digit or a sign in it (`SKU-4417`) says
nothing, a letter that isn't ASCII says twice as much, and a few known words are added to each text, without which a
mail of three words would be judged by a single name.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textsent.errors import PresetError
from textsent.preprocess import FIRST_WORD_ID, OUT_OF_VOCABULARY_ID, Preprocessor, WordIds, split_words
from textsent.presets import CONFIG_FILE, read_json

MIN_COVERAGE_KEY = "min_coverage"
"""Key of `config.json`; a preset without it takes all texts for its own."""

MIN_COVERAGE = 0.45
"""What the threshold of a new preset is: the highest at which at least 95 of 100 texts that lose their score are in
another language, among as many hard English ones (`python -m benchmarks --only language`)."""

ADDED_WORDS = 3
"""Known words that are added to each text, as by Laplace's rule of succession; measured together with MIN_COVERAGE:
with 2 a tenth more texts in other languages are found, and three times as many hard English ones are lost."""

OWN_WORDS = 500
"""So many of a vocabulary's most frequent words are its own, whatever they are: a German model knows `der`."""

_LETTERS = r"^'*\p{L}[\p{L}\p{M}']*$"

_SMALL_WORDS = """
German: das dass dem den der des eine einen für ich ist mein mich mir mit nach nicht oder sehr sich sie und uns von
Dutch: aan dat de deze dit een en het heb ik je maar mijn naar niet nog ook op te uit van voor wij zijn
French: au aux avec ce cette dans de des du elle est et il je la le les mais mon nous ou pas que qui se sur très une
Spanish: al como con de del el en es esta la las le lo los mi mis muy para pero por porque que se su sus un una y
Portuguese: ao com da das dos essa eu foi mais meu minha muito na nas nos não o os para por que se uma um
Italian: al alla che con da dei del della di gli il la le lo mi mio molto nei nel più sono sua suo un una
Romanian, Catalan: amb au cu din els este fi la mai nu pe pentru și sunt un
Slavic: ale bardzo bez czy dla iz ja je jest kako mam mi moje na ne nie od po przez samo se si su tak tylko ve za
Scandinavian: alla alt att av den det du eller en er et ett för han har inte jag kan med mig och om på som vi vil
Finnish, Estonian: aga ei että hän ja joka kui mutta niin nyt oli olen ole oma se tai
Hungarian: az csak egy ez hogy már mert nagyon nem vagy és
Turkish: ama bir biz bu çok daha gibi için ile kadar ki ne ve
Baltic: ar ir kad kaip ka su tai yra
Indonesian, Malay: ada akan dari di itu juga kami ke saya sudah tidak untuk yang
Tagalog: ako ang ay ito ka kayo ko mga na namin ng ni po sa siya
Swahili: hii kila kwa la na ni sana wa yake yangu za
"""
"""The commonest words of other languages, so far as they aren't English words or names as well."""


@dataclass(frozen=True)
class LanguageTest:
    """Tells which texts a model can't read.

    Attributes:
        preprocessor: The model's.
        min_coverage: The share of known words, counted as in the module's docstring, under which a text isn't in
            the model's language: 0 (every text is) … 1.
    """

    preprocessor: Preprocessor
    min_coverage: float = MIN_COVERAGE

    def foreign(self, texts: pa.Array, ids: WordIds) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return which texts aren't in the model's language: bool, shape (texts,). One without words is none.

        Args:
            texts: Array of type string or large_string; null ones have no words.
            ids: Their word ids.
        """
        is_unknown = self._unknown[ids.ids]
        owners = np.searchsorted(ids.offsets, np.flatnonzero(is_unknown), "right") - 1
        unknown = np.bincount(owners, minlength=len(ids))
        known = ids.words - unknown
        # Nearly all texts are told by their ids: even if each unknown word counted twice, it would not be enough.
        doubtful = self._is_below(known, 2 * unknown)
        if doubtful.any():
            words, _ = split_words(texts.filter(pa.array(doubtful)), self.preprocessor.settings)
            words = words.filter(pa.array(is_unknown[np.repeat(doubtful, ids.words)]))
            letters = pc.match_substring_regex(words, _LETTERS).to_numpy(zero_copy_only=False)
            weights = letters * (2.0 - pc.string_is_ascii(words).to_numpy(zero_copy_only=False))
            unknown = np.bincount(owners[doubtful[owners]], weights, len(ids))
            doubtful &= self._is_below(known, unknown)
        return doubtful

    def _is_below(
        self, known: np.ndarray[Any, Any], unknown: np.ndarray[Any, Any]
    ) -> np.ndarray[Any, np.dtype[np.bool_]]:
        return known + ADDED_WORDS < self.min_coverage * (known + unknown + ADDED_WORDS)

    @cached_property
    def _unknown(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Whether each id counts as an unknown word: bool, shape (ids,)."""
        small = pc.is_in(self.preprocessor.words, value_set=pa.array(small_words(), pa.large_string()))
        unknown = np.concatenate([np.zeros(FIRST_WORD_ID, np.bool_), small.to_numpy(zero_copy_only=False)])
        unknown[: FIRST_WORD_ID + OWN_WORDS] = False
        unknown[OUT_OF_VOCABULARY_ID] = True
        return unknown


def read_min_coverage(folder: Path) -> float:
    """Return a preset's threshold, 0 … 1; 0 where its configuration has none.

    Raises:
        PresetError: It is no such number.
    """
    value = read_json(folder / CONFIG_FILE).get(MIN_COVERAGE_KEY, 0.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise PresetError(
            f"{folder / CONFIG_FILE}: {MIN_COVERAGE_KEY} must be a number from 0 to 1. Received: {value!r}"
        )
    return float(value)


def small_words() -> list[str]:
    """Return the commonest words of other languages than English."""
    lines = _SMALL_WORDS.strip().splitlines()
    return sorted({word for line in lines for word in line.partition(": ")[2].split()})
