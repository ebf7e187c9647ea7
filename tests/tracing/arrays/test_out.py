"""Every way of `out=`, and functions that write into an argument: against the plain function."""

from __future__ import annotations

import numpy as np
import pytest
from out_arguments import A3, case
from plainly import check

import autoopt
from autoopt.errors import TracingError


@case
def median_out(x):
    B = np.zeros(2)
    np.median(np.outer(x, A3[0]), 1, B)
    return np.sum(B**2)


@case
def quantile_out(x):
    B = np.zeros(2)
    np.quantile(np.outer(x, A3[0]), 0.3, 1, B)
    return np.sum(B**2)


@case
def percentile_out(x):
    B = np.zeros(2)
    np.percentile(np.outer(x, A3[0]), 30, axis=1, out=B)
    return np.sum(B**2)


@case
def nansum_out(x):
    B = np.zeros(2)
    np.nansum(np.outer(x, A3[0]), axis=1, out=B)
    return np.sum(B**2)


@case
def nanmean_out(x):
    B = np.zeros(2)
    np.nanmean(np.outer(x, A3[0]), axis=1, out=B)
    return np.sum(B**2)


@case
def round_out(x):
    B = np.zeros(2)
    np.round(x, out=B)
    return np.sum(B**2) + x[0] ** 2


@case
def outer_fn_out(x):
    B = np.zeros((2, 2))
    np.outer(x, x, out=B)
    return np.sum(B**2)


@case
def outer_fn_pos(x):
    B = np.zeros((2, 2))
    np.outer(x, x, B)
    return np.sum(B**2)


@case
def trace_out(x):
    B = np.zeros(())
    np.trace(np.outer(x, x), out=B)
    return B**2


@case
def trace_out2(x):
    B = np.zeros(1)
    np.trace(np.outer(x, x), 0, 0, 1, None, B[0:1].reshape(()))
    return np.sum(B**2)


@case
def exp_out(x):
    B = np.zeros(2)
    np.exp(x, out=B)
    return np.sum(B**2)


@case
def exp_out_pos(x):
    B = np.zeros(2)
    np.exp(x, B)
    return np.sum(B**2)


@case
def add_out_pos(x):
    B = np.zeros(2)
    np.add(x, 1.0, B)
    return np.sum(B**2)


@case
def add_out_where(x):
    B = np.ones(2)
    np.add(x, 1.0, out=B, where=x > 0.6)
    return np.sum(B**3)


@case
def exp_where_const(x):
    B = np.ones(2)
    np.exp(x, B, where=[True, False])
    return np.sum(B**3)


@case
def where_view(x):
    B = np.ones((2, 2))
    np.exp(x, out=B[:, 1], where=[True, False])
    return np.sum(B**3)


@case
def out_self(x):
    y = x * 1
    np.exp(y, out=y)
    np.multiply(y, y, out=y)
    return np.sum(y)


@case
def out_view(x):
    B = np.zeros((3, 2))
    np.exp(x, out=B[1])
    np.exp(x, out=B.T[:, 2])
    return np.sum(B**2)


@case
def modf_out(x):
    a = np.zeros(2)
    b = np.zeros(2)
    np.modf(x, out=(a, b))
    return np.sum(a**2 + b * x)


@case
def modf_out_none(x):
    a = np.zeros(2)
    r = np.modf(x, out=(a, None))
    return np.sum(a**2 + r[1] * x)


@case
def divmod_out(x):
    a = np.zeros(2)
    b = np.zeros(2)
    np.divmod(x, 0.3, out=(a, b))
    return np.sum(a * x + b**2)


@case
def modf_pos(x):
    a = np.zeros(2)
    b = np.zeros(2)
    np.modf(x, a, b)
    return np.sum(a**2 + b * x)


@case
def copyto_where(x):
    B = np.ones(2)
    np.copyto(B, x**2, where=[True, False])
    return np.sum(B**3)


@case
def copyto_view(x):
    B = np.ones((2, 2))
    np.copyto(B[0], x**2)
    return np.sum(B**3)


@case
def nan_to_num_copy(x):
    B = x**2
    np.nan_to_num(B, copy=False, nan=1.0)
    return np.sum(B**3)


@case
def plain_data_out(x):
    B = np.zeros(2)
    np.exp(np.array([1.0, 2.0]), out=B)
    return np.sum(B * x**2)


@case
def plain_out_sumdata(x):
    B = np.zeros(2)
    np.sum(A3, axis=1, out=B)
    return np.sum(B * x**2)


@case
def plain_dot_data(x):
    B = np.zeros((2, 2))
    np.dot(A3, A3.T, out=B)
    return x @ B @ x


@case
def plain_cumsum(x):
    B = np.zeros(3)
    np.cumsum(A3[0], out=B)
    return np.sum(B) * x[0] ** 2


@case
def plain_clip(x):
    B = A3.copy()
    B.clip(2, 3, out=B)
    return np.sum(B) * x[0] ** 2


@case
def out_array_fn(x):
    B = np.array([0.0, 0.0])
    np.exp(x, out=B)
    return np.sum(B**2)


@case
def out_arange(x):
    B = np.arange(2.0)
    np.exp(x, out=B)
    return np.sum(B**2)


@case
def out_prod_result(x):
    B = np.arange(2.0) * 3
    np.exp(x, out=B)
    return np.sum(B**2)


