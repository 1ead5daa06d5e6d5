import os
from pathlib import Path

import pytest

from textsent import cores
from textsent.cores import usable_cores

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
