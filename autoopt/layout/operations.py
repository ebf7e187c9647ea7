"""Operands and operators in turn, and where lines may be broken among them; elements one to a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autoopt.layout.documents import Document, Either, Group, Line

INSIDE = -1
"""The place of an expression between brackets, where it may be broken; elsewhere the name of a group, or None."""


@dataclass(frozen=True)
class Operand:
    """A document, and whether a power of it is written without spaces."""

    document: Document
    simple: bool


@dataclass(frozen=True)
class Operator:
    """How an operator is written, and how loosely it binds."""

    sign: str
    binding: int


def chain(parts: Sequence[Operand | Operator], place: int | None) -> Document:
    """Return operands and operators, with places for lines ahead of those that bind least."""
    if len(parts) == 1:
        assert isinstance(parts[0], Operand)
        return parts[0].document
    loosest = max(part.binding for part in parts if isinstance(part, Operator))
    written: list[Document] = []
    begin = 0
    for k, part in enumerate(parts):
        if not isinstance(part, Operator) or part.binding != loosest:
            continue
        written.append(_piece(parts[begin:k], place))
        left, right = parts[k - 1], parts[k + 1]
        assert isinstance(left, Operand) and isinstance(right, Operand)
        close = part.sign == "**" and left.simple and right.simple
        written += [line("" if close else " ", place), part.sign if close else f"{part.sign} "]
        begin = k + 1
    return [*written, _piece(parts[begin:], place)]


def _piece(parts: Sequence[Operand | Operator], place: int | None) -> Document:
    inner = chain(parts, place)
    return inner if len(parts) == 1 else grouped(inner, place)


def grouped(inner: Document, place: int | None) -> Document:
    """Return a group, if its lines may be broken where it stands."""
    if place is None:
        return inner
    return Group(inner) if place == INSIDE else Group(inner, within=place)


def line(flat: str, place: int | None) -> Document:
    """Return a place for a new line, if there may be one."""
    if place is None:
        return flat
    return Line(flat) if place == INSIDE else Either(Line(flat), flat, place)


def elements(items: Sequence[Document]) -> Document:
    """Return elements, with a comma after the last where each has a line."""
    if not items:
        return ""
    separated: list[Document] = []
    for item in items:
        separated += [item, ",", Line(" ")]
    return [*separated[:-2], Either(",")]
