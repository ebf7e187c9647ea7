"""Objectives with branches, functions and methods, one idiom each, for `test_tracing.py`."""

# ruff: noqa: I001, RET, RUF015, SIM, UP034

from __future__ import annotations

import math
import numpy as np
from tracing_programs import MATRIX, WEIGHTS, program


# Branches ------------------------------------------------------------------------------------------------------------


@program()
def while_loop(x):
    s = x[0]
    n = 0
    while s < 10:
        s = s * x[2]
        n += 1
    return s + n * x[1]


@program()
def conditional_expression(x):
    return x[0] ** 2 if x[0] < 1 and x[1] > 1 else x[1]


@program()
def or_and(x):
    return (x[0] or 1.0) + (x[1] and x[2])


@program(same=1)
def membership(x):
    return x.sum() if 0.5 in x else x.prod()


@program()
def any_and_all(x):
    if np.any(x > 2) and (x > 0).all() and (not any(x > 5)):
        return x.sum() ** 2
    return x.prod()


@program()
def int_of_parameter_as_index(x):
    k = int(x[1])
    return x[k] ** 2 + np.arange(5)[k] * x[0] + [1.0, 2.0, 3.0][k] * x[0]


@program()
def index_error_caught(x):
    try:
        return x[5]
    except IndexError:
        return (x**2).sum()


@program()
def domain_error_caught(x):
    try:
        return math.log(x[0] - 10)
    except ValueError:
        return (x**2).sum()


@program()
def sort_and_argsort(x):
    y = -x
    y.sort()
    return (np.sort(x) * [1, 2, 3]).sum() + (x[np.argsort(-x)] * [1, 2, 3]).sum() + (y * [1, 2, 3]).sum()


@program()
def where(x):
    return np.where(x > 1, x**2, x).sum() + np.where(x > 1)[0].size * x[0]


@program()
def bit_operators_on_masks(x):
    return x[(x > 0.7) & (x < 2)].sum() + (~(x > 1)).sum() * x[0]


# Functions and methods -----------------------------------------------------------------------------------------------


@program()
def methods(x):
    y = x.reshape(3, 1) * x
    reduced = y.sum(axis=0).max() + y.mean() + y.std() + y.var(axis=1).sum() + y.min() + x.prod() + y.trace()
    moved = y.T.ravel()[3] + y.flatten().dot(np.arange(9)) + y.swapaxes(0, 1)[0, 1] + y.diagonal().sum()
    scalars = x.argmax() * x[0] + x.item(1) + x.tolist()[2] + len(x) + x.ndim + x.size
    return reduced + moved + scalars + y.clip(0, 2).sum() + x.cumsum().prod() + x.round(3).size + x.repeat(2).sum()


@program()
def out(x):
    o = np.zeros(3)
    np.multiply(x, 2, out=o)
    np.add(o, x, out=o)
    np.sum(o, axis=0, out=None)
    return (o**2).sum()


@program()
def out_into_a_row(x):
    o = np.zeros((2, 3))
    np.exp(x, out=o[1])
    o[0] = o[1] * 2
    return (o**2).sum()


@program()
def out_with_where(x):
    o = np.zeros(3)
    np.log(x, out=o, where=x > 1)
    return (o**2).sum()


@program()
def out_of_a_method(x):
    o = np.zeros(())
    x.sum(out=o)
    return o * x[0]


@program()
def clip_into_itself(x):
    y = x * 1
    y.clip(1, 2, out=y)
    return (y * [1, 2, 3]).sum()


@program()
def cumsum_out(x):
    o = np.zeros(3)
    x.cumsum(out=o)
    return (o * x).sum()


@program()
def einsum_out(x):
    o = np.zeros(3)
    np.einsum("i,i->i", x, x, out=o)
    return o.sum()


@program()
def matmul_out(x):
    o = np.zeros((3, 3))
    np.matmul(x[:, None], x[None], out=o)
    return (o * np.arange(9).reshape(3, 3)).sum()


@program()
def divmod_of_arrays(x):
    a, b = np.divmod(x, 1.0)
    return (a + b * x).sum()


@program()
def choose_take_compress(x):
    return np.choose([0, 1, 1], [x, x**2]).sum() + np.take(x, [0, 2]).sum() + np.compress([True, False, True], x).sum()


