"""Items that a thread makes ready while the last one is worked on.

The thread ends with its consumer, however that ends: by the last item, an error, Ctrl-C, or a loop that is left early.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator, Iterator
from typing import Any, TypeVar

T = TypeVar("T")

_LOOK = 0.5
"""Seconds between two looks whether there is Ctrl-C, where waiting cannot be interrupted (Windows)."""

_END: Any = object()


def ahead(items: Generator[T, None, None], many: int) -> Iterator[T]:
    """Yield items, at most so many of which wait, while one more is made; 0 makes each when it is asked for.

    What making them raises comes out here.
    """
    if not many:
        with contextlib.closing(items):
            yield from items
        return
    ready: queue.Queue[tuple[T, BaseException | None]] = queue.Queue(many)
    left = threading.Event()
    thread = threading.Thread(target=_make, args=(items, ready, left), name="autoopt read-ahead", daemon=True)
    try:
        thread.start()  # it may have made the first item, and Ctrl-C may have come, before this returns
        while True:
            item, error = _next(ready)
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
            del item  # it is the consumer's alone
    finally:
        left.set()
        with contextlib.suppress(queue.Empty):  # the thread may wait for room, for one item at most
            while True:
                ready.get_nowait()
        if thread.is_alive():
            thread.join()


def _next(ready: queue.Queue) -> Any:
    while True:
        with contextlib.suppress(queue.Empty):
            return ready.get(timeout=_LOOK)


def _make(items: Generator[T, None, None], ready: queue.Queue, left: threading.Event) -> None:
    """Put items into the queue until there are no more, or nobody is there to take them."""
    error: BaseException | None = None
    try:
        with contextlib.closing(items):
            for item in items:
                ready.put((item, None))
                del item
                if left.is_set():
                    return
    except BaseException as raised:
        error = raised
    ready.put((_END, error))
