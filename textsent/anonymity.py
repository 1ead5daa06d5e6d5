"""Texts without the names and addresses of people, as far as they can be told.

Names are those of the From and To fields: no other text says so surely that something is a name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.utils import getaddresses

import pyarrow as pa
import pyarrow.compute as pc

from textsent.describe import TellingWord
from textsent.display import printable

_ADDRESS = re.compile(r"@?[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")  # also @name@server.example
_HANDLE = re.compile(r"[\w.+-]{0,64}@\w(?:[\w.-]{0,62}\w)?")  # and name@server, which has no dot
_DOMAIN = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}(?:/\S{0,900})?")
_LINK = re.compile(r"(?:https?://|www\.)\S{1,900}", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d_]{3,}")
_LONG_NUMBER = re.compile(r"\+?\d(?:[ ()/.-]{0,2}\d){6,20}")

STAND_INS = frozenset({"[address]", "[link]", "[handle]", "[domain]", "[number]", "[name]"})
"""What stands in a text where something was replaced."""


def without_addresses(texts: pa.Array) -> pa.Array:
    """Return an Arrow array of texts without addresses, links, handles and long numbers."""
    for pattern in (_ADDRESS, _LINK, _HANDLE, _LONG_NUMBER):
        texts = pc.replace_substring_regex(texts, "(?i)" + pattern.pattern, " ")
    return texts


class Names:
    """Gives people, addresses and domains other names where a report is to be anonymous."""

    def __init__(self, hides: bool) -> None:
        """Begin without any names.

        Args:
            hides: Replace them; otherwise all stays as it is.
        """
        self._hides = hides
        self._numbers: dict[tuple[str, str], int] = {}
        self._parts: set[str] = set()
        self._domains: set[str] = set()

    def learn(self, people: str) -> None:
        """Take note of a From or To field, by whose names and domains texts are searched."""
        if self._hides:
            for name, address in getaddresses([people[:2000]]):
                own, _, domain = address.partition("@")
                self._parts |= {part.casefold() for part in _NAME.findall(f"{name} {own}")} - _NO_NAMES
                if domain:
                    self._domains.add(domain.casefold())

    def person(self, sender: str) -> str:
        """Return a From field, or a name in its place."""
        if not self._hides or not sender:
            return printable(sender)[:200]
        (_, address), *_ = [*getaddresses([sender[:2000]]), ("", "")]
        return self._numbered("person", (address or sender).lower())

    def value(self, value: str) -> str:
        """Return a sender, domain or list, or a name in its place."""
        if not self._hides:
            return value
        return self._numbered("person" if "@" in value else "group", value)

    def text(self, text: str) -> str:
        """Return a text without addresses, links, domains, handles, long numbers, and the names of people."""
        if not self._hides:
            return text
        for pattern, name in ((_ADDRESS, "[address]"), (_LINK, "[link]"), (_HANDLE, "[handle]")):
            text = pattern.sub(name, text)
        text = _DOMAIN.sub(lambda found: "[domain]" if self._is_domain(found[0]) else found[0], text)
        text = _LONG_NUMBER.sub("[number]", text)
        return _NAME.sub(lambda found: "[name]" if self._is_name(found[0]) else found[0], text)

    def words(self, words: Sequence[TellingWord]) -> tuple[TellingWord, ...]:
        """Return words without names, parts of addresses, and numbers."""
        if not self._hides:
            return tuple(words)
        hidden = self._parts.union(*(_NAME.findall(domain) for domain in self._domains))
        return tuple(word for word in words if word.word.isalpha() and word.word.casefold() not in hidden)

    def _is_domain(self, text: str) -> bool:
        name = text.partition("/")[0].casefold()
        labels = name.split(".")
        ends = (".".join(labels[place:]) for place in range(len(labels) - 1))
        return labels[-1] in _TOP_LEVELS or any(end in self._domains for end in ends)

    def _is_name(self, word: str) -> bool:
        return word[0].isupper() and word.casefold() in self._parts

    def _numbered(self, kind: str, value: str) -> str:
        return f"{kind} {self._numbers.setdefault((kind, value), len(self._numbers) + 1)}"


_NO_NAMES = frozenset(
    {"the", "and", "for", "mail", "info", "support", "service", "team", "sales", "help", "hello", "news", "noreply"}
    | {"reply", "contact", "admin", "office", "post"}
)
"""Words of From fields that are no names."""

_TOP_LEVELS = frozenset(
    {
        "com",
        "org",
        "net",
        "edu",
        "gov",
        "mil",
        "int",
        "info",
        "biz",
        "app",
        "dev",
        "shop",
        "store",
        "online",
        "site",
    }
    | {"xyz", "io", "ai", "example", "test", "invalid", "internal", "local", "lan", "eu", "uk", "ie", "de", "ch"}
    | {"fr", "nl", "es", "pt", "gr", "dk", "se", "fi", "pl", "cz", "sk", "hu", "ro", "ru", "ua", "tr", "il", "za"}
    | {"jp", "cn", "kr", "hk", "tw", "sg", "au", "nz", "ca", "br", "mx", "ar", "cl"}
)
"""What a domain ends with: `we` in `late.we waited` is none. Other domains are known from addresses."""
