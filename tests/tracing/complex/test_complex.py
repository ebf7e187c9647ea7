"""Complex values and Fourier transforms: value, slope and curvature against the objective itself; what is refused."""

from __future__ import annotations

import cmath

import numpy as np
import pytest
import scipy.fft

import autoopt
from autoopt import differences
from autoopt.errors import ObjectiveError, TracingError
from autoopt.objectives.objective import Objective, printed

RNG = np.random.default_rng(4)
Y = RNG.normal(size=9)
C = RNG.normal(size=(4, 3)) + 1j * RNG.normal(size=(4, 3))
K = np.linspace(0.3, 2.0, 5)


def _whittle(p, y):
    n = len(y)
    power = np.abs(np.fft.rfft(y - p[2])) ** 2 / n
    w = 2 * np.pi * np.fft.rfftfreq(n)
    f = np.exp(p[1]) / np.abs(1 - p[0] * np.exp(-1j * w)) ** 2
    return np.sum(np.log(f) + power / f)


def _spectrum(p, y):
    F = np.fft.fft(np.outer(y, p), axis=0)
    shifted = np.fft.fftshift(F, axes=0)[0].real ** 2
    return np.sum(np.abs(F) ** 3) + np.sum(np.angle(F[1:3])) + np.sum(shifted) + np.fft.ifftshift(p)[0] ** 3


def _padded(p, y):
    longer, shorter = np.fft.fft(p, n=6), np.fft.ifft(p, n=2, norm="ortho")
    third = np.fft.rfft(p, norm="forward")
    return np.sum(np.abs(longer) ** 2) + np.sum(shorter.real * shorter.imag) + np.sum(third.imag)


def _filter(p, y):
    full = np.zeros(5, dtype=complex)
    full[:3] = p + 1j * np.append(0, p[:2] ** 2)
    full[4] += p[0] * p[1]
    return sum(np.sum((np.fft.irfft(full, n=n) - 0.1) ** 3) for n in (4, 8, 9))


def _autocorrelation(p, y):
    F = np.fft.fft(np.sin(np.outer(p, y)).ravel(), n=32)
    r = np.fft.ifft(F * np.conj(F)).real[:4]
    return np.sum((r / r[0]) ** 2) + np.sum(np.fft.irfft(np.fft.rfft(p * p)) ** 2)


def _two_axes(p, y):
    A = np.outer(p, y[:4]) ** 2
    F, G = np.fft.fft2(A), np.fft.rfft2(A)
    back = np.fft.irfft2(G * np.exp(-1j * p[0] * np.arange(3)), s=A.shape)
    return np.sum(np.abs(F) ** 2) / A.size + np.sum(back**3) + np.sum(np.fft.ifft2(F * F.conj()).real ** 2)


def _characteristic(p, y):
    kappa, sigma = np.exp(p[:2])
    rho, u = np.tanh(p[2]), K
    d = np.sqrt((rho * sigma * 1j * u - kappa) ** 2 + sigma**2 * (1j * u + u**2))
    g = (kappa - rho * sigma * 1j * u - d) / (kappa - rho * sigma * 1j * u + d)
    log = (kappa - rho * sigma * 1j * u - d) - 2 * np.log((1 - g * np.exp(-d)) / (1 - g))
    return np.sum(np.exp(log / sigma**2).real)


def _impedance(p, y):
    total = 0.0
    for w in K:
        Z = p[0] + 1j * (w * p[1] - 1 / (w * np.exp(p[2])))
        total += abs(Z) + cmath.phase(Z) + (1 / Z).real + complex(p[0], w * p[1]).imag
    return total


def _phases(p, y):
    total = 0j
    for k in range(4):
        total += cmath.exp(1j * k * p[0]) * p[1] + cmath.sqrt(complex(-p[2], k - 1.5))
    return abs(total) ** 2 + cmath.polar(total)[1]


def _fresnel(p, y):
    return abs(np.sum(np.exp(1j * np.outer(K, p)), axis=1)).sum() + np.abs(np.exp(2j * p).mean()) ** 2


def _products(p, y):
    z = C @ p + 1j * np.dot(C, p**2)
    w = np.concatenate([z, p * (1 + 2j)])
    G = C.conj().T @ C * p[0] + np.eye(3) * 1j
    solved = np.linalg.solve(G, p + 0j)
    stacked = np.stack([z, z.conj()]).T[1:]
    return np.vdot(w, w).real + np.linalg.norm(z) + (solved.conj() @ (1j * p)).imag + stacked.sum().real


