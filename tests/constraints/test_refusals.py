"""What a constraint may not be: every message says what happened, in which constraint and line, and what to do."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, NonlinearConstraint
from scipy.sparse import csr_array

from autoopt import minimize
from autoopt.errors import ObjectiveError, UsageError

START = np.array([0.5, -0.25, 2.0])


def raising(x):
    return x[0] + [1.0, 2.0][5]


VALUES = {
    "None": (lambda x: None, "constraints[0] returned nothing (None)."),
    "text": (lambda x: "a", "constraints[0] returned values of type str"),
    "dict": (lambda x: {"a": x}, "constraints[0] returned a dict, not numbers."),
    "ragged": (lambda x: [x, x[:2]], "constraints[0] returned parts of different shapes."),
    "complex": (lambda x: x * 1j, "constraints[0] returned values of type complex128, not real numbers."),
    "matrix": (lambda x: np.outer(x, x), "constraints[0] returned a matrix, of shape (3, 3)."),
    "nan": (lambda x: np.array([x[0], np.log(x[1])]), "constraints[0] is nan at x0, in value [1]."),
    "inf": (lambda x: x[0] / (x[1] + 0.25), "constraints[0] is inf at x0."),
    "slope": (lambda x: np.sqrt(x + 0.25), "The Jacobian of constraints[0] is inf at x0, in value [1] along x[1]."),
    "constant": (lambda x: 1.0, "constraints[0] does not depend on the parameters."),
    "compared": (lambda x: x > 1, "constraints[0] depends on the parameters by steps alone"),
    "whole": (lambda x: int(x[2]), "constraints[0] returns a number that has been made whole"),
    "raises": (raising, "constraints[0] raised IndexError: list index out of range"),
}


@pytest.mark.parametrize("form", ["dict", "object"])
@pytest.mark.parametrize("name", VALUES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_function_that_is_no_constraint(name, form):
    fun, message = VALUES[name]
    constraint = {"type": "ineq", "fun": fun} if form == "dict" else NonlinearConstraint(fun, 0, np.inf)
    with pytest.raises(ObjectiveError) as caught:
        minimize(lambda x: x @ x, START, constraints=constraint)
    shown = str(caught.value)
    assert message in shown and "test_refusals.py:" in shown, shown
    assert "To fix this: " in shown or name == "raises"


def good(x):
    return np.array([x[0] * x[1], x[2]])


USAGE = {
    "wide": ({"type": "eq", "fun": good, "jac": lambda x: np.ones((2, 4))}, "of constraints[0] returned shape (2, 4)"),
    "tall": ({"type": "eq", "fun": good, "jac": lambda x: np.ones((3, 2))}, "have a Jacobian of shape (2, 3)."),
    "jac None": ({"type": "eq", "fun": good, "jac": lambda x: None}, "jac of constraints[0] returned a NoneType"),
    "jac name": ({"type": "eq", "fun": good, "jac": "4-point"}, "constraints[0]: jac='4-point' is not understood."),
    "lb": (NonlinearConstraint(good, [0, 0, 0], 1), "constraints[0]: lb has shape (3,), but there are 2 values."),
    "ub": (NonlinearConstraint(good, 0, [[1.0, 2.0]]), "constraints[0]: ub has shape (1, 2), but there are 2 values."),
    "nan": (NonlinearConstraint(good, np.nan, 1), "constraints[0]: the limit of value [0] is nan"),
    "crossed": (NonlinearConstraint(good, [0, 2], [1, 1]), "the limit of value [1] cannot be met: 2 <= c <= 1."),
    "word for hess": (NonlinearConstraint(good, 0, 1, hess="garbage"), "hess='garbage' is not understood."),
    "beyond": (NonlinearConstraint(good, np.inf, np.inf), "the limit of value [0] cannot be met: inf <= c <= inf."),
    "text": (NonlinearConstraint(good, "a", 1), "constraints[0]: lb holds a limit that is not a number."),
    "columns": (LinearConstraint(np.ones((1, 2)), 0, 1), "A has shape (1, 2), but there are 3 parameters."),
    "sparse": (LinearConstraint(csr_array(np.ones((1, 4))), 0, 1), "constraints[0]: A has shape (1, 4)"),
    "A": (LinearConstraint([[np.nan, 1, 1]], 0, 1), "constraints[0]: A holds values that are not finite."),
    "hess": (NonlinearConstraint(good, 0, 1, hess=lambda x, v: np.eye(2)), "hess of constraints[0] returned shape (2"),
    "type": ({"type": "equal", "fun": good}, "constraints[0] is of the type 'equal', which there is not."),
    "near type": ({"type": "inq", "fun": good}, "the type 'inq', which there is not. Did you mean ineq?"),
    "no type": ({"fun": good}, "constraints[0] has no 'type'."),
    "no fun": ({"type": "eq"}, "constraints[0] has no 'fun'."),
    "text for fun": ({"type": "eq", "fun": "x[0]"}, "constraints[0] has 'x[0]' for its fun, which is no function."),
    "key": ({"type": "eq", "fun": good, "kwargs": {}}, "constraints[0] is a dict with 'kwargs', which no"),
    "near key": ({"type": "eq", "func": good}, "a dict with 'func', which no constraint has. Did you mean fun?"),
    "function": (good, 'as {"type": "ineq", "fun": f} for values that are to be 0 or more'),
    "number": ([{"type": "eq", "fun": good}, 3], "constraints[1] is not understood: 3."),
}  # fmt: skip


@pytest.mark.parametrize("name", USAGE)
def test_constraint_that_does_not_fit(name):
    constraint, message = USAGE[name]
    with pytest.raises(UsageError) as caught:
        minimize(lambda x: x @ x, START, method="trust-constr", constraints=constraint)
    assert message in str(caught.value) and "To fix this: " in str(caught.value)
    if name in ("type", "near type", "no type", "key", "function", "crossed", "lb"):
        assert "test_refusals.py:" in str(caught.value)


def test_missing_argument_is_shown_with_its_line():
    with pytest.raises(ObjectiveError, match=r"constraints\[0\] raised TypeError: .* 1 required positional") as caught:
        minimize(lambda x: x @ x, START, constraints={"type": "eq", "fun": lambda x, a: x[0] - a})
    assert "test_refusals.py:" in str(caught.value) and "what args of the constraint gives" in str(caught.value)


@pytest.mark.parametrize("method", ["slsqp", "trust-constr"])
def test_mistake_in_the_middle_of_a_run_is_the_users(method):
    def fun(x):
        if x[0] < 0.4:
            raise KeyError("not here")
        return x[0]

    with pytest.raises(ObjectiveError, match=r"constraints\[0\] raised KeyError: 'not here'") as caught:
        minimize(lambda x: x @ x, START, method=method, constraints={"type": "ineq", "fun": fun})
    assert "test_refusals.py:" in str(caught.value) and caught.value.result.nfev > 0


def test_number_of_values_may_not_change():
    def fun(x):
        return x[:2] if x[0] > 0.4 else x

    with pytest.raises(ObjectiveError, match=r"constraints\[0\] returned 3 values, but 2 at x0."):
        minimize(lambda x: x @ x, START, constraints={"type": "ineq", "fun": fun})


def test_constraint_without_values_holds_nothing():
    empty = {"type": "ineq", "fun": lambda x: np.zeros(0)}
    assert minimize(lambda x: np.sum((x - 1) ** 2), START, constraints=empty).x == pytest.approx(np.ones(3))


@pytest.mark.parametrize("method", ["slsqp", "ipopt", "cobyla", "cobyqa"])
def test_keep_feasible_is_not_ignored(method):
    kept = NonlinearConstraint(good, 0, 9, keep_feasible=True)
    with pytest.raises(UsageError, match=r"The method \w+ does not keep constraints\[0\] feasible") as caught:
        minimize(lambda x: x @ x, np.ones(3), method=method, constraints=kept)
    assert 'use method="trust-constr"' in str(caught.value)
    result = minimize(lambda x: x @ x, np.ones(3), method="trust-constr", constraints=kept)
    assert result.success and result.x == pytest.approx(np.zeros(3), abs=1e-4)
