"""Where in a text the words stand that a preprocessor makes of it.

Preprocessing keeps no positions: it takes out markup, puts emoji in the place of emoticons, shortens what is drawn
out. So a text is cut into small parts, and each is preprocessed by itself. Where that gives other words than the
parts give together, as with the parts of a web address, they are one part.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import pyarrow as pa

from textsent.preprocess import Settings, split_words

_RUN = re.compile(r"<[a-zA-Z/!?][^<>]*>|(?:[^\s<]|<(?![a-zA-Z/!?][^<>]*>))+")
"""What looks like a tag, with the white space in it, and what stands between white space."""
_PART = re.compile(r"(?:[^\W_]|['’])+|(?:_|(?!['’])\W)+")
"""Letters, digits and apostrophes, or other characters, as an emoticon has."""
_APOSTROPHES = "'’"

_BLOCK_PARTS, _MOST_PARTS = 32, 1 << 14
"""Parts of a block, and how many are put together unseen rather than one by one tried."""


class Part(NamedTuple):
    """A part of a text that is read as one or several words.

    Attributes:
        start: Where it begins, in characters of the text.
        end: Where it ends.
        words: How many words it is read as, 1 or more.
    """

    start: int
    end: int
    words: int


class _Read(NamedTuple):
    """A part with its words, of which it may have none."""

    start: int
    end: int
    words: list[str]


def word_parts(texts: Sequence[str], settings: Settings) -> list[list[Part]]:
    """Return the parts of each text that are read as words.

    Args:
        texts: The texts.
        settings: How they are cut into words.

    Returns:
        For each text its parts, in their order and apart from each other. Their words, one after the other, are
        those of the text. A part holds no white space, but for what is only read together, as `<3 days` is.
    """
    runs = [(row, found.start(), found.end()) for row, text in enumerate(texts) for found in _RUN.finditer(text)]
    run_texts = [texts[row][start:end] for row, start, end in runs]
    cut = [
        (number, found.start(), found.end())
        for number, run in enumerate(run_texts)
        for found in _PART.finditer(run)
    ]
    read_cut = _words([run_texts[number][start:end] for number, start, end in cut], settings)
    parts: list[list[_Read]] = [[] for _ in texts]
    next_cut = 0
    for number, ((row, start, end), words) in enumerate(zip(runs, _words(run_texts, settings), strict=True)):
        first = next_cut
        while next_cut < len(cut) and cut[next_cut][0] == number:
            next_cut += 1
        if [word for of_cut in read_cut[first:next_cut] for word in of_cut] == words:
            parts[row] += [
                _Read(start + begin, start + stop, of_cut)
                for (_, begin, stop), of_cut in zip(cut[first:next_cut], read_cut[first:next_cut], strict=True)
            ]
        else:
            parts[row].append(_Read(start, end, words))
    return [
        [_trimmed(text, part) for part in _as_in(text, own, words, settings) if part.words]
        for text, own, words in zip(texts, parts, _words(texts, settings), strict=True)
    ]


def _words(texts: Sequence[str], settings: Settings) -> list[list[str]]:
    """Return the words of each text."""
    words, offsets = split_words(pa.array(texts, pa.large_string()), settings)
    listed, ends = words.to_pylist(), offsets.tolist()
    return [listed[start:end] for start, end in pairwise(ends)]


def _as_in(text: str, parts: list[_Read], words: list[str], settings: Settings) -> list[_Read]:
    """Return the parts of a text, those put together that are read otherwise in it than by themselves.

    Args:
        text: The text.
        parts: All of its parts.
        words: What is read in the text.
        settings: How it is cut into words.
    """
    if _joined(parts) == words:
        return parts
    # White space at the ends may be read too: for Keras's own rule only the space separates words.
    parts = parts or [_Read(0, len(text), [])]
    parts[0] = parts[0]._replace(start=0)
    parts[-1] = parts[-1]._replace(end=len(text))
    # What is read together is seldom long, so the text is cut into blocks first; and into longer ones if it is.
    size = _BLOCK_PARTS
    while True:
        blocks = _blocks(text, parts, size, settings)
        read = _words([_text_of(text, block) for block in blocks], settings)
        if [word for own in read for word in own] == words:  # as it is at last, with one block
            break
        size *= 8
    done: list[_Read] = []
    waiting = [(block, own, _cuts(len(block))) for block, own in zip(blocks, read, strict=True)]
    while waiting:
        tried = []
        for block, own, cuts in waiting:
            cut = None
            if _joined(block) == own:
                done += block
            elif len(block) > _MOST_PARTS or (cut := next(cuts, None)) is None:
                done.append(_Read(block[0].start, block[-1].end, own))
            else:
                tried.append((block, own, cuts, cut))
        sides = _words(
            [_text_of(text, side) for block, _, _, cut in tried for side in (block[:cut], block[cut:])], settings
        )
        waiting = []
        for (block, own, cuts, cut), left, right in zip(tried, sides[::2], sides[1::2], strict=True):
            if left + right == own:
                waiting += [(block[:cut], left, _cuts(cut)), (block[cut:], right, _cuts(len(block) - cut))]
            else:
                waiting.append((block, own, cuts))
    return sorted(done, key=lambda part: part.start)


def _blocks(text: str, parts: list[_Read], size: int, settings: Settings) -> list[list[_Read]]:
    """Return parts in blocks, cut where as many parts as `size` on either side are read apart from each other."""
    cuts = range(size, len(parts), 2 * size)
    sides = [(parts[cut - size : cut], parts[cut : cut + size]) for cut in cuts]
    read = _words([_text_of(text, some) for left, right in sides for some in (left, right, left + right)], settings)
    free = [
        cut
        for cut, left, right, both in zip(cuts, read[::3], read[1::3], read[2::3], strict=True)
        if left + right == both
    ]
    return [parts[start:end] for start, end in pairwise([0, *free, len(parts)])]


def _joined(parts: Sequence[_Read]) -> list[str]:
    return [word for part in parts for word in part.words]


def _text_of(text: str, parts: Sequence[_Read]) -> str:
    return text[parts[0].start : parts[-1].end]


def _cuts(parts: int) -> Iterator[int]:
    """Yield where to cut a number of parts in two: in the middle, or ever farther from it on both sides."""
    middle = parts // 2
    if middle:
        yield middle
    step = 1
    while middle - step > 0 or middle + step < parts:
        yield from (cut for cut in (middle + step, middle - step) if 0 < cut < parts)
        step *= 2


def _trimmed(text: str, part: _Read) -> Part:
    """Return a part without white space and apostrophes around it; these are quotation marks."""
    start, end = part.start, part.end
    inside = text[start:end].strip().strip(_APOSTROPHES)
    if inside:
        start = text.index(inside, start)
        end = start + len(inside)
    return Part(start, end, len(part.words))
