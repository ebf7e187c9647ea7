"""Exported modules refuse parameters whose parts have other shapes; what they compare with is one expression."""

from __future__ import annotations

import ast

import numpy as np
import pandas as pd
import pytest

import autoopt
from autoopt.codegen.constants import inline_text
from autoopt.errors import AutooptError, ModelError
from autoopt.exporting.functions import names_read
from autoopt.users_code import users_code

X = np.linspace(0.0, 1.0, 20)
Y = 1 + X


def by_entries(p, x, y):
    r = y - p["a"] - p["b"][0] * x - p["b"][1] * x**2
    return np.sum(r**2) * np.exp(-2 * p["log_s"]) + 20 * p["log_s"]


def by_parts(p, x, y):
    return np.sum((y - p["a"] - np.column_stack([x, x**2]) @ p["b"]) ** 2) + np.exp(p["log_s"])


def mixture(p, x):
    return -np.sum(np.log(np.sum(np.exp(-((x[:, None] - p["centres"]) ** 2)) * p["w"], axis=1)))


START = {"a": 0.5, "b": np.array([0.1, 0.2]), "log_s": 0.3}
CENTRES = {"centres": np.linspace(0, 1, 5), "w": np.ones(5)}
OTHERS = [
    (by_entries, START, (X, Y), {"b": np.ones(3)}, r"^b has shape \(3,\), not \(2,\)\.$"),
    (by_entries, START, (X, Y), {"b": [0.1]}, r"^b has shape \(1,\), not \(2,\)\.$"),
    (by_parts, START, (X, Y), {"b": np.ones(1)}, r"^b has shape \(1,\), not \(2,\)\.$"),
    (by_parts, START, (X, Y), {"a": np.ones(20)}, r"^a has shape \(20,\), not \(\)\.$"),
    (by_entries, START, (X, Y), {"a": np.ones(2), "b": np.ones(1)}, r"^a has shape \(2,\), not \(\)\.$"),
    (mixture, CENTRES, (X,), {"centres": np.linspace(0, 1, 6), "w": np.ones(6)}, r"^centres has shape \(6,\), not"),
    (mixture, CENTRES, (X,), {"centres": np.linspace(0, 1, 6), "w": np.ones(4)}, r"^centres has shape \(6,\), not"),
]


@pytest.mark.slow_for("by_entries", "mixture")
@pytest.mark.parametrize("f", [by_entries, by_parts, mixture])
def test_parts_of_another_shape_are_refused(f) -> None:
    cases = [case for case in OTHERS if case[0] is f]
    _, x0, args, _, _ = cases[0]
    module: dict = {}
    exec(autoopt.source(f, x0, args, ("gradient", "hessian", "hvp")), module)
    assert module["value_and_grad"](x0, *args)[0] == pytest.approx(f(x0, *args), rel=1e-12)
    for _, _, _, other, said in cases:
        q = x0 | other
        for name in ("value_and_grad", "grad", "hess", "linearize"):
            with pytest.raises(ValueError, match=said):
                module[name](q, *args)
        with pytest.raises(ValueError, match=said):
            module["hvp"](x0, q, *args)


def test_numbers_alone_need_no_check() -> None:
    assert "check_shapes" not in autoopt.source(
        lambda p, x: np.sum((x - p["a"]) ** 2) * p["b"], {"a": 1.0, "b": 2.0}, X
    )


@pytest.mark.parametrize("rows", [3, 40, 200])
def test_a_column_with_nan_of_any_length(rows) -> None:
    rng = np.random.default_rng(0)
    df = pd.DataFrame({"x": rng.normal(size=rows), "d": rng.integers(0, 2, rows)})
    df.loc[1, "x"] = np.nan

    def f(p, df):
        return np.sum(df["d"] * (df["x"] - p[0]) ** 2)

    module: dict = {}
    exec(autoopt.source(f, np.ones(1), (df,)), module)
    kept = df.dropna()
    value, gradient = module["value_and_grad"](np.ones(1), df)
    assert value == pytest.approx(f(np.ones(1), df), rel=1e-12)
    assert gradient[0] == pytest.approx(-2 * np.sum(kept["d"] * (kept["x"] - 1.0)), rel=1e-12)


@pytest.mark.parametrize(
    "value",
    [
        np.arange(100) % 7 == 3,
        np.random.default_rng(0).normal(size=60),
        np.random.default_rng(0).integers(0, 99, (30, 20)),
        np.random.default_rng(0).normal(size=(2, 3, 1, 40)),
        np.array([np.nan, np.inf, -0.0] * 30),
    ],
)
def test_text_within_statements_is_one_line(value) -> None:
    text = inline_text(value)
    assert "\n" not in text and isinstance(ast.parse(text, mode="eval").body, ast.expr)
    np.testing.assert_array_equal(eval(text), value)


def test_text_of_our_own_that_is_not_python_is_not_told_as_the_users() -> None:
    with pytest.raises(AutooptError, match=r"autoopt itself failed .* IndentationError"), users_code("this"):
        names_read(["    if x:", "y"])
    with pytest.raises(ModelError, match="raised SyntaxError"), users_code("this"):
        exec("eval('1 +')", {})
