"""Scoring on Ray: on clusters that are begun here, and killed in part. Run by `pytest -m distributed`."""

import json
import os
import re
import runpy
import shlex
import signal
import socket
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import typer.main
from conftest import WORDS

from textsent import mbox, pieces
from textsent.cli import app
from textsent.distributed import ray as on_ray
from textsent.distributed import ray_errors, score_ray
from textsent.distributed.ray import ray_engine
from textsent.errors import InputError, MissingExtraError, OptionError, OutputError, PresetError
from textsent.files import score_file
from textsent.outputfolder import verify_folder
from textsent.pieces import Job, engine_of, job_for, score_folder
from textsent.score import load
from textsent.sources import find_sources
from textsent.tables import TableOptions

ROOT = Path(__file__).parents[1]
ROWS = 90
PIECE_BYTES = 1000

distributed = [
    pytest.mark.distributed,
    pytest.mark.skipif(find_spec("ray") is None, reason="needs the extra textsent[ray]"),
    pytest.mark.filterwarnings("ignore"),  # they are Ray's
]
on_cluster = lambda test: distributed[0](distributed[1](distributed[2](test)))  # noqa: E731


@pytest.fixture(scope="module")
def cluster():
    import ray

    os.environ["TEXTSENT_TESTS"] = MARK
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100 << 20)
    yield
    ray.shutdown()


MARK = f"cluster of {os.getpid()}"
"""In the environment of the workers."""


