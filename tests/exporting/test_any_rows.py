"""Exported modules serve data of any number of rows, whatever holds them, or refuse them with the reason."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest

from autoopt.exporting.module import source

RNG = np.random.default_rng(0)
ROWS = 40
X, Y = RNG.normal(size=(200, 3)), RNG.normal(size=200)
TIMES, EVENTS = RNG.exponential(size=200) + 0.1, RNG.random(200) < 0.6
GROUPS = np.resize(RNG.permutation(4), 200)
START = np.array([0.1, 0.2, 0.3])


def module(text: str) -> dict:
    names = {"__name__": "exported"}
    exec(compile(text, "exported.py", "exec"), names)
    return names


def slope(f, x: np.ndarray) -> np.ndarray:
    """Return the gradient of a function by differences of fourth order."""
    h, result = 1e-3, np.empty(x.size)
    for k in range(x.size):
        step = h * np.eye(x.size)[k]
        near, far = f(x + step) - f(x - step), f(x + 2 * step) - f(x - 2 * step)
        result[k] = (8 * near - far) / (12 * h)
    return result


def require_right(found: dict, f, given: tuple) -> None:
    """Compare a module with the function itself; `given` are the module's data, f has its own."""
    for at in (START, START + 0.1 * np.cos(np.arange(3))):
        value, gradient = found["value_and_grad"](at, *given)
        np.testing.assert_allclose(value, f(at), rtol=1e-11)
        np.testing.assert_allclose(gradient, slope(f, at), rtol=1e-7, atol=1e-7)
        if "hess" in found:
            along = np.array([0.3, -0.5, 1.0])
            by_differences = slope(lambda p: slope(f, p) @ along, at)  # noqa: B023
            np.testing.assert_allclose(found["hess"](at, *given) @ along, by_differences, rtol=1e-4, atol=1e-4)


# Objectives that hold their data themselves: `make(X, y)` is the objective, the module takes X and y ------------------


def mean_quartic(w, X, y):
    return np.mean((y - X @ w) ** 4)


def outer(X, y):
    return lambda w: np.mean((y - X @ w) ** 4)


def outer_in_a_helper(X, y):
    def residual(w):
        return y - X @ w

    return lambda w: np.mean(residual(w) ** 4)


class Model:
    def __init__(self, X, y) -> None:
        self.X, self.y = X, y

    def __call__(self, w):
        return np.mean((self.y - self.X @ w) ** 4)

    def loss(self, w):
        z = self.X @ w
        return np.mean(np.logaddexp(0, z) - self.y * z)


class Pipeline:
    def __init__(self, X, y) -> None:
        self.model = Model(X, y)

    def loss(self, w):
        return self.model.loss(w) + np.sum(w**2)


