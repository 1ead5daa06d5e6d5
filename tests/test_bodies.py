import base64

import pytest

from textsent import bodies
from textsent.mail import MailOptions, read_message
from textsent.mbox import Message


def read(content, **options):
    content = content.encode() if isinstance(content, str) else content
    return read_message(Message(0, b"", content), MailOptions(**options))


def text_of(content, **options):
    return read(content, **options)["text"]


def part(text, content_type="text/plain", disposition=None, *fields):
    lines = [f"Content-Type: {content_type}", *fields]
    if disposition:
        lines.append(f"Content-Disposition: {disposition}")
    return "\n".join([*lines, "", text])


def multipart(*parts, kind="mixed", boundary="b"):
    lines = [f'Content-Type: multipart/{kind}; boundary="{boundary}"', ""]
    for content in parts:
        lines += [f"--{boundary}", content]
    return "\n".join([*lines, f"--{boundary}--", ""])


def alternative(plain, html, boundary="b"):
    return multipart(part(plain), part(html, "text/html"), kind="alternative", boundary=boundary)


def body(data, content_type="text/plain; charset=utf-8", encoding="8bit"):
    return f"Content-Type: {content_type}\nContent-Transfer-Encoding: {encoding}\n\n".encode() + data


PDF = part("AAAA", "application/pdf")
PNG = part("AAAA", "image/png")
FORWARDED = part("Subject: inner\n\nSo bad.", "message/rfc822")


# Which parts are text


def test_a_body_is_its_text():
    assert text_of("Subject: x\n\nSo good.\nReally.\n") == "So good.\nReally."


def test_plain_text_is_taken_before_html():
    assert text_of(alternative("So good.", "<p>So <b>good</b>.")) == "So good."


@pytest.mark.parametrize(
    "plain",
    [
        " \n",
        "Please view this message in HTML.",
        "To view this email in your browser, go to https://example.com/1",
        "Your mail client does not display HTML messages",
        "View online: https://example.com/1",
        "If you can't read this, use another mail reader",
    ],
)
def test_a_plain_part_that_says_nothing_loses_to_html(plain):
    assert text_of(alternative(plain, "<p>So <b>good</b>.")) == "So good."


def test_a_long_plain_part_does_not_lose_to_html():
    assert text_of(alternative("The view from the roof is good. " * 30, "<p>x")).startswith(
        "The view from the roof"
    )


def test_html_alone_becomes_text():
    assert text_of(body(b"<p>un<i>happy</i></p><p>you &amp; me", "text/html")) == "unhappy\n\nyou & me"


def test_parts_of_text_are_joined():
    parts = [part("One."), part("Two.", "text/plain", "inline"), part("<p>Three.", "text/html")]
    assert text_of(multipart(*parts)) == "One.\n\nTwo.\n\nThree."


def test_parts_of_parts_are_read():
    assert text_of(multipart(alternative("So good.", "<p>x", boundary="c"), PNG)) == "So good."


def test_attachments_are_counted_and_no_text():
    parts = [
        part("So good."),
        part("attached", "text/plain", 'attachment; filename="a.txt"'),
        part("attached", "text/html", "attachment; filename*0*=utf-8''a%20; filename*1=b.html"),
        part("attached", 'text/plain; name="app.log"'),
        part("a,b", "text/csv"),
        PDF,
        PNG,
        FORWARDED,
    ]
    row = read(multipart(*parts))
    assert (row["text"], row["attachments"]) == ("So good.", 7)


@pytest.mark.parametrize(
    "content",
    [
        multipart(part("So good."), part("x", "application/pgp-signature"), kind="signed"),
        multipart(part("So good."), part("x", "application/pkcs7-signature"), kind="signed"),
        multipart(part('So good. <img src="cid:1">', "text/html"), part("A", "image/png", None, "Content-ID: <1>")),
        multipart(part("So good."), part("Action: failed", "message/delivery-status"), kind="report"),
        "Subject: x\n\nSo good.",
    ],
    ids=["PGP", "S/MIME", "image of the page", "report", "plain"],
)
def test_what_no_program_shows_as_an_attachment_is_none(content):
    row = read(content)
    assert (row["text"], row["attachments"], row["flags"]) == ("So good.", 0, [])


def test_a_named_part_of_text_that_stands_alone_is_the_text():
    assert text_of(multipart(part("So good.", 'text/plain; name="mail.txt"'))) == "So good."


# Quotes, signatures, forwarded messages


SIGNED = "So good.\n\n-- \nAnn\n"
QUOTING = "So good.\n\nOn Tue, 3 Feb 2026 at 09:14, Bob <bob@example.com> wrote:\n> So bad.\n"