@program()
def select_and_piecewise(x):
    return (
        np.select([x < 1, x < 2], [x, x**2], default=0.0).sum()
        + np.piecewise(x, [x < 1, x >= 1], [lambda v: v, lambda v: v**2]).sum()
    )


@program()
def apply_along_axis(x):
    return np.apply_along_axis(lambda r: (r**2).sum(), 0, x)


@program()
def polynomials(x):
    return np.polyval(x, 2.0) + np.poly1d([1, 2, 3])(x).sum() + np.polynomial.polynomial.polyval(x, [1, 2, 3]).sum()


@program()
def calculus(x):
    return (
        np.trapezoid(x, [0, 1, 3.0])
        + np.diff(x).prod()
        + np.gradient(x).sum()
        + np.convolve(x, [1, 2.0]).sum()
        + np.cross(x, [1, 2, 3]).sum()
    )


@program()
def statistics(x):
    return np.cov(np.outer(x, [1, 2, 4.0])).sum() + np.average(x, weights=x) + np.median(x) + np.ptp(x)


@program()
def differences_of_all_pairs(x):
    return (x[:, None] - x[None, :]).ravel() @ np.arange(9)


@program()
def diagonals(x):
    y = np.outer(x, x)
    return np.diag(y).sum() + np.einsum("ii", y)


@program()
def resize(x):
    return (np.resize(x, 5) * np.arange(5)).sum()


@program()
def matrix_powers_and_chains(x):
    A = np.diag(x) + 0.1
    return np.linalg.matrix_power(A, 3).trace() + np.linalg.multi_dot([x, A, x]) + np.linalg.det(A)


@program()
def dot_of_lists(x):
    return np.dot([x[0], x[1]], [x[1], x[2]])


@program()
def max_of_a_list(x):
    return np.max([x[0], x[1]]) + np.maximum(x[0], [1, 2.0]).sum()


@program()
def exp_of_a_list(x):
    return np.exp([x[0], x[1]]).sum()


@program()
def array_times_list(x):
    return (x[:2] * [x[0], x[1]]).sum()


# Writes by functions -------------------------------------------------------------------------------------------------


@program()
def out_by_position(x):
    o = np.zeros(())
    np.sum(x, None, None, o)
    return o * x[0]


@program()
def clip_out_by_position(x):
    o = np.zeros(3)
    np.clip(x, 0, 1, o)
    return (o * x).sum()


@program()
def put(x):
    o = np.zeros(3)
    np.put(o, [0, 1], x[:2])
    return (o * [1, 2, 3]).sum()


@program()
def place(x):
    y = x * 1
    np.place(y, np.array([True, False, False]), [9.0])
    return (y * x).sum()


@program()
def put_along_axis(x):
    y = x * 1
    np.put_along_axis(y, np.array([0]), 9.0, 0)
    return (y * x).sum()


@program()
def fill_diagonal_wrapped(x):
    y = np.zeros((6, 2))
    np.fill_diagonal(y, x[0], wrap=True)
    return (y * np.arange(12).reshape(6, 2)).sum()


@program()
def multiply_at(x):
    o = np.ones(3)
    np.multiply.at(o, [0, 0, 2], x)
    return (o * [1, 2, 3]).sum()


@program()
def maximum_at(x):
    o = np.zeros(3)
    np.maximum.at(o, [0, 0, 2], x)
    return (o * [1, 2, 3]).sum()


@program()
def nan_to_num_without_copy(x):
    y = x * 1
    y[0] = np.inf
    np.nan_to_num(y, copy=False, posinf=1.0)
    return (y * x).sum()


@program()
def modf(x):
    a = np.zeros(3)
    b = np.zeros(3)
    np.modf(x, a, b)
    return (a * b).sum()


@program()
def vectorized_in_the_first_results_type(x):
    cut = np.vectorize(lambda a: a if a > 1 else 0)
    kept = np.vectorize(lambda a: a if a > 1 else 0, otypes=[float])
    scaled = np.vectorize(lambda a, c, k=1.0: a * c[0] * k, excluded=[1, "k"])
    return cut(x).sum() + kept(x) @ x + scaled(x, [2.0, 3.0]) @ x + scaled(x, [2.0], k=3.0).sum()


