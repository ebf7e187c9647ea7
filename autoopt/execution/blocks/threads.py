"""Threads for blocks: how many, one pool of them, and BLAS without threads of its own meanwhile."""

from __future__ import annotations

import contextvars
import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from autoopt.errors import UsageError

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

P = ParamSpec("P")
R = TypeVar("R")


@functools.cache
def _controller() -> Any:
    """Return what knows the libraries that are loaded; looking for them takes a millisecond."""
    from threadpoolctl import ThreadpoolController  # which few calls need

    return ThreadpoolController().select(user_api="blas")


_ASKED: contextvars.ContextVar[int | None] = contextvars.ContextVar("threads", default=None)


def threads_now() -> int:
    """Return how many threads blocks are run in: as many as was asked for, or as BLAS uses."""
    return _ASKED.get() or default_threads()


def threaded(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function with an option `threads`: in how many blocks of rows are run while it runs."""

    @functools.wraps(function)
    def limited(*args: P.args, **options: P.kwargs) -> R:
        threads = options.get("threads")
        if threads is None:
            return function(*args, **options)
        if not isinstance(threads, int) or threads < 1:
            raise UsageError(f"threads={threads!r} is not understood.", remedy="pass a whole number from 1 on.")
        token = _ASKED.set(threads)
        try:
            return function(*args, **options)
        finally:
            _ASKED.reset(token)

    return limited


@functools.cache
def default_threads() -> int:
    """Return how many threads BLAS would use, so that OPENBLAS_NUM_THREADS and the like hold here, too."""
    known = [library.num_threads for library in _controller().lib_controllers]
    return max(
        1, min([max(known, default=1), len(os.sched_getaffinity(0)) if _has_affinity() else os.cpu_count() or 1])
    )


def _has_affinity() -> bool:
    return hasattr(os, "sched_getaffinity")


@functools.cache
def pool(threads: int) -> ThreadPoolExecutor:
    """Return a pool of so many threads."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(threads, thread_name_prefix="autoopt-rows")


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Have BLAS use one thread."""
    with _controller().limit(limits=1):
        yield


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=pool.cache_clear)  # a child has the pool, and none of its threads
