"""Runs in forks of this process: they have all that it has, the traced objective too, and send back their results."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from autoopt.errors import UsageError

_TASKS: dict[int, Callable] = {}
"""What forks are to do, by number: inherited, as functions of the user's cannot be sent."""


def in_processes(task: Callable, points: Sequence[Any], count: int) -> Iterator[Any]:
    """Yield the results of `task` at the points, in their order, `count` at a time."""
    if "fork" not in multiprocessing.get_all_start_methods():
        raise UsageError("This system cannot fork processes.", remedy="leave processes out.")
    number = max(_TASKS, default=0) + 1
    _TASKS[number] = task
    pool = ProcessPoolExecutor(min(count, len(points)), mp_context=multiprocessing.get_context("fork"))
    try:
        yield from pool.map(_done, [number] * len(points), points)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        del _TASKS[number]


def _done(number: int, point: Any) -> Any:
    """Return what the task gives, without what cannot be sent."""
    result = _TASKS[number](point)
    if result is not None:
        for name in [name for name in result if not _can_be_sent(result[name])]:
            del result[name]
    return result


def _can_be_sent(value: Any) -> bool:
    import pickle

    try:
        pickle.dumps(value)
    except Exception:
        return False
    return True
