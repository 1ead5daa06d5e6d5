"""Trainings that are killed or interrupted, and go on: real processes, real signals."""

import json
import re
import signal
import subprocess
import sys
from functools import cache
from importlib.util import find_spec

import numpy as np
import pytest
from nltk_files import install_lexicons, private_folder
from small_trainings import (
    TONES,
    Observer,
    environment,
    history_of,
    labelled,
    texts_of,
    unlabelled,
    weights_of,
    write_csv,
)

from textsent import load
from textsent.options import Options
from textsent.presets import METADATA_FILE, read_json
from textsent.train import train

KILLED = """
import json, math, os, signal, sys
from pathlib import Path
from small_trainings import Observer, labelled, unlabelled
from textsent import checkpoint, fitting
from textsent.options import Options
from textsent.train import train

told = json.loads(sys.argv[1])
fitting.CHECKPOINT_SECONDS = 0

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

class Watching(Observer):
    def step_done(self, *step):
        if list(step[:2]) > told["last_checkpoint"]:
            fitting.CHECKPOINT_SECONDS = math.inf
        super().step_done(*step)

if told["at"] == ["first checkpoint"]:
    checkpoint.TrainingFolder.save = die
train(
    labelled(), Path("model"), Options(told["recipe"], short_texts=told["short_texts"]),
    Watching(tuple(told["at"]), die), unlabelled=unlabelled() if told["unlabelled"] else None, pictures=False,
    resume=told["resume"],
)
"""
"""Trains in the working folder, and kills itself at an event; checkpoints are written after each step up to one."""

TEXTS = [*texts_of([0, 1] * 10, seed=7), "great", "bad it the", "unknown guys " * 20]


@pytest.fixture
def killed(tmp_path):
    """Trains until it is killed at an event; returns how many epochs and steps the checkpoint holds."""

    def run(recipe, at, *, last_checkpoint=(0, 0), with_unlabelled=False, short_texts=False, resume=False):
        told = {
            "recipe": recipe, "at": at, "last_checkpoint": last_checkpoint, "unlabelled": with_unlabelled,
            "short_texts": short_texts, "resume": resume,
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", KILLED, json.dumps(told)],
            cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["model.training"]
        if not (checkpoint := tmp_path / "model.training" / "checkpoint.npz").exists():
            return None
        with np.load(checkpoint) as saved:
            state = json.loads(saved["state"].tobytes())
        return len(state["epochs"]), state["step"]

    return run


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Trains a recipe from beginning to end, once."""

    @cache
    def run(recipe, with_unlabelled=False, short_texts=False):
        model = tmp_path_factory.mktemp("uninterrupted") / "model"
        more = unlabelled() if with_unlabelled else None
        options = Options(recipe, short_texts=short_texts)
        train(labelled(), model, options, Observer(), unlabelled=more, pictures=False)
        return model

    return run


@pytest.fixture
def lexicons(tmp_path_factory, monkeypatch):
    """Lexicons of a few words, for this process and those that it starts."""
    folder = private_folder(tmp_path_factory.mktemp("home"), monkeypatch)
    install_lexicons(folder, TONES)
    monkeypatch.setenv("NLTK_DATA", str(folder))


def go_on(model, recipe, short_texts=False, **settings):
    observer, options = Observer(), Options(recipe, short_texts=short_texts)
    train(labelled(), model, options, observer, pictures=False, resume=True, **settings)
    assert [path.name for path in model.parent.iterdir()] == [model.name]
    return observer


def assert_same_to_the_bit(model, other):
    ours, theirs = weights_of(model), weights_of(other)
    assert ours.keys() == theirs.keys()
    for name, weights in ours.items():
        np.testing.assert_array_equal(weights, theirs[name], err_msg=name)
    assert history_of(model) == history_of(other)
    for name in ("validation", "data", "options"):
        assert read_json(model / METADATA_FILE)[name] == read_json(other / METADATA_FILE)[name]
    once, again = (load(folder, device="cpu").score(TEXTS) for folder in (model, other))
    np.testing.assert_array_equal(once, again)
    assert once.std() > 0.01


def test_a_training_that_is_killed_again_and_again_ends_with_the_weights_it_would_have_had(
    killed, uninterrupted, tmp_path
):
    recipe = "small_trainings:bag"
    expected = uninterrupted(recipe)
    assert killed(recipe, ["first checkpoint"]) is None
    assert killed(recipe, ["step", 1, 7], last_checkpoint=(1, 3), resume=True) == (0, 3)
    assert killed(recipe, ["epoch", 1], last_checkpoint=(1, 5), resume=True) == (1, 0)
    assert killed(recipe, ["step", 2, 6], last_checkpoint=(2, 5), resume=True) == (1, 5)
    observer = go_on(tmp_path / "model", recipe)
    assert observer.beginnings[0].epoch == 2
    assert observer.steps[0][:2] == (2, 6)
    assert_same_to_the_bit(tmp_path / "model", expected)


def test_recurrent_dropout_and_rmsprop_go_on_as_if_nothing_had_happened(killed, uninterrupted, tmp_path):
    recipe = "small_trainings:recurrent"
    assert killed(recipe, ["step", 2, 4], last_checkpoint=(2, 2)) == (1, 2)
    go_on(tmp_path / "model", recipe)
    assert_same_to_the_bit(tmp_path / "model", uninterrupted(recipe))


def test_a_teacher_and_what_the_network_taught_itself_are_remembered(killed, uninterrupted, tmp_path):
    recipe = "small_trainings:small_lstm"
    assert killed(recipe, ["step", 3, 4], last_checkpoint=(3, 1), with_unlabelled=True) == (2, 1)
    observer = go_on(tmp_path / "model", recipe, unlabelled=unlabelled())
    assert observer.lines == ["n-grams are weighed"]
    assert_same_to_the_bit(tmp_path / "model", uninterrupted(recipe, with_unlabelled=True))


def test_a_training_with_short_texts_goes_on_with_its_sentences_and_the_teacher_made_anew(
    lexicons, killed, uninterrupted, tmp_path
):
    recipe = "small_trainings:small_lstm"  # of three epochs: the teacher reconsiders after the first two
    done = killed(recipe, ["step", 2, 4], last_checkpoint=(2, 2), with_unlabelled=True, short_texts=True)
    assert done == (1, 2)
    observer = go_on(tmp_path / "model", recipe, short_texts=True, unlabelled=unlabelled())
    assert observer.lines == ["n-grams are weighed"]
    assert_same_to_the_bit(tmp_path / "model", uninterrupted(recipe, with_unlabelled=True, short_texts=True))


INTERRUPTED = """
import os, signal, sys
from textsent import cli, display

told = display.TrainingDisplay.step_done

def interrupted(self, epoch, step, *figures):
    told(self, epoch, step, *figures)
    if f"{epoch}.{step}" == event:
        os.kill(os.getpid(), signal.SIGINT)

event = sys.argv.pop()
display.TrainingDisplay.step_done = interrupted
cli.run()
"""
"""Runs the command line; at an epoch and its step, told by the last argument, Ctrl-C is pressed."""


def run(folder, *arguments):
    """Run Python in a folder; return exit code, stdout and the lines of stderr."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment(), capture_output=True, text=True, timeout=300
    )
    return done.returncode, done.stdout, done.stderr.splitlines()


