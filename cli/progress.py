"""What stderr shows of a fit that goes on: sparse lines, or on a terminal two lines that are rewritten.

Nothing is shown in the first second, in which most fits are over; rich, which draws on terminals, is imported after it.
"""

from __future__ import annotations

import os
import threading
import time
from types import TracebackType
from typing import Any, TextIO

import click
import numpy as np

from autoopt.stages import Pace, line

_FIRST, _GROWTH = 1.0, 2.0  # a line after 1 s, 2 s, 4 s, ...
_REFRESH = 8  # drawings a second


class Progress:
    """A callable for `progress=`, with a method `during` for `autoopt.stages`: shows what it is told on a stream.

    Attributes
    ----------
    name : str
        What is fitted.
    """

    def __init__(self, stream: TextIO, name: str = "") -> None:
        self.stream, self.name = stream, name
        self.is_terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
        self.next = _FIRST
        self._begun = time.monotonic()
        self._said = ""
        self._pace = Pace()
        self._lock = threading.RLock()  # stages are shown by a thread of their own
        self._screen: Any = None

    def __call__(self, event: Any) -> None:
        """Show an `autoopt.solvers.Progress`, unless the last one is too recent."""
        stage = getattr(event, "stage", "")
        if self.is_terminal:
            self._draw(event, stage or "minimising")
        elif event.seconds >= self.next or (stage and event.seconds >= _FIRST):
            self.next = event.seconds * _GROWTH
            self._write(str(event))

    def during(self, stage: str, far: str, seconds: float) -> None:
        """Show a stage that has taken more than a second: `autoopt.stages`."""
        if self.is_terminal:
            self._draw(None, f"{stage} ({far})" if far else stage)
        elif self._pace.is_due(stage, seconds):
            self._write(line(stage, far, seconds))

    def say(self, text: str) -> None:
        """Show what was found, in a line that stays; once, however many fits find it."""
        if text != self._said:
            self._said = text
            self._write(text)

    def _write(self, text: str) -> None:
        with self._lock:
            if self._screen is not None:
                self._screen.say(text)
                return
            self.stream.write(text + "\n")
            self.stream.flush()

    def _draw(self, event: Any, phase: str) -> None:
        """Tell the screen how far the fit is; it is there from the second second on."""
        with self._lock:
            if self._screen is None:
                if time.monotonic() - self._begun < _FIRST:
                    return
                self._screen = _Screen(self.stream, self._begun)
            self._screen.tell(self.name, event, phase)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._lock:
            if self._screen is not None:
                self._screen.close()
                self._screen = None


class _Screen:
    """The two lines on a terminal: file, phase and time; iteration, value, size of the gradient and rate."""

    def __init__(self, stream: TextIO, begun: float) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import SPINNERS, Spinner

        class Steady(Console):
            """A console that leaves the cursor where it is seen: a process that is killed could not bring it back."""

            def show_cursor(self, show: bool = True) -> bool:
                return False

        context = click.get_current_context(silent=True)
        no_color = context is not None and context.color is False
        console = Steady(file=stream, no_color=no_color or None, highlight=False)
        shape = "dots" if console.encoding.startswith("utf") else "line"
        assert shape in SPINNERS
        self._spinner = Spinner(shape)
        self._begun, self._name, self._phase, self._event = begun, "", "", None
        self._rate = _Rate()
        # What the user's code prints meanwhile goes above the two lines.
        self._live = Live(get_renderable=self._lines, console=console, transient=True, refresh_per_second=_REFRESH)
        self._live.start()

    def tell(self, name: str, event: Any, phase: str) -> None:
        if name != self._name:
            self._event, self._rate = None, _Rate()
        self._name, self._phase = name, phase
        if event is not None:
            self._event = event
            self._rate.tell(event.iteration, time.monotonic())

    def say(self, text: str) -> None:
        """Print a line above."""
        self._live.console.print(text, markup=False)

    def close(self) -> None:
        self._live.stop()

    def _lines(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        first = Text.assemble(
            (self._name, "bold"), "   ", (self._phase, "cyan"), f"   {time.monotonic() - self._begun:.1f} s"
        )
        self._spinner.update(text=first)
        grid = Table.grid()
        grid.add_column(no_wrap=True, overflow="ellipsis")
        grid.add_row(self._spinner)
        if self._event is not None:
            grid.add_row(Text(f"  {described(self._event, self._rate.value)}"))
        return grid


class _Rate:
    """Iterations a second, over the last seconds."""

    _OVER = 5.0

    def __init__(self) -> None:
        self._told: list[tuple[float, int]] = []

    def tell(self, iteration: int, now: float) -> None:
        if self._told and iteration < self._told[-1][1]:  # another start, or another method
            self._told.clear()
        self._told.append((now, iteration))
        while self._told[0][0] < now - self._OVER and len(self._told) > 2:
            self._told.pop(0)

    @property
    def value(self) -> float:
        """NaN as long as nothing can be said."""
        (begin, first), (end, last) = self._told[0], self._told[-1]
        return (last - first) / (end - begin) if end > begin else np.nan


def described(event: Any, rate: float) -> str:
    """Return what is shown of an iterate: its number, the value, the size of the gradient, iterations a second.

    >>> from autoopt.solvers import Progress as Event
    >>> described(Event(12, 3.5, 1e-4, 2.0), 6.25)
    'iteration 12   value 3.5   gradient 1.00e-04   6.2 iterations/s'
    """
    parts = [f"iteration {event.iteration}", f"value {event.value:.10g}"]
    if np.isfinite(event.gradient_norm):
        parts.append(f"gradient {event.gradient_norm:.2e}")
    if np.isfinite(rate):
        parts.append(f"{rate:.1f} iterations/s" if rate >= 0.1 else f"{1 / rate:.0f} s/iteration" if rate > 0 else "")
    return "   ".join(part for part in parts if part)
