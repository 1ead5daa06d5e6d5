import json
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(not (ROOT / "scripts" / "sbom.py").is_file(), reason="no source tree")


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    monkeypatch.delitem(sys.modules, "sbom", raising=False)
    import sbom

    return sbom


def test_the_bill_of_materials_is_the_one_of_pyproject(script):
    assert script.SBOM.read_text("utf-8") == script.written(), "python scripts/sbom.py writes it anew"


def test_it_lists_each_dependency_with_its_versions_and_whether_it_is_optional():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    listed = {
        component["name"]: (component["scope"], component["properties"][0]["value"])
        for component in json.loads((ROOT / "sbom.cdx.json").read_text("utf-8"))["components"]
    }
    assert len([scope for scope, _ in listed.values() if scope == "required"]) == len(project["dependencies"])
    assert listed["numpy"][0] == "required"
    assert listed["typer"] == ("required", ">=0.28,<0.29")
    assert listed["python-oxmsg"] == ("optional", ">=0.0.2")


def test_each_dependency_has_a_lower_bound():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for requirements in (project["dependencies"], *project["optional-dependencies"].values()):
        for requirement in requirements:
            assert ">=" in requirement or requirement.startswith("textsent["), requirement
