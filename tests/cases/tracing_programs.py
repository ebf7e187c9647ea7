"""Objectives in plain NumPy, one idiom each, for `test_tracing.py`: what is recorded must be what NumPy does.

They are written as people write them, so the linter's taste does not apply.
"""

# ruff: noqa: B007, B009, B021, B905, E401, E731, I001, RET, RUF015, SIM, UP034

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from math import exp as exponential
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Program:
    """An objective, where to run it, and at how many of ten points nearby it takes the same way at least."""

    f: Callable
    x0: Any
    same: int


PROGRAMS: list[Program] = []
VECTOR = np.array([0.5, 1.5, 2.5])
MATRIX = np.arange(1.0, 7).reshape(2, 3)


def program(x0: Any = VECTOR, same: int = 3) -> Callable[[Callable], Callable]:
    """Enter the objective below into the table."""

    def enter(f: Callable) -> Callable:
        PROGRAMS.append(Program(f, x0, same))
        return f

    return enter


WEIGHTS = np.array([1.0, 2.0, 3.0])
LIST = [1.0, 2.0]
DICTIONARY = {"a": np.array([1.0, 2.0, 3.0])}


def helper(z, k=2.0):
    o = np.zeros(3)
    for i in range(3):
        o[i] = math.exp(-z[i] / k)
    return o


class Model:
    c = 2.0

    def __init__(self):
        self.k = 3.0
        self.A = np.eye(3)

    def f(self, x):
        return self.k * np.array([x[0], x[1]]).sum() * self.c + (self.A @ x).sum()


MODEL = Model()


# Views and aliasing --------------------------------------------------------------------------------------------------


@program()
def slice_of_result_written(x):
    y = x[:2] * 1.0
    v = y[:1]
    v += 3 * x[2]
    return y.sum() + (y**2).sum()


@program()
def slice_written_through(x):
    y = x.copy()
    z = y[1:]
    z *= 2
    return (y * [1, 2, 3]).sum()


@program()
def parameters_written_through_a_slice(x):
    v = x[:2]
    v += 1
    return (x**2).sum()


@program(MATRIX)
def transpose_written(x):
    y = x * 1
    y.T[0] = 5 * x[0, 0]
    return (y**2 * np.arange(6).reshape(2, 3)).sum()


@program(MATRIX)
def reshape_written(x):
    y = x * 1
    v = y.reshape(-1)
    v[2] = x[0, 0] ** 2
    v[4:] += x[1, :2]
    return (y**2 * np.arange(6).reshape(2, 3)).sum()


@program(MATRIX)
def row_written(x):
    y = np.zeros((2, 3))
    r = y[1]
    r[:] = x[0]
    r[0] = x[1, 1]
    y[0] = r * 2
    return (y**2 * np.arange(6).reshape(2, 3)).sum()


@program(MATRIX)
def rows_filled_cell_by_cell(x):
    y = np.zeros((2, 3))
    for i in range(2):
        row = y[i]
        for j in range(3):
            row[j] = x[i, j] * (i + 1)
    return (y**2 * np.arange(6).reshape(2, 3)).sum()


@program()
def slice_of_row_of_newaxis_written(x):
    y = x[None, :] * 1
    z = y[0]
    w = z[::2]
    w[:] = x[1]
    return (y * [1, 2, 3]).sum()


@program()
def squeeze_and_ravel_written(x):
    y = x.reshape(1, 3) * 1
    z = np.squeeze(y)
    z[0] = x[2]
    q = y.ravel()
    q[1] = x[0] * x[1]
    return (y * [1, 2, 3]).sum()


@program()
def flatten_is_a_copy(x):
    y = x.reshape(1, 3) * 1
    z = y.flatten()
    z[0] = 100.0
    return (y * [1, 2, 3]).sum() + z[1]


@program()
def fancy_index_is_a_copy(x):
    y = x * 1
    z = y[[0, 1]]
    z[0] = 100.0
    return (y * [1, 2, 3]).sum() + z[1]


@program()
def overlapping_assignment(x):
    y = x * 1
    y[1:] = y[:-1]
    return (y * [1, 2, 3]).sum()


@program()
def overlapping_addition(x):
    y = x * 1
    y[1:] += y[:-1]
    return (y * [1, 2, 3]).sum()