HOLDERS = {
    "outer variables": outer,
    "outer variables of a helper": outer_in_a_helper,
    "callable object": Model,
    "method": lambda X, y: Model(X, y).loss,
    "object in an object": lambda X, y: Pipeline(X, y).loss,
    "partial": lambda X, y: partial(mean_quartic, X=X, y=y),
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", HOLDERS)
def test_data_that_the_objective_holds(name) -> None:
    make = HOLDERS[name]
    text = source(make(X[:ROWS], Y[:ROWS]), START)
    found = module(text)
    for rows in (ROWS, ROWS + 1, 3 * ROWS, 5):
        values = {"X": X[:rows], "y": Y[:rows]}
        arguments = found["value_and_grad"].__code__.co_varnames[1 : found["value_and_grad"].__code__.co_argcount]
        require_right(found, make(**values), tuple(values[argument] for argument in arguments))


# Data as arguments, in containers -------------------------------------------------------------------------------------


@dataclass
class Data:
    X: np.ndarray
    y: np.ndarray


Pair = namedtuple("Pair", ["X", "y"])


def of_attributes(w, data):
    return np.mean((data.y - data.X @ w) ** 4)


def of_keys(w, data):
    return np.mean((data["y"] - data["X"] @ w) ** 4)


def of_positions(w, data):
    return np.mean((data[1] - data[0] @ w) ** 4)


def of_lists(w, t, y):
    return sum((b - w[0] - w[1] * np.sin(a + w[2])) ** 2 for a, b in zip(t, y, strict=True)) / len(t)


def of_lists_as_arrays(w, t, y):
    return np.mean((np.array(y) - w[0] - w[1] * np.sin(np.array(t) + w[2])) ** 2)


def of_rows(w, rows, y):
    return np.mean((np.asarray(y) - np.asarray(rows) @ w) ** 4)


def looped(w, t, y):
    total = 0.0
    for i in range(len(t)):
        total += (y[i] - w[0] - w[1] * np.sin(t[i] + w[2])) ** 2
    return total / len(t)


def recursive(w, y):
    level, total = 0.0, 0.0
    for i in range(len(y)):
        total += (y[i] - level) ** 2
        level = np.tanh(w[0]) * level + w[1] * y[i] + w[2]
    return total / len(y)


def of_sparse(w, X, y):
    return np.mean((y - X @ w) ** 4)


def sparse_rows(n: int):
    from scipy.sparse import csr_array

    return csr_array(np.where(np.abs(X[:n]) > 0.3, X[:n], 0.0))


def trend(w, y):
    t = np.linspace(0, 1, len(y))
    return np.mean((y - w[0] - w[1] * t - w[2] * np.arange(len(y)) / len(y)) ** 4)


def by_shape(w, X, y):
    return np.sum((y - X @ w) ** 4) / X.shape[0]


def with_number(w, X, y):
    return np.sum((y - X @ w) ** 4) / 40  # the user's own number, whatever the data


def scaled(w, X, y):
    return np.mean((y - (X - X.mean(axis=0)) / X.std(axis=0) @ w) ** 4)


def of_groups(w, g, y):
    return np.sum((y - np.append(w, 0.0)[g]) ** 2 * np.cosh(w[0]))


def censored(w, t, event):
    z = np.log(t) * np.exp(w[0]) - w[1]
    return np.sum(np.exp(z)) - np.sum(event * (z + w[0])) + w[2] ** 2


ARGUMENTS = {
    "arrays": (mean_quartic, lambda n: (X[:n], Y[:n])),
    "dataclass": (of_attributes, lambda n: (Data(X[:n], Y[:n]),)),
    "named tuple": (of_attributes, lambda n: (Pair(X[:n], Y[:n]),)),
    "dict": (of_keys, lambda n: ({"X": X[:n], "y": Y[:n]},)),
    "tuple": (of_positions, lambda n: ((X[:n], Y[:n]),)),
    "list of arrays": (of_positions, lambda n: ([X[:n], Y[:n]],)),
    "lists": (of_lists, lambda n: (TIMES[:n].tolist(), Y[:n].tolist())),
    "lists made arrays": (of_lists_as_arrays, lambda n: (TIMES[:n].tolist(), Y[:n].tolist())),
    "list of rows": (of_rows, lambda n: (X[:n].tolist(), Y[:n].tolist())),
    "loop": (looped, lambda n: (TIMES[:n], Y[:n])),
    "recurrence": (recursive, lambda n: (Y[:n],)),
    "arrays made of a length": (trend, lambda n: (Y[:n],)),
    "shape": (by_shape, lambda n: (X[:n], Y[:n])),
    "number in the text": (with_number, lambda n: (X[:n], Y[:n])),
    "data scaled": (scaled, lambda n: (X[:n], Y[:n])),
    "sparse matrix": (of_sparse, lambda n: (sparse_rows(n), Y[:n])),
    "groups": (of_groups, lambda n: (GROUPS[:n], Y[:n])),
    "censored": (censored, lambda n: (TIMES[:n], EVENTS[:n])),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("rows", [ROWS, 9])
@pytest.mark.parametrize("name", ARGUMENTS)
def test_data_that_are_arguments(name, rows) -> None:
    """Of 9 rows as of 40: their number is no number of the code."""
    f, make = ARGUMENTS[name]
    found = module(source(f, START, make(rows)))
    for count in (rows, rows + 1, 3 * rows):
        require_right(found, lambda w, n=count: f(w, *make(n)), make(count))


@pytest.mark.slow
def test_hessians_take_any_rows_too() -> None:
    from scipy.special import gammaln

    def negative_binomial(w, X, y):
        mu, a = np.exp(X[:, :2] @ w[:2]), np.exp(w[2])
        return -np.sum(
            gammaln(y + a) - gammaln(a) - gammaln(y + 1) + a * np.log(a / (a + mu)) + y * np.log(mu / (a + mu))
        )

    counts = np.random.default_rng(1).integers(0, 9, 200)
    found = module(source(negative_binomial, START, (X[:ROWS], counts[:ROWS]), ("gradient", "hessian")))
    for rows in (ROWS, ROWS + 1, 3 * ROWS):
        require_right(found, lambda w, n=rows: negative_binomial(w, X[:n], counts[:n]), (X[:rows], counts[:rows]))


# Frames ---------------------------------------------------------------------------------------------------------------


def by_columns(w, df):
    z = (np.log(df["time"].to_numpy()) - w[0] - w[1] * df["a"].to_numpy()) * np.exp(-w[2])
    return -np.sum(df["event"].to_numpy() * (z - w[2]) - np.exp(z))


def by_series(w, df):
    return ((df["y"] - w[0] - w[1] * df["a"] - w[2] * np.log(df["time"])) ** 4).mean()


def by_matrix(w, df):
    return np.mean((df["y"].to_numpy() - df[["a", "b", "time"]].to_numpy() @ w) ** 4)


def by_dummies(w, df):
    import pandas as pd

    return np.mean((df["y"].to_numpy() - pd.get_dummies(df["g"], drop_first=True).to_numpy(float) @ w) ** 4)


def beside_arrays(w, df, z):
    return np.mean((df["y"].to_numpy() - w[0] - w[1] * z - w[2] * df["a"].to_numpy()) ** 4)


def in_a_dict(w, data):
    return np.mean((data["table"]["y"].to_numpy() - data["X"] @ w) ** 4)


def columns(n: int) -> dict:
    return {
        "time": TIMES[:n], "event": EVENTS[:n] * 1.0, "a": X[:n, 0], "b": X[:n, 1], "y": Y[:n],
        "g": np.array(list("abcd"))[GROUPS[:n]],
    }  # fmt: skip


def pandas_frame(n: int):
    return pytest.importorskip("pandas").DataFrame(columns(n))


def dated_frame(n: int):
    pd = pytest.importorskip("pandas")
    return pd.DataFrame(columns(n), index=pd.date_range("2020-01-01", periods=n))


def polars_frame(n: int):
    return pytest.importorskip("polars").DataFrame(columns(n))


FRAMES = {
    "columns": (by_columns, lambda n: (pandas_frame(n),)),
    "columns, polars": (by_columns, lambda n: (polars_frame(n),)),
    "series": (by_series, lambda n: (pandas_frame(n),)),
    "series with dates": (by_series, lambda n: (dated_frame(n),)),
    "matrix": (by_matrix, lambda n: (pandas_frame(n),)),
    "matrix, polars": (by_matrix, lambda n: (polars_frame(n),)),
    "dummies": (by_dummies, lambda n: (pandas_frame(n),)),
    "frame and array": (beside_arrays, lambda n: (pandas_frame(n), TIMES[:n])),
    "frame in a dict": (in_a_dict, lambda n: ({"table": pandas_frame(n), "X": X[:n]},)),
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", FRAMES)
def test_frames(name) -> None:
    f, make = FRAMES[name]
    found = module(source(f, START, make(ROWS)))
    for rows in (ROWS, ROWS + 1, 3 * ROWS):
        require_right(found, lambda w, n=rows: f(w, *make(n)), make(rows))


# What fixes a length, or the data, is refused -------------------------------------------------------------------------


class Counting(Model):
    def __init__(self, X, y) -> None:
        super().__init__(X, y)
        self.n = len(y)

    def __call__(self, w):
        return np.sum((self.y - self.X @ w) ** 4) / self.n


def counting(X, y):
    n = len(y)
    return lambda w: np.sum((y - X @ w) ** 4) / n


@pytest.mark.parametrize("make", [Counting, counting])
def test_a_number_kept_beside_the_data_fixes_their_rows(make) -> None:
    """The mean over 40 rows is none over 10 by a number 40 that was kept."""
    found = module(source(make(X[:ROWS], Y[:ROWS]), START))
    with pytest.raises(ValueError, match=r"written for 40 rows of \w, not 10 \(.*test_any_rows.py:\d+ may read"):
        found["value_and_grad"](START, X=X[:10], y=Y[:10])
    value, _ = found["value_and_grad"](START, X=X[40:80], y=Y[40:80])
    np.testing.assert_allclose(value, mean_quartic(START, X[40:80], Y[40:80]), rtol=1e-12)


def taken_by_mask(w, t, event):
    hazard = np.exp(w[0]) * np.exp(w[1] * t)
    return -np.sum(np.log(hazard[event])) + np.sum(np.expm1(w[1] * t)) * np.exp(w[0]) / w[1] + w[2] ** 2


def mean_of_some(w, X, y):
    return np.mean((y[y > 0] - X[y > 0] @ w) ** 4)


def summed_by_row(w, X, y):
    total = 0.0
    for i in range(len(y)):
        if y[i] > 0:
            total += (y[i] - X[i] @ w) ** 4
    return total


def centred_in_pandas(w, df):
    middle = df["a"].mean()
    return ((df["y"] - w[0] - w[1] * (df["a"] - middle) - w[2] * middle) ** 2).sum()


def means_of_groups(w, df):
    r = df["y"] - w[0] - w[1] * df["a"]
    return (r.groupby(df["g"]).mean() ** 2).sum() + w[2] ** 2


DECIDED = {
    "rows taken by a mask": (taken_by_mask, lambda n: (TIMES[-n:], EVENTS[-n:])),
    "mean of those": (mean_of_some, lambda n: (X[-n:], Y[-n:])),
    "branches by row": (summed_by_row, lambda n: (X[-n:], Y[-n:])),
    "mean by pandas": (centred_in_pandas, lambda n: (pandas_frame(200)[-n:].reset_index(drop=True),)),
    "means of groups": (means_of_groups, lambda n: (pandas_frame(200)[3 * n :][:n].reset_index(drop=True),)),
}


@pytest.mark.parametrize("name", DECIDED)
def test_what_the_data_decide_is_right_for_them_and_refused_or_right_for_others(name) -> None:
    f, make = DECIDED[name]
    found = module(source(f, START, make(ROWS)))
    require_right(found, lambda w: f(w, *make(ROWS)), make(ROWS))
    for rows in (ROWS - 1, ROWS + 1, 3 * ROWS):
        with pytest.raises(ValueError, match=r"written for"):
            require_right(found, lambda w, n=rows: f(w, *make(n)), make(rows))
            raise ValueError("right, as if written for these")
    shifted = tuple(part[::-1] if isinstance(part, np.ndarray) else part.iloc[::-1] for part in make(ROWS))
    with pytest.raises(ValueError, match=r"written for"):
        require_right(found, lambda w: f(w, *shifted), shifted)
        raise ValueError("right, as if written for these")


# Numbers among the data, and lengths that are alike -------------------------------------------------------------------


@dataclass
class Named:
    X: np.ndarray
    y: np.ndarray
    n: int
    ridge: float
    power: int


def of_named(w, d):
    return np.sum((d.y - d.X @ w) ** d.power) / d.n + d.ridge * np.sum(w**2)


def of_dict(w, d):
    return np.sum((d["y"] - d["X"] @ w) ** d["power"]) / d["n"] + d["ridge"] * np.sum(w**2)


def of_number(w, X, y, n, ridge=0.5, power=4):
    return np.sum((y - X @ w) ** power) / n + ridge * np.sum(w**2)


def named(rows: int, **others) -> dict:
    return {"X": X[:rows], "y": Y[:rows], "n": rows, "ridge": 0.5, "power": 4, **others}


NUMBERS = {
    "dataclass": (of_named, lambda *given, **others: (Named(**named(*given, **others)),)),
    "dict": (of_dict, lambda *given, **others: (named(*given, **others),)),
    "arguments": (of_number, lambda *given, **others: tuple(named(*given, **others).values())),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_among_the_data(name) -> None:
    """A number of rows goes with these; what else is written into the code is refused where it is another."""
    f, make = NUMBERS[name]
    found = module(source(f, START, make(ROWS)))
    for rows in (ROWS, ROWS + 1, 3 * ROWS):
        require_right(found, lambda w, n=rows: f(w, *make(n)), make(rows))
    with pytest.raises(ValueError, match=r"n.* is 41, but there are 40 rows"):
        found["value_and_grad"](START, *make(ROWS, n=41))
    with pytest.raises(ValueError, match=r"written for .*power.* = 4, not 3"):
        found["value_and_grad"](START, *make(ROWS, power=3))


def test_what_has_as_many_rows_by_chance_is_not_taken_for_the_same_length() -> None:
    def f(w, y, z):
        return np.mean((y - w[0]) ** 2) + np.mean((z - w[1]) ** 2) + w[2] ** 2

    found = module(source(f, START, (Y[:ROWS], TIMES[:ROWS])))
    require_right(found, lambda w: f(w, Y[:90], TIMES[:90]), (Y[:90], TIMES[:90]))
    with pytest.raises(ValueError, match="as many rows of y and z"):
        found["value_and_grad"](START, Y[:41], TIMES[:50])
