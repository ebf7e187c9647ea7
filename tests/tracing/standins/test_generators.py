"""Random numbers in an objective: constants where the objective seeds them, refused where each call draws others."""

from __future__ import annotations

import random

import numpy as np
import pytest
import scipy.stats
from plainly import Cases, check

import autoopt
from autoopt import differences
from autoopt.errors import TracingError

OUTSIDE, LEGACY = np.random.default_rng(3), np.random.RandomState(4)
X = np.array([1.1, 0.55])
case = Cases()


@case
def generator(x):
    rng = np.random.default_rng(0)
    drawn = np.sum((x[0] + x[1] * rng.standard_normal(5)) ** 2) + np.sum(x[rng.integers(0, 2, size=4)] ** 2)
    other = np.random.Generator(np.random.PCG64(7))
    return drawn + other.normal() * x[0] + rng.spawn(1)[0].random() * x[1] + np.sum(x[rng.permutation(2)] * [1, 3])


@case
def located_and_scaled(x):
    total = 0.0
    for rng in (np.random.default_rng(0), np.random.RandomState(0)):
        total += np.sum(rng.normal(x[0], x[1] ** 2, size=(2, 3)) ** 2) + rng.normal(scale=x[0] ** 2)
        total += np.sum(np.cos(rng.uniform(x[0], x[0] + x[1] ** 2, 4))) + np.sum(rng.lognormal(x[0], x[1] ** 2, 3))
        total += np.sum(rng.normal(x, x**2) ** 2) + rng.standard_normal() * x[0]
    return total


@case
def other_families(x):
    total = 0.0
    for rng in (np.random.default_rng(1), np.random.RandomState(1)):
        total += np.sum(rng.gumbel(x[0], x[1] ** 2, 3) ** 2) + np.sum(rng.laplace(x[0], x[1] ** 2, 3) ** 2)
        total += np.sum(rng.logistic(x, x**2) ** 2) + np.sum(np.sqrt(rng.exponential(x[0] ** 2, 3)))
        total += rng.rayleigh(x[0] ** 2) * rng.gamma(2.0, x[1] ** 2) + rng.multivariate_normal(x, np.eye(2), 3).sum()
    return total


@case
def covariance(x):
    cov = np.array([[1 + x[0] ** 2, 0.3], [0.3, 2 + x[1] ** 2]])
    return np.sum(np.random.default_rng(0).multivariate_normal(x, cov, size=3, method="cholesky") ** 2)


@case
def seeded_modules(x):
    np.random.seed(3)  # noqa: NPY002
    random.seed(1)
    total = np.sum(np.random.normal(x[0], x[1] ** 2, 3) ** 2) + np.sum(np.random.rand(2) * x)  # noqa: NPY002
    own = random.Random(5)
    return total + random.gauss(x[0], x[1] ** 2) ** 2 + own.uniform(x[0], 3.0) * own.expovariate(x[0] ** 2)


@case
def a_generator_from_outside_that_is_seeded(x):
    LEGACY.seed(2)
    return np.sum(LEGACY.normal(x[0], x[1] ** 2, 3) ** 2)


@case
def shuffled(x):
    rng, order, held, row = np.random.default_rng(4), np.arange(5), [x[0], 2.0, x[1] ** 2], x * np.ones(2)
    rng.shuffle(order)
    rng.shuffle(held)
    np.random.RandomState(3).shuffle(row)
    return np.sum(order * np.arange(5) * x[0]) + held[0] ** 2 * held[1] + row[0] ** 2 + held[2]


@case
def a_recurrence(x):
    rng, level = np.random.default_rng(0), 0.0
    for _ in range(6):
        level = 0.5 * level + rng.normal(0, x[0] ** 2) + rng.uniform()
    return level**2 * x[1]


@case
def of_scipy(x):
    total = np.sum(scipy.stats.norm.rvs(x[0], x[1] ** 2, size=3, random_state=0) ** 2)
    total += np.sum(scipy.stats.t(5, loc=x[0]).rvs(size=3, random_state=np.random.default_rng(1)) ** 2)
    return total + np.sum((x[0] + x[1] * scipy.stats.gamma.rvs(2.0, size=3, random_state=2)) ** 2)


