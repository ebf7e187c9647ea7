"""Functions of NumPy that write into `out=`, an array of the objective's own."""

from __future__ import annotations

import numpy as np
from plainly import Cases

case = Cases()

A3 = np.arange(6.0).reshape(2, 3) + 1


@case
def outer_out(x):
    B = np.zeros((2, 2))
    np.multiply.outer(x, x, out=B)
    return np.sum(B**2)


@case
def outer_add(x):
    B = np.zeros((2, 2))
    np.add.outer(x, np.array([1.0, 2.0]), out=B)
    return np.sum(B**2)


@case
def outer_plainres(x):
    B = np.zeros((2, 2))
    C = np.multiply.outer(x, x, out=B)
    B[0, 0] = 7 * x[1]
    return np.sum(C**3)


@case
def outer_outview(x):
    B = np.zeros((3, 2, 2))
    np.multiply.outer(x, x, out=B[1])
    return np.sum(B**3)


@case
def outer_where(x):
    B = np.ones((2, 2))
    np.multiply.outer(x, x, out=B, where=np.array([[True, False], [True, True]]))
    return np.sum(B**3)


@case
def outer_dtype(x):
    return np.sum(np.multiply.outer(x, x, dtype=float) ** 3)


@case
def reduce_out(x):
    B = np.zeros(2)
    np.add.reduce(np.outer(x, x), axis=1, out=B)
    return np.sum(B**3)


@case
def reduce_out_pos(x):
    B = np.zeros(2)
    np.add.reduce(np.outer(x, x), 1, None, B)
    return np.sum(B**3)


@case
def reduce_out_tuple(x):
    B = np.zeros(2)
    np.multiply.reduce(np.outer(x, x) + 1, axis=1, out=(B,))
    return np.sum(B**3)


@case
def reduce_sub_out(x):
    B = np.zeros(2)
    np.subtract.reduce(np.outer(x, x) + 1, axis=1, out=B)
    return np.sum(B**3)


@case
def reduce_keepdims_out(x):
    B = np.zeros((2, 1))
    np.add.reduce(np.outer(x, x), axis=1, keepdims=True, out=B)
    return np.sum(B**3)


@case
def reduce_initial_out(x):
    B = np.zeros((2,))
    np.add.reduce(np.outer(x, x), axis=1, initial=3.0, out=B)
    return np.sum(B**3)


@case
def reduce_where_out(x):
    B = np.zeros((2,))
    np.add.reduce(np.outer(x, x), axis=1, where=np.array([[True, False], [True, True]]), out=B)
    return np.sum(B**3)


@case
def reduce_0d_out(x):
    B = np.zeros(())
    np.add.reduce(x, out=B)
    return B**3


@case
def acc_out(x):
    B = np.zeros((2, 2))
    np.add.accumulate(np.outer(x, x), axis=1, out=B)
    return np.sum(B**3)


@case
def acc_out_pos(x):
    B = np.zeros((2, 2))
    np.add.accumulate(np.outer(x, x), 1, None, B)
    return np.sum(B**3)


@case
def acc_mul_out(x):
    B = np.zeros((2, 2))
    np.multiply.accumulate(np.outer(x, x) + 1, axis=1, out=B)
    return np.sum(B**3)


@case
def acc_div_out(x):
    B = np.zeros((2, 2))
    np.divide.accumulate(np.outer(x, x) + 1, axis=1, out=B)
    return np.sum(B**3)


@case
def reduceat_out(x):
    B = np.zeros((2, 2))
    np.add.reduceat(np.outer(x, x) + 1, [0, 1], axis=1, out=B)
    return np.sum(B**3)


@case
def reduceat_pos(x):
    B = np.zeros((2, 2))
    np.add.reduceat(np.outer(x, x) + 1, [0, 1], 1, None, B)
    return np.sum(B**3)


@case
def at(x):
    B = np.zeros(3)
    np.add.at(B, [0, 2, 0], np.array([1.0, 2.0, 3.0]) * x[0])
    np.multiply.at(B, [0, 1], x)
    return np.sum(B**2)


@case
def einsum_out(x):
    B = np.zeros((2, 2))
    np.einsum("i,j->ij", x, x, out=B)
    return np.sum(B**3)


@case
def einsum_lists_out(x):
    B = np.zeros((2, 2))
    np.einsum(x, [0], x, [1], [0, 1], out=B)
    return np.sum(B**3)


@case
def dot_out(x):
    B = np.zeros((2, 3))
    np.dot(np.outer(x, x), A3, out=B)
    return np.sum(B**3)


@case
def dot_out_pos(x):
    B = np.zeros((2, 3))
    np.dot(np.outer(x, x), A3, B)
    return np.sum(B**3)


@case
def dot_method_out(x):
    B = np.zeros((2, 3))
    np.outer(x, x).dot(A3, out=B)
    return np.sum(B**3)


