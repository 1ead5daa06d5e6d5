import os
import shutil

import h5py
import numpy as np
import onnx
import pytest
from conftest import add_ngrams

from textsent import presets
from textsent.errors import OutputError, PresetError
from textsent.model import KerasNetwork, SentimentModel
from textsent.presets import (
    CONFIG_FILE,
    GET_ANEW,
    METADATA_FILE,
    MOST_BYTES,
    NGRAMS_FILE,
    NO_CALIBRATION,
    ONNX_FILE,
    PRESET_FILES,
    PROJECTION_FILE,
    README_FILE,
    SETTINGS_FILE,
    VOCABULARY_FILE,
    WEIGHTS_FILE,
    Calibration,
    check_preset,
    find_preset,
    is_outside,
    new_preset,
    read_json,
    write_json,
)
from textsent.score import load


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
    assert str(damaged.value) == f"{tmp_path / CONFIG_FILE} must hold a JSON object: {GET_ANEW}. Received: list"


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


# Presets of strangers


def loading_error(folder, **options):
    with pytest.raises(PresetError) as refused:
        load(folder, device="cpu", **options)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    "name", [CONFIG_FILE, SETTINGS_FILE, VOCABULARY_FILE, WEIGHTS_FILE, ONNX_FILE, README_FILE]
)
def test_a_file_that_leads_out_of_the_folder_is_not_followed(preset_copy, tmp_path, name):
    outside = tmp_path / "secret"
    outside.write_bytes((preset_copy / name).read_bytes() if (preset_copy / name).exists() else b"secret")
    (preset_copy / name).unlink(missing_ok=True)
    (preset_copy / name).symlink_to(outside)
    path = preset_copy / name
    assert loading_error(preset_copy) == (
        f"{path} is a link out of the model's folder: copy the file that it leads to there"
    )


def test_a_file_that_leads_to_another_one_of_the_folder_is_followed(preset_copy):
    (preset_copy / VOCABULARY_FILE).rename(preset_copy / "words")
    (preset_copy / VOCABULARY_FILE).symlink_to("words")
    assert load(preset_copy, device="cpu").score(["great"]).shape == (1,)


def test_a_preset_that_came_with_the_package_may_be_made_of_links(preset_copy, tmp_path, monkeypatch):
    (preset_copy / VOCABULARY_FILE).rename(tmp_path / "words")
    (preset_copy / VOCABULARY_FILE).symlink_to(tmp_path / "words")
    monkeypatch.setattr(presets, "shipped_presets", lambda: {"copy": preset_copy})
    check_preset(preset_copy)


def test_a_pipe_or_a_device_is_no_file_of_a_preset(preset_copy):
    os.mkfifo(preset_copy / README_FILE)
    assert loading_error(preset_copy) == f"{preset_copy / README_FILE} is no regular file: {GET_ANEW}"


@pytest.mark.parametrize(
    "name", [CONFIG_FILE, SETTINGS_FILE, METADATA_FILE, VOCABULARY_FILE, ONNX_FILE, WEIGHTS_FILE]
)
def test_a_file_that_is_too_large_is_not_read(preset_copy, name):
    with (preset_copy / name).open("r+b") as file:
        file.truncate(MOST_BYTES[name] + 1)  # a hole, which takes no room on the disk
    most = MOST_BYTES[name]
    assert (
        loading_error(preset_copy)
        == f"{preset_copy / name} has {most + 1:,} bytes, and {most:,} at most are read: {GET_ANEW}"
    )


@pytest.mark.parametrize("name", [CONFIG_FILE, SETTINGS_FILE])
def test_lists_in_lists_without_end_are_refused(preset_copy, name):
    (preset_copy / name).write_text("[" * 100_000)
    assert (
        loading_error(preset_copy)
        == f"{preset_copy / name} can't be read: lists stand within lists, too deep: {GET_ANEW}"
    )


@pytest.mark.parametrize("key", ["embedding_size", "units"])
@pytest.mark.parametrize("value", [1, 1 << 40, "six", None, [6], -6, 1e300])
def test_sizes_that_are_not_those_of_the_graphs_are_refused(preset_copy, key, value):
    write_json(preset_copy / CONFIG_FILE, {**read_json(preset_copy / CONFIG_FILE), key: value})
    assert "aren't those that" in loading_error(preset_copy)


