"""What the benchmarks share: a measured figure, clocks that run two things in turn, and the memory of a command."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

TEXTSENT = str(Path(sys.executable).with_name("textsent"))

_SHARES = ("accuracy", "AUC", "precision", "recall", "score")
"""Units of figures from 0 to 1."""


@dataclass(frozen=True)
class Figure:
    """What was measured.

    Attributes:
        group: The benchmark that it belongs to.
        what: What it says, in words.
        value: The number.
        unit: Of what.
        reach: What it should be at least, or at most where it is negative; None where nothing was set.
        series: Name, x and y of a point in a plot, or None.
    """

    group: str
    what: str
    value: float
    unit: str
    reach: float | None = None
    series: tuple[str, float, float] | None = None

    @property
    def is_reached(self) -> bool | None:
        """Whether the value is what it should be."""
        if self.reach is None:
            return None
        return self.value >= self.reach if self.reach > 0 else self.value <= -self.reach

    def __str__(self) -> str:
        bar = ""
        if self.reach is not None:
            least = f"{'≥' if self.reach > 0 else '≤'} {abs(self.reach):g}"
            bar = f"  {'reached' if self.is_reached else 'MISSED'} ({least})"
        digits = 4 if self.unit in _SHARES else 0 if abs(self.value) >= 1000 else 2
        return f"{self.group:<14} {self.what:<68} {self.value:>10,.{digits}f} {self.unit:<10}{bar}".rstrip()


def seconds(call: Callable[[], Any]) -> float:
    """Return how long a call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def in_turn(rounds: int, *calls: Callable[[], Any]) -> list[list[float]]:
    """Return the seconds of each call in each round, the calls made one after the other in each."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for call, of_call in zip(calls, times, strict=True):
            of_call.append(seconds(call))
    return times


def ratio(rounds: int, first: Callable[[], Any], second: Callable[[], Any]) -> tuple[float, float, float]:
    """Return how many times as long the second call takes, the median of the rounds, and the median of each."""
    of_first, of_second = in_turn(rounds, first, second)
    pairs = zip(of_first, of_second, strict=True)
    return median(theirs / ours for ours, theirs in pairs), median(of_first), median(of_second)


@dataclass(frozen=True)
class Run:
    """A command that was run to its end.

    Attributes:
        seconds: How long it took.
        peak: The most memory that its own process held, in MB.
        peak_of_all: The most that it and the processes that it started held together, in MB; pages that they share
            are counted once.
    """

    seconds: float
    peak: float
    peak_of_all: float


def run(*command: str | Path) -> Run:
    """Run a command, from a small process of its own: a child's peak begins with its parent's memory."""
    launched = subprocess.run(
        [sys.executable, "-S", "-E", "-c", _LAUNCHER, *map(str, command)], check=True, stdout=subprocess.PIPE
    )
    return Run(**json.loads(launched.stdout))


def run_score(path: Path, folder: str) -> Run:
    """Score a file into another one in a folder."""
    return run(TEXTSENT, "score", path, "-o", Path(folder, "scored.parquet"), "--overwrite", "--quiet")


_LAUNCHER = """
import json, os, sys, time

def memory_of(process):
    try:
        with open(f"/proc/{process}/smaps_rollup") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:")) * 1024 / 1e6
    except (OSError, StopIteration):
        return 0

def children_of(process):
    found = []
    try:
        for thread in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{thread}/children") as file:
                found += map(int, file.read().split())
    except OSError:  # a thread, or all of it, has ended meanwhile
        pass
    return found

began = time.monotonic()
null = os.open(os.devnull, os.O_WRONLY)
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, null, 1)])
highest = 0
while True:
    ended, status, usage = os.wait4(process, os.WNOHANG)
    if ended:
        break
    highest = max(highest, sum(map(memory_of, [process, *children_of(process)])))
    time.sleep(0.25)
if status:
    sys.exit(f"{sys.argv[1]} ended with {os.waitstatus_to_exitcode(status)}")
peak = usage.ru_maxrss * 1024 / 1e6
print(json.dumps({"seconds": time.monotonic() - began, "peak": peak, "peak_of_all": highest}))
"""


def machine() -> dict[str, Any]:
    """Return what the figures depend on: hardware and versions."""
    from textsent import __version__
    from textsent.cores import usable_cores

    names = ("numpy", "onnxruntime", "pyarrow", "keras")
    return {
        "processor": _processor(),
        "cores": usable_cores(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "textsent": __version__,
        **{name: version(name) for name in names},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
