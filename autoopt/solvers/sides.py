"""Whether f falls from a kink: where operands of `minimum` are equal its slope is none, by convention, on either side.

Points of symmetry are such: the centres of clusters all start equal, each takes half of every datum, and they stay.
Derivatives say nothing there, so values of the original function do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from autoopt.solvers.curvature import descends
from autoopt.solvers.freedom import freedom

_MOST, _FEWEST = 16, 6
_GROUPS, _RANDOM = 4, 3
_GROWTH = 3.0
_VISIBLE = 1e-10


def falling_from_kink(problem: Any, x: np.ndarray) -> np.ndarray | None:
    """Return a direction, shape (n,), on which f falls from `x`, where kinks are met; None if none shows.

    Notes
    -----
    Parameters that are equal are taken for the mark of a symmetry: they are moved apart even where no kink is seen, as
    those of branches are not. Otherwise directions are at random, then the axes, 16 at most, both ways: a run that
    moved pays an eighth of its evaluations, and 6 directions at least.
    """
    met = _meets_kinks(problem, x)
    apart = list(islice(_apart(x), _GROUPS))
    if not (met or apart):
        return None
    free = freedom(problem, x, problem.original)
    if free is None or not np.isfinite(free.value):
        return None
    most = _MOST if problem.nit <= 1 else min(_MOST, max(_FEWEST, problem.nfev // 8))
    for unit in islice(_directions(x, apart) if met else iter(apart), most):
        direction = free.within(free.unit * unit)
        size = np.max(np.abs(direction) / free.unit)
        if not size > 1e-8:
            continue
        for sign in (1.0, -1.0):
            ahead = sign / size * direction
            if descends(free.at, free, ahead, _GROWTH, _VISIBLE * abs(free.value)):
                return ahead
    return None


def _meets_kinks(problem: Any, x: np.ndarray) -> bool:
    """Whether the derivative at `x` is known to have met kinks that are not met everywhere."""
    asked = getattr(problem.objective, "meets_kinks", None)
    return asked is not None and asked(x)


def _apart(x: np.ndarray) -> Iterator[np.ndarray]:
    """Yield directions that part the parameters that are equal."""
    counts = Counter(x.tolist())
    if len(counts) == x.size:
        return
    random = np.random.default_rng(3)
    for value in (value for value, count in counts.items() if count > 1):
        same = np.flatnonzero(x == value)
        unit = np.zeros(x.size)
        unit[same] = random.uniform(-1.0, 1.0, len(same))
        unit[same] -= unit[same].mean()
        yield unit


def _directions(x: np.ndarray, apart: list[np.ndarray]) -> Iterator[np.ndarray]:
    random = np.random.default_rng(4)
    yield from apart
    yield from (random.uniform(-1.0, 1.0, x.size) for _ in range(_RANDOM))
    if (x == 0).any() and x.any():  # a penalty on absolute values holds the others
        yield random.uniform(-1.0, 1.0, x.size) * (x != 0)
    yield from np.eye(x.size) if x.size <= _MOST else (np.eye(1, x.size, k)[0] for k in range(_MOST))
