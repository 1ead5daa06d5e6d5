"""Whether scoring works on this machine, and with what.

It imports what scoring on a CPU imports, and Keras only where that is asked for. What can't be imported is found
out here like all else, so nothing is imported outside the functions that need it.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import textsent
from textsent.cores import gpu_drivers, usable_cores, usable_memory
from textsent.nltk_data import installed_package
from textsent.presets import shipped_presets

PACKAGES = (
    "altair",
    "charset-normalizer",
    "fast-mail-parser",
    "h5py",
    "jinja2",
    "keras",
    "nltk",
    "numpy",
    "onnx",
    "onnxruntime",
    "pandas",
    "pooch",
    "pyarrow",
    "resiliparse",
    "requests",
    "rich",
    "tensorflow",
    "typer",
    "vl-convert-python",
)
"""What textsent is installed with."""

BACKENDS = ("jax", "torch")
"""What Keras may run on beside TensorFlow."""

EXTRAS = {
    "outlook": (("olefile", "python-oxmsg"), "reading Outlook's .msg files"),
    "ray": (("ray[data]",), "textsent score --engine ray"),
    "sklearn": (("scikit-learn",), "textsent.TextsentClassifier"),
    "spark": (("pyspark",), "textsent.distributed.score_spark"),
    "tensorboard": (("tensorboard",), "textsent train --tensorboard"),
    "unlabelled": (("gensim", "scikit-learn", "scipy"), "textsent train --unlabelled"),
    "word2vec": (("gensim",), "training word vectors, and reading gensim's own files of them"),
}
"""The optional extras: what each installs, and what for."""

NLTK_DATA = {
    "sentiment/vader_lexicon": "adapt, train --short-texts",
    "corpora/opinion_lexicon": "adapt, train --short-texts",
    "corpora/stopwords": "recipes that leave stop words out",
}
"""What may be downloaded from NLTK when it is needed, by NLTK's name for it, and what for."""

KNOWN_TEXTS = ("great service", "you guys are terrible")
"""A positive and a negative text."""

KNOWN_SCORES = {"imdb-lstm": (0.9272, 0.0707)}
"""What shipped models give KNOWN_TEXTS: to be changed with their weights. Of others only verdicts are checked."""

_TOLERANCE = 0.005  # more than engines and processors differ by


class Engine(NamedTuple):
    """What scores by default, and why that."""

    name: str
    why: str


class Backend(NamedTuple):
    """The backend of Keras, and what says so."""

    name: str
    chosen_by: str


@dataclass(frozen=True)
class PresetCheck:
    """Whether a model works.

    Attributes:
        name: Its name.
        folder: Where it is.
        scores: What it gives KNOWN_TEXTS; None where it couldn't.
        problem: What is wrong, in one line; None where nothing is.
    """

    name: str
    folder: str
    scores: tuple[float, ...] | None
    problem: str | None