def test_quotes_and_signatures_are_kept_on_demand():
    assert text_of(f"\n{SIGNED}") == text_of(f"\n{QUOTING}") == "So good."
    assert text_of(f"\n{SIGNED}", keep_signatures=True) == SIGNED.strip()
    assert text_of(f"\n{SIGNED}", keep_quotes=True) == "So good."
    assert text_of(f"\n{QUOTING}", keep_quotes=True) == QUOTING.strip()
    assert text_of(f"\n{QUOTING}", keep_signatures=True) == "So good."


def test_quotes_and_signatures_of_html_are_kept_on_demand():
    html = body(b'<p>So good.<div class="gmail_signature">Ann</div><blockquote>So bad.</blockquote>', "text/html")
    assert text_of(html) == "So good."
    assert text_of(html, keep_signatures=True).split() == ["So", "good.", "Ann"]
    assert text_of(html, keep_quotes=True).split() == ["So", "good.", "So", "bad."]


def test_what_outlook_puts_below_its_divider_is_quoted():
    html = b"<p>So good.<div id=divRplyFwdMsg><b>From:</b> Bob<br><b>Sent:</b> Tue<br></div><p>So bad."
    assert text_of(body(html, "text/html")) == "So good."
    assert "So bad." in text_of(body(html, "text/html"), keep_quotes=True)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("\n> So bad.\n> Bob", "> So bad.\n> Bob"),
        (body(b"<blockquote>So bad.</blockquote>", "text/html"), "So bad."),
        ("\n-----Original Message-----\nSo bad.", "-----Original Message-----\nSo bad."),
        (multipart(FORWARDED), "So bad."),
        (multipart(part("> So good.\n"), FORWARDED), "> So good.\n\nSo bad."),
        ("Content-Type: message/rfc822\n\nSubject: inner\n\nSo bad.", "So bad."),
    ],
    ids=["plain", "HTML", "below a divider", "forwarded", "quoted and forwarded", "forwarded alone"],
)
def test_where_nothing_would_be_left_all_is_kept_and_flagged(content, text):
    row = read(content)
    assert (row["text"], row["flags"]) == (text, ["quotes_kept"])


def test_a_forwarded_message_counts_as_quoted():
    content = multipart(part("So good."), FORWARDED)
    assert text_of(content) == "So good."
    assert text_of(content, keep_quotes=True) == "So good.\n\nSo bad."


def test_attachments_of_a_forwarded_message_are_not_counted():
    inner = f"Subject: inner\n{multipart(part('So bad.'), PDF, PNG, boundary='c')}"
    row = read(multipart(part("So good."), part(inner, "message/rfc822")))
    assert (row["text"], row["attachments"]) == ("So good.", 1)


# Messages without text

ENVELOPE = multipart(part("Version: 1", "application/pgp-encrypted"), part("x"), kind="encrypted")
ARMOUR = "-----BEGIN PGP MESSAGE-----\n\nhQEMA\n=abcd\n-----END PGP MESSAGE-----\n"


@pytest.mark.parametrize(
    ("content", "flag"),
    [
        (ENVELOPE, "encrypted"),
        (part("MIIB", "application/pkcs7-mime; smime-type=enveloped-data"), "encrypted"),
        (part("MIIB", "application/x-pkcs7-mime", "attachment; filename=smime.p7m"), "encrypted"),
        (f"\n{ARMOUR}", "encrypted"),
        (f"\n{ARMOUR.partition('=abcd')[0]}", "encrypted"),
        (multipart(PNG, PNG), "images_only"),
        (PNG, "images_only"),
        (body(b"<a href=x><img src=x></a>", "text/html"), "images_only"),
        (multipart(part(" \n"), PNG), "images_only"),
        (multipart(PDF), "attachments_only"),
        (multipart(PDF, PNG), "attachments_only"),
        (multipart(part("a,b", "text/csv", "attachment; filename=a.csv")), "attachments_only"),
    ],
)
def test_a_message_without_text_says_why(content, flag):
    row = read(content)
    assert (row["text"], row["flags"]) == (None, [flag])


@pytest.mark.parametrize(
    "content",
    ["", "\n", "Subject: x\n", "Subject: x\n\n \n", multipart(part("")), body(b"<p>&nbsp;", "text/html")],
)
def test_a_message_that_says_nothing_has_an_empty_text(content):
    row = read(content)
    assert (row["text"], row["flags"]) == ("", [])


def test_text_beside_what_is_encrypted_is_read():
    row = read(f"\nSo good, for your eyes only:\n\n{ARMOUR}")
    assert (row["text"], row["flags"]) == ("So good, for your eyes only:", [])


