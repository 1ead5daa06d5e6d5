import shutil

import pytest

from textsent import presets
from textsent.errors import PresetError
from textsent.model import SentimentModel
from textsent.presets import (
    CONFIG_FILE,
    METADATA_FILE,
    ONNX_FILE,
    PRESET_FILES,
    PROJECTION_FILE,
    WEIGHTS_FILE,
    check_preset,
    find_preset,
    is_outside,
    read_json,
    write_json,
)


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


def with_graph(folder, graph):
    """Say in a preset's configuration which graph it has."""
    write_json(folder / CONFIG_FILE, {**read_json(folder / CONFIG_FILE), "graph": graph})


@pytest.mark.parametrize("graph", ["half", "", "Whole", 5, True, None, ["whole"], {"whole": 1}])
def test_a_graph_that_there_is_not_is_refused(preset_copy, graph):
    with_graph(preset_copy, graph)
    message = f"{preset_copy / CONFIG_FILE}: graph must be one of projected, whole, none. Received: {graph!r}"
    with pytest.raises(PresetError) as refused:
        check_preset(preset_copy)
    assert str(refused.value) == message
    with pytest.raises(PresetError) as refused:
        SentimentModel.from_preset(preset_copy, "cpu")
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("graph", "spared"),
    [("projected", set()), ("whole", {PROJECTION_FILE}), ("none", {PROJECTION_FILE, ONNX_FILE})],
)
@pytest.mark.parametrize("name", PRESET_FILES)
def test_a_preset_needs_the_files_of_its_graph_and_no_others(preset_copy, graph, spared, name):
    with_graph(preset_copy, graph)
    (preset_copy / name).unlink()
    if name in spared:
        check_preset(preset_copy)
        return
    with pytest.raises(PresetError) as incomplete:
        check_preset(preset_copy)
    assert f" is not a complete preset, it lacks {name}: " in str(incomplete.value)


def test_the_files_that_a_preset_lacks_are_all_named(preset_copy):
    with_graph(preset_copy, "whole")
    for name in (ONNX_FILE, METADATA_FILE, WEIGHTS_FILE):
        (preset_copy / name).unlink()
    with pytest.raises(PresetError) as incomplete:
        check_preset(preset_copy)
    assert str(incomplete.value) == (
        f"{preset_copy} is not a complete preset, it lacks metadata.json, model.onnx, model.weights.h5: "
        "train it again with `textsent train`, or use --model imdb-lstm"
    )


@pytest.mark.parametrize(
    ("name", "outside"),
    [
        ("my_recipes.py:bag", True),
        ("my_package.recipes:bag", True),
        ("/home/me/my_recipes.py:bag", True),
        (":", True),
        ("lstm", False),
        ("lstm-80", False),
        ("my_recipes.py", False),
        ("", False),
        (None, False),
        (["my_recipes.py:bag"], False),
    ],
)
def test_a_recipe_s_name_with_a_colon_is_an_import_path(name, outside):
    assert is_outside(name) == outside
