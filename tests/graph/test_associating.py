"""Products associated so that they share most: the same numbers, and finite wherever they were."""

from __future__ import annotations

import random

import mpmath
import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor import scalar as ps
from pytensor.compile.mode import Mode
from pytensor.graph.traversal import io_toposort
from scipy.special import gammaln

import autoopt
from autoopt.graph.idioms.associating import associated
from autoopt.graph.idioms.common_factors import factored
from autoopt.ops.patterns import is_elementwise

mpmath.mp.dps = 60


def arrays(names: str, *shape: int):
    variables = [pt.tensor(name, dtype="float64", shape=shape) for name in names]
    rng = np.random.default_rng(len(shape))
    return variables, [1.0 + rng.random(shape) for _ in names]


def products(variables, results) -> int:
    """Return how many multiplications and divisions of arrays there are."""
    nodes = io_toposort(variables, results)
    kinds = (ps.Mul, ps.TrueDiv, ps.Sqr)
    return sum(len(n.inputs) - 1 or 1 for n in nodes if is_elementwise(n.outputs[0], kinds))


def check(variables, values, results, most=None, written=lambda one, other: False):
    """Associate results, of which the first is the value; the numbers must be the same."""
    found = associated(variables, factored(variables, results, len(results)), len(results), written)
    compiled = pytensor.function(variables, [*found, *results], mode=Mode("py", None), on_unused_input="ignore")
    everything = compiled(*values)
    for new, old in zip(everything[: len(found)], everything[len(found) :], strict=True):
        np.testing.assert_allclose(new, old, rtol=1e-13, atol=1e-14)
    if most is not None:
        assert products(variables, found) <= most < products(variables, results)
    return found


def test_what_the_value_computes_is_used_again() -> None:
    (x, m, s, e), values = arrays("xmse", 6)
    d = x - m
    check([x, m, s, e], values, [pt.exp(d * s).sum(), d * e * s / (1 + e)], most=3)


def test_a_pair_of_two_derivatives_is_made_once() -> None:
    (u, v, w, t), values = arrays("uvwt", 6)
    check([u, v, w, t], values, [pt.exp(u).sum(), u * v * w / t, w / t * u], most=3)


def test_a_sum_is_read_with_what_it_is_multiplied_by() -> None:
    (s,), first = arrays("s", 3)
    (A, B), second = arrays("AB", 5, 3)
    results = [pt.exp(A).sum(), -((s * A * B).sum(axis=0)), (A * B * s).sum(axis=0) * s]
    check([s, A, B], [*first, *second], results)


def test_the_value_is_computed_in_the_order_that_it_is_written_in() -> None:
    (a, b, c, d), values = arrays("abcd", 4)
    value = pt.exp(pt.mul(a, c, b)).sum() + pt.sin(pt.mul(a, d, b)).sum()
    for found in (check([a, b, c, d], values, [value, pt.mul(a, c, b)]),):
        assert found[0] is value
    pairs = {frozenset((a, b))}
    check([a, b, c, d], values, [value], most=3, written=lambda one, other: frozenset((one, other)) in pairs)


def test_two_exponentials_are_not_multiplied_where_the_user_has_not_done_so() -> None:
    (u, v), _ = arrays("uv", 4)
    (w, t), _ = arrays("wt", 4)
    one, other = pt.exp(u), pt.exp(v)
    results = [pt.cos(u).sum(), one * w * other, one * t * other]
    found = associated([u, v, w, t], results, 3, lambda one, other: False)
    compiled = pytensor.function([u, v, w, t], found, mode=Mode("py", None))
    big, small = np.full(4, 400.0), np.full(4, 1e-300)
    for got in compiled(big, big, small, small)[1:]:
        assert np.isfinite(got).all()


def test_what_is_multiplied_and_divided_by_is_left_out_but_for_its_axes() -> None:
    (u, v), first = arrays("uv", 3)
    (A, B), second = arrays("AB", 5, 3)
    q = u / v
    results = [pt.log(q).sum(), B[0] / q / v * u, (A * u / u).sum(axis=0), (A / A * u).sum(axis=0), A / A * u, A / A]
    found = check([u, v, A, B], [*first, *second], results)
    assert not any(is_elementwise(n.outputs[0], (ps.Mul, ps.TrueDiv)) for n in io_toposort([u, v, A, B], found[1:3]))


