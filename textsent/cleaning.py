"""What the Keras way of reading loses or mistakes in mails, tickets and tweets: emoji, typography and markup.

Most texts hold nothing of the kind. One pass over the bytes of all texts finds the few characters by which
something may begin, and only the texts with one of them go through regular expressions. All of those take time
linear in the text, whatever it holds.
"""

import re
import unicodedata
from collections.abc import Callable
from html import unescape
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textsent.emoticons import emoji_for_emoticons, separate_emoji

_Mask = np.ndarray[Any, np.dtype[np.bool_]]
_Bytes = np.ndarray[Any, np.dtype[np.uint8]]
_Positions = np.ndarray[Any, np.dtype[np.intp]]

_BLOCK = 1 << 16
"""Bytes that are looked through at a time."""

_TAG_NAMES = (
    "a|abbr|acronym|address|area|article|aside|audio|b|base|big|blockquote|body|br|button|caption|center|cite|code|col|"
    "colgroup|dd|del|details|dfn|div|dl|dt|em|embed|fieldset|figcaption|figure|font|footer|form|frame|frameset|h[1-6]|"
    "head|header|hr|html|i|iframe|img|input|ins|kbd|label|legend|li|link|main|map|mark|meta|nav|noscript|object|ol|"
    "optgroup|option|o:p|p|param|picture|pre|q|s|samp|script|section|select|small|source|span|strike|strong|style|sub|"
    "summary|sup|table|tbody|td|textarea|tfoot|th|thead|title|tr|tt|u|ul|var|video|wbr"
)
_TAG = rf"<(?i:/?(?:{_TAG_NAMES})(?:\s[^<>]*=[^<>]*)?\s*/?|[!?][^<>]*)>"
"""Tags of HTML by name, so that `<sigh>` and `x <b and c> d` stay; comments, declarations. RE2 is faster where a
pattern begins with a character that has no case."""

_ENTITY = re.compile(
    r"&(?:amp;)*(?:(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});|(nbsp|amp|quot|lt|gt)\b)"
)
"""Entities of HTML, those that were escaped twice as well; the most frequent ones without their semicolon, too."""
_ADDRESS = (
    r"""\b(?:(?i:https?|ftp)://|(?i:www)\.)[^\s<>"\x{a0}\x{2000}-\x{200b}\x{2028}\x{2029}\x{202f}\x{3000}]+"""
    r"|(?i:mailto:)?[a-zA-Z0-9._%+-]+@[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+"
    r"|\B@[a-zA-Z_\x{c0}-\x{1fff}][\w\x{c0}-\x{1fff}]*"
)
"""Web addresses, mail addresses, and names that are mentioned by `@`."""

_APOSTROPHES = "‘’‛ʹʻʼʽˈ´′\x91\x92"
_INVISIBLE = "\xad\ufeff" + "".join(
    chr(code)
    for first, last in ((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x2069))
    for code in range(first, last + 1)
)
_PUNCTUATION = (
    *(
        (0x80, 0x89),
        (0x8B, 0x8B),
        (0x8F, 0x99),
        (0x9B, 0x9B),
        (0xA1, 0xA9),
        (0xAB, 0xAC),
        (0xAE, 0xB1),
        (0xB6, 0xB8),
        (0xBB, 0xBB),
        (0xBF, 0xBF),
    ),
    *((0x2010, 0x2027), (0x2030, 0x205E), (0x20A0, 0x20CF), (0x2120, 0x2120), (0x2122, 0x2122), (0x2190, 0x22FF)),
    *((0x2500, 0x25FF), (0x275B, 0x2760), (0x2768, 0x2775), (0x3001, 0x3003), (0x3008, 0x3020), (0x3030, 0x3030)),
    *((0xF000, 0xF8FF), (0xFE30, 0xFE6B), (0xFF5F, 0xFF65), (0xFFE0, 0xFFEE), (0xFFFD, 0xFFFD)),
)
"""First and last code points of what separates words. With them the punctuation of Windows-1252 that was taken for
Latin-1 (0x80 to 0x9B, apostrophes at 0x91 and 0x92), and the symbols of Wingdings and its like (from 0xF000 on)."""
_FORMS = r"[\x{fb00}-\x{fb06}\x{ff01}-\x{ff5e}\x{1d400}-\x{1d7ff}]"
_PLAIN_FORMS = {
    form: unicodedata.normalize("NFKC", chr(form))
    for forms in (range(0xFB00, 0xFB07), range(0xFF01, 0xFF5F), range(0x1D400, 0x1D800))
    for form in forms
}
"""Ligatures, full-width forms and mathematical letters. Not NFKC of the whole text: it makes `tm` of a trade mark's
sign, and utf8proc, by which Arrow does it, takes quadratic time on a run of combining marks."""


