"""The words that a mail's author wrote, without the thread, signatures and footers that stand around them.

A pattern sees a line of at most MAX_LINE characters, or a few of them joined, and what it repeats is bounded: no
text takes more than linear time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from textsent.phrases import (
    ADDRESSEE,
    BEGINS_FORWARDED,
    DEVICE,
    DEVICE_WORDS,
    FIELDS,
    FOOTER_HINTS,
    FOOTER_PHRASE,
    FOOTER_START,
    LONG_SIGN_OFF,
    MESSAGE,
    NO_NAMES,
    ORIGINAL,
    ORIGINAL_OF,
    PLACE,
    SECRET,
    SENT_HINTS,
    SIGN_OFF,
    TONE,
    WROTE,
    WROTE_UNSPACED,
    alternatives,
    expanded,
    holds_any,
)

MAX_LINE = 300  # characters
MAX_LINES = 20_000
"""No mail program writes longer ones of what is taken off; a text of more lines is no letter, and of it only lines
that begin with ">" are taken off."""

_QUOTED_LINES = re.compile(r"^>.*\n?", re.MULTILINE)


def own_words(text: str, *, keep_quotes: bool = False, keep_signatures: bool = False) -> str:
    """Return what a mail's author wrote: whole lines of the text, in their order.

    Taken off are quoted lines and the line that announces them ("On … wrote:"), what follows an "Original Message",
    a header of Outlook's or a forwarded message's, and at the end signatures, sign-offs, what a telephone adds, and
    legal and mailing lists' footers. A line in which anything else is said stays.

    Args:
        text: The text of a mail, lines apart by line feeds.
        keep_quotes: Leave what is quoted.
        keep_signatures: Leave signatures, sign-offs and footers, which otherwise go unless they are all there is.

    Returns:
        The words, empty where all is quoted.
    """
    if text.count("\n") >= MAX_LINES:
        return text.strip() if keep_quotes else _QUOTED_LINES.sub("", text).strip()
    lines = text.split("\n")
    if not keep_quotes:
        lines = _without_quotes(lines)
    if not keep_signatures:
        lines = _without_signatures(lines) or lines
    return "\n".join(lines).strip()


# Quotes

_WROTE_VERB = re.compile(
    rf"(?:(?<!\w)(?:{alternatives(WROTE)})(?!\w)|{alternatives(WROTE_UNSPACED)}).{{0,150}}[:：][\s-]{{0,12}}\Z",
    re.IGNORECASE,
)
"""The verb of the line over a quote, and the sender where the name follows it."""

_WROTE_BETWEEN_RULES = re.compile(
    rf"-{{3,60}}\s?.{{1,150}}(?<!\w)(?:{alternatives(WROTE)}):?\s?-{{3,60}}\Z", re.IGNORECASE
)

_SHARES_LINE = re.compile(
    r"(?P<words>.{1,200}?\S)\s*(?:---\s)?\bOn (?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\w{0,6},? |\d)"
    r"[^:]{4,60}:\d\d.{5,150} wrote:\Z"
)
"""Where a line feed was lost, the author's words stand before the rest."""

_WITHOUT_VERB = re.compile(r"(?:<\s?[^<>\s]{3,100}@[^<>\s]{3,100}>|\[mailto:[^\]\s]{3,100}\])\s?[:：]\s*\Z")
"""As Gmail has it in Russian and Japanese: a date, a name, an address, a colon."""

_STARTS_ATTRIBUTION = re.compile(
    r"\W{0,4}(?:On|Am|Le|El|Il(?: giorno)?|Em|A|No dia|Op|W dniu|Dnia|Dne|Den|Στις|În|În data de|La data|Pe|Il|В|"
    r"At|In|Az|Al|Vào|Dana|Tarih|在|于|Quoting|Zitat von|"
    r"(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|jeu|ven|sam|dim|pon|wt|śr|czw|pt|sob|niedz|"
    r"man|tir|tirs|ons|tor|tors|fre|lør|søn|mån|tis|lör|sön|ma|ti|ke|to|pe|la|su|po|út|st|čt|pá|so|ne|пн|вт|ср|чт|"
    r"пт|сб|вс|нд|maan?d?|dins?|woe?|don?d?|vr|za|zo|zat|zon)\w{0,9}[.,]{0,2}|\d{1,4}[./ \-年])(?=\W|\d|\Z)",
    re.IGNORECASE,
)
_ATTRIBUTION_AND_TEXT = re.compile(
    r"(?:On|Am|Le|El|Il|Em|Op) .{10,120}<[^<>\s]{3,80}@[^<>\s]{3,80}> ?\w{0,2} ?\w{3,12} ?:\s{1,5}\S"
)
"""As Yahoo has it: the quote begins on the same line."""

