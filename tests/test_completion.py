import os
import subprocess
import sys

import pytest

from textsent import doctor
from textsent.commands.common import INPUT_FORMATS, OUTPUT_FORMATS
from textsent.commands.common import RECIPES as COMPLETED_RECIPES
from textsent.mailstores import FORMATS
from textsent.presets import shipped_presets
from textsent.progress import KINDS
from textsent.recipes import RECIPES
from textsent.sources import TABLES

HEAVY = ("numpy", "pyarrow", "onnxruntime", "keras", "tensorflow", "textsent.score", "textsent.readers")


def complete(*words: str) -> list[str]:
    """Return what bash would offer for the last of these words."""
    code = (
        "import os, sys\n"
        "sys.argv = ['textsent']\n"
        "from textsent import cli\n"
        "try:\n"
        "    cli.main()\n"
        "finally:\n"
        f"    print(*(name for name in {HEAVY!r} if sys.modules.get(name)), file=sys.stderr)"
    )
    variables = {
        "_TEXTSENT_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(["textsent", *words]),
        "COMP_CWORD": str(len(words)),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | variables, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.stderr == "\n"
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["doc"], ["doctor"]),
        (["score", "--model", "im"], ["imdb-lstm"]),
        (["info", "im"], ["imdb-lstm"]),
        (["score", "--format", "m"], ["mbox", "msg"]),
        (["score", "a.csv", "--output-format", "p"], ["parquet"]),
        (["score", "--progress", ""], list(KINDS)),
        (["score", "--device", "g"], ["gpu"]),
        (["train", "--recipe", "st"], ["stacked-lstm-256", "stopwords-lstm-500"]),
        (["train", "--init", "i"], ["imdb-lstm"]),
        (["score", "--thr"], ["--threshold"]),
        (["score", "inb"], []),  # which leaves it to the shell, that offers files
    ],
)
def test_a_shell_completes_commands_options_and_values_and_nothing_heavy_is_imported(words, offered):
    assert complete(*words) == offered


def test_what_is_completed_is_what_there_is():
    assert set(INPUT_FORMATS) == {*TABLES, *FORMATS}
    assert set(OUTPUT_FORMATS) == {"parquet", "csv", "jsonl", "mbox"}
    assert tuple(RECIPES) == COMPLETED_RECIPES
    assert doctor.KNOWN_SCORES.keys() <= shipped_presets().keys()
