import itertools
import queue
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textsent import pipeline
from textsent.pipeline import ahead

DEPTHS = st.integers(1, 5)
each_depth = pytest.mark.parametrize("depth", [1, 2, 5])


def threads():
    """Return the threads that make items now."""
    return [thread for thread in threading.enumerate() if thread.name == "ahead"]


def wait_for(condition):
    """Wait until a condition holds, though not for ever."""
    for _ in range(10_000):
        if condition():
            return
        time.sleep(0.001)
    raise AssertionError("it never came")


class Counted:
    """Items that say how many of them were made."""

    def __init__(self, items):
        self.items = items
        self.made = 0

    def __iter__(self):
        for item in self.items:
            self.made += 1
            yield item


@settings(deadline=None)
@given(st.lists(st.none() | st.integers() | st.booleans()), DEPTHS)
def test_items_come_in_their_order(items, depth):
    with ahead(items, depth) as made:
        assert list(made) == items
    assert threads() == []


@each_depth
def test_of_nothing_nothing_comes(depth):
    with ahead([], depth) as made:
        assert next(made, None) is None
        assert next(made, None) is None  # nor does asking once more wait for ever
    assert threads() == []


class OwnError(Exception):
    pass


@pytest.mark.parametrize(
    "kind", [OwnError, ValueError, StopAsyncIteration, KeyboardInterrupt, SystemExit, GeneratorExit]
)
@settings(deadline=None, max_examples=20)
@given(before=st.integers(0, 4), depth=DEPTHS)
def test_what_making_an_item_raises_comes_in_its_place(kind, before, depth):
    raised = kind("of its own")

    def items():
        yield from range(before)
        raise raised

    came = []
    with pytest.raises(kind) as error, ahead(items(), depth) as made:
        came.extend(iter(made.__next__, None))
    assert error.value is raised
    assert came == list(range(before))
    assert threads() == []


def test_items_before_an_error_come_before_it():
    def items():
        yield from "abc"
        raise OwnError

    came = []
    with ahead(items(), 2) as made:
        came += [next(made), next(made), next(made)]
        with pytest.raises(OwnError):
            next(made)
    assert came == ["a", "b", "c"]


def test_an_exception_that_is_an_item_is_not_raised():
    errors = [OwnError(), KeyboardInterrupt()]
    with ahead(errors, 1) as made:
        assert list(made) == errors


def test_an_iterable_that_cannot_be_iterated_over_raises_where_the_first_item_is_asked_for():
    class Unwilling:
        def __iter__(self):
            raise OwnError

    with ahead(Unwilling(), 1) as made, pytest.raises(OwnError):
        next(made)


def test_the_items_are_made_in_another_thread():
    def items():
        yield threading.current_thread()

    with ahead(items(), 1) as made:
        assert next(made) is not threading.current_thread()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ends_without_a_word_for_want_of_memory_is_not_waited_for(monkeypatch):
    class Failing(queue.SimpleQueue):
        def put(self, item):
            if item is not None:
                raise MemoryError
            super().put(item)

    monkeypatch.setattr(pipeline, "_PATIENCE", 0.01)
    monkeypatch.setattr(queue, "SimpleQueue", Failing)
    with pytest.raises(MemoryError), ahead("ab", 1) as made:
        next(made)


def test_an_error_in_the_block_is_raised_and_ends_the_thread():
    def fail():
        raise OwnError

    with pytest.raises(OwnError), ahead(itertools.count(), 3):
        fail()
    assert threads() == []


@settings(deadline=None)
@given(DEPTHS, st.integers(0, 10))
def test_leaving_the_block_early_ends_the_thread(depth, taken):
    with ahead(itertools.count(), depth) as made:
        assert list(itertools.islice(made, taken)) == list(range(taken))
    assert threads() == []


@settings(deadline=None, max_examples=30)
@given(DEPTHS, st.integers(0, 10))
def test_no_more_items_are_made_than_the_depth_and_one_in_the_making(depth, taken):
    items = Counted(itertools.count())
    with ahead(items, depth) as made:
        for number in range(taken):
            assert next(made) == number
            assert items.made <= number + 1 + depth + 1
        wait_for(lambda: items.made == taken + depth + 1)
        time.sleep(0.002)  # for one too many to be made
        assert items.made == taken + depth + 1
    assert items.made <= taken + depth + 2


def test_items_are_made_before_they_are_asked_for():
    items = Counted("abc")
    with ahead(items, 3):
        wait_for(lambda: items.made == 3)


def test_an_item_that_is_being_made_when_the_block_ends_is_waited_for():
    begun, done = threading.Event(), []

    def items():
        begun.set()
        time.sleep(0.02)
        done.append("made")
        yield "made"
        done.append("another")
        yield "another"

    with ahead(items(), 1):
        assert begun.wait(10)
    assert done == ["made"]
    assert threads() == []


def test_an_item_that_never_comes_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr(pipeline, "_PATIENCE", 0.01)
    silent = threading.Event()

    def items():
        yield "one"
        silent.wait()

    with ahead(items(), 2) as made:
        assert next(made) == "one"
    (left,) = threads()
    assert left.daemon  # so that it does not hold up the process's end
    silent.set()
    left.join(10)
    assert threads() == []


def test_an_error_in_the_making_after_the_block_ended_is_nobody_s(monkeypatch):
    monkeypatch.setattr(pipeline, "_PATIENCE", 0.01)
    silent = threading.Event()

    def items():
        silent.wait()
        raise OwnError
        yield

    with ahead(items(), 1):
        pass
    (left,) = threads()
    silent.set()
    left.join(10)
    assert threads() == []


def test_one_may_be_within_another():
    with ahead(range(50), 2) as inner, ahead((item * 2 for item in inner), 3) as outer:
        assert list(outer) == list(range(0, 100, 2))
    assert threads() == []
