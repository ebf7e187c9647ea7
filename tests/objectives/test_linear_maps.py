"""Products with Jacobians: `jvp`, `vjp` and the methods of `Objective`, against complex steps of the plain function."""

from __future__ import annotations

import numpy as np
import pytest
from complex_steps import complex_step, jacobian

import autoopt
from autoopt import differences
from autoopt.errors import UsageError
from autoopt.execution.eager.sweeps import Sweeps
from autoopt.objectives.objective import Objective, printed

X = np.array([[1.0, 0.3], [1.0, -0.8], [1.0, 1.9]])
POINT = np.array([0.3, 0.7])
OTHER = np.array([-0.6, 1.2])


def residuals(b):
    return np.exp(X @ b * 0.3) * b[1] - np.array([0.5, 0.1, 0.9])


def table(b):
    return np.outer(np.sin(b), b**2)[:, :1] * X[:2]


FUNCTIONS = {
    "residuals": residuals,
    "table": table,
    "number": lambda b: b[0] ** 3 * b[1],
    "empty": lambda b: b[:0] ** 2,
}


@pytest.mark.parametrize("f", FUNCTIONS.values(), ids=FUNCTIONS)
def test_products_are_those_with_the_jacobian(f) -> None:
    for x in (POINT, OTHER):
        J, p = jacobian(f, x), np.array([0.4, -1.1])
        value, tangent = autoopt.jvp(f, (x,), (p,))
        np.testing.assert_allclose(value, f(x), rtol=1e-14)
        np.testing.assert_allclose(tangent, J @ p, rtol=1e-12, atol=1e-14)
        assert np.shape(value) == np.shape(tangent) == np.shape(f(x))
        w = np.cos(np.arange(np.size(value))).reshape(np.shape(value))
        value, pullback = autoopt.vjp(f, x)
        np.testing.assert_allclose(value, f(x), rtol=1e-14)
        for weights in (w, -2 * w):
            (part,) = pullback(weights)
            np.testing.assert_allclose(part, np.tensordot(weights, J, np.ndim(w)), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("f", FUNCTIONS.values(), ids=FUNCTIONS)
def test_products_of_an_objective_with_one_direction_and_with_many(f) -> None:
    derived = Objective(f, POINT, scalar=False)
    for x in (POINT, OTHER):
        J = jacobian(f, x).reshape(-1, 2)
        for p in (np.array([0.4, -1.1]), np.array([[0.4, 1.0, 0.0], [2.0, 0.0, 1.0]]), np.zeros((2, 0))):
            found = derived.jvp(x, p)
            assert found.shape == (J @ p).shape
            np.testing.assert_allclose(found, J @ p, rtol=1e-12, atol=1e-14)
        for w in (np.cos(np.arange(len(J))), np.cos(np.arange(3 * len(J))).reshape(-1, 3), np.zeros((len(J), 0))):
            found = derived.vjp(x, w)
            assert found.shape == (J.T @ w).shape
            np.testing.assert_allclose(found, J.T @ w, rtol=1e-12, atol=1e-14)


def test_weights_may_have_the_shape_of_the_result() -> None:
    derived, w = Objective(table, POINT, scalar=False), np.array([[1.0, 2.0], [-1.0, 0.5]])
    np.testing.assert_allclose(derived.vjp(OTHER, w), np.tensordot(w, jacobian(table, OTHER), 2), rtol=1e-12)


def test_every_argument_is_differentiated_by_in_its_structure() -> None:
    def f(d, scale):
        return scale * d["a"][:, None] * np.exp(d["b"][0])

    d = {"a": np.array([1.0, 2.0]), "b": [np.array([0.1, 0.2, 0.3])]}
    value, pullback = autoopt.vjp(f, d, 3.0)
    assert value.shape == (2, 3)
    parts, scale = pullback(np.ones((2, 3)))
    np.testing.assert_allclose(parts["a"], np.full(2, 3 * np.exp(d["b"][0]).sum()), rtol=1e-13)
    np.testing.assert_allclose(parts["b"][0], 9 * np.exp(d["b"][0]), rtol=1e-13)
    np.testing.assert_allclose(scale, 3 * np.exp(d["b"][0]).sum(), rtol=1e-13)
    _, tangent = autoopt.jvp(f, (d, 3.0), ({"a": np.zeros(2), "b": [np.zeros(3)]}, 1.0))
    np.testing.assert_allclose(tangent, value / 3, rtol=1e-13)


def test_numbers_alone() -> None:
    assert autoopt.jvp(lambda a, b: a * b**2, (2.0, 3.0), (1.0, 0.5)) == (18.0, 9.0 + 6.0)
    value, pullback = autoopt.vjp(lambda a, b: a * b**2, 2.0, 3.0)
    assert value == 18.0 and pullback(2.0) == (18.0, 24.0)


def test_calls_of_one_function_at_other_points_and_on_other_paths() -> None:
    def f(x):
        return x[x.real > 0.5] ** 2

    for x in (POINT, OTHER, np.array([0.9, 0.8]), np.array([0.1, 0.2])):
        p = np.array([1.0, 2.0])
        np.testing.assert_allclose(autoopt.jvp(f, (x,), (p,))[1], jacobian(f, x) @ p, rtol=1e-13)
        value, pullback = autoopt.vjp(f, x)
        np.testing.assert_allclose(pullback(np.ones(value.shape))[0], 2 * x * (x > 0.5), rtol=1e-13)


def test_pullbacks_keep_their_points() -> None:
    pullbacks = [autoopt.vjp(residuals, x)[1] for x in (POINT, OTHER)]
    for pullback, x in zip(pullbacks, (POINT, OTHER), strict=True):
        np.testing.assert_allclose(pullback(np.ones(3))[0], jacobian(residuals, x).sum(axis=0), rtol=1e-12)


def test_weights_and_directions_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match=r"weights have shape \(2,\), but f's result has shape \(3,\)"):
        autoopt.vjp(residuals, POINT)[1](np.ones(2))
    with pytest.raises(UsageError, match=r"weights have shape \(1,\)"):
        Objective(residuals, POINT, scalar=False).vjp(POINT, np.ones(1))
    with pytest.raises(UsageError, match="tangents"):
        autoopt.jvp(residuals, (POINT,), (np.ones(3),))
    with pytest.raises(UsageError, match="primals is no tuple"):
        autoopt.jvp(residuals, POINT, POINT)
    with pytest.raises(UsageError, match="no argument"):
        autoopt.vjp(lambda: 1.0)


