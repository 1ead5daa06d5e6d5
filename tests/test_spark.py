"""Scores on Spark, in this machine's JVM and on a cluster of two executors. Run by `pytest -m distributed`."""

import datetime
import decimal
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textsent.errors import InputError, MissingExtraError, OptionError, PresetError
from textsent.readers import open_reader
from textsent.schema import MAIL_SCHEMA
from textsent.score import load

ROOT = Path(__file__).parents[1]
HAS_JAVA = shutil.which("java") or os.environ.get("JAVA_HOME")

pytestmark = [
    pytest.mark.distributed,
    pytest.mark.skipif(not importlib.util.find_spec("pyspark"), reason="needs pyspark"),
    pytest.mark.skipif(not HAS_JAVA, reason="needs Java"),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # py4j's sockets
]

ENVIRONMENT = {
    "PYSPARK_PYTHON": sys.executable,
    "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
    "SPARK_LOCAL_IP": "127.0.0.1",
    "AWS_ACCESS_KEY_ID": "invented",
    "AWS_SECRET_ACCESS_KEY": "invented",
    "AWS_DEFAULT_REGION": "us-east-1",
}

SEPARATOR = b"From ann@example.com Tue Feb  3 09:14:22 2026\n"
WITHIN = b"Great.\n\n" + SEPARATOR + b"Subject: within\nTo: y\n\nTerrible.\n"
HOLDS_OTHERS = SEPARATOR + b"Subject: long\nContent-Length: %d\n\n%s\n" % (len(WITHIN * 4), WITHIN * 4)


def mail_of(number):
    text = (b"Great service.", b"The terrible guys!", b"", b"...")[number % 4]
    return (
        b"Subject: %d\nFrom: ann@example.com\nDate: Tue, 3 Feb 2026 09:14:22 +0100\n"
        b"Message-ID: <%d@example.com>\n\n%s\n> quoted\n\n" % (number, number, text)
    )


MAILS = [*(SEPARATOR + mail_of(number) for number in range(40)), HOLDS_OTHERS]
MAILBOX = b"".join([*MAILS, *(SEPARATOR + mail_of(number) for number in range(40, 60))])

TEXTS = ["great service", "terrible guys", "the", "...", "great great terrible", "Xyzzy", "guys: great!"]


def session(master):
    """Start Spark, in place of what runs."""
    from pyspark.sql import SparkSession

    if running := SparkSession.getActiveSession():
        running.stop()
    os.environ.update(ENVIRONMENT)
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.memory": "512m",
        "spark.executor.memory": "512m",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "8",
    }
    builder = SparkSession.builder.master(master)
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    return spark


MOTO = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture(scope="module")
def s3():
    """The address of a server of S3, which Spark's processes find in the environment; None without moto."""
    if not importlib.util.find_spec("moto"):
        yield None
        return
    command = [sys.executable, "-c", MOTO]
    pipe, null = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=null, text=True) as server:
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        server.stdin.close()


@pytest.fixture(scope="module")
def spark(s3):
    before = dict(os.environ)
    os.environ |= {"AWS_ENDPOINT_URL": s3} if s3 else {}
    spark = session("local[2,4]")
    yield spark
    spark.stop()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def mail(spark):
    """Returns a function that reads mail by the data source."""
    from textsent.distributed import MailDataSource

    spark.dataSource.register(MailDataSource)

    def read(*names, **options):
        return spark.read.format("textsent-mail").options(**options).load([str(name) for name in names])

    return read


@pytest.fixture
def mailbox(tmp_path):
    path = tmp_path / "in.mbox"
    path.write_bytes(MAILBOX)
    return path


def scored_here(preset, source, **settings):
    """Return the rows that a local run gives."""
    scorer = load(preset, device="cpu", workers=1, **settings)
    with open_reader(source) as reader:
        return [row for batch in reader for row in scorer(batch).to_pylist()]


def rows_of(df):
    return df.toArrow().to_pylist()