def _functions(p, y):
    z = p[:2] + 1j * p[1:]
    powers = z**3 + z**-2 + z**0 + 2.0**z + z ** (1 + 0.5j) + z**0.5
    elementary = np.sin(z) * np.cos(z) + np.sinh(z) / np.cosh(z) + np.tanh(z) - np.reciprocal(z) + np.square(-z)
    return (powers + elementary).real.sum() + np.where(z.real > 0, powers, z).imag.sum() + np.prod(z).imag


def _written(p, y):
    A = np.zeros((3, 3), dtype=complex)
    for i in range(3):
        for j in range(3):
            A[i, j] = p[i] * np.exp(1j * p[j]) if i <= j else 0.5
    A[1:, 0] *= 1j
    row = A[0]
    row += p
    A.imag[2] = p**2
    half = np.array([p[0] + 1j * p[1], 1j, p[2]])
    B = np.full(3, 1j)
    B[:] -= half
    return np.sum(np.abs(A) ** 2) + np.trace(A).imag + np.sum(np.abs(half - B)) + A[0].real @ p


def _numbers_replaced(p, y):
    Z = np.array([1 + 2j, 3 - 1j, 1j])
    Z[0] = p[0]
    Z[1] += p[1] * 1j
    np.imag(Z)[2:] = p[2] ** 2
    W = np.asarray([[1, 2j, 0.5], [3, 1j, 1]]).copy()
    W.real[1] = p
    K = np.zeros(3, dtype=complex)
    K[...] = np.exp(1j * np.arange(3))
    K[1:] = p[:2]
    return np.sum(np.abs(Z - p[0]) ** 2) + np.sum(np.abs(W @ p) ** 2) + np.sum(np.abs(K * Z) ** 2)


USES = [
    _whittle, _spectrum, _padded, _filter, _autocorrelation, _two_axes, _characteristic, _impedance, _phases, _fresnel,
    _products, _functions, _written, _numbers_replaced,
]  # fmt: skip


@pytest.mark.parametrize("start", [np.array([0.3, 0.7, 0.4]), np.array([0.9, -0.4, -1.2])], ids=["right", "left"])
@pytest.mark.parametrize("f", USES)
@pytest.mark.sampled(10)
def test_uses(f, start):
    args = (Y[: 8 + (start[1] < 0)],)
    objective = Objective(f, start, args)
    value, gradient = objective.value_and_grad(start)
    np.testing.assert_allclose(value, f(start, *args), rtol=1e-12)
    expected, error = differences.gradient(lambda p: f(p, *args), start)
    np.testing.assert_allclose(gradient, expected, rtol=1e-8, atol=np.max(20 * error) + 1e-9)
    direction = np.array([0.5, -1.0, 0.8])
    expected, error = differences.hessp(objective.grad, start, direction)
    np.testing.assert_allclose(objective.hessp(start, direction), expected, rtol=1e-7, atol=np.max(20 * error) + 1e-8)
    if f in (_whittle, _two_axes):
        product = objective.hess(start) @ direction
        np.testing.assert_allclose(product, expected, rtol=1e-7, atol=np.max(20 * error) + 1e-8)


def test_the_absolute_value_has_slope_zero_at_the_origin():
    gradient = autoopt.grad(lambda p: abs(p[0] + 1j * p[1]) + np.sum(np.abs(np.fft.fft(p))))
    np.testing.assert_array_equal(gradient(np.zeros(2)), 0.0)


def test_its_square_has_curvature_there():
    objective = Objective(lambda p: np.abs(p[0] + 1j * p[1]) ** 2, np.zeros(2))
    np.testing.assert_allclose(objective.hess(np.zeros(2)), 2 * np.eye(2))


def _on_the_cut(p):
    z = np.zeros(3, dtype=complex)
    z[:] = -p
    return np.sqrt(z).imag.sum()


def test_a_root_that_hangs_on_the_sign_of_a_zero_is_refused():
    with pytest.raises(TracingError, match="negative real number"):
        Objective(_on_the_cut, np.ones(3))


