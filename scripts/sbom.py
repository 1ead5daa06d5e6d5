"""Write what the package is made of, as CycloneDX: `python scripts/sbom.py` writes the wheel's sbom.cdx.json.

It lists what `pyproject.toml` declares, with the versions that it allows; which ones are installed is up to the
installer. Format: https://cyclonedx.org/docs/1.6/json/, in the wheel by https://peps.python.org/pep-0770/.
"""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SBOM = ROOT / "sbom.cdx.json"

_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*(?P<versions>.*)")


def sbom(root: Path = ROOT) -> dict[str, Any]:
    """Return the software bill of materials of a source tree."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    found = re.search(
        r'^__version__ = "(.+)"$', (root / "textsent" / "__init__.py").read_text("utf-8"), re.MULTILINE
    )
    assert found
    version = found[1]
    extras = {
        requirement: extra
        for extra, requirements in reversed(project["optional-dependencies"].items())
        for requirement in requirements
        if extra not in ("dev", "benchmarks")
    }
    required = dict.fromkeys(project["dependencies"], "")
    components = sorted(
        (_component(requirement, extra) for requirement, extra in {**extras, **required}.items()),
        key=lambda component: component["name"],
    )
    purl = f"pkg:pypi/{project['name']}@{version}"
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": purl,
                "name": project["name"],
                "version": version,
                "purl": purl,
                "licenses": [{"license": {"id": project["license"]}}],
            }
        },
        "components": components,
        "dependencies": [{"ref": purl, "dependsOn": [component["bom-ref"] for component in components]}],
    }


def _component(requirement: str, extra: str) -> dict[str, Any]:
    parts = _REQUIREMENT.fullmatch(requirement)
    assert parts, requirement
    name = re.sub(r"[-_.]+", "-", parts["name"]).lower()
    properties = [{"name": "versions", "value": parts["versions"]}]
    return {
        "type": "library",
        "bom-ref": f"pkg:pypi/{name}",
        "name": name,
        "purl": f"pkg:pypi/{name}",
        "scope": "optional" if extra else "required",
        "properties": [*properties, {"name": "extra", "value": extra}] if extra else properties,
    }


def written(root: Path = ROOT) -> str:
    """Return the content of the file."""
    return json.dumps(sbom(root), indent=2) + "\n"


if __name__ == "__main__":
    SBOM.write_text(written(), "utf-8")
