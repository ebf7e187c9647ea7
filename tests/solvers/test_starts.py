"""Several starts: on one trace, different minima counted, runs that lead nowhere new ended early."""

import os
import signal

import numpy as np
import pytest

import autoopt
from autoopt.errors import UsageError
from autoopt.solvers import Interrupted, Starts

BOX = [(-3.0, 3.0), (-2.0, 2.0)]
LOWEST = np.array([0.08984201, -0.71265640])  # Dixon and Szego (1978), and its mirror image: f = -1.0316285
MINIMA = [-1.0316284535, -1.0316284535, -0.2154638244, -0.2154638244, 2.1042503103, 2.1042503103]


def camel(x):
    return (4 - 2.1 * x[0] ** 2 + x[0] ** 4 / 3) * x[0] ** 2 + x[0] * x[1] + (-4 + 4 * x[1] ** 2) * x[1] ** 2


@pytest.mark.parametrize("method", [None, "bfgs", "newton-cg", "trust-exact", "nelder-mead", "slsqp", "trust-constr"])
@pytest.mark.slow
def test_different_minima_are_counted(method):
    bounds = BOX if method in (None, "slsqp", "trust-constr", "nelder-mead") else None
    result = autoopt.minimize(camel, [0.5, 0.5], bounds=bounds, method=method, starts=Starts(60, stop_early=False))
    assert result.success and np.allclose(np.abs(result.x), np.abs(LOWEST), atol=1e-7)
    values = [minimum.fun for minimum in result.minima]
    assert np.allclose(values, MINIMA[: len(values)] if len(values) < 6 else MINIMA, atol=1e-8) or len(values) >= 4
    assert all(np.min(np.abs(np.array(MINIMA) - value)) < 1e-8 for value in values) and values == sorted(values)
    assert sum(minimum.count for minimum in result.minima) <= 60
    assert f"{len(values)} different minima" in result.message


@pytest.mark.slow
def test_six_minima_are_found():
    result = autoopt.minimize(camel, [0.5, 0.5], bounds=BOX, starts=Starts(100, stop_early=False))
    assert np.allclose([minimum.fun for minimum in result.minima], MINIMA, atol=1e-8)
    for minimum in result.minima:
        assert np.max(np.abs(autoopt.grad(camel)(minimum.x))) < 1e-6


def test_function_is_traced_once():
    traces = []

    def f(x):
        traces.append(type(x) is not np.ndarray)
        return camel(x)

    result = autoopt.minimize(f, [0.5, 0.5], bounds=BOX, starts=20)
    assert result.success and sum(traces) <= 2


@pytest.mark.slow
def test_early_ends_save_evaluations_and_keep_the_lowest():
    whole, early = (
        autoopt.minimize(camel, [0.5, 0.5], bounds=BOX, starts=Starts(40, stop_early=stop)) for stop in (False, True)
    )
    assert early.nfev < 0.85 * whole.nfev and early.fun == pytest.approx(whole.fun, abs=1e-12)


def test_seeds_decide():
    first, same, other = (
        autoopt.minimize(camel, [0.5, 0.5], bounds=BOX, starts=Starts(10, seed=seed)).nfev for seed in (1, 1, 2)
    )
    assert first == same != other


def test_starts_of_the_user_in_their_structure_and_scaled():
    def f(p):
        return (p["a"] ** 2 - 1) ** 2 + 0.1 * (p["b"] - p["a"]) ** 2

    others = [{"a": -0.5, "b": 0.0}, {"a": -2.0, "b": 1.0}]
    for more in ({}, {"scale": "auto"}, {"scale": 10.0}, {"fixed": {"b": 0.3}}):
        result = autoopt.minimize(f, {"a": 0.5, "b": 0.3}, starts=others, **more)
        signs = sorted(np.sign(minimum.x["a"]) for minimum in result.minima)
        assert result.success and signs == [-1.0, 1.0], result.message
        assert set(result.minima[0].x) == {"a", "b"}


