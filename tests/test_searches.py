"""Roots found by decisions: halving by branches, by np.where and by masks, and what cannot be shown to be a root."""

import math

import numpy as np
import pytest
from scipy.stats import norm

import autoopt
from autoopt.errors import TracingError

K = np.arange(1.0, 5.0)


def cubic(m, x):
    return m**3 + x[0] * m - x[1] - 1


def ends_that_depend(x):
    lo, hi = 0.0, x[0] + 4.0
    for _ in range(60):
        m = (lo + hi) / 2
        if cubic(m, x) > 0:
            hi = m
        else:
            lo = m
    return m


def constant_ends(x):
    lo, hi = 0.0, 5.0
    while hi - lo > 1e-12:
        m = (lo + hi) / 2
        if cubic(m, x) > 0:
            hi = m
        else:
            lo = m
    return x[0] * (lo + hi) / 2


def by_signs(x):
    lo, hi = 0.0, 5.0
    for _ in range(50):
        m = 0.5 * (lo + hi)
        if np.sign(cubic(lo, x)) == np.sign(cubic(m, x)):
            lo = m
        else:
            hi = m
    return 0.5 * (lo + hi)


def by_products(x):
    lo, hi = 0.0 * x[0], 5.0 + x[0] ** 2
    while hi - lo > 1e-10:
        m = 0.5 * (lo + hi)
        if cubic(lo, x) * cubic(m, x) <= 0:
            hi = m
        else:
            lo = m
    return hi**2 + x[0]


def by_kept_values(x):
    lo, hi = 0.0, 5.0
    below = cubic(lo, x)
    while hi - lo > 1e-10:
        m = 0.5 * (lo + hi)
        middle = cubic(m, x)
        if below * middle < 0:
            hi = m
        else:
            lo, below = m, middle
    return lo


def by_math(x):
    a, b = 0.0, 10.0
    for _ in range(100):
        c = (a + b) / 2
        if math.exp(c) - 1 < x[0] + x[1]:
            a = c
        else:
            b = c
    return c * x[0]


def one_in_each_row(x):
    z = np.zeros(4)
    for i in range(4):
        lo, hi = 0.0, 8.0
        for _ in range(45):
            m = (lo + hi) / 2
            if m * np.exp(m) > x[0] * K[i] + x[1]:
                hi = m
            else:
                lo = m
        z[i] = m
    return np.sum(z**2 * K)


def by_where(x):
    lo, hi = np.zeros(4), np.full(4, 8.0)
    for _ in range(45):
        m = (lo + hi) / 2
        up = m * np.exp(m) > x[0] * K + x[1]
        hi, lo = np.where(up, m, hi), np.where(up, lo, m)
    return np.sum(((lo + hi) / 2) ** 2)


def by_products_with_masks(x):
    lo, hi = np.zeros(4), np.full(4, 8.0)
    for _ in range(45):
        m = (lo + hi) / 2
        up = (m * np.exp(m) > x[0] * K + x[1]) * 1.0
        hi, lo = up * m + (1 - up) * hi, (1 - up) * m + up * lo
    return np.sum(m**2)


def by_masks(x):
    lo, hi = np.zeros(1), np.zeros(1) + x[0] + 4.0
    for _ in range(60):
        m = (lo + hi) / 2
        up = cubic(m, x) > 0
        hi[up] = m[up]
        lo[~up] = m[~up]
    return m[0]


def smaller_steps(x):
    c, step = 0.0, 4.0
    for _ in range(50):
        c = c + step if cubic(c, x) < 0 else c - step
        step /= 2
    return c


def doubled_then_halved(x):
    size = 1.0
    while size < x[0] + x[1] / 2:
        size *= 2
    lo, hi = 0.0, size
    while hi - lo > 1e-12:
        m = (lo + hi) / 2
        if m < x[0] + x[1] / 2:
            lo = m
        else:
            hi = m
    return lo


def quantile(x):
    lo, hi = -10.0, 10.0
    for _ in range(60):
        m = (lo + hi) / 2
        if 0.5 * (1 + math.erf((m - x[0]) / math.sqrt(2 * x[1]))) < 0.9:
            lo = m
        else:
            hi = m
    return m


def implied_volatility(x):
    lo, hi = 1e-3, 3.0
    for _ in range(60):
        s = (lo + hi) / 2
        d = (np.log(1 / x[0]) + 0.5 * s * s) / s
        if norm.cdf(d) - x[0] * norm.cdf(d - s) > 0.1 * x[1]:
            hi = s
        else:
            lo = s
    return s


def recursively(x):
    def go(lo, hi, n):
        m = (lo + hi) / 2
        if n == 0:
            return m
        return go(lo, m, n - 1) if cubic(m, x) > 0 else go(m, hi, n - 1)

    return go(0.0, 5.0, 50)


