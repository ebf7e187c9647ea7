"""Systems of equations: SciPy's methods with Jacobians by hand, closed forms, and what is no root."""

import numpy as np
import pytest
from chained_systems import CHAINED
from more_functions import MORE
from scipy import optimize, sparse

import autoopt
from autoopt.errors import ObjectiveError, UsageError, VerificationError
from autoopt.optimize.roots import FINDERS


def powell(x):
    """Of SciPy's documentation; its root has a closed form by one cubic equation."""
    return np.array([x[0] + 0.5 * (x[0] - x[1]) ** 3 - 1.0, 0.5 * (x[1] - x[0]) ** 3 + x[1]])


def powell_jac(x):
    d = 1.5 * (x[0] - x[1]) ** 2
    return np.array([[1 + d, -d], [-d, 1 + d]])


# With s = x0 + x1 = 1 and d = x0 - x1: d + d^3 = 1.
D = np.real(np.roots([1.0, 0.0, 1.0, -1.0])[np.argmin(np.abs(np.imag(np.roots([1.0, 0.0, 1.0, -1.0]))))])
POWELL = np.array([(1 + D) / 2, (1 - D) / 2])


@pytest.mark.parametrize("method", [None, *FINDERS])
def test_every_method_ends_at_all_digits(method):
    result = autoopt.root(powell, [0.0, 0.0], method=method)
    assert result.success, result.message
    assert np.allclose(result.x, POWELL, rtol=1e-14)
    assert np.allclose(result.jac, powell_jac(POWELL), rtol=1e-12)
    assert result.method == (method or "hybr") and result.nfev > 0 and result.verification.passed


@pytest.mark.parametrize("method", ["hybr", "lm"])
def test_the_way_is_that_of_scipy_with_the_jacobian_by_hand(method):
    ours = autoopt.root(powell, [0.0, 0.0], method=method)
    theirs = optimize.root(powell, [0.0, 0.0], method=method, jac=powell_jac)
    assert np.allclose(ours.x, theirs.x, rtol=1e-7)
    assert np.allclose(ours.fjac, theirs.fjac, rtol=1e-8)
    assert ours.nfev <= theirs.nfev + 8  # what the verdict asks


def test_jacobian_of_the_user_in_scipys_forms():
    for given in ({"jac": powell_jac}, {"jac": "2-point"}, {"jac": False}):
        assert np.allclose(autoopt.root(powell, [0.0, 0.0], **given).x, POWELL, rtol=1e-12)
    both = autoopt.root(lambda x: (powell(x), powell_jac(x)), [0.0, 0.0], jac=True)
    assert both.success and np.allclose(both.x, POWELL, rtol=1e-14)


def test_wrong_jacobian_of_the_user_is_told():
    with pytest.raises(VerificationError, match="Jacobian of fun that jac gives is wrong"):
        autoopt.root(powell, [0.3, 0.1], jac=lambda x: 1.01 * powell_jac(x))


def test_structure_scalars_and_data():
    result = autoopt.root(lambda p, c: [p["a"] ** 2 - c, p["b"] - p["a"]], {"a": 1.0, "b": 0.0}, args=4.0)
    assert result.success and result.x == {"a": pytest.approx(2.0), "b": pytest.approx(2.0)}
    assert autoopt.root(lambda x: x**3 - 8.0, 1.0).x == pytest.approx(2.0, rel=1e-14)


def test_callback_sees_the_structure():
    seen = []
    autoopt.root(lambda p: [p["a"] ** 2 - 4.0], {"a": 1.0}, method="krylov", callback=lambda x, f: seen.append(x["a"]))
    assert len(seen) > 1


# Large systems --------------------------------------------------------------------------------------------------------


def bratu(u):
    """u'' + exp(u) = 0, u = 0 at both ends."""
    h = 1.0 / (u.size + 1)
    wide = np.concatenate([np.zeros(1), u, np.zeros(1)])
    return (wide[2:] - 2 * wide[1:-1] + wide[:-2]) / h**2 + np.exp(u)