@dataclass(frozen=True)
class Diagnosis:
    """What was found.

    Attributes:
        python: Version, implementation and platform.
        textsent: Version.
        folder: Where textsent is imported from.
        packages: Versions by package; None where one isn't installed.
        cores: That may be used.
        all_cores: Of the machine.
        memory: Bytes that may still be taken; None where the system doesn't say.
        gpus: Drivers and names of GPUs that a look at the machine finds, without asking any library.
        onnxruntime: Devices that ONNX Runtime can use.
        engine: What shipped models are scored by, unless --device says otherwise.
        backend: Of Keras.
        keras_sees_gpu: Whether it does; None where it wasn't asked, or couldn't be.
        keras_problem: Why it couldn't be asked, in one line; None where that isn't so.
        presets: The shipped models.
        nltk_data: Where each of NLTK_DATA is; None where it isn't installed.
        missing: Of each of EXTRAS, the packages that aren't installed.
        problems: Why scoring doesn't work, in one line each.
    """

    python: str
    textsent: str
    folder: str
    packages: dict[str, str | None]
    cores: int
    all_cores: int
    memory: int | None
    gpus: list[str]
    onnxruntime: list[str]
    engine: Engine
    backend: Backend
    keras_sees_gpu: bool | None
    keras_problem: str | None
    presets: list[PresetCheck]
    nltk_data: dict[str, str | None]
    missing: dict[str, list[str]]
    problems: list[str]

    @property
    def works(self) -> bool:
        """Whether scoring works."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """Return all of it, with `works` before."""
        content = asdict(self) | {"engine": self.engine._asdict(), "backend": self.backend._asdict()}
        return {"works": self.works, **content}

    def lines(self) -> Iterator[str]:
        """Yield all of it in lines to be read."""
        return map(_visible, self._lines())

    def _lines(self) -> Iterator[str]:
        yield _line("textsent", f"{self.textsent}, from {self.folder}")
        yield _line("python", self.python)
        memory = "not told" if self.memory is None else f"{self.memory / 2**30:.1f} GiB may still be taken"
        yield _line("cores", f"{self.cores} of {self.all_cores} may be used")
        yield _line("memory", memory)
        yield _line("GPUs", ", ".join(self.gpus) or "no driver of NVIDIA's or AMD's is there")
        yield _line("ONNX Runtime", ", ".join(self.onnxruntime) or "can't be imported")
        asked = {None: "not asked for GPUs: --full asks it", True: "sees a GPU", False: "sees no GPU"}
        keras = self.keras_problem or asked[self.keras_sees_gpu]
        yield _line("Keras", f"on {self.backend.name} ({self.backend.chosen_by}), {keras}")
        yield _line("scoring by", f"{self.engine.name}: {self.engine.why}")
        for preset in self.presets:
            scored = zip(preset.scores or (), KNOWN_TEXTS, strict=False)
            scores = ", ".join(f"{score:.2f} {text!r}" for score, text in scored)
            yield _line("model", f"{preset.name}: {preset.problem or f'works: {scores}'}")
            yield _line("", preset.folder)
        yield ""
        for package, version in self.packages.items():
            yield _line(package, version or "NOT INSTALLED")
        yield ""
        for extra, (_, purpose) in EXTRAS.items():
            lacking = self.missing[extra]
            how = f"not installed (pip install 'textsent[{extra}]')" if lacking else "installed"
            yield _line(f"extra {extra}", f"{how}: {purpose}")
        for name, purpose in NLTK_DATA.items():
            where = self.nltk_data[name] or "not installed, downloaded when it is needed"
            yield _line(f"NLTK's {name.split('/')[1]}", f"{where}: {purpose}")
        yield ""
        for problem in self.problems:
            yield f"problem: {problem}"
        yield "scoring works" if self.works else "scoring does NOT work"


def examine(full: bool = False) -> Diagnosis:
    """Return what is found on this machine.

    Args:
        full: Also import Keras and its backend, and score with the engine that is used by default; otherwise a
            preset is checked on ONNX Runtime, where it can be.
    """
    gpus = gpus_at_hand()
    sees_gpu, keras_problem = _ask_keras() if full else (None, None)
    presets = [check_preset_scores(name, folder, full) for name, folder in shipped_presets().items()]
    problems = [f"the model {preset.name}: {preset.problem}" for preset in presets if preset.problem]
    if not presets:
        problems.append("no model came with textsent: install it again")
    if keras_problem and gpus:
        problems.append(keras_problem)
    packages = {name: _version(name) for name in (*PACKAGES, *BACKENDS)}
    return Diagnosis(
        python=f"{platform.python_version()} ({platform.python_implementation()}) on {platform.platform()}",
        textsent=textsent.__version__,
        folder=str(Path(textsent.__file__).parent),
        packages={name: version for name, version in packages.items() if version or name not in BACKENDS},
        cores=usable_cores(),
        all_cores=os.cpu_count() or 1,
        memory=usable_memory(),
        gpus=gpus,
        onnxruntime=_onnxruntime_devices(),
        engine=_engine(gpus, sees_gpu, keras_problem),
        backend=keras_backend(),
        keras_sees_gpu=sees_gpu,
        keras_problem=keras_problem,
        presets=presets,
        nltk_data={name: installed_package(name) for name in NLTK_DATA},
        missing={extra: [name for name in names if _version(name) is None] for extra, (names, _) in EXTRAS.items()},
        problems=problems,
    )


def check_preset_scores(name: str, folder: Path, full: bool = False) -> PresetCheck:
    """Return whether a preset loads and gives the scores that it should."""
    scores = None
    try:
        from textsent.score import load

        scores = tuple(float(score) for score in load(folder, device="auto" if full else "cpu").score(KNOWN_TEXTS))
        problem = _wrong_scores(scores, KNOWN_SCORES.get(name))
    except Exception as exc:  # whatever it is, it is what was asked for
        problem = " ".join(str(exc).split()) or type(exc).__name__
    return PresetCheck(name, str(folder), scores, problem)


def _wrong_scores(scores: tuple[float, ...], expected: tuple[float, ...] | None) -> str | None:
    if expected is not None:
        right = all(abs(score - known) < _TOLERANCE for score, known in zip(scores, expected, strict=True))
        should = " and ".join(f"{known:.3f}" for known in expected)
    else:
        positive, negative = scores
        right = positive >= 0.5 > negative
        should = "one above and one below 0.5"
    received = " and ".join(f"{score:.3f}" for score in scores)
    return None if right else f"gives {received} where it should give {should}: install textsent again"


def gpus_at_hand() -> list[str]:
    """Return the GPUs that NVIDIA's driver names, and drivers that name none; no library is asked."""
    names = []
    for path in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        try:
            lines = path.read_text("utf-8", "replace").splitlines()
        except OSError:
            continue
        names += [line.partition(":")[2].strip() for line in lines if line.startswith("Model:")]
    return names or [f"a driver, {path}" for path in gpu_drivers()]


