"""Short objectives that lean on one corner of the libraries each: linear algebra, Fourier, special, sets, einsum."""

import numpy as np
import scipy.fft
import scipy.linalg as la
import scipy.special as sc
from numpy.linalg import eigvalsh, matrix_power, norm, pinv
from scipy.integrate import cumulative_trapezoid, quad
from scipy.interpolate import CubicSpline, interp1d
from scipy.signal import convolve, fftconvolve
from scipy.stats import binom, cauchy, gumbel_r, laplace, logistic, uniform
from scipy.stats import norm as gauss

from corpus.table import Case

rng = np.random.default_rng(1616)
M3 = rng.normal(size=(3, 3))
S3 = M3 @ M3.T + np.eye(3)
v9 = 0.3 * rng.normal(size=9)
sig = rng.normal(size=16)


def lu_likelihood(p, S):
    A = S + np.outer(p, p)
    lu = la.lu_factor(A)
    return p @ la.lu_solve(lu, np.ones(3)) + np.log(la.det(A))


def block_covariance(p, y):
    V = la.block_diag(np.exp(p[0]) * np.eye(2), np.array([[2.0, np.tanh(p[1])], [np.tanh(p[1]), 2.0]]))
    return y @ la.inv(V) @ y + np.linalg.slogdet(V)[1]


def kronecker(p, y):
    A = np.kron(np.array([[1.0, p[0]], [p[0], 2.0]]), np.diag(np.exp(p[1:])))
    return y @ A @ y + np.trace(A)


def markov_power(p):
    P = np.array([[1 - sc.expit(p[0]), sc.expit(p[0])], [sc.expit(p[1]), 1 - sc.expit(p[1])]])
    return -np.log(matrix_power(P, 5)[0, 1]) + np.log(P[1, 1])


def spectral_radius(p):
    B = p.reshape(3, 3)
    return eigvalsh(B + B.T).max() + norm(B, 2) + np.sum(np.linalg.svd(B, compute_uv=False) ** 3)


def ridge_path(p, S):
    x = np.linalg.lstsq(S + np.exp(p[0]) * np.eye(3), np.ones(3), rcond=None)[0]
    return x @ x + np.sum(pinv(S + p[1] ** 2 * np.eye(3)))


def qr_orthogonality(p):
    Q, R = np.linalg.qr(p.reshape(3, 3) + 2 * np.eye(3))
    return np.sum(np.triu(R, 1) ** 2) + Q[0, 1] + np.abs(np.diag(R)).prod()


def matrix_functions(p):
    A = p.reshape(3, 3)
    return np.trace(la.expm(A - A.T)) + np.sum(la.expm(0.5 * A) ** 2) + la.norm(A @ A)


def lyapunov(p):
    A = p.reshape(3, 3) - 2 * np.eye(3)
    X = la.solve_continuous_lyapunov(A, -np.eye(3))
    return np.trace(X)


def einsum_bilinear(p, T):
    a, b = p[:3], p[3:6]
    return np.einsum("ij,i,j->", T, a, b) ** 2 + np.einsum("ii", T * a) + np.einsum("i,j->ij", a, b).sum() + np.einsum("...i,i", T, b).prod()


def power_spectrum(x, target):
    P = np.abs(np.fft.rfft(x)) ** 2
    return np.sum((P - target) ** 2)


def band_limited(c, y):
    full = np.zeros(9, dtype=complex)
    full[:3] = c[:3] + 1j * np.append(0, c[3:5])
    return np.sum((np.fft.irfft(full, n=16) - y) ** 2)


def autocorrelation_fft(x):
    F = np.fft.fft(x - x.mean(), n=32)
    r = np.fft.ifft(F * np.conj(F)).real[:4]
    return np.sum((r / r[0]) ** 2)


def cosine_transform(c, y):
    return np.sum((scipy.fft.idct(c, norm="ortho") - y) ** 2) + np.sum(np.abs(scipy.fft.rfft(c)))


def image_gradient(u):
    gx, gy = np.gradient(u)
    F = np.fft.fft2(u)
    return np.sum(np.sqrt(gx**2 + gy**2 + 1e-2)) + np.sum(np.abs(F[1:, 1:]) ** 2) / u.size


def blurred(x, k):
    return np.sum(convolve(x, k, mode="valid") ** 2) + np.sum(fftconvolve(x, k)[2:5]) + np.correlate(x, k, "full").max()


