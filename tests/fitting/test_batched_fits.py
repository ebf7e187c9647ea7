"""Fits of data that are read in batches: the same estimates and standard errors as of the data in memory."""

import re

import numpy as np
import pandas as pd
import pytest

import autoopt
from autoopt.batches import memory
from autoopt.cli.main import main
from autoopt.errors import AutooptError, ModelError, UsageError

ROWS = 20_000
MODEL = """
import numpy as np

kind = "negative log-likelihood"


def objective(beta, X, y):
    eta = X @ beta
    return np.sum(np.logaddexp(0, eta) - y * eta)


def x0(X):
    return np.zeros(X.shape[1])
"""


def logistic(beta, X, y):
    eta = X @ beta
    return np.sum(np.logaddexp(0, eta) - y * eta)


def terms(beta, X, y):
    eta = X @ beta
    return np.logaddexp(0, eta) - y * eta


def residuals(p, X, y):
    return y - p["mean"] - X @ p["slopes"]


def squares(p, X, y):
    return np.sum(residuals(p, X, y) ** 2)


def mean(beta, X, y):
    return np.mean(terms(beta, X, y))


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(0)
    X = random.normal(size=(ROWS, 3))
    y = (random.random(ROWS) < 1 / (1 + np.exp(-X @ [0.5, -0.5, 0.2]))).astype(int)
    return pd.DataFrame({"age": X[:, 0], "dose": X[:, 1], "size": X[:, 2], "y": y})


@pytest.fixture
def folder(tmp_path, monkeypatch, frame):
    pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    for number in range(2):
        half = frame.iloc[number * ROWS // 2 : (number + 1) * ROWS // 2]
        half.to_parquet(f"part-{number}.parquet", index=False, row_group_size=2000)
    (tmp_path / "model.py").write_text(MODEL)
    return tmp_path


@pytest.fixture
def little_memory(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 1e5)


def batched(frame, **options):
    return autoopt.batches(frame, {"X": ["age", "dose", "size"], "y": "y"}, size=100_000, **options)


def in_memory(frame):
    return np.ascontiguousarray(frame[["age", "dose", "size"]]), frame["y"].to_numpy()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("objective", "x0", "kind"),
    [
        (logistic, np.zeros(3), "negative log-likelihood"),
        (terms, np.zeros(3), "negative log-likelihood"),
        (residuals, {"mean": 0.0, "slopes": np.zeros(3)}, "least squares"),
        (squares, {"mean": 0.0, "slopes": np.zeros(3)}, "least squares"),
    ],
)
def test_a_fit_in_batches_is_that_of_all_rows(objective, x0, kind, frame):
    data = batched(frame)
    found = autoopt.fit(objective, x0, data, kind=kind)
    whole = autoopt.fit(objective, x0, in_memory(frame), kind=kind)
    assert found.status == "converged" and found.nobs == whole.nobs == ROWS
    np.testing.assert_allclose(found.params, whole.params, atol=1e-8)
    np.testing.assert_allclose(found.bse, whole.bse, rtol=1e-8)
    assert found.llf == pytest.approx(whole.llf, rel=1e-12)
    assert "age" in found.names[-3]
    assert f"Of {ROWS} rows, read in batches, 4096 were traced" in " ".join(found.notes)


def decay(p, t, y):
    return y - (p["a"] * np.exp(-p["k"] * t) + p["c"])


@pytest.mark.slow
def test_standard_errors_of_residuals_are_those_of_the_jacobian():
    rng = np.random.default_rng(0)
    t = rng.uniform(0, 10, 6000)
    y = 3 * np.exp(-0.8 * t) + 0.5 + rng.normal(size=6000)
    found = autoopt.fit(decay, {"a": 1.0, "k": 0.5, "c": 0.0}, autoopt.batches({"t": t, "y": y}), kind="least squares")
    p = dict(zip(("a", "k", "c"), found.params, strict=True))
    e = np.exp(-p["k"] * t)
    J = np.stack([e, -p["a"] * t * e, np.ones_like(t)], axis=1)
    s2 = np.sum(decay(p, t, y) ** 2) / (len(y) - 3)
    np.testing.assert_allclose(found.bse, np.sqrt(np.diag(s2 * np.linalg.inv(J.T @ J))), rtol=1e-9)
    assert "exact Jacobian" in str(found.summary())


@pytest.mark.slow
def test_profiles_of_batches_are_those_of_all_rows(frame):
    found = autoopt.fit(logistic, np.zeros(3), batched(frame), kind="negative log-likelihood")
    whole = autoopt.fit(logistic, np.zeros(3), in_memory(frame), kind="negative log-likelihood")
    ends = [np.asarray(fit.conf_int(method="profile")) for fit in (found, whole)]
    np.testing.assert_allclose(*ends, atol=1e-5)


@pytest.mark.slow
def test_a_mean_in_place_of_a_sum_is_told_with_the_number_of_all_rows(frame):
    found = autoopt.fit(mean, np.zeros(3), batched(frame), kind="negative log-likelihood")
    assert f"is a mean over {ROWS} rows" in " ".join(found.notes)


