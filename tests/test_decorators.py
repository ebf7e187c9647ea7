"""`function`, `gradient` and `hessian_vector`, as decorators and called, against derivatives worked out by hand."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest

import autoopt
from autoopt.errors import AutooptError, UsageError
from autoopt.objectives import dispatch

A, B, V = np.array([1.0, 2.0]), np.array([3.0, -1.0]), np.array([0.5, 4.0])
M = np.arange(6.0).reshape(2, 3)


def bilinear(x, y, scale=2.0):
    """Return a bilinear form."""
    return np.sum(x * y) * scale


# Gradients: the function, what it is differentiated by, arguments, what comes out -------------------------------------

GRADIENTS = {
    "the one argument": (lambda x: np.sum(x**2), None, (A,), {}, 2 * A),
    "a number": (lambda x: x**2, None, (5.0,), {}, 10.0),
    "a whole number is a number": (lambda x: x**2, None, (5,), {}, 10.0),
    "a matrix": (lambda x: np.sum(x**3), None, (M,), {}, 3 * M**2),
    "all arguments": (bilinear, None, (A, B), {}, (2 * B, 2 * A)),
    "all, a default passed": (bilinear, None, (A, B, 3.0), {}, (3 * B, 3 * A, np.sum(A * B))),
    "by name": (bilinear, "y", (A, B), {}, 2 * A),
    "by position": (bilinear, 1, (A, B), {}, 2 * A),
    "names in another order": (bilinear, ("y", "x"), (A, B), {}, (2 * A, 2 * B)),
    "one name in a sequence": (bilinear, ["x"], (A, B), {}, (2 * B,)),
    "name and position": (bilinear, ("y", 0), (A, B), {}, (2 * A, 2 * B)),
    "passed by name": (bilinear, "x", (), {"y": B, "x": A}, 2 * B),
    "some passed by name": (bilinear, ("scale", "y"), (A,), {"y": B, "scale": 5.0}, (np.sum(A * B), 5 * A)),
    "a default": (bilinear, "scale", (A, B), {}, np.sum(A * B)),
    "keyword only": (lambda x, *, s=2.0: np.sum(x) * s, "s", (A,), {}, 3.0),
    "further arguments": (lambda *args: args[0] * args[1], 1, (2.0, 3.0), {}, 2.0),
    "all of further arguments": (lambda x, *more: x * more[0] * more[1], None, (2.0, 3.0, 4.0), {}, (12.0, 8.0, 6.0)),
    "further keywords": (lambda **p: p["u"] * p["v"], "v", (), {"u": 2.0, "v": 3.0}, 2.0),
    "data that are no numbers": (lambda x, how: np.sum(x) if how == "sum" else x[0], "x", (A, "sum"), {}, np.ones(2)),
    "data that count": (lambda x, n: sum(x**k for k in range(n)), "x", (2.0, 4), {}, 1 + 4 + 12.0),
    "other shapes": (lambda w, X, y: np.sum((X @ w - y) ** 2), "w", (np.ones(3), M, A), {},
                     2 * M.T @ (M @ np.ones(3) - A)),
    "a function of NumPy": (np.sum, None, (A,), {}, np.ones(2)),
}  # fmt: skip


def same(found, expected):
    """Compare results that may be tuples of arrays."""
    assert isinstance(found, tuple) == isinstance(expected, tuple)
    for one, other in zip(found, expected, strict=True) if isinstance(found, tuple) else [(found, expected)]:
        assert np.shape(one) == np.shape(other)
        np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradient_by_the_arguments_that_are_named(name):
    f, wrt, args, options, expected = GRADIENTS[name]
    df = autoopt.gradient(f) if wrt is None else autoopt.gradient(f, wrt=wrt)
    same(df(*args, **options), expected)
    same(df(*args, **options), expected)


def test_nests_keep_their_structure():
    df = autoopt.gradient(lambda p, q: np.sum(p["a"] ** 2) * q[0] + q[1])
    by_p, by_q = df({"a": A}, [3.0, 1.0])
    np.testing.assert_allclose(by_p["a"], 6 * A)
    np.testing.assert_allclose(by_q, [5.0, 1.0])


PRODUCTS = {
    "the one argument": (lambda x: np.sum(x**3), None, (A,), "vectors", V, 6 * A * V),
    "a matrix": (lambda x: np.sum(x @ x.T), None, (M,), "vectors", M + 1.0, 2 * np.ones((2, 2)) @ (M + 1.0)),
    "the older name": (lambda x: np.sum(x**3), None, (A,), "_vectors", V, 6 * A * V),
    "an argument of that name": (lambda x, vectors: vectors @ x**2, "x", (A, B), "_vectors", V, 2 * B * V),
    "one of several": (bilinear, "x", (A, B), "vectors", V, np.zeros(2)),
    "several": (bilinear, ("x", "y"), (A, B), "vectors", (V, B), (2 * B, 2 * V)),
    "several in another order": (bilinear, ("y", "x"), (A, B), "vectors", (V, B), (2 * B, 2 * V)),
}  # fmt: skip


@pytest.mark.parametrize("name", PRODUCTS)
def test_product_with_the_hessian(name):
    f, wrt, args, word, vectors, expected = PRODUCTS[name]
    product = autoopt.hessian_vector(f) if wrt is None else autoopt.hessian_vector(wrt=wrt)(f)
    same(product(*args, **{word: vectors}), expected)


VALUES = {
    "a number": (lambda x: x**2, (5.0,), 25.0),
    "an array": (lambda x, y: np.outer(x, y), (A, B), np.outer(A, B)),
    "a loop that data count": (lambda x, n: sum(x for _ in range(n)), (2.0, 5), 10.0),
    "data alone": (lambda n: n + 1, (3,), 4),
    "keywords": (bilinear, (A, B, 3.0), bilinear(A, B, 3.0)),
}


@pytest.mark.parametrize("name", VALUES)
def test_value_by_compiled_code(name):
    f, args, expected = VALUES[name]
    same(autoopt.function(f)(*args), expected)
    same(autoopt.function()(f)(*args), expected)


# As decorators --------------------------------------------------------------------------------------------------------


@autoopt.gradient
def bare(x):
    """Return a square."""
    return x @ x


@autoopt.gradient()
def called(x):
    return x @ x


@autoopt.gradient(wrt="y")
def named(x, y):
    return x * y


def test_decorators_are_used_with_and_without_parentheses():
    np.testing.assert_allclose(bare(A), 2 * A)
    np.testing.assert_allclose(called(A), 2 * A)
    assert named(3.0, 5.0) == named(y=5.0, x=3.0) == 3.0


def test_what_is_decorated_keeps_its_name_text_and_signature():
    assert (bare.__name__, bare.__doc__, bare.__module__) == ("bare", "Return a square.", __name__)
    assert list(inspect.signature(named).parameters) == ["x", "y"] and named.__wrapped__(2.0, 3.0) == 6.0


class Model:
    scale = 2.0

    @autoopt.gradient
    def loss(self, w):
        return self.scale * np.sum(w**2)

    @autoopt.hessian_vector(wrt="w")
    def curvature(self, w):
        return self.scale * np.sum(w**4)


def test_methods_are_decorated_and_attributes_that_change_are_seen():
    model = Model()
    np.testing.assert_allclose(model.loss(A), 4 * A)
    model.scale = 3.0
    np.testing.assert_allclose(model.loss(A), 6 * A)
    np.testing.assert_allclose(model.curvature(A, vectors=V), 36 * A**2 * V)


def test_branches_outer_values_and_data_that_change_are_seen(monkeypatch):
    traces = []
    real = dispatch.Dispatch.traced
    monkeypatch.setattr(dispatch.Dispatch, "traced", lambda self, x: traces.append(1) or real(self, x))
    weights = np.array([1.0, 2.0])

    @autoopt.gradient(wrt="x")
    def f(x, y):
        return np.sum(weights * x * y) if x[0] > 0 else np.sum(x**2)

    np.testing.assert_allclose(f(A, B), weights * B)
    count = len(traces)
    np.testing.assert_allclose(f(2 * A, 3 * B), weights * 3 * B)
    assert len(traces) == count, "other points and data of the same shapes are no reason to trace anew"
    np.testing.assert_allclose(f(-A, B), -2 * A)
    weights[:] = 5.0
    np.testing.assert_allclose(f(A, B), 5 * B)
    np.testing.assert_allclose(f(np.append(A, 1.0)[:2], B), 5 * B)


def test_decorated_functions_are_followed_in_an_objective():
    slope = autoopt.gradient(lambda x, y: np.sum(x**2 * y), wrt=("y", "x"))
    product = autoopt.hessian_vector(lambda x: np.sum(x**4))
    value = autoopt.function(lambda x: np.sum(x**3))
    np.testing.assert_allclose(autoopt.grad(lambda x: np.sum(slope(x, x)[0]))(A), 2 * A)  # of sum(x**2)
    np.testing.assert_allclose(autoopt.grad(lambda x: np.sum(slope(x, x)[1]))(A), 4 * A)  # of sum(2 * x * x)
    np.testing.assert_allclose(autoopt.grad(lambda x: product(x, vectors=V) @ B)(A), 24 * A * V * B)
    np.testing.assert_allclose(autoopt.grad(lambda x: value(x) ** 2)(A), 2 * 9.0 * 3 * A**2)
    parts = autoopt.gradient(lambda p: np.sum(p["a"] ** 3))
    np.testing.assert_allclose(autoopt.grad(lambda x: np.sum(parts({"a": x})["a"]))(A), 6 * A)


# Mistakes -------------------------------------------------------------------------------------------------------------

MISTAKES = {
    "no such name": (lambda: autoopt.gradient(bilinear, wrt="scales"),
                     "bilinear has no argument 'scales'. Did you mean scale?", "choose of x, y, scale."),
    "no such position": (lambda: autoopt.gradient(bilinear, wrt=3), "bilinear has no argument 3.", "choose of x, y,"),
    "a negative position": (lambda: autoopt.gradient(bilinear, wrt=-1), "bilinear has no argument -1.", "choose of x"),
    "twice": (lambda: autoopt.gradient(bilinear, wrt=("x", "x")), "wrt=('x', 'x') names an argument twice.", "once."),
    "by both": (lambda: autoopt.gradient(bilinear, wrt=("x", 0)), "wrt=('x', 0) names an argument twice.", "once."),
    "nothing": (lambda: autoopt.gradient(bilinear, wrt=()), "wrt names no argument.", "leave it out"),
    "an array": (lambda: autoopt.gradient(bilinear, wrt=[A]), "wrt=array([1., 2.]) is not understood.", "names or pos"),
    "no function": (lambda: autoopt.gradient(3.0), "autoopt.gradient takes a function, not 3.0.", "above"),
    "no direction": (lambda: autoopt.hessian_vector(bilinear)(A, B), "hessian_vector was called without vectors.",
                     "call it as f(x, vectors=v)."),
    "one direction for two": (lambda: autoopt.hessian_vector(bilinear)(A, B, vectors=V),
                              "vectors has 1 parts for 2 arguments.", "one for each of x, y."),
    "a text": (lambda: autoopt.gradient(lambda x, how: np.sum(x))(A, "sum"),
               "The arguments that gradient differentiates by hold entries that are not real numbers:\n  how: 'sum'",
               "as in wrt="),
    "no number": (lambda: autoopt.gradient(lambda x: x)(A), "returned an array of shape (2,), not a scalar.", "np.sum"),
    "not passed": (lambda: autoopt.gradient(lambda **p: p["u"], wrt="v")(u=1.0), "without the argument 'v'.", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_say_what_is_wrong_and_what_to_do(name):
    work, happened, remedy = MISTAKES[name]
    with pytest.raises(AutooptError, match=re.escape(happened)) as caught:
        work()
    assert remedy in caught.value.remedy
    assert all("adapted.py" not in place.file for place in caught.value.where)


def test_wrong_calls_are_python_errors():
    with pytest.raises(TypeError, match="missing a required argument: 'y'"):
        autoopt.gradient(bilinear)(A)
    with pytest.raises(UsageError, match="expected shape"):
        autoopt.hessian_vector(lambda x: x @ x)(A, vectors=np.ones(3))