@program()
def swapaxes_written(x):
    y = np.zeros((3, 2))
    v = np.swapaxes(y, 0, 1)
    v[0] = x
    v[1, 1] = x[0]
    return (y * np.arange(6).reshape(3, 2)).sum()


@program()
def moveaxis_written(x):
    y = np.zeros((2, 3))
    v = np.moveaxis(y, 0, 1)
    v[:, 0] = x
    v[0] += 1
    return (y * np.arange(6).reshape(2, 3)).sum()


@program()
def ravel_in_fortran_order_is_a_copy(x):
    y = np.outer(x, x)
    v = y.ravel(order="F")
    v[1] = 5 * x[0]
    return (y * np.arange(9).reshape(3, 3)).sum() + v[1]


@program()
def reshape_in_fortran_order(x):
    y = np.outer(x, x * x)
    v = y.reshape((9,), order="F")
    v[1] = 5 * x[0]
    return (y * np.arange(9).reshape(3, 3)).sum() + (v * np.arange(9)).sum()


@program()
def transpose_of_transpose_written(x):
    y = np.outer(x, x)
    y.T.T[0, 1] = 5.0
    y.T[0][1] = 7 * x[0]
    return (y * np.arange(9).reshape(3, 3)).sum()


@program()
def reshape_of_transpose_is_a_copy(x):
    y = np.outer(x, x * x)
    v = y.T.reshape(9)
    v[1] = 100 * x[0]
    return (y * np.arange(9).reshape(3, 3)).sum() + (v * np.arange(9)).sum()


@program()
def ravel_of_columns_is_a_copy(x):
    y = np.outer(x, x * x)
    v = y[:, :2].ravel()
    v[0] = 100 * x[0]
    return (y * np.arange(9).reshape(3, 3)).sum() + (v * np.arange(6)).sum()


@program()
def reversed_view_written(x):
    y = x * 1
    v = np.flip(y)
    v[0] = 5 * x[0]
    w = y[::-1]
    w[1] = x[2]
    return (y * [1, 2, 3]).sum()


@program()
def expanded_view_written(x):
    y = x * 1
    v = np.expand_dims(y, 0)
    v[0, 1] = x[0] ** 2
    a = np.atleast_2d(y)
    a[0, 2] = x[1] * 3
    n = y[None, :, None]
    n[0, 0, 0] = x[2]
    return (y * [1, 2, 3]).sum()


@program()
def split_parts_are_views(x):
    y = x * 1
    a, b = np.split(y, [1])
    a[0] = x[2]
    b += x[0]
    return (y * [1, 2, 3]).sum()


@program()
def rows_written_while_iterating(x):
    y = np.outer(x, x)
    for r in y:
        r[0] = x[1]
        r /= r.sum()
    return (y * np.arange(9).reshape(3, 3)).sum()


@program()
def rows_filled_while_enumerating(x):
    y = np.zeros((3, 3))
    for i, r in enumerate(y):
        r[i] = x[i]
    return (y * np.arange(9).reshape(3, 3)).sum()


@program()
def unpacked_rows_written(x):
    y = np.zeros((2, 3))
    a, b = y
    a[:] = x
    b[0] = x[0]
    return (y * np.arange(6).reshape(2, 3)).sum()


@program()
def real_part_is_a_view(x):
    y = x * 1
    y.real[0] = 5 * x[1]
    return (y * x).sum()


@program()
def in_place_addition_seen_by_alias(x):
    y = x * 1
    z = y
    y += 1
    return (z * x).sum()


@program()
def in_place_addition_of_scalars_is_not(x):
    s = x[0]
    t = s
    s += x[1]
    return s * t


@program()
def in_place_with_itself(x):
    y = x * 1
    y += y
    y *= y
    y -= y / 2
    y /= 2
    y **= 2
    y //= 0.5
    y %= 3
    return (y * x).sum()


@program()
def assigned_array_is_copied(x):
    y = x * 1
    z = np.zeros(3)
    z[:] = y
    y[0] = 100.0
    return (z * [1, 2, 3]).sum() + y[1]


@program()
def assigned_rows_are_copied(x):
    A = np.zeros((2, 3))
    y = x * 1
    A[0] = y
    y[0] = 100.0
    A[1] = y
    return (A * np.arange(6).reshape(2, 3)).sum()


