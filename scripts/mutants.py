"""Puts faults into readers, writers and mail, one at a time, and counts those that the tests find.

`python scripts/mutants.py` takes a random sample of what mutmut makes of the modules that pyproject.toml names;
`--all` takes all of it, which is hours of work. `mutmut show NAME` shows a fault.
"""

import argparse
import json
import math
import random
import subprocess
from collections import Counter
from pathlib import Path

FOLDER = Path("mutants")
FIRST = "textsent.mail.x_mail_schema__mutmut_1"
"""A fault for the run that makes all of them."""

STATUS = {0: "survived", 1: "killed", 3: "killed", 33: "no tests", -24: "timeout", 36: "timeout"}
"""What mutmut's exit codes mean."""


def results() -> dict[str, int | None]:
    """Return the exit code of each fault, None where it wasn't tried."""
    codes: dict[str, int | None] = {}
    for path in sorted(FOLDER.glob("textsent/*.meta")):
        codes.update(json.loads(path.read_text("utf-8"))["exit_code_by_key"])
    return codes


def interval(found: int, tried: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson, https://doi.org/10.1080/01621459.1927.10502953)."""
    z = 1.96
    middle = (found + z * z / 2) / (tried + z * z)
    half = z / (tried + z * z) * math.sqrt(found * (tried - found) / tried + z * z / 4)
    return middle - half, middle + half


def main() -> None:
    """Run mutmut and print what it found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=400, help="faults to try")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--all", action="store_true", help="try all")
    parser.add_argument("--children", type=int, default=1, help="processes at a time")
    arguments = parser.parse_args()
    mutmut = ["mutmut", "run", "--max-children", str(arguments.children)]
    subprocess.run([*mutmut, FIRST], check=True)
    names = sorted(results())
    if not arguments.all:
        names = random.Random(arguments.seed).sample(names, arguments.sample)
    subprocess.run([*mutmut, *names], check=True)

    codes = results()
    by_module: dict[str, Counter[str]] = {}
    for name in names:
        module = name.split(".")[1]
        by_module.setdefault(module, Counter())[STATUS.get(codes[name], f"exit code {codes[name]}")] += 1
    for module, counts in sorted(by_module.items()):
        print(f"{module:12}", *(f"{count} {status}" for status, count in sorted(counts.items())), sep="  ")
    total = sum(by_module.values(), Counter())
    killed = total["killed"] + total["timeout"]
    low, high = interval(killed, len(names))
    print(f"{killed} of {len(names)} found: {killed / len(names):.1%}", f"(95 %: {low:.1%} to {high:.1%})")
    for name in names:
        if codes[name] not in (1, 3):
            print(f"{STATUS.get(codes[name])}: mutmut show {name}")


if __name__ == "__main__":
    main()
