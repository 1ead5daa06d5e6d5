import os
import subprocess
import sys

import pytest
from nltk_files import HOST, INDEX, go_offline, install, packed, private_folder, serving

from textsent.errors import InputError
from textsent.nltk_data import installed_package, read_nltk_file

# How the downloader fails in all its ways, tests/test_stopwords.py has.

RATINGS = {"vader_lexicon/vader_lexicon.txt": "grand\t2.5\n"}
PACKAGE = "sentiment/vader_lexicon"
FILE = f"{PACKAGE}/vader_lexicon.txt"


@pytest.fixture
def nltk_data(tmp_path, monkeypatch):
    return private_folder(tmp_path, monkeypatch)


@pytest.fixture
def served(tmp_path, monkeypatch):
    with serving(tmp_path, monkeypatch) as serve:
        yield serve


def read():
    return read_nltk_file(FILE, "the ratings", "do without", INDEX)


def test_a_file_is_found_in_a_package_that_is_a_zip(nltk_data):
    install(nltk_data, PACKAGE, packed(RATINGS))
    assert read() == b"grand\t2.5\n"


def test_a_file_is_found_in_a_package_that_is_unpacked(nltk_data):
    path = nltk_data / FILE
    path.parent.mkdir(mode=0o700, parents=True)
    path.write_bytes(b"grim\t-2\n")
    assert read() == b"grim\t-2\n"


@pytest.mark.usefixtures("nltk_data")
@pytest.mark.parametrize("unzip", [0, 1], ids=["stays a zip", "is unpacked"])
def test_the_first_use_downloads_a_package_and_the_second_does_not(served, unzip):
    requests = served(RATINGS, package=PACKAGE, unzip=unzip)
    assert read() == b"grand\t2.5\n"
    assert read() == b"grand\t2.5\n"
    assert requests == [INDEX, f"{HOST}/vader_lexicon.zip"]


@pytest.mark.usefixtures("nltk_data")
def test_an_error_names_what_is_missing_the_package_and_the_other_way_out(monkeypatch):
    go_offline(monkeypatch)
    with pytest.raises(InputError) as caught:
        read()
    message = str(caught.value)
    assert message.startswith("the ratings aren't installed and can't be downloaded: Error loading vader_lexicon: ")
    assert message.endswith(
        ": run `python -m nltk.downloader vader_lexicon` on a machine with a network and name the folder that it "
        "says in NLTK_DATA, or do without"
    )


def test_a_broken_zip_is_an_error_that_says_how_to_get_it_anew(nltk_data):
    install(nltk_data, PACKAGE, b"no zip")
    with pytest.raises(InputError) as caught:
        read()
    assert str(caught.value) == (
        "the ratings are installed and can't be read: File is not a zip file: get them anew with "
        "`python -m nltk.downloader --force vader_lexicon`, or do without"
    )


def test_a_package_is_found_without_nltk_where_nltk_finds_it(tmp_path, monkeypatch):
    for name in ("zipped", "unpacked"):
        monkeypatch.setenv("NLTK_DATA", f"{tmp_path / 'nowhere'}{os.pathsep}{tmp_path / name}")
        assert installed_package(PACKAGE) != str(tmp_path / name / PACKAGE)
        path = tmp_path / name / (f"{PACKAGE}.zip" if name == "zipped" else PACKAGE)
        path.mkdir(parents=True)
        assert installed_package(PACKAGE) == str(path)
    assert installed_package("corpora/no_such_package") is None


def test_the_folders_that_are_looked_in_are_nltk_s():
    code = (
        "import os, nltk\n"
        "from textsent.nltk_data import _folders\n"
        "assert [str(folder) for folder in _folders()] == nltk.data.path, (_folders(), nltk.data.path)"
    )
    environment = os.environ | {"NLTK_DATA": f"/one{os.pathsep}/two"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