@program()
def array_of_a_list_is_a_copy(x):
    y = x * 1
    L = [y, y]
    A = np.array(L)
    y[0] = 7.0
    return (A * np.arange(6).reshape(2, 3)).sum()


@program()
def asarray_is_no_copy_array_is(x):
    y = x * 1
    z = np.asarray(y)
    z[0] = x[1]
    w = np.array(y)
    w[1] = 100.0
    return (y**2).sum() + w[0]


@program()
def copies_are_copies(x):
    import copy

    y = copy.deepcopy(x)
    y[0] = 0
    z = copy.copy(x)
    z[1] = 0.0
    return (x * [1, 2, 3]).sum() + y.sum() + z.sum()


@program()
def zero_dimensional_view(x):
    o = np.zeros(2)
    s = o[0, ...]
    o[0] = x[0]
    return s * 2.0 + o.sum()


@program()
def zero_dimensional_array_written(x):
    o = np.zeros(())
    o[...] = x[0]
    o += x[1]
    o[()] = o * 2
    return o * 1.0


@program()
def swap_of_elements(x):
    y = x * 1
    y[0], y[1] = (y[1], y[0])
    return (y * [1, 2, 3]).sum()


@program()
def swap_of_rows_by_list(x):
    A = np.outer(x, x) * 1.0
    A[[0, 1]] = A[[1, 0]]
    return (A * np.arange(9).reshape(3, 3)).sum()


@program()
def swap_of_rows_with_copy(x):
    A = np.outer(x, [1, 2, 3.0])
    A[0], A[1] = (A[1], A[0].copy())
    return (A * np.arange(9).reshape(3, 3)).sum()


@program()
def swap_of_rows_that_alias(x):
    A = np.outer(x, [1, 2, 3.0])
    A[0], A[1] = (A[1], A[0])
    return (A * np.arange(9).reshape(3, 3)).sum()


# Cells, masks and positions ------------------------------------------------------------------------------------------


@program()
def recurrence(x):
    o = np.empty(5)
    o[0] = x[0]
    for i in range(1, 5):
        o[i] = x[1] * o[i - 1] + x[2] * i
    return (o**2).sum()


@program()
def some_cells(x):
    o = np.ones(5)
    o[3] = x[0]
    o[1] = x[1]
    return (o * np.arange(5)).sum() + o[-2] * o[0]


@program()
def cell_overwritten(x):
    o = np.zeros(3)
    o[0] = x[0]
    a = o[0]
    o[0] = x[1] * a
    b = o[:2]
    o[1] = x[2]
    return (o**2).sum() + b.sum() * 2


@program()
def view_made_before_cells(x):
    o = np.zeros(3)
    v = o[1:]
    o[1] = x[0]
    v[1] = x[1]
    return (o * [1, 2, 3]).sum() + (v * [4, 5]).sum()


@program()
def rows_and_cells(x):
    o = np.zeros((2, 2))
    o[0] = x[:2]
    o[0, 1] = x[2]
    o[1] = o[0] * 2
    o[0, 0] = 7 * x[1]
    return (o * np.array([[1, 2], [3, 4]])).sum()


@program()
def cells_and_views_in_turn(x):
    o = np.zeros(4)
    o[0] = x[0]
    v = o[:2]
    v[1] = x[1]
    o[0] = x[2]
    s = v[0] * 10
    o[1:3] *= 2
    return (o * [1, 2, 3, 4]).sum() + s + (v * [5, 6]).sum()


@program()
def view_of_view_before_cells(x):
    o = np.zeros(4)
    v = o[:2]
    w = v[1:]
    o[1] = x[0]
    t = w[0] * 3
    o[1] = x[1]
    return t + (w * 2).sum() + (v * [7, 9]).sum()


@program()
def row_view_after_row_assigned(x):
    A = np.zeros((2, 2))
    A[0] = x[:2]
    r = A[0]
    A[0] = x[1:]
    return (r * [1, 2]).sum()


@program()
def element_read_is_a_copy(x):
    o = np.zeros(2)
    o[0] = x[0]
    s = o[0]
    o[0] = x[1]
    return s * 10 + o[0]


