"""Objectives with views and aliasing, one idiom each, for `test_tracing.py`."""

# ruff: noqa: I001, RET, RUF015, SIM, UP034

from __future__ import annotations

import numpy as np
from tracing_programs import MATRIX, program


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