def test_sparse_jacobian_is_kept_sparse():
    n = 3000
    result = autoopt.root(bratu, np.zeros(n))
    assert result.success and result.method == "newton" and sparse.issparse(result.jac)
    theta = optimize.brentq(lambda t: t - np.sqrt(2.0) * np.cosh(t / 4), 0.5, 3.0)  # the lower branch, Bratu (1914)
    t = np.arange(1, n + 1) / (n + 1)
    exact = -2 * np.log(np.cosh((t - 0.5) * theta / 2) / np.cosh(theta / 4))
    assert np.allclose(result.x, exact, atol=1e-6)


@pytest.mark.slow
def test_large_dense_system_on_a_grid():
    """Of SciPy's documentation, with its values as a matrix, by products alone."""
    n = 40
    h = 1.0 / (n - 1)

    def residual(p):
        wide = np.pad(p, 1)
        wide[:, -1] = 1.0
        flat = (wide[2:, 1:-1] + wide[:-2, 1:-1] + wide[1:-1, 2:] + wide[1:-1, :-2] - 4 * p) / h**2
        return flat - 10 * np.mean(np.cosh(p)) ** 2

    result = autoopt.root(residual, np.zeros((n, n)), method="krylov")
    assert result.verification.passed and result.timings["verify"] < 2 * result.timings["compile"]
    assert result.success and result.x.shape == (n, n)
    assert np.max(np.abs(residual(result.x))) < 1e-8


# What is no root ------------------------------------------------------------------------------------------------------

NO_ROOTS = {
    "above zero": (lambda x: x**2 + 1.0, [0.7], "local minimum of the norm"),
    "just above zero": (lambda x: x**2 + 1e-13, [1.0], "local minimum of the norm"),
    "somewhat above zero": (lambda x: x**2 + 1e-3, [1.0], "local minimum of the norm"),
    "parallel lines": (lambda x: np.array([x[0] + x[1] - 1, 2 * x[0] + 2 * x[1] - 3]), [3.0, 1.0], "local minimum"),
    "at infinity": (lambda x: np.exp(-x), [1.0], "at infinity"),
    "Freudenstein and Roth": (
        lambda x: np.array([-13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1], -29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1]]),
        [15.0, -2.0],
        "local minimum of the norm",
    ),
}


@pytest.mark.parametrize("name", NO_ROOTS)
@pytest.mark.parametrize("method", [None, "hybr", "lm", "newton", "krylov", "broyden1"])
def test_what_is_no_root_is_told(name, method):
    f, x0, message = NO_ROOTS[name]
    result = autoopt.root(f, x0, method=method)
    if name == "Freudenstein and Roth" and result.success:  # a method that has gone on to the root at (5, 4)
        assert np.allclose(result.x, [5.0, 4.0])
        return
    assert not result.success, result.message
    if method in (None, "newton"):
        assert message in result.message


ROOTS = {
    "double": (lambda x: (x - 1) ** 2, [3.0], [1.0], 1e-6),
    "double, rounded": (lambda x: x**2 - 2 * x + 1, [3.0], [1.0], 1e-6),
    "triple": (lambda x: x**3, [1.0], [0.0], 1e-6),
    "tiny values": (lambda x: 1e-20 * (x**3 - 2), [1.0], [2 ** (1 / 3)], 1e-14),
    "tiny parameters": (lambda x: 1e10 * x - 1, [0.0], [1e-10], 1e-24),
    "slopes that fall": (lambda x: np.exp(x) - 1e-3, [20.0], [np.log(1e-3)], 1e-13),
    "undefined on the way": (lambda x: np.log(x) + 5, [10.0], [np.exp(-5)], 1e-15),
    "at zero": (lambda x: np.cos(x) - 1 + x, [0.1], [0.0], 1e-15),
    "a line of roots": (lambda x: np.array([x[0] + x[1] - 1, 2 * x[0] + 2 * x[1] - 2]), [3.0, 1.0], None, 0.0),
}