def keras_backend() -> Backend:
    """Return the backend that Keras will take, by the rules of `keras.src.backend.config`, without importing it."""
    if chosen := os.environ.get("KERAS_BACKEND"):
        return Backend(chosen, "KERAS_BACKEND")
    folder = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    path = Path(folder).expanduser() / "keras.json"
    try:
        return Backend(str(json.loads(path.read_text("utf-8"))["backend"]), str(path))
    except (OSError, ValueError, KeyError, TypeError):
        return Backend("tensorflow", "the default")


def _ask_keras() -> tuple[bool | None, str | None]:
    """Return whether Keras sees a GPU, or why that can't be told."""
    try:
        from textsent.model import import_keras, keras_sees_gpu

        import_keras()
        return keras_sees_gpu(), None
    except Exception as exc:  # whatever it is, it is what was asked for
        return None, f"Keras can't be used: {' '.join(str(exc).split())}"


def _engine(gpus: list[str], sees_gpu: bool | None, keras_problem: str | None) -> Engine:
    if sees_gpu and gpus:
        return Engine("Keras on a GPU", "its backend sees one")
    name = "ONNX Runtime on a CPU"
    if not gpus:
        return Engine(name, "no GPU is there")
    if sees_gpu is None and keras_problem is None:
        return Engine(f"Keras on a GPU, or else {name}", "a driver is there, and Keras has the say: --full asks it")
    return Engine(name, keras_problem or "Keras sees no GPU")


def _onnxruntime_devices() -> list[str]:
    try:
        from textsent.model import import_onnxruntime

        onnxruntime = import_onnxruntime()
        names = [name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers()]
        return [name for name in names if name != "Azure"]  # a service, which no model here is sent to
    except Exception:  # then no preset loads either, and says why
        return []


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package.partition("[")[0])
    except importlib.metadata.PackageNotFoundError:
        return None


def _line(name: str, value: str) -> str:
    return f"{name:<23} {value}"


def _visible(line: str) -> str:
    return "".join(filter(str.isprintable, line))
