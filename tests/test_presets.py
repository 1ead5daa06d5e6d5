import shutil

import numpy as np
import pytest
from conftest import add_ngrams

from textsent import presets
from textsent.errors import OutputError, PresetError
from textsent.model import SentimentModel
from textsent.presets import (
    CONFIG_FILE,
    METADATA_FILE,
    NGRAMS_FILE,
    NO_CALIBRATION,
    ONNX_FILE,
    PRESET_FILES,
    PROJECTION_FILE,
    WEIGHTS_FILE,
    Calibration,
    check_preset,
    find_preset,
    is_outside,
    new_preset,
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


def test_a_preset_with_n_grams_needs_their_file(preset_copy):
    add_ngrams(preset_copy)
    check_preset(preset_copy)
    (preset_copy / NGRAMS_FILE).unlink()
    with pytest.raises(PresetError, match=f" is not a complete preset, it lacks {NGRAMS_FILE}: "):
        check_preset(preset_copy)


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


BAND = "the calibration's neutral band needs two numbers, 0 ≤ low ≤ high ≤ 1"


def with_calibration(folder, calibration):
    write_json(folder / CONFIG_FILE, {**read_json(folder / CONFIG_FILE), "calibration": calibration})


@pytest.mark.parametrize(
    ("calibration", "expected"),
    [
        ({}, Calibration()),
        ({"temperature": 2}, Calibration(2)),
        ({"bias": -0.5, "temperature": 0.01}, Calibration(0.01, -0.5)),
        ({"neutral": [0.25, 0.5]}, Calibration(neutral=(0.25, 0.5))),
        ({"temperature": 1.5, "bias": 0.1, "neutral": None}, Calibration(1.5, 0.1)),
    ],
)
def test_a_preset_s_calibration_is_what_its_configuration_says(preset_copy, calibration, expected):
    with_calibration(preset_copy, calibration)
    assert Calibration.from_preset(preset_copy) == expected
    with_calibration(preset_copy, expected.to_json())
    assert Calibration.from_preset(preset_copy) == expected


def test_a_preset_without_a_calibration_has_one_that_changes_nothing(preset_copy):
    assert Calibration.from_preset(preset_copy) == Calibration(1.0, 0.0, None)


@pytest.mark.parametrize(
    ("calibration", "problem"),
    [
        (None, "calibration may hold bias, neutral, temperature. Received: None"),
        ([2], "calibration may hold bias, neutral, temperature. Received: [2]"),
        ({"temprature": 2}, "calibration may hold bias, neutral, temperature. Received: {'temprature': 2}"),
        ({"temperature": 0}, "the calibration's temperature must be a number from 0.01 to 100. Received: 0"),
        ({"temperature": "2"}, "the calibration's temperature must be a number from 0.01 to 100. Received: '2'"),
        ({"temperature": True}, "the calibration's temperature must be a number from 0.01 to 100. Received: True"),
        ({"bias": float("nan")}, "the calibration's bias must be a number from -100 to 100. Received: nan"),
        ({"bias": None}, "the calibration's bias must be a number from -100 to 100. Received: None"),
        *(
            ({"neutral": band}, f"{BAND}. Received: {band}")
            for band in ([0.6, 0.4], [0.5], [0.5, 2], [-0.1, 0.5], [0.1, True], 0.5, {"low": 0.1})
        ),
    ],
)  # fmt: skip
def test_a_calibration_that_makes_no_sense_is_refused(preset_copy, calibration, problem):
    with_calibration(preset_copy, calibration)
    for read in (Calibration.from_preset, lambda folder: SentimentModel.from_preset(folder, "cpu")):
        with pytest.raises(PresetError) as refused:
            read(preset_copy)
        assert str(refused.value) == f"{preset_copy / CONFIG_FILE}: {problem}"


def test_one_calibration_after_another_is_one():
    both = Calibration(2.0, 0.5, (0.4, 0.6)).then(4.0, -1.0)
    assert (both.temperature, both.bias) == (8.0, -0.875)
    assert 3.0 / both.temperature + both.bias == (3.0 / 2 + 0.5) / 4 - 1
    assert NO_CALIBRATION.then(2.0, 0.5) == Calibration(2.0, 0.5)


@pytest.mark.parametrize("temperature", [0.25, 1.0, 3.0])
def test_a_temperature_moves_no_text_into_the_neutral_band_or_out_of_it(temperature):
    odds = np.array([-9, -1.01, -0.99, 0, 0.49, 0.51, 9])
    before = Calibration(neutral=(1 / (1 + np.e), 1 / (1 + np.exp(-0.5))))
    after = before.then(temperature, 0.0)
    for calibration in (before, after):
        scores = 1 / (1 + np.exp(-odds / calibration.temperature))
        low, high = calibration.neutral
        assert ((scores >= low) & (scores <= high)).tolist() == [False, False, True, True, True, False, False]
    assert Calibration(neutral=(0.0, 1.0)).then(temperature, 2.0).neutral == (0.0, 1.0)


def test_a_new_preset_takes_its_name_when_it_is_complete(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "old").touch()
    with new_preset(tmp_path / "model") as folder:
        (folder / "new").touch()
        assert [path.name for path in (tmp_path / "model").iterdir()] == ["old"]
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def half_written(folder, error):
    with new_preset(folder) as partial:
        (partial / "new").touch()
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), PresetError("damaged")])
def test_a_new_preset_that_is_not_completed_leaves_nothing(tmp_path, error):
    with pytest.raises(type(error)):
        half_written(tmp_path / "model", error)
    assert list(tmp_path.iterdir()) == []


def test_a_new_preset_that_the_system_refuses_is_an_error_of_the_output(tmp_path):
    for folder, error in (("model", OSError(28, "No space left on device")), ("missing/model", OSError())):
        with pytest.raises(OutputError) as refused:
            half_written(tmp_path / folder, error)
        reason = "No space left on device" if folder == "model" else "No such file or directory"
        assert str(refused.value) == f"{tmp_path / folder} can't be written: {reason}"
    assert list(tmp_path.iterdir()) == []
