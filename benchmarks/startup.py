"""Start-up: `textsent --help`, and scoring the example inbox, against importing what any such tool imports.

python -m benchmarks.startup [--rounds 7]
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

INBOX = Path(__file__).parents[1] / "examples" / "inbox.mbox"


def main() -> None:
    """Print the median of each command's time as a ratio to the yardstick's, the three run in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        textsent = [str(Path(sys.executable).with_name("textsent"))]
        commands = {
            'python -c "import typer, rich"': [sys.executable, "-c", "import typer, rich"],
            "textsent --help": [*textsent, "--help"],
            "textsent score examples/inbox.mbox": [
                *textsent, "score", str(INBOX), "-o", f"{folder}/scored.parquet", "--overwrite",
            ],
        }  # fmt: skip
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(options.rounds + 1):  # the first round warms the file cache
            for name, command in commands.items():
                started = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True)
                seconds[name].append(time.perf_counter() - started)
    medians = {name: median(times[1:]) for name, times in seconds.items()}
    yardstick = next(iter(medians.values()))
    for name, value in medians.items():
        print(f"{name:<36} {value:6.3f} s   ratio {value / yardstick:5.2f}")


if __name__ == "__main__":
    main()