_DATE_AND_ADDRESS = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}\b.{0,100}<[^<>\s]{3,80}@[^<>\s]{3,80}>\Z")
"""Over a quote, an older Gmail's line without a verb."""

_DIGITS = re.compile(r"\d\D{0,30}\d")
_ADDRESS = re.compile(r"@|<[^<>]{1,100}>|mailto:")

_FIELD = re.compile(
    r"[\s*_]{0,8}(?:"
    + "|".join(f"(?P<{kind}>{names})" for kind, names in FIELDS.items())
    + r")[*_]{0,2}\s{0,3}[:：](?:[*_]{0,2})",
    re.IGNORECASE,
)
_MAX_FIELDS = 15  # lines
_CLOCK = re.compile(r"\d{1,2}[:.]\d\d(?!\d)")

_RULES = "-_=*+‐–—>"
_RULES_AND_COLONS = _RULES + ":："
_ORIGINAL = expanded(ORIGINAL)
_BEGINS_FORWARDED = expanded(BEGINS_FORWARDED)
_NOT_WORDS = re.compile(r"[^\w'&+-]+|(?<!\w)-|-(?!\w)")
_REPLY_ABOVE = re.compile(
    r"\s{0,8}(?:##-.{5,120}-##|[^\w\s]{0,20}\s{0,3}(?:please |bitte )?"
    r"(?:type|write|enter|reply|respond|antworten|schreiben)\b.{0,60}\b(?:above|over|oberhalb|über) "
    r"(?:this|the|dieser|der) (?:\w{1,20} )?(?:line|zeile)\b.{0,40})\Z",
    re.IGNORECASE,
)
_GROUPWISE = re.compile(r">>> .{5,200}>>>\s*\Z")
_RULE = re.compile(r"\s*(?:[-_=*~#+—–‐]\s?){3,100}\Z")
_RULE_STARTS = frozenset("-_=*~#+—–‐")
_BAR_QUOTED = re.compile(r" ?\| ?")


def _is_quoted(line: str) -> bool:
    return line.startswith((">", " >")) or bool(_INITIALS.match(line))


_INITIALS = re.compile(r"[A-Z]{2,3}>(?: |\Z)")


def _without_quotes(lines: Sequence[str]) -> list[str]:
    kept: list[str] = []
    after_attribution = False  # a line over a quote has just been taken off
    for number, line in enumerate(lines):
        bare = line.strip()
        if not bare:
            kept.append(line)
            continue
        if len(bare) > MAX_LINE:
            # A quoted paragraph may be one line.
            if not _is_quoted(line):
                kept.append(line)
                after_attribution = False
            continue
        if bare.startswith(">>>") and _GROUPWISE.match(bare):
            return _cut(kept)
        if _is_quoted(line) or (
            bare[0] == "|" and (after_attribution or _is_barred(lines, number - 1) or _is_barred(lines, number + 1))
        ):
            continue
        after_attribution = False
        if bare.endswith("wrote:") and (shared := _SHARES_LINE.match(bare)):
            kept.append(shared["words"])
            continue
        if bare[-1] in ":：-" and (start := _attribution_start(lines, number)) is not None:
            del kept[len(kept) - (number - start) :]
            following = _next(lines, number, within=5)
            if not (_is_quoted(following) or _BAR_QUOTED.match(following)):
                return _cut(kept)
            after_attribution = True
            continue
        if "@" in bare and _is_quoted(_next(lines, number)) and _DATE_AND_ADDRESS.match(bare):
            continue
        # Each pattern is tried where a line has what it can't do without.
        if (
            ("@" in bare and _ATTRIBUTION_AND_TEXT.match(bare))
            or (bare.startswith("---") and _WROTE_BETWEEN_RULES.match(bare))
            or ((bare[0] in _RULES or bare[-1] in _RULES_AND_COLONS) and _is_marker(bare))
            or (("above" in bare or "ber" in bare or "-##" in bare) and _REPLY_ABOVE.match(bare))
            or ((":" in bare or "：" in bare) and _begins_header(lines, number))
        ):
            return _cut(kept)
        kept.append(line)
    return kept


