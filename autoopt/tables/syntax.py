"""How a text file writes numbers; where values have types, as in frames, text is never a number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

MISSING = {"", "na", "n/a", "nan", "null", "none", "#n/a", "<na>", "nat"}
"""What stands for a missing value in a column of numbers that is written as text, in lower case."""

_MARKS = (",", ".", "'", "_", " ", "\u00a0", "\u202f")  # between thousands; two are blanks that do not break

_DATE = re.compile(
    r"(?:[0-9]{4}([-/.])[0-9]{1,2}\1[0-9]{1,2}|[0-9]{1,2}([-/.])[0-9]{1,2}\2(?:[0-9]{2}){1,2})(?:[ T][0-9:.]+.*)?"
)


@dataclass(frozen=True)
class Syntax:
    """How numbers are written in a text file: as pandas reads them, and not as Python's `float` does.

    Parameters
    ----------
    decimal : str
        "." or ",".
    thousands : str or None
        What may stand between digits, one character.

    Examples
    --------
    >>> Syntax(",").number("1,5"), Syntax(",").number("1.500"), Syntax(",", ".").number("1.500"), Syntax().number("1_0")
    (1.5, None, 1500.0, None)
    """

    decimal: str = "."
    thousands: str | None = None
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        point, mark = re.escape(self.decimal), re.escape(self.thousands or "")
        digits = rf"(?:[0-9][0-9{mark}]*(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"
        object.__setattr__(self, "_pattern", re.compile(rf"\s*[+-]?(?:{digits}|(?i:inf|infinity))\s*"))

    def number(self, text: str) -> float | None:
        """Return the number that a text is, None if it is none."""
        if self._pattern.fullmatch(text) is None:
            return None
        return float((text.replace(self.thousands, "") if self.thousands else text).replace(self.decimal, "."))


def advice(texts: Sequence[str]) -> str:
    """Return how texts can be read that are numbers with other marks, "" if they are none.

    Examples
    --------
    >>> advice(["1,5", "20"])
    "they look like numbers with decimal commas, such as '1,5': read them so, --decimal ',' \
(reading={'decimal': ','} in Python)."
    >>> advice(["900", "1,100", "2,200.5"])
    "they look like numbers with marks between thousands, such as '1,100': read them so, --thousands ',' \
(reading={'thousands': ','} in Python)."
    """
    plain = [text.strip().lstrip("+-") for text in texts]
    for mark in _MARKS:
        point = "," if mark == "." else "."
        grouped = rf"[1-9][0-9]{{0,2}}({re.escape(mark)}[0-9]{{3}})*(\{point}[0-9]+)?|0(\{point}[0-9]+)?"
        if any(mark in text for text in plain) and all(
            re.fullmatch(rf"{grouped}|[0-9]+(\{point}[0-9]+)?", text) for text in plain
        ):
            return _said("marks between thousands", "thousands", mark, texts)
    if any("," in text for text in plain) and all(re.fullmatch(r"[0-9]+(,[0-9]+)?", text) for text in plain):
        return _said("decimal commas", "decimal", ",", texts)
    return ""


def are_dates(texts: Sequence[str]) -> bool:
    """Return whether all texts look like dates.

    Examples
    --------
    >>> are_dates(["2020-01-31", "31.1.2020", "1/31/20 12:30"]), are_dates(["5-10"])
    (True, False)
    """
    return bool(texts) and all(_DATE.fullmatch(text.strip()) for text in texts)


def _said(what: str, option: str, mark: str, texts: Sequence[str]) -> str:
    shown = next(text for text in texts if mark in text)
    return (
        f"they look like numbers with {what}, such as {shown!r}: read them so, --{option} '{mark}' "
        f"(reading={{'{option}': '{mark}'}} in Python)."
    )
