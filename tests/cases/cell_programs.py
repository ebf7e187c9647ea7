"""Objectives with cells, masks, positions and constructors, one idiom each, for `test_tracing.py`."""

# ruff: noqa: I001, RET, RUF015, SIM, UP034

from __future__ import annotations

import math
import numpy as np
from tracing_programs import program


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
