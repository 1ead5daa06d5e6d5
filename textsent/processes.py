"""An interpreter of its own that does part of the work: asked through one pipe, it answers through another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_PATIENCE = 1.0  # seconds


class ServingProcess:
    """A process that runs `serve()` of a module until its standard input ends.

    Attributes:
        asked: Where to write what it is asked.
        answers: Where to read what it answers. It is a pipe of its own, not standard output: whatever else runs in
            the interpreter may print.
        answers_descriptor: The number that it knows the other end of that pipe by.
    """

    def __init__(self, module: str, files: Sequence[int] = ()) -> None:
        """Start it.

        Args:
            module: Its name; what it imports from is what this process does, but not the current folder.
            files: Descriptors of open files that it is to have, under the same numbers.

        Raises:
            OSError: No process can be started.
        """
        self.answers, answering = (os.fdopen(end, mode) for end, mode in zip(os.pipe(), ("rb", "wb"), strict=True))
        self.answers_descriptor = answering.fileno()
        imports = [str(Path(__file__).parents[1])]
        imports += [str(Path(entry).absolute()) for entry in sys.path if isinstance(entry, str) and entry]
        with answering:
            try:
                self._process = subprocess.Popen(
                    [
                        *(sys.executable, "-P", "-c"),
                        f"import sys; sys.path[:] = {imports!a}; from {module} import serve; serve()",
                    ],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    # It has nothing to say but a traceback, which may quote someone's mail.
                    stderr=None if os.environ.get("TEXTSENT_TRACEBACK") else subprocess.DEVNULL,
                    pass_fds=(*files, self.answers_descriptor),
                    process_group=0,  # Ctrl-C is for this process; it ends the others
                )
            except OSError:
                self.answers.close()
                raise
        assert self._process.stdin
        self.asked = self._process.stdin

    def kill(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Close the pipes to the process."""
        for pipe in (self.asked, self.answers):
            with suppress(OSError):  # what is still in the buffer
                pipe.close()

    def why_it_ended(self, otherwise: str) -> str:
        """Return how it ended, to stand after its name; where it still runs, what is to be said then."""
        try:
            code = self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            return otherwise
        reason = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return f"{reason}, for want of memory perhaps" if code == -signal.SIGKILL else reason