def same(rows, expected, key=None):
    """Check that rows are those expected; with a key in any order."""
    if key:
        rows, expected = (sorted(of_one, key=lambda row: str(row[key])) for of_one in (rows, expected))
    assert len(rows) == len(expected)
    for row, other in zip(rows, expected, strict=True):
        assert list(row) == list(other)
        assert row.pop("score") == pytest.approx(other["score"], abs=1e-6)
        assert row == {name: value for name, value in other.items() if name != "score"}


def write_csv(path):
    lines = [f'{number},"{TEXTS[number % len(TEXTS)]}",a {number % 3}\n' for number in range(60)]
    path.write_text("".join(["number,text,kind\n", *lines]), "utf-8")


def write_parquet(path):
    texts = [None, "", *TEXTS]
    rows = [
        {"number": number, "text": texts[number % len(texts)], "kind": {"names": ["a"] * (number % 3)}}
        for number in range(60)
    ]
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=16)


@pytest.mark.parametrize(("name", "write"), [("in.csv", write_csv), ("in.parquet", write_parquet)])
def test_rows_and_scores_of_a_table_are_those_of_a_local_run(spark, tiny_preset, tmp_path, name, write):
    from textsent.distributed import score_spark

    write(tmp_path / name)
    read = spark.read.parquet if name.endswith("parquet") else partial(spark.read.csv, header=True)
    df = read(str(tmp_path / name))
    expected = scored_here(tiny_preset, tmp_path / name)
    same(rows_of(score_spark(df.coalesce(1), model=tiny_preset)), expected)
    scored = score_spark(df.repartition(5), model=tiny_preset)
    same(rows_of(scored.orderBy(scored.number.cast("int"))), expected)