def special_zoo(x):
    a = np.exp(x)
    s = sc.gamma(a) + sc.digamma(a) + sc.polygamma(1, a) + sc.beta(a, 2.0) + sc.erfc(x) + sc.erfcx(a) + sc.erfinv(np.tanh(x))
    s = s + sc.j0(x) + sc.j1(x) + sc.i0(x) + sc.i1(x) + sc.ive(1, a) + sc.expit(x) + sc.log_ndtr(x) + sc.ndtri(sc.expit(x))
    return np.sum(s + sc.xlog1py(a, a) + sc.entr(a) + sc.rel_entr(a, 2.0) + sc.logit(sc.expit(x)) + sc.exprel(x) + sc.log1p(a) + sc.cbrt(a))


def incomplete(x):
    a = np.exp(x)
    return np.sum(sc.gammainc(2.5, a) + sc.gammaincc(1.5, a) + sc.betainc(2.0, 3.0, sc.expit(x)) + sc.expi(a) + sc.exp1(a) + sc.spence(a) + sc.hyp2f1(1.0, 2.0, 3.0, sc.expit(x)))


def stats_zoo(p, y):
    s = np.exp(p[1])
    ll = laplace.logpdf(y, p[0], s) + cauchy.logpdf(y, p[0], s) + logistic.logpdf(y, loc=p[0], scale=s) + gumbel_r.logpdf(y, p[0], s)
    ll = ll + gauss.logsf(y, p[0], s) + np.log(gauss.cdf(y, p[0], s) - gauss.cdf(y - 1, p[0], s)) + uniform.logpdf(y, -9, 20)
    return -ll.sum() - binom.logpmf(np.array([1, 2]), 5, sc.expit(p[0])).sum() - gauss.ppf(sc.expit(p[1]))


def far_tails(p):
    return -sc.log_ndtr(p).sum() - gauss.logcdf(p[0]) + np.logaddexp(p[0], p[1]) + np.logaddexp2(p[0], p[1]) + sc.logsumexp(p, b=np.array([1.0, 2.0]))


def cumulative(p, x):
    f = np.exp(-p[0] * x) * p[1]
    F = cumulative_trapezoid(f, x, initial=0)
    return np.sum((F - x) ** 2) + np.diff(f, prepend=0).prod() + np.cumprod(1 + f)[-1] + np.ediff1d(f).sum()


def scipy_interpolants(p, x):
    s = CubicSpline(np.arange(5.0), p)(x)
    t = interp1d(np.arange(5.0), p)(x)
    return np.sum(s**2) + np.sum(t)


def quad_inside(p):
    value, _ = quad(lambda t: np.exp(-p[0] * t * t), 0, 1)
    return (value - p[1]) ** 2


def polynomial_objects(c, x):
    p = np.poly1d(c)
    return np.sum((p(x) - np.sin(x)) ** 2) + p.deriv()(0.5) ** 2 + np.polynomial.Polynomial(c)(0.3)


def vander_fit(c, x):
    V = np.vander(x, len(c), increasing=True)
    L = np.polynomial.legendre.legval(x, c)
    return np.sum((V @ c - np.cos(x)) ** 2) + np.sum(L**2) + np.polynomial.chebyshev.chebval(0.3, c)


def statistics_calls(p, y):
    z = p[0] * y + p[1] * y**2
    C = np.cov(z, y)
    return C[0, 1] ** 2 + np.std(z, ddof=1) + np.var(z) + np.corrcoef(z, y)[0, 1] + np.average(z, weights=y**2) + np.histogram(y, 3)[0] @ z[:3]


def geometry_calls(p):
    a, b = p[:3], p[3:]
    c = np.cross(a, b)
    return norm(c) + np.arctan2(c[0], c[1]) + np.dot(a, b) / (norm(a) * norm(b)) + np.vdot(a, c + 1) + np.unwrap(a)[1] + np.degrees(a[0]) / 50 + np.sinc(b[0])


def logic_of_powers(x):
    return np.sum(np.power(np.abs(x), 1.5) + np.float_power(2.0, x) + np.exp2(x) + x**0 + np.reciprocal(2 + x**2) + np.sign(x) * np.log1p(np.abs(x)) + np.copysign(x**2, x) + np.fabs(x) + np.true_divide(x, 3) + np.positive(x) + np.heaviside(x, 0.5) + np.arcsinh(x) + np.arctan(x) + np.remainder(x, 2) + np.trunc(x) * x)


