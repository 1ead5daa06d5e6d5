"""Every command line of README.md and docs/ is run, or at least understood: see NOT_RUN."""

import csv
import gzip
import io
import itertools
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet
import pytest
import typer.main

from benchmarks import __main__ as benchmarks
from textsent import cli

ROOT = Path(__file__).parents[1]
OUTPUTS = runpy.run_path(str(ROOT / "docs" / "outputs.py"))

TRAINS = "trains for minutes; test_train.py and test_finetune.py train small networks"
DOWNLOADS = "downloads 84 MB and trains for an hour"
ADAPTS = "needs NLTK's lexicons and 200 mails; test_adapt.py adapts a small model"
BUCKET = "asks a bucket; test_s3.py asks one on loopback"
CLUSTER = "asks a cluster of Ray's; test_ray.py begins one"
NOT_RUN = {
    "textsent train": DOWNLOADS,
    "textsent train --epochs 10": DOWNLOADS,
    "textsent train --data tickets.csv --label-column tone --output tickets-model": TRAINS,
    "textsent train --data tickets.csv --text-column body --label-column tone --output tickets-model": TRAINS,
    "textsent train --data reviews.csv --epochs 10 --output my-model": TRAINS,
    "textsent train --data stars.csv --label-column stars --positive 4 --positive 5 --negative 1 --negative 2": (
        TRAINS
    ),
    "textsent train --recipe cnn-500 --data aclImdb_v1.tar.gz --output cnn": TRAINS,
    "textsent train --recipe lstm --data aclImdb_v1.tar.gz --unlabelled aclImdb_v1.tar.gz --short-texts --epochs 5 "
    "--output imdb-lstm": TRAINS,
    "textsent train --init imdb-lstm --data labelled.csv -o my-model": TRAINS,
    "textsent train --init imdb-lstm --data labelled.csv --output my-model": TRAINS,
    "textsent adapt archive.mbox -o my-model": ADAPTS,
    "textsent adapt archive.mbox --output my-model": ADAPTS,
    "textsent score 's3://mail/archive/year=*/*.mbox' -o s3://mail/scored/": BUCKET,
    "textsent score 's3://mail/archive/year=*/*.mbox' -o s3://mail/scored/ --resume": BUCKET,
    "textsent verify s3://mail/scored/": BUCKET,
    "textsent report s3://mail/scored/ -o report.html": BUCKET,
    "textsent score 's3://box/mail/**/*.mbox' -o s3://box/scored/ --engine ray --address auto": CLUSTER,
    "textsent --install-completion": "changes the shell's settings",
}
PROGRAMS_NOT_RUN = {
    "pip": "installs packages; .ci/run does",
    "pytest": "runs this too",
    "python": "measures for minutes",
    "ray": CLUSTER,
}


def commands_of(page):
    """Return the command lines of a page's blocks that aren't run by docs/outputs.py, without their comments."""
    lines = "".join(OUTPUTS["blocks"](page, "sh")).splitlines()
    return [tokens for line in lines if (tokens := shlex.split(line, comments=True))]


PAGES = {path.name: path.read_text("utf-8") for path in OUTPUTS["PAGES"]}
COMMANDS = {name: found for name, page in PAGES.items() if (found := commands_of(page))}


def split(tokens, at):
    return [list(part) for is_end, part in itertools.groupby(tokens, at.__eq__) if not is_end]


TONES = {
    "positive": ("lovely", "great", "perfect", "wonderful"),
    "negative": ("awful", "broken", "useless", "terrible"),
}
THINGS = (
    "lamp",
    "cable",
    "jar",
    "lid",
    "box",
    "app",
    "sensor",
    "shop",
    "driver",
    "letter",
    "base",
    "book",
    "guide",
)