@pytest.mark.parametrize(
    "below", ["", "\n- -- \nAnn\n", "\nKind regards\nAnn\n"], ids=["text", "dashes", "sign-off"]
)
def test_a_signed_text_is_read(below):
    signature = "-----BEGIN PGP SIGNATURE-----\n\niQEz\n-----END PGP SIGNATURE-----\n"
    signed = f"\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nSo good.\n{below}{signature}"
    assert text_of(signed) == "So good."


# Transfer encodings, charsets, flowed text


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-15", "koi8-r", "shift_jis", "gb18030"])
@pytest.mark.parametrize("encoding", ["8bit", "base64"])
def test_text_is_decoded(charset, encoding):
    text = {"koi8-r": "Привет", "shift_jis": "こんにちは", "gb18030": "你好"}.get(charset, "Größe 5 €")
    data = text.encode(charset)
    data = base64.encodebytes(data) if encoding == "base64" else data
    assert text_of(body(data, f"text/plain; charset={charset}", encoding)) == text


@pytest.mark.parametrize(
    "parameter",
    [
        "charset=koi8-r",
        'charset="koi8-r"',
        "CHARSET = KOI8-R ; x=y",
        "charset*=us-ascii'en'koi8-r",
        "\n charset=koi8-r",
    ],
)
def test_a_charset_is_found_however_it_is_written(parameter):
    assert text_of(body("Привет".encode("koi8-r"), f"text/plain; {parameter}")) == "Привет"


def test_html_may_name_its_charset_itself():
    html = '<meta http-equiv="Content-Type" content="text/html; charset=koi8-r"><p>Привет'.encode("koi8-r")
    assert text_of(body(html, "text/html")) == "Привет"
    assert text_of(body(html, "text/html; charset=windows-1251")) != "Привет"


def test_quoted_printable_is_decoded():
    data = b"Gr=C3=B6=C3=9Fe and a so=\nft break =3D =\n"
    assert text_of(body(data, encoding="quoted-printable")) == "Größe and a soft break ="


def test_broken_quoted_printable_keeps_the_rest():
    assert "So good, 100 " in text_of(body(b"So good, 100 =ZZ percent =", encoding="quoted-printable"))


def uuencoded(text):
    import binascii

    return b"begin 644 a.txt\n" + binascii.b2a_uu(text) + b"`\nend\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"So good.", "7bit "),
        (b"So good.", '"8bit"'),
        (b"So good.", "utf-8"),
        (b"So good.", ""),
        (b"U28gZ29vZC4=", "BASE64"),
        (b"!U28gZ29vZC4=", "base64"),
        (b"U28g\nZ29v ZC4", "base64"),
        (b"U28gZ29vZC4=\n-- list footer --\n", "base64"),
        (uuencoded(b"So good."), "x-uuencode"),
    ],
)
def test_an_odd_transfer_encoding_loses_no_text(data, encoding):
    assert text_of(body(data, encoding=encoding)).startswith("So good.")


@pytest.mark.parametrize("encoding", ["8bit", "base64"])
def test_line_ends_are_those_of_unix(encoding):
    data = b"So\r\ngood.\rReally.\n"
    data = base64.encodebytes(data) if encoding == "base64" else data
    assert text_of(body(data, encoding=encoding)) == "So\ngood.\nReally."


@pytest.mark.parametrize(
    ("text", "unfolded"),
    [
        ("So \ngood. \nReally.\nYes.", "So good. Really.\nYes."),
        (" From here \non", "From here on"),
        ("So good. \n\nYes.", "So good. \nYes."),
        ("> So \n> bad.\n>> So \n> good.", "> So bad.\n>> So \n> good."),
        ("So good.\n-- \nAnn", "So good.\n-- \nAnn"),
        ("So good. \n-- \nAnn", "So good. \n-- \nAnn"),
    ],
    ids=["lines", "stuffed", "paragraphs", "quotes", "signature", "signature at once"],
)
def test_flowed_lines_become_paragraphs(text, unfolded):
    content = body(text.encode(), "text/plain; charset=utf-8; format=flowed")
    assert text_of(content, keep_quotes=True, keep_signatures=True) == unfolded


def test_flowed_text_of_too_many_lines_stays_as_it_is(monkeypatch):
    monkeypatch.setattr(bodies, "_MAX_FLOWED_LINES", 2)
    for text, unfolded in (("So \ngood. \nReally.", "So good. Really."), ("a \nb \nc \nd", "a \nb \nc \nd")):
        content = body(text.encode(), "text/plain; charset=utf-8; format=flowed")
        assert text_of(content) == unfolded


