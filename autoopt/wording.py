"""Words of messages: lists, counts, and names that may have been meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

_SHOWN = 20  # names listed in a message before "and ... more"


def listed(names: Sequence[str]) -> str:
    """Return the names with commas, the first twenty if there are more."""
    shown = ", ".join(str(name) for name in names[:_SHOWN])
    return shown + (f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def could_not_go_on(method: str, error: Exception) -> str:
    """Return in words what a method raised."""
    return f"{method} could not go on ({type(error).__name__}: {error})"


def count(faults: Sequence[str], noun: str) -> str:
    """Return "3 values"."""
    return f"{len(faults)} {noun}{'' if len(faults) == 1 else 's'}"


def times(number: int, noun: str) -> str:
    """Return "1 step" or "3 steps"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def name_of(given: object, name: str) -> str:
    """Return what messages call a function that is given as `name`; one of a module of derivatives says it itself."""
    return getattr(given, "said", name)


def nearest(name: str, candidates: Iterable[str]) -> list[str]:
    """Return at most two candidates that `name` may be a misspelling of, the nearest first."""
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    return [by_lower[match] for match in difflib.get_close_matches(name.lower(), by_lower, n=2, cutoff=0.7)]


def near(name: str, candidates: Iterable[str]) -> str:
    """Return ' Did you mean ...?' if a candidate is near, else an empty string."""
    names = nearest(name, candidates)
    return f" Did you mean {' or '.join(names)}?" if names else ""


def in_midst(name: str) -> str:
    """Return what is called by `name` for the midst of a sentence: "the data frame"; a file's name as it is.

    >>> in_midst("The data frame"), in_midst("Theirs.csv")
    ('the data frame', 'Theirs.csv')
    """
    return "the" + name.removeprefix("The") if name.startswith("The ") else name


def aside(message: str, success: bool = False) -> str:
    """Return what was said before in parentheses, after a space: empty if it would contradict a verdict or repeat it.

    >>> aside("Optimization terminated successfully."), aside("Not converged: it is flat."), aside("Converged: it is.")
    (' (Optimization terminated successfully.)', ' (it is flat.)', '')
    >>> aside("Desired error not necessarily achieved due to precision loss.", success=True)
    ''
    """
    said = message.removeprefix("Not converged: ").strip()
    contradicts = _GAVE_UP.search(said) if success else said.startswith("Converged")
    return f" ({said})" if said and not contradicts else ""


_GAVE_UP = re.compile(
    r"(?i)fail|not necessarily|precision loss|exceed|maximum|abnormal|incompatible|singular|limit|positive directional"
    r"|unable|could not|too many|warning"
)
"""Words of SciPy's for why a method could not go on: a success that was shown otherwise is none the less."""
