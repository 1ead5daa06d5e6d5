"""The HTML of a mail to text, without what its author didn't write and its reader doesn't see."""

from __future__ import annotations

import re
from collections import Counter

from textsent.phrases import holds_any

_UNSEEN = (
    "title",
    "[hidden]",
    *(f'[style*="{style}" i]' for style in ("display:none", "display: none", "visibility:hidden", "mso-hide:all")),
)
"""Preheaders, which mail programs show beside the subject only."""

_QUOTES = (
    "blockquote",
    ".gmail_quote",
    ".gmail_quote_container",
    ".gmail_attr",
    ".moz-cite-prefix",
    ".moz-forward-container",
    ".moz-email-headers-table",
    ".yahoo_quoted",
    ".protonmail_quote",
    ".tutanota_quote",
    ".zmail_extra",
    ".OutlookMessageHeader",
    "#mail-editor-reference-message-container",
    "#isForwardContent",
    "#isReplyContent",
    "#OLK_SRC_BODY_SECTION",
)
_SIGNATURES = (
    ".gmail_signature",
    ".gmail_signature_prefix",
    ".moz-signature",
    ".protonmail_signature_block",
    ".AppleMailSignature",
    "#AppleMailSignature",
    "#Signature",
    "#signature",
    "#ms-outlook-mobile-signature",
    "#ymail_android_signature",
)
"""How the mail programs mark the thread under a reply, and a signature; as seen in the mail that they send."""

_UNSEEN_HINTS = ("<title", "hidden", "display:", "mso-hide")
_QUOTE_HINTS = ("<blockquote", "gmail_", "moz-", "_quote", "zmail_", "outlookmess", "mail-ed", "content", "olk_src")
_SIGNATURE_HINTS = ("signature",)
_DIVIDER_HINTS = ("divrplyfwdmsg", "appendonsend", "stopspelling", "border-top:")
"""Selectors take longer than all the rest: they are used where one of them can match."""

_OUTLOOK_DIVIDER = re.compile(
    r"""<(?:div|hr)\b[^<>]{0,200}?(?:border-top:\s?solid\s\#(?:E1E1E1|B5C4DF)\s1\.0pt|id=["']?(?:divRplyFwdMsg|"""
    r"""appendonsend|stopSpelling)\b)""",
    re.IGNORECASE,
)
"""What Outlook puts above the header of a quoted message. The message's words follow it, on the same level."""

DIVIDER = "-----Original Message-----"

_CAREFUL_FROM = 10_000  # characters
_MAX_UNCLOSED = 1000
_LONG_TAG = re.compile(r"<[^<>]{10000,}>?")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})")
_NEVER_CLOSED = {"area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta"}
_NEVER_CLOSED |= {"option", "p", "param", "source", "td", "th", "tr", "track", "wbr"}
"""The parser's time grows with the square of the tags left open and of one tag's attributes: a page of 1 MB made
for the purpose takes 15 s. So a long one is looked at first."""

_MARKUP = re.compile(r"<[^<>]{0,10000}>?")
_IMAGE = re.compile(r"<img\b|<v:imagedata\b|<image\b", re.IGNORECASE)


def html_to_text(html: str, *, keep_quotes: bool = True, keep_signatures: bool = True) -> str:
    """Return what an HTML mail says to its reader, blocks on lines of their own.

    Style, script, hidden preheaders, images and links' addresses are left out. HTML that no parser gets through in
    time, of thousands of nested tags, loses its markup by a plain rule.

    Args:
        html: A page or a fragment.
        keep_quotes: Leave quoted messages, as mail programs mark them.
        keep_signatures: Leave signatures, as mail programs mark them.
    """
    from resiliparse.extract.html2text import extract_plain_text

    if len(html) > _CAREFUL_FROM:
        html = _LONG_TAG.sub(" ", html)
        if _is_left_open(html):
            from html import unescape

            return unescape(_MARKUP.sub(" ", html))
    lower = html.lower()
    left_out = _UNSEEN if holds_any(lower, _UNSEEN_HINTS) else ()
    if not keep_quotes and holds_any(lower, _QUOTE_HINTS):
        left_out += _QUOTES
    if not keep_quotes and holds_any(lower, _DIVIDER_HINTS):
        html = _OUTLOOK_DIVIDER.sub(lambda found: f"<p>{DIVIDER}</p>{found[0]}", html)
    if not keep_signatures and holds_any(lower, _SIGNATURE_HINTS):
        left_out += _SIGNATURES
    return extract_plain_text(
        html,
        preserve_formatting=True,
        list_bullets=False,
        alt_texts=False,
        skip_elements=[", ".join(left_out)] if left_out else None,
    )


def has_images(html: str) -> bool:
    """Return whether a page shows an image."""
    return bool(_IMAGE.search(html))


def _is_left_open(html: str) -> bool:
    """Return whether more tags are open at once than in any page that was meant to be read."""
    opened: Counter[str] = Counter()
    depth = 0
    for closes, name in _TAG.findall(html):
        name = name.lower()
        if name in _NEVER_CLOSED:
            continue
        if not closes:
            opened[name] += 1
            depth += 1
        elif opened[name]:
            opened[name] -= 1
            depth -= 1
        if depth > _MAX_UNCLOSED:
            return True
    return False