def _is_marker(line: str) -> bool:
    """Return whether a line is an "Original Message" between rules, or begins a forwarded message."""
    words = _words(line)
    if words in _BEGINS_FORWARDED:
        return True
    ruled = line[:2].strip(_RULES) == "" or line[-3:].strip(_RULES) == ""
    return ruled and (words in _ORIGINAL or words.startswith(ORIGINAL_OF))


def _words(line: str) -> str:
    """Return a line's words in lower case, without what stands between them."""
    return " ".join(_NOT_WORDS.sub(" ", line.replace("İ", "i").lower().replace("’", "'").replace("_", " ")).split())


def _is_barred(lines: Sequence[str], number: int) -> bool:
    return 0 <= number < len(lines) and bool(_BAR_QUOTED.match(lines[number]))


def _cut(kept: list[str]) -> list[str]:
    """Return what stands above a quote without the rule that divides them."""
    while kept and (not kept[-1].strip() or _is_rule(kept[-1])):
        kept.pop()
    return kept


def _attribution_start(lines: Sequence[str], number: int) -> int | None:
    """Return the first line of "On … wrote:" that ends at a line, None where that is something else."""
    for start in range(number, max(number - 4, -1), -1):
        line = lines[start].strip()
        if not line or len(line) > MAX_LINE or _is_quoted(lines[start]):
            break
        joined = " ".join(part.strip() for part in lines[start : number + 1])
        if not _WROTE_VERB.search(joined[-250:]) and not _WITHOUT_VERB.search(joined[-250:]):
            if start == number and not _ADDRESS.search(joined) and len(joined) > 40:
                return None
            continue
        begins = _STARTS_ATTRIBUTION.match(line)
        if _DIGITS.search(joined) and (begins or _ADDRESS.search(joined)):
            return start if begins else _extended(lines, start)
    below = _next(lines, number)
    is_quoted_below = _is_quoted(below) or _BAR_QUOTED.match(below)
    return number if is_quoted_below and _WROTE_VERB.search(lines[number][-250:]) else None


def _extended(lines: Sequence[str], start: int) -> int:
    """Return the line at which an attribution begins whose date stands on a line of its own."""
    for earlier in range(start - 1, max(start - 3, -1), -1):
        line = lines[earlier].strip()
        if not line or len(line) > MAX_LINE:
            break
        if _STARTS_ATTRIBUTION.match(line) and _DIGITS.search(line):
            return earlier
    return start


def _next(lines: Sequence[str], number: int, within: int = 3) -> str:
    """Return the first line that isn't blank of so many below a line, an empty one where there is none."""
    return next((line for line in lines[number + 1 : number + 1 + within] if line.strip()), "")


def _begins_header(lines: Sequence[str], number: int) -> bool:
    """Return whether a quoted message's header begins at a line: From, To, and Date or Subject."""
    kinds: set[str | None] = set()
    is_mail = False  # an address or a time of day was seen
    blank = 0
    for line in lines[number : number + _MAX_FIELDS]:
        if not line.strip():
            blank += 1
            if blank > 1 and len(kinds) > 1:
                break
            continue
        field = _FIELD.match(line[:MAX_LINE])
        if field:
            kinds.add(field.lastgroup)
            blank = 0
        elif not kinds or blank:
            break
        is_mail = is_mail or "@" in line or bool(_CLOCK.search(line))
        if kinds == {"date", "to"} and re.search(r"\d", lines[number]) and "@" in line:
            return True
        told = "subject" in kinds or (is_mail and "date" in kinds)
        if "from" in kinds and told and len(kinds - {"cc"}) >= 3:
            return True
    return False


# Signatures

