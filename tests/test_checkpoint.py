import json

import numpy as np
import pytest
from test_fitting import FakeModel

from textsent.checkpoint import TrainingFolder, writing
from textsent.errors import InputError, OptionError, OutputError, PresetError


@pytest.fixture
def begun(tmp_path):
    """An unfinished training with a checkpoint and the weights of a best epoch."""
    folder = TrainingFolder(tmp_path / "model")
    folder.begin({"seed": 1, "data": "abc", "validation": 0.1, "test file": None})
    folder.save(model(0.25, 0.75), {"step": 3}, {"targets": np.array([0, 1], np.float32)})
    folder.save_best(model(0.125), 1)
    return folder


def model(weight=0.0, momentum=0.0):
    made = FakeModel()
    made.weight.assign([weight])
    made.momentum.assign(momentum)
    return made


def test_the_folder_stands_beside_the_model_that_it_makes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for output in (tmp_path / "model", tmp_path / "nowhere" / ".." / "model"):
        assert TrainingFolder(output).path == tmp_path / "model.training"
    assert not TrainingFolder(tmp_path / "model").exists


def test_a_checkpoint_gives_weights_optimizer_arrays_and_state_back(begun):
    other, targets = model(), np.zeros(2, np.float32)
    assert begun.load(other, {"targets": targets}) == {"step": 3}
    assert (other.weight.value.tolist(), other.momentum.value.tolist()) == ([0.25], 0.75)
    assert targets.tolist() == [0, 1]
    begun.load_best(other, 1)
    assert (other.weight.value.tolist(), other.momentum.value.tolist()) == ([0.125], 0.75)


def test_a_checkpoint_takes_the_place_of_the_one_before(begun):
    begun.save(model(0.5), {"step": 4}, {"targets": np.array([1, 1], np.float32)})
    other, targets = model(), np.zeros(2, np.float32)
    assert begun.load(other, {"targets": targets}) == {"step": 4}
    assert other.weight.value.tolist() == [0.5]
    assert sorted(path.name for path in begun.path.iterdir()) == ["best-1.npz", "checkpoint.npz", "run.json"]


@pytest.mark.parametrize("name", ["checkpoint.npz", "best-1.npz"])
@pytest.mark.parametrize("left", [0, 1, 50, 0.5, 0.95])
def test_a_checkpoint_that_was_cut_off_is_an_error_that_says_what_to_do(begun, name, left):
    whole = (begun.path / name).read_bytes()
    (begun.path / name).write_bytes(whole[: left if isinstance(left, int) else int(left * len(whole))])
    with pytest.raises(InputError) as damaged:
        load(begun, name)
    assert str(damaged.value).startswith(f"{begun.path / name} can't be read: ")
    assert str(damaged.value).endswith(": begin anew with --overwrite")


def load(folder, name, arrays=("targets",)):
    """Return a network's weight from one of the folder's files."""
    loaded = model()
    if name == "best-1.npz":
        folder.load_best(loaded, 1)
    else:
        folder.load(loaded, {array: np.zeros(2, np.float32) for array in arrays})
    return float(loaded.weight.value[0])


@pytest.mark.parametrize("name", ["checkpoint.npz", "best-1.npz"])
def test_a_byte_that_has_changed_is_an_error_or_makes_no_difference(begun, name):
    whole = (begun.path / name).read_bytes()
    errors = 0
    for at in range(len(whole)):
        (begun.path / name).write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            loaded = load(begun, name)
        except InputError:
            errors += 1
        else:  # what stands in the archive and isn't needed, such as dates
            assert loaded == (0.125 if name == "best-1.npz" else 0.25)
    assert errors > len(whole) / 2


@pytest.mark.parametrize("name", ["checkpoint.npz", "best-1.npz"])
def test_a_checkpoint_that_is_gone_is_an_error(begun, name):
    (begun.path / name).unlink()
    with pytest.raises(InputError):
        load(begun, name)


