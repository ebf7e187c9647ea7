"""pandas objects in objectives: value, slope and curvature against the objective itself, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import autoopt
from autoopt import differences
from autoopt.errors import TracingError
from autoopt.objectives.objective import Objective, printed

RNG = np.random.default_rng(4)
FRAME = pd.DataFrame(
    {
        "y": RNG.normal(size=9),
        "a": RNG.normal(size=9),
        "b": np.arange(9),
        "sex": list("mfmmffmff"),
        "kind": pd.Categorical(list("uvwuvwuvw")),
        "flag": RNG.normal(size=9) > 0,
        "value": RNG.uniform(1, 2, size=9),
    },
    index=np.arange(20, 29),
)
SERIES = FRAME["y"] * 2
START = np.array([0.3, 0.7])


def _columns(p, df):
    residual = df.y - p[0] - p[1] * df["a"]
    return (residual**2).sum() + np.exp(-df.value * p[0]).mean()


def _product(p, df):
    return ((df["y"] - df[["a", "b"]] @ p) ** 2).mean() + df[["a", "b"]].dot(p).sum()


def _filter(p, df):
    men = df[(df.sex == "m") & (df.a > -5)]
    X = men[["a", "b"]].to_numpy()
    return np.sum((men["y"].values - X @ p) ** 2) + np.exp(p[0] * df.loc[df.flag, "a"]).sum()


def _deviations(p, df):
    return (
        (p[0] * df.a).std() + (df.a * p[1]).var() + np.std(p[0] * df.a) + (df.a.values * p[1]).std() + df.a.std() * p[0]
    )


def _rows(p, df):
    total = 0.0
    for row in df.itertuples():
        total = total + (row.y - p[0] * row.a) ** 2 * (1 if row.sex == "m" else p[1])
    for _, row in df.iterrows():
        total = total + (row["y"] - p[0]) ** 2
    for y, a in zip(df["y"], df["a"], strict=True):
        total = total + np.cosh(y - p[1] * a)
    for i in range(len(df)):
        total = total + df["b"].iloc[i] * p[0] + df.at[20 + i, "a"] * p[1]
    return total


def _groups(p, df):
    effect = {"u": 0.0, "v": p[0], "w": p[1]}
    total = sum(((group.y - effect[name]) ** 2).sum() for name, group in df.groupby("kind", observed=True))
    means = df.groupby("sex")["y"].mean()
    codes = df["kind"].cat.codes.to_numpy()
    return total + means["m"] * p[0] + np.sum(np.array([0.0, p[0], p[1]])[codes] * df.y)


def _parts(p, df):
    eta = np.exp(p[0] + p[1] * df.a)
    return (
        np.log(eta).sum()
        + eta.iloc[2]
        + eta.loc[22]
        + eta[df.sex == "m"].sum()
        + eta.head(3).sum()
        + eta.to_numpy()[0]
        + np.mean(eta)
        + len(df)
        + df.shape[1] * p[0]
        + eta[eta > 1].sum()
        + sum(eta)
        + eta.clip(0.5, 2.0).sum()
    )


def _new_column(p, df):
    df = df.copy()
    df["eta"] = df[["a", "b"]].values @ p
    df["twice"] = 2 * df["a"]
    return (df["eta"] * df.y).sum() + np.dot(df.eta, df.twice)


def _whole(p, df):
    X = df[["a", "b"]]
    return (
        (X * p).sum(axis=1).max()
        + ((X - p).sum() ** 2).sum()
        + p @ X.T @ df.y
        + np.asarray(X).sum() * p[0]
        + ((X - X.mean()) / X.std() @ p).pow(2).sum()
        + np.where(df.sex == "m", p[0], p[1]).sum()
        + np.maximum(df.a, p[0]).sum()
    )


def _grouped(p, df):
    eta = p[0] + p[1] * df.a
    df = df.assign(z=1.0)
    df["eta"] = np.exp(eta)
    totals = eta.groupby(df.sex).sum()
    return (
        (totals**2).sum()
        + totals["m"] * p[0]
        + np.log(df.groupby("kind")["eta"].sum()).sum()
        + ((eta - eta.groupby(df["sex"]).transform("mean")) ** 2).sum()
        + df.groupby("sex")["eta"].mean().max()
    )


def _densities(p, df):
    residual = df.y - p[0] * df.a
    return stats.norm.logpdf(residual, scale=p[1]).sum() + stats.norm(p[0]).logcdf(df["a"]).sum()


def _made(p, df):
    dummies = pd.get_dummies(df["sex"], drop_first=True).astype(float)
    codes, _ = pd.factorize(df["kind"])
    joined = pd.concat([df["a"], df["y"]])
    fitted = pd.Series(p[0] * df["a"].to_numpy(), index=df.index)
    return (
        np.sum((dummies.values @ p[:1] - df["y"].values) ** 2)
        + np.sum(p[codes % 2] ** 2)
        + np.sum(joined.to_numpy() * p[0])
        + (fitted * df["y"]).sum()
        + np.sum((pd.DataFrame({"u": df["a"], "v": df["b"]}).values @ p) ** 2)
        + (p[1] if isinstance(df, pd.DataFrame) and pd.notna(df["a"]).all() else 0.0)
    )


def _captured(p, df):
    return ((SERIES - p[0]) ** 2).sum() + (FRAME.y * p[1]).abs().sum() - np.log1p(np.exp(FRAME["b"] * p[0])).sum()


def _plain_python(p, df):
    return (
        p[0] * df["a"].max()
        + p[1] * float(df["y"].iloc[0])
        + df["b"].sum()
        + (1.0 if "a" in df else p[0]) * df.a.mean()
    )


def _lags(p, df):
    eta = p[0] * df.a + p[1] ** 2
    lagged = eta.shift(1).fillna(0) + eta.diff().fillna(eta) + eta.where(df.flag, 0.0)
    windows = eta.rolling(3).mean().dropna() * eta.rolling(3).sum()[2:]
    return (lagged**2).sum() + windows.sum() + eta.median() + eta.quantile(0.3) + eta.diff().dropna().iloc[-1]


def _applied(p, df):
    level = {"u": p[0], "v": p[1], "w": 2.0}
    by_kind = df.kind.astype(str).map(level) + df.sex.map(pd.Series(p, index=["m", "f"]))
    rows = df[["a", "b"]].apply(lambda row: row.a * p[0] + row["b"] * p[1], axis=1)
    total = df.a.apply(lambda a: np.exp(a * p[0])) + (p[1] * df.a).map(lambda eta: eta**2)
    return (by_kind**2).sum() + (rows * df.y).sum() + total.sum()


def _assigned(p, df):
    df = df.assign(eta=p[0] * df.a, both=lambda made: made.eta + p[1] * made.y)
    df.loc[df.a > 0, "both"] = p[0] ** 2
    df["start"] = 0.0
    df.loc[20:21, "start"] = p
    grouped = (
        df.groupby("sex").both.apply(lambda both: (both**2).sum()).sum() + df.groupby("kind")["eta"].agg("sum")["v"]
    )
    frame = pd.DataFrame({"one": p, "two": 2.0})
    return (
        df.both.sum() ** 2
        + (df.start * df.y).sum()
        + grouped
        + (frame.one * frame.two).sum()
        + pd.Series({"k": p[1]})["k"]
    )


USES = [
    _lags,
    _applied,
    _assigned,
    _columns,
    _product,
    _filter,
    _deviations,
    _rows,
    _groups,
    _grouped,
    _densities,
    _parts,
    _new_column,
    _whole,
    _made,
    _captured,
    _plain_python,
]


@pytest.mark.parametrize("f", USES)
def test_uses(f):
    before = FRAME.copy()
    objective = Objective(f, START, (FRAME,))
    value, gradient = objective.value_and_grad(START)
    np.testing.assert_allclose(value, f(START, FRAME), rtol=1e-12)
    expected, error = differences.gradient(lambda p: f(p, FRAME), START)
    np.testing.assert_allclose(gradient, expected, rtol=1e-8, atol=np.max(20 * error) + 1e-9)
    product, error = differences.hessp(objective.grad, START, np.array([0.6, -0.8]))
    np.testing.assert_allclose(
        objective.hessp(START, np.array([0.6, -0.8])), product, rtol=1e-7, atol=np.max(20 * error) + 1e-8
    )
    assert FRAME.equals(before)


def test_columns_are_inputs_of_that_name():
    assert "def value_and_grad(p, y, a, value_)" in printed(_columns, START, (FRAME,))


def test_changed_frames_are_not_stale():
    data = FRAME.copy()
    gradient = autoopt.grad(_product)
    gradient(START, data)
    data.loc[20, "y"] = 5.0
    expected, _ = differences.gradient(lambda p: _product(p, data), START)
    np.testing.assert_allclose(gradient(START, data), expected, rtol=1e-9)


def test_in_a_dict_and_as_attribute():
    class Model:
        def __init__(self, frame):
            self.frame = frame

        def __call__(self, p, data):
            return ((self.frame.y - p[0] * data["x"].a) ** 2).sum() + p[1] ** 2

    model, data = Model(FRAME), {"x": FRAME}
    objective = Objective(model, START, (data,))
    expected, _ = differences.gradient(lambda p: model(p, data), START)
    np.testing.assert_allclose(objective.grad(START), expected, rtol=1e-9)


REFUSED = {
    "a method without account": lambda p, df: (p[0] * df.a).interpolate().iloc[3],
    "a mode": lambda p, df: (p[0] * df.a).mode()[0],
    "an assignment to a part": lambda p, df: _assign_part(df.copy(), p),
}


def _assign_part(df, p):
    df.iloc[0, 1] = p[0]
    return df.a.sum()


@pytest.mark.parametrize("f", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_followed_is_refused(f):
    with pytest.raises(TracingError, match=r"of a pandas object|to_numpy") as refusal:
        Objective(f, START, (FRAME,))
    assert "test_frames.py" in str(refusal.value)
