"""What arrays say besides their numbers, masks and labels of rows; names of parameters; lists of unequal arrays."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import autoopt
from autoopt import models
from autoopt.errors import AutooptError, DataError, ModelError
from autoopt.models.validation import InputError

RNG = np.random.default_rng(6)
N = 40
X = RNG.normal(size=N)
Y = 1 + 0.5 * X + RNG.normal(size=N)
MASKED = np.ma.masked_array(np.where(np.arange(N) % 7 == 0, -999.0, Y), np.arange(N) % 7 == 0)
LS, NLL = "least squares", "negative log-likelihood"


def residuals(p, x, y):
    return y - p["a"] - p["b"] * x


def term(p, x, y):
    return p[2] + 0.5 * ((y - p[0] - p[1] * x) / np.exp(p[2])) ** 2


def fitted(data, **options):
    return autoopt.fit(residuals, {"a": 0.0, "b": 0.0}, data, kind=LS, **options)


def test_masked_rows_of_a_dict_are_missing():
    with pytest.raises(DataError, match=r"6 missing .*\n  array y, index 0: missing"):
        fitted({"x": X, "y": MASKED})
    found = fitted({"x": X, "y": MASKED}, missing="drop")
    expected = np.ma.polyfit(X, MASKED, 1)[::-1]
    np.testing.assert_allclose(found.params, expected, rtol=1e-9)
    assert found.nobs == N - 6 and "6 of 40 rows are left out" in found.notes[0]
    whole = fitted({"x": X, "y": np.ma.masked_array(Y)})
    np.testing.assert_allclose(whole.params, np.polyfit(X, Y, 1)[::-1], rtol=1e-9)
    counts = np.ma.masked_equal(RNG.integers(0, 3, N), 2)
    assert fitted({"x": X, "y": counts}, missing="drop").nobs == counts.count()


@pytest.mark.parametrize(
    "call",
    [
        lambda: fitted((X, Y), weights=np.ma.masked_less(np.arange(N) + 1.0, 3)),
        lambda: fitted((X, Y), groups=np.ma.masked_equal(np.arange(N) // 4, 2)),
        lambda: models.LinearRegression().fit(X[:, None], MASKED),
        lambda: models.LinearRegression().fit(np.ma.masked_less(X[:, None], 0), Y),
        lambda: models.LinearRegression().fit(X[:, None], Y, np.ma.masked_less(np.arange(N) + 1.0, 3)),
        lambda: models.LogLinearRegression().fit(X[:, None], Y**2, offset=np.ma.masked_less(X, 0)),
        lambda: models.LogisticRegression().fit(X[:, None], np.ma.masked_equal(np.arange(N) % 3, 1)),
        lambda: models.CoxRegression().fit(X[:, None], Y**2, strata=np.ma.masked_equal(np.arange(N) % 3, 1)),
        lambda: autoopt.Estimator(lambda p, X, y: y - X @ p, x0=np.zeros(1), kind=LS).fit(X[:, None], MASKED),
    ],
)
def test_masks_are_not_lost(call):
    with pytest.raises(AutooptError, match=r"is masked in .* first in row"):
        call()


def test_series_with_other_labels_are_refused_for_the_rows_of_data():
    frame, w = pd.DataFrame({"x": X, "y": Y}), pd.Series(1.0 + X**2)
    weighted = np.polyfit(X, Y, 1, w=np.sqrt(1 + X**2))[::-1]
    np.testing.assert_allclose(fitted(frame, weights=w).params, weighted, rtol=1e-8)
    order = RNG.permutation(N)
    for data in (frame, {"x": frame["x"], "y": Y}, (frame["x"], frame["y"])):
        with pytest.raises(DataError, match="rows of the data and weights have different labels: 0, 1"):
            fitted(data, weights=w[order])
    with pytest.raises(DataError, match="The rows of the data and groups have different labels"):
        fitted(frame, groups=pd.Series(np.arange(N) // 4, index=np.arange(N) + 1))
    with pytest.raises(DataError, match="The rows of x and y have different labels"):
        fitted({"x": frame["x"], "y": pd.Series(Y)[order]})


def test_series_of_other_lengths_are_other_rows():
    found = autoopt.fit(
        lambda p, y, z: np.sum((y - p[0]) ** 2) + np.sum((z - p[1]) ** 2), np.zeros(2),
        {"y": pd.Series(Y), "z": pd.Series(X[:5])}, kind=LS,
    )  # fmt: skip
    np.testing.assert_allclose(found.params, [Y.mean(), X[:5].mean()], rtol=1e-7)
    assert found.nobs == N + 5


def test_two_parameters_of_one_name_are_refused():
    with pytest.raises(ModelError, match=r"called 'a': number 0 \(x\[0\]\) and number 2 \(x\[2\]\)"):
        autoopt.fit(term, np.zeros(3), (X, Y), kind=NLL, names=["a", "b", "a"])
    twice = pd.DataFrame(np.c_[np.ones(N), X], columns=["a", "a"])
    with pytest.raises(ModelError, match="Two parameters are called 'a'"):
        autoopt.fit(lambda b, X, y: y - X @ b, np.zeros(2), (twice, Y), kind=LS)


@pytest.mark.slow
def test_arrays_of_unequal_lengths_in_lists():
    expected = autoopt.fit(term, np.zeros(3), (X, Y), kind=NLL)
    xs, ys = [X[:7], X[7:]], [Y[:7], Y[7:]]

    def by_group(p, xs, ys):
        return sum(np.sum(term(p, x, y)) for x, y in zip(xs, ys, strict=True))

    found = autoopt.fit(by_group, np.zeros(3), (xs, ys), kind=NLL)
    np.testing.assert_allclose(found.bse, expected.bse, rtol=1e-6)
    terms = autoopt.fit(lambda p, x, y: [term(p, x[:7], y[:7]), term(p, x[7:], y[7:])], np.zeros(3), (X, Y), kind=NLL)
    assert terms.nobs == N
    robust = [one.cov_params("robust") for one in (terms, expected)]
    np.testing.assert_allclose(robust[0], robust[1], rtol=1e-6)
    with pytest.raises(DataError, match="xs of the data is no array"):
        autoopt.fit(by_group, np.zeros(3), {"xs": xs, "ys": ys}, kind=NLL)


@pytest.mark.slow
def test_array_with_one_entry_is_a_number():
    """Products of column vectors have the shape (1, 1): their rows are those of the data."""
    design, label = np.c_[np.ones(N), X], (Y > 1).astype(float)

    def columns(b, X, y):
        z = X @ b.reshape(-1, 1)
        return np.ones((1, N)) @ np.logaddexp(0, z) - y.reshape(1, -1) @ z

    options = {"kind": NLL, "covariance": "robust"}
    found = autoopt.fit(columns, np.zeros(2), (design, label), **options)
    peer = sm.Logit(label, design).fit(disp=0, cov_type="HC0")
    np.testing.assert_allclose(found.bse, peer.bse, rtol=1e-6)
    assert found.nobs == N and found.bic == pytest.approx(peer.bic)
    squares = autoopt.fit(
        lambda b, X, y: (y[:, None] - X @ b[:, None]).T @ (y[:, None] - X @ b[:, None]),
        np.zeros(2),
        (design, Y),
        kind=LS,
    )
    np.testing.assert_allclose(squares.bse, sm.OLS(Y, design).fit().bse, rtol=1e-9)
    single = autoopt.fit(lambda b: np.array([b[0] - 2.0]), np.zeros(1), kind=LS)
    assert single.params[0] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("event", "said"),
    [(lambda e: e + 1, "event == 2"), (lambda e: 2 * e - 1, "event == 1"), (lambda e: e / 2, "event == 0.5")],
)
def test_codes_of_events_are_not_guessed(event, said):
    e = (np.arange(N) % 3 > 0).astype(int)
    with pytest.raises(InputError, match=said):
        models.CoxRegression().fit(X[:, None], Y**2, event=event(e))
    one, other = (models.CoxRegression().fit(X[:, None], Y**2, event=codes) for codes in (e, e == 1))
    assert one.params == other.params


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda X, y: models.LogLinearRegression().fit(X, y**2, exposure=np.ones(N - 1)), "exposure 39"),
        (lambda X, y: models.LogLinearRegression().fit(X, y**2, offset=np.ones((N, 1))), "offset must be 1D"),
        (lambda X, y: models.LogisticRegression(alpha="1").fit(X, y > 0), "alpha is '1'"),
        (lambda X, y: models.LinearRegression(alpha=None).fit(X, y), "alpha is None"),
        (lambda X, y: models.TweedieRegression(power="a").fit(X, y), "power is 'a'"),
        (lambda X, y: models.StudentRegression(df="a").fit(X, y), "df=4.0"),
        (lambda X, y: models.QuantileRegression(quantile=None).fit(X, y), "quantile is None"),
        (lambda X, y: models.LinearRegression(max_iter="9").fit(X, y), "max_iter=100"),
        (lambda X, y: models.LogisticRegression().fit(X, np.array([1, "a"] * 20, object)), "types int, str"),
        (lambda X, y: models.CoxRegression().fit(X, y**2, strata=np.where(y > 1, np.nan, 1.0)), "strata has no label"),
        (lambda X, y: models.LinearRegression().fit([[1, 2], [3]], [1, 2]), "X is no array"),
        (lambda X, y: models.LinearRegression().fit([[1], [3]], [[1, 2], [3]]), "y is no array"),
    ],
)
def test_what_estimators_cannot_use_is_told_by_name(call, said):
    with pytest.raises(AutooptError, match=said):
        call(X[:, None], Y)