@case
def dot_method_plain(x):
    B = np.zeros((3,))
    A3.T.dot(x, out=B)
    return np.sum(B**3)


@case
def matmul_out(x):
    B = np.zeros((2, 3))
    np.matmul(np.outer(x, x), A3, out=B)
    return np.sum(B**3)


@case
def matmul_out_pos(x):
    B = np.zeros((2, 3))
    np.matmul(np.outer(x, x), A3, B)
    return np.sum(B**3)


@case
def cumsum_out(x):
    B = np.zeros(2)
    np.cumsum(x**2, out=B)
    return np.sum(B**3)


@case
def cumsum_meth(x):
    B = np.zeros(2)
    (x**2).cumsum(0, None, B)
    return np.sum(B**3)


@case
def cumprod_out(x):
    B = np.zeros(2)
    np.cumprod(x**2, 0, None, B)
    return np.sum(B**3)


@case
def take_out(x):
    B = np.zeros(3)
    np.take(x**2, [0, 1, 0], out=B)
    return np.sum(B**3)


@case
def take_out_pos(x):
    B = np.zeros(3)
    np.take(x**2, [0, 1, 0], None, B)
    return np.sum(B**3)


@case
def take_meth(x):
    B = np.zeros(3)
    (x**2).take([0, 1, 0], 0, B)
    return np.sum(B**3)


@case
def clip_out(x):
    B = np.zeros(2)
    np.clip(x**2, 0.5, 2.0, out=B)
    return np.sum(B**3)


@case
def clip_out_pos(x):
    B = np.zeros(2)
    np.clip(x**2, 0.5, 2.0, B)
    return np.sum(B**3)


@case
def clip_meth(x):
    B = np.zeros(2)
    (x**2).clip(0.5, 2.0, B)
    return np.sum(B**3)


@case
def concat_out(x):
    B = np.zeros(4)
    np.concatenate([x**2, x], out=B)
    return np.sum(B**3)


@case
def concat_out_pos(x):
    B = np.zeros(4)
    np.concatenate([x**2, x], 0, B)
    return np.sum(B**3)


@case
def stack_out(x):
    B = np.zeros((2, 2))
    np.stack([x**2, x], out=B)
    return np.sum(B**3)


@case
def stack_out_pos(x):
    B = np.zeros((2, 2))
    np.stack([x**2, x], 1, B)
    return np.sum(B**3 * A3[:, :2])


@case
def compress_out(x):
    B = np.zeros(1)
    np.compress([False, True], x**2, out=B)
    return np.sum(B**3)


@case
def compress_pos(x):
    B = np.zeros(1)
    np.compress([False, True], x**2, 0, B)
    return np.sum(B**3)


@case
def compress_meth(x):
    B = np.zeros(1)
    (x**2).compress([False, True], 0, B)
    return np.sum(B**3)


@case
def choose_out(x):
    B = np.zeros(2)
    np.choose([1, 0], [x**2, x], out=B)
    return np.sum(B**3)


@case
def choose_pos(x):
    B = np.zeros(2)
    np.choose([1, 0], [x**2, x], B)
    return np.sum(B**3)


@case
def choose_meth(x):
    B = np.zeros(2)
    np.array([1, 0]).choose([x**2, x], B)
    return np.sum(B**3)


@case
def sum_out(x):
    B = np.zeros(())
    np.sum(x**2, out=B)
    return B**2


@case
def sum_out_row(x):
    B = np.zeros(3)
    np.sum(np.outer(x, A3[0]), 0, None, B)
    return np.sum(B**2)


@case
def sum_meth_out(x):
    B = np.zeros(3)
    np.outer(x, A3[0]).sum(0, None, B)
    return np.sum(B**2)


@case
def mean_out(x):
    B = np.zeros(3)
    np.outer(x, A3[0]).mean(0, None, B)
    return np.sum(B**2)


@case
def mean_out2(x):
    B = np.zeros(3)
    np.mean(np.outer(x, A3[0]), 0, out=B)
    return np.sum(B**2)


@case
def std_out(x):
    B = np.zeros(3)
    np.std(np.outer(x, A3[0]), 0, None, B)
    return np.sum(B**2)


@case
def var_out(x):
    B = np.zeros(2)
    np.outer(x, A3[0]).var(axis=1, out=B)
    return np.sum(B**2)


@case
def max_out(x):
    B = np.zeros(2)
    np.max(np.outer(x, A3[0]) ** 2, 1, B)
    return np.sum(B**2)


@case
def min_meth_out(x):
    B = np.zeros(2)
    (np.outer(x, A3[0]) ** 2).min(1, B)
    return np.sum(B**2)


@case
def prod_out(x):
    B = np.zeros(2)
    np.prod(np.outer(x, A3[0]), 1, None, B)
    return np.sum(B**2)
