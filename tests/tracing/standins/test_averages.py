"""Python's own `statistics`, `__float__` and exact numbers in an objective; loops over labels that are data."""

from __future__ import annotations

import decimal
import fractions
import itertools
import math
import numbers
import statistics
from collections import Counter, defaultdict
from statistics import NormalDist

import numpy as np
import pytest
from plainly import Cases, check

import autoopt
from autoopt import differences
from autoopt.errors import TracingError

D = np.array([0.5, 1.0, -0.3, 0.2, 0.9, 1.4, 0.1])
LABELS = np.array([0, 2, 1, 1, 0, 2, 2])
NAMES = np.array(["a", "b", "a", "c", "b", "a", "a"])
OUTSIDE = NormalDist(0.3, 1.2)
case = Cases()


class Wrapped:
    """A number in an object that Python's float() and indices ask for it."""

    def __init__(self, number):
        self.number = number

    def __float__(self):
        return float(2 * self.number)

    def __index__(self):
        return int(self.number)


@case
def averages_of_lists(x):
    numbers = [x[0], x[0] * x[1], x[1] ** 2, 2.0]
    found = statistics.mean(numbers) * statistics.stdev(numbers) + statistics.median(numbers[1:])
    return found + statistics.fmean(numbers, weights=[1, 2, x[0] ** 2, 0.5])


@case
def averages_of_what_is_gone_through_once(x):
    first = statistics.mean(v * x[0] for v in D) ** 2 + statistics.stdev(map(lambda v: v * x[1], D))
    return first + statistics.fmean({1: x[0], 2: x[1]}.values())


@case
def regression(x):
    line = statistics.linear_regression(D.tolist(), list(D**2 * x[0] + x[1]))
    through = statistics.linear_regression(D, D * x[0] + x[1] ** 2, proportional=True).slope
    return line.slope**2 + line.intercept + through + statistics.covariance(D, D * x[0] * x[1])


@case
def averages_of_data(x):
    return statistics.mean(D) * x[0] ** 2 + statistics.mean([1, 2, 4]) * x[1] + statistics.mode([1, 1, 2]) * x[0]


@case
def normal_distribution(x):
    made = NormalDist(x[0], x[1] ** 2 + 0.1)
    total = made * 2 + NormalDist(1, x[1] ** 2)
    return made.pdf(0.3) + made.cdf(0.2) + made.inv_cdf(0.3) * total.stdev + sum(made.quantiles(4))


@case
def normal_distribution_of_samples_and_outside(x):
    made = NormalDist.from_samples([v * x[0] + x[1] for v in D])
    return made.mean**2 + made.stdev + OUTSIDE.cdf(x[0]) + OUTSIDE.inv_cdf(1 / (1 + math.exp(-x[1])))


@case
def own_float(x):
    total = float(Wrapped(x[0])) ** 2 + math.exp(Wrapped(x[1])) + np.float64(Wrapped(x[1]))
    return total * np.sum(np.array([Wrapped(x[0]), Wrapped(x[1])], dtype=float) ** 2)


@case
def own_index(x):
    total = D[Wrapped(x[0] * 2)] * x[1] + (D * x[0])[Wrapped(x[0])]
    for i in range(Wrapped(x[0] * 3)):
        total = total + x[1] * i
    return total


@case
def checks_of_numbers(x):
    if isinstance(x[0], numbers.Number) and isinstance(float(x[1]), numbers.Real):
        return x[0] ** 2 * x[1] * float(fractions.Fraction(1, 3)) + float(decimal.Decimal("0.1")) * x[1]
    return x[0]


@case
def loops_over_labels(x):
    total = 0.0
    for k in np.unique(LABELS):
        total += np.sum(D[k == LABELS] * x[0]) ** 2 + x[1] ** k
    for k in set(LABELS.tolist()):
        total += np.sum(D[k == LABELS] * x[1]) ** 2
    for name in np.unique(NAMES):
        total += np.sum(D[name == NAMES] * x[0]) ** 2
    return total