def workers():
    """Return the processes of the cluster that score."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = f"TEXTSENT_TESTS={MARK}".encode() in (folder / "environ").read_bytes()
            if is_ours and b"ray::MapWorker" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def texts():
    return [f"{WORDS[row % 5]} {WORDS[row % 3]} {row}" if row % 7 else None for row in range(ROWS)]


@pytest.fixture
def sources(tmp_path):
    """The same texts in the formats, by name."""
    table = pa.table({"number": range(ROWS), "text": texts()})
    pyarrow.csv.write_csv(table, tmp_path / "texts.csv")
    pq.write_table(table, tmp_path / "texts.parquet", row_group_size=7)
    with (tmp_path / "texts.mbox").open("w") as file:
        for row, text in enumerate(texts()):
            file.write(f"From ann Tue Feb  3 09:14:22 2026\nSubject: {row}\n\n{text or ''}\n\n")
    return {path.suffix[1:]: path for path in tmp_path.glob("texts.*")}


def locally(source, tiny_preset, tmp_path):
    score_file(source, tmp_path / "local.parquet", load(tiny_preset, device="cpu"), overwrite=True)
    return pq.read_table(tmp_path / "local.parquet")


def rows_of(folder):
    """Return the rows of an output folder, in the order of its parts."""
    return pa.concat_tables(pq.read_table(path) for path in sorted(Path(folder).rglob("part-*.parquet")))


def as_rows(table):
    return [json.dumps(row, default=str) for row in table.to_pylist()]


def on_engine(source, tiny_preset, output, engine=None, **settings):
    job = job_for(tiny_preset, {"device": "auto"}, str(output))
    return score_folder(source, job, engine=engine or ray_engine(), piece_bytes=PIECE_BYTES, **settings)


@pytest.mark.parametrize("format", ["csv", "parquet", "mbox"])
@on_cluster
def test_the_parts_hold_the_rows_of_a_local_run_in_its_order(cluster, sources, tiny_preset, tmp_path, format):
    summary = on_engine(sources[format], tiny_preset, tmp_path / "out")
    expected = locally(sources[format], tiny_preset, tmp_path)
    assert as_rows(rows_of(tmp_path / "out")) == as_rows(expected)
    assert summary.rows == ROWS
    assert verify_folder(str(tmp_path / "out")).rows == ROWS
    assert format == "csv" or len(list(Path(tmp_path, "out").rglob("part-*"))) > 3


@pytest.mark.parametrize("format", ["csv", "parquet", "mbox"])
@on_cluster
def test_a_dataset_of_files_holds_the_rows_of_a_local_run(cluster, sources, tiny_preset, tmp_path, format):
    expected = as_rows(locally(sources[format], tiny_preset, tmp_path))
    scored = score_ray(sources[format], model=tiny_preset, piece_bytes=PIECE_BYTES)
    assert Counter(as_rows(pa.Table.from_pylist(scored.take_all()))) == Counter(expected)
    scored = score_ray(sources[format], model=tiny_preset, piece_bytes=PIECE_BYTES, ordered=True)
    assert as_rows(pa.Table.from_pylist(scored.take_all())) == expected


@on_cluster
def test_relative_paths_are_those_of_the_folder_where_the_run_began(
    cluster, sources, tiny_preset, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    summary = on_engine("texts.mbox", tiny_preset, "out")
    assert summary.inputs == [("texts.mbox", ROWS)]
    assert verify_folder("out").rows == ROWS
    assert score_ray("texts.mbox", model=tiny_preset, piece_bytes=PIECE_BYTES).count() == ROWS


def test_a_mailbox_of_which_a_piece_begins_wrongly_ends_a_dataset(tiny_preset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mbox, "_LOOK_BACK", 10)
    separator = "From ann Tue Feb  3 09:14:22 2026\nSubject: a\n"
    within = f"Great.\n\n{separator}\nTerrible.\n\n" * 10
    Path("made.mbox").write_text(f"{separator}\nGreat.\n\n{separator}Content-Length: {len(within)}\n\n{within}\n")
    job = job_for(tiny_preset, {"device": "cpu", "workers": 1}, "")
    scorer = on_ray._FileScorer(job, tmp_path, {"table": TableOptions(keep_bad_rows=True)})
    piece = next(pieces.cut(find_sources(["made.mbox"]), 300))
    with pytest.raises(InputError, match=r"made\.mbox can't be cut at byte 300: "):
        list(scorer(pa.table({"piece": [piece.to_json()]})))


@on_cluster
def test_a_dataset_keeps_its_columns_and_its_order_where_that_is_asked_for(cluster, sources, tiny_preset, tmp_path):
    import ray

    data = ray.data.read_parquet(str(sources["parquet"]), override_num_blocks=6)
    expected = locally(sources["parquet"], tiny_preset, tmp_path)
    scored = pa.Table.from_pylist(score_ray(data, model=tiny_preset, column="text").take_all())
    assert Counter(as_rows(scored)) == Counter(as_rows(expected))
    scored = pa.Table.from_pylist(score_ray(data, model=tiny_preset, ordered=True, prefix="its_").take_all())
    assert scored.column_names == ["number", "text"] + [f"its_{name}" for name in expected.column_names[2:]]
    assert scored.column("its_score").to_pylist() == expected.column("score").to_pylist()


@on_cluster
def test_what_is_wrong_with_a_dataset_is_said_before_it_is_computed(cluster, sources, tiny_preset):
    import ray

    data = ray.data.from_arrow(pa.table({"number": [1], "score": [0.5], "text": ["great"]}))
    with pytest.raises(InputError, match="there is no column 'body': choose one"):
        score_ray(data, model=tiny_preset, column="body")
    with pytest.raises(OptionError, match="the input already has the column 'score'"):
        score_ray(data, model=tiny_preset)
    with pytest.raises(InputError, match="no such file"):
        score_ray("missing.csv", model=tiny_preset)
    with pytest.raises(OptionError, match="there is no input"):
        score_ray([], model=tiny_preset)
    with pytest.raises(OptionError, match=r"the threshold must be a score, 0 … 1\. Received: 2"):
        score_ray(data, model=tiny_preset, prefix="its_", threshold=2)
    with pytest.raises(InputError) as failed:
        score_ray(5, model=tiny_preset)
    assert str(failed.value) == "score_ray takes a Dataset of Ray's, or paths. Received: builtins.int"


@on_cluster
def test_what_is_wrong_with_a_row_s_column_is_a_textsent_error_later(cluster, tiny_preset):
    import ray

    with pytest.raises(InputError) as failed, ray_errors():
        score_ray(ray.data.from_items([{"number": 1}]).map(lambda row: row), model=tiny_preset).take_all()
    assert str(failed.value) == (
        "no column is named 'text' and none holds strings: choose one with --text-column. The columns are 'number'"
    )


@on_cluster
def test_workers_that_are_killed_lose_no_row(cluster, sources, tiny_preset, tmp_path):
    killed = []

    def kill(summary):
        if not killed:
            killed.extend(workers())
            for worker in killed:
                os.kill(worker, signal.SIGKILL)

    summary = on_engine(sources["mbox"], tiny_preset, tmp_path / "out", on_part=kill)
    assert killed
    assert summary.rows == ROWS
    assert as_rows(rows_of(tmp_path / "out")) == as_rows(locally(sources["mbox"], tiny_preset, tmp_path))
    verify_folder(str(tmp_path / "out"))


@on_cluster
def test_a_piece_at_which_workers_end_again_and_again_ends_the_run(
    cluster, sources, tiny_preset, tmp_path, monkeypatch
):
    monkeypatch.setattr(on_ray, "_ATTEMPTS", 4)

    class Deadly(Job):
        def score(self, piece):
            os.kill(os.getpid(), signal.SIGKILL)

    job = Deadly(**vars(job_for(tiny_preset, {}, str(tmp_path / "out"))))
    with pytest.raises(InputError, match="workers of Ray's have ended 4 times at the same piece"):
        score_folder(sources["csv"], job, engine=ray_engine())


@on_cluster
def test_an_unreadable_piece_is_the_error_of_a_local_run(cluster, tiny_preset, tmp_path):
    path = tmp_path / "broken.parquet"
    path.write_bytes(b"PAR1 but no more than that PAR1")
    with pytest.raises(InputError) as error:
        on_engine(path, tiny_preset, tmp_path / "out")
    assert str(error.value).startswith(f"{path} can't be read: ")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out" / "_unfinished").exists()


@on_cluster
def test_what_the_cluster_has_no_room_for_is_said_before_work_is_done(cluster, sources, tiny_preset, tmp_path):
    for options, message in (
        ({"concurrency": 3}, "room for 2 scorers of 1 core, not for 3: lower --concurrency"),
        ({"gpus_per_worker": 1}, "the cluster has no GPU: leave out --gpus-per-worker"),
        ({"gpus_per_worker": -1}, "must be 0 or more. Received: -1"),
    ):
        with pytest.raises(OptionError, match=message):
            on_engine(sources["csv"], tiny_preset, tmp_path / "out", ray_engine(**options))
        assert not any(path.is_file() for path in (tmp_path / "out").rglob("*"))


@on_cluster
def test_another_textsent_or_preset_on_the_workers_is_said_before_work_is_done(
    cluster, sources, tiny_preset, tmp_path, monkeypatch
):
    monkeypatch.setattr(pieces, "__version__", "0.0.1")
    with pytest.raises(OptionError, match=r"textsent \S+ is installed on \S+, but 0.0.1 where the run began"):
        on_engine(sources["csv"], tiny_preset, tmp_path / "out")
    monkeypatch.undo()
    monkeypatch.setattr(pieces, "checksum", lambda folder: "other")
    with pytest.raises(PresetError, match="is another than where the run began"):
        on_engine(sources["csv"], tiny_preset, tmp_path / "out")
    assert not any(path.is_file() for path in (tmp_path / "out").rglob("*"))


@on_cluster
def test_an_unfinished_run_is_gone_on_with_by_another_engine(cluster, sources, tiny_preset, tmp_path):
    def stop(summary):
        raise OutputError("enough")

    with pytest.raises(OutputError, match="enough"):
        on_engine(sources["mbox"], tiny_preset, tmp_path / "out", on_part=stop)
    summary = on_engine(sources["mbox"], tiny_preset, tmp_path / "out", pieces.here, resume=True)
    assert 0 < summary.resumed < summary.rows == ROWS
    assert as_rows(rows_of(tmp_path / "out")) == as_rows(locally(sources["mbox"], tiny_preset, tmp_path))


@contextmanager
def two_machines():
    """Begin a cluster of two nodes with a core each; yield it and the second one."""
    import ray
    from ray.cluster_utils import Cluster

    both = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 100 << 20})
    try:
        second = both.add_node(num_cpus=1, object_store_memory=100 << 20)
        ray.init(both.address, log_to_driver=False)
        yield both, second
    finally:
        ray.shutdown()
        both.shutdown()


@on_cluster
def test_a_machine_that_is_lost_loses_no_row(sources, tiny_preset, tmp_path):
    import ray

    if ray.is_initialized():
        ray.shutdown()
    with two_machines() as (both, second):
        lost = []

        def lose(summary):
            if not lost:
                lost.append(second)
                both.remove_node(second, allow_graceful=False)

        summary = on_engine(sources["mbox"], tiny_preset, tmp_path / "out", on_part=lose)
    assert lost
    assert summary.rows == ROWS
    assert as_rows(rows_of(tmp_path / "out")) == as_rows(locally(sources["mbox"], tiny_preset, tmp_path))


@on_cluster
def test_the_command_line_begins_a_cluster_and_says_no_more_than_in_a_local_run(sources, tiny_preset, tmp_path):
    arguments = ["score", sources["mbox"], "-o", f"{tmp_path}/out/", "--model", tiny_preset, "--engine", "ray"]
    ended = subprocess.run(
        [sys.executable, "-m", "textsent", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
        | {"PYTHONPATH": str(ROOT)},
    )
    assert (ended.returncode, ended.stdout) == (0, "")
    assert re.match(rf"{ROWS} rows in ", ended.stderr)
    assert "ray" not in ended.stderr.lower().replace(str(tmp_path), "")
    assert as_rows(rows_of(tmp_path / "out")) == as_rows(locally(sources["mbox"], tiny_preset, tmp_path))


def test_without_the_extra_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    for use in (lambda: engine_of("ray"), lambda: score_ray("a.csv")):
        with pytest.raises(MissingExtraError, match=r"pip install 'textsent\[ray\]'"):
            use()


def test_an_address_where_no_cluster_is_is_said_before_the_inputs_are_looked_at():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(
        OptionError, match=rf"Ray's cluster at 127.0.0.1:{port} can't be reached: .*check --address"
    ):
        engine_of("ray", f"127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("head", "needs host:port, or auto. Received: 'head'"),
        (":1", "needs host:port"),
        ("head:port", "needs host:port"),
        ("ray://head:10001", "there is no way through ray://"),
    ],
)
def test_an_address_that_is_none_is_refused(address, message):
    with pytest.raises(OptionError, match=message):
        engine_of("ray", address)


def test_a_scorer_s_device_is_what_it_is_given(tiny_preset):
    job = job_for(tiny_preset, {"device": "auto"}, "out")
    assert on_ray._for_workers(job, 0).scorer == {"device": "cpu", "workers": 1}
    assert on_ray._for_workers(job, 0.5).scorer == {"device": "gpu", "workers": 1}
    with pytest.raises(OptionError, match="--gpus-per-worker 1"):
        on_ray._for_workers(job_for(tiny_preset, {"device": "gpu"}, "out"), 0)
    with pytest.raises(OptionError, match="leave it out, or --device cpu"):
        on_ray._for_workers(job_for(tiny_preset, {"device": "cpu"}, "out"), 1)


@on_cluster
def test_the_example_s_job_scores_a_folder_and_goes_on_where_it_ended(
    cluster, sources, tiny_preset, tmp_path, monkeypatch, capsys
):
    arguments = [sources["mbox"], "--output", tmp_path / "out", "--model", tiny_preset]
    monkeypatch.setattr(sys, "argv", ["ray_job.py", *map(str, arguments)])
    runpy.run_path(str(ROOT / "examples" / "ray_job.py"), run_name="__main__")
    printed = capsys.readouterr().out.splitlines()
    assert printed[-2].endswith("100% of the inputs")
    assert printed[-1] == f"done: {ROWS} rows in {tmp_path}/out, 13 of them without a score"
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "examples" / "ray_job.py"), run_name="__main__")
    assert ended.value.code == 1
    assert capsys.readouterr().err == f"{tmp_path}/out is complete already: name another folder\n"


FIELDS = {
    "": {"apiVersion", "kind", "metadata", "spec"},
    "spec": {
        "entrypoint", "submissionMode", "backoffLimit", "shutdownAfterJobFinishes", "ttlSecondsAfterFinished",
        "activeDeadlineSeconds", "suspend", "rayClusterSpec", "runtimeEnvYAML", "submitterPodTemplate",
    },
    "spec.rayClusterSpec": {"rayVersion", "enableInTreeAutoscaling", "headGroupSpec", "workerGroupSpecs"},
    "spec.rayClusterSpec.headGroupSpec": {"rayStartParams", "template", "serviceType"},
    "spec.rayClusterSpec.workerGroupSpecs": {
        "groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template",
    },
}  # fmt: skip
"""Those of ray.io/v1 that a job may use, by where they stand."""


def test_the_manifest_is_a_ray_job_whose_entrypoint_the_command_line_understands():
    yaml = pytest.importorskip("yaml")
    content = (ROOT / "examples" / "rayjob.yaml").read_text("utf-8")
    (manifest,) = yaml.safe_load_all(content)
    assert (manifest["apiVersion"], manifest["kind"]) == ("ray.io/v1", "RayJob")
    for place, fields in FIELDS.items():
        node = manifest
        for name in filter(None, place.split(".")):
            node = node[name]
        for each in node if isinstance(node, list) else [node]:
            assert set(each) <= fields
    cluster = manifest["spec"]["rayClusterSpec"]
    (workers,) = cluster["workerGroupSpecs"]
    assert workers["minReplicas"] <= workers["replicas"] <= workers["maxReplicas"]
    groups = [cluster["headGroupSpec"], workers]
    assert all(isinstance(value, str) for group in groups for value in group["rayStartParams"].values())
    images = {container["image"] for group in groups for container in group["template"]["spec"]["containers"]}
    assert len(images) == 1
    assert f"rayproject/ray:{cluster['rayVersion']}-" in content
    program, command, *arguments = shlex.split(manifest["spec"]["entrypoint"])
    assert (program, command) == ("textsent", "score")
    context = typer.main.get_command(app).commands["score"].make_context("score", arguments)
    assert context.params["engine"] == "ray"
    assert context.params["resume"]
