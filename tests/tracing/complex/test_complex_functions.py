"""Functions of complex values on the way to a real result: against the plain function."""

from __future__ import annotations

import numpy as np
import pytest
from plainly import Cases, check
from scipy import special

import autoopt
from autoopt.errors import TracingError

case = Cases()

W = np.arange(1.0, 10.0).reshape(3, 3)


def z(x):
    return np.array([x[0] + 1j * x[1], x[0] * x[1] - 2j * x[0], 1.5 + 1j * x[1] ** 2])


def Z(x):
    return np.outer(z(x), np.array([1.0, 2j]))


@case
def complex_max(x):
    return np.abs(np.max(z(x))) ** 2


@case
def complex_min(x):
    return np.min(z(x)).real


@case
def complex_var(x):
    return np.var(z(x))


@case
def complex_var_ax(x):
    return np.sum(np.var(Z(x), axis=0, ddof=1) ** 2)


@case
def complex_std(x):
    return np.std(z(x))


@case
def complex_std_m(x):
    return z(x).std()


@case
def complex_prod(x):
    return np.prod(z(x)).imag


@case
def complex_prod_ax(x):
    return np.sum(np.prod(Z(x), axis=0, keepdims=True).real)


@case
def complex_prod_ax1(x):
    return np.sum(np.prod(Z(x), axis=1).imag)


@case
def complex_tensordot(x):
    return np.sum(np.abs(np.tensordot(Z(x), W[:2], axes=1)) ** 2)


@case
def complex_tensordot2(x):
    return np.tensordot(Z(x), Z(x), axes=2).real


@case
def complex_arccosh(x):
    return np.sum(np.arccosh(z(x) + 2).real)


@case
def complex_arcsinh(x):
    return np.sum(np.arcsinh(z(x)).imag)


@case
def complex_arctanh(x):
    return np.sum(np.arctanh(z(x) * 0.1).real)


@case
def complex_arcsin(x):
    return np.sum(np.arcsin(z(x) * 0.1).real + np.arcsin(z(x) * 0.1).imag)


@case
def complex_arccos(x):
    return np.sum(np.arccos(z(x) * 0.1).real + np.arccos(z(x) * 0.1).imag)


@case
def complex_arctan(x):
    return np.sum(np.arctan(z(x) * 0.1).real)


@case
def complex_exp2(x):
    return np.sum(np.exp2(z(x)).imag)


@case
def complex_faddeeva(x):
    return np.sum(np.abs(special.wofz(z(x))) ** 2) + special.wofz(x[0]).imag


@case
def complex_lambert(x):
    return np.sum(special.lambertw(z(x)).imag) + special.lambertw(x[0]).real * special.lambertw(-x[1] - 1, -1).imag


@case
def complex_expm1(x):
    return np.sum(np.expm1(z(x)).imag + np.expm1(z(x) * 1e-5).real * 1e5)


@case
def complex_log1p(x):
    return np.sum(np.log1p(z(x)).imag + np.log1p(z(x) * 1e-5).real * 1e5)


@case
def complex_log2(x):
    return np.sum(np.log2(z(x)).real)


@case
def complex_tan(x):
    return np.sum(np.tan(z(x)).real)


@case
def complex_cumprod(x):
    return np.sum(np.cumprod(z(x)).real)


@case
def complex_mean_where(x):
    return np.mean(z(x)).imag ** 2


@case
def complex_det(x):
    return np.abs(np.linalg.det(np.array([[x[0] + 1j, 1.0], [2j, x[1]]]))) ** 2


@case
def complex_sign(x):
    return np.sum(np.exp(z(x))).real


@case
def complex_logaddexp(x):
    return np.sum(np.log(np.exp(z(x)).sum())).real


@case
def complex_argmax(x):
    return np.abs(z(x))[np.argmax(np.abs(z(x)))]


@case
def complex_gradient(x):
    return np.sum(np.abs(np.gradient(z(x))) ** 2)


@case
def complex_trapz(x):
    return np.abs(np.trapezoid(z(x))) ** 2


@case
def complex_interp(x):
    return np.abs(np.average(z(x), weights=[1.0, 2.0, 3.0])) ** 2


@case
def complex_einsum3(x):
    return np.einsum("i,i,i->", z(x), z(x), z(x)).real


@case
def complex_multidot(x):
    return np.abs(np.linalg.multi_dot([Z(x).T, W, Z(x)])).sum()


@case
def complex_matrix_power(x):
    return np.linalg.matrix_power(np.array([[x[0] + 1j, 1.0], [2j, x[1]]]), 3).real.sum()


@pytest.mark.parametrize("f", case, ids=lambda f: getattr(f, "__name__", ""))
@pytest.mark.sampled(5)
def test_functions_of_complex_values(f) -> None:
    check(f)


def test_single_precision_of_complex_values_is_refused() -> None:
    with pytest.raises(TracingError, match="conversion to complex64") as caught:
        autoopt.grad(lambda x: np.sum(np.abs(z(x).astype(np.complex64)) ** 2))(np.array([1.1, 0.55]))
    assert caught.value.where[0].file == __file__
