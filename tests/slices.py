"""Which tests the plain run takes: all that are not slow, and of long tables one case in so many.

Of a table of more than LONG cases the plain run takes one in SHARE, the others are slow: only `pytest -m slow` runs
them, a part of which is in every run of CI. `@pytest.mark.sampled(5)` says another share, or one for a shorter table;
`@pytest.mark.whole` leaves a table whole, `@pytest.mark.slow` a test out, `@pytest.mark.slow_for("a-1", "b-1")` these
cases of a table, by their ids. Which cases they are depends on their names alone, so that they are the same on every
machine and stay when others are added. `--slice 2/7` runs the second of seven parts of what is selected.
"""

from __future__ import annotations

from collections import defaultdict
from zlib import crc32

import pytest


def number(name: str) -> int:
    """Return a number that depends on the name alone."""
    return crc32(name.encode())


LONG, SHARE = 3, 8


def mark_sampled(items: list[pytest.Item], named: set[str]) -> None:
    """Mark as slow what the plain run leaves out of long tables; not what is `named` on the command line."""
    tables: dict[tuple, list[pytest.Item]] = defaultdict(list)
    for item in items:
        sampled, is_whole = item.get_closest_marker("sampled"), item.get_closest_marker("whole") is not None
        if sampled is not None or is_whole or not item.get_closest_marker("slow"):
            given = sampled.args if sampled else (1,) * is_whole
            tables[(item.path, getattr(item, "originalname", item.name), *given)].append(item)
    for (_, _, *given), cases in tables.items():
        quick = [case for case in cases if not is_slow(case)]
        kept = set(quick)
        if given or len(cases) > LONG:
            share = given[0] if given else SHARE
            kept = {case for case in quick if number(case.name) % share == 0} or set(quick[:1])
            sampled = cases[0].get_closest_marker("sampled")
            kept.update(firsts(quick, sampled.kwargs.get("each") if sampled else None))
        for case in cases:
            if case not in kept and case.nodeid not in named:
                case.add_marker(pytest.mark.slow)


def is_slow(item: pytest.Item) -> bool:
    """Whether this is a case that its table says to be slow."""
    mark = item.get_closest_marker("slow_for")
    return mark is not None and item.callspec.id in mark.args


def firsts(items: list[pytest.Item], attribute: str | None) -> list[pytest.Item]:
    """Return the first of the items for each value of this attribute of their parameter `case`."""
    if attribute is None:
        return []
    seen: dict = {}
    for item in items:
        seen.setdefault(getattr(item.callspec.params["case"], attribute), item)
    return list(seen.values())


def part(items: list[pytest.Item], text: str) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Return the items of part k of n, for the text "k/n", and the others."""
    k, n = map(int, text.split("/"))
    if not 1 <= k <= n:
        raise pytest.UsageError(f"--slice {text}: there are parts 1 to {n}")
    chosen = [item for item in items if is_in(item.nodeid, text)]
    return chosen, [item for item in items if not is_in(item.nodeid, text)]


def is_in(name: str, text: str) -> bool:
    """Whether what has this name is in part k of n, for the text "k/n"."""
    k, n = map(int, text.split("/"))
    return number(name) % n == k - 1
