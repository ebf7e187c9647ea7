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


def cubes(way):
    """Three roots at once: of m**3 + x0 m = x1 + c."""
    c = np.array([0.5, 1.0, 2.0])

    def f(x):
        ends = np.array([np.zeros(3), np.full(3, 9.0)])
        for _ in range(60):
            m = ends.mean(axis=0)
            ends = way(ends, m, m**3 + x[0] * m - x[1] - c > 0)
        return np.sum(ends[0] ** 2)

    return f


def by_index(ends, m, above):
    ends[above.astype(int), np.arange(3)] = m
    return ends


def by_choose(ends, m, above):
    return np.array([np.choose(above.astype(int), [m, ends[0]]), np.choose(above.astype(int), [ends[1], m])])


def by_select(ends, m, above):
    return np.array([np.select([~above, above], [m, ends[0]]), np.select([above], [m], ends[1])])


def at_a_fixed_point(x):
    """The root is 1 at x0 = 0, as is its cube, which is read, too."""
    lo, hi = 0.0, 3.7
    for _ in range(55):
        m = (lo + hi) / 2
        c = m**3
        if c > 1 + x[0] ** 2 + x[1]:
            hi = m
        else:
            lo = m
    return m + 1.0 * x[1] ** 2 + c


ROOTS = [
    ends_that_depend, constant_ends, by_signs, by_products, by_kept_values, by_math, one_in_each_row, by_where,
    by_products_with_masks, by_masks, smaller_steps, doubled_then_halved, quantile, implied_volatility, recursively,
    bit_by_bit, cubes(by_index), cubes(by_choose), cubes(by_select), at_a_fixed_point,
]  # fmt: skip


def slope(f, x, p, h=2e-3):
    """Return the derivative of f along p by Richardson's extrapolation of central differences."""
    wide, narrow = ((f(x + s * p) - f(x - s * p)) / (2 * s) for s in (h, h / 2))
    return narrow + (narrow - wide) / 3


@pytest.mark.parametrize("f", ROOTS, ids=lambda f: f.__name__)
@pytest.mark.sampled(7)
def test_roots_found_by_decisions_have_implicit_derivatives(f) -> None:
    objective = autoopt.objective(f, np.array([1.1, 0.55]))
    for x in (np.array([1.1, 0.55]), np.array([1.3, 0.45]), np.array([0.9, 0.6])):
        value, gradient = objective.value_and_grad(x)
        np.testing.assert_allclose(value, f(x), rtol=1e-12)
        np.testing.assert_allclose(gradient, [slope(f, x, p) for p in np.eye(2)], rtol=1e-5, atol=1e-6)
        columns = np.array([slope(objective.grad, x, p) for p in np.eye(2)])
        np.testing.assert_allclose(objective.hess(x), columns, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("x", [np.zeros(2), np.array([0.3, 0.5])], ids=["zeros", "beside"])
def test_the_first_point_may_be_a_fixed_point_of_the_equation(x) -> None:
    objective = autoopt.objective(at_a_fixed_point, x)
    u = (1 + x[0] ** 2 + x[1]) ** (1 / 3)
    first, second = 1 / (3 * u**2), -2 / (9 * u**5)
    inner = np.array([2 * x[0], 1.0])
    np.testing.assert_allclose(objective.grad(x), first * inner + [2 * x[0], 1 + 2 * x[1]], rtol=1e-9)
    expected = second * np.outer(inner, inner) + np.diag([2 * first + 2, 2.0])
    np.testing.assert_allclose(objective.hess(x), expected, rtol=1e-7, atol=1e-8)


STEPS = {
    "sign": lambda u, s, h: u - s * np.sign(h),
    "copysign": lambda u, s, h: u - np.copysign(s, h),
    "math.copysign": lambda u, s, h: u - math.copysign(s, h),
    "heaviside": lambda u, s, h: u + s - 2 * s * np.heaviside(h, 0.5),
    "signbit": lambda u, s, h: u - s * (1 - 2 * np.signbit(h)),
    "bool": lambda u, s, h: u + s * (1 - 2 * (h > 0)),
    "dict": lambda u, s, h: u + {True: -s, False: s}[bool(h > 0)],
}
FLAT = {
    "int": lambda u, s, h: u - s * (2 * int(h > 0) - 1),
    "clip": lambda u, s, h: u - s * np.clip(h * 1e300, -1, 1),
    "quotient": lambda u, s, h: u - s * h / np.abs(h),
    "tanh": lambda u, s, h: u - s * np.tanh(1e20 * h),
    "argmax": lambda u, s, h: u - s * (np.argmax([0.0, h]) * 2 - 1),
}


def halved(step):
    def f(x):
        u, s = 2.0, 1.0
        for _ in range(52):
            u = step(u, s, cubic(u, x))
            s *= 0.5
        return u

    return f


@pytest.mark.parametrize("x", [np.array([1.1, 0.55]), np.array([2.0, 0.3])], ids=str)
@pytest.mark.parametrize("name", [*STEPS, *FLAT])
@pytest.mark.sampled(2)
def test_steps_by_signs_are_right_and_flat_ones_refused(name, x) -> None:
    f = halved((STEPS | FLAT)[name])
    if name in FLAT:
        with pytest.raises(TracingError, match="no derivative"):
            autoopt.objective(f, x).value_and_grad(x)
    else:
        u = f(x)
        gradient = autoopt.objective(f, x).value_and_grad(x)[1]
        np.testing.assert_allclose(gradient, np.array([-u, 1]) / (3 * u**2 + x[0]), rtol=1e-9)


def least(x):
    """The least value of (t - x0)**2 + x1 t**2, whose slope is that of its terms, but not its curvature."""
    lo, hi = -3.0, 3.0
    for _ in range(90):
        a, b = lo + (hi - lo) / 3, hi - (hi - lo) / 3
        if (a - x[0]) ** 2 + x[1] * a**2 < (b - x[0]) ** 2 + x[1] * b**2:
            hi = b
        else:
            lo = a
    return ((lo + hi) / 2 - x[0]) ** 2 + x[1] * ((lo + hi) / 2) ** 2


@pytest.mark.slow
def test_a_minimum_that_was_searched_for_has_a_slope_and_no_curvature() -> None:
    x = np.array([1.1, 0.55])
    objective = autoopt.objective(least, x)
    np.testing.assert_allclose(objective.grad(x), [2 * x[0] * x[1] / (1 + x[1]), (x[0] / (1 + x[1])) ** 2], rtol=1e-7)
    for second in (lambda: objective.hess(x), lambda: objective.hessp(x, np.ones(2))):
        with pytest.raises(TracingError, match="second derivative") as caught:
            second()
        assert "test_searches.py" in str(caught.value)


def test_a_memo_has_no_curvature_where_its_slope_is_zero() -> None:
    memo: dict = {}

    def f(x):
        key = str(x)
        if key not in memo:
            memo[key] = np.sum(x**2)
        return 2 * memo[key]

    f(np.zeros(2))
    objective = autoopt.objective(f, np.zeros(2))
    with pytest.raises(TracingError, match="second derivative"):
        objective.hess(np.zeros(2))


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
@pytest.mark.sampled(3)
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
