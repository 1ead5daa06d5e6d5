"""Where the sentences of a text begin and end.

What a person set apart ends a sentence: a `<br>` or another tag of a block, a blank line, the next item of a list.
In between NLTK's Punkt decides (Kiss and Strunk, "Unsupervised Multilingual Sentence Boundary Detection", 2006), by
abbreviations, collocations and words that begin sentences, which it has learned from film reviews:
`scripts/train_sentences.py` made `sentences.json`. It is asked of one place at a time, with the word before and the
word after, so that time is linear in the text, whatever it holds.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

PARAMETERS_FILE = "sentences.json"

LEAST_COUNT = 50
"""How often a word must stand in the training texts for its upper and lower case to be remembered. Of rarer words
Punkt then knows nothing, which makes `J. Pennock` a name; with all of them the file is ten times as large."""

TITLES = ("mr", "mrs", "ms", "dr", "prof", "rev", "st")
"""They end no sentence. Punkt takes some first names for words that begin one, since reviews list a film's cast."""

ABBREVIATIONS = (
    *(
        "jr",
        "sr",
        "vs",
        "etc",
        "e.g",
        "i.e",
        "a.m",
        "p.m",
        "u.s",
        "u.k",
        "approx",
        "appt",
        "attn",
        "co",
        "corp",
        "dept",
    ),
    *("encl", "est", "ext", "fwd", "inc", "incl", "ltd", "max", "min", "no", "nr", "qty", "ref", "tel"),
)
"""Known beside those learned: what mails shorten, and what reviews write without its period as often as with it."""

_BLOCK_TAGS = "br|p|div|li|ul|ol|dl|dt|dd|tr|td|th|table|h[1-6]|hr|blockquote|pre"
_ITEM = r"(?:[-*+•·–—▪◦]|\(?\d{1,2}[.)]|\(?[a-zA-Z]\))[ \t\xa0]"
_BLOCK_END = re.compile(
    rf"(?:<(?i:/?(?:{_BLOCK_TAGS})(?:\s[^<>]{{0,1000}})?/?)>"
    rf"|(?:\r\n?+|\n)[ \t\xa0]*(?=[\r\n]|{_ITEM})"
    r"|[\v\f\x1c-\x1e\x85\u2028\u2029])+"
)
"""What stands between two blocks. After a line's end a blank line, or the mark of an item, which belongs to it."""
_ITEM_MARK = re.compile(rf"\s*+{_ITEM}")
_MAY_END = re.compile(r"""(?<![.!?])[.!?]++(["'”’»)\]}*_]*+)(?=\s)""")
"""What may end a sentence, with the quotation marks and brackets that close after it."""
_NEXT = re.compile(r"\s+(\S{1,40})")
_CONTEXT = 40
"""Characters of the word before that Punkt is shown."""


def split(text: str) -> list[tuple[int, int]]:
    """Return where each sentence of a text begins and ends, in characters.

    White space around a sentence isn't part of it. A text of nothing but white space and tags has none.
    """
    spans = []
    for start, end in _blocks(text):
        for stop in _ends(text, start, end):
            sentence = text[start:stop]
            first = start + len(sentence) - len(sentence.lstrip())
            last = stop - len(sentence) + len(sentence.rstrip())
            if first < last:
                spans.append((first, last))
            start = stop
    return spans


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Yield what stands between tags of blocks, blank lines and the lines of items."""
    start = 0
    for found in _BLOCK_END.finditer(text):
        yield start, found.start()
        start = found.end()
    yield start, len(text)


def _ends(text: str, start: int, end: int) -> Iterator[int]:
    """Yield where the sentences of a block end."""
    mark = _ITEM_MARK.match(text, start, end)
    for found in _MAY_END.finditer(text, mark.end() if mark else start, end):
        following = _NEXT.match(text, found.end(), end)
        if not following or (found[1] and following[1][0].islower()):  # "Really?" he said.
            continue
        before = text[max(start, found.start() - _CONTEXT) : found.start()].split()
        word = before[-1] if before and not text[found.start() - 1].isspace() else ""
        is_title = found[0] == "." and word.lstrip("(\"'“‘").lower() in TITLES
        if not is_title and _ends_sentence(f"{word}{found[0]} {following[1]}"):
            yield found.end()
    yield end


@lru_cache(1 << 14)
def _ends_sentence(context: str) -> bool:
    """Return whether a sentence ends between the word with its punctuation and the next word."""
    return _tokenizer().text_contains_sentbreak(context)


@cache
def _tokenizer() -> PunktSentenceTokenizer:
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    stored = json.loads(files(__package__).joinpath(PARAMETERS_FILE).read_text("utf-8"))
    parameters = PunktParameters()
    parameters.abbrev_types = {*stored["abbreviations"], *ABBREVIATIONS}
    parameters.collocations = {tuple(pair) for pair in stored["collocations"]}
    parameters.sent_starters = set(stored["sentence starters"])
    # Not a defaultdict, as Punkt's own: that one remembers each word it is asked for.
    parameters.ortho_context = Counter(
        {word: int(flags) for flags, words in stored["cases"].items() for word in words.split()}
    )
    return PunktSentenceTokenizer(parameters)


def learn(texts: Iterable[str]) -> dict[str, Any]:
    """Return what Punkt learns from texts, as `sentences.json` holds it.

    Returns:
        abbreviations: Words, in lower case and without their last period.
        collocations: Pairs of words with a period between them that ends no sentence.
        sentence starters: Words.
        cases: For each sum of Punkt's flags, which say whether a word begins sentences or stands within them with
            an upper-case or a lower-case letter, the words of that kind, with a space between.
    """
    from nltk.tokenize.punkt import PunktTrainer

    trainer = PunktTrainer()
    for text in texts:
        trainer.train(_BLOCK_END.sub("\n\n", text), finalize=False)
    trainer.finalize_training()
    counts = trainer._type_fdist  # which Punkt keeps to itself
    parameters: PunktParameters = trainer.get_params()
    kinds: dict[int, list[str]] = {}
    for word, flags in sorted(parameters.ortho_context.items()):
        if counts[word] + counts[f"{word}."] >= LEAST_COUNT:
            kinds.setdefault(flags, []).append(word)
    return {
        "abbreviations": sorted(parameters.abbrev_types),
        "collocations": sorted(map(list, parameters.collocations)),
        "sentence starters": sorted(parameters.sent_starters),
        "cases": {str(flags): " ".join(kinds[flags]) for flags in sorted(kinds)},
    }
