"""Smooth functions written with kinks against mpmath, on one objective each; which rules have kinks."""

import kinked_statistics  # noqa: F401  (fills CASES)
import numpy as np
import pytensor.scalar as ps
import pytensor.tensor as pt
import pytest
from kinked_functions import CASES
from mpmath import mp, mpf
from pytensor.graph.traversal import ancestors
from pytensor.tensor.math import Argmax, Max, Min
from pytensor.tensor.sort import ArgSortOp, SortOp
from rule_calls import array, leaves, outputs, refill
from rule_cases import CASES as CALLS
from rule_cases import Data, name

import autoopt
from autoopt.ops import scalars
from autoopt.ops.reductions import Largest, Smallest
from autoopt.rules import find
from autoopt.tape.kinks import find_kinks

POINTS = (np.zeros(3), np.full(3, 0.3), np.array([0.0, 0.3, 0.3]), np.array([0.2, -0.7, 1.1]))
WIDTH = mpf(10) ** -12

PRODUCTS = [*CASES][::3]
"""Of these products with the Hessian are looked at, too: each is compiled for itself."""


def reference(g, x):
    """Return the gradient and the Hessian by differences in forty digits."""

    def at(*moves):
        moved = [mpf(float(v)) for v in x]
        for place, sign in moves:
            moved[place] += sign * WIDTH
        return g(moved)

    with mp.workdps(40):
        gradient = [float((at((i, 1)) - at((i, -1))) / (2 * WIDTH)) for i in range(x.size)]
        hessian = np.zeros((x.size, x.size))
        for i in range(x.size):
            for j in range(i + 1):
                signs = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
                four = sum(one * other * at((i, one), (j, other)) for one, other in signs)
                hessian[i, j] = hessian[j, i] = float(four / (4 * WIDTH**2))
    return np.array(gradient), hessian


@pytest.mark.slow_for("gaps_of_sorted", "in_a_recurrence")
@pytest.mark.parametrize("case", CASES)
@pytest.mark.sampled(6)
def test_smooth_functions_have_their_derivatives_at_zeros_and_ties(case) -> None:
    written, smooth = CASES[case]
    objective = autoopt.objective(written, np.zeros(3))
    direction = np.array([0.3, -1.0, 0.7])
    for x in POINTS:
        gradient, hessian = reference(smooth, x)
        np.testing.assert_allclose(objective.grad(x), gradient, rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(objective.hess(x), hessian, rtol=1e-7, atol=1e-8)
        if case in PRODUCTS:
            np.testing.assert_allclose(objective.hessp(x, direction), hessian @ direction, rtol=1e-7, atol=1e-8)


_SCALARS = (
    *(ps.Abs, ps.Sign, ps.ScalarMaximum, ps.ScalarMinimum, ps.Clip, ps.LT, ps.GT, ps.LE, ps.GE, ps.EQ),
    *(type(getattr(scalars, kind).scalar_op) for kind in ("maximum", "minimum", "size", "distance", "cbrt")),
)
_ARRAYS = (SortOp, ArgSortOp, Largest, Smallest, Max, Min, Argmax)

ONE_FUNCTION = {
    "scipy.special.bdtr",
    "scipy.special.bdtrc",
    "scipy.special.betainc",
    "scipy.special.betaincc",
    "scipy.special.chdtr",
    "scipy.special.chdtrc",
    "scipy.special.comb",
    "scipy.special.factorial",
    "scipy.special.fdtr",
    "scipy.special.fdtrc",
    "scipy.special.gammainc",
    "scipy.special.gammaincc",
    "scipy.special.gdtr",
    "scipy.special.gdtrc",
    "scipy.special.inv_boxcox",
    "scipy.special.kv",
    "scipy.special.kve",
    "scipy.special.inv_boxcox1p",
    "scipy.special.log_softmax",
    "scipy.special.logsumexp",
    "scipy.special.nbdtr",
    "scipy.special.nbdtrc",
    "scipy.special.pdtr",
    "scipy.special.pdtrc",
    "scipy.special.softmax",
    "scipy.special.stdtr",
    "np.sinc",
    "np.corrcoef",
    "np.einsum",
    "np.nan_to_num",
}
"""Rules that choose between expressions of one function, or at the end of where it is defined."""

ONE_PIECE = {"np.fmod", "np.interp", "np.allclose", "np.isclose", "np.array_equal", "np.equal"}
"""Rules that have the slope of one piece where pieces meet, and comparisons, for which `equalities.py` is."""


def test_every_rule_with_a_kink_is_counted() -> None:
    uncounted = set()
    for call in CALLS:
        if find_kinks(call.function) or name(call.function).removesuffix(".outer") in ONE_FUNCTION | ONE_PIECE:
            continue
        plain = getattr(call.function, "__self__", None)  # of ufunc.outer, which becomes the ufunc
        if plain is not None and find_kinks(plain):
            continue
        given = leaves((call.args, call.kwargs))
        inputs = [pt.tensor(dtype=str(array(a).dtype), shape=array(a).shape) for a in given]
        moving = {v for v, a in zip(inputs, given, strict=True) if not isinstance(a, Data) and array(a).dtype == float}
        args, options = refill((call.args, call.kwargs), list(inputs))
        built = [result for result in outputs(find(call.function).build(*args, **options)) if hasattr(result, "owner")]
        for node in {v.owner for v in ancestors(built) if v.owner is not None}:
            sharp = isinstance(node.op, _ARRAYS) or isinstance(getattr(node.op, "scalar_op", None), _SCALARS)
            if sharp and moving.intersection(ancestors(node.inputs)):
                uncounted.add(name(call.function))
    assert not uncounted
