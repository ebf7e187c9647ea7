"""The history of a run: what `minimize` tells of its iterates, the end of the run."""

import numpy as np
import pytest

import autoopt
from autoopt.fitting.history import MOST, History, of_run
from autoopt.solvers import SOLVERS, Progress


def valley(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


START = np.array([-1.2, 1.0])


@pytest.mark.sampled(3)
@pytest.mark.parametrize("method", [name for name in SOLVERS if SOLVERS[name].is_installed])
def test_a_method_is_watched_at_no_cost(method):
    told = []
    alone = autoopt.minimize(valley, START, method=method)
    watched = autoopt.minimize(valley, START, method=method, progress=told.append)
    assert told and (alone.fun, alone.nit) == (watched.fun, watched.nit)
    assert watched.nfev - alone.nfev <= 3, "after a step that was rejected the method itself has no need of the value"
    assert (watched.njev - alone.njev) <= (3 if SOLVERS[method].uses else 0)
    assert all(np.isfinite(one.value) for one in told)
    assert [np.isfinite(one.gradient_norm) for one in told] == [bool(SOLVERS[method].uses)] * len(told)


def test_a_line_of_progress_has_no_gradient_where_there_is_none():
    assert "gradient" not in str(Progress(1, 2.0, np.nan, 0.1)) and "gradient 3.00e+00" in str(Progress(1, 2.0, 3.0, 0))


@pytest.mark.parametrize("method", ["bfgs", "trust-region", "nelder-mead"])
def test_the_history_of_a_fit_ends_where_the_fit_does(method):
    found = autoopt.fit(valley, START, method=method)
    assert found.history.shape[1] == 4 and len(found.history) >= found.result.nit / 2
    assert found.history[-1, 1] == found.result.fun and found.history[-1, 2] == found.gradient_norm
    assert (np.diff(found.history[:, [0, 3]], axis=0) >= 0).all()
    assert found.history[-1, 0] == found.result.nit, "the last iterate is that of the last iteration"


def test_the_history_of_least_squares_has_sums_of_squares():
    t = np.linspace(0, 4, 30)
    y = 2 * np.exp(-1.3 * t) + 0.05 * np.cos(9 * t)
    found = autoopt.fit(lambda p, t, y: y - p[0] * np.exp(-p[1] * t), np.ones(2), (t, y), kind="least squares")
    assert found.history[-2, 1] == pytest.approx(found.result.fun, rel=1e-6)
    assert found.history[0, 1] > found.result.fun * (1 - 1e-12)


def test_a_run_that_is_stopped_has_its_history():
    def impatient(event):
        if event.iteration == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stopped:
        autoopt.fit(valley, START, method="bfgs", progress=impatient)
    assert [row[0] for row in stopped.value.fit.history][:4] == [0, 1, 2, 3]


def test_a_long_run_is_thinned_and_keeps_its_end():
    history = History()
    for k in range(3 * MOST):
        history(Progress(k, 1.0 / (k + 1), 0.5, 0.001 * k))
    table = history.table({"fun": 1.0 / (3 * MOST), "gradient_norm": 0.5})
    assert len(table) <= MOST + 2 and table[-1, 0] == 3 * MOST - 1
    assert set(np.diff(table[:-1, 0])) == {4.0}


def test_a_second_method_counts_on():
    history = History()
    for number, seconds in [(1, 0.1), (2, 0.2), (1, 0.05), (2, 0.1)]:
        history(Progress(number, 1.0, 1.0, seconds))
    table = history.table({})
    assert table[:, 0].tolist() == [1, 2, 3, 4] and table[:, 3] == pytest.approx([0.1, 0.2, 0.25, 0.3])


@pytest.mark.slow
def test_a_run_that_is_gone_on_with_has_the_history_of_all_its_parts(tmp_path):
    first = autoopt.fit(valley, START, method="bfgs", options={"maxiter": 6}, run_dir=tmp_path / "run")
    found = autoopt.resume(tmp_path / "run", valley, force=True, options={"maxiter": 500})
    assert found.status == "converged" and first.status == "not converged"
    kept = first.history[first.history[:, 0] > 0][:5]
    np.testing.assert_allclose(found.history[: len(kept), 1], kept[:, 1])
    assert found.history[-1, 1] == found.result.fun and (np.diff(found.history[:, 0]) >= 0).all()
    assert of_run(tmp_path, found.result).shape == (0, 4)


def test_the_cost_of_a_straight_model_curves_as_much_as_its_jacobian_does():
    x = np.arange(20.0)
    found = autoopt.fit(lambda p, x: np.sin(x) - p[0] - p[1] * x, np.zeros(2), (x,), kind="least squares")
    assert "along all of them, as much as J'J does" in found.result.message
