import re
import sys
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outlook_files import (
    BODY,
    CLASS,
    CODE_PAGE,
    CONTENT,
    FILE_NAME,
    HEADERS,
    HTML,
    IN_REPLY_TO,
    MESSAGE_CODE_PAGE,
    MESSAGE_ID,
    MIME_TYPE,
    SENDER_ADDRESS,
    SENDER_NAME,
    STRING8,
    SUBJECT,
    SUBMITTED,
    TO,
    compound_file,
    msg_bytes,
)

from textsent.errors import InputError, MissingExtraError
from textsent.mail import MailOptions
from textsent.outlook import check_extra, read_msg
from textsent.readers import open_reader

UTF_8 = 65001
WINDOWS_1252 = 1252
MESSAGE = {
    SUBJECT: "Your order arrived",
    SENDER_NAME: "Ann Lee",
    SENDER_ADDRESS: "ann@example.com",
    TO: "Bob",
    SUBMITTED: datetime(2026, 2, 3, 9, 14, 10, tzinfo=UTC),
    MESSAGE_ID: "<1@example.com>",
    IN_REPLY_TO: "<0@example.com>",
    BODY: "The timer works.\r\nSo good!\r\n",
}
PDF = {FILE_NAME: "bill.pdf", MIME_TYPE: "application/pdf", CONTENT: b"%PDF-1.4" * 1000}
NOTE = {FILE_NAME: "notes.txt", MIME_TYPE: "text/plain", CONTENT: b"not to be read"}


@pytest.fixture
def row_of(tmp_path):
    """Returns the row of an Outlook message made of properties and attachments."""

    def row(properties, *attachments, **options):
        path = tmp_path / "a.msg"
        path.write_bytes(msg_bytes(properties, attachments))
        with open_reader(path, mail=MailOptions(**options)) as reader:
            (row,) = [row for batch in reader for row in batch.to_pylist()]
        return row

    return row


def test_an_outlook_message_is_a_row(row_of):
    assert row_of(MESSAGE) == {
        "message_id": "<1@example.com>",
        "date": datetime(2026, 2, 3, 9, 14, 10, tzinfo=UTC),
        "from": '"Ann Lee" <ann@example.com>',
        "to": "Bob",
        "subject": "Your order arrived",
        "in_reply_to": "<0@example.com>",
        "list_id": None,
        "text": "The timer works.\nSo good!",
        "attachments": 0,
        "flags": [],
        "offset": 0,
    }


def test_the_headers_that_the_message_came_with_go_before_outlook_s_own(row_of):
    headers = (
        "Received: from somewhere\r\nFrom: Ann <ann@work.example>\r\nTo: help@example.com\r\n"
        "Date: Tue, 3 Feb 2026 10:00:00 +0100\r\nMessage-ID: <sent@example.com>\r\n"
        "in-reply-to: <asked@example.com>\r\nList-Id: Gardeners <garden.example.com>\r\nSubject: other\r\n"
    )
    row = row_of(MESSAGE | {HEADERS: headers})
    assert row["from"] == "Ann <ann@work.example>"
    assert row["to"] == "help@example.com"
    assert row["date"] == datetime(2026, 2, 3, 9, 0, 0, tzinfo=UTC)
    assert row["message_id"] == "<sent@example.com>"
    assert row["in_reply_to"] == "<asked@example.com>"
    assert row["list_id"] == "Gardeners <garden.example.com>"
    assert row["subject"] == "Your order arrived"


def test_what_an_outlook_message_lacks_is_null(row_of):
    assert row_of({BODY: "text"}) == dict.fromkeys(row_of(MESSAGE)) | {
        "text": "text",
        "attachments": 0,
        "flags": [],
        "offset": 0,
    }


@pytest.mark.parametrize("subject", ["Größe 🥖", "こんにちは", "a\tb", "x" * 5000, "=?utf-8?q?Gr=C3=B6=C3=9Fe?="])
def test_subjects_of_all_characters_and_lengths_are_read(row_of, subject):
    expected = {"a\tb": "a b", "=?utf-8?q?Gr=C3=B6=C3=9Fe?=": "Größe"}.get(subject, subject)
    assert row_of(MESSAGE | {SUBJECT: subject})["subject"] == expected


@pytest.mark.parametrize("name", [SUBJECT, SENDER_NAME, TO, MESSAGE_ID])
def test_a_line_break_in_a_header_adds_no_header(row_of, name):
    row = row_of(MESSAGE | {name: "one\r\nList-ID: two\n\nthree"})
    assert row["list_id"] is None
    assert row["text"] == "The timer works.\nSo good!"