@program(MATRIX)
def einsum_of_lists(x):
    inner = np.einsum(x, [0, 1], x, [2, 1], [2, 0])
    return (
        inner[0, 1] + np.einsum(x, [1, 0], [1.0, 2.0], [1]).sum() + np.einsum(x, [..., 0], x, [..., 0], [...]) @ [1, 2]
    )


@program()
def assertions_of_testing(x):
    np.testing.assert_allclose(x, [0.5, 1.5, 2.5], rtol=0.5)
    np.testing.assert_array_less(x, 10.0)
    np.testing.assert_equal(x.shape, (3,))
    np.testing.assert_almost_equal(x[0], x[0])
    return x[0] + (x[1] if math.isclose(x[0], 0.5, rel_tol=0.3) else x[2]) + math.isclose(x[1], x[1]) * x[2]


@program(MATRIX)
def place_of_the_largest(x):
    i, j = np.unravel_index(np.argmax(x), x.shape)
    with np.nditer(WEIGHTS, flags=["f_index"]) as entries:
        return x[i, j] ** 2 + sum(float(w) * x[0, entries.index] for w in entries)


# Orders of memory ----------------------------------------------------------------------------------------------------


def orders(a):
    weights = np.arange(1.0, a.size + 1)
    return [
        weights @ np.ravel(a, order="K"),
        weights @ a.ravel("A"),
        weights @ a.flatten("K"),
        weights @ a.reshape(-1, order="A"),
        weights @ np.reshape(a, -1),
        weights @ np.array(list(np.nditer(a))),
    ]


@program(MATRIX)
def orders_of_views(x):
    return sum(orders(x) + orders(x.T) + orders(x[:, ::-1].T) + orders(np.ravel(x).reshape(3, 2, order="F")))


@program(np.arange(24.0).reshape(2, 3, 4))
def orders_of_turned_axes(x):
    return sum(orders(np.transpose(x, (1, 2, 0))) + orders(np.exp(np.swapaxes(x, 0, 1) / 9)))


@program(MATRIX)
def orders_of_copies(x):
    t = x.T
    copies = [t.copy(), t.copy("K"), np.copy(t), np.array(t), np.array(t, order="C"), t.astype(float), t * 2.0]
    made = [np.asfortranarray(x), np.full((2, 3), x[0, 0], order="F") * x, np.asarray(x, order="F")]
    return sum(sum(orders(a)) for a in copies + made)


@program(MATRIX)
def write_through_a_ravel_in_memorys_order(x):
    t = x.copy().T
    t.ravel("K")[1:3] = [x[1, 2], 7.0]
    return (t * np.arange(6).reshape(3, 2)).sum()


@program()
def truth_values_added(x):
    return x[2] * sum(x > 1) + x[0] * sum([x > 1, x > 2]) @ x + sum(v > 1 for v in x) * x[1]


@program()
def numbers_cut_to_integers(x):
    a = np.zeros(3, dtype=int)
    a[:] = 3.1 * x
    a[1] = x[2]
    b = np.zeros(3, dtype=bool)
    b[:] = x - 0.5
    return a @ x + b @ x


# Structures ----------------------------------------------------------------------------------------------------------


@program({"a": np.ones(2), "b": [1.0, np.ones((2, 2))]})
def nest_written_into(p):
    p["a"][0] = 2.0 * p["b"][0]
    p["b"][1].T[0] += p["a"]
    p["b"].append(3.0)
    return (p["a"] * p["b"][1]).sum()


@program({"a": np.ones(2), "b": 2.0})
def dictionary_updated(p):
    q = dict(p)
    q.update(a=p["a"] * 2)
    return sum(np.sum(v) for v in q.values()) + isinstance(p["b"], float) * p["b"]


@program(2.0)
def number(x):
    return x**2 + math.exp(x) + np.sin(x) + isinstance(x, float) * x


@program(np.array(2.0))
def zero_dimensional(x):
    return x**2 + np.sum(x) + x.item() + isinstance(x, np.ndarray) * x


@program()
def matrices_written_into_rows(x):
    rows, one = np.zeros((3, 2)), np.zeros((3, 1))
    for t in range(3):
        rows[t] = x[t] * np.ones((1, 2))
        one[t] = x[[t]].reshape(1, 1) + one[t - 1]
    return rows @ rows[0] @ x + one[2, 0] * one[1, 0]