def _table(characters: bytes) -> _Mask:
    """Return for each byte whether it is one of `characters`: bool, shape (256,)."""
    table = np.zeros(256, np.bool_)
    table[list(characters)] = True
    return table


def _kinds() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the kind of each code point below 65,536: uint8, 0 where it stays."""
    kinds = np.zeros(1 << 16, np.uint8)
    for first, last in _PUNCTUATION:
        kinds[first : last + 1] = _SEPARATES
    kinds[list(map(ord, _APOSTROPHES))] = _IS_APOSTROPHE
    kinds[list(map(ord, _INVISIBLE))] = _VANISHES
    return kinds


_SEPARATES, _IS_APOSTROPHE, _VANISHES = 1, 2, 3
_KINDS = _kinds()

_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MARKS = _table(b"<&@:;=_D\xc2\xca\xcb\xe2\xe3\xef\xf0").tobytes()
"""Where something may begin or, as in `xD` and `o_O`, go on. The bytes that aren't ASCII are the first ones of the
punctuation and emoji of interest."""
_IN_WORD = _table(_LETTERS + b"0123456789")
_SPACED = (pa.scalar("", pa.large_string()), pa.scalar(" ", pa.large_string()))
_TAG_STARTS = _table(_LETTERS + b"/!?")
_ENTITY_STARTS = _table(_LETTERS + b"#")
_EYES = _table(b":;=")
_AFTER_EYES = _table(b"-'`^,+()[]/\\|*DPpOoS\xc2\xe2")
_BRACKETS = _table(b"()")
_BEFORE_UNDERSCORE = _table(b"^-ToO>")
_AFTER_E2 = {
    "emoji": _table(bytes([0x83, 0x8C, 0x8F, *range(0x98, 0x9F), 0xAC, 0xAD])),
    "typography": _table(bytes([*range(0x80, 0x85), *range(0x86, 0x8C), *range(0x94, 0x98), 0x9D])),
}


def clean(texts: pa.Array, *, emoji: bool, typography: bool, markup: bool, elongated: bool) -> pa.Array:
    """Return the texts as the four settings of the same names want them.

    Args:
        texts: Array of type string or large_string, without nulls.
        emoji: Emoticons and emoji become words of their own.
        typography: Apostrophes become `'`, other punctuation that isn't ASCII a space; invisible characters vanish.
        markup: Tags, web and mail addresses and mentioned names become a space, entities their characters. `<br>`
            is left to the caller, who takes it out first.
        elongated: A letter that stands three times or more in a row stands twice, alone three times.
    """
    texts = texts.cast(pa.large_string())
    offsets, characters = _bytes_of(texts)
    marks = _in_blocks(_marks, characters)
    thirds = _in_blocks(_thirds, characters) if markup or elongated else marks[:0]
    here, before = characters[marks], characters[marks - 1]
    after = characters[np.minimum(marks + 1, len(characters) - 1)]

    def rows_with(found: np.ndarray[Any, Any]) -> _Mask:
        """Return which texts hold one of the marks, given by a mask or by numbers: bool, shape (texts,)."""
        rows = np.zeros(len(texts), np.bool_)
        rows[np.searchsorted(offsets[1:], found, side="right")] = True
        return rows

    nowhere = np.zeros(len(texts), np.bool_)
    entities = tags = addresses = pictures = faces = forms = punctuation = runs = nowhere
    opening = here == ord("<")
    if markup:
        entities = rows_with(marks[(here == ord("&")) & _ENTITY_STARTS[after]])
        tags = rows_with(marks[opening & _TAG_STARTS[after]]) | entities
        addresses = rows_with(marks[(here == ord("@")) | (here == ord(":")) & (after == ord("/"))]) | entities
        addresses |= rows_with(thirds[characters[thirds] | 32 == ord("w")])
    if emoji:
        second = _AFTER_E2["emoji"][after] & (here == 0xE2)
        variation = (here == 0xEF) & (after == 0xB8)
        pictures = rows_with(marks[second | variation | (here == 0xF0)]) | entities
        eyes = _EYES[here]
        face = eyes & (_AFTER_EYES[after] | (before == ord("(")))
        face[eyes & (before == ord("-"))] |= _BRACKETS[characters[marks[eyes & (before == ord("-"))] - 2]]
        closed = marks[eyes & (before == ord(")"))]  # `see (1): ` is no face, `): ` is one
        face[eyes & (before == ord(")"))] |= ~_IN_WORD[characters[closed - 2]] | np.isin(closed - 1, offsets)
        face |= opening & ((after == ord("3")) | (after == ord("/")))
        face |= (here == ord("D")) & ((before | 32 == ord("x")) | (before == ord("-")))
        face |= (here == ord("_")) & _BEFORE_UNDERSCORE[before]
        faces = rows_with(marks[face]) | entities
    if typography:
        second = _AFTER_E2["typography"][after] & (here == 0xE2)
        others = (here >= 0x80) & (here != 0xE2) & ((here != 0xC2) | (after != 0xA0))
        others &= here != 0xF0
        punctuation = rows_with(marks[second | others]) | entities
        forms = rows_with(marks[(here == 0xEF) | (here == 0xF0) & (after == 0x9D)]) | entities
    if elongated:
        runs = rows_with(thirds) | entities
    some = entities | tags | addresses | pictures | faces | punctuation | forms | runs
    if not some.any():
        return texts
    mask = pa.array(some)
    found = texts.filter(mask)
    found = _where(entities[some], found, _without_entities)
    found = _where(tags[some], found, lambda own: pc.replace_substring_regex(own, _TAG, " "))
    found = _where(addresses[some], found, lambda own: pc.replace_substring_regex(own, _ADDRESS, " "))
    found = _where(pictures[some], found, separate_emoji)
    found = _where(faces[some], found, emoji_for_emoticons)
    found = _where(forms[some], found, _plain_forms)
    found = _where(punctuation[some], found, _plain_typography)
    found = _where(runs[some], found, _shortened)
    return pc.replace_with_mask(texts, mask, found)


def _where(rows: _Mask, texts: pa.Array, function: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Return the texts, those of `rows` as `function` makes them."""
    if not rows.any():
        return texts
    mask = pa.array(rows)
    return pc.replace_with_mask(texts, mask, function(texts.filter(mask)))