@program()
def integer_array_truncates(x):
    o = np.zeros(3, dtype=int)
    o[0] = x[1]
    return (o * x).sum()


@program()
def arange_truncates(x):
    o = np.arange(3)
    o[1] = x[2]
    return (o * x).sum()


@program()
def integer_array_refuses_float_addition(x):
    o = np.zeros(3, dtype=int)
    try:
        o += x
    except TypeError:
        return x.sum()
    return x.prod()


@program()
def boolean_array(x):
    o = np.zeros(3, dtype=bool)
    o[0] = x[0] > 0
    o[1:] = x[1:] > 2
    return (x * o).sum()


@program()
def positions_written(x):
    o = np.zeros(5)
    o[[0, 2, 4]] = x
    o[np.array([1, 3])] += x[:2]
    return (o * np.arange(5) ** 2).sum()


@program()
def mask_written(x):
    y = x * 2
    y[y > 2] = 0.5 * x[0]
    return (y**2).sum()


@program()
def mask_updated(x):
    y = x * 2
    y[x > 1] *= x[0]
    return (y**2).sum()


@program()
def constant_mask_written(x):
    m = np.array([True, False, True])
    y = x * 2
    y[m] = x[m] ** 2
    return (y**2).sum()


@program()
def mask_changed_after_use(x):
    m = np.array(x > 1)
    y = x[m]
    m[:] = True
    return y.sum() + x[m].prod()


@program()
def broadcast_into_slices(x):
    o = np.zeros((3, 3))
    o[:] = x
    o[:, 1] = x[0]
    o[1] = 2
    o[..., 2] += x
    return (o * np.arange(9).reshape(3, 3)).sum()


@program()
def argmax_as_index(x):
    k = np.argmax(x)
    A = np.zeros(3)
    A[k] = x[0]
    A[k - 1] = x[1]
    return (A * [1, 2, 3]).sum() + x[k]


@program()
def masks_of_matrices(x):
    A = np.outer(x, x)
    return A[np.triu_indices(3, 1)].sum() + A[np.eye(3, dtype=bool)].prod() + np.tril(A).sum()


@program()
def diagonals_and_flat(x):
    A = np.zeros((3, 3))
    np.fill_diagonal(A, x)
    A[np.diag_indices(3)] += x
    A[0, 1] = x[2]
    A.flat[5] = x[0]
    return (A * np.arange(9).reshape(3, 3)).sum() + np.trace(A)


@program()
def ellipsis_and_reverse(x):
    o = np.zeros(3, dtype=np.float64)
    o[...] = x
    o[::-1][0] = x[0]
    return (o * [1, 2, 3]).sum()


@program()
def gaussian_elimination(x):
    A = np.array([[2 + x[0], 1, 0], [1, 3, x[1]], [0, x[2], 4.0]])
    b = np.array([1, x[0], 2.0])
    for i in range(3):
        for j in range(i + 1, 3):
            m = A[j, i] / A[i, i]
            A[j] -= m * A[i]
            b[j] -= m * b[i]
    z = np.zeros(3)
    for i in (2, 1, 0):
        z[i] = (b[i] - A[i, i + 1 :] @ z[i + 1 :]) / A[i, i]
    return z.sum()


@program()
def add_at(x):
    o = np.zeros(3)
    np.add.at(o, [0, 0, 2], x)
    return (o * [1, 2, 3]).sum()


@program()
def subtract_at(x):
    o = np.zeros(3)
    np.subtract.at(o, [0, 0, 2], x)
    return (o * [1, 2, 3]).sum()


@program()
def copyto(x):
    o = np.zeros(3)
    np.copyto(o, x)
    np.copyto(o, 5 * x, where=np.array([True, False, False]))
    return (o * [1, 2, 3]).sum()


# Constructors --------------------------------------------------------------------------------------------------------


@program()
def array_of_elements(x):
    a = np.array([x[0], x[1] * x[2]])
    b = np.array([[x[0], 0.0], [1.0, x[1]]])
    return (b @ a).sum()


@program()
def array_of_arrays(x):
    a = np.array([x, x * 2])
    a[0, 0] = 3 * x[1]
    return (a**2).sum() + x[0]