def test_common_factors_are_taken_out() -> None:
    (a, b, u, v), values = arrays("abuv", 6)
    inputs = [a, b, u, v]
    check(inputs, values, [pt.exp(a).sum(), b * u + b * v], most=1)
    check(inputs, values, [pt.exp(a).sum(), u / b - v / b], most=1)
    check(inputs, values, [pt.gammaln(u + v).sum(), pt.exp(v / b), u / b + v / b], most=2)
    check(inputs, values, [pt.exp(a).sum(), b * (a - u / b)], most=1)
    hidden = check(inputs, values, [pt.cos(a).sum(), pt.exp(a) * u * pt.exp(b) + pt.exp(a) * v * pt.exp(b)])[1]
    compiled = pytensor.function(inputs, hidden, mode=Mode("py", None))
    assert np.isfinite(compiled(*[np.full(6, 400.0)] * 2, *[np.full(6, 1e-300)] * 2)).all()


@pytest.mark.parametrize("seed", range(30))
def test_random_products_and_sums(seed: int) -> None:
    draw = random.Random(seed)
    vectors, first = arrays("ab", 3)
    longer, second = arrays("cd", 4)
    matrices, third = arrays("ABC", 4, 3)
    rows = [*vectors, *matrices, *(v[:, None] for v in longer)]

    def factor():
        v = draw.choice(rows)
        return draw.choice([v, v, pt.sqr(v), -v, 1 / (1 + v), pt.exp(-v), v * draw.choice(vectors), 2.5 * v])

    def term():
        made = factor() * factor()
        for _ in range(draw.randrange(3)):
            made = made * factor() if draw.random() < 0.7 else made / factor()
        made = pt.zeros((4, 3)) + made if made.ndim < 2 else made
        return draw.choice([made, made.sum(axis=0), made.sum(axis=1), made.sum(), made.sum(axis=0) * vectors[0]])

    inputs = [*vectors, *longer, *matrices]
    value = pt.sin(term()).sum() + pt.cos(term()).sum()
    check(inputs, [*first, *second, *third], [value, *(term() for _ in range(5))])
    u, v, w = factor(), factor(), factor()
    sums = [u * v + u * w, u / w - v / w, u * (v - w / u), (v / u + matrices[0]) * u, pt.sqr(u) * v + u * w * v]
    totals = [(pt.zeros((4, 3)) + s).sum(axis=0) * draw.choice(rows) for s in sums]
    check(inputs, [*first, *second, *third], [value, *sums, *totals])


# Gradients against numbers of 60 digits -------------------------------------------------------------------------------

X = np.array([-1.5, 0.25, 0.25, 3.0, 7.5])


def mixture(p, x):
    logits, mu, log_sd = p[:2], p[2:4], p[4:]
    Z = (x[:, None] - mu) / np.exp(log_sd)
    lp = logits - np.log(np.sum(np.exp(logits))) - log_sd - 0.5 * Z**2
    m = lp.max(axis=1, keepdims=True)
    return -np.sum(m[:, 0] + np.log(np.sum(np.exp(lp - m), axis=1)))


def mixture_exactly(p, x):
    a, mu, s = p[:2], p[2:4], p[4:]
    total = mpmath.log(sum(map(mpmath.exp, a)))
    return -sum(
        mpmath.log(sum(mpmath.exp(a[k] - total - s[k] - ((v - mu[k]) / mpmath.exp(s[k])) ** 2 / 2) for k in range(2)))
        for v in x
    )


def weibull(p, x):
    z = (np.log(x**2) - p[0] - p[1] * x) / np.exp(p[2])
    return -np.sum((x > 0) * (z - p[2]) - np.exp(z))


def weibull_exactly(p, x):
    z = [(mpmath.log(v**2) - p[0] - p[1] * v) / mpmath.exp(p[2]) for v in x]
    return -sum((v > 0) * (z - p[2]) - mpmath.exp(z) for v, z in zip(x, z, strict=True))


def densities(p, x):
    Z = (x[:, None] - p[:2]) / np.exp(p[2:])
    return -np.mean(np.log((np.exp(-0.5 * Z**2) / np.exp(p[2:])).sum(axis=1)))


