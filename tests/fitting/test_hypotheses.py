"""Tests of hypotheses and the delta method, against statsmodels and closed forms."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import autoopt
from autoopt.errors import InferenceError, ObjectiveError, UsageError
from autoopt.fitting.hypotheses import different_data
from autoopt.inference.equations import equations

SPECTOR = sm.datasets.spector.load_pandas()
NAMES = ["const", "GPA", "TUCE", "PSI"]
X = SPECTOR.exog.assign(const=1.0)[NAMES].to_numpy(float)
Y = SPECTOR.endog.to_numpy(float)


def logit(b, X, y):
    eta = X @ b
    return np.sum(np.logaddexp(0, eta)) - y @ eta


def residuals(b, X, y):
    return y - X @ b


def fitted(objective=logit, kind="negative log-likelihood", **options):
    return autoopt.fit(objective, np.zeros(4), (X, Y), kind=kind, names=NAMES, **options)


@pytest.fixture(scope="module")
def full():
    return fitted()


@pytest.fixture(scope="module")
def smaller():
    return fitted(fixed={"TUCE": 0.0, "PSI": 0.0})


@pytest.fixture(scope="module")
def squares():
    return fitted(residuals, "least squares")


@pytest.fixture(scope="module")
def smaller_squares():
    return fitted(residuals, "least squares", fixed={"TUCE": 0.0})


def test_likelihood_ratio(full, smaller):
    theirs = sm.Logit(Y, X).fit(disp=0), sm.Logit(Y, X[:, :2]).fit(disp=0)
    test = full.lr_test(smaller)
    assert test.statistic == pytest.approx(2 * (theirs[0].llf - theirs[1].llf), rel=1e-8) and test.df == 2
    assert test == smaller.lr_test(full)
    assert str(test) == "likelihood-ratio test of TUCE, PSI as fixed: chi2(2) = 6.6385, p = 0.0362"


def test_likelihood_ratio_of_least_squares(squares, smaller_squares):
    statistic, pvalue, df = sm.OLS(Y, X).fit().compare_lr_test(sm.OLS(Y, X[:, [0, 1, 3]]).fit())
    test = squares.lr_test(smaller_squares)
    np.testing.assert_allclose([test.statistic, test.pvalue, test.df], [statistic, pvalue, df], rtol=1e-8)


@pytest.mark.parametrize("robust", [False, True])
def test_wald(full, robust):
    theirs = sm.Logit(Y, SPECTOR.exog.assign(const=1.0)[NAMES]).fit(
        disp=0, tol=1e-14, cov_type="HC0" if robust else "nonrobust"
    )
    expected = theirs.wald_test("TUCE = 0, PSI = 2", scalar=True)
    test = (fitted(covariance="robust") if robust else full).wald_test("TUCE = 0, PSI = 2")
    np.testing.assert_allclose([test.statistic, test.pvalue], [expected.statistic, expected.pvalue], rtol=1e-8)


def test_wald_of_least_squares_is_f(squares):
    matrix = np.array([[0, 1, 0, -2.0], [0, 0, 1, 0]])
    expected = sm.OLS(Y, X).fit().f_test((matrix, [0.1, 0.0]))
    for test in (squares.wald_test("GPA - 2*PSI = 0.1, TUCE = 0"), squares.wald_test(matrix, [0.1, 0.0])):
        np.testing.assert_allclose([test.statistic, test.pvalue], [expected.fvalue, expected.pvalue], rtol=1e-8)
        assert (test.df, test.df_denom) == (2, 28)


def test_one_equation_is_the_square_of_its_ratio(full):
    assert full.wald_test("GPA").statistic == pytest.approx(full.tvalues[1] ** 2)


def test_scores(smaller):
    theirs = sm.GLM(Y, X[:, :2], sm.families.Binomial()).fit(tol=1e-14).score_test(exog_extra=X[:, 2:])
    test = smaller.score_test()
    np.testing.assert_allclose([test.statistic, test.pvalue], np.ravel(theirs[:2]), rtol=1e-7)
    assert test.df == 2


def test_scores_of_least_squares(smaller_squares):
    theirs = sm.OLS(Y, X).fit().compare_lm_test(sm.OLS(Y, X[:, [0, 1, 3]]).fit())
    test = smaller_squares.score_test()
    np.testing.assert_allclose([test.statistic, test.pvalue, test.df], theirs, rtol=1e-7)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda full, small: full.lr_test(full), "estimate 4 parameters"),
        (lambda full, small: full.lr_test(fitted(residuals, "least squares", fixed=["PSI"])), "other kinds"),
        (lambda full, small: full.lr_test(autoopt.fit(logit, np.zeros(4), (X, Y))), "has no likelihood"),
        (
            lambda full, small: full.lr_test(autoopt.fit(logit, np.zeros(3), (X[1:, :3], Y[1:]), kind=full.kind)),
            "32 and 31 observations",
        ),
        (
            lambda full, small: full.lr_test(autoopt.fit(logit, np.zeros(3), (X[:, :3], 1 - Y), kind=full.kind)),
            "different responses, or of different rows",
        ),
        (lambda full, small: full.lr_test(fitted(options={"maxiter": 1}, fixed=["PSI"])), "is not the largest"),
        (
            lambda full, small: small.lr_test(autoopt.fit(logit, np.zeros(3), (X[:, :3] * 0 + 1, Y), kind=full.kind)),
            "larger than that of the model",
        ),
        (lambda full, small: full.score_test(), "holds no parameter"),
        (lambda full, small: full.wald_test("TUCEE = 0"), "'TUCEE', which is no parameter. Did you mean TUCE"),
        (lambda full, small: full.wald_test("GPA * PSI = 1"), "is not understood"),
        (lambda full, small: full.wald_test("1 = 1"), "about no parameter"),
        (lambda full, small: full.wald_test("GPA = PSI, 2*GPA = 2*PSI"), "follow from others"),
        (lambda full, small: small.wald_test("PSI = 0"), "that are fixed"),
        (lambda full, small: full.wald_test(np.eye(3)), "shape .3, 3., for 4 parameters"),
        (lambda full, small: full.delta(lambda b: b, names=["a"]), "1 names, and the function returns 4"),
        (lambda full, small: full.delta(lambda b: {"a": b[0]}), "returned a dict"),
    ],
)
def test_what_cannot_be_tested_is_said(full, smaller, call, said):
    with pytest.raises((UsageError, InferenceError, ObjectiveError), match=said):
        call(full, smaller)


@pytest.mark.parametrize(
    ("text", "matrix", "values"),
    [
        ("a = b = c", [[1, -1, 0, 0], [0, 1, -1, 0]], [0, 0]),
        ("2 * (a - 3) / 4 == -b", [[0.5, 1, 0, 0]], [1.5]),
        ("x[0, 1] = a, log sd = 2", [[-1, 0, 0, 0], [0, 0, 0, 0]], [0, 2]),
    ],
)
def test_equations_by_names(text, matrix, values):
    names = ["a", "b", "c", "d"] if "x" not in text else ["a", "b", "x[0, 1]", "log sd"]
    found, right, _ = equations(text, names)
    if "x" in text:
        matrix = [[-1, 0, 1, 0], [0, 0, 0, 1]]
    np.testing.assert_allclose(found, matrix)
    np.testing.assert_allclose(right, values)


def counts(b, X, grade, psi):
    eta = X @ b[:2] + b[2] * grade
    return np.sum(np.exp(eta) - psi * eta)


def grades(b, X, psi, grade):
    return logit(b, np.column_stack([X, psi]), grade)


@pytest.mark.parametrize("target", ["psi", "grade"])
def test_target_of_one_fit_is_not_taken_for_a_column_of_the_other(target):
    """The grade explains in one what it is the response of in the other; beside the same response nothing is said."""
    data = pd.DataFrame({"const": X[:, 0], "gpa": X[:, 1], "grade": Y, "psi": X[:, 3]})
    kind = "negative log-likelihood"
    one = autoopt.fit(counts, np.zeros(3), data, target="psi", kind=kind)
    other = autoopt.fit(counts if target == "psi" else grades, np.zeros(3), data, target=target, kind=kind)
    assert different_data(one, other) == ("" if target == "psi" else "different responses, or of different rows")


def test_equations_by_the_names_of_formulas():
    names = ["Intercept", "C(region)[T.south]", "np.log(x)", "x"]
    found, right, _ = equations("C(region)[T.south] - 2*np.log(x) = 1, x = Intercept", names)
    np.testing.assert_array_equal(found, [[0, 1, -2, 0], [-1, 0, 0, 1]])
    np.testing.assert_array_equal(right, [1, 0])


def test_delta_of_a_ratio(full):
    a, b = full.params[1], full.params[3]
    slope = np.array([0, 1 / b, 0, -a / b**2])
    found = full.delta(lambda p: p[1] / p[3], names=["ratio"])
    np.testing.assert_allclose(found.params, [a / b], rtol=1e-14)
    np.testing.assert_allclose(found.bse, [np.sqrt(slope @ full.covariance @ slope)], rtol=1e-12)
    assert "ratio " in str(found) and "P>|z|" in str(found)


def test_delta_in_the_structure_of_the_start_with_fixed_parameters():
    def objective(p, X, y):
        return y - p["a"] - X @ p["b"]

    start = {"a": 0.0, "b": np.zeros(3)}
    found = autoopt.fit(objective, start, (X[:, 1:], Y), kind="least squares", fixed={"b[2]": 0.4}, level=0.9)
    mean = X[:, 1:].mean(0)
    derived = found.delta(lambda p: p["a"] + mean @ p["b"])
    slope = np.r_[1.0, mean[:2], 0.0]
    variance = slope @ np.nan_to_num(found.covariance) @ slope
    np.testing.assert_allclose(derived.bse, [np.sqrt(variance)], rtol=1e-12)
    from scipy.stats import t

    np.testing.assert_allclose(derived.conf_int(), [t.interval(0.9, 29, derived.params[0], derived.bse[0])], rtol=1e-10)
