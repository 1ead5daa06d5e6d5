"""Mutated mail, read by the hundred thousand: no exception, no hang, no lost message.

python -m benchmarks.fuzz_mail [--messages 200000] [--seed 0]

Messages of examples/inbox.mbox and of the hazard mailboxes are cut, doubled, spliced and sprinkled with what
parsers stumble over, joined into mailboxes, and read. Every separator that was put in must come out as a row.
"""

import argparse
import io
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from textsent.mail import MailOptions, read_mbox
from textsent.mbox import split_mbox

ROOT = Path(__file__).parents[1]
SEPARATOR = b"From fuzz@example.com Tue Feb  3 09:14:22 2026"
MAILBOX_MESSAGES = 50
SLOW_SECONDS = 5.0

TOKENS = [
    b"\r", b"\n", b"\r\n", b"\n\n", b"\x00", b"\xff", b"\xc3(", b"\xef\xbb\xbf", b"\x1b$B", b" ", b"\t", b"=",
    b"--", b"=?utf-8?q?", b"=?", b"?=", b"=?x?b?QUJD?=", b"=\n", b"=ZZ", b">", b"> ", b">>> ", b"-- \n", b"<",
    b"</", b"<!--", b"\nFrom ", b"\n>From ", b"From: ", b"Subject: ", b"Content-Type: ",
    b"multipart/mixed; boundary=b\n", b"\n--b\n", b"message/rfc822\n\n", b"text/html\n\n",
    b"text/plain; charset=utf-16\n", b"charset=utf-7\n", b"format=flowed\n",
    b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: quoted-printable\n",
    b"Date: 99999999999\n", b"<blockquote>", b"<div style='display:none'>", b"On 1 Feb 2026, a@b.c wrote:\n",
    b"-----Original Message-----\n", b"-----BEGIN PGP MESSAGE-----\n", b"Sent from my iPhone\n",
    b"X-Mozilla-Status: 0009\n", b"X-Textsent-Score: 1\n",
]  # fmt: skip


def originals() -> list[bytes]:
    """Return the messages that are mutated."""
    files = [ROOT / "examples" / "inbox.mbox", *sorted((ROOT / "tests" / "data" / "mail").glob("*.mbox"))]
    found = []
    for path in files:
        if path.is_file() and "zip" not in path.name and "zst" not in path.name:
            with path.open("rb") as file:
                found += [message.content for message in split_mbox(file)]
    return [content for content in found if content]


def mutated(contents: list[bytes], chosen: random.Random) -> bytes:
    """Return one of the messages with a few things done to it."""
    data = bytearray(chosen.choice(contents))
    for _ in range(chosen.randint(1, 6)):
        start, end = sorted((chosen.randint(0, len(data)), chosen.randint(0, len(data))))
        end = min(end, start + chosen.choice((1, 4, 40, 1000)))
        kind = chosen.randrange(6)
        if kind == 0:
            del data[start:end]
        elif kind == 1:
            data[start:start] = data[start:end] * chosen.choice((1, 2, 20))
        elif kind == 2:
            data[start:start] = chosen.choice(TOKENS) * chosen.choice((1, 1, 2, 200))
        elif kind == 3 and data:
            data[min(start, len(data) - 1)] = chosen.randrange(256)
        elif kind == 4:
            other = chosen.choice(contents)
            data[start:end] = other[chosen.randint(0, len(other)) :][:1000]
        else:
            data[start:end] = chosen.randbytes(end - start)
    return bytes(data)


def mailboxes(count: int, seed: int) -> Iterator[tuple[bytes, list[int]]]:
    """Yield mailboxes of mutated messages, each with the places of its separators."""
    chosen = random.Random(seed)
    contents = originals()
    for _ in range(0, count, MAILBOX_MESSAGES):
        pieces: list[bytes] = []
        offsets = []
        for _ in range(MAILBOX_MESSAGES):
            # A length that is right by chance hides what it spans, as it should.
            content = mutated(contents, chosen).replace(b"ength", b"engtn")
            line_end = chosen.choice((b"\n", b"\n", b"\n", b"\r\n", b"\r"))
            before = sum(map(len, pieces))
            if pieces and pieces[-1][-1:] not in b"\r\n":
                pieces[-1] += line_end
                before += len(line_end)
            offsets.append(before)
            pieces.append(SEPARATOR + line_end + content.lstrip(b"\r\n"))
        yield b"".join(pieces), offsets


def main() -> None:
    """Read mutated messages, and print how many rows came of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    settings = [MailOptions(), MailOptions(True, True, True), MailOptions(max_message_bytes=2000)]
    flags: Counter[str] = Counter()
    rows = read = slowest = 0
    for number, (mailbox, offsets) in enumerate(mailboxes(options.messages, options.seed)):
        started = time.perf_counter()
        found = [
            row
            for batch in read_mbox(io.BytesIO(mailbox), settings[number % len(settings)])
            for row in batch.select(["offset", "text", "flags"]).to_pylist()
        ]
        slowest = max(slowest, time.perf_counter() - started)
        assert slowest < SLOW_SECONDS, f"mailbox {number} of seed {options.seed} took {slowest:.1f} s"
        lost = set(offsets) - {row["offset"] for row in found}
        assert not lost, f"mailbox {number} of seed {options.seed}: no row for the separators at {sorted(lost)}"
        read += len(offsets)
        rows += len(found)
        flags.update(name for row in found for name in row["flags"])
        if number % 400 == 399:
            print(f"{read:,} messages", flush=True)
    print(f"{read:,} mutated messages, {rows:,} rows, none lost, no exception")
    print(f"the slowest {MAILBOX_MESSAGES} took {slowest:.2f} s")
    print(", ".join(f"{name} {count:,}" for name, count in flags.most_common()))


if __name__ == "__main__":
    main()
