"""How many cores this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path, PurePosixPath

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUPS = Path("/proc/self/cgroup")


def usable_cores() -> int:
    """Return the number of cores that this process may use, 1 or more.

    It is what its affinity allows or, where less, what its control group's quota does; the time of 1.5 cores is
    taken for two. https://docs.kernel.org/admin-guide/cgroup-v2.html (cpu.max), and version 1's cpu.cfs_quota_us.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cores, *(math.ceil(quota) for quota in _quotas())]))


def _quotas() -> list[float]:
    """Return the quotas, in cores, of the control groups that this process is in."""
    quotas = []
    try:
        lines = _OWN_CGROUPS.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return []
    for line in lines:
        if line.count(":") < 2:
            continue
        _, controllers, name = line.split(":", 2)
        group = PurePosixPath(name.lstrip("/"))
        if not controllers:  # version 2: a group's limit holds for all below it
            folders = {_CGROUPS / parent for parent in (group, *group.parents)}
            quotas += [_quota(_numbers(folder / "cpu.max")) for folder in folders]
        elif "cpu" in controllers.split(","):
            # Inside a container the mount shows the group itself, under the name of its root.
            folders = {_CGROUPS / "cpu" / group, _CGROUPS / "cpu"}
            limits = ([folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us"] for folder in folders)
            quotas += [_quota([*_numbers(quota), *_numbers(period)]) for quota, period in limits]
    return [quota for quota in quotas if quota]


def _quota(limits: list[int]) -> float:
    """Return the cores that microseconds of processor time in a period of microseconds come to; 0 for no limit."""
    return limits[0] / limits[1] if len(limits) == 2 and min(limits) > 0 else 0


def _numbers(path: Path) -> list[int]:
    """Return the numbers in a file; none where it can't be read or one is the word max."""
    try:
        return [int(word) for word in path.read_text("ascii").split()]
    except (OSError, ValueError):
        return []
