"""Words of messages: lists, counts, and names that may have been meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

_SHOWN = 20  # names listed in a message before "and ... more"


def listed(names: Sequence[str]) -> str:
    """Return the names with commas, the first twenty if there are more."""
    shown = ", ".join(str(name) for name in names[:_SHOWN])
    return shown + (f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def count(faults: Sequence[str], noun: str) -> str:
    """Return "3 values"."""
    return f"{len(faults)} {noun}{'' if len(faults) == 1 else 's'}"


def times(number: int, noun: str) -> str:
    """Return "1 step" or "3 steps"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def nearest(name: str, candidates: Iterable[str]) -> list[str]:
    """Return at most two candidates that `name` may be a misspelling of, the nearest first."""
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    return [by_lower[match] for match in difflib.get_close_matches(name.lower(), by_lower, n=2, cutoff=0.7)]


def near(name: str, candidates: Iterable[str]) -> str:
    """Return ' Did you mean ...?' if a candidate is near, else an empty string."""
    names = nearest(name, candidates)
    return f" Did you mean {' or '.join(names)}?" if names else ""