def test_roots_of_negative_real_numbers_have_the_sign_of_their_zero():
    f = lambda p: np.sqrt(-p[0] + 0j).imag + 2 * np.sqrt(-(p[0] + 0j)).imag  # noqa: E731
    assert Objective(f, np.ones(1)).value(np.full(1, 4.0)) == f(np.full(1, 4.0)) == -2.0


def test_transforms_of_scipy():
    def f(p):
        cosines = scipy.fft.idct(p, norm="ortho") ** 3 + scipy.fft.dst(p, type=3)
        return np.sum(cosines) + np.sum(np.abs(scipy.fft.rfft(p, workers=1)) ** 3)

    start = np.array([0.3, 0.7, -0.4, 0.2])
    expected, _ = differences.gradient(f, start)
    np.testing.assert_allclose(autoopt.grad(f)(start), expected, rtol=1e-8)


def test_complex_data_is_calculated_by_numpy():
    def f(p, y):
        A = np.zeros((3, 3), dtype=complex)
        A[0, 1] = A[1, 2] = 1j
        A[2, 0] = y[0]
        return np.abs(np.linalg.eigvals(A)).sum() * p[0] + np.sum(np.abs(np.fft.fft(A[0] * y[1]) * p) ** 2)

    expected, _ = differences.gradient(lambda p: f(p, Y), np.ones(3))
    np.testing.assert_allclose(Objective(f, np.ones(3), (Y,)).grad(np.ones(3)), expected, rtol=1e-8)


def test_minimize():
    found = autoopt.minimize(lambda p: np.sum(np.abs(np.fft.fft(p) - np.arange(4.0)) ** 2), np.ones(4))
    assert found.success


def test_the_source_has_a_transform():
    assert "np.fft.fft(" in printed(lambda p: np.sum(np.abs(np.fft.fft(p)) ** 2), np.ones(4))


REFUSED = {
    "np.sort": lambda p: np.sort(1j * p).real.sum(),
    "a comparison": lambda p: float((1j * p)[0] < 2),
    "np.linalg.eigvals": lambda p: np.abs(np.linalg.eigvals(np.outer(p, 1j * p))).sum(),
    "np.fft.hfft": lambda p: np.sum(np.fft.hfft(1j * p)),
    "float": lambda p: float(1j * p[0]),
    "int8": lambda p: (1j * p).astype(float).sum(),
    "where=": lambda p: np.exp(1j * p, where=[True, False, True]).real.sum(),
    "computed of the data": lambda p: np.exp(1j * np.arange(3)).__setitem__(0, p[0]),
    "an array outside": lambda p: C.__setitem__((0, 0), 1j * p[0]) or np.abs(C).sum(),
}


@pytest.mark.parametrize("f", REFUSED.values(), ids=REFUSED)
def test_what_is_not_followed_is_refused(f):
    with pytest.raises(TracingError) as refusal:
        Objective(f, np.ones(3))
    assert "test_complex.py" in str(refusal.value)


def test_a_complex_objective_is_refused():
    with pytest.raises(ObjectiveError, match="complex"):
        Objective(lambda p: np.sum(1j * p), np.ones(3))


def test_complex_zeros_that_only_data_are_added_to():
    """As in sums of impedances, which begin with n * [0j]."""

    def misfit(x, w):
        return np.sum(np.abs(40 * [0j] + 1 / (2j * w) - x[0]) ** 2)

    w = np.arange(1.0, 41.0)
    value, gradient = autoopt.objective(misfit, np.ones(2), w).value_and_grad(np.array([0.7, 1.0]))
    assert value == pytest.approx(40 * 0.49 + np.sum(0.25 / w**2), rel=1e-12)
    np.testing.assert_allclose(gradient, [80 * 0.7, 0.0], rtol=1e-12)


@pytest.mark.parametrize("zero", [0.0, -0.0, 0j, complex(0, -0.0), complex(-0.0, 0)])
def test_text_of_zeros_has_their_signs(zero):
    from autoopt.codegen.code import array_text
    from autoopt.tape.digest import is_uniform

    values = np.full(20, zero)
    signs = [np.signbit(part).any() for part in (values.real, values.imag)]
    assert is_uniform(values) == (not any(signs))
    assert array_text(values) is None or "zeros" in array_text(values)
    assert (array_text(values) is None) == any(signs)
