import subprocess
import sys
from importlib.metadata import version

import pytest

import textsent
from textsent import distributed, errors


def test_the_package_has_the_names_it_promises():
    assert sorted(textsent.__all__) == [
        "ErrorOptions", "MailOptions", "Preprocessor", "Scorer", "TableOptions", "TextsentError", "__version__",
        "load", "open_reader", "own_words", "score_file", "score_frame", "score_frames",
    ]  # fmt: skip
    assert dir(textsent) == sorted([*textsent.__all__, "TextsentClassifier"])
    for name in textsent.__all__:
        assert getattr(textsent, name) is not None


def test_each_name_is_the_one_of_its_module():
    from textsent import classifier, dataframe, errors, files, mail, preprocess, readers, score

    assert textsent.MailOptions is mail.MailOptions
    assert textsent.open_reader is readers.open_reader
    assert textsent.Preprocessor is preprocess.Preprocessor
    assert textsent.Scorer is score.Scorer
    assert textsent.TextsentError is errors.TextsentError
    assert textsent.load is score.load
    assert textsent.score_file is files.score_file
    assert textsent.score_frame is dataframe.score_frame
    assert textsent.score_frames is dataframe.score_frames
    assert textsent.TextsentClassifier is classifier.TextsentClassifier


def test_a_name_stays_what_it_is_when_every_module_is_imported():
    code = (
        "import importlib, pkgutil, textsent\n"
        "before = {name: getattr(textsent, name) for name in textsent.__all__}\n"
        "for module in pkgutil.iter_modules(textsent.__path__):\n"
        "    if module.name != '__main__':\n"
        "        importlib.import_module('textsent.' + module.name)\n"
        "print(*(name for name in textsent.__all__ if getattr(textsent, name) is not before[name]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "\n"


def test_the_author_s_own_words_are_had_from_the_package():
    for _ in range(2):
        assert textsent.own_words("It works!\n\nOn 3 Feb 2026, Ann wrote:\n> Does it?") == "It works!"


def test_a_name_that_the_package_lacks_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'textsent' has no attribute 'nonsense'"):
        _ = textsent.nonsense


def test_the_version_is_that_of_the_installed_package():
    assert version("textsent") == textsent.__version__


def test_every_error_of_the_package_is_a_textsent_error():
    from textsent import errors

    tree = [value for value in vars(errors).values() if isinstance(value, type)]
    assert all(issubclass(error, errors.TextsentError) for error in tree)
    for error in tree:
        assert error.__name__ in (errors.__doc__ or "")


def test_importing_the_package_imports_nothing_heavy():
    heavy = {
        "numpy",
        "pandas",
        "pyarrow",
        "onnxruntime",
        "keras",
        "tensorflow",
        "typer",
        "rich",
        "importlib.metadata",
    }
    code = f"import sys, textsent; print(*{heavy!r}.intersection(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "\n"


def test_scoring_on_spark_without_spark_names_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.delitem(sys.modules, "textsent.distributed.spark", raising=False)
    with pytest.raises(errors.MissingExtraError, match=r"pip install 'textsent\[spark\]'"):
        distributed.score_spark  # noqa: B018 - it is imported when it is asked for
