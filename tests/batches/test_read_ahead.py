"""The thread that reads ahead: bounded, ended with its consumer, and its errors are those of the consumer."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest

import autoopt
from autoopt.batches.ahead import ahead


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    yield
    assert [thread.name for thread in threading.enumerate() if thread.name == "autoopt read-ahead"] == []


def numbers(many, made):
    for number in range(many):
        made.append(number)
        yield number


@pytest.mark.parametrize("many", [0, 1, 2])
def test_items_come_in_order(many):
    assert list(ahead(numbers(50, []), many)) == list(range(50))


def wait_until(true):
    end = time.monotonic() + 10.0
    while not true() and time.monotonic() < end:
        time.sleep(0.001)
    assert true()


def test_no_more_are_made_than_wait_and_one():
    made = []
    items = ahead(numbers(50, made), 2)
    assert next(items) == 0
    wait_until(lambda: len(made) == 4)  # one is in use, two wait, one waits for room
    assert next(items) == 1
    wait_until(lambda: len(made) == 5)
    items.close()
    assert len(made) <= 6


def test_without_a_thread_each_is_made_when_it_is_asked_for():
    made = []
    items = ahead(numbers(50, made), 0)
    assert (next(items), next(items), made) == (0, 1, [0, 1])


@pytest.mark.parametrize("many", [0, 1])
def test_errors_come_out_after_what_was_made_before(many):
    def failing():
        yield 1
        raise OSError("gone")

    items = ahead(failing(), many)
    assert next(items) == 1
    with pytest.raises(OSError, match="gone"):
        next(items)


@pytest.mark.parametrize("read_ahead", [0, 1, 2])
def test_a_loop_that_is_left_early_leaves_no_thread_and_no_pass(read_ahead):
    data = autoopt.batches(np.ones(1000), ["y"], size=80, read_ahead=read_ahead)
    for batch in data:
        assert len(batch["y"]) == 10
        break
    with pytest.raises(ZeroDivisionError):
        for _ in data:
            1 / 0  # noqa: B018
    assert data.passes == 0 and len(list(data)) == 100 and data.passes == 1


def test_two_passes_at_a_time_do_not_mix():
    data = autoopt.batches(np.arange(100.0), ["y"], size=80)
    pairs = list(zip(data, data, strict=True))
    assert all(np.array_equal(one["y"], other["y"]) for one, other in pairs) and len(pairs) == 10


def test_ctrl_c_ends_a_pass():
    def slow():
        yield np.ones(3)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)
        yield np.ones(3)

    with pytest.raises(KeyboardInterrupt):
        for _ in autoopt.batches(lambda: slow(), ["y"]):
            pass


def test_reading_goes_on_while_a_batch_is_worked_on():
    """The consumer waits for the next batch to be made before it asks for it."""
    made = []
    data = autoopt.batches(lambda: (np.full(3, number) for number in numbers(5, made)), ["y"])
    made.clear()
    for number, _ in enumerate(data):
        wait_until(lambda number=number: len(made) > min(number + 1, 4))
