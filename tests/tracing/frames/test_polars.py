"""polars objects in objectives: value, slope and curvature against the objective itself, and what is refused."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import autoopt
from autoopt import differences
from autoopt.errors import TracingError
from autoopt.objectives.objective import Objective, printed

RNG = np.random.default_rng(4)
FRAME = pl.DataFrame(
    {"y": RNG.normal(size=8), "a": RNG.normal(size=8), "k": np.arange(8), "sex": list("mfmfmfmf"), "value": np.ones(8)}
)
SERIES = FRAME["y"] * 2
START = np.array([0.3, 0.7])


def _columns(p, df):
    residual = df["y"] - p[0] - p[1] * df["a"]
    return (residual**2).sum() + np.exp(-df["value"] * p[0]).mean()


def _arrays(p, df):
    X = df.select("a", "k").to_numpy()
    return np.sum((df["y"].to_numpy() - X @ p) ** 2) + np.sum(df[["a", "value"]].to_numpy().T @ X @ p)


def _deviations(p, df):
    return (p[0] * df["a"]).std() + (df["a"] * p[1]).var(ddof=0) + df["a"].std() * p[0] + (p[1] * df["y"]).abs().max()


def _expressions(p, df):
    men = df.filter(pl.col("sex") == "m").with_columns((pl.col("a") ** 2 + pl.col("k")).alias("b"))
    means = df.group_by("sex", maintain_order=True).agg(pl.col("y").mean())
    return np.sum(np.exp(p[0] * men["b"].to_numpy() / 9)) + np.sum((means["y"].to_numpy() - p) ** 2)


def _groups(p, df):
    total = 0.0
    for (sex,), part in df.group_by("sex", maintain_order=True):
        total = total + np.sum((part["y"].to_numpy() - p[0 if sex == "m" else 1]) ** 2)
    return total


def _rows(p, df):
    total = sum((row["y"] - p[0] * row["a"]) ** 2 for row in df.iter_rows(named=True))
    return total + sum(np.cosh(y - p[1] * a) for y, a in zip(df["y"], df["a"], strict=True))


def _captured(p, df):
    return ((SERIES - p[0]) ** 2).sum() + (FRAME["y"] * p[1])[2:5].sum() + (p[0] * SERIES)[1]


def _made(p, df):
    both = pl.concat([df["y"], df["a"]]).to_numpy()
    return np.sum((both - p[0]) ** 2) + (pl.Series([1.0, 2.0]) * p).dot(pl.Series([0.5, 2.0]))


def _kinds(p, df):
    known = isinstance(df, pl.DataFrame) and isinstance(df["a"], pl.Series) and "a" in df.columns
    return (p[0] if known else p[1]) ** 2 * len(df) * df.shape[1]


USES = [_columns, _arrays, _deviations, _expressions, _groups, _rows, _captured, _made, _kinds]


@pytest.mark.slow_for("_deviations")
@pytest.mark.parametrize("f", USES)
@pytest.mark.sampled(2)
def test_uses(f):
    before = FRAME.clone()
    objective = Objective(f, START, (FRAME,))
    value, gradient = objective.value_and_grad(START)
    np.testing.assert_allclose(value, f(START, FRAME), rtol=1e-12)
    expected, error = differences.gradient(lambda p: f(p, FRAME), START)
    np.testing.assert_allclose(gradient, expected, rtol=1e-8, atol=np.max(20 * error) + 1e-9)
    direction = np.array([0.6, -0.8])
    product, error = differences.hessp(objective.grad, START, direction)
    np.testing.assert_allclose(objective.hessp(START, direction), product, rtol=1e-7, atol=np.max(20 * error) + 1e-8)
    assert FRAME.equals(before)


def test_columns_are_inputs_of_that_name():
    assert "def value_and_grad(p, y, a, value_)" in printed(_columns, START, (FRAME,))


def test_other_frames_are_not_stale():
    gradient = autoopt.grad(_columns)
    for factor in (1.0, 2.0):
        data = FRAME.with_columns(pl.col("y") * factor)
        expected, _ = differences.gradient(lambda p: _columns(p, data), START)  # noqa: B023
        np.testing.assert_allclose(gradient(START, data), expected, rtol=1e-9)


REFUSED = {
    "missing values skipped": lambda p, df: (p[0] * pl.Series([1.0, None, 2.0])).sum(),
    "a method without account": lambda p, df: (p[0] * df["a"]).rolling_mean(2).sum(),
    "a traced value in an expression": lambda p, df: df.select(pl.col("a") * p[0]).to_numpy().sum(),
    "a frame of traced values": lambda p, df: pl.DataFrame({"z": p}).to_numpy().sum(),
}


@pytest.mark.parametrize("f", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_followed_is_refused(f):
    with pytest.raises(TracingError) as refusal:
        Objective(f, START, (FRAME,))
    assert "test_polars.py" in str(refusal.value)