def _without_entities(texts: pa.Array) -> pa.Array:
    return pa.array([_ENTITY.sub(_character, text) for text in texts.to_pylist()], texts.type)


def _character(entity: re.Match[str]) -> str:
    """Return the character of an entity, or a space for a name that HTML doesn't know."""
    escaped = f"&{entity[1] or entity[2]};"
    character = unescape(escaped)
    return " " if character == escaped else character


def _plain_forms(texts: pa.Array) -> pa.Array:
    found = pc.match_substring_regex(texts, _FORMS)
    if not pc.any(found).as_py():
        return texts
    plain = pa.array([text.translate(_PLAIN_FORMS) for text in texts.filter(found).to_pylist()], texts.type)
    return pc.replace_with_mask(texts, found, plain)


def _plain_typography(texts: pa.Array) -> pa.Array:
    """Return the texts with plain apostrophes, spaces for other punctuation and without what can't be seen."""
    offsets, content = _bytes_of(texts)
    characters = content.copy()
    # A character of two bytes begins with 0xC2 to 0xDF, one of three with 0xE0 to 0xEF.
    begins = np.flatnonzero((characters >= 0xC2) & (characters < 0xF0))
    long = characters[begins] >= 0xE0
    third = np.minimum(begins + 2, len(characters) - 1)
    first_two = ((characters[begins].astype(np.int32) & 0x1F) << 6) | (characters[begins + 1] & 0x3F)
    codes = np.where(long, (first_two << 6 | characters[third] & 0x3F) & 0xFFFF, first_two)
    kinds = _KINDS[codes]
    separators, apostrophes, vanishing = (kinds == kind for kind in (_SEPARATES, _IS_APOSTROPHE, _VANISHES))
    characters[begins[separators]] = characters[begins[separators] + 1] = ord(" ")
    characters[third[separators & long]] = ord(" ")
    characters[begins[apostrophes]] = ord("'")
    shorter = apostrophes | vanishing
    surplus = np.concatenate([begins[vanishing], begins[shorter] + 1, third[shorter & long]])
    return _without(np.sort(surplus), offsets, characters)


