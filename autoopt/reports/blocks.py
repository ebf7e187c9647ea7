"""What a report is made of: a section is a title and blocks, and each block has its way of being shown.

The template (`page.html`) has a macro of the name `kind` for each; all that blocks hold is text, and is escaped, but
for the SVG of drawings, which matplotlib has written and escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True)
class Text:
    """A paragraph; a note stands back, or is a list of them."""

    kind: ClassVar[str] = "text"
    text: str
    is_note: bool = False


@dataclass(frozen=True)
class Facts:
    """Labels with values."""

    kind: ClassVar[str] = "facts"
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """Rows under a head; the first column, and those of `words`, are text, the others numbers."""

    kind: ClassVar[str] = "table"
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Sequence[int] = ()
    caption: str = ""


@dataclass(frozen=True)
class Code:
    """Lines of code with their numbers, folded if there are many."""

    kind: ClassVar[str] = "code"
    text: str
    caption: str = ""
    first: int = 1

    @property
    def lines(self) -> list[str]:
        return self.text.rstrip("\n").split("\n")


@dataclass(frozen=True)
class Drawing:
    """An SVG element, with a caption."""

    kind: ClassVar[str] = "drawing"
    svg: str
    caption: str = ""


Block = Text | Facts | Table | Code | Drawing


@dataclass(frozen=True)
class Section:
    """A part of the report: `name` is its anchor."""

    name: str
    title: str
    blocks: Sequence[Block] = field(default=())
