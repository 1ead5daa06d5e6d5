import pytest
from conftest import SHARED
from hypothesis import given
from hypothesis import strategies as st
from nltk_files import HOST, INDEX, go_offline, install, packed, private_folder, serving

from textsent.errors import InputError
from textsent.stopwords import stop_words

NLTK_ZIP = SHARED / "data" / "nltk" / "corpora" / "stopwords.zip"
PACKAGE = "corpora/stopwords"

ADVICE = (
    ": run `python -m nltk.downloader stopwords` on a machine with a network and name the folder that it says in "
    "NLTK_DATA, or name a file of words with --stopwords"
)


@pytest.fixture
def word_file(tmp_path):
    def write(content):
        path = tmp_path / "words.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_words_come_from_a_file_in_its_order(word_file):
    assert stop_words(word_file("the\nof\nAnd\ndon't\n")) == ("the", "of", "And", "don't")


def test_blank_lines_comments_and_white_space_around_words_are_skipped(word_file):
    assert stop_words(word_file("# of mine\n\n  the \r\n\t\n #of\nof# \nand")) == ("the", "of#", "and")


def test_a_word_that_is_listed_twice_comes_once(word_file):
    assert stop_words(word_file("the\nof\nthe\n")) == ("the", "of")


def test_a_byte_order_mark_is_no_part_of_the_first_word(word_file):
    assert stop_words(word_file("\ufeffthe\nof\n")) == ("the", "of")


@given(
    words=st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1).filter(
            lambda word: word[0] not in "#\ufeff"
        ),
        min_size=1,
        unique=True,
    )
)
def test_what_was_written_is_read(tmp_path_factory, words):
    path = tmp_path_factory.mktemp("words") / "words.txt"
    path.write_text("\n".join(words), "utf-8")
    assert stop_words(path) == tuple(words)


@pytest.mark.parametrize("content", ["", "\n\n", "# nothing\n"])
def test_a_file_without_words_is_refused(word_file, content):
    path = word_file(content)
    with pytest.raises(InputError) as caught:
        stop_words(path)
    assert str(caught.value) == f"{path} holds no words: write one a line"


def test_a_line_of_two_words_is_refused_by_its_number(word_file):
    path = word_file("the\n\nof course\n")
    with pytest.raises(InputError) as caught:
        stop_words(path)
    assert str(caught.value) == f"{path}, line 3: 'of course' is more than one word: write one a line"


def test_a_file_that_is_not_utf8_is_refused_by_the_line(word_file):
    path = word_file(b"the\ncaf\xe9\n")
    with pytest.raises(InputError, match=r"words\.txt, line 2: the text is not UTF-8: convert it first"):
        stop_words(path)


def test_a_missing_file_and_a_folder_are_errors_that_name_them(tmp_path):
    with pytest.raises(InputError) as caught:
        stop_words(tmp_path / "none.txt")
    assert (
        str(caught.value) == f"{tmp_path / 'none.txt'} can't be opened: No such file or directory: check the path"
    )
    with pytest.raises(InputError, match="can't be opened: Is a directory"):
        stop_words(tmp_path)


@pytest.fixture
def nltk_data(tmp_path, monkeypatch):
    return private_folder(tmp_path, monkeypatch)


WORDS = {"stopwords/english": "i\nme\ndon't\n", "stopwords/german": "aber\n"}


@pytest.fixture
def served(tmp_path, monkeypatch):
    with serving(tmp_path, monkeypatch) as serve:
        yield serve


@pytest.fixture
def silent(capfd):
    """Checks at the end that nothing was printed."""
    yield
    assert capfd.readouterr() == ("", "")


def failure(index_url=INDEX):
    with pytest.raises(InputError) as caught:
        stop_words(index_url=index_url)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("NLTK's stop words aren't installed")
    assert message.endswith(ADVICE)
    return message.removesuffix(ADVICE)


@pytest.mark.usefixtures("silent")
def test_what_is_installed_is_read_without_a_network(nltk_data):
    install(nltk_data, PACKAGE, packed(WORDS))
    assert stop_words(index_url=INDEX) == ("i", "me", "don't")


@pytest.mark.usefixtures("silent")
def test_what_is_installed_may_be_unpacked(nltk_data):
    folder = nltk_data / "corpora" / "stopwords"
    folder.mkdir(mode=0o755, parents=True)
    (nltk_data / "corpora").chmod(0o755)
    (folder / "english").write_text("of\nthe\n")
    (folder / "english").chmod(0o644)
    assert stop_words(index_url=INDEX) == ("of", "the")