@pytest.mark.parametrize("pieces", [1, 2, 7, 100])
def test_a_mailbox_in_any_number_of_pieces_gives_each_message_once(mail, tiny_preset, mailbox, pieces):
    from textsent.distributed import score_spark

    size = -(-len(MAILBOX) // pieces)
    df = mail(mailbox, pieceMb=size / (1 << 20))
    expected = scored_here(tiny_preset, mailbox)
    assert len(expected) == 61
    same(rows_of(score_spark(df, model=tiny_preset)), expected, "offset")


def test_the_columns_of_mail_are_those_of_a_local_run(mail, mailbox):
    from pyspark.sql.pandas.types import from_arrow_schema

    assert mail(mailbox).schema == from_arrow_schema(MAIL_SCHEMA)


def test_one_piece_of_mail_keeps_its_order(mail, tiny_preset, mailbox):
    from textsent.distributed import score_spark

    same(rows_of(score_spark(mail(mailbox), model=tiny_preset)), scored_here(tiny_preset, mailbox))


def test_single_mails_folders_and_archives_of_them_are_read(mail, tmp_path):
    (tmp_path / "one.eml").write_bytes(mail_of(1))
    for folder in ("cur", "new", "tmp"):
        (tmp_path / "Maildir" / folder).mkdir(parents=True)
    (tmp_path / "Maildir" / "new" / "2.host").write_bytes(mail_of(2))
    (tmp_path / "Maildir" / "cur" / "3.host:2,S").write_bytes(mail_of(3))
    with zipfile.ZipFile(tmp_path / "several.zip", "w") as archive:
        archive.writestr("4.eml", mail_of(4))
        archive.writestr("box.mbox", SEPARATOR + mail_of(5) + SEPARATOR + mail_of(6))
    df = mail(tmp_path / "one.eml", tmp_path / "Maildir", tmp_path / "several.zip", tmp_path / "*.eml")
    subjects = [row["subject"] for row in rows_of(df)]
    assert sorted(subjects) == ["1", "1", "2", "3", "4", "5", "6"]


def test_a_task_gets_its_own_piece_alone_by_its_whole_path(mailbox, monkeypatch):
    from pyspark.cloudpickle import dumps, loads
    from pyspark.sql.datasource import CaseInsensitiveDict

    from textsent.distributed import MailDataSource
    from textsent.distributed.spark import _mail_schema

    monkeypatch.chdir(mailbox.parent)
    sizes = []
    for pieces in (2, 200):
        options = CaseInsensitiveDict({"path": "in.mbox", "pieceMb": str(len(MAILBOX) / pieces / (1 << 20))})
        source = loads(dumps(MailDataSource(options)))
        source.schema()
        reader = loads(dumps(source)).reader(_mail_schema())
        sizes.append(len(dumps(reader)))
        partitions = reader.partitions()
        assert len(partitions) >= pieces
        assert {partition.value.sources for partition in partitions} == {(str(mailbox),)}
    assert sizes[0] == sizes[1]


def test_options_say_what_of_a_mail_is_its_text(mail, tmp_path):
    (tmp_path / "one.eml").write_bytes(mail_of(0))
    assert rows_of(mail(tmp_path / "one.eml"))[0]["text"] == "Great service."
    kept = rows_of(mail(tmp_path / "one.eml", keepQuotes=True, withSubject="TRUE"))
    assert kept[0]["text"].split() == ["0", "Great", "service.", ">", "quoted"]


def test_a_mailbox_on_s3_is_read_in_pieces(mail, mailbox, s3):
    boto3 = pytest.importorskip("boto3")
    store = boto3.client("s3", endpoint_url=s3)
    store.create_bucket(Bucket="mail")
    store.put_object(Bucket="mail", Key="2026/in.mbox", Body=MAILBOX)
    df = mail("s3://mail/2026/*.mbox", pieceMb=0.002)
    assert df.rdd.getNumPartitions() > 3
    assert sorted(row["offset"] for row in rows_of(df)) == [row["offset"] for row in rows_of(mail(mailbox))]


def test_columns_that_came_in_keep_name_type_value_and_metadata(spark, tiny_preset):
    from pyspark.sql import types

    from textsent.distributed import score_spark

    fields = [
        ("with.dot", types.LongType(), 7),
        ("with `ticks`", types.ArrayType(types.StringType(), containsNull=False), ["a"]),
        ("Text", types.StringType(), "great service"),
        ("nested", types.StructType.fromDDL("text string, counts map<string,double>"), ("x", {"y": 1.5})),
        ("price", types.DecimalType(9, 2), decimal.Decimal("1.50")),
        ("day", types.DateType(), datetime.date(2026, 2, 3)),
        ("at", types.TimestampType(), datetime.datetime(2026, 2, 3, 9, 14, 22, 123456)),
        ("at_home", types.TimestampNTZType(), datetime.datetime(2026, 2, 3, 9, 14, 22)),
        ("took", types.DayTimeIntervalType(), datetime.timedelta(seconds=3)),
        ("bytes", types.BinaryType(), bytearray(b"\xff\x00")),
        ("nothing", types.StringType(), None),
    ]
    schema = types.StructType(
        [types.StructField(name, kind, name == "nothing", {"origin": name}) for name, kind, _ in fields]
    )
    df = spark.createDataFrame([tuple(value for *_, value in fields)], schema)
    scored = score_spark(df, column="Text", model=tiny_preset, prefix="ours_", sentences=True)
    assert scored.schema.fields[: len(fields)] == schema.fields
    assert scored.columns[len(fields) :] == [
        "ours_sentiment", "ours_score", "ours_words", "ours_coverage", "ours_error",
        "ours_lowest_sentence", "ours_lowest_score",
    ]  # fmt: skip
    assert scored.schema["ours_score"].metadata == {"textsent.model": "tiny"}
    row = scored.collect()[0]
    assert row[: len(fields)] == df.collect()[0]
    assert (row["ours_words"], row["ours_coverage"]) == (2, 1)


def test_columns_of_one_name_beside_the_texts_are_kept(spark, tiny_preset):
    from textsent.distributed import score_spark

    df = spark.createDataFrame([(1, "great", 2)], "a int, text string, b int").toDF("a", "text", "a")
    assert score_spark(df, model=tiny_preset).collect()[0][:3] == (1, "great", 2)


def test_no_rows_and_empty_partitions_give_no_rows(spark, tiny_preset):
    from textsent.distributed import score_spark

    df = spark.createDataFrame([("great",)], "text string").repartition(3)
    assert score_spark(df, model=tiny_preset).count() == 1
    assert score_spark(df.limit(0), model=tiny_preset).collect() == []


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"column": "body"}, InputError, "the DataFrame has no column 'body': name one with column="),
        ({"column": "number"}, InputError, "the column 'number' holds int, not strings: name another one"),
        ({}, InputError, "no column is named 'text' and 2 hold strings: name one with column="),
        ({"column": "a"}, OptionError, "the DataFrame already has the column 'score': give the added columns"),
        ({"column": "a", "prefix": "x_", "threshold": 2}, OptionError, "the threshold must be a score"),
        ({"column": "a", "prefix": "x_", "model": "nope"}, PresetError, "there is no model 'nope'"),
    ],
)
def test_what_can_be_known_is_said_before_anything_runs(spark, tiny_preset, settings, kind, message):
    from textsent.distributed import score_spark

    df = spark.createDataFrame([("great", 1, "the")], "a string, number int, Score string")
    with pytest.raises(kind) as error:
        score_spark(df, **{"model": tiny_preset, **settings})
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "options", "kind", "message"),
    [
        ("none.mbox", {}, InputError, "there is no such file: check the path"),
        ("in.csv", {}, InputError, "holds no mail, it is csv: read it with Spark's own formats"),
        ("in.mbox", {"keepQuote": True}, OptionError, "there is no option 'keepquote': choose among pieceMb"),
        ("in.mbox", {"pieceMb": 0}, OptionError, "the option pieceMb must be a number of MiB over 0. Received: 0"),
        ("in.mbox", {"withSubject": "yes"}, OptionError, "the option withSubject must be true or false"),
    ],
)
def test_what_is_wrong_with_mail_is_said_in_a_line_when_it_is_loaded(mail, mailbox, name, options, kind, message):
    from textsent.distributed import spark_errors

    mailbox.with_name("in.csv").write_text("text\ngreat\n")
    with pytest.raises(kind) as error, spark_errors():
        mail(mailbox.with_name(name), **options)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_mail_is_no_stream(spark, mail, mailbox):
    from textsent.distributed import spark_errors

    mail(mailbox)  # registers it
    with pytest.raises(OptionError) as error, spark_errors():
        spark.readStream.format("textsent-mail").load(str(mailbox)).writeStream.format("memory").queryName(
            "mail"
        ).start().awaitTermination(60)
    assert str(error.value) == "mail can't be read as a stream: say spark.read instead of spark.readStream"


