"""Texts with places where a line may be broken, and the choice of those that are.

    Group(["f(", Indent([Line(), "a,", Line(" "), "b"]), Line(), ")"])

    f(a, b)    or, if that is too wide,    f(
                                               a,
                                               b
                                           )

A group stands on one line if all that is left of this line fits, else each of its own lines is broken and the groups
inside are asked in turn (P. Wadler, A prettier printer, 2003). Two things are as in ruff: what stands inside may depend
on whether a group that is named was broken (`Either`, the parentheses that an expression gets only if it has several
lines), and `Expanded` fits on one line if it does so with all its own lines broken, so that such parentheses are not
written where brackets can be broken instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

STEP = 4
"""Columns of an indentation."""


@dataclass(frozen=True)
class Line:
    """A place for a new line; `flat` is what stands there on one line."""

    flat: str = ""


@dataclass(frozen=True)
class Group:
    """What stands on one line or has all its own lines broken; `within`: only if the group of that name is broken."""

    inner: Document
    name: int | None = None
    within: int | None = None


@dataclass(frozen=True)
class Indent:
    """What is indented; with `name` only if that group is broken."""

    inner: Document
    name: int | None = None


@dataclass(frozen=True)
class Either:
    """What stands where the group called `name`, or the one around it, is broken, and where it is not."""

    broken: Document
    flat: Document = ""
    name: int | None = None


@dataclass(frozen=True)
class Expanded:
    """What fits if all its lines do, every one of them broken, as long as the group called `name` is not."""

    inner: Document
    name: int


Document: TypeAlias = "str | Line | Group | Indent | Either | Expanded | Sequence[Document]"


class _Frame(NamedTuple):
    """What is ahead: its indentation, whether it stands on one line, whether each of several lines must fit."""

    document: Document
    indent: int
    flat: bool
    every: bool = False


def rendered(document: Document, width: int, indent: int) -> str:
    """Return a text at an indentation, which is not written ahead of its first line."""
    written: list[str] = []
    column, known = indent, False
    flats: dict[int, bool] = {}  # whether named groups stand on one line
    stack = [_Frame(document, indent, False)]
    while stack:
        frame = stack.pop()
        part = frame.document
        if isinstance(part, str):
            written.append(part)
            column += len(part)
        elif isinstance(part, Line) and frame.flat:
            written.append(part.flat)
            column += len(part.flat)
        elif isinstance(part, Line):
            written.append("\n" + " " * frame.indent)
            column, known = frame.indent, False
        elif isinstance(part, Group) and (part.within is None or not flats[part.within]):
            flat = frame.flat and known
            if not flat:
                known = True
                flat = _fits(_Frame(part.inner, frame.indent, True), stack, width - column, width, flats)
            if part.name is not None:
                flats[part.name] = flat
            stack.append(_Frame(part.inner, frame.indent, flat))
        elif isinstance(part, Expanded):
            known = known and not flats[part.name]  # it fits with all its lines broken: each is asked if it need be
            stack.append(frame._replace(document=part.inner))
        else:
            stack += _inner(frame, flats)
    return "".join(written)


def _fits(first: _Frame, ahead: Sequence[_Frame], left: int, width: int, flats: dict[int, bool]) -> bool:
    """Whether what is ahead fits into the columns that are left, up to the next new line."""
    flats = dict(flats)
    stack, below = [first], len(ahead)
    while stack or below:
        if not stack:
            below -= 1
            stack.append(ahead[below])
        frame = stack.pop()
        part = frame.document
        if isinstance(part, str) or (isinstance(part, Line) and frame.flat):
            left -= len(part if isinstance(part, str) else part.flat)
            if left < 0:
                return False
        elif isinstance(part, Line):
            if not frame.every:
                return True
            left = width - frame.indent
        else:
            if isinstance(part, Group) and part.name is not None:
                flats[part.name] = frame.flat
            stack += _inner(frame, flats)
    return True


def _inner(frame: _Frame, flats: dict[int, bool]) -> list[_Frame]:
    """Return what a part consists of, last first."""
    part = frame.document
    if isinstance(part, Group):
        return [frame._replace(document=part.inner)]
    if isinstance(part, Indent):
        deeper = part.name is None or not flats.get(part.name, frame.flat)
        return [frame._replace(document=part.inner, indent=frame.indent + STEP * deeper)]
    if isinstance(part, Either):
        flat = frame.flat if part.name is None else flats.get(part.name, frame.flat)
        return [frame._replace(document=part.flat if flat else part.broken)]
    if isinstance(part, Expanded):
        inner = frame._replace(document=part.inner)
        return [inner._replace(flat=False, every=True) if flats.get(part.name, frame.flat) else inner]
    assert not isinstance(part, str | Line)
    return [frame._replace(document=inner) for inner in reversed(part)]
