"""Tables of parameters: read, printed, run; transforms are exact to second order and leave the solution where it is."""

import doctest
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import autoopt
from autoopt.errors import UsageError
from autoopt.minimize import minimize
from autoopt.objectives.objective import Objective
from autoopt.solvers import SOLVERS
from autoopt.variables.functions import ChangedObjective
from autoopt.variables.start import Start
from autoopt.variables.table import Parameter, Parameters
from autoopt.variables.transforms import TRANSFORMS

T = np.linspace(0.1, 4.0, 40)
Y = 2.5 * np.exp(-0.7 * T) + 0.3 + 0.05 * np.sin(20 * T)


def decay(p):
    return np.sum((p["height"] * np.exp(-p["rate"] * T) + p["floor"] - Y) ** 2)


def table(**changes):
    rows = {"height": 1.0, "rate": Parameter(1.0, transform="log"), "floor": Parameter(0.5, transform="logit")}
    return Parameters(rows | changes)


# Transforms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("limits", [(0.0, 1.0), (-3.0, 5.0)])
def test_transforms_have_their_derivatives_and_their_inverse(name, limits):
    mpmath = pytest.importorskip("mpmath")
    kind = TRANSFORMS[name]
    low, high = map(np.array, limits)
    formula = {
        "log": lambda w: low.item() + mpmath.exp(w),
        "logit": lambda w: low.item() + (high.item() - low.item()) / (1 + mpmath.exp(-w)),
    }[{"positive": "log", "interval": "logit"}.get(name, name)]
    for w in (-30.0, -2.0, 0.0, 1.5, 6.0):
        for function, order in ((kind.value, 0), (kind.slope, 1), (kind.bend, 2)):
            with mpmath.workdps(40):
                exact = float(mpmath.diff(formula, mpmath.mpf(w), order)) if order else float(formula(mpmath.mpf(w)))
            assert function(np.array(w), low, high) == pytest.approx(exact, rel=1e-13, abs=1e-17)
    w = np.array([-5.0, 0.3, 5.0])
    assert np.allclose(kind.inverse(kind.value(w, low, high), low, high), w, rtol=1e-12)


def test_derivatives_of_the_transformed_are_those_of_the_composition():
    start = Start.of(
        table(height=Parameter(1.0, tied="2 * rate + 0.5"), rate=Parameter(1.0, lower=-1, transform="log"))
    )
    variables = start.variables.scaled(np.array([4.0, 0.5]))
    objective = ChangedObjective(Objective(decay, start.x0), variables)

    def composed(z):
        rate = -1 + np.exp(4.0 * z[0])
        return decay({"height": 2 * rate + 0.5, "rate": rate, "floor": 1 / (1 + np.exp(-0.5 * z[1]))})

    derived = Objective(composed, np.zeros(2))  # traced with the transforms written out
    for z in (variables.variables(start.flat), np.array([0.1, -0.7])):
        assert objective.value(z) == pytest.approx(composed(z))
        assert np.allclose(objective.grad(z), derived.grad(z), rtol=1e-11)
        assert np.allclose(objective.hess(z), derived.hess(z), rtol=1e-10)
        assert np.allclose(objective.hess(z, sparse=True).toarray(), derived.hess(z), rtol=1e-10)
        p = np.array([0.3, -2.0])
        assert np.allclose(objective.hessp(z, p), derived.hess(z) @ p, rtol=1e-10)
        steps = 1e-5 * np.eye(2)
        numerical = [(objective.grad(z + h) - objective.grad(z - h)) / 2e-5 for h in steps]
        assert np.allclose(objective.hess(z), numerical, rtol=1e-6, atol=1e-6)


# dogleg needs Hessians that are positive definite everywhere, cobyla finds no more than half of the digits.
@pytest.mark.parametrize("method", [name for name in SOLVERS if name not in ("dogleg", "cobyla")])
def test_the_solution_is_that_without_transforms(method):
    plain = minimize(decay, {"height": 1.0, "rate": 1.0, "floor": 0.5}, method="newton-cg")
    result = minimize(decay, table(), method=method)
    assert result.success, result.message
    assert np.allclose(result.x_flat, plain.x_flat, rtol=1e-6)
    assert result.params["rate"] == Parameter(result.x["rate"], transform="log")
    assert isinstance(result.x, dict) and list(result.x) == ["height", "rate", "floor"]


