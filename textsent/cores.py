"""How many cores, and how much memory, this process may use, and whether there are GPUs to ask for."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUPS = Path("/proc/self/cgroup")
_MEMINFO = Path("/proc/meminfo")


def usable_cores() -> int:
    """Return the number of cores that this process may use, 1 or more.

    It is what its affinity allows or, where less, what its control group's quota does; the time of 1.5 cores is
    taken for two. https://docs.kernel.org/admin-guide/cgroup-v2.html (cpu.max), and version 1's cpu.cfs_quota_us.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cores, *(math.ceil(quota) for quota in _quotas())]))


def usable_memory() -> int | None:
    """Return the bytes of memory that this process may still take, 0 or more; None where the system doesn't say.

    It is what the kernel calls available or, where less, what is left of its control group's limit. What files that
    were read have left in memory counts as free: the kernel gives it up when memory is short.
    https://docs.kernel.org/admin-guide/cgroup-v2.html (memory.max), and version 1's memory.limit_in_bytes.
    """
    available = _named_numbers(_MEMINFO).get("MemAvailable:")
    bounds = [] if available is None else [available * 1024]  # the file's kB are of 1024 bytes
    bounds += _rooms()
    return max(0, min(bounds)) if bounds else None


def gpu_drivers() -> list[str]:
    """Return the drivers for NVIDIA's and AMD's GPUs that a look at the machine, which costs nothing, finds."""
    return [path for path in ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd") if Path(path).exists()]


def _quotas() -> list[float]:
    """Return the quotas, in cores, of the control groups that this process is in."""
    quotas = []
    for controllers, group in _own_groups():
        if not controllers:  # version 2: a group's limit holds for all below it
            folders = {_CGROUPS / parent for parent in (group, *group.parents)}
            quotas += [_quota(_numbers(folder / "cpu.max")) for folder in folders]
        elif "cpu" in controllers:
            # Inside a container the mount shows the group itself, under the name of its root.
            folders = {_CGROUPS / "cpu" / group, _CGROUPS / "cpu"}
            limits = ([folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us"] for folder in folders)
            quotas += [_quota([*_numbers(quota), *_numbers(period)]) for quota, period in limits]
    return [quota for quota in quotas if quota]


def _rooms() -> list[int]:
    """Return the bytes that are left of the memory limits of the control groups that this process is in."""
    rooms = []
    for controllers, group in _own_groups():
        parents = (group, *group.parents)
        if not controllers:
            names = ("memory.max", "memory.current", "")
            folders = {_CGROUPS / parent for parent in parents}
        elif "memory" in controllers:
            # total_ is what the groups below hold too, as memory.usage_in_bytes does.
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_")
            folders = {_CGROUPS / "memory" / parent for parent in parents}
        else:
            continue
        rooms += [_room(folder, *names) for folder in folders]
    return [room for room in rooms if room is not None]


def _room(folder: Path, limit_file: str, taken_file: str, prefix: str) -> int | None:
    """Return the bytes that are left of a control group's limit; None for no limit."""
    limit, taken = _numbers(folder / limit_file), _numbers(folder / taken_file)
    if len(limit) != 1 or len(taken) != 1:
        return None
    kinds = _named_numbers(folder / "memory.stat")
    return limit[0] - taken[0] + kinds.get(f"{prefix}inactive_file", 0) + kinds.get(f"{prefix}active_file", 0)


def _own_groups() -> Iterator[tuple[list[str], PurePosixPath]]:
    """Yield the control groups that this process is in, each with its controllers: none in version 2."""
    try:
        lines = _OWN_CGROUPS.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        if line.count(":") < 2:
            continue
        _, controllers, name = line.split(":", 2)
        yield controllers.split(",") if controllers else [], PurePosixPath(name.lstrip("/"))


def _quota(limits: list[int]) -> float:
    """Return the cores that microseconds of processor time in a period of microseconds come to; 0 for no limit."""
    return limits[0] / limits[1] if len(limits) == 2 and min(limits) > 0 else 0


def _numbers(path: Path) -> list[int]:
    """Return the numbers in a file; none where it can't be read or one is the word max."""
    try:
        return [int(word) for word in path.read_text("ascii").split()]
    except (OSError, ValueError):
        return []


def _named_numbers(path: Path) -> dict[str, int]:
    """Return the numbers of a file whose lines are a name and a number; none where it can't be read."""
    try:
        lines = [line.split() for line in path.read_text("ascii").splitlines()]
    except (OSError, ValueError):
        return {}
    return {words[0]: int(words[1]) for words in lines if len(words) > 1 and words[1].isdecimal()}