@pytest.mark.parametrize("f", case, ids=lambda f: f.__name__)
def test_value_gradient_and_product(f):
    check(f, product=f in (located_and_scaled, seeded_modules))


def test_the_module_is_left_as_the_function_leaves_it():
    def f(x):
        np.random.seed(0)  # noqa: NPY002
        return np.sum((x - np.random.randn(2)) ** 2)  # noqa: NPY002

    f(X)
    after = np.random.get_state(legacy=True)  # noqa: NPY002
    np.random.seed(9)  # noqa: NPY002
    autoopt.objective(f, X).grad(X)
    for left, known in zip(np.random.get_state(legacy=True), after, strict=True):  # noqa: NPY002
        np.testing.assert_array_equal(left, known)


def test_a_state_that_is_put_back():
    def f(x):
        state = np.random.get_state()  # noqa: NPY002
        np.random.seed(0)  # noqa: NPY002
        drawn = np.random.randn(2)  # noqa: NPY002
        np.random.set_state(state)  # noqa: NPY002
        return np.sum((x - drawn) ** 2)

    np.random.seed(5)  # noqa: NPY002
    before = np.random.get_state()[1]  # noqa: NPY002
    np.testing.assert_allclose(autoopt.objective(f, X).grad(X), differences.gradient(f, X)[0], rtol=1e-7)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_a_scale_that_becomes_negative_raises_as_it_does():
    f = lambda x: np.random.default_rng(0).normal(0.0, x[0]) * x[1]  # noqa: E731
    objective = autoopt.objective(f, X)
    assert objective.value(X) == pytest.approx(f(X))
    with pytest.raises(ValueError, match="scale < 0"):
        objective.value([-1.0, 0.5])


def first_drawn_then_seeded(x):
    start = scipy.stats.norm.rvs(size=1)[0]
    np.random.seed(0)  # noqa: NPY002
    return np.sum(x) * start


def another_generators_method(x):
    np.random.seed(0)  # noqa: NPY002
    return DRAW() * x[0]


DRAW = np.random.RandomState(5).randn
UNSEEDED = {
    "drawn before": first_drawn_then_seeded,
    "another generator's method": another_generators_method,
    "legacy": lambda x: np.random.RandomState().randn() * x[0],
    "bit generator": lambda x: np.random.Generator(np.random.PCG64()).normal() * x[0],
    "seed sequence": lambda x: np.random.default_rng(np.random.SeedSequence()).normal() * x[0],
    "seed of nothing": lambda x: np.random.seed() or np.random.randn() * x[0],  # noqa: NPY002
    "standard library": lambda x: random.Random().random() * x[0],
    "of the system": lambda x: random.SystemRandom().random() * x[0],
    "outside": lambda x: OUTSIDE.normal(x[0], 1.0),
    "scipy": lambda x: np.sum(scipy.stats.norm.rvs(size=3) * x[0]),
    "scipy, outside": lambda x: np.sum(scipy.stats.norm.rvs(size=3, random_state=OUTSIDE) * x[0]),
}


@pytest.mark.parametrize("name", UNSEEDED)
def test_what_no_seed_fixes_is_refused(name):
    with pytest.raises(TracingError, match="that no seed in it fixes") as caught:
        autoopt.grad(UNSEEDED[name])(X)
    assert caught.value.where[0].file == __file__ and "seed" in caught.value.remedy


SHAPES = {
    "gamma": lambda x: np.random.default_rng(0).gamma(x[0]),
    "poisson": lambda x: np.random.default_rng(0).poisson(x[0]),
    "permutation": lambda x: np.random.default_rng(0).permutation(x)[0],
    "covariance": lambda x: np.random.default_rng(0).multivariate_normal(x, np.eye(2) * x[0])[0],
    "rvs": lambda x: scipy.stats.gamma.rvs(x[0], random_state=0),
}


@pytest.mark.parametrize("name", SHAPES)
def test_draws_that_move_otherwise_are_refused(name):
    with pytest.raises(TracingError, match="with an argument that depends on its parameters, or") as caught:
        autoopt.grad(SHAPES[name])(X)
    assert caught.value.where[0].file == __file__
