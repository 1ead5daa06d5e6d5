"""Reading mail against what else a user might pick: splitting, reading, memory, and the author's own words.

python -m benchmarks.mail [--messages 6000] [--megabytes 100 1000] [--only split read memory words]

The mailbox is made of the reference mails in tests/data/own_words: a third HTML, a third both, an eighth with an
attachment, with the headers that mail picks up on its way. Everything runs on one core.
"""

import argparse
import base64
import email.policy
import email.utils
import itertools
import mailbox
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from email.header import decode_header, make_header
from html import escape
from pathlib import Path

REFERENCE = Path(__file__).parents[1] / "tests" / "data" / "own_words"
MARK = "%%%% own words\n"
LANGUAGES = ["en", "cs", "da", "de", "es", "fr", "it", "ja", "ko", "nl", "pl", "sv", "zh"]
"""All that mail-parser-reply has."""


def reference_mails() -> list[tuple[str, str]]:
    """Return the body and the author's words of each reference mail."""
    texts = (path.read_text(encoding="utf-8").split(MARK) for path in sorted(REFERENCE.glob("*.txt")))
    return [(body, words) for body, words in texts]


def messages(seed: int = 0) -> Iterator[bytes]:
    """Yield messages without end, as an inbox has them, each with its separator."""
    chosen = random.Random(seed)
    bodies = [body for body, _ in reference_mails()]
    for number in itertools.count():
        text = chosen.choice(bodies)
        kind = number % 3
        html = _as_html(text)
        if kind == 0:
            body = _part("text/html", html)
        elif kind == 1:
            body = _part("text/plain", text)
        else:
            parts = _part("text/plain", text), _part("text/html", html)
            body = _multipart("alternative", *parts)
        if number % 8 == 0:
            size = int(chosen.lognormvariate(11, 1))
            content = base64.encodebytes(chosen.randbytes(size)).decode()
            body = _multipart(
                "mixed", body, f"Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n{content}"
            )
        escaped = body.replace("\nFrom ", "\n>From ")
        yield f"{_head(number, chosen)}{escaped}\n\n".encode()


def _head(number: int, chosen: random.Random) -> str:
    received = "".join(
        f"Received: from mx{hop}.example.com (mx{hop}.example.com [192.0.2.{hop}])\n\tby in.example.org with "
        f"ESMTPS id {chosen.getrandbits(64):x};\n\tTue, 03 Feb 2026 09:1{hop}:22 +0000\n"
        for hop in range(4)
    )
    signature = base64.b64encode(chosen.randbytes(256)).decode()
    folded = "\n ".join(signature[start : start + 70] for start in range(0, len(signature), 70))
    return (
        f"From user{number}@example.com Tue Feb  3 09:14:22 2026\nReturn-Path: <user{number}@example.com>\n"
        f"{received}DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=mail;\n b={folded}\n"
        f"From: =?utf-8?q?User_N=C2=B0_{number}?= <user{number}@example.com>\nTo: Support <support@example.org>\n"
        f"Subject: Message {number}\nDate: Tue, 03 Feb 2026 09:14:22 +0000\nMessage-ID: <{number}@example.com>\n"
        "X-Mailer: made\nMIME-Version: 1.0\n"
    )


def _part(content_type: str, text: str) -> str:
    encoded = base64.encodebytes(text.encode()).decode() if not text.isascii() else text
    encoding = "8bit" if text.isascii() else "base64"
    return f"Content-Type: {content_type}; charset=utf-8\nContent-Transfer-Encoding: {encoding}\n\n{encoded}"


