import os
from pathlib import Path

import pytest

from textsent import cores
from textsent.cores import usable_cores, usable_memory

OWN = Path("/proc/self/cgroup")


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Writes what the kernel tells: the groups that the process is in, or None; and their files."""
    monkeypatch.setattr(cores, "_CGROUPS", tmp_path)

    def tell(own, files=()):
        def read_text(path, *settings):
            if path != OWN:
                return read(path, *settings)
            if own is None:
                raise FileNotFoundError(OWN)
            return own.decode("utf-8") if isinstance(own, bytes) else own

        monkeypatch.setattr(Path, "read_text", read_text)
        for name, text in dict(files).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())

    read = Path.read_text
    return tell


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch):
    allow(monkeypatch, 8)


def allow(monkeypatch, number):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(number)), raising=False)


def test_this_process_may_use_a_core_at_least(monkeypatch):
    monkeypatch.undo()
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)


@pytest.mark.parametrize("number", [1, 3, 64])
def test_the_cores_that_the_affinity_allows_may_be_used(groups, monkeypatch, number):
    groups("0::/\n")
    allow(monkeypatch, number)
    assert usable_cores() == number


@pytest.mark.parametrize(("counted", "expected"), [(6, 6), (None, 1)])
def test_where_there_is_no_affinity_the_machine_s_cores_are_counted(groups, monkeypatch, counted, expected):
    groups(None)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: counted)
    assert usable_cores() == expected


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),
        ("200001 100000\n", 3),
        ("50000 100000\n", 1),
        ("1000 100000\n", 1),
        ("400000 200000\n", 2),
        ("1600000 100000\n", 8),
        ("max 100000\n", 8),
        ("200000\n", 8),
        ("0 100000\n", 8),
        ("-1 100000\n", 8),
        ("200000 0\n", 8),
        ("a few\n", 8),
        ("1 2 3\n", 8),
        ("", 8),
        ("\u00e9\n", 8),
    ],
)
def test_a_group_s_quota_limits_the_cores(groups, limit, expected):
    groups("0::/user.slice/job\n", {"user.slice/job/cpu.max": limit})
    assert usable_cores() == expected


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"a/b/c": "max 100000", "a/b": "300000 100000", "a": "500000 100000"}, 3),
        ({"a/b/c": "400000 100000", "a": "200000 100000"}, 2),
        ({"a/b/c": "400000 100000", "a": "max 100000"}, 4),
        ({".": "100000 100000"}, 1),
        ({"a/b/c/d": "100000 100000", "other": "100000 100000"}, 8),
        ({}, 8),
    ],
    ids=["the middle one's", "the outer one's", "its own", "the root's, in a container", "none of its", "none"],
)
def test_of_nested_groups_the_narrowest_limit_holds(groups, limits, expected):
    groups("0::/a/b/c\n", {f"{name}/cpu.max": limit for name, limit in limits.items()})
    assert usable_cores() == expected


def test_a_group_s_name_may_hold_a_colon_and_a_space(groups):
    groups("0::/a:b/c d\n", {"a:b/c d/cpu.max": "200000 100000\n"})
    assert usable_cores() == 2


def test_a_quota_that_is_a_folder_is_none(groups, tmp_path):
    groups("0::/job\n")
    (tmp_path / "job" / "cpu.max").mkdir(parents=True)
    assert usable_cores() == 8


@pytest.mark.parametrize("controllers", ["cpu", "cpu,cpuacct", "cpuacct,cpu"])
@pytest.mark.parametrize(
    ("quota", "period", "expected"),
    [
        ("200000\n", "100000\n", 2),
        ("250000\n", "100000\n", 3),
        ("-1\n", "100000\n", 8),
        ("200000\n", None, 8),
        (None, "100000\n", 8),
        ("few\n", "100000\n", 8),
    ],
)
def test_in_version_1_quota_and_period_are_files_of_their_own(groups, controllers, quota, period, expected):
    files = {"cpu/job/cpu.cfs_quota_us": quota, "cpu/job/cpu.cfs_period_us": period}
    groups(
        f"12:memory:/job\n4:{controllers}:/job\n1:name=systemd:/job\n",
        {name: text for name, text in files.items() if text is not None},
    )
    assert usable_cores() == expected


def test_inside_a_container_version_1_shows_the_group_under_the_name_of_its_root(groups):
    groups(
        "4:cpu,cpuacct:/docker/0123abcd\n",
        {"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"},
    )
    assert usable_cores() == 3


@pytest.mark.parametrize("controllers", ["cpuset", "cpuacct", "memory", "name=cpu"])
def test_other_controllers_of_version_1_limit_no_cores(groups, controllers):
    groups(
        f"4:{controllers}:/job\n",
        {"cpu/job/cpu.cfs_quota_us": "100000\n", "cpu/job/cpu.cfs_period_us": "100000\n"},
    )
    assert usable_cores() == 8


def test_where_both_versions_are_mounted_the_narrower_limit_holds(groups):
    groups(
        "4:cpu:/job\n0::/job\n",
        {
            "job/cpu.max": "300000 100000\n",
            "cpu/job/cpu.cfs_quota_us": "200000\n",
            "cpu/job/cpu.cfs_period_us": "100000\n",
        },
    )
    assert usable_cores() == 2


@pytest.mark.parametrize("own", [None, "", b"\xff"], ids=["no file", "empty", "not UTF-8"])
def test_a_process_without_a_group_has_no_quota(groups, own):
    groups(own, {"cpu.max": "100000 100000\n"})
    assert usable_cores() == 8


@pytest.mark.parametrize("line", ["nonsense", "", "0:", "0:/job", "::", "4:cpu:"])
def test_a_line_that_says_no_group_is_passed_over(groups, line):
    groups(f"{line}\n0::/job\n", {"job/cpu.max": "200000 100000\n"})
    assert usable_cores() == 2


@pytest.mark.parametrize("name", ["/../job", "/../../job", "/job (deleted)", "/a/../job"])
def test_a_group_outside_of_what_is_mounted_limits_nothing_that_is_not_its_own(groups, name):
    groups(f"0::{name}\n")
    assert usable_cores() == 8


def test_a_quota_never_leaves_less_than_one_core(groups, monkeypatch):
    groups("0::/job\n", {"job/cpu.max": "1 1000000\n"})
    allow(monkeypatch, 1)
    assert usable_cores() == 1
    allow(monkeypatch, 0)
    assert usable_cores() == 1


KB = 1024
FREE = 1000 * KB


@pytest.fixture
def meminfo(tmp_path, monkeypatch):
    """Writes what the kernel tells of the machine's memory; by default FREE bytes are available."""
    path = tmp_path / "meminfo"
    path.write_text(
        "MemTotal:        9000 kB\nMemFree:          200 kB\nMemAvailable:    1000 kB\nHugePages_Total: 0\n"
    )
    monkeypatch.setattr(cores, "_MEMINFO", path)
    return path


