"""More objectives with Hessians by hand, for which no limit is stated: what they show was not tuned to them."""

from __future__ import annotations

import numpy as np
from scipy import special

from benchmarks import hessians, problems
from benchmarks.hessians import Case, weighted


def poisson_hess(x, X, y, exposure):
    return weighted(X, exposure * np.exp(X @ x))


CASES = hessians.CASES | {
    case.name: case
    for case in [
        Case("poisson-10000x20", problems.poisson, problems.poisson_start, (10_000, 20), (30, 3), poisson_hess),
    ]
}
