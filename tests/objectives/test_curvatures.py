"""Hessians compared with how the gradient changes: what is wrong is found, and computed by products."""

import numpy as np
import pytest

import autoopt
from autoopt.graph.indexed.table import PUSHES


def f(x):
    return np.log(np.sum(np.exp(x))) + np.sum(x**4)


def g(x):
    return f(x) + np.sum(x)  # another one, whose source nobody has yet


X = np.array([0.3, -0.2, 1.1])


def expected(x):
    p = np.exp(x) / np.exp(x).sum()
    return np.diag(p + 12 * x**2) - np.outer(p, p)


def test_a_right_hessian_is_taken() -> None:
    objective = autoopt.objective(f, X)
    np.testing.assert_allclose(objective.hess(X), expected(X), rtol=1e-12)
    assert objective.dispatch.paths[0].second is True


def test_a_wrong_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOOPT_CACHE", "off")
    for kind, push in list(PUSHES.items()):
        monkeypatch.setitem(
            PUSHES, kind, lambda node, terms, push=push: [term.times((), term.out, 1.01) for term in push(node, terms)]
        )
    objective = autoopt.objective(g, X)
    for point in (X, X + 0.5):
        np.testing.assert_allclose(objective.hess(point), expected(point), rtol=1e-10)
    assert objective.dispatch.paths[0].second is False


def test_rounding_and_kinks_make_no_hessian_wrong() -> None:
    def steep(x):
        return 1e12 * np.sum(x) + np.abs(x[0] - 0.3) + np.sum(x**2)

    objective = autoopt.objective(steep, X)
    np.testing.assert_allclose(objective.hess(X), 2 * np.eye(3), atol=1e-12)
    assert objective.dispatch.paths[0].second is True