@pytest.mark.parametrize(
    "body",
    [
        "Größe 🥖",
        "From here on\n>From there",
        "x\n" * 3000,
        "--=_\nContent-Type: image/png\n\nx",
        "a\u2028b",
        "caf\x85",
    ],
)
def test_bodies_of_all_characters_and_lengths_are_read(row_of, body):
    assert row_of({BODY: body}, keep_quotes=True, keep_signatures=True)["text"] == body.strip()


def test_a_body_of_html_alone_becomes_text(row_of):
    html = "<html><body><p>So <b>good</b>, größer!</p></body></html>".encode()
    assert row_of({HTML: html, CODE_PAGE: UTF_8})["text"] == "So good, größer!"


def test_html_is_decoded_by_the_code_page_of_the_message(row_of):
    assert row_of({HTML: "<p>„Größe“ €".encode("cp1252"), CODE_PAGE: WINDOWS_1252})["text"] == "„Größe“ €"
    assert row_of({HTML: "<p>Привет".encode("cp1251"), CODE_PAGE: 1251})["text"] == "Привет"


@pytest.mark.parametrize("code_page", [1, 709, 99999])
def test_a_message_of_a_code_page_that_nobody_knows_is_refused_by_name(row_of, code_page):
    with pytest.raises(InputError, match=r"code-page|character-encoding"):
        row_of({SUBJECT: "Hello", HTML: b"<p>so good", CODE_PAGE: code_page})


@pytest.mark.parametrize(("code_page", "text"), [(WINDOWS_1252, "Größe €"), (1251, "Привет"), (932, "こんにちは")])
def test_strings_of_old_outlooks_are_decoded_by_the_code_page_of_the_message(row_of, code_page, text):
    encoded = text.encode(f"cp{code_page}")
    row = row_of({SUBJECT: (STRING8, encoded), BODY: (STRING8, encoded), MESSAGE_CODE_PAGE: code_page})
    assert (row["subject"], row["text"]) == (text, text)


def test_a_byte_that_the_code_page_lacks_loses_no_message(row_of):
    row = row_of({SUBJECT: "Hello", BODY: (STRING8, b"so good\x81"), MESSAGE_CODE_PAGE: WINDOWS_1252})
    assert row["subject"] == "Hello"
    assert row["text"].startswith("so good")


def test_the_plain_body_goes_before_html(row_of):
    assert row_of(MESSAGE | {HTML: b"<p>other", CODE_PAGE: UTF_8})["text"] == "The timer works.\nSo good!"


def test_quotes_are_taken_off_an_outlook_message(row_of):
    body = "So good!\r\n\r\nFrom: Bob\r\nSent: Monday\r\nTo: Ann\r\nSubject: Timer\r\n\r\nDoes it work?\r\n"
    assert row_of({BODY: body})["text"] == "So good!"
    assert "Does it work?" in row_of({BODY: body}, keep_quotes=True)["text"]


@pytest.mark.parametrize("attachments", [[], [PDF], [PDF, NOTE], [{FILE_NAME: "no type"}] * 3])
def test_attachments_are_counted_and_are_no_text(row_of, attachments):
    row = row_of(MESSAGE, *attachments)
    assert row["attachments"] == len(attachments)
    assert row["text"] == "The timer works.\nSo good!"


def test_a_message_of_attachments_alone_says_so(row_of):
    row = row_of({SUBJECT: "The bill"}, PDF)
    assert (row["text"], row["attachments"], row["flags"]) == (None, 1, ["attachments_only"])


def test_a_message_of_nothing_has_an_empty_text(row_of):
    row = row_of({})
    assert (row["text"], row["attachments"], row["flags"]) == ("", 0, [])


def test_an_encrypted_message_says_so(row_of):
    row = row_of(MESSAGE | {CLASS: "IPM.Note.SMIME"}, {FILE_NAME: "smime.p7m", CONTENT: b"\x30\x82"})
    assert (row["subject"], row["text"], row["flags"]) == ("Your order arrived", None, ["encrypted"])


def test_a_signed_message_is_read(row_of):
    row = row_of(MESSAGE | {CLASS: "IPM.Note.SMIME.MultipartSigned"})
    assert (row["text"], row["flags"]) == ("The timer works.\nSo good!", [])


