"""What `benchmarks.parquet_fit` writes, reads and asks, with few rows."""

import json

import numpy as np
import pytest

from benchmarks import parquet_fit
from benchmarks.row_models import logistic, logistic_hess, logistic_value_and_grad

pytest.importorskip("pyarrow")


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_fit, "GROUP", 900)
    monkeypatch.setattr(parquet_fit, "BATCH", 700)
    parquet_fit.write(tmp_path / "rows.parquet", 2000, "float32")
    return str(tmp_path / "rows.parquet")


def told(capsys):
    """Return the numbers that have been told."""
    return {key: number for line in capsys.readouterr().out.splitlines() for key, number in json.loads(line).items()}


def test_derivatives_by_hand_are_those_of_all_rows(path, capsys):
    data = parquet_fit.rows_of(path).whole()
    x = np.linspace(-0.4, 0.6, 10)
    parquet_fit.by_hand(path, x.tolist())
    found = told(capsys)
    value, gradient = logistic_value_and_grad(x, data["X"], data["y"])
    assert found["rows"] == 2000
    assert found["value"] == pytest.approx(logistic(x, data["X"], data["y"]), rel=1e-12)
    assert found["value"] == pytest.approx(value, rel=1e-12)
    assert found["gradient"] == pytest.approx(np.abs(gradient).max() / 2000, rel=1e-9)
    errors = np.sqrt(np.diag(np.linalg.inv(logistic_hess(x, data["X"], data["y"]))))
    np.testing.assert_allclose(found["errors"], errors, rtol=1e-9)


@pytest.mark.parametrize("read", [parquet_fit.reading, parquet_fit.batches])
def test_all_rows_are_read(path, read, capsys):
    read(path)
    assert told(capsys)["rows"] == 2000


def test_estimates_of_some_rows_are_as_far_as_their_errors_let_expect():
    rng = np.random.default_rng(0)
    whole = rng.normal(size=(100, 3))
    some, errors = whole[:25].mean(axis=0), np.full(3, 0.1)
    found = [{"x": whole.mean(axis=0).tolist(), "rows": 100}, {"x": some.tolist(), "rows": 25}]
    expected = np.max(np.abs(some - whole.mean(axis=0))) / (0.1 * np.sqrt(3))
    assert parquet_fit.far(*found, errors.tolist()) == pytest.approx(expected)


def test_what_does_not_hold_is_said():
    fitted = {"success": True, "peak": 3000.0, "seconds": 100.0, "passes": 10, "x": [1.0], "rows": 100}
    found = {"fit": fitted, "reading": {"seconds": 8.0}, "by hand": {"gradient": 1e-12, "errors": [0.1]}}
    rows = parquet_fit.checks(found | {"sample": {"x": [1.1], "rows": 50}}, 2e9)
    assert [row[-1] for row in rows] == ["yes", "no", "yes", "yes", "yes"]
    assert rows[2][:2] == ["a pass of the fit over reading", "1.25"]