def tensors(p):
    T = p.reshape(2, 3, 2)
    return np.sum(np.transpose(T, (2, 0, 1))[0] ** 2) + np.linalg.norm(T.swapaxes(0, 1).reshape(3, -1) @ np.ones(4)) + np.trace(T, axis1=0, axis2=2).prod() + T[..., ::-1, 0].sum() ** 2 + T[:, [0, 2], :][1, :, 0] @ T[0, :2, 1] + T.max(axis=(0, 2)).sum() + np.rot90(T[:, :2, 0])[0, 0] + np.squeeze(T[:1]).sum()


def tri_parts(p):
    A = np.zeros((3, 3))
    A[np.triu_indices(3, 1)] = p[:3]
    A = A + A.T + np.diag(p[3:6]) + np.diagflat([p[0], p[1]], 1)
    return np.sum(np.tril(A) ** 2) + np.linalg.det(A) + np.diagonal(A).prod() + A.trace()


w6 = np.array([0.5, -0.4, 1.2, 0.3, 0.8, -0.7])
pos_y = np.abs(rng.normal(size=6)) + 0.2
CASES = [
    Case("lu_likelihood", lu_likelihood, np.array([0.1, 0.5, -0.2]), (S3,), tags="lu det"),
    Case("block_covariance", block_covariance, np.array([0.1, 0.2]), (sig[:4],), tags="block_diag inv slogdet"),
    Case("kronecker", kronecker, np.array([0.1, 0.2, 0.5]), (sig[:4],), tags="kron"),
    Case("markov_power", markov_power, np.array([0.1, 0.2]), (), (np.array([-8.0, 3.0]),), tags="matrix_power"),
    Case("spectral_radius", spectral_radius, v9, tags="eigvalsh svdvals norm-2"),
    Case("ridge_path", ridge_path, np.array([0.1, 0.5]), (S3,), tags="lstsq pinv"),
    Case("qr_orthogonality", qr_orthogonality, v9, tags="qr"),
    Case("matrix_functions", matrix_functions, v9, tags="expm"),
    Case("lyapunov", lyapunov, v9, tags="lyapunov"),
    Case("einsum_bilinear", einsum_bilinear, w6, (M3,), tags="einsum"),
    Case("power_spectrum", power_spectrum, 0.5 * sig[:8], (np.arange(5.0),), tags="rfft"),
    Case("band_limited", band_limited, w6[:5], (sig,), tags="irfft complex zeros"),
    Case("autocorrelation_fft", autocorrelation_fft, sig[:6], tags="fft ifft conj"),
    Case("cosine_transform", cosine_transform, w6, (sig[:6],), tags="dct"),
    Case("image_gradient", image_gradient, sig.reshape(4, 4), tags="fft2 gradient"),
    Case("blurred", blurred, sig[:8], (np.array([0.2, 0.5, 0.3]),), tags="signal convolve correlate"),
    Case("special_zoo", special_zoo, w6, tags="special"),
    Case("incomplete_functions", incomplete, w6[:3], tags="special"),
    Case("stats_zoo", stats_zoo, np.array([0.2, 0.1]), (pos_y,), tags="stats"),
    Case("far_tails", far_tails, np.array([-3.0, 2.0]), (), (np.array([-30.0, 35.0]), np.array([-500.0, -400.0])), tags="tails"),
    Case("cumulative", cumulative, np.array([0.5, 1.2]), (np.linspace(0, 2, 7),), tags="cumulative_trapezoid"),
    Case("scipy_interpolants", scipy_interpolants, w6[:5], (np.linspace(0.1, 3.9, 6),), tags="scipy.interpolate"),
    Case("quad_inside", quad_inside, np.array([0.5, 0.2]), tags="quad"),
    Case("polynomial_objects", polynomial_objects, w6[:3], (np.linspace(0, 1, 5),), tags="poly1d"),
    Case("vander_fit", vander_fit, w6[:3], (np.linspace(0, 1, 5),), tags="vander legval"),
    Case("statistics_calls", statistics_calls, np.array([0.4, 0.7]), (pos_y,), tags="cov corrcoef histogram"),
    Case("geometry_calls", geometry_calls, w6, tags="cross unwrap sinc"),
    Case("logic_of_powers", logic_of_powers, w6, tags="ufuncs"),
    Case("tensors", tensors, sig[:12], tags="transpose trace rot90"),
    Case("tri_parts", tri_parts, w6, tags="triu_indices diagflat"),
]