def densities_exactly(p, x):
    def of(v, m, s):
        return mpmath.exp(-(((v - m) / mpmath.exp(s)) ** 2) / 2) / mpmath.exp(s)

    return -sum(mpmath.log(of(v, p[0], p[2]) + of(v, p[1], p[3])) for v in x) / len(x)


def negative_binomial(p, x):
    r, mu, y = np.exp(-p[0]), np.exp(p[1] + p[2] * x), np.floor(np.abs(x))
    return -np.sum(gammaln(y + r) - gammaln(r) + r * np.log(r / (r + mu)) + y * np.log(mu / (r + mu)))


def negative_binomial_exactly(p, x):
    def of(v, y):
        r, mu = mpmath.exp(-p[0]), mpmath.exp(p[1] + p[2] * v)
        gammas = mpmath.loggamma(y + r) - mpmath.loggamma(r)
        return gammas + r * mpmath.log(r / (r + mu)) + y * mpmath.log(mu / (r + mu))

    return -sum(of(v, mpmath.floor(abs(v))) for v in x)


def in_order(p, x):
    a, b = np.exp(p[0] * x), np.exp(p[1] * x)
    return np.sum(a * np.exp(-p[0] * x) * b) + np.sum(np.log1p(a * np.exp(-p[2] * x) * b))


def in_order_exactly(p, x):
    a, b = [[mpmath.exp(q * v) for v in x] for q in p[:2]]
    shifted = [[mpmath.exp(-q * v) for v in x] for q in (p[0], p[2])]
    first = sum(a[k] * shifted[0][k] * b[k] for k in range(len(x)))
    return first + sum(mpmath.log1p(a[k] * shifted[1][k] * b[k]) for k in range(len(x)))


def written_twice(p, x):
    u = p[0] * x
    v = u * p[1]
    return np.sum(np.exp(v * 0.1) + np.cos(v * p[2]) + np.log1p(v**2 * p[2] ** 2))


def written_twice_exactly(p, x):
    v = [p[0] * w * p[1] for w in x]
    return sum(mpmath.exp(w / 10) + mpmath.cos(w * p[2]) + mpmath.log1p(w**2 * p[2] ** 2) for w in v)


CASES = {
    "mixture": (mixture, mixture_exactly, [0.1, -0.3, 0.25, 2.0, 0.0, 0.4]),
    "weibull": (weibull, weibull_exactly, [0.2, 0.1, -0.3]),
    "densities": (densities, densities_exactly, [0.25, 1.0, 0.1, 0.3]),
    "negative binomial": (negative_binomial, negative_binomial_exactly, [0.3, -0.2, 0.1]),
    "in order": (in_order, in_order_exactly, [0.3, -0.2, 0.1]),
    "written twice": (written_twice, written_twice_exactly, [0.5, -0.7, 1.2]),
}

POINTS = {
    "as given": lambda p: p,
    "zero": lambda p: 0.0 * p,
    "ties": lambda p: np.full(p.shape, 0.25),
    "far": lambda p: np.where(np.arange(p.size) % 2, 40.0, -3.0),
    "800": lambda p: np.where(np.arange(p.size) < 2, [800.0, -800.0, 1.0, 1.0, 1.0, 1.0][: p.size], p),
    "-800": lambda p: np.where(np.arange(p.size) == 0, -800.0, p),
}


@pytest.mark.parametrize("name", CASES)
def test_gradients_at_awkward_points(name: str) -> None:
    function, exactly, start = CASES[name]
    objective = autoopt.objective(function, np.array(start), X)
    exact = [mpmath.mpf(v) for v in X]
    for where, point in POINTS.items():
        p = point(np.array(start))
        with np.errstate(all="ignore"):
            value, gradient = objective.value_and_grad(p)
            plain = function(p, X)
        if not np.isfinite(plain):
            continue
        right = [
            float(mpmath.diff(lambda q, p=p, k=k: exactly([*p[:k], q, *p[k + 1 :]], exact), mpmath.mpf(p[k])))
            for k in range(p.size)
        ]
        np.testing.assert_allclose(value, float(exactly([*map(mpmath.mpf, p)], exact)), rtol=1e-12, err_msg=where)
        np.testing.assert_allclose(gradient, right, rtol=2e-11, atol=1e-13 * np.abs(right).max(), err_msg=where)