@program()
def array_of_tuples(x):
    return (
        np.array((x[0], 1.0)).sum()
        + np.asarray([x[:2], x[1:]]).sum()
        + np.array([np.array([x[0]]), np.array([2.0])]).sum()
    )


@program()
def like(x):
    o = np.zeros_like(x, dtype=float)
    o[:] = x
    p = np.empty_like(x)
    p.fill(x[0])
    q = np.full_like(x, x[1])
    r = np.ones_like(x)
    r *= x
    return (o * p * q * r).sum()


@program()
def full(x):
    o = np.full(3, x[0])
    o[1] = x[1]
    q = np.full((2, 2), 2.0)
    q[0, 0] = x[2]
    return (o**2).sum() + q.sum()


@program()
def eye_and_identity(x):
    A = np.eye(3)
    A[0, 1] = x[0]
    A *= x[1]
    B = np.identity(3) * x[2]
    return (A @ B).sum()


@program()
def joins(x):
    y = np.append(x, [1.0])
    y = np.append(y, x[0])
    return (
        (y * np.arange(5)).sum()
        + np.concatenate([x, [x[0]]]).sum()
        + np.hstack([x, 1.0]).sum()
        + np.r_[x, 1.0, x[:1]].sum()
        + np.vstack([x, x]).prod()
    )


@program()
def stacks(x):
    return (
        np.stack([x, x**2]).sum()
        + np.column_stack([x, x]).prod()
        + np.array([x, x]).T.sum()
        + np.block([[x], [x]]).sum()
        + np.tile(x, 2).sum()
    )


@program()
def repeated_list(x):
    return (np.array([x[0]] * 3) * [1, 2, 3]).sum() + sum([x[0]] * 2)


@program()
def comprehensions(x):
    return np.sum([v**2 for v in x]) + np.array([math.exp(v) for v in x]).prod() + np.mean([x[0], x[1]])


@program()
def linspace_and_arange(x):
    return (np.linspace(x[0], x[1], 5) * np.arange(5)).sum() + np.arange(x[0], x[2], 0.5).sum()


@program()
def meshgrid(x):
    a, b = np.meshgrid(x, x)
    return (a * b**2).sum()


@program()
def asarray_of_scalar(x):
    return np.asarray(x[0]).item() + float(np.array([x[1]])[0]) + np.array(x[2])[()]


@program()
def array_of_rows_and_lists(x):
    A = np.array([[x[0], x[1]], [x[1], x[2]]])
    B = np.array([A, A])
    return np.linalg.det(A) + B.sum() + np.array([A[0], [1.0, 2.0]]).sum()


# math, builtins, Python ----------------------------------------------------------------------------------------------


@program()
def math_functions(x):
    return (
        math.exp(x[0]) * math.sin(x[1])
        + math.log(x[2])
        + math.sqrt(x[0])
        + math.pow(x[1], 2)
        + math.hypot(x[0], x[1])
        + math.lgamma(x[2])
        + math.log(x[2], 3)
        + math.atan2(x[0], x[1])
        + exponential(x[1])
    )


@program()
def float_of_elements(x):
    return float(x[0]) ** 2 * float(np.sum(x)) + abs(float(x[1]))


@program()
def builtin_functions(x):
    return (
        sum(x)
        + max(x) * 2
        + min(x)
        + abs(x[0])
        + pow(x[1], 2)
        + round(x[0], 1) * 0
        + sum(v * v for v in x)
        + max(x[0], x[1], key=lambda t: -t)
        + divmod(x[2], 1.0)[1]
    )


@program()
def builtin_max_and_min(x):
    return max(x[0], 1.0) + min(2.0, x[1]) + max([x[0], x[2]]) + max(0, x[0]) + np.maximum(x, 1).sum()


@program()
def isinstance_and_type(x):
    s = 0
    for v in x:
        if isinstance(v, (float, np.floating)):
            s = s + v**2
    if isinstance(x, np.ndarray):
        s = s * 2
    if type(x) is np.ndarray:
        s = s * 3
    return s


@program()
def numpy_scalar_types(x):
    return np.float64(x[0]) * 2 + np.int64(3) * x[1]


@program()
def imports_inside(x):
    import numpy as n2
    from numpy import array as arr
    import math as m2
    import scipy.special as sc
    from scipy.special import gammaln

    return arr([x[0], x[1]]).sum() + m2.exp(x[2]) + sc.gammaln(x[1]) + gammaln(x[0]) + n2.linalg.norm(x)


