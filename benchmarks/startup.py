"""Start-up: `textsent --help`, and scoring the example inbox, against importing what any such tool imports."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.measure import TEXTSENT, Figure, in_turn

INBOX = Path(__file__).parents[1] / "examples" / "inbox.mbox"


def figures(rounds: int) -> Iterator[Figure]:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        commands = [
            [sys.executable, "-c", "import numpy, pyarrow"],
            [TEXTSENT, "--help"],
            [TEXTSENT, "score", str(INBOX), "-o", f"{folder}/scored.parquet", "--overwrite"],
        ]
        times = in_turn(
            3 * rounds + 1,  # the first warms the file cache
            *(
                lambda command=command: subprocess.run(command, check=True, capture_output=True)
                for command in commands
            ),
        )
    yardstick, showing_help, scoring = (median(of_command[1:]) for of_command in times)
    against = 'against python -c "import numpy, pyarrow"'
    yield Figure("start-up", f"textsent --help {against}", showing_help / yardstick, "times", reach=-1.0)
    yield Figure("start-up", f"scoring 66 messages {against}", scoring / yardstick, "times", reach=-3.0)
