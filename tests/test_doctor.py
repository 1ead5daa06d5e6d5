import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from textsent import doctor
from textsent.doctor import EXTRAS, NLTK_DATA, PACKAGES, Diagnosis, check_preset_scores, examine, keras_backend

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
DEVELOPERS_EXTRAS = {"dev", "benchmarks", "docs"}


def names(requirements: list[str]) -> tuple[str, ...]:
    return tuple(requirement.partition(">=")[0] for requirement in requirements)


def test_every_package_that_textsent_is_installed_with_is_looked_for():
    assert names(PROJECT["dependencies"]) == PACKAGES


def test_every_extra_is_looked_for_with_its_packages():
    extras = PROJECT["optional-dependencies"].items()
    assert {extra: names(packages) for extra, packages in extras if extra not in DEVELOPERS_EXTRAS} == {
        extra: packages for extra, (packages, _) in EXTRAS.items()
    }


def text(diagnosis: Diagnosis) -> str:
    return "\n".join(diagnosis.lines())


def test_where_scoring_works_that_is_what_the_last_line_says():
    diagnosis = examine()
    assert diagnosis.works
    assert [preset.problem for preset in diagnosis.presets] == [None]
    assert text(diagnosis).endswith("\nscoring works")
    assert json.loads(json.dumps(diagnosis.to_json()))["works"] is True
    assert diagnosis.packages["numpy"].count(".") == 2
    assert 1 <= diagnosis.cores <= diagnosis.all_cores
    for name in (*PACKAGES, *EXTRAS, "imdb-lstm", *(name.split("/")[1] for name in NLTK_DATA)):
        assert name in text(diagnosis)


def test_a_model_that_gives_other_scores_does_not_work(monkeypatch):
    monkeypatch.setattr(doctor, "KNOWN_SCORES", {"imdb-lstm": (0.5, 0.5)})
    diagnosis = examine()
    assert not diagnosis.works
    (problem,) = diagnosis.problems
    assert problem.startswith("the model imdb-lstm: gives 0.927")
    assert problem.endswith("where it should give 0.500 and 0.500: install textsent again")
    assert text(diagnosis).endswith(f"problem: {problem}\nscoring does NOT work")


def test_a_model_without_known_scores_is_checked_for_its_verdicts(tiny_preset, monkeypatch):
    scores = {"right": (0.6, 0.4), "wrong": (0.4, 0.6)}
    for name, given in scores.items():
        monkeypatch.setattr("textsent.score.Scorer.score", lambda self, texts, given=given: given)
        problem = check_preset_scores(name, tiny_preset).problem
        expected = "gives 0.400 and 0.600 where it should give one above and one below 0.5: install textsent again"
        assert problem == (expected if name == "wrong" else None)


def test_a_damaged_model_is_a_problem_of_one_line(tiny_preset, tmp_path):
    broken = shutil.copytree(tiny_preset, tmp_path / "broken")
    (broken / "model.onnx").write_bytes(b"not\na graph")
    check = check_preset_scores("broken", broken)
    assert check.scores is None
    assert check.problem.count("\n") == 0
    assert "can't be loaded by ONNX Runtime" in check.problem


def test_without_any_model_scoring_does_not_work(monkeypatch):
    monkeypatch.setattr(doctor, "shipped_presets", dict)
    assert examine().problems == ["no model came with textsent: install it again"]


@pytest.mark.parametrize(
    ("drivers", "sees_gpu", "problem", "engine", "why"),
    [
        ([], None, None, "ONNX Runtime on a CPU", "no GPU is there"),
        ([], False, None, "ONNX Runtime on a CPU", "no GPU is there"),
        (
            ["a driver, /dev/kfd"], None, None,
            "Keras on a GPU, or else ONNX Runtime on a CPU",
            "a driver is there, and Keras has the say: --full asks it",
        ),
        (["Tesla"], True, None, "Keras on a GPU", "its backend sees one"),
        (["Tesla"], False, None, "ONNX Runtime on a CPU", "Keras sees no GPU"),
        (["Tesla"], None, "Keras can't be used: no jax", "ONNX Runtime on a CPU", "Keras can't be used: no jax"),
    ],
)  # fmt: skip
def test_the_engine_is_named_with_the_reason(monkeypatch, drivers, sees_gpu, problem, engine, why):
    monkeypatch.setattr(doctor, "gpus_at_hand", lambda: drivers)
    monkeypatch.setattr(doctor, "_ask_keras", lambda: (sees_gpu, problem))
    monkeypatch.setattr(doctor, "shipped_presets", dict)
    diagnosis = examine(full=sees_gpu is not None or problem is not None)
    assert diagnosis.engine == (engine, why)
    assert f"{engine}: {why}" in text(diagnosis)
    assert (problem in diagnosis.problems) == bool(problem)


def test_the_backend_of_keras_is_told_as_keras_chooses_it(tmp_path, monkeypatch):
    for variable in ("KERAS_BACKEND", "KERAS_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert keras_backend() == ("tensorflow", "the default")
    path = tmp_path / ".keras" / "keras.json"
    path.parent.mkdir()
    for content, backend in (("{", "tensorflow"), ("[]", "tensorflow"), ('{"backend": "jax"}', "jax")):
        path.write_text(content)
        assert keras_backend().name == backend
    assert keras_backend().chosen_by == str(path)
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert keras_backend() == ("torch", "KERAS_BACKEND")


def test_no_line_steers_the_terminal(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "\x1b[2Jtorch\n")
    assert "[2Jtorch" in text(examine())
    assert "\x1b" not in text(examine())


def run(code: str, *arguments: str) -> subprocess.CompletedProcess:
    code = f"import sys\nsys.argv = ['textsent', *{arguments!r}]\n{code}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)


def test_the_doctor_imports_neither_keras_nor_its_backends():
    done = run(
        "from textsent import cli\n"
        "try:\n"
        "    cli.main()\n"
        "finally:\n"
        "    heavy = ('keras', 'tensorflow', 'torch', 'jax', 'nltk', 'pandas')\n"
        "    print(*(name for name in heavy if sys.modules.get(name)), file=sys.stderr)",
        "doctor",
    )
    assert (done.returncode, done.stderr) == (0, "\n")


@pytest.mark.parametrize("package", ["onnxruntime", "pyarrow"])
def test_a_package_that_cannot_be_imported_is_what_the_doctor_finds(package):
    done = run(f"sys.modules[{package!r}] = None\nfrom textsent import cli\ncli.main()", "doctor", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    content = json.loads(done.stdout)
    assert content["works"] is False
    assert package in content["problems"][0]
