"""Many small constraints are one function: few traces and compilations, and to the user what each is by itself."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, NonlinearConstraint

from autoopt import minimize
from autoopt.constraints import forms
from autoopt.constraints.forms import read
from autoopt.errors import ObjectiveError, UsageError
from autoopt.solvers import SOLVERS

METHODS = [name for name, row in SOLVERS.items() if "constraints" in row.takes]
X0 = np.linspace(0.5, 1.5, 6)


def distance(x):
    return np.sum((x - 3.0) ** 2)


def of_kinds(n):
    """Return n constraints: equalities, inequalities, vectors, data, limits on both sides, a matrix among them."""
    given = []
    for i in range(n):
        given += [
            {"type": "ineq", "fun": lambda x, i=i: 3.0 - x[i % 6] ** 2 - 0.1 * x[(i + 1) % 6] * i / n},
            NonlinearConstraint(lambda x, i=i: np.exp(0.1 * x[i % 6]) * x[(i + 2) % 6], -np.inf, 2.5 + i / n),
            {"type": "ineq", "fun": lambda x, a: a - x[:3] * x[3:], "args": (np.array([2.0, 2.5, 3.0]),)},
        ]
    middle = [LinearConstraint(np.ones((1, 6)), -np.inf, 8.0), {"type": "eq", "fun": lambda x: x[0] - x[1] ** 2}]
    return [*given, *middle, *given[:6]]


@pytest.fixture
def apart(monkeypatch):
    def switch():
        monkeypatch.setattr(forms, "MANY", 10**9)

    return switch


@pytest.mark.slow_for("cobyla")
@pytest.mark.parametrize("method", METHODS)
def test_result_is_that_of_each_by_itself(method, apart):
    together = minimize(distance, X0, method=method, constraints=of_kinds(3))
    apart()
    by_themselves = minimize(distance, X0, method=method, constraints=of_kinds(3))
    assert together.success and by_themselves.success
    np.testing.assert_allclose(together.x, by_themselves.x, rtol=1e-7)
    assert [len(one) for one in together.multipliers] == [len(one) for one in by_themselves.multipliers]
    assert together.multiplier_names == by_themselves.multiplier_names


@pytest.mark.slow
def test_values_and_derivatives_are_those_of_each_by_itself(apart):
    x, v_of = X0 * 1.1, np.random.default_rng(1)
    together = read(of_kinds(3), X0)
    apart()
    by_themselves = read(of_kinds(3), X0)
    assert len(together) < len(by_themselves) == 17
    for ask in ("value", "slopes"):
        parts = [np.concatenate([getattr(one, ask)(x) for one in all_of]) for all_of in (together, by_themselves)]
        np.testing.assert_allclose(*parts, rtol=1e-13)
    v, hessians = v_of.normal(size=sum(one.count for one in together)), []
    for all_of in (together, by_themselves):
        ends = np.cumsum([one.count for one in all_of])[:-1]
        parts = zip(all_of, np.split(v, ends), strict=True)
        hessians.append(sum(one.function.hessian(x, part) for one, part in parts))
    np.testing.assert_allclose(*hessians, rtol=1e-12, atol=1e-14)


def test_hundred_constraints_are_traced_together(monkeypatch):
    from autoopt.constraints import function

    made = []
    own = function.objective_of
    monkeypatch.setattr(function, "objective_of", lambda *given, **more: made.append(given) or own(*given, **more))
    given = [{"type": "ineq", "fun": lambda x, i=i: 10.0 + 0.1 * i - x[i % 6] ** 2} for i in range(100)]
    result = minimize(distance, X0, constraints=given)
    assert result.success and result.fun == pytest.approx(0.0, abs=1e-12)
    assert len(made) == 1
    assert result.multiplier_names == [[f"constraints[{i}]"] for i in range(100)]


def test_multipliers_are_in_the_order_given():
    given = [{"type": "ineq", "fun": lambda x, i=i: (i + 1.0) * (1.0 + i - x[i])} for i in range(6)]
    result = minimize(distance, np.zeros(6), constraints=given)
    # By hand: x = min(1 + i, 3), and 2 (x - 3) = -(i + 1) m where the limit holds.
    np.testing.assert_allclose(np.concatenate(result.multipliers), [4.0, 1.0, 0, 0, 0, 0], atol=1e-8)


def test_branches_are_followed_by_each(apart):
    def limit(i):
        return lambda x: 2.0 - x[i] if x[i] > 1.0 else 3.0 - 2 * x[i]

    given = [{"type": "ineq", "fun": limit(i)} for i in range(6)]
    assert len(read(given, X0)) == 6
    result = minimize(distance, X0, constraints=given)
    np.testing.assert_allclose(result.x, 2.0, rtol=1e-8)


def nothing(x):
    return None


def misspelt(x):
    return x[0] - undefined_name  # noqa: F821


REFUSED = {
    "None": ({"type": "ineq", "fun": nothing}, ObjectiveError, "constraints[4] returned nothing"),
    "NameError": ({"type": "ineq", "fun": misspelt}, ObjectiveError, "constraints[4] raised NameError"),
    "nan": ({"type": "ineq", "fun": lambda x: np.log(x[0] - 10.0)}, ObjectiveError, "constraints[4] is nan at x0"),
    "constant": ({"type": "ineq", "fun": lambda x: 1.0}, ObjectiveError, "constraints[4] does not depend"),
    "kind": ({"type": "inq", "fun": lambda x: x[0]}, UsageError, "constraints[4]"),
    "limits": (
        NonlinearConstraint(lambda x: x[:2], [0, 1], [2, 0]),
        UsageError,
        "constraints[4]: the limit of value [1]",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_one_that_is_refused_is_named_among_many(name):
    wrong, kind, said = REFUSED[name]
    given = [{"type": "ineq", "fun": lambda x, i=i: 10.0 - x[i] ** 2} for i in range(6)]
    with np.errstate(all="ignore"), pytest.raises(kind) as raised:
        read([*given[:4], wrong, *given[4:]], X0)
    assert said in str(raised.value)


def test_those_that_exclude_each_other_are_named_among_many():
    given = [{"type": "ineq", "fun": lambda x, i=i: 100.0 - x[i] ** 2} for i in range(5)]
    wrong = [{"type": "ineq", "fun": lambda x: x[0] + x[1] - 4}, {"type": "ineq", "fun": lambda x: 3 - x[0] - x[1]}]
    result = minimize(distance, X0, constraints=[*given, *wrong])
    assert not result.success
    assert "constraints[5], constraints[6] contradict each other" in result.message


@pytest.mark.parametrize("method", METHODS)
def test_one_that_is_not_a_number_on_the_way_is_named_among_many(method):
    given = [{"type": "ineq", "fun": lambda x, i=i: 10.0 - x[i] ** 2} for i in range(5)]
    edge = {"type": "ineq", "fun": lambda x: np.sqrt(2.0 - x[5]) + 1}
    result = minimize(distance, X0, method=method, constraints=[*given, edge])
    assert not result.success and "constraints[5] was nan" in result.message
    assert "Not verified" not in result.message
