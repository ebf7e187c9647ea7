"""Hessians in index notation of many structures, against complex steps of the plain function."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

import autoopt
from autoopt.execution import ladder
from autoopt.graph import derive
from autoopt.graph.indexed import hessian as indexed

RANDOM = np.random.default_rng(2)
N = RANDOM.normal
X4, X6, X9, X12 = N(size=4), N(size=6), N(size=9), N(size=12)
X, Y = N(size=(10, 4)), N(size=10)
A, B, T = N(size=(4, 4)), N(size=(4, 3)), N(size=(2, 3, 4))
PLACES, SQUARE = np.array([1, 1, 3, 0]), np.array([[0, 1, 2], [2, 2, 0], [1, 3, 3]])


def written(x, rows, columns):
    M = np.zeros((3, 3), x.dtype)
    M[rows, columns] = x
    return np.sum((M + M.T) ** 3 @ M)


def added(x, places):
    z = np.ones((4, 2), x.dtype)
    np.add.at(z, (places, [0, 1, 1, 1]), x**2 * x[0])
    return np.sum(np.exp(z))


def written_over(x, places):
    z = np.exp(x)
    z[places] = x[:3] ** 2
    z[1:3] = z[:2]
    return np.sum(z**3)


def diagonal_written(x):
    M = x.reshape(3, 3) + 0 * x[0]
    np.fill_diagonal(M, x[:3] ** 2)
    return np.sum(M @ M @ M)


def network(p, X, y):
    W, b, V = p[:12].reshape(4, 3), p[12:15], p[15:18]
    return np.sum((np.tanh(X @ W + b) @ V - y) ** 2)


def softmax(x, X):
    z = X @ x.reshape(4, 3)
    return np.sum(np.log(np.sum(np.exp(z), axis=1)) - z[:, 1])


def mixture(x, y):
    w, m, s = x[:2], x[2:4], x[4:]
    a = w - np.log(np.sum(np.exp(w))) - 0.5 * ((y[:, None] - m) / np.exp(s)) ** 2 - s
    return -np.sum(np.log(np.sum(np.exp(a), axis=1)))


STRUCTURES = {
    "outer elementwise": (lambda x: np.sum(np.exp(x[:, None] - x[None, :]) ** 2 * x), X4),
    "broadcast axes of length one": (lambda x: np.sum(x.reshape(4, 1).T @ np.ones((4, 1)) * np.exp(x)), X4),
    "keepdims": (lambda x: np.sum((x.reshape(3, 4) - x.reshape(3, 4).mean(axis=1, keepdims=True)) ** 3), X12),
    "product of all": (lambda x: np.prod(x) + np.sum(np.prod(x.reshape(2, 2), axis=0) ** 2), X4),
    "matrix product with itself": (lambda x: np.sum((x.reshape(3, 4).T @ x.reshape(3, 4)) ** 2), X12),
    "stack by matrix": (lambda x, B: np.sum(np.sin(x.reshape(3, 1, 4) @ B)), X12, B),
    "stack by vector": (lambda x, T: np.sum((T @ x) ** 3), X4, T),
    "stack of one": (lambda x, T: np.sum((x.reshape(1, 4, 3) @ T) ** 3), X12, T),
    "einsum": (lambda x, T: np.sum(np.einsum("abc,cd->adb", T, x.reshape(4, 3)) ** 3), X12, T),
    "einsum of the diagonal": (lambda x: np.sum(np.einsum("ii->i", x.reshape(3, 3)) ** 3 * x[:3]), X9),
    "tensordot": (lambda x, T: np.sum(np.tensordot(x.reshape(3, 4), T, axes=([0, 1], [1, 2])) ** 3), X12, T),
    "transposed and read row by row": (lambda x: np.sum(np.exp(x.reshape(3, 4).T).ravel() * x), X12),
    "two ways of splitting": (
        lambda x, a, b: np.sum((np.sin(np.tanh(x).reshape(2, 6) * a).ravel() + (x.reshape(3, 4) * b).ravel()) ** 3),
        *(X12, N(size=(2, 6)), N(size=(3, 4))),
    ),
    "steps": (lambda x: np.sum(np.sin(x[::-2] * x[::2]) * x[-2::-2]) * x[-1], X6),
    "shifted views": (lambda x: np.sum(np.sin(x[2:] - 2 * x[1:-1] + x[:-2])), X6),
    "whole and views": (lambda x: np.sum(x**2) * x[0] + np.sum(x[:4].reshape(2, 2) @ x[2:6].reshape(2, 2)), X6),
    "overlapping views": (
        lambda x: np.sum(x[:3] * x[1:]) ** 2 + np.sum(x) ** 2 / 3 + np.sum(x.reshape(2, 2) @ x.reshape(2, 2)),
        X4,
    ),
    "many views": (lambda x: sum(np.sum(x[k : k + 3] ** 2 * x[k]) for k in range(10)), X12),
    "block of a matrix": (lambda x: np.sum(np.sin(x.reshape(3, 4)[1:, ::2] * x.reshape(3, 4)[:-1, 1::2])), X12),
    "constant positions": (lambda x: np.sum(np.sin(x[PLACES] * x[[1, 2, 3, 0]])), X4),
    "positions that are data": (lambda x, g: np.sum(np.sin(x[g]) * x[g] ** 2 * x[0]), X4, PLACES),
    "positions from the end": (lambda x, g: np.sum(x[g] ** 4 * x[-1]), X4, np.array([-1, 0, -2, -1])),
    "positions and their transpose": (lambda x, g: np.sum(np.sin(x[g] * x[g].T) * x[g]), X4, SQUARE),
    "positions of positions": (lambda x, g, h: np.sum((x**2)[g][h] ** 3), X4, PLACES, np.array([2, 2, 1])),
    "positions in a slice": (lambda x, g: np.sum(x[g][1:] ** 3 * x[g][:-1]), X4, PLACES),
    "positions of rows": (lambda x, g: np.sum(np.sin(x.reshape(4, 3)[g] @ x.reshape(3, 4))), X12, PLACES),
    "positions that are broadcast": (
        lambda x, r, c: np.sum(x.reshape(3, 4)[r[:, None], c] ** 3 * x[0]),
        *(X12, np.array([0, 2, 2]), PLACES),
    ),
    "scattered broadcast": (
        lambda x, r: np.sum(np.take(x, [r, r + 1]) ** 3 * np.ix_(r, r)[0] * x[0]),
        *(X4, np.array([0, 2])),
    ),
    "mask": (lambda x, m: np.sum(x[m] ** 3) * x[0], X4, np.array([True, False, True, True])),
    "written at positions": (written, X6, *np.tril_indices(3)),
    "added at positions": (added, X4, np.array([0, 0, 2, 0])),
    "written over": (written_over, X4, np.array([0, 3, 1])),
    "diagonal written": (diagonal_written, X9),
    "joined": (lambda x: np.sum(np.concatenate([x[1:], x[:2] ** 2])[::-1] ** 3 * np.concatenate([x[:1], x])), X4),
    "stacked": (lambda x: np.sum(np.stack([x, np.exp(x), x**2], axis=1) @ B.T[:, :2] ** 2), X4),
    "padded": (lambda x: np.sum(np.pad(x, (1, 2))[1:] ** 2 * np.pad(x, (2, 1))[:-1]), X4),
    "rolled": (lambda x: np.sum((np.roll(x.reshape(3, 4), 1, axis=1) - x.reshape(3, 4)) ** 4), X12),
    "repeated": (lambda x: np.sum(np.repeat(x, [1, 0, 2, 3]) ** 3 * x[0]), X4),
    "diagonal matrices": (lambda x: np.sum((np.diag(x) @ A @ np.diag(x**2)) ** 2), X4),
    "triangle": (lambda x: np.sum((np.tril(x.reshape(3, 3)) @ np.triu(x.reshape(3, 3))) ** 2), X9),
    "trace": (lambda x: np.trace(x.reshape(3, 3) @ x.reshape(3, 3)) ** 2, X9),
    "running sums": (lambda x: np.sum(np.sin(np.cumsum(x.reshape(3, 4), axis=1)) * np.cumsum(x)[3]), X12),
    "running sums of data": (lambda x, X: np.sum(np.log(np.cumsum(np.exp(X @ x)))), X4, X),
    "running products": (lambda x: np.sum(np.cumprod(x) ** 2), X4),
    "convolution": (lambda x: np.sum(np.convolve(x[:3], x[3:]) ** 3), X6),
    "inverse": (lambda x: np.sum(np.linalg.inv(x.reshape(3, 3) + 4 * np.eye(3)) ** 2), X9),
    "inverses": (lambda x: np.sum(np.linalg.inv(x.reshape(3, 2, 2) + 4 * np.eye(2)) ** 2), X12),
    "solve": (lambda x, b: np.sum(np.linalg.solve(x.reshape(3, 3) + 4 * np.eye(3), b) ** 2), X9, B[0]),
    "determinant": (lambda x: np.linalg.det(x.reshape(3, 3)) ** 2, X9),
    "chosen": (lambda x: np.sum(np.where(x.real > 0, x**3, np.exp(x)) * x[::-1]), X4),
    "quadratic form": (lambda x, A: x @ A @ x, X4, A),
    "quadratic form and more": (lambda x, A: x @ A @ x + np.sum(x**4) + x[0] ** 3, X4, A),
    "cubic form": (lambda x, A: np.einsum("i,ij,j->", x, A, x * x[0]), X4, A),
    "linear": (lambda x, a: a @ x, X4, A[0]),
    "quotient": (lambda x, X: np.sum(np.exp(X @ x)[:, None] * X) / np.sum(np.exp(X @ x)), X4, X),
    "scaled twice": (lambda x, X: np.sum((X * (x / (1 + x**2) / (1 + x**2))).sum(axis=1) ** 2 * (X @ x)), X4, X),
    "softmax": (softmax, X12, X),
    "mixture": (mixture, X6, Y),
    "network": (network, N(size=18), X, Y),
    "one parameter": (lambda x: x[0] ** 4 * np.exp(x[0]), np.array([1.3])),
    "nothing": (lambda x: np.sum(x[:0] ** 2) + np.sum(x**4), X4),
    "no rows": (lambda x, D: np.sum((D @ x) ** 3) + x[0] ** 2, X4, np.zeros((0, 4))),
    "zeros": (lambda x: np.sum(x**2) + np.prod(x) + np.sum(x**3), np.array([0.0, 1.0, 0.0, 3.0])),
}


def by_complex_steps(f, x, data) -> np.ndarray:
    """Return the Hessian by differences of slopes that have no rounding error of their own."""
    tiny, n = 1e-30, x.size

    def slopes(at):
        return np.array([np.imag(f(at + 1j * tiny * e, *data)) / tiny for e in np.eye(n)])

    def central(e, step):
        return (slopes(x + step * e) - slopes(x - step * e)) / (2 * step)

    rows = []
    for e in np.eye(n):
        wide, middle, narrow = (central(e, 8e-3 / 2**k) for k in range(3))
        first, second = (4 * middle - wide) / 3, (4 * narrow - middle) / 3
        rows.append((16 * second - first) / 15)
    return np.array(rows)


@pytest.fixture
def derived(monkeypatch) -> None:
    """Have the Hessian derived at once, in index notation and in no other way."""
    monkeypatch.setattr(ladder, "PATIENCE", np.inf)

    def other(*_):
        raise AssertionError("it is not in index notation")

    monkeypatch.setattr(derive, "_stacked", other)


@pytest.mark.slow_for("mixture")
@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", STRUCTURES)
def test_structure(name, derived) -> None:
    f, x0, *data = STRUCTURES[name]
    objective = autoopt.objective(f, x0, *data)
    for x in (x0, x0 + 0.1 * np.cos(np.arange(x0.size)), x0):  # on one objective, and back
        right = by_complex_steps(f, x, data)
        found = objective.hess(x)
        scale = np.abs(right).max()
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, right, rtol=0, atol=2e-9 * scale + 1e-12)
        np.testing.assert_allclose(found, found.T, rtol=0, atol=1e-13 * scale)


def test_parts_of_several_shapes(derived) -> None:
    p = {"a": N(size=(3, 1)), "b": N(size=(1, 4)), "c": N(), "d": [N(size=3), np.zeros((0, 2)), N(size=(1, 1))]}
    objective = autoopt.objective(_parts, p)
    x = objective.structure.flatten(p)
    right = by_complex_steps(lambda x: _parts(unflattened(x)), x, ())
    np.testing.assert_allclose(objective.hess(x), right, rtol=0, atol=1e-8 * np.abs(right).max())


def _parts(p):
    first = np.sum((p["a"] * p["b"] * p["c"] + p["d"][2]) ** 3)
    return first + np.sum(np.squeeze(p["a"]) * p["d"][0]) ** 2 + np.sum(p["d"][1] ** 2)


def unflattened(x):
    return {
        "a": x[:3].reshape(3, 1),
        "b": x[3:7].reshape(1, 4),
        "c": x[7],
        "d": [x[8:11], x[11:11].reshape(0, 2), x[11:].reshape(1, 1)],
    }


# Far out --------------------------------------------------------------------------------------------------------------


def shares(x, W):
    return np.sum((np.exp(x) / np.sum(np.exp(x)) @ W) ** 2)


@pytest.mark.parametrize("shift", [-600.0, 300.0, 600.0])
def test_shares_do_not_depend_on_a_shift(shift, derived) -> None:
    objective = autoopt.objective(shares, X4, B)
    right = by_complex_steps(shares, X4, (B,))
    np.testing.assert_allclose(objective.hess(X4 + shift), right, rtol=0, atol=1e-8 * np.abs(right).max())


@pytest.mark.parametrize("factor", [1.0, 800.0, -800.0])
def test_softmax_far_out(factor, derived) -> None:
    def stable(x, X):
        return np.sum(special.logsumexp(X @ x.reshape(4, 3), axis=1))

    x = factor * X12
    found = autoopt.objective(stable, X12, X).hess(x)
    p = special.softmax(X @ x.reshape(4, 3), axis=1)
    weights = p[:, :, None] * np.eye(3) - p[:, :, None] * p[:, None, :]
    right = np.einsum("ni,nab,nj->iajb", X, weights, X).reshape(12, 12)
    np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-13)


def test_constant_hessian_is_the_same_at_every_point(derived) -> None:
    objective = autoopt.objective(lambda x, X: np.sum((X @ x) ** 2) + x[0] ** 4, X4, X)
    right = 2.0 * X.T @ X
    for x in (X4, 2 * X4, 0 * X4):
        expected = right.copy()
        expected[0, 0] += 12.0 * x[0] ** 2
        np.testing.assert_allclose(objective.hess(x), expected, rtol=1e-12)


def test_what_has_no_terms_is_said(monkeypatch) -> None:
    """The fixture `derived` would notice."""
    monkeypatch.setattr(indexed, "MAX_TERMS", 0)
    monkeypatch.setattr("autoopt.graph.indexed.dense.LARGEST", 0)
    monkeypatch.setattr(derive, "_stacked", lambda *_: pytest.fail("asked"))
    with pytest.raises(BaseException, match="asked"):
        autoopt.objective(lambda x: np.sum(np.sin(x) ** 2 * np.tanh(x)), X4).hess(X4)