def _bytes_of(texts: pa.Array) -> tuple[_Positions, _Bytes]:
    """Return where each of the large strings begins, shape (texts + 1,), and the bytes of all."""
    offsets = np.frombuffer(texts.buffers()[1] or bytes(8), np.int64, len(texts) + 1, 8 * texts.offset)
    return offsets - offsets[0], np.frombuffer(texts.buffers()[2] or b"", np.uint8)[offsets[0] : offsets[-1]]


def _without(surplus: _Positions, offsets: _Positions, characters: _Bytes) -> pa.Array:
    """Return texts without some of their bytes, whose positions are sorted."""
    offsets = offsets - np.searchsorted(surplus, offsets)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.delete(characters, surplus))]
    return pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, buffers)


def _in_blocks(function: Callable[[_Bytes], _Positions], characters: _Bytes) -> _Positions:
    """Return the positions that `function` finds, block by block; it may look at the two characters before.

    Arrays as long as all texts would have to be had from the system each time: that takes longer than to fill them.
    """
    found = [function(characters[:_BLOCK])]
    for start in range(_BLOCK - 2, len(characters) - 2, _BLOCK - 2):
        positions = function(characters[start : start + _BLOCK])
        found.append(positions[positions >= 2] + start)
    return np.concatenate(found)


def _marks(characters: _Bytes) -> _Positions:
    return np.flatnonzero(np.frombuffer(characters.tobytes().translate(_MARKS), np.bool_))


def _thirds(characters: _Bytes) -> _Positions:
    """Return where a letter of ASCII stands that stood twice right before, in whatever case."""
    small = characters | 32
    same = small[1:] == small[:-1]
    third = np.flatnonzero(same[1:] & same[:-1]) + 2
    return third[(small[third] >= ord("a")) & (small[third] <= ord("z"))]


def _shortened(texts: pa.Array) -> pa.Array:
    """Return the texts with two of a letter that stands more often in a row, three where a word is no more."""
    spaced = pc.binary_join_element_wise(texts, *_SPACED)  # no run of letters goes on in the next text
    offsets, characters = _bytes_of(spaced)
    thirds = _in_blocks(_thirds, characters)
    is_first = np.diff(thirds, prepend=-1) > 1
    first, last = thirds[is_first], thirds[np.append(is_first[1:], np.True_)[: len(thirds)]]
    before, after = characters[first - 3], characters[last + 1]
    alone = ~(_IN_WORD[before] | _IN_WORD[after]) & (before < 0x80) & (after < 0x80)
    return _without(np.setdiff1d(thirds, first[alone], assume_unique=True), offsets, characters)
