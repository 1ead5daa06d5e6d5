import os
import stat
from pathlib import Path

import pyarrow as pa
import pytest

from textsent.errors import OutputError
from textsent.page import check_page, write_page
from textsent.presets import new_preset
from textsent.writers import open_writer

TABLE = pa.table({"text": ["so good"]})

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")


def write_rows(path, overwrite=False, before_the_end=lambda: None):
    with open_writer(path, TABLE.schema, "csv", overwrite) as writer:
        writer.write(TABLE.to_batches()[0])
        before_the_end()


WRITE = {"rows": write_rows, "page": lambda path, overwrite=False: write_page("a page", path, overwrite)}
each_output = pytest.mark.parametrize("write", WRITE.values(), ids=WRITE)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def usual():
    """A mask that lets everybody read."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_what_is_being_written_can_be_read_by_nobody_else(usual, tmp_path):
    found = []
    write_rows(tmp_path / "a.csv", before_the_end=lambda: found.extend(map(mode, tmp_path.iterdir())))
    assert found == [0o700]


def test_a_model_that_is_being_made_can_be_read_by_nobody_else(usual, tmp_path):
    with new_preset(tmp_path / "model") as folder:
        assert mode(folder) == 0o700
    assert mode(tmp_path / "model") == 0o755
    (tmp_path / "model").chmod(0o750)
    with new_preset(tmp_path / "model"):
        pass
    assert mode(tmp_path / "model") == 0o750


@each_output
def test_a_new_file_has_the_usual_permissions_and_one_that_is_replaced_keeps_its_own(usual, tmp_path, write):
    path = tmp_path / "a"
    write(path)
    assert mode(path) == 0o644
    path.chmod(0o600)
    write(path, overwrite=True)
    assert mode(path) == 0o600
    path.unlink()
    os.umask(0o077)
    write(path)
    assert mode(path) == 0o600


@each_output
def test_a_link_is_followed_and_stays(tmp_path, write):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "a").write_text("before")
    (tmp_path / "link").symlink_to(tmp_path / "far" / "a")
    with pytest.raises(OutputError, match="exists already"):
        write(tmp_path / "link")
    write(tmp_path / "link", overwrite=True)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "far" / "a").read_text() != "before"
    assert [path.name for path in (tmp_path / "far").iterdir()] == ["a"]


@each_output
def test_a_link_to_nothing_makes_what_it_leads_to(tmp_path, write):
    (tmp_path / "link").symlink_to(tmp_path / "a")
    write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a").is_file()


@each_output
def test_a_link_that_leads_to_itself_or_to_no_folder_is_refused(tmp_path, write):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "lost").symlink_to(tmp_path / "nowhere" / "a")
    for name in ("loop", "lost"):
        with pytest.raises(OutputError, match="can't be written"):
            write(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["loop", "lost"]


@each_output
@pytest.mark.parametrize("kind", ["fifo", "device", "folder"])
def test_what_is_no_regular_file_is_neither_written_nor_replaced(tmp_path, write, kind):
    path = {"fifo": tmp_path / "fifo", "device": Path("/dev/null"), "folder": tmp_path / "folder"}[kind]
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    for overwrite in (False, True):
        with pytest.raises(OutputError, match=r"is no regular file|is a folder"):
            write(path, overwrite=overwrite)


@each_output
@pytest.mark.parametrize("kind", ["link", "file", "open to all"])
def test_what_somebody_else_put_where_an_output_would_grow_is_not_used(tmp_path, write, kind):
    victim, planted = tmp_path / "victim", tmp_path / "a.partial"
    victim.mkdir()
    match kind:
        case "link":
            planted.symlink_to(victim)
        case "file":
            planted.write_text("before")
        case _:
            planted.mkdir()
            planted.chmod(0o777)
    with pytest.raises(OutputError) as raised:
        write(tmp_path / "a")
    assert str(raised.value) == (
        f"{tmp_path / 'a'} can't be written: {planted}, where it would grow, is no folder of your own that nobody "
        "else can enter: move that away, or name another output"
    )
    assert list(victim.iterdir()) == []
    assert not (tmp_path / "a").exists()


def test_a_page_that_can_not_be_written_is_known_before_it_is_made(tmp_path):
    with pytest.raises(OutputError, match="is no regular file: choose another name, or - for standard output"):
        check_page(tmp_path, overwrite=True)