@pytest.mark.parametrize(
    "change",
    [
        {"value_0": np.zeros(2)},
        {"value_1": np.zeros(1)},
        {"targets": np.zeros(3, np.float32)},
        {"targets": np.zeros(1, np.float32)},
        {"state": np.frombuffer(b"{", np.uint8)},
        {"state": np.frombuffer(b"\xff", np.uint8)},
        {"value_0": np.array(["a"])},
        {"value_0": None},
        {"state": None},
    ],
    ids=str,
)
def test_a_checkpoint_of_another_shape_is_refused(begun, change):
    with np.load(begun.path / "checkpoint.npz") as saved:
        arrays = {**saved, **change}
    np.savez(begun.path / "checkpoint.npz", **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(InputError) as damaged:
        load(begun, "checkpoint.npz")
    assert str(damaged.value).startswith(f"{begun.path / 'checkpoint.npz'} can't be read: ")


def test_no_checkpoint_can_run_a_program(begun):
    np.savez(begun.path / "checkpoint.npz", value_0=np.array([print], object), allow_pickle=True)
    with pytest.raises(InputError):
        load(begun, "checkpoint.npz", ())


def test_a_training_goes_on_only_with_what_it_began_with(begun):
    run = {"seed": 1, "data": "abc", "validation": 0.1, "test file": None}
    begun.check_same(run)
    with pytest.raises(OptionError) as other:
        begun.check_same(run | {"seed": 2, "validation": None, "limit": 10})
    assert str(other.value) == (
        f"the training in {begun.path} can't go on, it began otherwise: limit was not given, now 10, "
        "seed was 1, now 2, validation was 0.1, now not given: "
        "give what it began with, or begin anew with --overwrite"
    )


@pytest.mark.parametrize("content", [None, "", "[]", "{"])
def test_a_folder_that_does_not_say_what_it_began_with_is_refused(begun, content):
    if content is None:
        (begun.path / "run.json").unlink()
    else:
        (begun.path / "run.json").write_text(content)
    with pytest.raises(PresetError) as damaged:
        begun.check_same({})
    assert str(begun.path / "run.json") in str(damaged.value)


def test_what_is_in_the_way_of_the_folder_is_an_error_and_stays(tmp_path):
    (tmp_path / "model.training").write_text("mine")
    folder = TrainingFolder(tmp_path / "model")
    folder.remove()
    with pytest.raises(OutputError) as existing:
        folder.begin({})
    assert str(existing.value) == f"{folder.path} can't be written: File exists"
    assert folder.path.read_text() == "mine"


def test_a_checkpoint_that_cannot_be_written_is_an_error_and_the_last_one_stays(begun, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError) as refused:
        begun.save(model(0.5), {"step": 4}, {"targets": np.ones(2, np.float32)})
    assert str(refused.value) == f"{begun.path / 'checkpoint.npz'} can't be written: No space left on device"
    assert begun.load(model(), {"targets": np.zeros(2, np.float32)}) == {"step": 3}


def test_arrays_are_kept_in_a_file_of_their_own_and_replaced_as_a_whole(begun):
    assert begun.load_arrays("more.npz") is None
    begun.save_arrays("more.npz", {"some": np.array([1, 2], np.int8), "others": np.array([0.5])})
    begun.save_arrays("more.npz", {"some": np.array([3, 4], np.int8)})
    loaded = begun.load_arrays("more.npz")
    assert list(loaded) == ["some"]
    assert (loaded["some"].dtype, loaded["some"].tolist()) == (np.int8, [3, 4])
    assert not list(begun.path.glob("*.partial"))


@pytest.mark.parametrize("left", [0, 1, 50, -1])
def test_arrays_that_were_cut_off_or_could_run_a_program_are_an_error_that_says_what_to_do(begun, left):
    begun.save_arrays("more.npz", {"some": np.arange(9)})
    (begun.path / "more.npz").write_bytes((begun.path / "more.npz").read_bytes()[:left])
    with pytest.raises(InputError, match=r"more\.npz can't be read: .*: begin anew with --overwrite"):
        begun.load_arrays("more.npz")
    np.savez(begun.path / "more.npz", some=np.array([{}], object), allow_pickle=True)
    with pytest.raises(InputError, match=r"more\.npz can't be read: .*: begin anew with --overwrite"):
        begun.load_arrays("more.npz")


def test_what_the_system_refuses_to_write_is_an_error_that_names_the_folder(tmp_path):
    with pytest.raises(OutputError) as refused, writing(tmp_path / "model"):
        (tmp_path / "nowhere" / "file").write_text("")
    assert str(refused.value) == f"{tmp_path / 'model'} can't be written: No such file or directory"
    with pytest.raises(OutputError, match="can't be written: disk on fire"), writing(tmp_path):
        raise OSError("disk on fire")


def test_a_folder_is_removed_with_all_that_is_in_it(begun):
    assert begun.exists
    assert begun.has_checkpoint
    begun.remove()
    assert not begun.exists
    assert not begun.has_checkpoint
    begun.remove()


def test_the_file_of_the_options_is_json_that_one_can_read(begun):
    assert json.loads((begun.path / "run.json").read_text())["seed"] == 1
