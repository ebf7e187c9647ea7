"""Numbers that depend on the parameters by way of a text or a whole number: a derivative does not see that they do.

`M[str(x)]` or `M[int(x * 1e9)]`, filled by an earlier call, is a plain number, whose derivative would be 0, and so is
what is read from a text. So on each path on which a text or a whole number was made of the parameters, its first
gradient is compared with a slope of the objective's own values.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autoopt import differences
from autoopt.errors import Location, TracingError
from autoopt.objectives import decisions
from autoopt.objectives.paths import Path

_NEAR = 2.0**-14
_TOLERANCE = 1e-6
_PRECISE = 1e-2


def compare(original: Callable, path: Path, gradient: np.ndarray) -> None:
    """Raise if the gradient at the path's own point, or Jacobian, is not the slope of the values of `original` there.

    A table of steps is smooth from afar and flat close by: either is its slope, but for steps so fine that it is never
    flat.

    Raises
    ------
    TracingError
        With the lines that made texts and whole numbers.
    """
    x = path.point
    direction = differences.step_scale(x) * np.random.default_rng(0).uniform(0.5, 1.0, size=x.size)
    direction *= np.where(x < 0, -1.0, 1.0)
    weights = np.random.default_rng(1).uniform(0.5, 1.0, size=gradient.shape[:-1])
    own = float(np.sum(weights * (gradient @ direction)))

    def values(z: np.ndarray) -> float:
        return float(np.sum(weights * original(z)))

    with np.errstate(all="ignore"):
        right = decisions.slope(values, x, direction, own) if np.isfinite(own) else None
        if right is None:
            return
        *near, blur = differences.one_sided(values, x, direction, _NEAR)
    size = max(abs(right), abs(own))
    if blur <= _PRECISE * size and max(abs(own - slope) for slope in near) <= 10 * blur + _TOLERANCE * size:
        return
    sites = dict.fromkeys(Location.of_instruction(*site) for site in path.trace.tape.unfollowed)
    happened, remedy = decisions.UNFOLLOWED
    raise TracingError(
        f"{happened}: along one direction its values have slope {right:.6g}, what is derived {own:.6g}.",
        list(sites)[:3],
        remedy,
    )
