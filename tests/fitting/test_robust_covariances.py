"""Covariances of every convention against statsmodels, on the data that it ships."""

import numpy as np
import pytest
import statsmodels.api as sm

import autoopt
from autoopt.errors import InferenceError, TracingError, UsageError
from autoopt.inference import COVARIANCES
from autoopt.inference.covariances import Evidence

SPECTOR = sm.datasets.spector.load_pandas()
X = sm.add_constant(SPECTOR.exog.to_numpy(float))
Y = SPECTOR.endog.to_numpy(float)
GROUPS = np.arange(len(Y)) // 4


def logit_terms(b, X, y):
    eta = X @ b
    return np.logaddexp(0, eta) - y * eta


def logit_sum(b, X, y):
    return np.sum(logit_terms(b, X, y))


def logit_loop(b, X, y):
    total = 0.0
    for row, label in zip(X, y, strict=True):
        eta = row @ b
        total += np.logaddexp(0, eta) - label * eta
    return total


def residuals(b, X, y):
    return y - X @ b


def errors(covariance):
    return np.sqrt(np.diag(covariance))


@pytest.fixture(scope="module")
def logit():
    return autoopt.fit(logit_terms, np.zeros(4), (X, Y), kind="negative log-likelihood")


@pytest.fixture(scope="module")
def squares():
    return autoopt.fit(residuals, np.zeros(4), (X, Y), kind="least squares")


@pytest.mark.parametrize(
    ("kind", "theirs"),
    [
        ("observed", {}),
        ("robust", {"cov_type": "HC0"}),
        ("cluster", {"cov_type": "cluster", "cov_kwds": {"groups": GROUPS}}),
    ],
)
def test_logit(logit, kind, theirs):
    expected = sm.Logit(Y, X).fit(disp=0, tol=1e-14, **theirs)
    groups = GROUPS if kind == "cluster" else None
    np.testing.assert_allclose(logit.params, expected.params, rtol=1e-9)
    np.testing.assert_allclose(errors(logit.cov_params(kind, groups)), expected.bse, rtol=1e-9)
    asked = autoopt.fit(
        logit_terms, np.zeros(4), (X, Y), kind="negative log-likelihood", covariance=kind, groups=groups
    )
    np.testing.assert_allclose(asked.pvalues, expected.pvalues, rtol=1e-7)
    np.testing.assert_allclose(asked.conf_int(0.9), expected.conf_int(0.1), rtol=1e-7)


@pytest.mark.parametrize("objective", [logit_sum, logit_loop])
def test_sums_have_the_scores_of_their_terms(logit, objective):
    found = autoopt.fit(objective, np.zeros(4), (X, Y), kind="negative log-likelihood", groups=GROUPS)
    np.testing.assert_allclose(found.covariance, logit.cov_params("cluster", GROUPS), rtol=1e-6)
    np.testing.assert_allclose(found.cov_params("opg"), logit.cov_params("opg"), rtol=1e-6)


def test_a_sum_of_squares_has_the_scores_of_its_residuals(squares):
    found = autoopt.fit(lambda b, X, y: np.sum((y - X @ b) ** 2), np.zeros(4), (X, Y), kind="least squares")
    np.testing.assert_allclose(found.cov_params("HC1"), squares.cov_params("HC1"), rtol=1e-7)


def test_what_is_no_sum_over_rows_is_refused_before_it_is_solved():
    def concentrated(b, X, y):
        return len(y) / 2 * np.log(np.sum((y - X @ b) ** 2))

    calls = []
    with pytest.raises(TracingError, match="goes through log") as error:
        autoopt.fit(
            concentrated, np.zeros(4), (X, Y), kind="negative log-likelihood", covariance="robust",
            progress=lambda *now: calls.append(now),
        )  # fmt: skip
    assert not calls and "return its terms" in str(error.value)
    with pytest.raises(UsageError, match="kind of objective is 'minimise'"):
        autoopt.fit(concentrated, np.zeros(4), (X, Y), covariance="robust")


def test_outer_products(logit):
    scores = ((1 / (1 + np.exp(-X @ logit.params)) - Y)[:, None]) * X
    np.testing.assert_allclose(logit.cov_params("opg"), np.linalg.inv(scores.T @ scores), rtol=1e-8)


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3"])
@pytest.mark.parametrize("weighted", [False, True])
def test_least_squares(squares, kind, weighted):
    weights = np.linspace(0.5, 2.0, len(Y))
    model = sm.WLS(Y, X, weights) if weighted else sm.OLS(Y, X)
    found = squares
    if weighted:
        found = autoopt.fit(residuals, np.zeros(4), (X, Y), kind="least squares", weights=weights)
    np.testing.assert_allclose(errors(found.cov_params(kind)), model.fit(cov_type=kind).bse, rtol=1e-9)
    np.testing.assert_allclose(found.bse, model.fit().bse, rtol=1e-9)


def test_clustered_least_squares_are_students_with_groups_less_one():
    found = autoopt.fit(residuals, np.zeros(4), (X, Y), kind="least squares", groups=GROUPS)
    expected = sm.OLS(Y, X).fit(cov_type="cluster", cov_kwds={"groups": GROUPS}, use_t=True)
    np.testing.assert_allclose(found.bse, expected.bse, rtol=1e-9)
    np.testing.assert_allclose(found.pvalues, expected.pvalues, rtol=1e-8)
    np.testing.assert_allclose(found.conf_int(), expected.conf_int(), rtol=1e-8)


