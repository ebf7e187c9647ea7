"""Objectives whose rows are on a cluster: the same minimum, standard errors and messages as in memory."""

import os
import signal

import numpy as np
import pytest

import autoopt
from autoopt.clusters import parse, spread
from autoopt.errors import TracingError, UsageError
from autoopt.objectives.clustered import on_cluster


def logistic(w, X, y, penalty):
    z = X @ w
    return np.sum(np.logaddexp(0, z)) - y @ z + penalty * w @ w


def data(rows=30_000, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 5))
    return X, (rng.random(rows) < 1 / (1 + np.exp(-X @ np.linspace(-1, 1, 5)))) * 1.0


@pytest.fixture(scope="module")
def executor():
    with parse("local:2") as opened:
        yield opened


@pytest.mark.parametrize("method", [None, "l-bfgs-b"])
def test_minimum_of_rows_on_a_cluster_is_that_of_rows_in_memory(executor, method):
    X, y = data()
    found = autoopt.minimize(logistic, np.zeros(5), args=(X, y, 0.5), method=method, cluster=executor)
    expected = autoopt.minimize(logistic, np.zeros(5), args=(X, y, 0.5), method="newton-cg")
    assert found.success and found.verification.verdict == "agrees"
    np.testing.assert_allclose(found.x, expected.x, atol=1e-9)


def test_the_number_of_workers_changes_no_digit(executor):
    X, y = data()
    one, two = (
        autoopt.minimize(logistic, np.zeros(5), args=(X, y, 0.5), cluster=cluster) for cluster in ("local:1", executor)
    )
    np.testing.assert_array_equal(one.x, two.x)


def test_batches_are_spread(executor):
    X, y = data(5000)
    batches = autoopt.batches({"X": X, "y": y})
    found = autoopt.minimize(logistic, np.zeros(5), args=(batches, 0.5), cluster=executor)
    with spread({"X": X, "y": y}, executor) as held:
        other = autoopt.minimize(logistic, np.zeros(5), args=(held, 0.5))
    np.testing.assert_allclose(found.x, other.x, rtol=1e-12)


def test_arrays_that_are_shorter_are_the_same_for_all_rows(executor):
    X, y = data(100)
    with on_cluster(logistic, (X, y, np.ones(3)), executor) as (held, other):
        assert held.names == ("X", "y") and len(other) == 3


def test_what_mixes_rows_is_refused(executor):
    def ranked(w, X, y):
        return np.sum(np.cumsum(X @ w) * y)

    with pytest.raises(TracingError, match="no sum over the rows"):
        autoopt.minimize(ranked, np.zeros(5), args=data(3000), cluster=executor)


def test_a_cluster_without_rows_is_refused(executor):
    with pytest.raises(UsageError, match="None of args has rows"):
        autoopt.minimize(lambda w: np.sum((w - 1) ** 2), np.zeros(3), cluster=executor)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals")
def test_a_worker_is_killed_in_mid_fit_ten_times_of_ten(executor):
    """Between two evaluations, by the callback; in the midst of one, in tests/clusters."""
    X, y = data()
    expected = autoopt.minimize(logistic, np.zeros(5), args=(X, y, 0.5), method="l-bfgs-b", cluster=executor)
    for _ in range(10):
        calls = iter(range(100))

        def kill(*_, calls=calls):
            if next(calls) == 1:
                os.kill(next(one.pid for one in executor._processes.values() if not one.is_lost), signal.SIGKILL)

        found = autoopt.minimize(
            logistic, np.zeros(5), args=(X, y, 0.5), method="l-bfgs-b", cluster=executor, callback=kill
        )
        assert next(calls) > 2 and np.array_equal(found.x, expected.x) and found.nfev == expected.nfev