def test_rows_that_are_left_out_are_counted(frame):
    holes = frame.assign(age=frame["age"].where(frame.index != 7))
    found = autoopt.fit(logistic, np.zeros(3), batched(holes, missing="drop"), kind="negative log-likelihood")
    assert found.nobs == ROWS - 1 and "1 rows are left out" in " ".join(found.notes)


@pytest.mark.parametrize("place", ["part-*.parquet", ".", "part-0.parquet"])
def test_files_larger_than_memory_are_read_in_batches(place, folder, frame, little_memory):
    (folder / "model.py").unlink()
    found = autoopt.fit(logistic, np.zeros(3), place, kind="negative log-likelihood", target="y")
    rows = frame.iloc[: ROWS // 2] if "0" in place else frame
    whole = autoopt.fit(logistic, np.zeros(3), in_memory(rows), kind="negative log-likelihood")
    np.testing.assert_allclose(found.params, whole.params, atol=1e-8)
    assert found.names == ("age", "dose", "size") and found.nobs == len(rows)
    assert "read in batches" in " ".join(found.notes)


def test_files_that_fit_into_memory_are_read_into_it(folder):
    found = autoopt.fit(logistic, np.zeros(3), "part-*.parquet", kind="negative log-likelihood", target="y")
    assert found.nobs == ROWS and "read in batches" not in " ".join(found.notes)


@pytest.mark.slow
def test_the_command_fits_files_larger_than_memory(folder, little_memory, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["fit", "model.py", "--data", "part-*.parquet", "--target", "y"])
    told = capsys.readouterr().out
    assert ended.value.code in (0, None) and re.search(r"observations +20000", told)
    assert "x0 was computed of these" in told.replace("\n", " ")


def test_what_fits_into_memory(folder, monkeypatch):
    assert not memory.is_larger("part-*.parquet") and not memory.is_larger("-")
    monkeypatch.setattr(memory, "free_memory", lambda: 4 * 8 * ROWS / memory.SHARE - 1)
    assert memory.is_larger("part-*.parquet") and not memory.is_larger("part-0.parquet")
    monkeypatch.undo()
    assert 1e7 < memory.free_memory() < 1e15


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"weights": np.ones(ROWS)}, UsageError, "read in batches, and weights needs them in memory"),
        ({"penalty": "firth"}, UsageError, "penalty needs them in memory"),
        ({"formula": "y ~ age"}, UsageError, "formula needs them in memory"),
        ({"categories": ["age"]}, UsageError, "categories needs them in memory"),
        ({"covariance": "robust"}, UsageError, "derivatives of each row are an array of all rows"),
    ],
)
def test_what_needs_all_rows_in_memory_is_refused(options, kind, said, frame):
    with pytest.raises(kind, match=said):
        autoopt.fit(logistic, np.zeros(3), batched(frame), kind="negative log-likelihood", **options)


@pytest.mark.slow
def test_what_is_asked_of_a_fit_in_batches_and_needs_all_rows_is_refused(frame):
    found = autoopt.fit(logistic, np.zeros(3), batched(frame), kind="negative log-likelihood")
    with pytest.raises(UsageError, match="derivatives of each row"):
        found.cov_params("robust")
    predicting = autoopt.fit(Predicting, data=batched(frame))
    with pytest.raises(UsageError, match="those of the fit are read in batches"):
        predicting.predict()


class Predicting:
    kind = "negative log-likelihood"
    x0 = np.zeros(3)
    objective = staticmethod(logistic)

    @staticmethod
    def predict(beta, X):
        return X @ beta


class Bounded:
    x0 = np.zeros(3)
    objective = staticmethod(logistic)

    @staticmethod
    def bounds(X, y):
        return [(0, 1)] * X.shape[1]


def test_models_that_need_the_data_are_refused(frame):
    with pytest.raises(ModelError, match="bounds of Bounded are functions of the data"):
        autoopt.fit(Bounded, data=batched(frame))
    with pytest.raises(ModelError, match="takes y, and the data frame has X"):
        autoopt.fit(logistic, np.zeros(3), autoopt.batches(frame, {"X": ["age", "dose", "size"]}))
    with pytest.raises(AutooptError, match="logistic needs them in memory"):
        autoopt.fit("logistic", data=batched(frame))


def test_standard_errors_take_two_passes_more_and_the_report_shows_what_ran(frame, tmp_path):
    data = batched(frame)
    autoopt.minimize(logistic, np.zeros(3), (data,))
    minimising = data.passes
    fresh = batched(frame)
    found = autoopt.fit(logistic, np.zeros(3), fresh, kind="negative log-likelihood")
    assert fresh.passes <= minimising + 3  # the sample, and values around the solution, twice
    found.report(tmp_path / "fit.html")
    text = (tmp_path / "fit.html").read_text()
    assert "def pass_1(" in text and "over all 20000" in text and "could not be made" not in text
