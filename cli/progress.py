"""The line on stderr that says how far the solver is, and what goes on that takes long."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, TextIO

from autoopt.stages import Pace, line

_REDRAW = 0.1  # seconds between updates of a line on a terminal
_FIRST, _GROWTH = 1.0, 2.0  # elsewhere: a line after 1 s, 2 s, 4 s, ...


class Progress:
    """A callable for `progress=`: one line that is rewritten on a terminal, ever sparser lines elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.terminal = stream.isatty()
        self.next = 0.0 if self.terminal else _FIRST
        self.width = 0
        self._said = ""
        self._pace = Pace()
        self._lock = threading.Lock()  # stages are shown by a thread of their own

    def __call__(self, event: Any) -> None:
        """Show an `autoopt.solvers.Progress`, unless the last one is too recent."""
        is_news = bool(getattr(event, "stage", "")) and (self.terminal or event.seconds >= _FIRST)
        if event.seconds < self.next and not is_news:
            return
        self.next = event.seconds + _REDRAW if self.terminal else event.seconds * _GROWTH
        self._show(str(event))

    def during(self, stage: str, far: str, seconds: float) -> None:
        """Show a stage that has taken more than a second: `autoopt.stages`."""
        if self.terminal or self._pace.is_due(stage, seconds):
            self._show(line(stage, far, seconds))

    def say(self, text: str) -> None:
        """Show what was found, in a line that stays; once, however many fits find it."""
        if text == self._said:
            return
        self._said = text
        self._show(text)
        if self.terminal:
            self.stream.write("\n")
            self.width = 0

    def _show(self, text: str) -> None:
        with self._lock:
            self.stream.write("\r" + text.ljust(self.width) if self.terminal else text + "\n")
            self.stream.flush()
            self.width = len(text)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.terminal and self.width:
            self.stream.write("\r" + " " * self.width + "\r")
            self.stream.flush()
