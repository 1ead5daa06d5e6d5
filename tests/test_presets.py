import shutil

import pytest

from textsent import presets
from textsent.errors import PresetError
from textsent.model import SentimentModel
from textsent.presets import CONFIG_FILE, PRESET_FILES, check_preset, find_preset, read_json


@pytest.fixture
def preset_copy(tiny_preset, tmp_path):
    return shutil.copytree(tiny_preset, tmp_path / "copy")


@pytest.mark.parametrize(
    ("shipped", "listed"), [([], "none"), (["imdb-lstm"], "imdb-lstm"), (["one", "two"], "one, two")]
)
def test_a_model_that_is_neither_a_folder_nor_shipped_is_an_error(tmp_path, monkeypatch, shipped, listed):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(presets, "shipped_presets", lambda: {name: tmp_path / name for name in shipped})
    with pytest.raises(PresetError) as missing:
        find_preset("nowhere")
    assert str(missing.value) == (
        f"there is no model 'nowhere': give a folder made by `textsent train`, or a shipped one: {listed}"
    )


def test_a_bare_name_means_the_shipped_model_and_a_path_the_folder(tmp_path, monkeypatch):
    (tmp_path / "imdb-lstm").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(presets, "shipped_presets", lambda: {"imdb-lstm": tmp_path / "shipped"})
    assert find_preset("imdb-lstm") == tmp_path / "shipped"
    assert find_preset("./imdb-lstm").resolve() == tmp_path / "imdb-lstm"
    assert find_preset(tmp_path / "imdb-lstm") == tmp_path / "imdb-lstm"


@pytest.mark.parametrize("name", PRESET_FILES)
def test_a_preset_that_lacks_a_file_is_refused_by_the_files_name(preset_copy, name):
    (preset_copy / name).unlink()
    message = (
        f"{preset_copy} is not a complete preset, it lacks {name}: "
        "train it again with `textsent train`, or use --model imdb-lstm"
    )
    with pytest.raises(PresetError) as incomplete:
        check_preset(preset_copy)
    assert str(incomplete.value) == message
    with pytest.raises(PresetError) as incomplete:
        SentimentModel.from_preset(preset_copy, "cpu")
    assert str(incomplete.value) == message


def test_an_empty_folder_lacks_every_file_of_a_preset(tmp_path):
    with pytest.raises(PresetError) as incomplete:
        check_preset(tmp_path)
    assert f"it lacks {', '.join(PRESET_FILES)}: " in str(incomplete.value)


def test_a_config_file_that_holds_a_list_is_refused(tmp_path):
    (tmp_path / CONFIG_FILE).write_text("[1]")
    with pytest.raises(PresetError) as damaged:
        read_json(tmp_path / CONFIG_FILE)
    assert str(damaged.value) == f"{tmp_path / CONFIG_FILE} must hold a JSON object. Received: list"