@pytest.mark.parametrize("key", ["embedding_size", "units", "vocabulary_size", "dense_units", "window"])
@pytest.mark.parametrize("value", [1 << 40, "six", -6, 1e300])
def test_for_keras_no_more_memory_is_taken_than_the_weights_need(preset_copy, key, value):
    if (key, value) == ("window", 1 << 40):
        return  # which takes none
    write_json(preset_copy / CONFIG_FILE, {**read_json(preset_copy / CONFIG_FILE), key: value})
    with pytest.raises(PresetError, match=r"doesn't fit .* tells of"):
        KerasNetwork.from_preset(preset_copy)


def test_a_vocabulary_and_graphs_that_agree_on_a_lie_are_refused(preset_copy):
    graph = onnx.load(preset_copy / PROJECTION_FILE)
    graph.metadata_props[0].value = "10"
    onnx.save(graph, preset_copy / PROJECTION_FILE)
    write_json(preset_copy / CONFIG_FILE, {**read_json(preset_copy / CONFIG_FILE), "vocabulary_size": 6})
    (preset_copy / VOCABULARY_FILE).write_text("the\ngreat\nservice\nterrible\nguys\nmore\n")
    assert "aren't those that" in loading_error(preset_copy)


def test_a_graph_that_fails_on_a_text_is_an_error_in_one_line(preset_copy):
    graph = onnx.load(preset_copy / ONNX_FILE)
    (units,) = (tensor for tensor in graph.graph.initializer if tensor.name == "units")
    units.raw_data = np.array([7], np.int64).tobytes()
    onnx.save(graph, preset_copy / ONNX_FILE)
    scorer = load(preset_copy, device="cpu")
    with pytest.raises(PresetError, match="the model's graph can't be run by ONNX Runtime"):
        scorer.score(["the great service"])


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_weights_in_another_file_are_not_read(preset_copy, tmp_path, precision):
    onnx.save(
        onnx.load(preset_copy / ONNX_FILE),
        preset_copy / ONNX_FILE,
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    assert loading_error(preset_copy, precision=precision) == (
        f"{preset_copy / ONNX_FILE} can't be loaded by ONNX Runtime: it keeps a tensor in another file: {GET_ANEW}"
    )


@pytest.mark.parametrize("untrusted", ["evil.py:recipe", "evil:recipe", "textsent.evil:recipe"])
def test_scoring_does_not_import_a_recipe_s_code(preset_copy, tmp_path, monkeypatch, untrusted):
    (tmp_path / "evil.py").write_text("from pathlib import Path\nPath('imported').touch()\nrecipe = None\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    write_json(preset_copy / CONFIG_FILE, {**read_json(preset_copy / CONFIG_FILE), "recipe": untrusted})
    assert load(preset_copy, device="cpu").score(["great"]).shape == (1,)
    with pytest.raises(PresetError, match="if you trust it, use --trust-recipe"):
        KerasNetwork.from_preset(preset_copy)
    with_graph(preset_copy, "none")
    assert "if you trust it, use --trust-recipe" in loading_error(preset_copy)
    assert not (tmp_path / "imported").exists()


@pytest.mark.filterwarnings("ignore:Skipping nested container:UserWarning")
@pytest.mark.parametrize("kind", ["external", "soft", "elsewhere", "huge"])
def test_weights_that_lead_elsewhere_or_claim_to_be_huge_are_refused(preset_copy, tmp_path, kind):
    with h5py.File(tmp_path / "outside.h5", "w") as outside:
        outside["secret"] = np.zeros((9, 6), np.float32)
    with h5py.File(preset_copy / WEIGHTS_FILE, "r+") as file:
        variables = file["layers/embedding/vars"]
        del variables["0"]
        if kind == "external":
            variables["0"] = h5py.ExternalLink(str(tmp_path / "outside.h5"), "/secret")
        elif kind == "soft":
            variables["0"] = h5py.SoftLink("/layers/lstm")
        elif kind == "elsewhere":
            raw = tmp_path / "raw.bin"
            raw.write_bytes(bytes(216))
            variables.create_dataset("0", (9, 6), np.float32, external=[(str(raw), 0, 216)])
        else:
            variables.create_dataset("0", (1 << 40, 6), np.float32, chunks=(1024, 6))
    with pytest.raises(PresetError, match="doesn't fit"):
        KerasNetwork.from_preset(preset_copy)