def bit_by_bit(x):
    root = 0.0
    for k in range(45):
        more = root + 4.0 * 2.0**-k
        if more * more <= x[0] + x[1]:
            root = more
    return root


ROOTS = [
    ends_that_depend, constant_ends, by_signs, by_products, by_kept_values, by_math, one_in_each_row, by_where,
    by_products_with_masks, by_masks, smaller_steps, doubled_then_halved, quantile, implied_volatility, recursively,
    bit_by_bit,
]  # fmt: skip


def slope(f, x, p, h=2e-3):
    """Return the derivative of f along p by Richardson's extrapolation of central differences."""
    wide, narrow = ((f(x + s * p) - f(x - s * p)) / (2 * s) for s in (h, h / 2))
    return narrow + (narrow - wide) / 3


@pytest.mark.parametrize("f", ROOTS, ids=lambda f: f.__name__)
def test_roots_found_by_decisions_have_implicit_derivatives(f) -> None:
    objective = autoopt.objective(f, np.array([1.1, 0.55]))
    for x in (np.array([1.1, 0.55]), np.array([1.3, 0.45]), np.array([0.9, 0.6])):
        value, gradient = objective.value_and_grad(x)
        np.testing.assert_allclose(value, f(x), rtol=1e-12)
        np.testing.assert_allclose(gradient, [slope(f, x, p) for p in np.eye(2)], rtol=1e-5, atol=1e-6)
        columns = np.array([slope(objective.grad, x, p) for p in np.eye(2)])
        np.testing.assert_allclose(objective.hess(x), columns, rtol=1e-5, atol=1e-6)


def golden_section(x):
    a, b, g = -5.0, 5.0, (5**0.5 - 1) / 2
    for _ in range(60):
        c, d = b - g * (b - a), a + g * (b - a)
        if (c - x[0]) ** 2 + x[1] * c < (d - x[0]) ** 2 + x[1] * d:
            b = d
        else:
            a = c
    return (a + b) / 2


def golden_section_by_where(x):
    a, b, g = np.zeros(3) - 5, np.zeros(3) + 5, (5**0.5 - 1) / 2
    target = np.array([1.0, 2.0, 3.0]) * x[0] + x[1]
    for _ in range(70):
        c, d = b - g * (b - a), a + g * (b - a)
        left = (c - target) ** 2 < (d - target) ** 2
        a, b = np.where(left, a, c), np.where(left, d, b)
    return np.sum((a + b) / 2 * np.arange(3))


def thirds(x):
    a, b = -5.0, 5.0
    for _ in range(80):
        c, d = a + (b - a) / 3, b - (b - a) / 3
        if (c - x[0]) ** 2 + np.cosh(c) * x[1] < (d - x[0]) ** 2 + np.cosh(d) * x[1]:
            b = d
        else:
            a = c
    return c


def one_within_another(x):
    lo, hi = 0.0, 5.0
    for _ in range(40):
        m = (lo + hi) / 2
        a, b = 0.0, 6.0
        for _ in range(40):
            c = (a + b) / 2
            if c**2 + c > m + x[0]:
                b = c
            else:
                a = c
        if c + m > 1.5 + x[1]:
            hi = m
        else:
            lo = m
    return m


@pytest.mark.parametrize("f", [golden_section, golden_section_by_where, thirds, one_within_another])
def test_searches_that_are_no_roots_are_refused_with_the_line(f) -> None:
    objective = autoopt.objective(f, np.array([1.1, 0.55]))
    for _ in range(2):
        with pytest.raises(TracingError, match="by decisions") as caught:
            objective.value_and_grad(np.array([1.1, 0.55]))
        assert "test_searches.py" in str(caught.value)


def test_a_search_on_a_grid_has_slope_zero() -> None:
    def nearest(x):
        best, least = 0.0, 1e9
        for u in np.linspace(0, 3, 200):
            if (u - x[0]) ** 2 < least:
                best, least = u, (u - x[0]) ** 2
        return best + x[0]

    assert autoopt.grad(nearest)(np.array([1.1])).tolist() == [1.0]


def test_a_recurrence_that_rests_at_a_threshold_is_no_search() -> None:
    rows = np.abs(np.random.default_rng(0).normal(size=(20, 3)))

    def f(w):
        state, total = 0.0, 0.0
        for row in rows:
            state = 0.5 * state + row[0] * w[0] + row[1] * w[1] + row[2] * w[2]
            if state >= 0:
                total += state + np.log1p(np.exp(-state))
            else:
                total += np.log1p(np.exp(state))
        return total

    state, slope = np.zeros(3), np.zeros(3)
    for row in rows:
        state = 0.5 * state + row
        slope += 0.5 * state
    np.testing.assert_allclose(autoopt.grad(f)(np.zeros(3)), slope, rtol=1e-12)
