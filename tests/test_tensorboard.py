import importlib.util

import pytest

from textsent import tensorboard
from textsent.errors import MissingExtraError
from textsent.fitting import Beginning, Epoch
from textsent.tensorboard import TensorBoardLog

BEGINNING = Beginning(10, 5, False, 100, 3, 2)
EPOCHS = [
    Epoch(1, 0.75, 0.5, 0.625, 0.5625, 9.0, True),
    Epoch(2, 0.5, 0.75, 0.375, 0.8125, 9.0, True),
]


def logged(folder):
    """Return the scalars that TensorBoard reads in a folder: by tag, as pairs of epoch and value."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    read = EventAccumulator(str(folder))
    read.Reload()
    tags = read.PluginTagToContent("scalars")
    return {tag: [(event.step, make_ndarray(event.tensor_proto)) for event in read.Tensors(tag)] for tag in tags}


@pytest.fixture
def log(tmp_path):
    log = TensorBoardLog(tmp_path / "logs")
    assert list((tmp_path / "logs").iterdir()) == []
    log.said("a line")
    log.began(BEGINNING)
    log.step_done(1, 1, 16, 0.5, 0.5)
    return log


def test_tensorboard_reads_loss_and_accuracy_of_both_parts_by_epoch(log, tmp_path):
    for epoch in EPOCHS:
        log.epoch_done(epoch)
    assert logged(tmp_path / "logs" / "train") == {
        "epoch_loss": [(1, 0.75), (2, 0.5)],
        "epoch_accuracy": [(1, 0.5), (2, 0.75)],
    }
    assert logged(tmp_path / "logs" / "validation") == {
        "epoch_loss": [(1, 0.625), (2, 0.375)],
        "epoch_accuracy": [(1, 0.5625), (2, 0.8125)],
    }


def test_an_epoch_can_be_seen_before_the_next_one_is_over(log, tmp_path):
    log.epoch_done(EPOCHS[0])
    assert logged(tmp_path / "logs" / "validation")["epoch_accuracy"] == [(1, 0.5625)]


def test_a_training_that_goes_on_adds_to_its_log(log, tmp_path):
    log.epoch_done(EPOCHS[0])
    another = TensorBoardLog(tmp_path / "logs")
    another.began(BEGINNING)
    another.epoch_done(EPOCHS[1])
    assert logged(tmp_path / "logs" / "train")["epoch_loss"] == [(1, 0.75), (2, 0.5)]


def test_without_tensorboard_the_command_that_installs_it_is_named(tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(tensorboard, "find_spec", lambda name: None if name == "tensorboard" else find(name))
    with pytest.raises(MissingExtraError) as missing:
        TensorBoardLog(tmp_path)
    assert str(missing.value) == (
        "--tensorboard needs the package tensorboard: pip install 'textsent[tensorboard]'"
    )
