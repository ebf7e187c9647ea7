"""What SciPy's users pass by mistake is refused in their terms, parameter by parameter of `scipy.optimize.minimize`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import Bounds

import autoopt
from autoopt.errors import UsageError


def f(x):
    return np.sum((x - 1) ** 2)


def g(x):
    return 2 * (x - 1)


REFUSED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "jac=True and one number": ({"jac": True}, ("value and its gradient", "returned a float64", "leave jac out")),
    "jac=True and nothing": ({"fun": lambda x: None, "jac": True}, ("returned None",)),
    "jac=True and three": ({"fun": lambda x: (f(x), g(x), 1), "jac": True}, ("tuple of 3",)),
    "jac=True and one in a tuple": ({"fun": lambda x: (f(x),), "jac": True}, ("tuple of 1",)),
    "jac=True and the gradient alone": ({"fun": g, "jac": True}, ("returned a ndarray",)),
    "jac=True and half a gradient": ({"fun": lambda x: (f(x), g(x)[:1]), "jac": True}, ("jac returned", "(1,)")),
    "jac=True and no gradient": ({"fun": lambda x: (f(x), None), "jac": True}, ("jac returned", "None")),
    "jac=True and values": ({"fun": lambda x: ((x - 1) ** 2, g(x)), "jac": True}, ("value", "shape (2,)", "sum")),
    "complex jac": ({"jac": lambda x: g(x) + 1j}, ("jac returned", "complex128")),
    "half a jac": ({"jac": lambda x: g(x)[:1]}, ("jac returned", "(1,)")),
    "jac of pairs": ({"jac": lambda x: (f(x), g(x))}, ("jac returned",)),
    "jac by a wrong name": ({"jac": "2-pont"}, ("jac='2-pont'",)),
    "no function": ({"fun": 3}, ("fun=3 is not a function",)),
    "too few args": ({"fun": lambda x, a: f(x)}, ("missing a required argument: 'a'", "fun(x, *args)")),
    "too many args": ({"args": (1, 2)}, ("x and 2 of args", "too many")),
    "x0 in words": ({"x0": "1.0"}, ("x0", "real numbers")),
    "no x0": ({"x0": None}, ("x0", "real numbers")),
    "x0 of objects": ({"x0": np.array([1, None], object)}, ("array of object",)),
    "a method that is near": ({"method": "L-BFGSB"}, ("did you mean l-bfgs-b",)),
    "a method that is far": ({"method": "sgd"}, ("There is no method 'sgd'", "use one of bfgs")),
    "one pair of bounds": ({"bounds": [(0, 1)]}, ("1 pairs", "2 entries")),
    "bounds that are reversed": ({"bounds": [(1, 0), (0, 1)]}, ("x[0]", "lower limit above its upper")),
    "bounds that are NaN": ({"bounds": [(np.nan, 1), (0, 1)]}, ("x[0]", "nan")),
    "Bounds of three": ({"bounds": Bounds([0, 0, 0], [1, 1, 1])}, ("bounds has 3 limits", "2 entries")),
    "two arrays of three": ({"x0": np.zeros(3), "bounds": (np.zeros(3), np.ones(3))}, ("Bounds(low, high)",)),
    "an option that is near": ({"options": {"maxitr": 3}}, ("'maxitr'", "did you mean maxiter")),
    "options in a list": ({"options": [1]}, ("not a dict",)),
    "maxiter below 0": ({"options": {"maxiter": -3}}, ("maxiter=-3",)),
    "gtol that is NaN": ({"options": {"gtol": np.nan}}, ("gtol=nan",)),
    "tol below 0": ({"tol": -1}, ("tol=-1",)),
    "tol in words": ({"tol": "1e-3"}, ("tol='1e-3'",)),
    "callback of nothing": ({"callback": lambda: None}, ("callback",)),
    "callback that is none": ({"callback": 3}, ("callback=3 is not a function",)),
    "progress that is none": ({"progress": 3}, ("progress=3",)),
    "hess of three": ({"method": "trust-exact", "hess": lambda x: 2 * np.eye(3)}, ("hess returned shape (3, 3)",)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_mistake_is_refused_in_the_users_terms(name) -> None:
    given, words = REFUSED[name]
    with pytest.raises(UsageError) as caught:
        autoopt.minimize(**{"fun": f, "x0": np.zeros(2)} | given)
    text = str(caught.value)
    assert [word for word in words if word not in text] == [], text
    assert "To fix this: " in text


@pytest.mark.parametrize("method", ["bfgs", "cg", "l-bfgs-b", "tnc", "slsqp"])
def test_hess_that_is_not_used_is_noted(method) -> None:
    result = autoopt.minimize(f, np.zeros(2), method=method, hess=lambda x: 2 * np.eye(2), hessp=lambda x, p: 2 * p)
    assert result.success and any(f"{method} does not use hess and hessp" in note for note in result.notes)


def test_hess_that_is_used_has_no_note() -> None:
    for method in (None, "trust-exact"):
        assert autoopt.minimize(f, np.zeros(2), method=method, hess=lambda x: 2 * np.eye(2)).notes == []


def test_fault_in_the_users_call_is_theirs() -> None:
    def wrong(x, scale):
        return np.sum(x) * scale.missing()

    with pytest.raises(AttributeError):
        autoopt.minimize(wrong, np.zeros(2), (3.0,))


@pytest.mark.parametrize("most", [1, 3])
def test_tnc_ends_at_a_limit_of_iterations_too(most) -> None:
    from scipy.optimize import rosen

    result = autoopt.minimize(rosen, np.full(6, -1.2), method="tnc", options={"maxiter": most})
    assert not result.success and result.nit == most and "iterations" in result.message
    assert result.fun < rosen(np.full(6, -1.2))