def _multipart(kind: str, *parts: str) -> str:
    boundary = f"=_{kind}"
    inner = "".join(f"--{boundary}\n{part}\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n{inner}--{boundary}--\n'


def _as_html(text: str) -> str:
    paragraphs = "\n".join(
        f'<p class="MsoNormal" style="margin:0 0 1em 0"><span style="font-family:Calibri">{escape(part)}</span></p>'
        for part in text.split("\n\n")
    ).replace("\n", "<br>\n")
    return (
        '<html><head><meta charset="utf-8"><style>p.MsoNormal{margin:0;font-size:11pt}</style></head><body>'
        f'<div style="display:none;max-height:0">What the list of mails shows</div>{paragraphs}</body></html>'
    )


def write_mailbox(path: Path, count: int | None = None, size: int | None = None) -> None:
    """Write a mailbox of so many messages, or of at least so many bytes."""
    with path.open("wb") as file:
        for number, message in enumerate(messages()):
            if number == count or (size is not None and file.tell() >= size):
                return
            file.write(message)


def compare_splitting(path: Path) -> None:
    """Print the time of finding the messages of a mailbox, beside that of the standard library's index."""
    from textsent.mbox import split_mbox

    with path.open("rb") as file:
        ours, count = _timed(lambda: sum(1 for _ in split_mbox(file)))
    theirs, expected = _timed(lambda: len(mailbox.mbox(path)))
    assert count == expected, (count, expected)
    size = path.stat().st_size
    times = f"{theirs / ours:.1f} times mailbox.mbox's index"
    print(f"splitting: {times} ({count:,} messages of {size / count / 1000:.1f} kB)")


def compare_reading(path: Path) -> None:
    """Print the rate from a mailbox to Arrow batches, beside mailbox and email doing the same."""
    from textsent.mail import read_mbox

    with path.open("rb") as file:
        sum(batch.num_rows for batch in itertools.islice(read_mbox(file), 1))  # patterns are compiled
    with path.open("rb") as file:
        ours, count = _timed(lambda: sum(batch.num_rows for batch in read_mbox(file)))
    print(f"reading:   {count / ours:,.0f} messages/s on one core, from bytes to batches")
    peers = {
        "mailbox + email (compat32), resiliparse, mail-parser-reply": (None, _public_html, _public_words),
        "mailbox + email (policy.default), lent textsent's HTML and stripping": (
            _by_default_policy,
            *_own_functions(),
        ),
        "mailbox + email (compat32), lent textsent's HTML and stripping": (None, *_own_functions()),
    }
    for name, peer in peers.items():
        theirs, seen = _timed(lambda peer=peer: _read_by_standard_library(path, *peer))
        print(f"           {theirs / seen * count / ours:.1f} times {name}, {seen / theirs:,.0f}/s", flush=True)


def _own_functions() -> tuple[Callable[[str], str], Callable[[str], str]]:
    from textsent.html import html_to_text
    from textsent.replies import own_words

    return lambda html: html_to_text(html, keep_quotes=False, keep_signatures=False), own_words


def _public_html(html: str) -> str:
    from resiliparse.extract.html2text import extract_plain_text

    return extract_plain_text(html, preserve_formatting=True)


def _public_words(text: str) -> str:
    from mailparser_reply import EmailReplyParser

    return EmailReplyParser(languages=LANGUAGES).parse_reply(text) or text


def _by_default_policy(file: object) -> object:
    return email.message_from_binary_file(file, policy=email.policy.default)


def _read_by_standard_library(
    path: Path,
    factory: Callable[[object], object] | None,
    text_of: Callable[[str], str],
    words_of: Callable[[str], str],
) -> int:
    """Read headers, body, HTML and own words as a script would, with functions for the last two."""
    import pyarrow as pa

    from textsent.schema import MAIL_SCHEMA

    rows = []
    for message in mailbox.mbox(path, factory=factory):
        plain, html = [], []
        for part in message.walk():
            if part.get_content_type() in ("text/plain", "text/html") and not part.get_filename():
                charset = part.get_content_charset("utf-8")
                text = part.get_payload(decode=True).decode(charset, "replace")
                (plain if part.get_content_type() == "text/plain" else html).append(text)
        body = "\n".join(plain) or "\n".join(map(text_of, html))
        row = {
            name: str(make_header(decode_header(str(message[name] or "")))) for name in ("from", "to", "subject")
        }
        date = email.utils.parsedate_to_datetime(str(message["date"]))
        rows.append({**row, "message_id": message["message-id"], "date": date, "text": words_of(body)})
    pa.RecordBatch.from_pylist(rows, MAIL_SCHEMA)
    return len(rows)


def compare_memory(folder: Path, sizes: list[int]) -> None:
    """Print the peak memory of reading mailboxes of so many MB, in a process of its own."""
    for megabytes in sizes:
        path = folder / "large.mbox"
        write_mailbox(path, size=megabytes * 10**6)
        program = (
            f"from textsent.mail import read_mbox\nfor _ in read_mbox(open({str(path)!r}, 'rb')): pass\n"
            "print(*(line for line in open('/proc/self/status') if line.startswith('VmHWM')))"
        )
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
        kilobytes = int(ended.stdout.split()[1])
        print(
            f"memory:    {kilobytes * 1024 / 1e6:.0f} MB at its peak for a mailbox of {megabytes:,} MB", flush=True
        )
        path.unlink()


def compare_words() -> None:
    """Print on how many reference mails each library finds exactly the author's words."""
    mails = reference_mails()
    for name, reader in _word_readers().items():
        right = sum(_same(reader(body), words) for body, words in mails)
        print(f"own words: {right:>3} of {len(mails)} right by {name}")


def _word_readers() -> dict[str, Callable[[str], str]]:
    import quotequail
    from email_reply_parser import EmailReplyParser
    from mailparser_reply import EmailReplyParser as MailReplyParser

    from textsent.replies import own_words

    def by_quotequail(body: str) -> str:
        parts = quotequail.unwrap(body)
        return parts["text_top"] if parts and "text_top" in parts else body

    return {
        "textsent": lambda body: own_words(body) or body,
        "mail-parser-reply": lambda body: MailReplyParser(languages=LANGUAGES).parse_reply(body) or body,
        "email-reply-parser": lambda body: EmailReplyParser.parse_reply(body) or body,
        "quotequail": by_quotequail,
    }


def _same(found: str, expected: str) -> bool:
    return _lines(found) == _lines(expected)


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def _timed(action: Callable[[], int]) -> tuple[float, int]:
    started = time.perf_counter()
    result = action()
    return time.perf_counter() - started, result


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kinds = ["split", "read", "memory", "words"]
    parser.add_argument("--messages", type=int, default=6000)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--only", nargs="+", choices=kinds, default=kinds)
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "made.mbox")
        write_mailbox(path, options.messages)
        if "split" in options.only:
            compare_splitting(path)
        if "read" in options.only:
            compare_reading(path)
        if "memory" in options.only:
            compare_memory(Path(folder), options.megabytes)
        if "words" in options.only:
            compare_words()


if __name__ == "__main__":
    main()