def test_an_array_has_no_gradient() -> None:
    derived = Objective(residuals, POINT, scalar=False)
    for method in (derived.grad, derived.hess, derived.value_and_grad):
        with pytest.raises(UsageError, match=r"no gradient and no Hessian(.|\n)*jacobian"):
            method(POINT)


# In an objective that is traced ---------------------------------------------------------------------------------------


def pushed_inside(x):
    value, tangent = autoopt.jvp(lambda b, s: residuals(b) * s, (x, x[0]), (np.array([1.0, 2.0]), 0.5))
    return np.sum(tangent**2) + value[0]


def pulled_inside(x):
    value, pullback = autoopt.vjp(lambda b, s: residuals(b) * s, x, 2.0)
    parts, scale = pullback(value)
    return np.sum(parts**2) + scale


def products_inside(x):
    inner = Objective(residuals, np.ones(2), scalar=False)
    return np.sum(inner.vjp(x, inner.jvp(x, x)) ** 2)


def by_hand_pushed(x):
    J = _jacobian(x)
    tangent = (J @ np.array([1.0, 2.0])) * x[0] + residuals(x) * 0.5
    return np.sum(tangent**2) + residuals(x)[0] * x[0]


def _jacobian(x):
    """Return the Jacobian of `residuals` by hand, for complex x too."""
    e = np.exp(X @ x * 0.3)
    return 0.3 * X * (e * x[1])[:, None] + np.stack([0 * e, e], axis=1)


def by_hand_pulled(x):
    value = residuals(x) * 2
    return np.sum((2 * _jacobian(x).T @ value) ** 2) + residuals(x) @ value


def by_hand_products(x):
    return np.sum((_jacobian(x).T @ (_jacobian(x) @ x)) ** 2)


