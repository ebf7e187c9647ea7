"""An exported module's test of itself sees each wrong entry, whatever its unit; it passes nothing it cannot tell."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from ruff import formatted

from autoopt.exporting.self_test import EACH, Untested, self_test
from autoopt.layout.modules import laid_out

RNG = np.random.default_rng(0)
UNITS = np.array([1.0, 1e4, 1e7, 1e-5])
X = np.exp(RNG.normal(size=(90, UNITS.size))) * UNITS
Y = RNG.poisson(0.8, size=90).astype(float)

POISSON = """
import numpy as np

def value_and_grad(w, X, y):
    z = X @ w
    mean = np.exp(z)
    return mean.sum() - y @ z, (X.T @ (mean - y)) * GRADIENT

def grad(w, X, y):
    return value_and_grad(w, X, y)[1]

def hess(w, X, y):
    return (X.T * np.exp(X @ w)) @ X * HESSIAN

def hvp(w, direction, X, y):
    return X.T @ (np.exp(X @ w) * (X @ direction)) * PRODUCT
"""
WRONG = {
    "value_and_grad": [("GRADIENT", (i,)) for i in range(UNITS.size)],
    "hess": [("HESSIAN", (i, j)) for i in range(UNITS.size) for j in range(UNITS.size)],
    "hvp": [("PRODUCT", (i,)) for i in range(UNITS.size)],
}


def module_of(text=POISSON, X=X, y=Y, functions=("value_and_grad", "grad", "hess", "hvp")):
    """Return the names of a module with its test, all factors of derivatives 1."""
    n = X.shape[1]
    head = f"GRADIENT, HESSIAN, PRODUCT = np.ones({n}), np.ones(({n}, {n})), np.ones({n})"
    text = text.replace("import numpy as np\n", f"import numpy as np\n\n{head}\n")
    parts = self_test(Untested(functions, True, np.zeros(n), {"X": X, "y": y}, text))
    found = {"__name__": "exported"}
    exec("\n\n\n".join([text, *parts]), found)
    return found


def passes(found, *given):
    with contextlib.redirect_stdout(io.StringIO()) as said:
        found["self_test"](*(given or found["example"]()))
    return said.getvalue()


@pytest.mark.parametrize("factor", [-1.5, 0.0, 1.01])
def test_each_wrong_entry_is_seen_whatever_its_unit(factor):
    found = module_of()
    assert passes(found).count("agrees with differences to") == 3
    for name, entries in WRONG.items():
        for of, entry in entries:
            found[of][entry] = factor
            with pytest.raises(AssertionError, match=f"{name}: .* differences give"):
                passes(found)
            found[of][entry] = 1.0


def test_a_wrong_entry_among_many_is_seen():
    n = 2 * EACH
    columns = np.column_stack([X] * (n // 4)) * RNG.uniform(0.5, 2.0, size=(90, n)) / n
    found = module_of(X=columns)
    w = 1e-3 * RNG.normal(size=n) / np.abs(columns).max(axis=0)
    assert passes(found, w, (columns, Y)).count("agrees") == 3
    for of, entry in (("GRADIENT", 5), ("GRADIENT", 31), ("HESSIAN", (7, 12)), ("PRODUCT", 33)):
        found[of][entry] = 1.01
        with pytest.raises(AssertionError, match="differences give"):
            passes(found, w, (columns, Y))
        found[of][entry] = 1.0


def test_a_wrong_gradient_is_seen_in_the_minimum():
    """There it is zero, as a multiple of it is: what is not known at the point is compared beside it."""
    found, columns = module_of(), X / X.std(axis=0)
    w = np.zeros(4)
    for _ in range(12):
        w -= np.linalg.solve(found["hess"](w, columns, Y), found["grad"](w, columns, Y))
    assert passes(found, w, (columns, Y)).count("agrees") == 3
    found["GRADIENT"][1] = 1.01
    with pytest.raises(AssertionError, match=r"value_and_grad: .* along x\[1\]"):
        passes(found, w, (columns, Y))


COARSE = """
import numpy as np

def value_and_grad(w, X, y):
    return np.sum((X @ w - y) ** 2) + 1e30, 2 * X.T @ (X @ w - y)
"""
UNDEFINED = """
import numpy as np

def value_and_grad(w, X, y):
    return np.sum(np.log(-1 - w**2)), -2 * w / (-1 - w**2)
"""
RAISES = """
import numpy as np

def value_and_grad(w, X, y):
    if np.any(w != 1.0):
        raise ValueError("elsewhere")
    return 0.0, 0 * w
"""


@pytest.mark.parametrize("text", [COARSE, UNDEFINED, RAISES], ids=["rounded away", "not a number", "one point alone"])
def test_what_differences_cannot_tell_is_no_pass(text):
    found = module_of()
    exec(text, found)
    with pytest.raises(AssertionError, match="differences cannot tell"):
        passes(found, np.ones(4), (X / UNITS, Y))


LINEAR = """
import numpy as np

def value_and_grad(w, X, y):
    r = X[:, 0] * np.sinh(w[0]) - y
    return np.sum(r**2) + 3.0 * w[1] + np.tanh(w[2]), np.array(
        [2 * (X[:, 0] * np.cosh(w[0])) @ r, 3.0, 1 / np.cosh(w[2]) ** 2, 0.0]
    )

def grad(w, X, y):
    return value_and_grad(w, X, y)[1]

def hess(w, X, y):
    a, r = X[:, 0], X[:, 0] * np.sinh(w[0]) - y
    bend = 2 * np.sum((a * np.cosh(w[0])) ** 2 + r * a * np.sinh(w[0]))
    return np.diag([bend, 0.0, -2 * np.tanh(w[2]) / np.cosh(w[2]) ** 2, 0.0])
"""


def test_parameters_that_are_linear_odd_or_not_read_pass():
    found = module_of(functions=("value_and_grad", "grad", "hess"))
    exec(LINEAR, found)
    for w in (np.zeros(4), np.array([0.3, 5.0, -2.0, 7.0])):
        assert passes(found, w, (X, Y)).count("agrees") == 2


def test_what_is_written_is_laid_out_as_ruff_does():
    many = self_test(Untested(("value_and_grad", "hess"), True, np.zeros(40), {"X": X, "y": Y}, POISSON))
    text = laid_out("\n\n\n".join(["import numpy as np", *many]) + "\n")
    assert text == formatted(text) and max(map(len, text.splitlines())) <= 100
