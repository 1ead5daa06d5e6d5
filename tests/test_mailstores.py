import bz2
import gzip
import io
import os
import sys
import tarfile
import zipfile
from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outlook_files import BODY, SUBJECT, msg_bytes

from textsent import mailstores
from textsent.errors import InputError, OptionError, TextsentError
from textsent.mail import MailOptions
from textsent.mailstores import FORMATS, MailFolder, read_store, sniff_mail
from textsent.mbox import Message
from textsent.readers import open_reader

SEPARATOR = b"From ann@example.com Tue Feb  3 09:14:22 2026\n"
NO_MAIL = (
    "is a folder without mail: textsent looks for .mbox, .eml, .emlx and .msg files and Maildirs in it; "
    "name other files one by one, for instance"
)
NO_MAIL_IN_ARCHIVE = "the archive holds no mail: textsent looks for .mbox, .eml, .emlx and .msg files in it"
NO_ARCHIVE = "the archive is broken or encrypted: "
BREAKS_OFF = "it breaks off at byte 1,024: fetch it again, or unpack it and name what was in it"


def eml(subject):
    return b"Subject: %s\n\nThe body of %s.\n" % (subject.encode(), subject.encode())


def mbox(*subjects):
    return b"".join(SEPARATOR + eml(subject) + b"\n" for subject in subjects)