@pytest.mark.usefixtures("silent")
def test_the_first_use_downloads_and_the_second_does_not(nltk_data, served):
    requests = served(WORDS)
    assert stop_words(index_url=INDEX) == ("i", "me", "don't")
    assert requests == [INDEX, f"{HOST}/stopwords.zip"]
    assert (nltk_data / "corpora" / "stopwords" / "english").is_file()
    assert stop_words(index_url=INDEX) == ("i", "me", "don't")
    assert len(requests) == 2


@pytest.mark.usefixtures("nltk_data", "silent")
def test_what_the_downloader_prints_of_a_list_is_not_seen(served):
    served(WORDS, collections='<collection id="all"><item ref="nothing"/></collection>')
    assert stop_words(index_url=INDEX) == ("i", "me", "don't")


@pytest.mark.usefixtures("nltk_data", "silent")
def test_offline_one_error_says_so_and_what_to_try(monkeypatch):
    go_offline(monkeypatch)
    message = failure()
    assert message.startswith(
        "NLTK's stop words aren't installed and can't be downloaded: Error loading stopwords: "
    )
    assert "Connection refused" in message


@pytest.mark.usefixtures("nltk_data", "silent")
def test_what_nltk_refuses_to_ask_is_an_error_that_gives_its_reason():
    assert "restricted IP 127.0.0.1" in failure("http://127.0.0.1:1/index.xml")


@pytest.mark.usefixtures("nltk_data", "silent")
def test_a_server_that_has_no_list_is_an_error(served):
    served(WORDS)
    assert failure(f"{HOST}/none.xml").endswith("HTTP Error 404: File not found")


@pytest.mark.usefixtures("nltk_data", "silent")
@pytest.mark.parametrize(
    "content",
    ["", "<html><p>Welcome", "hello", '<nltk_data><packages><package id="stopwords"/></packages></nltk_data>'],
    ids=["empty", "a page", "a text", "a package that lacks what it must have"],
)
def test_a_list_that_is_none_is_an_error(served, content):
    served(WORDS)
    (served.folder / "index.xml").write_text(content)
    failure()


@pytest.mark.usefixtures("nltk_data", "silent")
def test_a_list_without_the_package_is_an_error(served):
    served(WORDS, package="corpora/other")
    assert "'stopwords' not found in index" in failure()


@pytest.mark.usefixtures("silent")
def test_a_download_that_was_changed_on_its_way_is_an_error_and_stays_nowhere(nltk_data, served):
    served(WORDS, content=packed({**WORDS, "stopwords/english": "no\nme\ndon't\n"}))
    assert "mismatch" in failure()
    assert not [path for path in nltk_data.rglob("*") if path.is_file()]


@pytest.mark.usefixtures("nltk_data", "silent")
def test_a_download_that_is_cut_off_is_an_error(served):
    served(WORDS, content=packed(WORDS)[:-1])
    assert "size mismatch" in failure()


@pytest.mark.usefixtures("nltk_data", "silent")
def test_a_download_without_english_words_is_an_error(served):
    served({"stopwords/german": "aber\n"})
    assert "what was downloaded has no corpora/stopwords/english" in failure()


@pytest.mark.usefixtures("silent")
def test_a_zip_that_is_broken_is_said_to_be(nltk_data):
    install(nltk_data, PACKAGE, b"PK, then something else")
    with pytest.raises(InputError, match="are installed and can't be read: File is not a zip file: get them anew"):
        stop_words(index_url=INDEX)


@pytest.mark.usefixtures("silent")
def test_a_folder_that_others_can_write_to_is_said_to_be_why(nltk_data):
    install(nltk_data, PACKAGE, packed(WORDS))
    nltk_data.chmod(0o777)
    assert "aren't installed: NLTK will not read data from" in failure()


@pytest.mark.usefixtures("silent")
def test_installed_words_that_are_not_utf8_are_an_error(nltk_data):
    install(nltk_data, PACKAGE, packed({"stopwords/english": b"caf\xe9\n"}))
    with pytest.raises(InputError, match="NLTK's list of stop words, line 1: the text is not UTF-8"):
        stop_words()


def test_the_english_words_of_nltk_are_179(nltk_data):
    if not NLTK_ZIP.is_file():
        pytest.skip(f"{NLTK_ZIP.name}, NLTK's own, is not here")
    install(nltk_data, PACKAGE, NLTK_ZIP.read_bytes())
    words = stop_words()
    assert len(words) == 179
    assert words[:3] == ("i", "me", "my")
    assert {"the", "don't", "not"} <= set(words)
