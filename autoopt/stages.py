"""What goes on that may take long, announced to whoever listens: tracing, deriving, compiling.

    with stage("tracing", lambda: f"{len(steps)} steps"):        # costs 0.3 us if nobody listens
        ...

    with listening(show):                                        # calls show("tracing", "120000 steps", 1.2) once the
        ...                                                      # stage has lasted a second, and then again and again

A stage that takes long is in one call of somebody else's code, which cannot say that it is still there: so a thread of
the listener's looks which stage it is in, and asks how far it has come. Stages are those of the thread that listens;
what other threads do at the same time is none of its business.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from autoopt.origin import shorten
from autoopt.wording import times

QUIET = 1.0
"""Seconds before a stage is shown: what is over sooner needs no words."""

_LOOK = 0.1
"""Seconds between two looks at the stage."""

Show = Callable[[str, str, float], None]
"""Is called with the stage, how far it has come ("" if that is not known), and the seconds since it began."""

P = ParamSpec("P")
R = TypeVar("R")


class _Local(threading.local):
    listener: _Listener | None = None


_LOCAL = _Local()


class _Stage:
    """A stage that is announced."""

    def __init__(self, listener: _Listener, name: str, far: Callable[[], str] | None) -> None:
        self.listener, self.name, self.far = listener, name, far
        self.begin = time.perf_counter()

    def __enter__(self) -> None:
        self.listener.stages.append(self)

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.listener.stages.remove(self)


_NOBODY: Any = contextlib.nullcontext()


def stage(name: str, far: Callable[[], str] | None = None) -> contextlib.AbstractContextManager[None]:
    """Return the context of a stage, of which `far` tells how far it has come."""
    listener = _LOCAL.listener
    return _NOBODY if listener is None else _Stage(listener, name, far)


def say(text: Callable[[], str]) -> None:
    """Tell whoever listens what has been found, in a line that stays; it is asked for only if somebody does."""
    listener = _LOCAL.listener
    if listener is not None and listener.say is not None:
        listener.say(text())


def during(name: str, far: Callable[..., str] | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return the decorator of a function that is a stage as a whole; `far` takes what it takes."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def announced(*args: P.args, **options: P.kwargs) -> R:
            with stage(name, None if far is None else lambda: far(*args, **options)):
                return function(*args, **options)

        return announced

    return decorate


def counted(name: str, parts: Any) -> Iterator[Any]:
    """Yield the parts of something, saying which of them is the current one."""
    done = 0
    with stage(name, lambda: f"{done} of {len(parts)}"):
        for part in parts:
            yield part
            done += 1


def progressed() -> None:
    """Begin the current stage anew: its progress has been shown otherwise."""
    listener = _LOCAL.listener
    if listener is not None and listener.stages:
        listener.stages[-1].begin = time.perf_counter()


class _Listener:
    """Shows the innermost stage of a thread that has lasted for a while, as long as it goes on."""

    def __init__(self, show: Show, say: Callable[[str], None] | None = None) -> None:
        self.show, self.say = show, say
        self.stages: list[_Stage] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="autoopt progress", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_LOOK):
            now, stages = time.perf_counter(), list(self.stages)  # one look: the other thread goes on
            while stages and now - stages[-1].begin < QUIET:
                stages.pop()
            if stages:
                try:
                    far = stages[-1].far() if stages[-1].far is not None else ""
                    self.show(": ".join(each.name for each in stages), far, now - stages[-1].begin)
                except Exception:  # what is shown must never be what fails
                    return


@contextlib.contextmanager
def listening(progress: Any) -> Iterator[None]:
    """Show the stages of the block by `progress`: True for lines on stderr, or what has a method `during`.

    That is a `Show`, and called by another thread.
    """
    progress = Lines() if progress is True else progress
    show = getattr(progress, "during", None)
    before = _LOCAL.listener
    if show is None or (before is not None and before.show == show):
        yield
        return
    listener = _LOCAL.listener = _Listener(show, getattr(progress, "say", None))
    listener.start()
    try:
        yield
    finally:
        _LOCAL.listener = before
        listener.stop()


def heard(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function with an option `progress` whose stages are shown by that; its tracebacks are short."""

    @functools.wraps(function)
    def listened(*args: P.args, **options: P.kwargs) -> R:
        try:
            if not options.get("progress"):
                return function(*args, **options)
            with listening(options["progress"]):
                return function(*args, **options)
        except Exception as error:
            shorten(error)
            raise

    return listened


class Pace:
    """Says when a line is due: for each stage after 1 s, 2 s, 4 s, ..."""

    def __init__(self) -> None:
        self._stage, self._next = "", QUIET

    def is_due(self, stage: str, seconds: float) -> bool:
        """Whether a line of the stage is to be printed now."""
        if stage != self._stage or seconds < self._next / 4:  # another one, or the same begun anew
            self._stage, self._next = stage, QUIET
        if seconds < self._next:
            return False
        self._next = 2 * seconds
        return True


class Lines:
    """Lines on stderr."""

    def __init__(self) -> None:
        self._pace = Pace()

    def say(self, text: str) -> None:
        """Print what was found."""
        print(text, file=sys.stderr, flush=True)

    def during(self, stage: str, far: str, seconds: float) -> None:
        """Print the stage, unless that was done a while ago only."""
        if self._pace.is_due(stage, seconds):
            print(line(stage, far, seconds), file=sys.stderr, flush=True)


def line(stage: str, far: str, seconds: float) -> str:
    """Return what is shown of a stage."""
    return f"{stage}{f' ({far})' if far else ''} ...   {seconds:.1f} s"


class Interrupted(KeyboardInterrupt):
    """The run was interrupted; `result` is what it had reached (the best point so far, success False)."""

    def __init__(self, result: Any) -> None:
        self.result = result
        done = f"{times(result.nit, 'iteration')} and {times(result.nfev, 'evaluation')}"
        super().__init__(f"Interrupted after {done}; .result holds the best point so far.")