def test_least_squares_are_students(squares):
    expected = sm.OLS(Y, X).fit()
    np.testing.assert_allclose(squares.pvalues, expected.pvalues, rtol=1e-9)
    np.testing.assert_allclose(squares.conf_int(0.99), expected.conf_int(0.01), rtol=1e-9)


def test_fixed_parameters_are_not_known_in_any_convention():
    fixed = autoopt.fit(logit_terms, np.zeros(4), (X, Y), kind="negative log-likelihood", fixed={3: 1.0})
    smaller = sm.GLM(Y, X[:, :3], sm.families.Binomial(), offset=X[:, 3]).fit(tol=1e-14, cov_type="HC0")
    found = fixed.cov_params("robust")
    np.testing.assert_allclose(errors(found[:3, :3]), smaller.bse, rtol=1e-8)
    assert np.isnan(found[3]).all()


def test_scores_of_a_penalised_likelihood_are_those_of_the_likelihood():
    found = autoopt.fit(logit_sum, np.zeros(4), (X, Y), kind="negative log-likelihood", penalty="firth")
    p = 1 / (1 + np.exp(-X @ found.params))
    inverse = np.linalg.inv(X.T @ ((p * (1 - p))[:, None] * X))
    expected = inverse @ (X.T @ (((p - Y) ** 2)[:, None] * X)) @ inverse
    np.testing.assert_allclose(found.cov_params("robust"), expected, rtol=1e-7)


def test_groups_of_another_length_are_refused_before_it_is_solved_where_data_have_several_lengths():
    def objective(b, X, y, prior):
        return logit_sum(b, X, y) + np.sum((b - prior) ** 2)

    call = {"x0": np.zeros(4), "data": (X, Y, np.zeros(4)), "kind": "negative log-likelihood"}
    progress = []
    with pytest.raises(UsageError, match="5 labels in groups, for 32 rows"):
        autoopt.fit(objective, groups=np.arange(5), progress=progress.append, **call)
    assert not progress
    found = autoopt.fit(objective, groups=GROUPS, **call)
    p = 1 / (1 + np.exp(-X @ found.params))
    scores = (p - Y)[:, None] * X + 2 * found.params / 32
    sums = np.add.reduceat(scores, np.arange(0, 32, 4))
    inverse = np.linalg.inv(X.T @ ((p * (1 - p))[:, None] * X) + 2 * np.eye(4))
    expected = 8 / 7 * 31 / 28 * inverse @ sums.T @ sums @ inverse
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-6)


def test_level_is_the_default_of_intervals():
    found = autoopt.fit(residuals, np.zeros(4), (X, Y), kind="least squares", level=0.8)
    np.testing.assert_array_equal(found.conf_int(), found.conf_int(0.8))


def test_groups_by_the_name_of_a_column():
    data = SPECTOR.data.assign(group=[f"g{k}" for k in GROUPS])

    def objective(b, GPA, GRADE):
        return GRADE - b[0] - b[1] * GPA

    found = autoopt.fit(objective, np.zeros(2), data, kind="least squares", groups="group")
    again = autoopt.fit(objective, np.zeros(2), data, kind="least squares", groups=GROUPS)
    np.testing.assert_array_equal(found.bse, again.bse)
    with pytest.raises(UsageError, match=r"no such column. Did you mean group\?"):
        autoopt.fit(objective, np.zeros(2), data, kind="least squares", groups="gruop")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({"covariance": "sandwhich"}, "covariance is 'sandwhich'"),
        ({"covariance": "robus"}, "Did you mean robust"),
        ({"covariance": "cluster"}, "needs groups"),
        ({"covariance": "robust", "groups": GROUPS}, "does not use them"),
        ({"groups": GROUPS[1:]}, "31 labels in groups, for 32 rows"),
        ({"groups": np.where(GROUPS == 2, np.nan, GROUPS)}, "4 missing labels, first in row 8"),
        ({"level": 95}, "between 0 and 1"),
    ],
)
def test_calls_that_are_not_understood(call, said):
    with pytest.raises(UsageError, match=said):
        autoopt.fit(logit_terms, np.zeros(4), (X, Y), kind="negative log-likelihood", **call)


def test_leverages_are_those_of_residuals(logit):
    with pytest.raises(UsageError, match="needs residuals"):
        logit.cov_params("HC3")


@pytest.mark.parametrize(
    ("kind", "evidence", "said"),
    [
        ("opg", Evidence(np.eye(2), np.ones((5, 2)), names=["a", "b"]), "none changes along\n  a - b"),
        ("HC1", Evidence(np.eye(2), np.ones((2, 2))), "as many parameters as rows"),
        ("HC3", Evidence(np.eye(1), np.ones((2, 1)), np.array([1.0, 0.0])), "Row 0 decides a parameter alone"),
        ("cluster", Evidence(np.eye(1), np.ones((3, 1)), groups=np.zeros(3)), "All rows are of one group"),
    ],
)
def test_what_has_no_covariance(kind, evidence, said):
    with pytest.raises(InferenceError, match=said):
        COVARIANCES[kind].function(evidence)


def test_every_convention_says_what_it_is():
    assert all(row.description and not row.description.endswith(".") for row in COVARIANCES.values())
