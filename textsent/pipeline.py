"""Work that is done beside, and ahead of, the one who needs it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")

_PATIENCE = 0.5  # seconds


@contextmanager
def pool_of(threads: int) -> Iterator[Executor]:
    """Yield a pool of threads that leaves undone what isn't begun when the block ends.

    It is made anew for each use: one that is kept would hang after a fork.
    """
    pool = ThreadPoolExecutor(threads)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def ahead(
    items: Iterable[Item], depth: int, on_stuck: Callable[[], object] | None = None
) -> Iterator[Iterator[Item]]:
    """Make items in a thread of its own, and yield an iterator over them.

    They come in their order; what making one raises is raised in its place. When the block ends the thread stops
    after the item that it is at, for which the block waits, though not for long: it may be one that never comes.

    Args:
        items: What to iterate over in the thread.
        depth: Items made before they are asked for, at most, 1 or more; one more is in the making.
        on_stuck: Called where the thread goes on for longer than the block waits: what it uses must not be closed.
    """
    # Not one `queue.Queue`: short of memory it fails with its lock held, and both threads wait for ever.
    made: queue.SimpleQueue[tuple[bool, Item | BaseException | None]] = queue.SimpleQueue()
    room: queue.SimpleQueue[None] = queue.SimpleQueue()
    for _ in range(depth):
        room.put(None)
    ended = threading.Event()

    def make() -> None:
        try:
            for item in items:
                room.get()
                if ended.is_set():
                    return
                made.put((True, item))
            made.put((False, None))
        except BaseException as exc:  # whatever it is, it is the other thread's
            made.put((False, exc))

    def taken() -> Iterator[Item]:
        while True:
            try:
                is_item, item = made.get(timeout=_PATIENCE)
            except queue.Empty:
                if thread.is_alive() or not made.empty():
                    continue
                raise MemoryError from None  # nothing else ends the thread without a word
            if is_item:
                room.put(None)
                yield item  # type: ignore[misc]
            elif isinstance(item, BaseException):
                raise item
            else:
                return

    thread = threading.Thread(target=make, name="ahead", daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        ended.set()
        room.put(None)  # so that it can put down what it holds
        thread.join(_PATIENCE)
        if on_stuck and thread.is_alive():
            on_stuck()
