"""Warm speed of two source trees side by side: what a change has made faster or slower of what compiled before.

    git worktree add /tmp/before main
    python -m benchmarks.before_after /tmp/before                   against this tree
    python -m benchmarks.before_after /tmp/before /tmp/after        against another
    python -m benchmarks.before_after /tmp/before --only garch --rounds 5

The objectives are those of this tree (`problems.py`, `loops.py`, `recurrences.py`); only `autoopt` is each one's. Every
measurement has a fresh process with empty caches; the trees take turns, so that whatever else the machine does falls on
both. Numbers are medians over the rounds, in microseconds of the processor a call once all is compiled that can be, at
another point each time, and their ratios: below 1 is faster than before. "spread" is the largest ratio of two rounds of
one tree: a ratio nearer to 1 than that says nothing.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from benchmarks import loops, recurrences
from benchmarks.problems import PROBLEMS
from benchmarks.processes import ROOT, fresh, say, seconds, table

LARGEST = 2_000_000
"""Entries of the data of a problem; larger ones measure NumPy alone, for long."""

HEAT, ROUND, TURNS = 1.0, 0.05, 5


class Case(NamedTuple):
    """An objective, where it is measured, and its data."""

    name: str
    f: Callable
    x: np.ndarray
    data: tuple


def cases() -> Iterable[Case]:
    """Yield what is measured, the same in every process."""
    for problem in PROBLEMS.values():
        if np.prod(problem.size) <= LARGEST:
            rng = np.random.default_rng(1)
            x0, data = problem.start(rng, *problem.size)
            yield Case(problem.name, problem.objective, x0 + 0.1 * rng.normal(size=x0.size), data)
    for case in [*loops.cases(), *recurrences.cases()]:
        yield Case(case.name, case.objective, case.x, case.data)


# In a process of its own ----------------------------------------------------------------------------------------------


def measure(name: str) -> None:
    """Tell the first gradient, and a call of value and gradient and of the product once warm."""
    import autoopt
    from autoopt.execution import tiering

    case = next(case for case in cases() if case.name == name)
    objective, made = seconds(lambda: autoopt.objective(case.f, case.x, *case.data))
    _, derived = seconds(lambda: objective.value_and_grad(case.x))
    say(first=made + derived)
    for threshold in {"COST", "LINE"} & vars(tiering).keys():
        setattr(tiering, threshold, 0.0)  # from now on all that can be compiled is
    direction = np.cos(np.arange(case.x.size))
    say(gradient=_warm(objective.value_and_grad, case.x))
    say(product=_warm(lambda x: objective.hessp(x, direction), case.x))


def _warm(call: Callable, x: np.ndarray) -> float:
    """Return the median over turns of the mean seconds of a call, after a while of calls."""
    points = [x, x * (1 + 1e-9)]  # what is known of a point is not computed again
    spent = []
    for length in [HEAT, *[ROUND] * TURNS]:
        began, count = time.process_time(), 0
        while count < 2 or time.process_time() - began < length:
            points.reverse()
            call(points[0])
            count += 1
        spent.append((time.process_time() - began) / count)
    return statistics.median(spent[1:])


# The parent -----------------------------------------------------------------------------------------------------------


def alternating(name: str, trees: tuple[str, str], rounds: int, limit: float) -> list[dict[str, list[float]]]:
    """Return for each tree what its processes have measured."""
    found: list[dict[str, list[float]]] = [{}, {}]
    for turn in range(rounds):
        for which in (0, 1) if turn % 2 == 0 else (1, 0):
            told = fresh("benchmarks.before_after", f"measure({name!r})", limit, tree=trees[which])
            for what, number in told.items():
                found[which].setdefault(what, []).append(number)
    return found


def cells(before: dict[str, list[Any]], after: dict[str, list[Any]], what: str) -> tuple[list[str], float | None]:
    """Return the cells of one measure, and its ratio."""
    if what not in before or what not in after:
        reasons = [found["reason"][0] if "reason" in found else "-" for found in (before, after)]
        numbers = [f"{1e6 * statistics.median(found[what]):.3g}" if what in found else reason
                   for found, reason in zip((before, after), reasons, strict=True)]  # fmt: skip
        return [*numbers, "-", "-"], None
    medians = [statistics.median(found[what]) for found in (before, after)]
    spread = max(max(found[what]) / min(found[what]) for found in (before, after))
    ratio = medians[1] / medians[0]
    return [*(f"{1e6 * number:.3g}" for number in medians), f"{ratio:.2f}", f"{spread:.2f}"], ratio


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.before_after", description=__doc__.splitlines()[0])
    parser.add_argument("before", help="a source tree")
    parser.add_argument("after", nargs="?", default=str(ROOT), help="another; this one by default")
    parser.add_argument("--only", action="append", help="part of a name; may be repeated")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each tree (default 3)")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds after which one is given up (default 120)")
    options = parser.parse_args(arguments)
    names = [case.name for case in cases() if not options.only or any(part in case.name for part in options.only)]
    found = {}
    for name in names:
        found[name] = alternating(name, (options.before, options.after), options.rounds, options.limit)
        print(name, found[name], file=sys.stderr, flush=True)
    titles = {"gradient": "Value and gradient", "product": "Product with the Hessian", "first": "First gradient, cold"}
    for what, title in titles.items():
        rows, ratios = [], []
        for name, both in found.items():
            line, ratio = cells(*both, what)
            rows.append([name, *line])
            ratios += [ratio] if ratio else []
        table(f"{title}: microseconds", ["objective", "before", "after", "after / before", "spread"], rows)
        if ratios:
            print(f"\ngeometric mean of the ratios: {np.exp(np.mean(np.log(ratios))):.3f}; largest {max(ratios):.2f}")


if __name__ == "__main__":
    main()
