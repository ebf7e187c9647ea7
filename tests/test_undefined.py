"""What says that an objective is not defined at a point is the same everywhere: every kind of exception that may."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

import autoopt
from autoopt.users_code import UNDEFINED

PACKAGE = Path(autoopt.__file__).parent
RAISED = [ZeroDivisionError, OverflowError, ValueError, np.linalg.LinAlgError, RuntimeError, AssertionError]
EDGE = 1.0


def until(edge, kind):
    """Return a function of two parameters that falls until the first of them is `edge`, and raises beyond."""

    def f(x):
        if x[0] > edge:
            raise kind("beyond")
        return (x[0] - edge) ** 2 + np.sum(np.exp(x - edge)) + (x[1] - 0.5) ** 2

    return f


def plain(x):
    return np.sum((x - 2.0) ** 4 + (x - 2.0) ** 2)


def bound(kind):
    """Return a constraint that holds up to the edge, and raises a little beyond."""

    def c(x):
        if x[0] > EDGE + 1e-4:
            raise kind("beyond")
        return np.array([EDGE - x[0]])

    return {"type": "ineq", "fun": c}


def equations(kind):
    def f(x):
        if x[0] > EDGE + 1e-4:
            raise kind("beyond")
        return np.array([x[0] - EDGE, x[1] ** 2 - 2.0 + x[0]])

    return f


X0 = np.array([0.0, 0.8])

RUNS = {
    "minimize": lambda kind: autoopt.minimize(until(EDGE, kind), X0).x,
    "bfgs": lambda kind: autoopt.minimize(until(EDGE, kind), X0, method="bfgs").x,
    "newton": lambda kind: autoopt.minimize(until(EDGE, kind), X0, method="trust-exact").x,
    "the solution": lambda kind: autoopt.minimize(until(0.05, kind), X0 - 0.1).x,
    "a given gradient": lambda kind: (
        autoopt.minimize(until(EDGE, kind), X0, jac=autoopt.grad(until(EDGE, ValueError)), method="l-bfgs-b").x
    ),
    "a constraint": lambda kind: autoopt.minimize(plain, X0, constraints=bound(kind), method="slsqp").x,
    "a constraint, its jac given": lambda kind: (
        autoopt.minimize(plain, X0, constraints=bound(kind) | {"jac": lambda x: np.array([[-1.0, 0.0]])}).x
    ),
    "sizes": lambda kind: autoopt.minimize(until(EDGE, kind), X0, scale="auto").x,
    "one parameter": lambda kind: autoopt.minimize_scalar(lambda x: until(EDGE, kind)(np.array([x, 0.5]))).x,
    "equations": lambda kind: autoopt.root(equations(kind), X0).x,
    "residuals": lambda kind: autoopt.least_squares(equations(kind), X0).x,
    "check": lambda kind: [bool(autoopt.check(until(EDGE, kind), X0))],
}


@pytest.mark.parametrize("name", RUNS)
def test_whatever_an_objective_raises_where_it_is_not_defined_ends_a_run_alike(name):
    with np.errstate(all="ignore"):
        found = [np.asarray(RUNS[name](kind), dtype=float) for kind in RAISED]
    for kind, other in zip(RAISED[1:], found[1:], strict=True):
        np.testing.assert_array_equal(other, found[0], err_msg=kind.__name__)


def test_every_kind_is_one_of_these():
    assert all(issubclass(kind, UNDEFINED) for kind in RAISED)


def test_no_file_but_one_lists_them():
    """A list that is written twice is not the same for long."""
    files = [file for file in PACKAGE.rglob("*.py") if file.name != "users_code.py"]
    listed = [
        str(file.relative_to(PACKAGE))
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Tuple)
        and {"ArithmeticError", "ValueError", "RuntimeError"} <= {getattr(part, "id", "") for part in node.elts}
    ]
    assert listed == []
