"""Ctrl-C, and being told to end, held back until something is whole."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Uninterrupted:
    """A block in which no signal raises anything; what came meanwhile is raised at its end.

    Signals reach a process's main thread only; in another one this does nothing.
    """

    def __init__(self, is_last: bool = False) -> None:
        """Make it.

        Args:
            is_last: Nothing is left to be interrupted after the block: what came meanwhile is forgotten.
        """
        self._is_last = is_last

    def __enter__(self) -> None:
        self._came: list[int] = []
        self._usual: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if callable(signal.getsignal(number)):  # else it is ignored, or ends the process at once
                    self._usual[number] = signal.signal(number, self._note)

    def __exit__(self, *error: object) -> None:
        for number, usual in self._usual.items():
            signal.signal(number, usual)
        for number in () if self._is_last else self._came:
            signal.raise_signal(number)  # for whoever held it back before, or as it is usual

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._came.append(number)