def test_flowed_lines_may_lose_the_space_at_their_end():
    assert text_of(body(b"wunder \nbar \nig\n", 'text/plain; Format="Flowed"; DelSp="Yes"')) == "wunderbarig"
    assert (
        text_of(body("今日は \nいい \n天気".encode(), "text/plain; format=flowed; delsp=yes")) == "今日はいい天気"
    )


def test_lines_that_are_not_flowed_stay():
    assert text_of(body(b"So \ngood.\n", "text/plain; format=fixed")) == "So \ngood."


# Broken structure

# fast-mail-parser finds no body where no blank line ends the header of an inner multipart.
GLUED = multipart(part("So good."), kind="alternative", boundary="c").replace("\n\n--c\n", "\n--c\n")

BROKEN = {
    "an inner boundary extends the outer": multipart(part("So good."), boundary="b-1"),
    "an inner boundary of two parts extends the outer": alternative("So good.", "<p>x", boundary="b-1"),
}
BROKEN = {name: multipart(inner) for name, inner in BROKEN.items()} | {
    "never closed": multipart(part("So good.")).replace("--b--\n", ""),
    "boundary on a line of its own": multipart(part("So good.")).replace("; boundary", ";\n\tBoundary"),
    "boundary of odd characters": multipart(part("So good."), boundary="a (b) 'c' /d?=e:f"),
    "blank after a boundary": multipart(part("So good.")).replace("--b\n", "--b \n"),
    "blank after the last boundary": multipart(part("So good."), PNG).replace("--b--", "--b-- "),
    "part without a header": multipart("\nSo good."),
    "no blank line above a boundary": multipart(GLUED),
    "no blank line in a part": multipart(part("So good.").replace("\n\n", "\n")),
    "no blank line above the first boundary": multipart(part("So good.")).replace("\n\n", "\n", 1),
    "no boundary": "Content-Type: multipart/mixed\n\nSo good.",
    "boundary that never comes": 'Content-Type: multipart/mixed; boundary="none"\n\nSo good.',
    "no content type": "Content-Type:\n\nSo good.",
    "half a content type": "Content-Type: text\n\nSo good.",
    "nonsense as content type": "Content-Type: nonsense\n\nSo good.",
    "half a charset": "Content-Type: text/plain; charset\n\nSo good.",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_the_text_of_a_broken_message_is_read(content):
    assert text_of(content) == "So good."


@pytest.mark.parametrize("parts", [[], [PDF], [PNG]], ids=["alone", "before an attachment", "before an image"])
def test_what_only_the_second_parser_reads_is_flagged(parts):
    row = read(multipart(GLUED, *parts))
    assert (row["text"], row["attachments"], row["flags"]) == ("So good.", len(parts), ["recovered"])


def nested(depth):
    levels = (f'Content-Type: multipart/mixed; boundary="b{level}x"\n\n--b{level}x\n' for level in range(depth))
    return "".join(levels) + "\nSo good.\n"


@pytest.mark.parametrize("depth", [1, 10, 100])
def test_parts_nested_deep_are_read(depth):
    assert text_of(nested(depth)) == "So good."


@pytest.mark.parametrize("depth", [2, 10, 100])
def test_messages_nested_deep_are_read(depth):
    row = read("Content-Type: message/rfc822\n\n" * depth + "\nSo good.\n")
    assert (row["text"], row["flags"]) == ("So good.", ["quotes_kept"])


@pytest.mark.parametrize("content", [nested(3000), "Content-Type: message/rfc822\n\n" * 3000 + "\nSo good.\n"])
def test_what_is_nested_too_deep_is_unreadable(content):
    row = read(content)
    assert (row["text"], row["flags"]) == (None, ["unreadable"])


def test_of_very_many_parts_the_first_are_read():
    row = read(multipart(part("So good."), *[part("")] * 11_000))
    assert (row["text"], row["flags"]) == ("So good.", ["oversize"])


@pytest.mark.parametrize("encoded", [b"R3JlYXQ=", b"R3JlYXQgc2Vydmlj\nZQ=="], ids=["a word", "lines"])
def test_base64_is_decoded_once_by_the_second_parser(encoded):
    text = b"--b\nContent-Transfer-Encoding: base64\n\n" + encoded
    odd = b"\n--b\nContent-Transfer-Encoding: x-uuencode\n\nbegin 644 a\n`\nend\n--b--\n"
    message = Message(0, b"", b"Content-Type: multipart/mixed; boundary=b\n\n" + text + odd)
    assert read_message(message)["text"].startswith("Great")


def test_base64_that_breaks_off_is_decoded_as_far_as_it_goes():
    message = Message(0, b"", b"Content-Transfer-Encoding: base64\n\nR3JlYXQg\nc2Vydmlj\nZ\n")
    assert read_message(message)["text"] == "Great servic"
