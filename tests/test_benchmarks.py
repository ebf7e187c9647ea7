"""The benchmark problems at tiny sizes: derivatives by hand and of every tool against differences."""

import numpy as np
import pytest

from autoopt.objectives.objective import Objective
from benchmarks import loops, recurrences, transforms, whole_calls
from benchmarks.loop_peers import LOOP_TOOLS, CannotTake
from benchmarks.peers import TOOLS
from benchmarks.problems import PROBLEMS
from benchmarks.products import PRODUCTS

every_problem = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=list(PROBLEMS))


def small(problem):
    """Return a point away from the start, a direction, and the data of the tiny size."""
    rng = np.random.default_rng(0)
    x0, data = problem.start(rng, *problem.small)
    return x0 + 0.1 * rng.normal(size=x0.size), rng.normal(size=x0.size), data


def slope(f, step=1e-3):
    """Return f'(0) by central differences, extrapolated twice: exact to about 1e-10."""
    first, second, third = ((f(h) - f(-h)) / (2 * h) for h in (step, step / 2, step / 4))
    return (64 * third - 20 * second + first) / 45


@every_problem
def test_value_by_hand_is_the_objective(problem):
    x, _, data = small(problem)
    assert problem.value_and_grad(x, *data)[0] == pytest.approx(problem.objective(x, *data), rel=1e-12)


@every_problem
def test_gradient_by_hand_is_the_slope(problem):
    x, _, data = small(problem)
    directions = np.eye(x.size)
    expected = [slope(lambda t, p=p: problem.objective(x + t * p, *data)) for p in directions]
    np.testing.assert_allclose(problem.value_and_grad(x, *data)[1], expected, rtol=1e-7, atol=1e-8)


@every_problem
def test_hessian_by_hand_is_the_slope_of_the_gradient(problem):
    x, p, data = small(problem)
    expected = slope(lambda t: problem.value_and_grad(x + t * p, *data)[1])
    if problem.linearise:
        np.testing.assert_allclose(problem.linearise(x, *data)(p), expected, rtol=1e-7)
    if problem.hess:
        np.testing.assert_allclose(problem.hess(x, *data) @ p, expected, rtol=1e-7)


@every_problem
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TOOLS)
def test_every_tool_agrees_with_numpy(problem, name):
    if name not in ("numpy", "autoopt"):
        pytest.importorskip(name)
    x, p, data = small(problem)
    derivatives = TOOLS[name](problem, x, data)
    value, gradient = problem.value_and_grad(x, *data)
    second = slope(lambda t: problem.value_and_grad(x + t * p, *data)[1])
    if derivatives.value_and_grad:
        found = derivatives.value_and_grad(x)
        assert found[0] == pytest.approx(value, rel=1e-10)
        np.testing.assert_allclose(found[1], gradient, rtol=1e-9, atol=1e-11)
    if derivatives.hessp:
        np.testing.assert_allclose(derivatives.hessp(x, p), second, rtol=1e-6, atol=1e-9)
    if derivatives.hess:
        np.testing.assert_allclose(derivatives.hess(x) @ p, second, rtol=1e-6, atol=1e-9)


@pytest.mark.slow_for("rk4 1000 steps")
@pytest.mark.parametrize("case", recurrences.cases(), ids=lambda case: case.name)
@pytest.mark.sampled(2)
def test_recurrences_by_hand_have_the_gradient_of_the_objective(case):
    numba_by_hand = pytest.importorskip("benchmarks.numba_by_hand")
    data = tuple(part[:400] if isinstance(part, np.ndarray) else part for part in case.data)
    x = case.x + 0.01 * np.random.default_rng(0).normal(size=case.x.size)
    value, gradient = getattr(numba_by_hand, case.objective.__name__)(x, *data)
    assert value == pytest.approx(case.objective(x, *data), rel=1e-12)
    expected = Objective(case.objective, x, data).grad(x)
    np.testing.assert_allclose(gradient, expected, rtol=1e-8, atol=1e-8)
    assert np.max(np.abs(expected)) > 0.01


