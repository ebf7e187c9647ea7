"""Masked arrays and np.matrix as data, and made inside: what their own operators mean, or refused by their names."""

from __future__ import annotations

import numpy as np
import pytest
from plainly import Cases, check

import autoopt
from autoopt import differences
from autoopt.errors import TracingError

pytestmark = pytest.mark.filterwarnings("ignore:the matrix subclass")

M = np.ma.array([0.5, 1.0, -0.3, 0.2, 0.9], mask=[0, 1, 0, 0, 1])
M2 = np.ma.array(np.arange(6.0).reshape(2, 3) / 3, mask=[[0, 1, 0], [0, 0, 0]])
NANS = np.ma.masked_invalid(np.array([0.5, np.nan, -0.3, 0.2, 0.9]))
W = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
X = np.array([[1.0, 0.5], [0.2, 2.0], [0.1, 0.4]]).view(np.matrix)
Y = np.array([[1.0], [2.0], [0.5]]).view(np.matrix)
POINT = np.array([1.1, 0.55])
case = Cases()


@case
def arithmetic(x):
    total = (
        ((M - x[0]) ** 2).sum() + (x[0] / M).sum() * x[1] + np.sum(x[1] * M + x[0]) ** 2 + ((NANS * x[0]) ** 2).sum()
    )
    return total + ((M - x[0]) * (M - x[1])).sum() + (-M * x[0]).max() + np.prod(M * x[0])


@case
def functions(x):
    total = np.exp(M * x[0]).sum() + np.ma.exp(M * x[1]).sum() + np.ma.log(M * x[0] + 9).mean()
    total += np.ma.average(M * x[0], weights=W) ** 2 + np.ma.std(M * x[0] + x[1]) + np.ma.median(M * x[0])
    return total + np.ma.where(M > 0, M * x[0], x[1]).sum() + np.ma.dot(M2, np.ones(3) * x[0]).sum()


@case
def along_axes(x):
    computed = M2 * x[0] + x[1] ** 2
    total = np.sum(computed.sum(axis=0) ** 2) + np.sum(computed.mean(axis=1) ** 2) + computed.var(axis=1, ddof=1).sum()
    return total + computed.max(axis=0).sum() + computed.T.min(axis=0).sum()


@case
def ways_out(x):
    total = np.sum((M.filled(0) * x[0] + x[1]) ** 2) + np.sum((M * x[0] + x[1]).filled(0.5) ** 2)
    total += np.sum((M * x[0]).compressed() ** 2) + np.sum(~M.mask * W * x[1]) + np.sum(M.data[~M.mask] * x[0])
    return total + M[0] * x[0] + (M[1:4] * x[0]).sum() + (M[M > 0] * x[1]).sum() + M.count() * x[0] + sum(M[2:4] * x[0])


@case
def made_inside(x):
    made = np.ma.array(W * x[0], mask=[0, 1, 0, 0, 0]).sum() + np.ma.masked_where(W > 2, W * x[1] ** 2).mean()
    return made + np.ma.masked_greater(W * x[0], 3.0).sum() + np.ma.concatenate([M * x[0], M]).sum()


@case
def masked_by_value(x):
    """The logarithm of what is negative is masked: other entries at other points."""
    return np.ma.log(M + x[1]).sum() + np.ma.sqrt(M * x[0]).sum() + x[0] ** 2


@case
def products_of_matrices(x):
    rest = Y - X * x.reshape(2, 1)
    form = np.asmatrix(x) * (X.T * X) * np.asmatrix(x).T
    return float(form[0, 0]) + (rest.T * rest)[0, 0] + np.sum(X.T * X * x[0]) + (x * X.T * X * x.reshape(2, 1)).item()


@case
def other_operations_of_matrices(x):
    total = np.sum(np.exp(X * x[0]).A1) + np.sum(np.multiply(X, x)) + np.sum(X @ x) ** 2 + np.sum(np.dot(X, x))
    total += np.linalg.det(X.T * X + x[0] * np.eye(2)) + np.asarray((X.T * X).I * x.reshape(2, 1)).sum()
    total += (X[0] * x.reshape(2, 1)).item() + X[:, 1].sum() * x[0] + (X * x[0]).mean(axis=0)[0, 1]
    return total + np.sum(((X.T * X) ** 2).A * x[1]) + np.linalg.norm(X * x[0]) + np.sum(np.hstack([X * x[0], X]).A)


@case
def a_matrix_of_one_number(x):
    return np.asmatrix(x) * np.asmatrix(x**2).T


@pytest.mark.parametrize("f", case, ids=lambda f: f.__name__)
@pytest.mark.sampled(3)
def test_value_gradient_and_product(f):
    check(f, product=f in (functions, products_of_matrices))


def same(objective, f):
    np.testing.assert_allclose(objective.value(POINT), f(POINT), rtol=1e-12)
    np.testing.assert_allclose(objective.grad(POINT), differences.gradient(f, POINT)[0], rtol=1e-7)


@pytest.mark.slow
def test_data_and_masks_that_are_written_into():
    m, n, matrix = M.copy(), np.ma.array([0.5, 1.0]), X.copy()

    def f(x):
        return ((m - x[0]) ** 2).sum() * x[1] + (n * x[0]).sum() + np.sum((matrix * x.reshape(2, 1)).A ** 2)

    objective = autoopt.objective(f, POINT)
    same(objective, f)
    for change in (
        lambda: m.__setitem__(0, 3.0),
        lambda: m.__setitem__(2, np.ma.masked),
        lambda: setattr(m, "mask", False),
        lambda: n.__setitem__(1, np.ma.masked),
        lambda: matrix.__setitem__((0, 1), 7.0),
    ):
        change()
        same(objective, f)


def test_other_arguments():
    f = lambda x, m, a: ((m - x[0]) ** 2).sum() * x[1] + np.sum((a * x.reshape(2, 1)).A ** 2)  # noqa: E731
    derived = autoopt.value_and_grad(f)
    for m, a in ((M, X), (M * 2, X[:2] + 1), (np.ma.masked_where(M > 0.4, M), X)):
        value, gradient = derived(POINT, m, a)
        np.testing.assert_allclose(value, f(POINT, m, a), rtol=1e-12)
        np.testing.assert_allclose(gradient, differences.gradient(lambda x, m=m, a=a: f(x, m, a), POINT)[0], rtol=1e-7)


REFUSED = {
    "assignment": (lambda x: M.__setitem__(0, x[0]) or M.sum(), "of a masked array"),
    "assignment to a computed one": (lambda x: (M * x[0]).__setitem__(0, 1.0), "of a masked array"),
    "np.where": (lambda x: np.where(M > 0, M * x[0], 0).sum(), "np.where of a masked array"),
    "forgotten mask": (lambda x: np.asarray(M * x[0]).sum(), "of a masked array"),
    "argsort": (lambda x: (M * x[0]).argsort()[0] * x[0], "argsort of a masked array"),
    "matrix": (lambda x: (X * x[0]).__setitem__((0, 0), 1.0), "of an np.matrix"),
    "sort of a matrix": (lambda x: (X * x[0]).partition(1), "of an np.matrix"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_rest_is_refused_by_name(name):
    f, words = REFUSED[name]
    with pytest.raises(TracingError, match=words) as caught:
        autoopt.grad(f)(POINT)
    assert caught.value.where[0].file == __file__
    assert "np.asarray" in caught.value.remedy or ".filled(...)" in caught.value.remedy