_DELIMITER = re.compile(r"\s{0,3}(?:--\s?|—|–{1,2}\s?)\Z")
_SURE_DELIMITER = re.compile(r"--\s\Z")
_MAX_SIGNATURE = 30  # lines
_MAX_TAIL = 100  # lines in which signatures and footers are looked for
_MAX_FOOTERS = 20

_POSTSCRIPT = re.compile(r"\W{0,3}(?:P\.? ?P?\.? ?S\b|N\.?B\b)\W", re.IGNORECASE)

_CLAUSE = re.compile(
    r"[!?]|[,;.:] \w+ \w+ \w+ \w+|\b(?:because|since|but|weil|aber|parce|mais|porque|pero|although|"
    r"and (?:I|it|the)|was|were|is|are|never|not|didn['’]t|has|had)\b",
    re.IGNORECASE,
)

_NAME_WORD = (
    r"(?:[^\W\d_a-zà-öø-ÿ](?:[\w'’-]{0,25}|\.)|"
    r"von|van|de|der|den|di|da|del|la|le|el|al|bin|ten|ter|du|dos|y|e|i|und|and|&)"
)
_NAME = rf"{_NAME_WORD}\.?(?: {_NAME_WORD}\.?){{0,3}}"
_SIGN_OFFS = expanded(SIGN_OFF)
_SIGN_OFF_STARTS = frozenset(phrase.split()[0] for phrase in _SIGN_OFFS)
_WHOLE_NAME = re.compile(rf"{_NAME}(?:\s*\([^()]{{1,30}}\))?[.,!]?\Z")
_MAX_SIGN_OFF_WORDS = 10
_LONG_SIGN_OFF = re.compile(alternatives(LONG_SIGN_OFF), re.IGNORECASE)
_LONE_NAME = re.compile(rf"(?P<dash>[-–—~/*]{{1,2}}\s?)?(?P<name>{_NAME})[.,]?\s*\Z")

_CONTACT = re.compile(
    r"(?:\+|\b00)?\(?\d[\d\s()/.-]{6,}\d|@[\w-]+\.\w|www\.|https?://|\b\w+\.(?:com|org|net|de|fr|co\.uk|example)\b|"
    r"\b(?:tel|phone|fax|mob|mobile|cell|office|direct|telefon|tél|móvil|handy|e-?mail|skype|linkedin)\b\s{0,3}[.:+\d]",
    re.IGNORECASE,
)


_FOOTER_START = re.compile(rf"\W{{0,5}}(?:{alternatives(FOOTER_START)})", re.IGNORECASE)


def _without_signatures(lines: Sequence[str]) -> list[str]:
    """Return lines without what is below the author's last word, empty where that would be all of them."""
    kept = _stripped(_without_delimited(_stripped(lines)))
    above, tail = kept[:-_MAX_TAIL], kept[-_MAX_TAIL:]
    for _ in range(_MAX_FOOTERS):
        shorter = _stripped(_without_last(tail))
        if len(shorter) == len(tail) or not (above or shorter):
            break
        tail = shorter
    return above + tail


def _stripped(lines: Sequence[str]) -> list[str]:
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return list(lines[:end])


def _without_delimited(lines: list[str]) -> list[str]:
    """Return lines without the signature below "-- ", its postscript kept."""
    first = max(0, len(lines) - _MAX_SIGNATURE)
    for number in range(first, len(lines)):
        if not _DELIMITER.match(lines[number]) or not any(line.strip() for line in lines[:number]):
            continue
        below = [line for line in lines[number + 1 :] if line.strip()]
        if any(map(_is_quoted, below)):  # --keep-quotes
            continue
        is_sure = _SURE_DELIMITER.match(lines[number]) and all(len(line) <= MAX_LINE for line in below)
        if is_sure or all(_is_signature_line(line.strip()[:MAX_LINE]) for line in below) or _is_footer(below):
            return lines[:number] + _postscript(lines[number + 1 :])
    return lines


def _postscript(lines: Sequence[str]) -> list[str]:
    start = next((number for number, line in enumerate(lines) if _POSTSCRIPT.match(line)), len(lines))
    end = next((number for number in range(start, len(lines)) if not lines[number].strip()), len(lines))
    return list(lines[start:end])


