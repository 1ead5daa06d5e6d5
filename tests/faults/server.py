"""Runs the command line again and again, each time in a process forked from one that has imported all of it.

So hundreds of runs that are killed cost little. A request is a line of JSON on standard input, the arguments of
`_run`; two lines on standard output answer it: the process's number, and what `waitpid` says of it.
"""

import json
import os
import signal
import sys
from pathlib import Path
from traceback import print_exc
from typing import Any

FILE_EVENTS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "shutil.rmtree")
"""What Python tells of what it does to files."""


def serve() -> None:
    import pyarrow.csv
    import pyarrow.parquet  # noqa: F401

    from textsent import cli, explain, files, record  # noqa: F401
    from textsent.model import import_onnxruntime

    import_onnxruntime()
    print("ready", flush=True)
    for line in sys.stdin:
        process = os.fork()
        if not process:
            try:
                _run(**json.loads(line))
            except KeyboardInterrupt:  # before the command line has begun
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                signal.raise_signal(signal.SIGINT)
            except BaseException:  # or this process would be a second server
                print_exc()
            os._exit(1)
        print(process, flush=True)
        print(os.waitpid(process, 0)[1], flush=True)


def _run(
    arguments: list[str],
    folder: str,
    settings: dict[str, Any],
    kill_at: int | None = None,
    failing: list[int] | None = None,
    stdout: str = "../stdout",
    worker: str | None = None,
) -> None:
    """Run the command line in a folder, and never come back.

    Args:
        arguments: Those of the command line.
        folder: Where to run; what it prints goes to `stdout` and `stderr` beside it.
        settings: Constants of textsent's modules, as `journal.COMMIT_SECONDS`.
        kill_at: The process is killed before the file event of this number, of those in the folder.
        failing: Number, error and duration for `failing_writes.c`.
        stdout: Where standard output goes; a named pipe may be there.
        worker: What runs as a worker in the place of Python.
    """
    os.chdir(folder)
    for number, path in ((1, stdout), (2, "../stderr")):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for name, value in settings.items():
        module, constant = name.split(".")
        setattr(sys.modules[f"textsent.{module}"], constant, value)
    if kill_at is not None:
        seen = 0

        def watch(event: str, details: tuple[Any, ...]) -> None:
            nonlocal seen
            if event in FILE_EVENTS and ".partial" in str(details[0]):
                seen += 1
                if seen == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
    sys.executable = worker or sys.executable
    if failing:
        import ctypes

        ctypes.CDLL(None).arm(f"{Path.cwd()}/out".encode(), *failing)
    sys.argv = ["textsent", *arguments]
    from textsent.cli import run

    run()


if __name__ == "__main__":
    serve()
