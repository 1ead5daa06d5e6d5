"""Messages of 1 MB made to be slow to read: none may take a second.

python -m benchmarks.hostile_mail [--random 200] [--seed 0]

After those made by hand come messages that repeat a few tokens at random, within a header, a text and a page.
"""

import argparse
import io
import random
import time
from collections.abc import Iterator

from benchmarks.fuzz import TOKENS
from textsent.mail import read_mbox

HEAD = b"From ann@example.com Tue Feb  3 09:14:22 2026\nFrom: ann@example.com\nSubject: slow\n"
SIZE = 1_000_000  # bytes


def _filled(token: bytes, before: bytes = b"\n") -> bytes:
    return HEAD + before + token * (SIZE // len(token))


def _nested(depth: int, tail: bytes = b"") -> bytes:
    parts = (b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level) for level in range(depth))
    return HEAD + b"".join(parts) + b"\n\nhello\n" + tail


HTML = b"Content-Type: text/html\n\n"
MIXED = b"Content-Type: multipart/mixed; boundary=x\n\n--x\n\n"
MESSAGE = b"Content-Type: message/rfc822\n\n"

BY_HAND = {
    '"On " without end': HEAD + b"\n" + b"On " * 400_000,
    "lines that begin like On … wrote:": _filled(b"On 1 May 2026 a@b.c\n"),
    "On 1 wrote:": _filled(b"On 1 wrote:\n"),
    "colons": _filled(b"a:\n"),
    "blank lines": _filled(b"\n"),
    "quoted lines": _filled(b">\n"),
    "one quoted line": _filled(b">"),
    "bars": _filled(b"| a\n"),
    "header blocks": _filled(b"From: a\nTo: b\n"),
    "sign-offs": HEAD + b"\n" + b"Best,\n" * 19_000,
    "rules": HEAD + b"\n" + b"-----\n" * 19_000,
    "names": HEAD + b"\n" + b"Ann Lee\n\n" * 9_000,
    "footers": HEAD + b"\n" + b"unsubscribe\n\n" * 9_500,
    "attributions": HEAD + b"\n" + (b"On 1 May 2026 a@b.c " + b"x" * 200 + b":\n") * 4_400,
    "long legal footer": _filled(b"This message is confidential and for the recipient "),
    "PGP armour": _filled(b"-----BEGIN PGP MESSAGE-----\n"),
    "3,000 nested multiparts": _nested(3_000, b"x\n" * 400_000),
    "250 nested multiparts": _nested(250, b"x\n" * 450_000),
    "100 nested multiparts": _nested(100, b"--x\n" * 220_000),
    "3,000 nested messages": HEAD + MESSAGE * 3_000 + b"Subject: a\n\nhello" + b"x" * 900_000,
    "250 nested messages": HEAD + MESSAGE * 250 + b"Subject: a\n\nhello" + b"x\n" * 450_000,
    "a header of 1 MB": HEAD + b"X: " + b"a" * SIZE + b"\n\nhello",
    "a subject of 1 MB": HEAD.replace(b"slow", b"s " * (SIZE // 2)) + b"\nhello",
    "encoded words": HEAD.replace(b"slow", b"=?utf-8?q?a?= " * 70_000) + b"\nhello",
    "broken encoded words": HEAD.replace(b"slow", b"=?utf-8?q? " * 90_000) + b"\nhello",
    "encoded words of an unknown charset": HEAD + b"To: " + b"=?xx?q?a?= " * 90_000 + b"\n\nhello",
    "punycode": HEAD + b"To: " + (b"=?punycode?q?" + b"a-b" * 5_000 + b"?= ") * 60 + b"\n\nhello",
    "many headers": HEAD + b"X: a\n" * 200_000 + b"\nhello",
    "slips among headers": HEAD + b"slip\nFrom: a\n" * 60_000 + b"\nhello",
    "a date of 1 MB": HEAD + b"Date: " + b"1 " * (SIZE // 2) + b"\n\nhello",
    "a boundary that never ends": _filled(b"--x\n", MIXED),
    "a boundary of 0.5 MB": HEAD
    + b'Content-Type: multipart/mixed; boundary="'
    + b"a" * 500_000
    + b'"\n\n--'
    + b"a" * 500_000,
    "parameters": HEAD + b"Content-Type: text/plain; " + b"charset= " * 110_000 + b"\n\nhello",
    "flowed lines": _filled(b"a \n", b"Content-Type: text/plain; format=flowed\n\n"),
    "broken base64": _filled(b"QUJDR\n", b"Content-Transfer-Encoding: base64\n\n"),
    "broken quoted-printable": _filled(b"=", b"Content-Transfer-Encoding: quoted-printable\n\n"),
    "uuencode": _filled(b"M", b"Content-Transfer-Encoding: uuencode\n\nbegin 644 x\n"),
    "surrogates": _filled(b"\xd8\x00", b"Content-Type: text/plain; charset=utf-16\n\n"),
    "utf-7": _filled(b"+AAA", b"Content-Type: text/plain; charset=utf-7\n\n"),
    "iso-2022-jp": _filled(b"\x1b$B", b"Content-Type: text/plain; charset=iso-2022-jp\n\n"),
    "broken utf-8": _filled(b"\xc3", b"Content-Type: text/plain; charset=utf-8\n\n"),
    "100,000 nested tags": HEAD + HTML + b"<div>" * 100_000 + b"hello",
    "misnested tags": _filled(b"<i></b>", HTML),
    "links in links": _filled(b"<a><div>", HTML),
    "attributes": HEAD + HTML + b"<x " + b"".join(b"a%d=b " % number for number in range(90_000)),
    "quotes side by side": _filled(b"<p>a<blockquote>b</blockquote>", HTML),
    "tags that are none": _filled(b"<", HTML),
    "meta": _filled(b"<meta ", HTML),
    "dividers": _filled(b"<div style='border-top:", HTML),
    "images": _filled(b"<img>", HTML),
    "separators that are none": _filled(b"From \n"),
    "a Content-Length": HEAD + b"Content-Length: 900000\n\n" + b"From b\n" * 140_000,
    "blank lines before lines that are no separators": b"\n" * 500_000 + b"From \n" * 80_000,
    "parameters and an unknown encoding": HEAD
    + b"Content-Transfer-Encoding: x\nContent-Type: text/plain; "
    + b"a=b; " * 190_000
    + b"\n\nhello",
    "misnested tags in ten pages": HEAD
    + b"Content-Type: multipart/mixed; boundary=x\n\n"
    + (b"--x\n" + HTML + b"<i></b>" * 14_000 + b"\n") * 10,
    "NUL bytes": b"\0" * SIZE,
    "carriage returns": _filled(b"\r"),
}


def at_random(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield messages that repeat one to four tokens."""
    chosen = random.Random(seed)
    tags = [b"<%s>" % tag for tag in b"a b i p td li table font h1 select svg form ul /b /a /p /table".split()]
    places = (
        b"X-Long: ",
        b"Subject: ",
        b"Content-Type: ",
        b"\n",
        HTML,
        MIXED,
        b"Content-Type: text/plain; format=flowed\n\n",
    )
    for _ in range(count):
        place = chosen.choice(places)
        drawn = [chosen.choice(TOKENS + (tags if place == HTML else [])) for _ in range(chosen.randint(1, 4))]
        if not place.endswith(b"\n"):
            drawn = [token.replace(b"\n", b" ") for token in drawn]
        # A token that begins a line like a separator would make many messages of one.
        token = b"".join(drawn).replace(b"From ", b"from ") or b"x"
        yield repr((place, token)), _filled(token, place)


def main() -> None:
    """Print how long the slowest messages take, and all that take a second."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--random", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    seconds = {}
    for name, message in (*BY_HAND.items(), *at_random(options.random, options.seed)):
        started = time.perf_counter()
        rows = sum(batch.num_rows for batch in read_mbox(io.BytesIO(message)))
        seconds[name] = time.perf_counter() - started
        assert rows, name
        if seconds[name] >= 1:
            print(f"{seconds[name]:.2f} s  {name}", flush=True)
    slow = sum(took >= 1 for took in seconds.values())
    slowest = sorted(seconds, key=seconds.__getitem__, reverse=True)[:5]
    print(f"{len(seconds)} messages of 1 MB; the slowest:")
    for name in slowest:
        print(f"{seconds[name]:.2f} s  {name}")
    if slow:
        raise SystemExit(f"{slow} took a second or more")


if __name__ == "__main__":
    main()