def test_a_moment_is_written_in_utc():
    when = datetime(2026, 2, 3, 10, 14, 10, tzinfo=timezone(timedelta(hours=1)))
    assert message_from_bytes(read_msg(msg_bytes({SUBMITTED: when})))["Date"] == "Tue, 03 Feb 2026 09:14:10 +0000"


@settings(max_examples=50, deadline=None)
@given(subject=st.text(max_size=20), body=st.text(max_size=200))
def test_any_subject_and_body_come_back(subject, body):
    mail = message_from_bytes(read_msg(msg_bytes({SUBJECT: subject, BODY: body})))
    plain = mail.get_payload(0).get_payload(0)
    assert plain.get_content_type() == "text/plain"
    assert plain.get_payload(decode=True).decode() == body.encode("utf-8", "replace").decode()
    assert not mail.defects


NO_MESSAGES = {
    "nothing": b"",
    "text": b"Subject: x\n\ntext\n",
    "the first bytes alone": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "a torn file": msg_bytes(MESSAGE)[:1000],
    "another compound file": compound_file({"WordDocument": b"text"}),
    "zeros": bytes(4096),
}


@pytest.mark.parametrize("data", NO_MESSAGES.values(), ids=NO_MESSAGES)
def test_what_is_no_outlook_message_is_an_error(tmp_path, data):
    with pytest.raises(ValueError, match=r"\Ait is no Outlook message that can be read: "):
        read_msg(data)
    path = tmp_path / "a.msg"
    path.write_bytes(data)
    with pytest.raises(InputError) as error, open_reader(path) as reader:
        list(reader)
    assert str(error.value).startswith(f"{path} can't be read: it is no Outlook message that can be read: ")


WHOLE = msg_bytes(MESSAGE | {HTML: b"<p>good", CODE_PAGE: UTF_8, HEADERS: "From: x\r\n"}, (PDF,))


@settings(max_examples=300, deadline=None)
@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255) | st.sampled_from([0, 0xFF])), max_size=5
    ),
    length=st.none() | st.integers(0, len(WHOLE)),
)
def test_an_outlook_message_with_any_bytes_changed_is_read_or_refused(changes, length):
    changed = bytearray(WHOLE)
    for place, byte in changes:
        changed[place] = byte
    try:
        mail = read_msg(bytes(changed[:length]))
    except ValueError as error:
        mail = str(error).encode()
    assert re.match(rb"it is no Outlook message|[A-Z][\w-]*: ", mail)


@pytest.mark.parametrize("claims", ["a stream", "the short streams", "their table"])
def test_an_outlook_message_that_claims_more_than_its_file_holds_takes_no_memory(claims):
    data = bytearray(msg_bytes(MESSAGE))
    name = {"a stream": f"__substg1.0_{BODY:04X}001F", "the short streams": "Root Entry"}.get(claims)
    place = 64 if name is None else data.index(name.encode("utf-16-le")) + 120  # where [MS-CFB] has the sizes
    data[place : place + 4] = (1 << 30).to_bytes(4, "little")
    with pytest.raises(ValueError, match=r" claims to be larger than the file: save it again, or as .eml\Z"):
        read_msg(bytes(data))


@pytest.fixture
def without_oxmsg(monkeypatch):
    monkeypatch.setitem(sys.modules, "oxmsg", None)


ADVICE = "reading Outlook's .msg files needs another package: pip install 'textsent[outlook]'"


def test_without_the_extra_the_error_says_what_to_install(without_oxmsg):
    with pytest.raises(MissingExtraError) as missing:
        check_extra()
    assert str(missing.value) == ADVICE


@pytest.mark.parametrize("store", ["file", "folder", "zip"])
def test_without_the_extra_no_outlook_message_is_passed_over(tmp_path, without_oxmsg, store):
    path = tmp_path / "mail" / "a.msg"
    path.parent.mkdir()
    path.write_bytes(msg_bytes(MESSAGE))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(path, "a.msg")
    source = {"file": path, "folder": path.parent, "zip": tmp_path / "a.zip"}[store]
    with pytest.raises(MissingExtraError) as missing, open_reader(source) as reader:
        list(reader)
    assert str(missing.value) == ADVICE


def test_without_the_extra_other_mail_is_read(tmp_path, without_oxmsg):
    (tmp_path / "a.eml").write_bytes(b"Subject: x\n\ntext\n")
    with open_reader(tmp_path) as reader:
        assert sum(batch.num_rows for batch in reader) == 1