def test_the_memory_of_this_process_is_some_or_not_known():
    assert usable_memory() is None or usable_memory() > 0


def test_the_memory_that_the_kernel_calls_available_may_be_used(groups, meminfo):
    groups("0::/\n")
    assert usable_memory() == FREE


@pytest.mark.parametrize("told", ["", "MemTotal: 9000 kB\n", "MemAvailable:\n", "MemAvailable: much\n", "\xff"])
def test_where_the_kernel_says_no_memory_it_is_not_known(groups, meminfo, told):
    groups("0::/job\n")
    meminfo.write_bytes(told.encode("latin-1"))
    assert usable_memory() is None


def test_where_there_is_no_kernel_of_linux_the_memory_is_not_known(groups, meminfo):
    groups(None)
    meminfo.unlink()
    assert usable_memory() is None


@pytest.mark.parametrize(
    ("limit", "taken", "stat", "expected"),
    [
        ("500\n", "100\n", "", 400),
        ("500\n", "100\n", "anon 60\nfile 40\ninactive_file 30\nactive_file 5\nshmem 5\n", 435),
        ("500\n", "100\n", "total_inactive_file 30\n", 400),
        ("500\n", "600\n", "", 0),
        ("max\n", "100\n", "", FREE),
        ("9223372036854771712\n", "100\n", "", FREE),
        ("500\n", None, "", FREE),
        (None, "100\n", "", FREE),
        ("500 500\n", "100\n", "", FREE),
        ("\n", "100\n", "", FREE),
    ],
)
def test_what_is_left_of_a_group_s_limit_bounds_the_memory(groups, meminfo, limit, taken, stat, expected):
    files = {"job/memory.max": limit, "job/memory.current": taken, "job/memory.stat": stat}
    groups("0::/job\n", {name: text for name, text in files.items() if text is not None})
    assert usable_memory() == expected


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"a/b": ("max", 10), "a": ("500", 100)}, 400),
        ({"a/b": ("300", 10), "a": ("500", 400)}, 100),
        ({"a/b": ("300", 10), "a": ("500", 100)}, 290),
        ({".": ("200", 50)}, 150),
        ({"other": ("200", 50)}, FREE),
    ],
    ids=["the outer one's", "the outer one has less left", "its own", "the root's, in a container", "none"],
)
def test_of_nested_groups_the_one_with_the_least_left_bounds_the_memory(groups, meminfo, limits, expected):
    maxima = {f"{name}/memory.max": limit for name, (limit, _) in limits.items()}
    groups("0::/a/b\n", maxima | {f"{name}/memory.current": str(taken) for name, (_, taken) in limits.items()})
    assert usable_memory() == expected


@pytest.mark.parametrize("folder", ["memory/job", "memory"], ids=["its own", "the root's, in a container"])
def test_in_version_1_limit_and_usage_of_memory_have_other_names(groups, meminfo, folder):
    groups(
        "9:cpu:/\n4:memory:/job\n0::/\n",
        {
            f"{folder}/memory.limit_in_bytes": "500\n",
            f"{folder}/memory.usage_in_bytes": "100\n",
            f"{folder}/memory.stat": "inactive_file 1\ntotal_inactive_file 30\ntotal_active_file 5\n",
        },
    )
    assert usable_memory() == 435


@pytest.mark.parametrize("controllers", ["cpu", "cpuset", "name=memory"])
def test_other_controllers_of_version_1_limit_no_memory(groups, meminfo, controllers):
    groups(
        f"4:{controllers}:/job\n",
        {"memory/job/memory.limit_in_bytes": "500\n", "memory/job/memory.usage_in_bytes": "100\n"},
    )
    assert usable_memory() == FREE


def test_where_only_the_group_says_its_memory_that_is_taken(groups, meminfo):
    groups("0::/job\n", {"job/memory.max": "500\n", "job/memory.current": "100\n"})
    meminfo.unlink()
    assert usable_memory() == 400