def test_a_mail_that_is_gone_when_it_is_read_is_told_in_a_line(mail, mailbox):
    from textsent.distributed import spark_errors

    df = mail(mailbox)
    mailbox.unlink()
    with pytest.raises(InputError, match=r"in\.mbox: there is no such file") as error, spark_errors():
        df.collect()
    assert "\n" not in str(error.value)


def test_executors_with_another_textsent_say_so_in_a_line(spark, tiny_preset, monkeypatch):
    from textsent import pieces
    from textsent.distributed import score_spark, spark_errors

    monkeypatch.setattr(pieces, "__version__", "0.0.9")
    df = spark.createDataFrame([("great",)], "text string")
    with pytest.raises(OptionError, match=r"but 0\.0\.9 where the run began: install the same"), spark_errors():
        score_spark(df, model=tiny_preset).collect()


def test_executors_with_another_preset_of_that_name_say_so_in_a_line(spark, monkeypatch):
    from textsent import pieces
    from textsent.distributed import score_spark, spark_errors

    monkeypatch.setattr(pieces, "checksum", lambda folder: "0" * 64)
    df = spark.createDataFrame([("great",)], "text string")
    with pytest.raises(PresetError, match=r"the preset imdb-lstm on .* is another than"), spark_errors():
        score_spark(df).collect()