@program()
def helpers_with_keywords(x):
    return helper(x).sum() + helper(x, k=x[0]).sum()


@program()
def nonlocal_of_a_closure(x):
    tot = 0.0

    def add(v):
        nonlocal tot
        tot = tot + np.array([v, v**2]).sum()

    for v in x:
        add(v)
    return tot


@program()
def captured_arrays_lists_and_dicts(x):
    return (WEIGHTS * x).sum() + LIST[0] * x[1] + (DICTIONARY["a"] * x).sum()


@program()
def lambdas_and_map(x):
    f = lambda v: math.sin(v)
    return sum(map(f, x)) + sum(f(v) for v in x)


@program()
def generators(x):

    def g():
        for v in x:
            yield (v * v)

    return sum(g()) + np.fromiter((1.0 for _ in range(3)), float).sum() * x[0]


@program()
def partial_of_a_helper(x):
    from functools import partial

    return partial(helper, k=3.0)(x).sum()


@program()
def decorator(x):
    import functools

    def deco(g):

        @functools.wraps(g)
        def w(*a):
            return g(*a) * 2

        return w

    @deco
    def h(v):
        return math.exp(v[0])

    return h(x)


@program()
def functools_reduce(x):
    import functools, operator

    return functools.reduce(operator.mul, x) + functools.reduce(lambda a, b: a + b * b, x, 0.0)


@program()
def lru_cache_of_integers(x):
    import functools

    @functools.lru_cache
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    return fib(10) * x[0]


@program()
def unpacking(x):
    a, b, c = x
    d, *e = x
    return a * b - c + d + e[1]


@program()
def enumerate_zip_reversed(x):
    return sum((i * v for i, v in enumerate(x))) + sum((a * b for a, b in zip(x, WEIGHTS))) + sum(reversed(x)) + len(x)


@program()
def star_arguments(x):
    return max(*x) + np.array([*x, *x]).sum() + (lambda *a, **k: a[0] * k["b"])(x[0], b=x[1])


@program()
def walrus(x):
    return (y := (x[0] * 2)) + y


@program()
def match_on_shape(x):
    match x.shape:
        case [n]:
            return x.sum() * n


@program()
def errstate(x):
    with np.errstate(divide="ignore"):
        return np.log(x).sum()


@program()
def assertions(x):
    assert x[0] > 0
    assert np.all(np.isfinite(x))
    assert x.shape == (3,)
    return x.sum()


@program()
def formatting(x):
    f"{x[0]:.2f}"
    repr(x)
    str(x)
    return x.sum()


@program()
def dictionaries(x):
    d = {}
    d["a"] = x[0]
    d.setdefault("b", x[1])
    return sum(d.values())


@program()
def list_filled(x):
    L = [0] * 3
    for i in range(3):
        L[i] = x[i] ** 2
    return sum(L)


@program()
def dataclass_made_inside(x):
    from dataclasses import dataclass

    @dataclass
    class P:
        a: float
        b: float

        def v(self):
            return math.exp(self.a) + self.b**2

    return P(x[0], x[1]).v()


@program()
def getattr_of_modules(x):
    return getattr(np, "array")([x[0]]).sum() + getattr(math, "exp")(x[1])


@program()
def exec_with_its_own_names(x):
    ns = {"x": x, "np": np, "math": math}
    exec("y=math.exp(x[0])+np.array([x[1]]).sum()", ns)
    return ns["y"]


@program()
def eval_of_a_string(x):
    return eval("np.array([x[0],x[1]]).sum()+math.exp(x[2])")


@program()
def method_of_an_object_made_inside(x):
    return Model().f(x)


@program()
def method_of_an_outside_object(x):
    return MODEL.f(x)


@program()
def ndindex(x):
    s = 0
    for i in np.ndindex(3):
        s = s + x[i] ** 2
    for i, v in np.ndenumerate(x):
        s = s + v
    return s


@program()
def namedtuple_made_inside(x):
    from collections import namedtuple

    P = namedtuple("P", "a b")
    p = P(x[0], x[1])
    return np.array([p.a, p.b]).sum() + np.sum(p)


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