@pytest.mark.parametrize("name", ROOTS)
@pytest.mark.parametrize("method", [None, "lm", "newton"])
def test_roots_are_found_in_any_units(name, method):
    f, x0, expected, error = ROOTS[name]
    result = autoopt.root(f, x0, method=method)
    assert result.success, result.message
    if expected is None:
        assert result.x.sum() == pytest.approx(1.0)
    else:
        assert np.max(np.abs(result.x - expected)) <= error


def test_multiple_root_is_named():
    assert "multiple root" in autoopt.root(lambda x: x**4, [1.0], method="newton").message


def test_more_values_than_parameters():
    consistent = autoopt.root(lambda x: [x[0] ** 2 - 4, x[0] - 2, x[0] ** 3 - 8], [1.0])
    assert consistent.success and consistent.x[0] == pytest.approx(2.0, rel=1e-12)
    assert not autoopt.root(lambda x: [x[0] ** 2 - 4, x[0] - 3], [1.0]).success


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"method": "hybrid"}, "There is no method 'hybrid'"),
        ({"options": {"xtoll": 1e-3}}, "has no option 'xtoll'"),
        ({"callback": print}, "hybr takes no callback"),
        ({"method": "newton", "tol": 1e-3}, "has no tolerance"),
        ({"jac": "4-point"}, "jac='4-point' is not understood"),
        ({"verify": "end"}, "verify='end' is not understood"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(given, message):
    with pytest.raises(UsageError, match=message):
        autoopt.root(powell, [0.0, 0.0], **given)


def test_fewer_values_than_parameters_are_refused():
    with pytest.raises(UsageError, match="fun returned 1 values, but there are 2 parameters"):
        autoopt.root(lambda x: x[0] + x[1], [1.0, 2.0])


def test_values_that_are_not_finite_at_the_start():
    with pytest.raises(ObjectiveError, match="fun is nan at x0"), np.errstate(all="ignore"):
        autoopt.root(lambda x: np.log(x), [-1.0])


# Systems of the literature --------------------------------------------------------------------------------------------


def square(name):
    """Return the residuals and the start, if there are as many values as parameters."""
    f, x0 = {**MORE, **CHAINED}[name][:2]
    try:
        return (f, x0) if np.size(f(np.asarray(x0, dtype=float))) == np.size(x0) else None
    except TypeError:  # it takes data
        return None


SQUARE = [name for name in {**MORE, **CHAINED} if square(name) is not None]
WITHOUT = {"freudenstein_roth", "chebyquad"}
"""From their printed starts methods come to a local minimum of the norm, or there is no root (Chebyquad of 8)."""


@pytest.mark.parametrize("method", [None, "hybr", "lm", "newton", "krylov"])
@pytest.mark.parametrize("name", SQUARE)
def test_verdict_on_systems_of_the_literature_is_right(name, method):
    f, x0 = square(name)
    with np.errstate(all="ignore"):
        result = autoopt.root(f, x0, method=method)
        assert result.success == bool(np.max(np.abs(f(result.x))) < 1e-12), result.message
    if method is None:
        assert result.success == (name not in WITHOUT), result.message


def test_there_are_enough_systems():
    assert len(SQUARE) >= 16


@pytest.mark.parametrize("method", ["hybr", "lm"])
@pytest.mark.parametrize(
    "f", [lambda x: 1 / x, lambda x: 1 / (1 + x * x), lambda x: np.log1p(1 / x)], ids=["1/x", "bell", "log"]
)
def test_values_that_vanish_at_infinity_alone_have_no_root(f, method):
    result = autoopt.root(f, 1.0, method=method)
    assert not result.success and "at infinity alone" in result.message


def test_method_without_a_status_is_no_error():
    assert not autoopt.root(lambda x: x**2 + 1e-3, [1.0], method="df-sane").success
