"""The line on stderr that says how far the solver is."""

from __future__ import annotations

from types import TracebackType
from typing import Any, TextIO

_REDRAW = 0.1  # seconds between updates of a line on a terminal
_FIRST, _GROWTH = 1.0, 2.0  # elsewhere: a line after 1 s, 2 s, 4 s, ...


class Progress:
    """A callable for `progress=`: one line that is rewritten on a terminal, ever sparser lines elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.terminal = stream.isatty()
        self.next = 0.0 if self.terminal else _FIRST
        self.width = 0

    def __call__(self, event: Any) -> None:
        """Show an `autoopt.solvers.Progress`, unless the last one is too recent."""
        is_news = bool(getattr(event, "stage", "")) and (self.terminal or event.seconds >= _FIRST)
        if event.seconds < self.next and not is_news:
            return
        self.next = event.seconds + _REDRAW if self.terminal else event.seconds * _GROWTH
        line = str(event)
        self.stream.write("\r" + line.ljust(self.width) if self.terminal else line + "\n")
        self.stream.flush()
        self.width = len(line)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.terminal and self.width:
            self.stream.write("\r" + " " * self.width + "\r")
            self.stream.flush()