@pytest.mark.parametrize("case", loops.cases()[2:3] + loops.cases()[-2:], ids=lambda case: case.name)
@pytest.mark.slow
def test_loops_by_hand_have_the_gradient_of_the_objective(case):
    value, gradient = case.by_hand(case.x, *case.data)
    assert value == pytest.approx(case.objective(case.x, *case.data), rel=1e-12)
    np.testing.assert_allclose(
        gradient, Objective(case.objective, case.x, case.data).grad(case.x), rtol=1e-9, atol=1e-9
    )


@pytest.mark.slow_for("hmm T=200 K=5-jax scan", "rk4 1000 steps-jax")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", LOOP_TOOLS)
@pytest.mark.parametrize("case", [*loops.cases()[:1], *recurrences.cases()], ids=lambda case: case.name)
def test_every_tool_has_the_gradient_of_the_loop(case, name):
    pytest.importorskip(name.split()[0])
    data = tuple(part[:3] if isinstance(part, np.ndarray) else part for part in case.data)
    case = case._replace(data=data)
    try:
        value, gradient = LOOP_TOOLS[name](case)(case.x)
    except CannotTake:
        assert name == "jax scan" and case.name.startswith("rosenbrock")
        return
    objective = Objective(case.objective, case.x, data)
    assert value == pytest.approx(objective.value(case.x), rel=1e-10)
    np.testing.assert_allclose(gradient, objective.grad(case.x), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("case", transforms.cases(small=True), ids=lambda case: case.name)
def test_transforms_have_the_gradient_and_the_product_of_differences(case):
    found = {name: call() for name, call in transforms.calls(case).items()}
    directions = np.eye(case.x.size)
    expected = [slope(lambda t, p=p: case.objective(case.x + t * p, *case.data)) for p in directions]
    for name in ("v+g objective", "v+g function"):
        assert found[name][0] == pytest.approx(case.objective(case.x, *case.data), rel=1e-12)
        np.testing.assert_allclose(found[name][1], expected, rtol=1e-6, atol=1e-7)
    both = Objective(case.objective, case.x, case.data)
    second = slope(lambda t: both.grad(case.x + t * np.ones_like(case.x)))
    for name in ("hvp objective", "hvp function"):
        np.testing.assert_allclose(found[name], second, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("row", PRODUCTS.values(), ids=list(PRODUCTS))
def test_products_by_hand_are_slopes_of_the_gradient(row):
    rng = np.random.default_rng(0)
    x, data = row.start(rng, *row.small)
    f, P = Objective(row.objective, x, data), rng.normal(size=(x.size, 3))
    expected = np.stack([slope(lambda t, p=p: f.grad(x + t * p)) for p in P.T], axis=1)
    size = np.max(np.abs(expected))
    by_hand = row.linearise(x, *data)
    np.testing.assert_allclose(by_hand(P), expected, rtol=1e-6, atol=1e-7 * size)
    np.testing.assert_allclose(np.stack([by_hand(p) for p in P.T], axis=1), by_hand(P), rtol=1e-10, atol=1e-12 * size)
    np.testing.assert_allclose(f.hessp(x, P), by_hand(P), rtol=1e-9, atol=1e-10 * size)


@pytest.mark.parametrize("call", whole_calls.tiny_calls(), ids=lambda call: call.name)
def test_tiny_calls_by_hand_have_the_gradient_and_end_where_autoopt_does(call):
    x = call.x0 + np.array([0.1, -0.2])
    value, gradient = call.value_and_grad(x, *call.data)
    assert value == pytest.approx(call.objective(x, *call.data), rel=1e-12)
    expected = [slope(lambda t, p=p: call.objective(x + t * p, *call.data)) for p in np.eye(2)]
    np.testing.assert_allclose(gradient, expected, rtol=1e-7, atol=1e-7)
    options = whole_calls.stopping_rule(call)
    found, by_hand = whole_calls.by_autoopt(call, options), whole_calls.by_hand(call, options)
    assert found.success
    np.testing.assert_allclose(found.x, by_hand.x, rtol=1e-4)
