"""Emoticons and emoji as words of their own.

`:-)` is nothing but punctuation, so the Keras way of reading loses it, and an emoji that stands at a word makes
another word of it. Here an emoticon becomes the emoji of its family, and an emoji stands between spaces.

Both take time linear in the text, whatever it holds. Emoticons go through Python: what may stand before and after
one can't be said to RE2, which knows no lookaround, and Arrow would compile the pattern anew for each batch. It is
for the few texts that may hold one.
"""

import re

import pyarrow as pa
import pyarrow.compute as pc

_FAMILIES = {
    "😠": (">:(", ">:-(", ">=(", ">:[", ">:-["),
    "😢": (":'(", ":'-(", ":,(", ":,-(", "='(", ":’(", ":’-(", ":´(", ":`(", "T_T"),
    "😂": (":')", ":'-)", ":’)", ":’-)", ":,)"),
    "👍": (":+1:",),
    "👎": (":-1:",),
    "🙂": (":)", ":-)", "=)", "=-)", ":^)", ":o)", ":]", ":-]", "=]", "(:", "(-:", "(=", "^_^"),
    "😀": (":D", ":-D", "=D", "=-D", "xD", "XD", "X-D", "x-D", ";D"),
    "😉": (";)", ";-)", ";]", ";-]", "(;", "(-;"),
    "🙁": (":(", ":-(", "=(", "=-(", ":^(", ":[", ":-[", "=[", "):", ")-:", ")="),
    "😕": (":/", ":-/", "=/", ":\\", ":-\\", "=\\", ":S", ":-S"),
    "😛": (":P", ":-P", ":p", ":-p", "=P", "=p", ";P", ";p", ";-P", ";-p"),
    "😮": (":O", ":-O", ":o", ":-o", "=O", "=o"),
    "😐": (":|", ":-|", "=|"),
    "😑": ("-_-",),
    "😳": ("o_O", "O_o", "O_O", "o_o"),
    "😣": (">_<",),
    "😘": (":*", ":-*", "=*", ";*", ";-*"),
    "💔": ("</3",),
    "❤": ("<3",),
}
EMOTICONS: dict[str, str] = {emoticon: emoji for emoji, family in _FAMILIES.items() for emoticon in family}
"""The emoji that stands for each emoticon. A last bracket, letter or 3 may be repeated: `:)))` is read as `:)`."""

_SURE = {
    *(":)", ":-)", ":(", ":-(", ":D", ":-D", ";)", ";-)"),
    *(">:(", ">:-(", ":'(", ":'-(", ":’(", ":’-(", ":,(", ":')", ":’)"),
}
"""Emoticons that count after any other punctuation as well, `wow~:(`; the others want white space or one of _BEFORE
before them, lest `"a":["b"]`, `{:o}` and `C:\\` be faces."""
_GLUED = {":)", ":-)", ":(", ":-(", ";)", ";-)"}
"""Emoticons that count after a letter as well, `thanks:)`, where white space or nothing follows them."""
_BEFORE = ".,!?(*…"

_UNITS = (
    "%|(?:percent|stars?|(?:milli)?seconds?|secs?|ms|s|min(?:ute)?s?|h|hours?|hrs?|days?|weeks?|months?|years?|yrs?|"
    "times|x|users|items|points|miles|k?m|cm|mm|k?g|lbs?|[kmgt]b|usd|eur|dollars|euros)\\b"
)
_HEART_END = rf"""(?=[\s!?,;)*~"']|\.+(?:\s|$)|$|<3)(?!\s*(?i:{_UNITS}))"""
"""What follows a heart: not the rest of a number, nor a unit, `<3 days`."""


def _pattern(emoticon: str) -> str:
    """Return the pattern of an emoticon, less its first character, and of what may follow it."""
    repeated = emoticon[-1] in "()DPpOo3" and emoticon[0] not in "()oO"
    return re.escape(emoticon[1:]) + "+" * repeated + (_HEART_END if emoticon == "<3" else r"(?!\w)")


def _any_emoticon() -> str:
    """Return the pattern of all emoticons, by first character: that is twice as fast as one branch for each."""
    rests: dict[str, list[str]] = {}
    for emoticon in sorted(EMOTICONS, key=len, reverse=True):
        rests.setdefault(emoticon[0], []).append(_pattern(emoticon))
    return "|".join(f"{re.escape(first)}(?:{'|'.join(patterns)})" for first, patterns in rests.items())


_ANY = re.compile(_any_emoticon())


def _read(found: re.Match[str]) -> str:
    """Return the emoji for what looks like an emoticon between spaces, or what was found if it isn't one."""
    emoticon, text, start = found[0], found.string, found.start()
    if emoticon not in EMOTICONS:  # a last character that is repeated
        emoticon = emoticon.rstrip(emoticon[-1]) + emoticon[-1]
    before = text[start - 1] if start else " "
    read = before.isspace() or before in _BEFORE
    if not read and emoticon in _SURE:
        read = not (before.isalnum() or before == "_")
        if not read and emoticon in _GLUED:
            read = not text[found.end() : found.end() + 1].strip()
    return f" {EMOTICONS[emoticon]} " if read else found[0]


_TONES = r"\x{1f3fb}-\x{1f3ff}"
_JOINERS = rf"\x{{fe0e}}\x{{fe0f}}{_TONES}\x{{200d}}\x{{20e3}}\x{{e0020}}-\x{{e007f}}"
_EMOJI = (
    r"[\x{231a}\x{231b}\x{23e9}-\x{23f3}\x{23f8}-\x{23fa}\x{2600}-\x{275a}\x{2761}-\x{2767}\x{2776}-\x{27bf}"
    r"\x{2b05}-\x{2b07}\x{2b1b}\x{2b1c}\x{2b50}\x{2b55}\x{1f000}-\x{1f1e5}\x{1f200}-\x{1f3fa}\x{1f400}-\x{1faff}]"
)
_EMOJI_SEQUENCE = (
    rf"(\x{{1f3f4}}|{_EMOJI}|[\x{{1f1e6}}-\x{{1f1ff}}]{{1,2}})(?:\x{{200d}}[♀♂]|[{_JOINERS}])*"
    rf"|[\x{{fe0e}}\x{{fe0f}}{_TONES}\x{{20e3}}]+"
)


def emoji_for_emoticons(texts: pa.Array) -> pa.Array:
    """Return the texts with the emoji of its family between spaces in place of each emoticon.

    An emoticon is one where it stands at the start or after white space or punctuation, and before white space,
    punctuation or the end: the `:/` of `http://` isn't, nor the `<3` of `<3 days`.

    Args:
        texts: Array of type string or large_string, without nulls.
    """
    return pa.array([_ANY.sub(_read, text) for text in texts.to_pylist()], texts.type)


def separate_emoji(texts: pa.Array) -> pa.Array:
    """Return the texts with spaces around each emoji.

    Variation selectors and skin tones are dropped; what a zero-width joiner holds together is cut into its parts,
    of which the signs for man and woman are dropped, too. A flag is one word.

    Args:
        texts: Array of type string or large_string, without nulls.
    """
    return pc.replace_substring_regex(texts, _EMOJI_SEQUENCE, r" \1 ")