def test_arrays_and_ties_and_what_is_held():
    def f(p):
        return np.sum((p["s"] - [1.0, 2.0]) ** 2) + (p["b"] - 3.0 * p["s"][0]) ** 2 + p["c"] ** 2 * p["s"][1]

    rows = {"s": Parameter(np.array([0.5, 0.5]), transform="log"), "b": Parameter(1.0, tied="s[1] + 1"), "c": 2.0}
    result = minimize(f, Parameters(rows), fixed=["c"], method="trust-exact")
    assert result.success and result.x["b"] == result.x["s"][1] + 1 and result.x["c"] == 2.0
    # (s - 1)^2 + (t - 2)^2 + (t + 1 - 3 s)^2 + 4 t: 20 s - 6 t = 8, 4 t - 6 s = -2
    assert np.allclose(result.x["s"], np.linalg.solve([[20.0, -6.0], [-6.0, 4.0]], [8.0, -2.0]))


def test_methods_without_bounds_take_a_table_whose_limits_are_those_of_transforms():
    rows = {"rate": Parameter(1.0, transform="log"), "floor": Parameter(0.5, 0.0, 2.0, transform="logit")}
    assert minimize(decay, table(**rows), method="bfgs").success
    with pytest.raises(UsageError, match="takes no bounds"):
        minimize(decay, table(height=Parameter(1.0, lower=0.0)), method="bfgs")


def test_limits_beside_transforms_are_met():
    result = minimize(decay, table(rate=Parameter(0.3, upper=0.5, transform="log")))
    assert result.success and result.x["rate"] == pytest.approx(0.5, rel=1e-15)


def test_what_goes_to_a_limit_that_it_cannot_reach_is_no_success():
    def f(p):
        return (p["a"] + 1.0) ** 2 + (p["b"] - 2.0) ** 2

    result = minimize(f, Parameters(a=Parameter(1.0, transform="log"), b=0.0))
    assert not result.success and "a goes to its limit 0" in result.message
    above = minimize(lambda p: (p["a"] - 3.0) ** 2, Parameters(a=Parameter(0.5, transform="logit")))
    assert not above.success and "a goes to its limit 1" in above.message
    reached = minimize(f, Parameters(a=Parameter(1.0, lower=0.0), b=0.0))
    assert reached.success and reached.x["a"] == 0.0


def test_a_minimum_near_a_limit_is_one():
    result = minimize(lambda p: (np.log(p["a"]) - np.log(1e-12)) ** 2, Parameters(a=Parameter(1.0, transform="log")))
    assert result.success and result.x["a"] == pytest.approx(1e-12)


# Tables ---------------------------------------------------------------------------------------------------------------


def test_table_prints_itself():
    rows = table(
        slope=Parameter(np.array([1.0, -2.5]), fixed=np.array([False, True])), tied=Parameter(0.0, tied="2 * rate")
    )
    rows.add("phase", 0.25, lower=-1, upper=np.pi)
    assert repr(rows).splitlines() == [
        "name      value  lower    upper  kind        transform",
        "height        1   -inf      inf  free",
        "rate          1      0      inf  free        log",
        "floor       0.5      0        1  free        logit",
        "slope[0]      1   -inf      inf  free",
        "slope[1]   -2.5   -inf      inf  fixed",
        "tied          0   -inf      inf  = 2 * rate",
        "phase      0.25     -1  3.14159  free",
    ]
    assert "std. error" in repr(rows.at(rows.plain(), rows.plain()))
    assert (
        repr(Parameters(a=np.zeros(100))).splitlines()[-1] == "... and 40 more" and repr(Parameters()) == "Parameters()"
    )


@dataclass
class Row:
    """As lmfit's Parameter is."""

    value: float
    min: float = -np.inf
    max: float = np.inf
    vary: bool = True
    expr: str | None = None


def test_tables_of_lmfits_form_are_taken():
    theirs = {"height": Row(1.0, min=0.0), "rate": Row(0.5, vary=False), "floor": Row(9.0, expr="height / 4 - 0.1")}
    result = minimize(decay, theirs)
    assert result.success and result.x["rate"] == 0.5
    assert result.x["floor"] == pytest.approx(result.x["height"] / 4 - 0.1)
    assert result.params["height"].lower == 0.0 and result.params["floor"].tied == "height / 4 - 0.1"
    with pytest.raises(UsageError, match="'height \\*\\* 2' is no straight line"):
        minimize(decay, theirs | {"floor": Row(1.0, expr="height ** 2")})


