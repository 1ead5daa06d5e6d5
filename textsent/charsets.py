"""Bytes of a mail to text, whatever they are said to be."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress
from functools import lru_cache

_OTHER_LABEL = re.compile(r"(?:cp|ibm|windows|iso|latin|mac|koi|utf|hz|euc|shift|big5|gb|johab|tis)[\w.:-]{0,30}\Z")
"""Labels that no web page has, but a mail may. Python's other codecs are no charsets, or slow on purpose."""

_MAX_BROKEN_SHARE = 0.2


def decode(data: bytes, label: str | None = None) -> str:
    """Return bytes as text; what can't be decoded becomes U+FFFD, never an error.

    Strict UTF-8 first, then the label with the meaning that browsers give it (latin-1 is cp1252), then cp1252. A
    label that names no superset of ASCII, UTF-16 for instance, goes before all. Text that is said to be UTF-8 stays
    so with a broken byte in it.

    Args:
        data: The bytes, their transfer encoding undone.
        label: The charset that the mail names, if any.
    """
    codec = (_codec(label.strip().lower()) if label else None) or ""
    is_mislabelled = codec.startswith("utf-16") and data.isascii() and b"\0" not in data
    if codec.startswith(_NOT_ASCII_COMPATIBLE) and not is_mislabelled:
        if codec.startswith("utf-16") and data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            codec = "utf-16"
        with suppress(UnicodeError, LookupError):
            return _decoded(data, codec)
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        if not codec or codec == "cp1252":
            return data.decode("cp1252", "replace")
    with suppress(UnicodeError, LookupError):
        return _decoded(data, codec)
    text = _decoded(data, codec, "replace")
    if text.count("\ufffd") <= _MAX_BROKEN_SHARE * sum(1 for character in text if character > "\x7f"):
        return text
    return data.decode("cp1252", "replace")


def _decoded(data: bytes, codec: str, errors: str = "strict") -> str:
    return without_surrogates(data.decode(codec, errors).removeprefix("\ufeff"))


def without_surrogates(text: str) -> str:
    """Return text that can be written as UTF-8: some charsets decode to halves of a character."""
    return text.encode("utf-8", "replace").decode("utf-8")


_NOT_ASCII_COMPATIBLE = ("utf-16", "utf-7", "iso2022", "hz")
"""Text in these can be valid UTF-8 as well, and would come out as gibberish."""


_SUPERSETS = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso8859-11": "cp874",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso2022_jp": "iso2022_jp_ext",
}
"""What the labels mean to a browser (https://encoding.spec.whatwg.org), as Python's codecs have it."""


@lru_cache(maxsize=256)
def _codec(label: str) -> str | None:
    """Return the name of the Python codec for a charset's label, None where there is none."""
    from resiliparse.parse.encoding import map_encoding_to_html5

    found = map_encoding_to_html5(label, False)
    if found is None and _OTHER_LABEL.match(label):
        try:
            found = codecs.lookup(label).name
        except (LookupError, ValueError):
            return None
    return _SUPERSETS.get(found or "", found)