def fill(folder, files):
    """Write files, bytes by the path in the folder; their folders are made."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def zip_bytes(files, method=zipfile.ZIP_DEFLATED):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return sink.getvalue()


def tar_bytes(files, mode="w"):
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode=mode) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return sink.getvalue()


ARCHIVES = {"zip": zip_bytes, "tar": tar_bytes}
each_archive = pytest.mark.parametrize("kind", ARCHIVES)


def rows(source, format=None, mail=MailOptions()):  # noqa: B008 - it can't be changed
    with open_reader(source, format, mail) as reader:
        return [row for batch in reader for row in batch.to_pylist()]


def subjects(source, format=None):
    return [row["subject"] for row in rows(source, format)]


def subjects_in(kind, files, tmp_path):
    return subjects(fill(tmp_path, {f"a.{kind}": ARCHIVES[kind](files)}) / f"a.{kind}")


def input_error(source, format=None):
    with pytest.raises(InputError) as error:
        rows(source, format)
    return str(error.value)


def everything_in(folder):
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.fixture
def standard_input(monkeypatch):
    """Makes a pipe with some bytes in it the standard input."""
    opened = []

    def fill_pipe(data):
        read_end, write_end = os.pipe()
        with os.fdopen(write_end, "wb") as pipe:
            pipe.write(data)
        opened.append(os.fdopen(read_end, "rb"))
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=opened[-1]))

    yield fill_pipe
    for stream in opened:
        stream.close()


# Maildirs


def test_the_messages_of_a_maildir_are_read_those_seen_before_those_new(tmp_path):
    folder = fill(
        tmp_path / "Maildir",
        {
            "new/1770109300.M5P1.host": eml("five"),
            "cur/1770109200.M2P1.host:2,S": eml("two"),
            "cur/1770109100.M9P1.host:2,": eml("one"),
            "tmp/1770109400.M6P1.host": eml("half"),
            "dovecot.index.log": b"\x01\x02",
            "maildirsize": b"10S\n",
        },
    )
    assert subjects(folder) == ["one", "two", "five"]


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("cur/1.M1P1.host:2,ST", ["deleted"]),
        ("cur/1.M1P1.host:2,T", ["deleted"]),
        ("cur/1.M1P1.host:2,RSTa", ["deleted"]),
        ("cur/1.M1P1.host!2,ST", ["deleted"]),
        ("cur/1.M1P1.host;2,ST", ["deleted"]),
        ("cur/1.M1P1.host:2,S", []),
        ("cur/1.M1P1.host:2,", []),
        ("cur/T.M1P1.hosT", []),
        ("new/1.M1P1.host", []),
        ("T:2,T.eml", []),
    ],
)
@pytest.mark.parametrize("store", ["folder", "zip", "tar"])
def test_a_message_that_a_maildir_marks_as_trashed_is_kept_and_flagged(tmp_path, store, name, flags):
    files = {name: eml("one")}
    if store == "folder":
        path = fill(tmp_path / "Maildir", files)
    else:
        path = fill(tmp_path, {f"a.{store}": ARCHIVES[store](files)}) / f"a.{store}"
    assert [(row["subject"], row["flags"]) for row in rows(path)] == [("one", flags)]


def test_the_folders_of_a_maildir_are_read_though_they_are_hidden(tmp_path):
    folder = fill(
        tmp_path,
        {
            "cur/1.host:2,": eml("inbox"),
            ".Sent/cur/1.host:2,": eml("sent"),
            ".Sent/new/2.host": eml("sent new"),
            ".Work.Bills/new/1.host": eml("bill"),
            ".Empty/cur/.keep": b"",
            ".cache/1.eml": eml("hidden"),
            ".cache/deep/cur/1.host": eml("hidden"),
        },
    )
    assert subjects(folder) == ["sent", "sent new", "bill", "inbox"]


# Folders


def test_the_files_of_a_folder_are_read_in_the_order_of_their_names(tmp_path):
    names = ["b.eml", "10.eml", "9.eml", "a note.eml", "B.eml", "é.eml"]
    assert subjects(fill(tmp_path, {name: eml(name) for name in names})) == sorted(names)


def test_folders_within_are_read_where_their_names_stand(tmp_path):
    folder = fill(
        tmp_path,
        {
            "a.eml": eml("1"),
            "b/c/d.eml": eml("2"),
            "b/d.mbox": mbox("3", "4"),
            "c.eml": eml("5"),
            "c.emlx": eml("6"),
        },
    )
    assert subjects(folder) == list("123456")


def test_what_is_no_mail_in_a_folder_is_left_out(tmp_path):
    folder = fill(
        tmp_path,
        {
            "a.eml": eml("mail"),
            ".b.eml": eml("hidden"),
            ".c/d.eml": eml("in a hidden folder"),
            "notes.txt": b"notes",
            "photographs.zip": zip_bytes({"a.jpg": b"x"}),
            "table.csv": b"text\nx\n",
            "Inbox.msf": b"// index",
            "README": b"From here on, read me.\n"[5:],
            "empty": b"",
            "broken": b"\xff\xfe",
        },
    )
    assert subjects(folder) == ["mail"]


def test_a_link_to_a_folder_is_not_followed(tmp_path):
    folder = fill(tmp_path / "mail", {"a.eml": eml("mail")})
    (folder / "again").symlink_to(folder)
    (folder / "nowhere.eml").symlink_to(tmp_path / "gone.eml")
    (folder / "b.eml").symlink_to(folder / "a.eml")
    assert subjects(folder) == ["mail", "mail"]


@pytest.mark.parametrize("files", [{}, {".a.eml": eml("a")}, {"a.csv": b"text\nx\n"}, {"b/notes.txt": b"a"}])
def test_a_folder_without_mail_is_an_error(tmp_path, files):
    folder = fill(tmp_path, files)
    assert input_error(folder) == f"{folder} {NO_MAIL} {folder / '*.csv'}"


def test_thunderbird_s_mailboxes_are_told_by_their_first_bytes(tmp_path):
    folder = fill(
        tmp_path,
        {
            "Inbox": mbox("one", "two"),
            "Inbox.msf": b"// <!-- <mdb:mork:z v='1.4'/> -->",
            "Archives.sbd/2025": b"\xef\xbb\xbf" + mbox("three"),
            "Drafts": b"",
            "Sent": b"\r\n\n" + mbox("four"),
        },
    )
    assert subjects(folder) == ["three", "one", "two", "four"]


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress], ids=["gzip", "bz2"])
def test_a_compressed_mailbox_without_a_suffix_is_told_by_its_first_bytes(tmp_path, compress):
    folder = fill(tmp_path, {"Inbox": compress(mbox("one", "two"))})
    assert subjects(folder / "Inbox") == ["one", "two"]
    assert subjects(folder) == ["one", "two"]


def test_a_broken_file_without_a_suffix_is_left_out_of_a_folder(tmp_path):
    assert subjects(fill(tmp_path, {"cache": b"\x1f\x8bgarbage", "a.eml": eml("mail")})) == ["mail"]


def test_apple_mail_s_mailboxes_are_folders_with_a_file_named_mbox(tmp_path):
    folder = fill(tmp_path, {"Inbox.mbox/mbox": mbox("one", "two"), "Inbox.mbox/table_of_contents": b"\0\0"})
    assert subjects(folder) == subjects(folder / "Inbox.mbox") == ["one", "two"]


def test_compressed_files_and_archives_in_a_folder_are_read(tmp_path):
    folder = fill(
        tmp_path,
        {
            "a.mbox.gz": gzip.compress(mbox("1", "2")),
            "b.eml.bz2": bz2.compress(eml("3")),
            "c.mbox": gzip.compress(mbox("4")),
            "d.zip": zip_bytes({"x.mbox": mbox("5")}),
            "e.tar.gz": gzip.compress(tar_bytes({"x.eml": eml("6")})),
        },
    )
    assert subjects(folder) == list("123456")


def test_a_mailbox_in_a_folder_named_new_is_no_message_of_a_maildir(tmp_path):
    folder = fill(tmp_path, {"new/a.mbox": mbox("one", "two"), "cur/b.mbox": mbox("three", "four")})
    assert subjects(folder) == ["three", "four", "one", "two"]


@pytest.mark.parametrize("format", ["eml", "mbox"])
def test_the_format_asked_for_is_that_of_every_file_in_a_folder(tmp_path, format):
    write = eml if format == "eml" else mbox
    folder = fill(
        tmp_path,
        {
            "1.txt": write("one"),
            "2": write("two"),
            ".3": write("hidden"),
            "4/5.eml": write("three"),
            "4/6.txt": write("four"),
        },
    )
    assert subjects(folder, format) == ["one", "two", "three", "four"]


@pytest.mark.parametrize("format", ["csv", "tsv", "parquet", "jsonl", "text"])
def test_a_format_that_is_no_mail_is_refused_for_a_folder(tmp_path, format):
    folder = fill(tmp_path, {"a.csv": b"text\ngood\n"})
    with pytest.raises(TextsentError):
        rows(folder, format)


def test_an_unknown_format_is_refused_for_a_folder(tmp_path):
    with pytest.raises(OptionError):
        rows(fill(tmp_path, {"a.eml": eml("mail")}), "xml")


UNREADABLE = {
    "a broken Outlook message": ("b.msg", b"no message"),
    "a torn gzip file": ("b.eml.gz", gzip.compress(eml("torn"))[:-12]),
}


@pytest.mark.parametrize(("name", "data"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_message_that_cannot_be_read_is_a_row_with_a_flag(tmp_path, name, data):
    folder = fill(tmp_path, {"a.eml": eml("one"), name: data, "c.eml": eml("three")})
    first, second, third = rows(folder)
    assert (first["subject"], third["subject"]) == ("one", "three")
    assert second == dict.fromkeys(first) | {"flags": ["unreadable"], "attachments": 0, "offset": 0}


def test_a_message_that_has_gone_since_the_folder_was_listed_is_a_row_with_a_flag(tmp_path):
    folder = fill(tmp_path, {"cur/1.host:2,T": eml("one"), "cur/2.host": eml("two")})
    with open_reader(folder) as reader:
        (folder / "cur/1.host:2,T").unlink()
        flags = [row["flags"] for batch in reader for row in batch.to_pylist()]
    assert flags == [["deleted", "unreadable"], []]


def test_a_mailbox_in_a_folder_that_cannot_be_read_to_its_end_has_a_row_that_says_so(tmp_path):
    torn = gzip.compress(mbox("two"))[:-12]
    folder = fill(tmp_path, {"a.eml": eml("one"), "b.mbox.gz": torn, "c.eml": eml("three")})
    found = rows(folder)
    assert [row["subject"] for row in found][0 :: len(found) - 1] == ["one", "three"]
    assert ["unreadable"] in [row["flags"] for row in found]


def test_a_mailbox_with_another_suffix_is_told_by_its_first_bytes(tmp_path):
    assert subjects(fill(tmp_path, {"2026-February.txt": mbox("one"), "lists.example.org": mbox("two")})) == [
        "one",
        "two",
    ]


def test_a_folder_that_cannot_be_opened_is_an_error(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", os.fspath(path))

    folder = fill(tmp_path / "mail", {"a.eml": eml("one")})
    monkeypatch.setattr("textsent.mailstores.os.scandir", refuse)
    assert input_error(folder) == f"{folder} can't be opened: Permission denied"


def test_size_and_position_are_those_of_a_folder_s_mail(tmp_path):
    files = {"a.eml": eml("one"), "b/c.mbox.gz": gzip.compress(mbox("two", "three")), "new/1.host": eml("four")}
    folder = fill(tmp_path, files | {"notes.txt": b"x" * 1000})
    size = sum(map(len, files.values()))
    with open_reader(folder) as reader:
        assert (reader.size, reader.position) == (size, 0)
        assert len(list(reader)) == 1
        assert reader.position == size


def test_position_grows_from_file_to_file_and_from_folder_to_folder(tmp_path):
    first = fill(tmp_path / "first", {f"{number}.eml": eml("x" * 10**6) for number in range(9)})
    second = fill(tmp_path, {"second.eml": eml("two")}) / "second.eml"
    third = fill(tmp_path / "third", {"a.eml": eml("three")})
    with open_reader([first, second, third, third]) as reader:
        positions = [reader.position for _ in reader]
        assert reader.position == reader.size
    assert reader.size == sum(
        path.stat().st_size for path in [*first.iterdir(), second, third / "a.eml", third / "a.eml"]
    )
    assert positions == sorted(positions)
    assert 0 < positions[0] < positions[-1] <= reader.size


def test_a_mail_folder_lists_its_files_at_once(tmp_path):
    folder = MailFolder(fill(tmp_path, {"a.eml": eml("one"), "b.mbox": mbox("two", "three")}))
    assert len(folder) == 2
    assert folder.size == len(eml("one") + mbox("two", "three"))
    with folder:
        assert len(list(folder.messages(None))) == 3
        assert folder.tell() == folder.size
        assert not folder.closed
    assert folder.closed


# Files with a single message


def single(data, format, limit=None):
    (message,) = read_store(io.BytesIO(data), format, limit)
    return message


def test_a_message_in_a_file_of_its_own_is_what_the_file_holds():
    data = SEPARATOR + eml("one") + SEPARATOR + b">From there\n"
    assert single(data, "eml") == Message(0, b"", data, escaped=False)
    assert single(b"", "eml") == Message(0, b"", b"", escaped=False)


@pytest.mark.parametrize("format", ["eml", "emlx"])
def test_lines_that_begin_with_from_are_text_in_a_single_message(tmp_path, format):
    text = b"From here on it works.\n\n>From x to y\n\n" + SEPARATOR + b"it fails"
    body = b"Subject: x\n\n" + text + b"\n"
    prefix = b"%d\n" % len(body) if format == "emlx" else b""
    (row,) = rows(
        fill(tmp_path, {f"a.{format}": prefix + body}) / f"a.{format}", mail=MailOptions(keep_quotes=True)
    )
    assert row["text"] == text.decode()


@pytest.mark.parametrize(
    ("data", "content"),
    [
        (b"12\nSubject: x\n\n<?xml?><plist/>", b"Subject: x\n\n"),
        (b"12        \nSubject: x\n\n<?xml?><plist/>", b"Subject: x\n\n"),
        (b"12\r\nSubject: x\n\n<plist/>", b"Subject: x\n\n"),
        (b"999\nSubject: x\n\ntext", b"Subject: x\n\ntext"),
        (b"Subject: x\n\n12\n", b"Subject: x\n\n12\n"),
        (b"", b""),
        (b"5", b"5"),
        (b"99999999999999999999\nx", b"99999999999999999999\nx"),
    ],
)
def test_apple_mail_s_messages_are_as_long_as_their_first_line_says(data, content):
    assert single(data, "emlx").content == content


def test_of_a_message_over_the_limit_the_text_is_kept(tmp_path):
    image = b"Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n" + b"iVBORw0KGgo=\n" * 200_000
    data = (
        b'Subject: big\nContent-Type: multipart/mixed; boundary="b"\n\n--b\n\nso good\n--b\n' + image + b"--b--\n"
    )
    message = single(data, "eml", 1 << 20)
    assert message.oversize
    assert len(message.content) < 1000
    path = fill(tmp_path, {"a.eml": data}) / "a.eml"
    (row,) = rows(path, mail=MailOptions(max_message_bytes=1 << 20))
    assert (row["subject"], row["text"], row["flags"]) == ("big", "so good", ["oversize"])
    (row,) = rows(path)
    assert (row["text"], row["flags"]) == ("so good", [])


@each_archive
def test_of_a_message_over_the_limit_in_an_archive_the_text_is_kept(tmp_path, kind):
    data = mbox("one") + b"From ann@example.com Tue Feb  3 09:14:22 2026\nSubject: two\n\n" + b"so good\n" * 100
    path = fill(tmp_path, {f"a.{kind}": ARCHIVES[kind]({"a.mbox": data})}) / f"a.{kind}"
    read = rows(path, mail=MailOptions(max_message_bytes=400))
    assert [(row["subject"], row["flags"]) for row in read] == [("one", []), ("two", ["oversize"])]


# Zip and tar


@pytest.mark.parametrize(
    "method",
    [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA],
    ids=["stored", "deflated", "bzip2", "lzma"],
)
def test_a_zip_file_of_every_method_is_read(tmp_path, method):
    data = zip_bytes({"a.mbox": mbox("one", "two"), "b.eml": eml("three")}, method)
    assert subjects(fill(tmp_path, {"a.zip": data}) / "a.zip") == ["one", "two", "three"]


TAR_FILES = {"a.mbox": mbox("one", "two"), "b.eml": eml("three")}


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tgz", "a.TAR"])
@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2"])
def test_a_tar_file_is_read_however_it_is_compressed(tmp_path, name, mode):
    assert subjects(fill(tmp_path, {name: tar_bytes(TAR_FILES, mode)}) / name) == ["one", "two", "three"]


def test_a_tar_file_compressed_by_zstd_is_read(tmp_path):
    data = pa.compress(tar_bytes(TAR_FILES), "zstd", asbytes=True)
    assert subjects(fill(tmp_path, {"a.tar.zst": data}) / "a.tar.zst") == ["one", "two", "three"]


@each_archive
def test_the_members_of_an_archive_are_read_in_its_order_each_as_its_name_says(tmp_path, kind):
    files = {
        "Takeout/Mail/All mail.mbox": mbox("1", "2"),
        "Takeout/Mail/archive_browser.html": b"<html></html>",
        "z/Inbox.mbox/mbox": mbox("3"),
        "b.eml": eml("4"),
        "a.emlx": b"%d\n%s<plist/>" % (len(eml("5")), eml("5")),
        "c.msg": msg_bytes({SUBJECT: "6", BODY: "text"}),
        "d.mbox.gz": gzip.compress(mbox("7")),
        "Maildir/new/1.host": eml("8"),
        "UPPER.MBOX": mbox("9"),
    }
    assert subjects_in(kind, files, tmp_path) == list("123456789")


@each_archive
def test_what_is_no_mail_in_an_archive_is_left_out(tmp_path, kind):
    files = {
        "__MACOSX/._a.mbox": b"\0\5\26\7",
        ".b.eml": eml("hidden"),
        "inner.zip": zip_bytes({"a.mbox": mbox("inner")}),
        "notes.txt": b"notes",
        "a.mbox": mbox("mail"),
    }
    assert subjects_in(kind, files, tmp_path) == ["mail"]


@each_archive
@pytest.mark.parametrize("files", [{}, {"notes.txt": b"x"}, {".a.mbox": mbox("hidden")}])
def test_an_archive_without_mail_is_an_error(tmp_path, kind, files):
    path = fill(tmp_path, {f"a.{kind}": ARCHIVES[kind](files)}) / f"a.{kind}"
    assert input_error(path) == f"{path} can't be read: {NO_MAIL_IN_ARCHIVE}"


@each_archive
def test_an_empty_mailbox_in_an_archive_is_mail(tmp_path, kind):
    assert subjects_in(kind, {"a.mbox": b""}, tmp_path) == []


@each_archive
def test_a_broken_outlook_message_in_an_archive_is_a_row_with_a_flag(tmp_path, kind):
    path = fill(tmp_path, {f"a.{kind}": ARCHIVES[kind]({"a.msg": b"no", "cur/1:2,T": eml("b")})}) / f"a.{kind}"
    assert [(row["subject"], row["flags"]) for row in rows(path)] == [(None, ["unreadable"]), ("b", ["deleted"])]


CLIMBING = [
    "../../x.mbox",
    "/x.mbox",
    "/tmp/textsent-was-here.mbox",
    "C:\\x.mbox",
    "a/../../x.mbox",
]


@each_archive
@pytest.mark.parametrize("name", CLIMBING)
def test_a_member_whose_path_climbs_is_read_and_never_written(tmp_path, monkeypatch, kind, name):
    folder = fill(tmp_path / "one/two", {f"a.{kind}": ARCHIVES[kind]({name: mbox("one")})})
    monkeypatch.chdir(folder)
    before = everything_in(tmp_path)
    assert subjects(f"a.{kind}") == ["one"]
    assert everything_in(tmp_path) == before
    assert not os.path.lexists("/tmp/textsent-was-here.mbox")


def test_links_and_devices_in_a_tar_file_are_left_out(tmp_path):
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, kind in {"a.mbox": tarfile.SYMTYPE, "b.mbox": tarfile.LNKTYPE, "c.mbox": tarfile.CHRTYPE}.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
        folder = tarfile.TarInfo("d.mbox")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        member = tarfile.TarInfo("e.mbox")
        member.size = len(mbox("mail"))
        archive.addfile(member, io.BytesIO(mbox("mail")))
    assert subjects(fill(tmp_path, {"a.tar": sink.getvalue()}) / "a.tar") == ["mail"]


def encrypted(data):
    """Return a zip file that says that its members need a password."""
    data = bytearray(data)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + place] |= 1
    return bytes(data)


def damaged(data, place):
    return data[:place] + b"?" + data[place + 1 :]


ZIP = zip_bytes({"a.mbox": mbox(*"abcdefgh")})
STORED = zip_bytes({"a.mbox": mbox(*"abcdefgh")}, zipfile.ZIP_STORED)
TAR = tar_bytes({"a.mbox": mbox(*"abcdefgh")})
BROKEN = {
    "with a password": ("a.zip", encrypted(ZIP)),
    "no zip": ("a.zip", b"no archive"),
    "an empty zip": ("a.zip", b""),
    "a torn zip": ("a.zip", ZIP[: len(ZIP) // 2]),
    "a wrong checksum": ("a.zip", STORED.replace(b"The body of b", b"The body of x")),
    "no tar": ("a.tar", b"no archive" * 100),
    "a torn tar": ("a.tar", TAR[:700]),
    "a tar without its end": ("a.tar", tar_bytes(TAR_FILES)[:2048]),
    "a tar that ends in a header": ("a.tar", tar_bytes(TAR_FILES)[:1100]),
    "a tar with a damaged header": ("a.tar", damaged(tar_bytes(TAR_FILES), 1024)),
}


@pytest.mark.parametrize(("name", "data"), BROKEN.values(), ids=BROKEN)
def test_an_archive_that_cannot_be_read_is_an_error(tmp_path, name, data):
    path = fill(tmp_path, {name: data}) / name
    error = input_error(path)
    assert error.startswith(f"{path} can't be read: {NO_ARCHIVE}")
    assert "\n" not in error


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("store", ["folder", "zip", "tar"])
def test_a_compressed_mailbox_that_ends_within_its_first_bytes_has_a_row_that_says_so(tmp_path, store, size):
    data = pa.compress(mbox("a"), "zstd", asbytes=True)[:size]
    if store == "folder":
        path = fill(tmp_path, {"a.mbox.zst": data})
    else:
        path = fill(tmp_path, {f"a.{store}": ARCHIVES[store]({"a.mbox.zst": data})}) / f"a.{store}"
    assert [row["flags"] for row in rows(path)] == [["unreadable"]]


MAILS = {name: eml(name) for name in ("a.eml", "b.eml", "c.eml")}


@pytest.mark.parametrize("place", [1024, 1030, 1100])
def test_a_tar_is_no_shorter_for_a_damaged_header_in_the_midst_of_it(tmp_path, place):
    data = bytearray(tar_bytes(MAILS))
    data[place] ^= 1
    path = fill(tmp_path, {"a.tar": bytes(data)}) / "a.tar"
    assert input_error(path) == f"{path} can't be read: {NO_ARCHIVE}{BREAKS_OFF}"


def test_a_tar_is_no_shorter_for_a_block_of_zeros_in_the_midst_of_it(tmp_path):
    data = bytearray(tar_bytes(MAILS))
    data[1024 : 1024 + 512] = bytes(512)
    path = fill(tmp_path, {"a.tar": bytes(data)}) / "a.tar"
    assert input_error(path) == f"{path} can't be read: {NO_ARCHIVE}{BREAKS_OFF}"


def test_a_tar_may_end_with_one_block_of_zeros(tmp_path):
    path = fill(tmp_path, {"a.tar": tar_bytes(MAILS)[: 3 * 1024 + 512]}) / "a.tar"
    assert len(rows(path)) == 3


@pytest.mark.parametrize("size", [1024, 1500])
def test_a_tar_that_ends_without_the_mark_of_its_end_is_a_part_of_one(tmp_path, size):
    path = fill(tmp_path, {"a.tar": tar_bytes(MAILS)[:size]}) / "a.tar"
    assert input_error(path) == f"{path} can't be read: {NO_ARCHIVE}{BREAKS_OFF}"


def test_a_password_is_asked_for_in_the_message(tmp_path):
    path = fill(tmp_path, {"a.zip": encrypted(ZIP)}) / "a.zip"
    assert "password" in input_error(path)


def with_sizes(data, size):
    """Return a zip file whose directory says that its one member is of another size."""
    entry = data.index(b"PK\x01\x02")
    return data[: entry + 20] + size.to_bytes(4, "little") * 2 + data[entry + 28 :]


def test_a_zip_member_that_ends_before_its_size_has_a_row_that_says_so(tmp_path):
    path = fill(tmp_path, {"a.zip": with_sizes(STORED, 5000)}) / "a.zip"
    assert rows(path)[-1]["flags"] == ["unreadable"]


def test_a_zip_member_of_broken_lzma_has_a_row_that_says_so(tmp_path):
    data = zip_bytes({"a.mbox": mbox("a")}, zipfile.ZIP_LZMA)
    place = data.index(b"a.mbox") + len(b"a.mbox") + 4  # after the name and the version
    path = fill(tmp_path, {"a.zip": data[:place] + b"\xff" * 8 + data[place + 8 :]}) / "a.zip"
    assert rows(path)[-1]["flags"] == ["unreadable"]


def test_a_zip_member_without_a_name_stops_nothing(tmp_path):
    data = zip_bytes({"x": b"x", "a.mbox": mbox("mail")})
    for mark, place in ((b"PK\x03\x04", 26), (b"PK\x01\x02", 28)):
        start = data.index(mark) + place
        data = data[:start] + b"\0\0\1\0" + data[start + 4 :]  # the name becomes an extra field
    assert subjects(fill(tmp_path, {"a.zip": data}) / "a.zip") == ["mail"]


MUTABLE = [
    *(
        ("zip", zip_bytes(TAR_FILES, method))
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA)
    ),
    ("tar", tar_bytes(TAR_FILES)[:4096]),
]


@settings(max_examples=300, deadline=None)
@given(
    archive=st.sampled_from(MUTABLE),
    changes=st.lists(st.tuples(st.integers(0, 3071), st.sampled_from([0, 1, 0x7F, 0x80, 0xFF])), max_size=4),
    length=st.none() | st.integers(0, 3072),
)
def test_an_archive_with_any_bytes_changed_is_read_or_refused(tmp_path_factory, archive, changes, length):
    format, data = archive
    changed = bytearray(data)
    for place, byte in changes:
        changed[place % len(data)] = byte
    path = tmp_path_factory.mktemp("mutated") / f"a.{format}"
    path.write_bytes(changed[:length])
    refused = None
    try:
        rows(path)
    except InputError as error:
        refused = str(error)
    assert refused is None or refused.startswith(f"{path} can't be read: ")


@each_archive
def test_an_archive_is_read_from_a_pipe(standard_input, kind):
    standard_input(ARCHIVES[kind](TAR_FILES))
    assert subjects("-", kind) == ["one", "two", "three"]


@each_archive
def test_a_compressed_archive_is_read_from_a_pipe(standard_input, kind):
    standard_input(gzip.compress(ARCHIVES[kind](TAR_FILES)))
    assert subjects("-", kind) == ["one", "two", "three"]


def test_a_broken_zip_file_on_standard_input_is_named_so(standard_input):
    standard_input(b"no archive")
    assert input_error("-", "zip").startswith(f"standard input can't be read: {NO_ARCHIVE}")


def test_size_and_position_are_those_of_the_archive(tmp_path):
    path = fill(tmp_path, {"a.zip": ZIP}) / "a.zip"
    with open_reader(path) as reader:
        assert reader.size == len(ZIP)
        assert all(0 <= reader.position <= len(ZIP) for _ in reader)
        assert reader.position == len(ZIP)


# Formats by first bytes


@pytest.mark.parametrize(
    ("data", "format"),
    [
        (mbox("one"), "mbox"),
        (b"From \n", "mbox"),
        (b"\xef\xbb\xbf" + mbox("one"), "mbox"),
        (b"\r\n\n\r" + mbox("one"), "mbox"),
        (ZIP, "zip"),
        (zip_bytes({}), "zip"),
        (TAR, "tar"),
        (eml("one"), None),
        (b"From: ann\n\nx\n", None),
        (b"", None),
        (b"PK", None),
        (b"garbage\n" + mbox("one"), None),
    ],
)
def test_mail_is_told_by_its_first_bytes(tmp_path, data, format):
    assert sniff_mail(io.BytesIO(data)) == format
    path = fill(tmp_path, {"inbox": data}) / "inbox"
    with pa.OSFile(str(path)) as file:
        assert sniff_mail(file) == format
        assert file.read() == data


@pytest.mark.parametrize("name", ["Inbox", "Sent Items", "ann@example.com", "mail.2026"])
def test_a_file_without_a_known_suffix_is_read_where_it_begins_like_mail(tmp_path, name):
    folder = fill(tmp_path, {name: mbox("one", "two")})
    assert subjects(folder / name) == ["one", "two"]
    assert subjects(fill(tmp_path, {name: ZIP}) / name) == list("abcdefgh")
    assert subjects(fill(tmp_path, {name: TAR}) / name) == list("abcdefgh")


def test_every_format_can_be_asked_for():
    assert FORMATS == ("mbox", "eml", "emlx", "msg", "zip", "tar")


@pytest.mark.parametrize("name", ["a.eml", "a.jpg"])
@pytest.mark.parametrize("size", [1 << 33, 1 << 62, (1 << 87) - 1])
def test_a_tar_whose_header_tells_of_more_than_there_is_breaks_off(tmp_path, name, size):
    data = bytearray(tar_bytes({name: eml("one")}))
    data[124:136] = b"\x80" + size.to_bytes(11, "big")
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    message = input_error(fill(tmp_path, {"a.tar": bytes(data)}) / "a.tar")
    assert (
        message == f"{tmp_path / 'a.tar'} can't be read: the archive is broken or encrypted: unexpected end of "
        "data: fetch it again, or unpack it and name what was in it"
    )


@each_archive
def test_names_that_climb_and_links_touch_no_file_outside_the_archive(tmp_path, kind):
    names = ["../outside.eml", str(tmp_path / "outside.eml"), "a/../../../outside.eml"]
    folder = fill(tmp_path, {f"here/a.{kind}": ARCHIVES[kind]({name: eml("in") for name in names})})
    before = everything_in(tmp_path)
    assert subjects(folder / f"here/a.{kind}") == ["in"] * 3
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_what_a_tar_links_to_is_not_read(tmp_path, kind):
    (tmp_path / "outside.eml").write_bytes(eml("outside"))
    sink = io.BytesIO(tar_bytes({"a.eml": eml("in")}))
    with tarfile.open(fileobj=sink, mode="a") as archive:
        member = tarfile.TarInfo("b.eml")
        member.type, member.linkname = kind, str(tmp_path / "outside.eml")
        archive.addfile(member)
    assert subjects(fill(tmp_path, {"a.tar": sink.getvalue()}) / "a.tar") == ["in"]


def test_what_a_zip_links_to_is_not_read(tmp_path):
    (tmp_path / "outside.eml").write_bytes(eml("outside"))
    link = zipfile.ZipInfo("b.eml")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, str(tmp_path / "outside.eml"))
    assert subjects(tmp_path / "a.zip") == [None]


def test_an_outlook_message_that_is_too_large_to_hold_is_a_row_that_says_so(monkeypatch, tmp_path):
    pytest.importorskip("oxmsg")
    monkeypatch.setattr(mailstores, "_MSG_BYTES", 1000)
    (row,) = rows(fill(tmp_path, {"a.msg": bytes(1001)}) / "a.msg")
    assert (row["text"], row["flags"]) == (None, ["oversize"])
