"""Branches that rounding alone decides go where the user's own arithmetic sends them."""

from __future__ import annotations

import numpy as np
import pytest
from pytensor import tensor as pt
from rule_calls import FIRST, MASKED, array, leaves, outputs, refill

import autoopt
from autoopt.codegen.listing import list_function
from autoopt.graph.rewrites.rewriting import rewrite
from autoopt.rules import find

EPSILON = np.finfo(float).eps


def machine_epsilon(x):
    small, count = x[0], 0
    while 1 + small > 1:
        small = small / 2
        count += 1
    return count % 2


def halves(x):
    total = 0
    for k in range(1, 41):
        total += bool(x[k % 2] * k * 0.7 / 0.7 == x[k % 2] * k) and k % 13 == 0
    return total > 0


DECISIONS = {
    "absorbed": lambda x: x[0] + 1e-17 > x[0],
    "cancelled": lambda x: x[0] * x[1] / x[1] == x[0],
    "third": lambda x: x[0] / 3 * 3 == x[0],
    "tenth": lambda x: x[0] * 0.1 / 0.1 == x[0],
    "added back": lambda x: (x[0] + x[1]) - x[1] == x[0],
    "difference of sums": lambda x: (x[0] + 0.1) - (x[1] + 0.1) == x[0] - x[1],
    "logarithm": lambda x: np.log(np.exp(x[0])) == x[0],
    "square root": lambda x: np.sqrt(x[0]) ** 2 == x[0],
    "square": lambda x: (x[0] + x[1]) ** 2 == x[0] ** 2 + 2 * x[0] * x[1] + x[1] ** 2,
    "logistic": lambda x: np.log(1 + np.exp(x[0])) == np.log1p(np.exp(x[0])),
    "all": lambda x: np.all(x * 0.1 / 0.1 == x),
    "count": lambda x: int(np.sum(x / 3 * 3 == x)) == 1,
    "mask": lambda x: len(x[x / 3 * 3 == x]) == 1,
    "machine epsilon": machine_epsilon,
    "loop": halves,
}


@pytest.mark.parametrize("name", DECISIONS)
@pytest.mark.slow
def test_branch_that_rounding_decides(name):
    """Value and gradient of one Objective at 100 points, of which some go either way."""
    decision = DECISIONS[name]
    points = np.random.default_rng(3).uniform(0.1, 3.0, (100, 2))
    objective = autoopt.Objective(lambda x: np.sum(x ** (3 if decision(x) else 2)), points[0])
    for x in points:
        power = 3 if decision(x) else 2
        value, gradient = objective.value_and_grad(x)
        assert value == pytest.approx(np.sum(x**power), rel=1e-12)
        np.testing.assert_allclose(gradient, power * x ** (power - 1.0), rtol=1e-12)


@pytest.mark.parametrize("case", [case for case in FIRST.values() if case.function not in MASKED], ids=str)
def test_rule_is_printed_without_rewriting(case):
    """Guards are printed from the graph as the rules build it, for what rewriting does to rounding."""
    arrays = [array(leaf) for leaf in leaves((case.args, case.kwargs))]
    inputs = [pt.tensor(dtype=str(a.dtype), shape=a.shape) for a in arrays]
    args, kwargs = refill((case.args, case.kwargs), list(inputs))
    results = outputs(find(case.function).build(*args, **kwargs))
    results = [pt.as_tensor(np.asarray(result) if isinstance(result, bool) else result) for result in results]
    graph = rewrite(inputs, results, "guards")
    inputs, results = graph.inputs, graph.outputs
    listing = list_function("evaluate", [(v, f"a{k}") for k, v in enumerate(inputs)], results)
    namespace = {"np": np, **{name: eval(text, {"np": np}) for name, text in listing.constants.items()}}
    exec("\n".join([*listing.imports, listing.everything]), namespace)
    with np.errstate(all="ignore"):
        found = namespace["evaluate"](*arrays)
    found = found if len(results) > 1 else (found,)
    for one, other in zip(found, outputs(case.expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=case.tolerance, atol=case.tolerance)
