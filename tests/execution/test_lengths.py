"""Source that is handed out serves data of any length where it can, and says so where it cannot."""

from __future__ import annotations

import numpy as np
import pytest
from test_families import MODELS, X0, garch, halves, mean_square, normal, panel, regression, two_samples

import autoopt
from autoopt import differences
from autoopt.execution import families, source_cache
from autoopt.execution.lengths import _fitted
from autoopt.objectives.objective import printed

RNG = np.random.default_rng(8)


@pytest.fixture(autouse=True)
def _cold(tmp_path, monkeypatch):
    """A cache of each test alone."""
    monkeypatch.setenv("AUTOOPT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(source_cache, "_recent", {})


def evaluated(text, f, x, data, direction=None):
    """Run exported source on data, by the names of the arguments."""
    module: dict = {}
    exec(text, module)
    known = dict(zip(f.__code__.co_varnames, (x, *data), strict=False)) | {"direction": direction}

    def call(name):
        function = module[name]
        return function(
            *(known[argument] for argument in function.__code__.co_varnames[: function.__code__.co_argcount])
        )

    for name in ("prepare", "linearize"):
        known |= call(name) if name in module else {}
    return call("value_and_grad" if "value_and_grad" in module else "hessp")


CHECKED = (normal, halves)
"""Those with a number that is not simple in the number of rows: log(n) + n log(2 pi) / 2, n // 2."""


@pytest.mark.parametrize("f", MODELS, ids=lambda f: f.__name__)
@pytest.mark.sampled(6)
def test_exported_source_is_right_for_other_numbers_of_rows(f):
    text = printed(f, X0, regression(60))
    for n in (40, 90):
        data = regression(n)
        if f in CHECKED:
            with pytest.raises(ValueError, match=f"written for 60 rows of y, not {n}"):
                evaluated(text, f, X0, data)
            continue
        value, gradient = evaluated(text, f, X0, data)
        expected, error = differences.gradient(lambda b, data=data: f(b, *data), X0)
        assert np.isclose(value, f(X0, *data), rtol=1e-13)
        assert np.allclose(gradient, expected, rtol=1e-8, atol=2 * error.max())


@pytest.mark.slow_for("garch")
@pytest.mark.parametrize("f", [garch, mean_square], ids=lambda f: f.__name__)
def test_exported_products_with_the_hessian_are_right_for_other_numbers_of_rows(f):
    text, p = printed(f, X0, regression(60), "hvp"), np.array([1.0, -0.5, 0.25])
    data = regression(41)
    expected, error = differences.hessp(lambda b: autoopt.grad(f)(b, *data), X0, p)
    assert np.allclose(evaluated(text, f, X0, data, p), expected, rtol=1e-8, atol=2 * np.max(error))


@pytest.mark.slow
def test_the_number_of_rows_is_a_symbol():
    text = printed(mean_square, X0, regression(1000))
    assert "n = len(y)" in text
    assert "1 / n * " in text
    assert "0.001" not in text
    text = printed(garch, X0, regression(50))
    assert "linear_recurrence(np.append(h, omega + alpha * " in text


def test_two_lengths_are_two_symbols():
    def data(n, m):
        return RNG.normal(size=n), RNG.normal(size=m)

    text = printed(two_samples, X0, data(70, 50))
    assert "n_u = len(u)" in text
    assert "n_v = len(v)" in text
    other = data(40, 95)
    value, gradient = evaluated(text, two_samples, X0, other)
    assert np.isclose(value, two_samples(X0, *other), rtol=1e-13)
    assert np.allclose(gradient, differences.gradient(lambda b: two_samples(b, *other), X0)[0], rtol=1e-7)


def test_data_in_dictionaries_are_cut_too():
    def f(b, data):
        return np.mean((data["y"] - b[0]) ** 2) + np.sum(b**2)

    assert "n = len(data_y)" in printed(f, X0, ({"y": RNG.normal(size=80)},))


def test_the_width_of_a_panel_is_checked():
    def data(n, k):
        return RNG.normal(size=(n, k)), RNG.normal(size=(n, k))

    text = printed(panel, X0, data(30 + 4, 25))
    other = data(61, 25)
    assert np.isclose(evaluated(text, panel, X0, other)[0], panel(X0, *other), rtol=1e-13)
    with pytest.raises(ValueError, match=r"written for 25 columns of [YZ], not 24\."):
        evaluated(text, panel, X0, data(61, 24))


def test_lengths_of_what_no_argument_holds_are_symbols_too():
    y = RNG.normal(size=60)

    def f(b):
        return np.mean((y - b[0]) ** 2)

    text = printed(f, X0)
    assert np.isclose(evaluated(text, lambda b, y: 0, X0, (y[:50],))[0], np.mean((y[:50] - X0[0]) ** 2), rtol=1e-13)
    assert np.isclose(evaluated(text, lambda b, y: 0, X0, (y,))[0], f(X0), rtol=1e-13)


def test_a_number_of_rows_that_is_an_argument_is_no_length():
    """The source does not take it, and cannot tell whether it goes with the data."""

    def f(b, y, n):
        return np.sum((y - b[0]) ** 2) / n

    y = RNG.normal(size=60)
    text = printed(f, X0, (y, 60))
    with pytest.raises(ValueError, match=r"written for 60 rows of y, not 50 \(.*may read their number\)\."):
        evaluated(text, lambda b, y: 0, X0, (y[:50],))


def test_lengths_known_from_other_data_serve_captured_arrays_too():
    def made(n):
        y = RNG.normal(size=n)
        return lambda b: np.mean((y - b[0]) ** 2)

    for n in (40, 50):
        printed(made(n), X0)
    assert "n = len(y)" in printed(made(70), X0)


@pytest.mark.parametrize(
    "f",
    [
        lambda b, X, y: np.median(y - X @ b) ** 2 + np.mean(y * b[0]),
        lambda b, X, y: np.mean((y - X @ b) ** 2) if len(y) == 60 else 1 / 0,
        lambda b, X, y: np.mean((y - X @ b) ** 2) * np.sin(len(y)),
    ],
    ids=["rounded", "refused", "no form"],
)
def test_where_traces_do_not_align_the_length_is_checked(f):
    data = regression(60)
    text = printed(f, X0, data)
    assert np.isclose(evaluated(text, f, X0, data)[0], f(X0, *data), rtol=1e-12)
    with pytest.raises(ValueError, match="written for 60 rows"):
        evaluated(text, f, X0, regression(50))


def test_source_with_an_array_that_the_objective_makes_is_for_one_length():
    def f(b, y):
        weights = np.array([0.5**k for k in range(len(y))])
        return np.sum(weights) * b[0] ** 2 + np.sum((y - b[1]) ** 2)

    data = (RNG.normal(size=60),)
    text = printed(f, X0, data)
    assert np.isclose(evaluated(text, f, X0, data)[0], f(X0, *data), rtol=1e-13)
    with pytest.raises(ValueError, match="written for 60 rows"):
        evaluated(text, f, X0, (RNG.normal(size=50),))


def test_source_that_depends_on_no_length_has_neither_symbol_nor_check():
    text = printed(lambda b, X, y: np.sum((y - X @ b) ** 2), X0, regression(60))
    assert "len(" not in text
    assert "raise" not in text


def test_a_symbol_takes_no_name_of_the_users():
    def f(b, n):
        return np.mean((n - b[0]) ** 2)

    text = printed(f, X0, (RNG.normal(size=60),))
    assert "n_ = len(n)" in text
    data = (RNG.normal(size=77),)
    assert np.isclose(evaluated(text, f, X0, data)[0], f(X0, *data), rtol=1e-13)


def test_what_the_objective_keeps_outside_is_left_as_it_is():
    calls = []

    def f(b, y):
        calls.append(len(y))
        return np.mean((y - b[0]) ** 2)

    printed(f, X0, (RNG.normal(size=60),))
    assert set(calls) <= {60}


def test_loops_that_end_on_a_condition_keep_their_counts():
    def f(b, y):
        z = b[0]
        while abs(z) > 1e-3:
            z = z / 2
        return np.mean((y - z - b[1]) ** 2)

    data = (RNG.normal(size=60),)
    text = printed(f, X0, data)
    assert "n = len(y)" in text
    assert np.isclose(evaluated(text, f, X0, data)[0], f(X0, *data), rtol=1e-13)


@pytest.mark.parametrize(
    ("code", "before", "after", "expected"),
    [
        ("n", "np.empty(", ")", "n"),
        ("n - 1", "y[0:", "]", "n - 1"),
        ("n - 1", "x * ", "\n", "(n - 1)"),
        ("1 / n", "value = ", " * total", "1 / n"),
        ("1 / n", "value = -", " * total", "(1 / n)"),
        ("1 / n", "x / ", "\n", "(1 / n)"),
        ("1 / n", "value = ", " ** 2", "(1 / n)"),
        ("1 / n", "value = ", "**2", "(1 / n)"),
        ("1 / n", "value = ", " @ x", "(1 / n)"),
        ("1 / n", "x - ", " * y", "1 / n"),
        ("n - 1", "x - ", " * y", "(n - 1)"),
    ],
)
def test_parentheses_are_where_they_are_needed(code, before, after, expected):
    assert _fitted(code, before, after) == expected


def test_too_few_lengths_make_no_symbol(monkeypatch):
    monkeypatch.setattr(families, "ENOUGH", 4)
    text = printed(mean_square, X0, regression(60))
    assert "len(y) != 60" in text


def half(b, y):
    m = len(y) // 2
    return np.sum((y[:m] - b[0]) ** 2) + np.sum((y[m:] - b[1]) ** 4)


def by_parity(b, y):
    return np.sum((y - b[0]) ** 2) + (b[1] ** 2 if len(y) % 2 else 3 * b[1] ** 2)


def capped(b, y):
    return min(len(y), 20) * b[0] ** 2 + np.sum((y - b[1]) ** 2)


def lagged(b, y):
    n, u = len(y), y - b[0]
    lags = int(4 * (n / 100) ** (2 / 9))
    return (
        np.mean(u * u)
        + b[1] ** 2
        + sum(2 * (1 - k / (lags + 1)) * np.sum(u[k:] * u[:-k]) / n for k in range(1, lags + 1))
    )


@pytest.mark.parametrize("f", [half, by_parity, capped, lagged])
@pytest.mark.parametrize("rows", [10, 37])
def test_what_an_objective_does_by_its_number_of_rows_is_checked(f, rows):
    """No number of the code tells of a branch on it."""
    text = printed(f, X0[:2], (RNG.normal(size=rows),))
    with pytest.raises(ValueError, match=f"written for {rows} rows of y, not 101"):
        evaluated(text, f, X0[:2], (RNG.normal(size=101),))


def test_source_says_from_how_many_rows_on_it_holds():
    def f(b, y):
        return np.sum((y - b[0]) ** 2) * (2.0 if len(y) > 12 else 1.0) + b[1] ** 2

    text = printed(f, X0[:2], (RNG.normal(size=37),))
    for rows in (13, 20, 101):
        y = RNG.normal(size=rows)
        assert np.isclose(evaluated(text, f, X0[:2], (y,))[0], f(X0[:2], y), rtol=1e-13)
    with pytest.raises(ValueError, match="for 13 rows of y or more, not 12"):
        evaluated(text, f, X0[:2], (RNG.normal(size=12),))


def test_source_of_decisions_from_the_data_says_so():
    def f(b, y):
        return sum((2.0 if v < 0 else 1.0) * (v - b[0]) ** 2 for v in y)

    assert "goes by what is in its data" in printed(f, X0[:1], (RNG.normal(size=40),))