def test_without_bounds_starts_are_drawn_around_x0():
    wide = autoopt.minimize(lambda x: np.sum(np.cos(x) + 0.01 * x**2), [3.0], starts=Starts(40, spread=5.0))
    narrow = autoopt.minimize(lambda x: np.sum(np.cos(x) + 0.01 * x**2), [3.0], starts=Starts(40, spread=0.01))
    assert len(wide.minima) > 2 and len(narrow.minima) == 1 and narrow.minima[0].count == 40


def test_starts_where_the_objective_is_not_defined_are_drawn_again():
    result = autoopt.minimize(lambda x: np.sum(x - np.log(x)), [1.5, 0.5], starts=Starts(20, spread=1.0))
    assert result.success and np.allclose(result.x, 1.0) and result.minima[0].count == 20


def test_processes_find_the_same():
    alone, forks = (
        autoopt.minimize(camel, [0.5, 0.5], bounds=BOX, starts=Starts(12, processes=count, stop_early=False))
        for count in (1, 2)
    )
    assert [m.count for m in forks.minima] == [m.count for m in alone.minima]
    assert np.array_equal(forks.x, alone.x) and abs(forks.nfev - alone.nfev) <= 24


def test_constraints_hold_from_every_start():
    ring = {"type": "ineq", "fun": lambda x: x @ x - 1.0}
    result = autoopt.minimize(camel, [1.5, 0.5], bounds=BOX, constraints=ring, starts=20)
    assert result.success and result.x @ result.x >= 1 - 1e-8
    assert result.fun == pytest.approx(min(minimum.fun for minimum in result.minima))


def test_callback_and_progress_see_all_runs_and_end_them():
    seen = []

    def callback(x):
        seen.append(x)
        if len(seen) == 25:
            raise StopIteration

    result = autoopt.minimize(camel, [0.5, 0.5], bounds=BOX, starts=20, callback=callback)
    assert len(seen) == 25 == result.nit and result.status == 99


def test_interruption_keeps_the_best_of_all_runs():
    values = []

    def callback(intermediate_result):
        values.append(intermediate_result.fun)
        if len(values) == 25:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted) as caught:
        autoopt.minimize(camel, [0.5, 0.5], bounds=BOX, starts=20, callback=callback)
    assert caught.value.result.fun <= min(values)


@pytest.mark.parametrize("starts", [0, -3, 2.5, True, "many", Starts])
def test_starts_that_are_not_understood_are_refused(starts):
    with pytest.raises(UsageError):
        autoopt.minimize(camel, [0.5, 0.5], starts=starts)


def test_start_of_another_structure_is_refused():
    with pytest.raises(UsageError, match="start"):
        autoopt.minimize(camel, [0.5, 0.5], starts=[[1.0, 2.0, 3.0]])


def test_free_entries_are_told_from_held_ones_exactly():
    """x - (x - g) is not g in rounding: with bounds, the last Newton step was left out."""
    limits = autoopt.solvers.Limits(np.full(3, -5.0), np.array([5.0, 5.0, 0.3]))
    x, g = np.array([0.3, 1.1, 0.3]), np.array([1e-7, -3e-8, -1e-7])
    assert np.array_equal(limits.projected(x, g), [1e-7, -3e-8, 0.0])


def test_starts_that_lead_to_no_minimum_are_not_hidden():
    result = autoopt.minimize(lambda x: x[0] ** 3 - 3 * x[0], [0.5], starts=Starts(10, spread=3.0))
    assert result.success and result.x == pytest.approx(1.0)
    led = sum(minimum.count for minimum in result.minima)
    assert (
        f"{led} of 10 starts led to 1 different minimum; {10 - led} led to where the objective falls" in result.message
    )
    assert 0 < led < 10 and "as low as -1" in result.message


def test_verdict_of_a_start_is_said_once():
    below = {"type": "ineq", "fun": lambda x: 1 - x[0] - x[1]}
    never = {"type": "eq", "fun": lambda x: 1 + x[0] ** 2}
    for constraint, head in ((below, "Converged: "), (never, "Not converged: ")):
        result = autoopt.minimize(lambda x: np.sum((x - 1) ** 2), np.zeros(2), starts=3, constraints=constraint)
        assert result.message.count(head) == 1 and "of 3 starts led to" in result.message