def test_lmfits_own_table_is_taken():
    lmfit = pytest.importorskip("lmfit")
    theirs = lmfit.create_params(height={"value": 1.0, "min": 0}, rate=1.0, floor={"value": 0.1, "vary": False})
    result = minimize(decay, theirs)
    assert result.success and result.x["floor"] == 0.1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Parameters(a=Parameter(1.0, transform="Log")), "has the transform 'Log'. Did you mean log or"),
        (lambda: Parameters(a=Parameter(1.0, tied="b", fixed=True)), "a is tied, and fixed, too"),
        (lambda: Parameters(a=Parameter(1.0, tied=2.0)), "a is tied to 2.0"),
        (lambda: Parameters(a=Parameter(1.0, lower="low")), "a limit of a is 'low'"),
        (lambda: Parameters(a=Parameter(1.0, upper=[1.0, 2.0])), "a limit of a is"),
        (lambda: Parameters(a=Parameter(1.0, fixed="yes")), "a has fixed='yes'"),
        (lambda: Parameters(a="one"), "x0 holds entries"),
        (lambda: Parameters(a=np.nan), "a: holds nan"),
        (lambda: Parameters(a=None), "a: None"),
        (lambda: Parameter(-1.0, lower=0), "the value -1.0, outside of its limits 0.0 and inf"),
        (lambda: Parameter(np.array([0.5, 3.0]), upper=np.array([1.0, 2.0])), "outside of its limits"),
        (lambda: Parameter(1.0, lower=2.0, upper=0.0), "lower limit 2.0 above its upper one, 0.0"),
        (lambda: Parameters([("a", 1.0)]), "list is no table"),
        (lambda: Parameters({"a": 1.0}, a=2.0), "a is given twice"),
        (lambda: Parameters({1: 2.0}), "1 is no name"),
        (lambda: Start.of(Parameters(a=Parameter(0.0, transform="log"))), "a starts at 0, which is not inside"),
        (lambda: Start.of(Parameters(a=Parameter(1.0, transform="logit"))), "a starts at 1, which is not inside"),
        (lambda: Start.of(Parameters(a=Parameter(1.0, upper=np.inf, transform="logit"))), "no finite limit"),
        (lambda: Start.of(Parameters(a=1.0), bounds=[(0, 1)]), "There are bounds beside a table"),
        (lambda: Start.of(Parameters(a=Parameter(1.0, transform="log"), b=1.0), None, {"a": "b"}), "tied and has a tr"),
    ],
)
def test_what_is_wrong_in_a_table_is_said(make, message):
    with pytest.raises(UsageError) as caught:
        make()
    assert message in str(caught.value)


def test_what_is_held_needs_no_room_for_its_transform():
    result = minimize(decay, table(floor=Parameter(0.0, fixed=True, transform="logit")))
    assert result.success and result.x["floor"] == 0.0


def test_scale_and_callback_see_plain_values():
    seen = []
    result = minimize(decay, table(), scale="auto", callback=lambda p: seen.append(p), method="l-bfgs-b")
    assert result.success and all(set(p) == {"height", "rate", "floor"} and p["rate"] > 0 for p in seen)
    assert autoopt.Parameters is Parameters


def test_examples_of_the_page_are_what_comes_out():
    page = Path(__file__).parents[2] / "docs" / "parameters.rst"
    found = doctest.testfile(str(page), module_relative=False)
    assert found.attempted > 15 and found.failed == 0


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Parameter(1, lower=2), "A Parameter has the value 1"),
        (lambda: Parameters().add("rate", 1, lower=2), "Parameter 'rate' has the value 1"),
        (lambda: Parameters().add("rate", 1, lower=2, upper=0), "Parameter 'rate' has the lower limit 2"),
    ],
)
def test_a_row_that_is_refused_is_named_or_shown_by_its_line(make, said):
    with pytest.raises(UsageError) as told:
        make()
    assert said in str(told.value) and "test_parameter_tables.py:" in str(told.value)


@pytest.mark.parametrize(
    ("value", "said"),
    [(np.nan, "the value of b is nan."), ([1.0, 2.0, 3.0], "the value of b has 3 entries, but b has 2.")],
)
def test_what_cannot_be_held_is_said_once(value, said):
    with pytest.raises(UsageError, match="fixed: " + said):
        autoopt.minimize(lambda p: p["a"] ** 2 + p["b"] @ p["b"], {"a": 1.0, "b": np.ones(2)}, fixed={"b": value})