def labelled_rows():
    """Yield texts and labels; each fourth label is the wrong one, so that scores are too sure."""
    for number, (thing, tone, place) in enumerate(itertools.product(THINGS, TONES, range(4))):
        other = next(name for name in TONES if name != tone)
        yield f"The {thing} is {TONES[tone][place]}, number {number}.", other if place == 3 else tone


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder, one's home too, with small stand-ins for all files that the documentation speaks of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    examples = ROOT / "examples"
    (tmp_path / "examples").symlink_to(examples)
    shutil.copy(examples / "reviews.csv", tmp_path)
    for name in ("january", "february", "archive", "emails", "mail", "inbox"):
        shutil.copy(examples / "inbox.mbox", f"{name}.mbox")
    for name in ("export", "takeout"):
        with zipfile.ZipFile(f"{name}.zip", "w") as archive:
            archive.write("mail.mbox")
    one = b"From: Ann <ann@example.org>\nSubject: Timer\n\nIt works, thank you.\n"
    Path("letter.eml").write_bytes(one)
    for folder in ("cur", "new", "tmp"):
        Path("Maildir", folder).mkdir(parents=True)
    Path("Maildir", "cur", "1.host:2,S").write_bytes(one)
    Path("letter.txt").write_text("The lamp is lovely. The cable is not.\n")
    Path("archive.jsonl").write_bytes(b'{"text": "great service"}\nno JSON\n' * 20)
    Path("archive.jsonl.gz").write_bytes(gzip.compress(b'{"text": "great service"}\n' * 20))
    Path("export.csv").write_text("id;place;text\n1;the café;A lovely lamp\n" * 20, "cp1252")
    rows = list(labelled_rows())
    for name, columns in {"labelled": ("text", "label"), "tickets": ("body", "tone")}.items():
        with Path(f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([columns, *rows])
    table = pyarrow.csv.read_csv("labelled.csv")
    for name in ("train", "reviews"):
        pyarrow.parquet.write_table(table, f"{name}.parquet")
    with tarfile.open("aclImdb_v1.tar.gz", "w:gz") as archive:
        for number, (text, label) in enumerate(rows):
            member = tarfile.TarInfo(f"aclImdb/train/{label[:3]}/{number}_{9 if label == 'positive' else 2}.txt")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    for name in ("my-model", "tickets-model"):
        Path(name).symlink_to(ROOT / "pretrained" / "imdb-lstm")
    for block in OUTPUTS["blocks"](PAGES["training.md"], "python"):
        Path("my_recipes.py").write_text(block)
    Path("bin").mkdir()
    Path("bin", "git").write_text("#!/bin/sh\nprintf 'Fix the broken sensor\\nA lovely lamp\\n'\n")
    Path("bin", "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("typer.launch", lambda address: None)
    return tmp_path


@pytest.fixture
def textsent(desk, monkeypatch, capfd):
    """Runs the command line in this process: arguments and standard input in; exit code and standard output out."""
    monkeypatch.setattr(sys, "meta_path", sys.meta_path[:])  # where the command line hides pandas

    def run(arguments, stdin):
        for option, value in itertools.pairwise(arguments):
            if option in {"-o", "--output"} and value not in arguments[: arguments.index(option)]:
                remove(Path(value))
        monkeypatch.setattr(sys, "argv", ["textsent", *map(os.path.expanduser, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin))))
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfd.readouterr()
        assert not ended.value.code, (arguments, err)
        return out.encode()

    return run


def remove(path):
    """Remove what another command of the page wrote: they are alternatives."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_a_page_is_understood_and_runs_where_it_can(name, textsent):
    for tokens in COMMANDS[name]:
        for steps in split(tokens, "&&"):
            if steps[0] in PROGRAMS_NOT_RUN or shlex.join(steps) in NOT_RUN:
                understand(steps)
                continue
            steps, data = (steps[:-2], Path(steps[-1]).read_bytes()) if "<" in steps else (steps, b"")
            for step in split(steps, "|"):
                if step[0] == "textsent":
                    data = textsent(step[1:], data)
                else:
                    data = subprocess.run(step, input=data, stdout=subprocess.PIPE, check=True, timeout=60).stdout


def understand(step):
    """Say whether the real command line has these commands, options and values; do nothing."""
    group = typer.main.get_command(cli.app)
    options = {
        option
        for parameter in group.get_params(group.make_context("textsent", [], resilient_parsing=True))
        for option in parameter.opts
    }
    match step:
        case ["textsent", option] if option.startswith("-"):
            assert option in options
        case ["textsent", command, *arguments]:
            group.commands[command].make_context(command, arguments)
        case ["python", "-m", "benchmarks", *arguments]:
            benchmarks.parser().parse_args(arguments)
        case ["ray", "job", "submit", "--", "python", script, *_]:
            assert (ROOT / "examples" / script).is_file()
        case ["pip", "install", *arguments]:
            extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
            assert set(re.findall(r"\[(\w+)\]", " ".join(arguments))) <= set(extras)
        case _:
            assert step[0] == "pytest"


def test_nothing_is_excused_that_the_documentation_does_not_have():
    found = {shlex.join(step) for page in COMMANDS.values() for tokens in page for step in split(tokens, "&&")}
    assert set(NOT_RUN) <= found


def test_every_block_is_of_a_kind_that_is_run_or_an_output():
    kinds = {
        name: {kind for kind, _ in re.findall(r"^```(\w*)\n(.*?)^```$", page, re.M | re.S)}
        for name, page in PAGES.items()
    }
    assert set.union(*kinds.values()) <= {"", "sh", "console", "pycon", "python"}
    # The first is written by `desk`; what the second says is in examples/spark_job.py and test_spark.py.
    assert {name for name, found in kinds.items() if "python" in found} == {"training.md", "scale.md"}
    assert not any(re.search(r"^```\n\$ ", page, re.M) for page in PAGES.values())
