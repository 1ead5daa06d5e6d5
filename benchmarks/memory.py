"""Peak memory of scoring a small and a large file, made for the purpose: it must not grow with the file.

python -m benchmarks.memory [--megabytes 100 1000] [--formats csv mbox] [--filler 4000]

A filler makes rows longer without more words to score, which keeps the run short; every byte is read and written.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.generate import WRITERS


def main() -> None:
    """Print the peak memory of each run, and the ratio of the largest file's to the smallest's."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--formats", nargs="+", choices=WRITERS, default=list(WRITERS))
    parser.add_argument("--filler", type=int, default=4000, help="letters of a last word that no model knows")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for kind in options.formats:
            peaks = []
            for megabytes in options.megabytes:
                path = Path(folder, f"made.{kind}")
                WRITERS[kind](path, megabytes * 10**6, options.filler)
                peak, seconds = _run(path, Path(folder, "scored.parquet"))
                peaks.append(peak)
                print(f"{kind:<5} {megabytes:>6,} MB  {seconds:7.0f} s  peak {peak:6.0f} MB", flush=True)
                path.unlink()
            print(f"{kind:<5} largest against smallest file: {peaks[-1] / peaks[0]:.3f}", flush=True)


def _run(path: Path, output: Path) -> tuple[float, float]:
    """Return the peak resident memory in MB, and the seconds, of scoring a file."""
    textsent = Path(sys.executable).with_name("textsent")
    started = time.perf_counter()
    process = subprocess.Popen([textsent, "score", path, "-o", output, "--overwrite", "--quiet"])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"textsent ended with {process.returncode}")
    return usage.ru_maxrss * 1024 / 1e6, time.perf_counter() - started


if __name__ == "__main__":
    main()