GOES_ON = "textsent: interrupted: the same command with --resume goes on from model.training"


def test_ctrl_c_keeps_what_there_is_and_the_command_goes_on_with_resume(uninterrupted, tmp_path):
    write_csv(tmp_path / "reviews.csv", labelled())
    recipe = "small_trainings:bag"
    command = ["train", "--data", "reviews.csv", "--recipe", recipe, "--output", "model", "--no-pictures"]
    model, unfinished = tmp_path / "model", tmp_path / "model.training"

    code, out, lines = run(tmp_path, "-c", INTERRUPTED, *command, "1.3")
    assert (code, out) == (130, "")
    assert lines[-1] == GOES_ON
    assert not any("Traceback" in line for line in lines)
    assert not model.exists()
    assert unfinished.exists()

    code, out, lines = run(tmp_path, "-c", INTERRUPTED, *command, "--resume", "2.3")
    assert (code, out) == (130, "")
    assert lines[-1] == GOES_ON
    assert "The epoch kept, now in model, on the validation part:" in lines
    assert [epoch["number"] for epoch in history_of(model)] == [1]
    assert unfinished.exists()

    code, out, lines = run(tmp_path, "-m", "textsent", *command, "--resume")
    assert (code, out) == (0, "")
    assert re.fullmatch(r"going on with epoch 2 after 3 of \d+ steps", lines[1])
    assert GOES_ON not in lines
    assert not unfinished.exists()
    assert_same_to_the_bit(model, uninterrupted(recipe))
    assert "--resume" in read_json(model / METADATA_FILE)["command"]


def test_the_same_seed_gives_the_same_weights_in_two_processes(uninterrupted, tmp_path):
    write_csv(tmp_path / "reviews.csv", labelled())
    command = "train --data reviews.csv --recipe small_trainings:recurrent --output model --no-pictures --quiet"
    assert run(tmp_path, "-m", "textsent", *command.split()) == (0, "", [])
    assert_same_to_the_bit(tmp_path / "model", uninterrupted("small_trainings:recurrent"))


ANY_BACKEND = """
import sys
from pathlib import Path
import numpy as np
from small_trainings import Observer, history_of, labelled, weights_of
from textsent import fitting
from textsent.options import Options
from textsent.train import train

class Killed(BaseException):
    pass

def die():
    raise Killed

fitting.CHECKPOINT_SECONDS = 0
options = Options(sys.argv[1])
train(labelled(), Path("whole"), options, Observer(), pictures=False)
try:
    train(labelled(), Path("model"), options, Observer(("step", 2, 4), die), pictures=False)
except Killed:
    train(labelled(), Path("model"), options, Observer(), pictures=False, resume=True)
ours, theirs = weights_of(Path("model")), weights_of(Path("whole"))
same = [name for name, weights in ours.items() if np.array_equal(weights, theirs[name])]
print(len(same), "of", len(ours), history_of(Path("model")) == history_of(Path("whole")))
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_training_goes_on_to_the_same_weights_on_other_backends_too(tmp_path, backend):
    if find_spec(backend) is None:
        pytest.skip(f"{backend} isn't installed")
    done = subprocess.run(
        [sys.executable, "-c", ANY_BACKEND, "small_trainings:recurrent"],
        cwd=tmp_path, env=environment() | {"KERAS_BACKEND": backend}, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.stdout == "6 of 6 True\n", done.stderr