def _without_last(lines: list[str]) -> list[str]:
    """Return lines without the last thing that isn't the author's, unchanged where there is none."""
    if not lines:
        return lines
    last = lines[-1]
    start = _paragraph_start(lines, len(lines) - 1)
    paragraph = lines[start:]
    if _is_rule(last):
        return lines[:-1]
    if len(last) <= MAX_LINE and _is_sent_from(last):
        return lines[:-1]
    if _is_footer(paragraph):
        return lines[:start]
    for number in range(max(1, len(lines) - 12), len(lines) - 1):
        # What follows a rule may be a footer, or a signature.
        if _is_rule(lines[number]):
            below = [line for line in lines[number + 1 :] if line.strip()]
            if _is_footer(below) or (
                all(_is_signature_line(line.strip()) for line in below) and any(map(_CONTACT.search, below))
            ):
                return lines[:number]
    if (sign_off := _sign_off_start(lines)) is not None:
        return lines[: sign_off[0]] + sign_off[1]
    if _is_contact_block(paragraph) and start:
        return lines[:start]
    name = _LONE_NAME.match(last.strip()) if len(last) <= 60 else None
    if name and _is_name(name["name"]) and len(lines) > 1:
        above = lines[-2].strip()
        is_apart = not above or (above[-1] == "," and len(above.split()) <= 8 and not _is_sign_off(above))
        is_sentence = last.rstrip().endswith(".") and " " not in last.strip()
        if name["dash"] or (is_apart and not is_sentence):
            return lines[:-1]
    return lines


def _is_rule(line: str) -> bool:
    return line.lstrip()[:1] in _RULE_STARTS and len(line) <= MAX_LINE and bool(_RULE.match(line))


def _paragraph_start(lines: Sequence[str], number: int) -> int:
    while number and lines[number - 1].strip():
        number -= 1
    return number


@cache
def _sent_from() -> re.Pattern[str]:
    return re.compile(rf"\W{{0,3}}(?:{alternatives(DEVICE)})\W{{0,3}}\Z", re.IGNORECASE)


@cache
def _footer_phrase() -> re.Pattern[str]:
    return re.compile(alternatives(FOOTER_PHRASE), re.IGNORECASE)


def _is_sent_from(line: str) -> bool:
    if len(line) > 120 or not holds_any(line, SENT_HINTS) or not holds_any(line.lower(), DEVICE_WORDS):
        return False
    return bool(_sent_from().match(line)) and not _CLAUSE.search(line)


def _is_footer(paragraph: Sequence[str]) -> bool:
    joined = " ".join(line.strip() for line in paragraph)[:2000]
    if not _PLAINLY_SPEAKING.isdisjoint(joined[: joined.rfind(" ") + 1].split()):
        return False  # as most paragraphs are no footers, which takes longer to find out by what they lack
    lower = joined.lower()
    starts = {joined[:MAX_LINE], *(line[:MAX_LINE] for line in paragraph[:3])}
    looks_like_one = (
        (len(joined) > 80 and all(holds_any(lower, words) for words in (SECRET, MESSAGE, ADDRESSEE)))
        or any(map(_FOOTER_START.match, starts))
        or any(holds_any(start.lower(), FOOTER_HINTS) and _footer_phrase().search(start) for start in starts)
    )
    return looks_like_one and not any(map(_speaks, paragraph)) and not any(map(_is_quoted, paragraph))


def _speaks(line: str) -> bool:
    """Return whether someone speaks in a line who is no lawyer: of oneself, or with words of praise or blame."""
    words = {word.strip(".,;:!?").lower() for word in line.split()}
    return bool(_ONESELF.search(line)) or not words.isdisjoint(_TONE_OF_NO_LAWYER)


_ONESELF = re.compile(
    r"(?<!\w)(?:I|I['’]m|I['’]ve|my|My|ich|mein\w{0,2}|je|j['’]ai|yo|mis?|io|mio|ik|mijn|ja|jag|jeg|minä)(?!\w)"
)
_TONE_OF_NO_LAWYER = TONE - {"not", "never"}
_PLAINLY_SPEAKING = _TONE_OF_NO_LAWYER | {"I", "my", "My", "ich", "je", "yo", "io", "ik", "jag", "jeg"}
"""Words of which one is enough for `_speaks`."""