@pytest.mark.parametrize(
    ("f", "by_hand"),
    [(pushed_inside, by_hand_pushed), (pulled_inside, by_hand_pulled), (products_inside, by_hand_products)],
)
def test_products_inside_an_objective_are_followed(f, by_hand) -> None:
    derived = autoopt.objective(f, POINT)
    for x in (POINT, OTHER):
        np.testing.assert_allclose(f(x), by_hand(x), rtol=1e-12)
        np.testing.assert_allclose(derived.value(x), by_hand(x), rtol=1e-12)
        np.testing.assert_allclose(derived.grad(x), complex_step(by_hand, x), rtol=1e-11)


def called(function, *first, **known):
    """Call a printed function with `first`, and with what else it takes by name."""
    code = function.__code__
    return function(*first, *(known[name] for name in code.co_varnames[len(first) : code.co_argcount]))


def test_source_of_arrays_runs_by_itself() -> None:
    p, w, J = np.array([0.4, -1.1]), np.array([1.0, -2.0, 0.5]), jacobian(residuals, OTHER)
    expected = {"jacobian": J, "value": residuals(OTHER), "jvp": J @ p, "vjp": J.T @ w}
    for kind, number in expected.items():
        space: dict = {}
        exec(printed(residuals, POINT, derivatives=kind), space)
        known = {"constant": np.array([0.5, 0.1, 0.9]), "X": X, "b": OTHER}
        if "prepare" in space:
            known |= called(space["prepare"], **known)
        if kind in ("jacobian", "value"):
            np.testing.assert_allclose(called(space[kind], OTHER, **known), number, rtol=1e-12)
            continue
        known |= called(space["linearize"], OTHER, **known)
        name, direction = ("pushforward", p) if kind == "jvp" else ("pullback", w)
        np.testing.assert_allclose(called(space[name], direction, **known), number, rtol=1e-12)


def _filled(x):
    r = np.zeros(3)
    r[0] = x[0] * x[1]
    np.add.at(r, [1, 1], x[2])
    return r


@pytest.mark.parametrize("f", [lambda x: np.array([x[0] * x[1], x[2]]), _filled], ids=["array", "filled"])
def test_functions_that_make_arrays(f) -> None:
    x, p = np.array([1.0, 2.0, 3.0]), np.array([0.5, -1.0, 2.0])
    J = autoopt.jacobian(f)(x)
    np.testing.assert_allclose(autoopt.jvp(f, (x,), (p,))[1], J @ p, rtol=1e-14)
    (pulled,) = autoopt.vjp(f, x)[1](np.ones(len(J)))
    np.testing.assert_allclose(pulled, J.sum(axis=0), rtol=1e-14)


def test_an_array_that_has_no_form_at_once_is_made_by_products() -> None:
    def f(x):
        return np.einsum("ij,jk->ijk", x.reshape(2, 2), x.reshape(2, 2))[:, ::2]

    x = np.array([1.0, 2.0, 3.0, 4.0])
    expected = np.zeros((2, 1, 2, 4))  # x[2i] x[k]
    for i in range(2):
        for k in range(2):
            expected[i, 0, k, 2 * i] += x[k]
            expected[i, 0, k, k] += x[2 * i]
    np.testing.assert_allclose(autoopt.jacobian(f)(x), expected, rtol=1e-14)


def test_weights_of_a_matrix_step_by_step_have_its_shape() -> None:
    """Sweeps along the tape took them as they came, flat: a matrix assigned by rows could not be pulled back."""

    def residual(p):
        wide = np.zeros_like(p)
        wide[1:-1] = p[2:] - 2.0 * p[1:-1] + p[:-2]
        wide[0] = p[1] - 2.0 * p[0]
        wide[-1] = p[-2] - 2.0 * p[-1]
        return wide - np.cosh(p).mean() ** 2

    objective = Objective(residual, np.zeros((5, 4)), scalar=False)
    x, w = np.random.default_rng(0).normal(size=(2, 20))
    tape = objective.dispatch.paths[0].trace.tape
    expected = differences.jacobian(objective.original_array, x)[0].reshape(20, 20).T @ w
    assert np.allclose(Sweeps(tape).at(x).pullback(w), expected, rtol=1e-7)
    assert np.allclose(objective.vjp(x, w), expected, rtol=1e-7)