@case
def counts_of_labels(x):
    values, first, inverse, counts = np.unique(LABELS, True, True, True)
    total = np.sum(counts * np.exp(x[0] * D[first])) + np.sum((D - (x[0] * values + x[1])[inverse]) ** 2)
    sums = np.bincount(LABELS, weights=D * x[0] + x[1], minlength=5)
    return total + np.sum((sums / np.maximum(np.bincount(LABELS, minlength=5), 1)) ** 2)


@case
def groups_of_labels(x):
    held = defaultdict(list)
    for label, number in zip(LABELS.tolist(), D, strict=True):
        held[label].append(number * x[0] + x[1])
    order = np.argsort(LABELS, kind="stable")
    total = sum(np.mean(part) ** 2 for part in held.values()) + sum(
        n * x[0] ** k for k, n in Counter(LABELS.tolist()).items()
    )
    for _, group in itertools.groupby(order, key=lambda i: LABELS[i]):
        total += sum(D[i] * x[1] for i in group) ** 2
    return total


WITH_PRODUCT = (averages_of_lists, regression, normal_distribution, own_float, counts_of_labels)


@pytest.mark.parametrize("f", case, ids=lambda f: f.__name__)
def test_value_gradient_and_product(f):
    check(f, product=f in WITH_PRODUCT)


def by_labels(x, d, labels):
    total = statistics.mean(d) * x[0] ** 2 + statistics.mean(labels.tolist()) * x[0] * x[1]
    total = total + sum(np.sum(d[labels == k]) ** 2 * x[0] ** int(k) for k in np.unique(labels)) * x[1]
    return total + np.sum(np.bincount(labels) * x[0] ** 2) + np.sum(np.bincount(labels, weights=d * x[0]) ** 2)


OTHERS = (
    (D, np.array([1, 2, 1, 1, 2, 3, 3])),
    (D[::-1] ** 2, np.array([1, 2, 1, 1, 2, 3, 4])),
    (D[:5], np.array([1, 2, 1, 1, 2])),
)


@pytest.mark.slow
def test_labels_of_other_data():
    """Other labels, and fewer rows, are other constants and another number of groups."""
    x, derived = np.array([1.1, 0.55]), autoopt.value_and_grad(by_labels)
    for data in OTHERS:
        value, gradient = derived(x, *data)
        np.testing.assert_allclose(value, by_labels(x, *data), rtol=1e-12)
        np.testing.assert_allclose(gradient, differences.gradient(lambda x, d=data: by_labels(x, *d), x)[0], rtol=1e-7)


@pytest.mark.slow
def test_labels_outside_that_are_written_into():
    x, labels, d = np.array([1.1, 0.55]), LABELS.copy(), D.copy()
    f = lambda x: by_labels(x, d, labels)  # noqa: E731
    objective = autoopt.objective(f, x)
    for _ in range(3):
        np.testing.assert_allclose(objective.value(x), f(x), rtol=1e-12)
        np.testing.assert_allclose(objective.grad(x), differences.gradient(f, x)[0], rtol=1e-7)
        labels[0] += 2
        d[1] *= 2


EXACT = {
    "Decimal": lambda x: float(decimal.Decimal(x[0]) * 2),
    "Decimal of a float": lambda x: float(decimal.Decimal(float(x[0]))),
    "Fraction": lambda x: float(fractions.Fraction(x[0]) * 2),
    "Fraction.from_float": lambda x: float(fractions.Fraction.from_float(float(x[0]))),
    "Fraction as a factor": lambda x: x[0] * fractions.Fraction(1, 3),
}


@pytest.mark.parametrize("name", EXACT)
def test_exact_numbers_are_refused(name):
    with pytest.raises(TracingError, match=f"a {name.split('.')[0].split()[0]}") as caught:
        autoopt.grad(EXACT[name])(np.array([1.1, 0.5]))
    assert caught.value.where[0].file == __file__ and "float" in caught.value.remedy
