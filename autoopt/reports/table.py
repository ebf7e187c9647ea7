"""A row of the table of pictures: what it is called, what it needs and how it is drawn. Nothing here draws one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autoopt.reports.subject import Subject


@dataclass(frozen=True)
class Picture:
    """A row of PICTURES.

    Attributes
    ----------
    name : str
        What `plot` calls it.
    description : str
        What it shows; one line.
    draw : callable
        (subject, axes, panel): draws on axes of matplotlib.
    lacks : callable
        (subject) -> why it cannot be drawn, as part of a sentence; an empty string if it can.
    panels : callable
        (subject, names) -> what each axes shows, in turn.
    caption : callable
        (subject) -> what is to be said of it, in a sentence or two; may be empty.
    height : callable
        (subject) -> the height of one axes, in inches.
    is_dear : bool
        Whether it takes solves: it is drawn on request only.
    """

    name: str
    description: str
    draw: Callable[[Subject, Any, Any], None]
    lacks: Callable[[Subject], str]
    panels: Callable[[Subject, Sequence[str] | None], Sequence[Any]]
    caption: Callable[[Subject], str]
    height: Callable[[Subject], float]
    is_dear: bool = False


def picture(
    name: str,
    *,
    lacks: Callable[[Subject], str],
    panels: Callable[[Subject, Sequence[str] | None], Sequence[Any]] = lambda subject, names: [""],
    caption: Callable[[Subject], str] = lambda subject: "",
    height: Callable[[Subject], float] = lambda subject: 2.9,
    is_dear: bool = False,
) -> Callable[[Callable], Picture]:
    """Return a decorator that makes a Picture of a function (subject, axes, panel); its docstring describes it."""

    def row(draw: Callable) -> Picture:
        description = (draw.__doc__ or "").strip().splitlines()[0]
        return Picture(name, description, draw, lacks, panels, caption, height, is_dear)

    return row