def test_a_preset_that_is_trained_anew_is_sent_anew(spark, tiny_preset, tmp_path):
    from textsent.distributed import score_spark

    folder = tmp_path / "mine"
    shutil.copytree(tiny_preset, folder)
    df = spark.createDataFrame([("great service",)], "text string")
    first = score_spark(df, model=folder).collect()[0]["score"]
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "calibration": {"temperature": 1, "bias": 2}}))
    second = score_spark(df, model=folder).collect()[0]["score"]
    assert second > first


def test_a_frame_of_pandas_is_no_dataframe_of_spark():
    from textsent.distributed import score_spark

    with pytest.raises(InputError, match=r"takes a DataFrame of Spark\. Received: pandas\."):
        score_spark(pd.DataFrame({"text": ["great"]}))


def test_errors_that_are_not_textsent_s_stay_what_they_are(spark):
    from pyspark.errors import AnalysisException

    from textsent.distributed import spark_errors

    with pytest.raises(AnalysisException), spark_errors():
        spark.range(1).select("none")


def test_executors_without_textsent_are_told_from_others():
    from textsent.distributed.spark import _error_in

    error = _error_in("Traceback (most recent call last):\nModuleNotFoundError: No module named 'textsent'\n")
    assert isinstance(error, MissingExtraError)
    assert str(error).startswith("textsent isn't installed in the executors' Python")


@pytest.fixture
def dying(monkeypatch, tmp_path):
    """Returns a function after which the first task to come to its second batch kills a process."""
    from textsent.distributed import spark

    def prepare(kills):
        marker, scored = str(tmp_path / "killed"), spark._scored

        def killed(batches, *arguments):
            for number, batch in enumerate(scored(batches, *arguments)):
                if number == 1 and not os.path.exists(marker):  # noqa: PTH110 - pickled without Path
                    with open(marker, "x"):  # noqa: PTH123
                        pass
                    process = os.getpid()
                    for _ in range(2 if kills == "executor" else 0):  # its parent starts workers, whose is Java
                        with open(f"/proc/{process}/stat") as file:  # noqa: PTH123
                            process = int(file.read().rpartition(")")[2].split()[1])
                    os.kill(process, signal.SIGKILL)
                yield batch

        monkeypatch.setattr(spark, "_scored", killed)
        return Path(marker)

    return prepare


def check_complete(spark, tiny_preset, tmp_path, marker):
    from textsent.distributed import score_spark

    write_parquet(tmp_path / "in.parquet")
    df = spark.read.parquet(str(tmp_path / "in.parquet")).repartition(3)
    score_spark(df, model=tiny_preset).write.parquet(str(tmp_path / "out"))
    assert marker.exists()
    same(pq.read_table(tmp_path / "out").to_pylist(), scored_here(tiny_preset, tmp_path / "in.parquet"), "number")


def test_a_job_whose_python_worker_is_killed_ends_complete(spark, tiny_preset, tmp_path, dying):
    check_complete(spark, tiny_preset, tmp_path, dying("worker"))


@pytest.fixture(scope="module")
def cluster():
    """A cluster of two executors, each a process; starts in place of the other session."""
    before = dict(os.environ)
    spark = session("local-cluster[2,1,1024]")
    yield spark
    spark.stop()
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize("kills", ["worker", "executor"])
def test_a_job_on_a_cluster_in_which_something_is_killed_ends_complete(
    cluster, tiny_preset, tmp_path, dying, kills
):
    check_complete(cluster, tiny_preset, tmp_path, dying(kills))


def test_a_cluster_reads_a_mailbox_in_pieces(cluster, tiny_preset, mailbox):
    from textsent.distributed import MailDataSource, score_spark

    cluster.dataSource.register(MailDataSource)
    df = cluster.read.format("textsent-mail").option("pieceMb", 0.003).load(str(mailbox))
    same(rows_of(score_spark(df, model=tiny_preset)), scored_here(tiny_preset, mailbox), "offset")