@case
def out_ndarr_copy(x):
    B = A3[0, :2].copy()
    np.exp(x, out=B)
    return np.sum(B**2)


OUT = np.zeros(2)


class H:
    pass


h = H()
h.buf = np.zeros(2)
h.m = np.zeros((2, 2))


@case
def putmask(x):
    B = np.zeros(2)
    np.putmask(B, [True, False], x)
    return np.sum(B**2)


@case
def place(x):
    B = np.zeros(4)
    np.place(B, [True, False, True, True], x)
    return np.sum(B**3)


@case
def put(x):
    B = np.zeros(4)
    np.put(B, [1, 2], x**2)
    return np.sum(B**3)


@case
def putalong(x):
    B = np.zeros((2, 2))
    np.put_along_axis(B, np.array([[1], [0]]), x[:, None] ** 2, 1)
    return np.sum(B**3)


@case
def fd_wrap(x):
    B = np.zeros((5, 2))
    np.fill_diagonal(B, x[0] ** 2, wrap=True)
    return np.sum(B**3)


@case
def fd(x):
    B = np.zeros((2, 2))
    np.fill_diagonal(B, x**2)
    return np.sum(B**3)


@case
def cross_solve(x):
    B = np.zeros((2, 2))
    np.linalg.multi_dot([np.outer(x, x), A3[:, :2], A3[:, :2]], out=B)
    return np.sum(B**2)


@case
def complex_out(x):
    B = np.zeros(2, complex)
    np.exp(1j * x, out=B)
    return np.sum(B.real**3 + B.imag)


@case
def complex_outer_out(x):
    B = np.zeros((2, 2), complex)
    np.multiply.outer(x * 1j, x, out=B)
    return np.sum(B.imag**3)


@case
def complex_out_real(x):
    B = np.zeros(2, complex)
    np.exp(x, out=B)
    return np.sum(B.real**3)


@case
def complex_sum_out(x):
    B = np.zeros((), complex)
    np.sum(x * 1j, out=B)
    return B.imag**3


@case
def complex_einsum_out(x):
    B = np.zeros((2, 2), complex)
    np.einsum("i,j->ij", x * 1j, x, out=B)
    return np.sum(B.imag**3)


@case
def complex_where(x):
    B = np.ones(2, complex)
    np.multiply(x, 1j, out=B, where=[True, False])
    return np.sum(B.imag**3) + np.sum(B.real)


@case
def int_out(x):
    B = np.zeros(2, int)
    np.add(x, 1, out=B, casting="unsafe")
    return np.sum(B * x)


@case
def bool_out(x):
    B = np.zeros(2, bool)
    np.greater(x, 0.6, out=B)
    return np.sum(np.where(B, x**2, x))


@case
def isnan_out(x):
    B = np.zeros(2, bool)
    np.isnan(x, out=B)
    return np.sum(np.where(B, x**2, x**3))


@case
def all_out(x):
    B = np.zeros((), bool)
    np.all(x > 0, out=B)
    return x[0] ** 2 if B else x[1] ** 2


@case
def argmax_out(x):
    B = np.zeros((), int)
    np.argmax(x, out=B)
    return x[int(B)] ** 2


@case
def ndarray_out_order(x):
    B = np.zeros((2, 2), order="F")
    np.multiply.outer(x, x, out=B)
    return np.sum(B.ravel("K") * np.arange(4.0))


@case
def fft_out(x):
    B = np.zeros(2, complex)
    np.fft.fft(x, out=B)
    return np.sum(B.real**2)


@case
def ptp_out(x):
    B = np.zeros(2)
    np.ptp(np.outer(x, A3[0]), 1, B)
    return np.sum(B**2)


@case
def logaddexp_reduce_out(x):
    B = np.zeros(2)
    np.logaddexp.reduce(np.outer(x, A3[0]), axis=1, out=B)
    return np.sum(B**2)


@case
def hypot_outer(x):
    B = np.zeros((2, 3))
    np.hypot.outer(x, A3[0], out=B)
    return np.sum(B**2 * A3)


@case
def power_outer_kw(x):
    return np.sum(np.power.outer(x**2, A3[0], out=np.empty((2, 3))) * A3)


@pytest.mark.slow_for("reduce_out_tuple")
@pytest.mark.parametrize("f", case, ids=lambda f: f.__name__)
@pytest.mark.sampled(9)
def test_what_is_written_by_out_is_followed(f) -> None:
    check(f)


OUTSIDE = np.zeros((2, 2))


@pytest.mark.parametrize(
    "write",
    [
        lambda x: np.exp(x, out=OUTSIDE[0]),
        lambda x: np.multiply.outer(x, x, out=OUTSIDE),
        lambda x: np.einsum("i,j->ij", x, x, out=OUTSIDE),
        lambda x: np.add.reduce(np.outer(x, x), axis=1, out=OUTSIDE[1]),
        lambda x: np.copyto(OUTSIDE, x),
        lambda x: np.add.at(OUTSIDE, 0, x),
    ],
)
def test_an_array_of_outside_takes_no_traced_values(write) -> None:
    def f(x):
        before = np.sum(OUTSIDE)
        write(x)
        return np.sum(OUTSIDE * x) + before

    with pytest.raises(TracingError) as caught:
        autoopt.grad(f)(np.array([1.0, 2.0]))
    assert caught.value.where[0].file == __file__ and "'OUTSIDE', made outside" in caught.value.happened
