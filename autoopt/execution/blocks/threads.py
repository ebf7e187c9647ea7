"""Threads for blocks: how many, one pool of them, and BLAS without threads of its own meanwhile."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController


@functools.cache
def _controller() -> ThreadpoolController:
    """Return what knows the libraries that are loaded; looking for them takes a millisecond."""
    return ThreadpoolController().select(user_api="blas")


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
    return ThreadPoolExecutor(threads, thread_name_prefix="autoopt-rows")


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Have BLAS use one thread."""
    with _controller().limit(limits=1):
        yield
