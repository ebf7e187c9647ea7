"""Code that is wrong is found with its line and its parameter: every rule here is broken once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fresh import fresh

import autoopt
from autoopt.errors import VerificationError
from autoopt.rules.table import RULES

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(30, 4)), rng.normal(size=30)


def model(b, X, y):
    z = X @ b
    u = np.tanh(z)
    v = np.log1p(u**2)
    e = np.exp(-0.1 * z)
    w = np.sum(v * y) + np.sum(e)
    return w + np.sum(b**2)


def looped(b, X, y):
    total = 0.0
    for i in range(len(y)):
        z = X[i] @ b
        u = np.tanh(z)
        total += (y[i] - u) ** 2
    return total


@pytest.fixture(autouse=True)
def nothing_is_kept():
    with fresh():
        yield


def broken(monkeypatch, function, change):
    """Have the rule of a function give another expression: `change` of the right one and of its argument."""
    rule = RULES[function]
    build = rule.build
    monkeypatch.setitem(RULES, function, replace(rule, build=lambda x, **options: change(build(x, **options), x)))


def wrong_slope(right, x):
    """The right value with another slope."""
    from pytensor.gradient import disconnected_grad

    return right + 0.1 * (x - disconnected_grad(x))


FAULTS = {
    "factor": (np.tanh, lambda right, x: 1.001 * right, "u = np.tanh(z)", "value"),
    "sign": (np.exp, lambda right, x: -right, "e = np.exp(-0.1 * z)", "value"),
    "missing term": (np.log1p, lambda right, x: x, "v = np.log1p(u**2)", "value"),
    "slope": (np.tanh, wrong_slope, "u = np.tanh(z)", "derived gradient"),
    "slope of a later line": (np.exp, wrong_slope, "e = np.exp(-0.1 * z)", "derived gradient"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_line_where_code_parts_from_the_function_is_named(fault, monkeypatch):
    function, change, line, what = FAULTS[fault]
    broken(monkeypatch, function, change)
    with pytest.raises(VerificationError) as caught:
        autoopt.minimize(model, np.ones(4), args=(X, Y))
    text = str(caught.value)
    assert what in text and "The first line where they part" in text and f"    {line}\n" in text
    assert "test_location.py" in text and ("Along b[" in text or "Along x[" in text) == (what != "value")


def test_the_line_is_found_in_a_loop(monkeypatch):
    broken(monkeypatch, np.tanh, lambda right, x: 1.001 * right)
    with pytest.raises(VerificationError) as caught:
        autoopt.minimize(looped, np.ones(4), args=(X, Y))
    assert "    u = np.tanh(z)\n" in str(caught.value)


@pytest.mark.parametrize("count", [3, 40, 300])
def test_the_parameter_whose_slope_is_off_is_named(count):
    def f(x):
        return np.sum((x - 3) ** 4)

    def jac(x):
        gradient = 4 * (x - 3) ** 3
        gradient[count // 2] *= 1.001
        return gradient

    with pytest.raises(VerificationError, match=rf"(Along|for) x\[{count // 2}\] it is -\d+\.\d+, but "):
        autoopt.minimize(f, np.linspace(0.5, 1.5, count), jac=jac)