_NOT_IN_NAMES = NO_NAMES | TONE


def _sign_off_start(lines: Sequence[str]) -> tuple[int, list[str]] | None:
    """Return the line of the sign-off under which only a name and ways of contact stand, and the postscript."""
    found = None
    seen = 0
    postscript: list[str] = []
    for number in range(len(lines) - 1, -1, -1):
        line = lines[number].strip()
        if not line:
            continue
        seen += 1
        if seen > 14 or len(line) > MAX_LINE:
            break
        if _is_sign_off(line):
            if not any(line.strip() for line in lines[:number]):
                break
            found = number
            continue
        if found is not None:
            break
        if _POSTSCRIPT.match(line):
            postscript = list(lines[number:])
            continue
        if not _is_signature_line(line):
            break
    return None if found is None else (found, postscript)


def _is_sign_off(line: str) -> bool:
    """Return whether a line says goodbye, in one language or in two, and nothing else but a name or a place."""
    if _LONG_SIGN_OFF.match(line):
        return True
    if line.count(" ") >= _MAX_SIGN_OFF_WORDS or line[-1] in "?(":
        return False
    return all(map(_is_goodbye, line.split("/") if line.count("/") == 1 else [line]))


def _is_goodbye(line: str) -> bool:
    words = _words(line)
    if words in _SIGN_OFFS:
        return True
    if not words or words.split(" ", 1)[0] not in _SIGN_OFF_STARTS:
        return False
    tokens = line.split()
    for number in range(min(len(tokens) - 1, _MAX_SIGN_OFF_WORDS), 0, -1):
        if _words(" ".join(tokens[:number])) in _SIGN_OFFS:
            rest = tokens[number:]
            if rest[0].lower() in PLACE:
                return len(rest) <= 4
            name = " ".join(rest).lstrip("-–— ")
            return bool(_WHOLE_NAME.match(name)) and _is_name(name)
    return False


def _is_signature_line(line: str) -> bool:
    """Return whether a line below a sign-off may be a name, a title or a way of contact."""
    if len(line) > 160:
        return False
    words = line.split()
    if _is_quoted(line) or not TONE.isdisjoint(word.strip(".,!") for word in line.lower().split()):
        return False
    if len(words) > 3 and words[0].islower() and words[0][-1] != "." and not _CONTACT.search(line):
        return False
    ends = line[-1] in "!?…" or (
        line[-1] == "." and len(words) > 3 and len(words[-1]) > 5 and "." not in words[-1][:-1]
    )
    if len(words) <= 7 and not ends:
        return True
    return len(words) <= 18 and bool(_CONTACT.search(line) or _BETWEEN.search(line) or _is_sent_from(line))


def _is_contact_block(paragraph: Sequence[str]) -> bool:
    if not 2 <= len(paragraph) <= 10:
        return False
    name = _LONE_NAME.match(paragraph[0].strip()) if len(paragraph[0]) <= 60 else None
    return (
        bool(name and _is_name(name["name"]) and " " in name["name"])
        and all(len(line) <= 120 and _is_signature_line(line.strip()) for line in paragraph[1:])
        and any(_CONTACT.search(line) or _TITLE.search(line) for line in paragraph[1:])
    )


_BETWEEN = re.compile(r" [|•·–] | // ")
_TITLE = re.compile(
    r"\b(?:manager|director|head of|officer|engineer|assistant|president|founder|owner|sales|support|department|"
    r"dept|inc|ltd|llc|gmbh|ag|s\.?a|b\.?v|leiter\w*|geschäftsführ\w*|directeur|directrice|gérant\w*|"
    r"directora?|responsable|facility|management|accountant|administrator|consultant|coordinator|teacher|"
    r"professor|dr|phd|developer|analyst)\b",
    re.IGNORECASE,
)


def _is_name(name: str) -> bool:
    """Return whether capitalised words may be a name."""
    words = name.split()
    return words[0][0].isupper() and not any(word.strip(".,!").lower() in _NOT_IN_NAMES for word in words)
