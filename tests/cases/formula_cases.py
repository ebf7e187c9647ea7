"""The cases of test_formulas.py: how each function is called, at random, tied and zero points."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.interpolate
import scipy.linalg
import scipy.ndimage
import scipy.signal
import scipy.sparse.linalg
from scipy import special, stats
from scipy.spatial import distance


@dataclass(frozen=True)
class Data:
    """An array that is not differentiated."""

    value: np.ndarray


def _plainly(function: Callable, *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


@dataclass(frozen=True, eq=False)
class Case:
    """One call. Float arrays are differentiated. At a `kink` the slope is the mean of both sides."""

    function: Callable
    args: tuple
    kwargs: dict = field(default_factory=dict)
    kink: bool = False
    call: Callable = _plainly
    """Calls the function and returns what is compared: numbers, arrays or tuples of them."""

    def __str__(self) -> str:
        shapes = [str(np.shape(getattr(part, "value", part))) for part in self.args]
        return f"{self.function.__name__}{''.join(shapes)}{''.join(map(str, self.kwargs.values()))}"


CASES: list[Case] = []
REFUSED: list[tuple] = []


def case(function: Callable, *args: Any, **kwargs: Any) -> None:
    CASES.append(Case(function, args, kwargs))


def kink(function: Callable, *args: Any, **kwargs: Any) -> None:
    CASES.append(Case(function, args, kwargs, kink=True))


def made(function: Callable, call: Callable, *args: Any, **kwargs: Any) -> None:
    """Add a case in which `call(object, ...)` uses the object that `function(*args, **kwargs)` returns."""
    CASES.append(Case(function, args, kwargs, call=lambda function, *args, **kwargs: call(function(*args, **kwargs))))


def a(*values: float) -> np.ndarray:
    return np.array(values, float)


RNG = np.random.default_rng(7)
V = RNG.normal(size=5)
W = RNG.normal(size=3)
M = RNG.normal(size=(3, 4))
S = RNG.normal(size=(3, 3)) + 3 * np.eye(3)
K = Data(np.array([0.2, 0.5, 0.3]))
KERNEL = Data(RNG.normal(size=(2, 2)))
LONG = RNG.normal(size=12)

# Samples -------------------------------------------------------------------------------------------------------------
case(np.partition, V, 2)
case(np.partition, M, 1, axis=0)
CASES.append(Case(np.argpartition, (V, 1), call=lambda function, x, k: x[function(x, k)[: k + 1]]))
GAPS = np.array([[0.0, np.nan, 0.0, 0.0], [0.0, 0.0, np.nan, np.nan], [0.0, 0.0, 0.0, 0.0]])
for function, more in ((np.nanmedian, ()), (np.nanquantile, (0.3,)), (np.nanpercentile, ([20.0, 70.0],))):
    CASES.append(
        Case(function, (M, *more), {"axis": 1}, call=lambda function, x, *more, axis: function(x + GAPS, *more, axis))
    )
    case(function, M, *more, axis=(0, 1), keepdims=True)
case(np.unwrap, 5 * LONG)
case(np.unwrap, 5 * M, axis=0, period=4.0)
case(np.unwrap, 5 * V, 4.0)
case(np.trim_zeros, a(0.0, 1.0, -2.0, 3.0)[1:])
case(np.polyadd, V, W)
case(np.polysub, [1.0, 2.0], V)
case(np.polymul, V, W)
case(np.polyder, V)
case(np.polyder, V, 2)
case(np.polyint, V)
case(np.polyint, V, 2, [0.5, 1.5])
case(np.poly, W)
case(np.polyfit, Data(np.arange(5.0)), V, 2)
case(np.polyfit, np.arange(5.0), V, 2, w=Data(np.arange(1.0, 6.0)))
case(np.geomspace, a(0.5), a(4.0), 5)
case(np.logspace, a(0.5), a(1.0), 4)
case(np.logspace, np.array(0.5), np.array(1.0), 4, base=2.0)
case(np.geomspace, np.array(0.5), 8.0, 4, endpoint=False)
case(np.lib.stride_tricks.sliding_window_view, V, 3)
case(np.lib.stride_tricks.sliding_window_view, M, (2, 2))
case(np.resize, V, (2, 4))
case(np.cumulative_sum, V, include_initial=True)
case(np.cumulative_prod, M, axis=1)
case(np.nancumsum, V)
case(np.nancumprod, V)
case(np.apply_over_axes, np.sum, M, [0, 1])
case(np.i0, V)

SHARES = np.abs(V) + 0.3
for function in (stats.zscore, stats.sem, stats.moment, stats.skew, stats.kurtosis, stats.tmean, stats.tvar, stats.tstd,
                 stats.iqr):  # fmt: skip
    case(function, LONG)
    case(function, M, axis=1)
for function in (stats.skew, stats.kurtosis):
    case(function, M, axis=1, bias=False)
for function in (stats.gmean, stats.hmean, stats.variation, stats.entropy):
    case(function, SHARES)
for function in (stats.gmean, stats.hmean):
    case(function, SHARES, weights=SHARES[::-1].copy())
case(stats.pmean, SHARES, 3)
case(stats.moment, V, 3, center=0.5)
case(stats.entropy, SHARES, SHARES[::-1].copy(), base=2)
case(stats.trim_mean, LONG, 0.2)
for function in (stats.boxcox, stats.yeojohnson):
    for power in (0.0, 0.7, 2.0):
        case(function, SHARES if function is stats.boxcox else V, np.array(power))
case(stats.boxcox_llf, np.array(0.3), Data(SHARES))
case(stats.yeojohnson_llf, np.array(0.3), Data(V))

# Tests and lines -----------------------------------------------------------------------------------------------------
OTHERS = 0.7 * LONG[::-1] + np.sin(np.arange(12.0))
case(stats.ttest_1samp, LONG, np.array(0.3), alternative="less")
case(stats.ttest_ind, LONG, OTHERS[:7], alternative="greater")
case(stats.ttest_ind, V, W, equal_var=False)
for function in (stats.pearsonr, stats.linregress):
    case(function, LONG, OTHERS)
    case(function, V, V[::-1].copy(), alternative="greater")
case(stats.ttest_1samp, M, Data(np.array(0.3)), axis=None)
case(stats.ttest_rel, LONG, OTHERS)
case(stats.ttest_ind, M, M[:2] ** 2, axis=0)
for function in (stats.pearsonr, stats.ttest_ind):
    made(function, lambda found: tuple(found.confidence_interval(0.9)), LONG, OTHERS)
made(stats.ttest_1samp, lambda found: (found.df, found.statistic, found.confidence_interval().high), LONG, 0.1)
made(stats.linregress, lambda found: (found.intercept_stderr, found.stderr, found.pvalue), Data(np.arange(12.0)), LONG)

# Special functions ---------------------------------------------------------------------------------------------------
for function in (special.spherical_jn, special.spherical_yn, special.spherical_in, special.spherical_kn):
    case(function, 0, a(0.5, 3.0))
    case(function, 2, a(0.5, 3.0), derivative=True)
CASES.append(Case(special.lambertw, (a(-0.2, 0.0, 3.0),), call=lambda f, x: np.real(f(x)) + f(x[0] - 0.1, -1).real))

# Matrices ------------------------------------------------------------------------------------------------------------
case(np.linalg.lstsq, M.T, RNG.normal(size=4), rcond=None)
case(np.linalg.lstsq, M, W, rcond=None)
case(np.linalg.lstsq, M.T, RNG.normal(size=(4, 2)))
case(scipy.linalg.lstsq, M.T, RNG.normal(size=4))
case(np.linalg.cond, S)
case(np.linalg.cond, S, 1)
case(np.linalg.tensorsolve, S, W)
case(np.linalg.tensorinv, S, ind=1)
if hasattr(np, "matvec"):
    case(np.matvec, S, W)
    case(np.vecmat, W, S)
BANDS = np.array([[0.0, 0.3, -0.2, 0.4], [4.0, 3.0, 3.5, 2.5], [0.5, 0.1, -0.3, 0.0]])
case(scipy.linalg.solve_banded, (1, 1), BANDS, RNG.normal(size=4))
case(scipy.linalg.solve_banded, (1, 1), BANDS, RNG.normal(size=(4, 2)))
case(scipy.linalg.solve_banded, (0, 1), BANDS[:2], RNG.normal(size=4))
case(scipy.linalg.solveh_banded, BANDS[:2], RNG.normal(size=4))
case(scipy.linalg.solveh_banded, BANDS[1:], RNG.normal(size=4), lower=True)
case(scipy.linalg.solve_toeplitz, a(3.0, 1.0, 0.5), W)
case(scipy.linalg.solve_toeplitz, (a(3.0, 1.0, 0.5), a(3.0, 0.2, 0.1)), W)
case(scipy.linalg.solve_circulant, a(3.0, 1.0, 0.5), W)
case(scipy.linalg.hankel, W)
case(scipy.linalg.hankel, W, V)
case(scipy.linalg.companion, 1 + V**2)
case(scipy.linalg.leslie, V[:3], W[:2])
case(scipy.linalg.fiedler, W)
for mode in ("full", "same", "valid"):
    case(scipy.linalg.convolution_matrix, V, 3, mode)
case(scipy.linalg.khatri_rao, M, M[:2] ** 2)
case(scipy.linalg.matmul_toeplitz, V, RNG.normal(size=5))
case(scipy.linalg.matmul_toeplitz, (W, W**2), RNG.normal(size=(3, 2)))
case(scipy.linalg.eigvalsh_tridiagonal, np.arange(3.0), W[:2])
case(scipy.linalg.orthogonal_procrustes, S, S.T + 1)
case(scipy.linalg.solve_sylvester, S, S.T @ S, M[:, :3])
case(scipy.linalg.solve_continuous_lyapunov, S, S @ S.T)
case(scipy.linalg.solve_discrete_lyapunov, S / 8, S @ S.T)

SYSTEM = scipy.sparse.csc_matrix(S)
CASES.append(Case(scipy.sparse.linalg.spsolve, (W,), call=lambda function, b: function(SYSTEM, b)))

# Distances -----------------------------------------------------------------------------------------------------------
U, OTHER = np.abs(RNG.normal(size=(3, 4))), np.abs(RNG.normal(size=(3, 4)))
for metric in ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "minkowski", "cosine", "correlation", "canberra",
               "braycurtis", "jensenshannon", "seuclidean", "mahalanobis"):  # fmt: skip
    case(distance.cdist, U, OTHER, metric)
    if metric != "mahalanobis":
        case(distance.pdist, U, metric)
        given = (a(1.0, 2.0, 0.5, 3.0),) if metric == "seuclidean" else ()
        case(getattr(distance, metric), U[0], U[1], *given)
case(distance.mahalanobis, W, W[::-1].copy(), S @ S.T)
case(distance.hamming, V, V[::-1].copy())
case(distance.cdist, U, OTHER, "minkowski", p=3)
case(distance.euclidean, V, V + 1, w=Data(np.arange(5.0)))
case(distance.minkowski, V, V + 1, p=3, w=Data(np.arange(5.0)))
case(distance.correlation, V, V[::-1].copy(), w=Data(np.arange(1.0, 6.0)))
case(distance.squareform, W)
case(distance.squareform, S + S.T - np.diag(np.diag(S + S.T)), checks=False)
case(distance.canberra, a(1.0, 0.0, 2.0)[[0, 2]], a(0.5, 0.0, 3.0)[[0, 2]])
for metric in ("euclidean", "cityblock"):
    kink(distance.cdist, U[:2], Data(U[:2].copy()), metric)
case(distance.cdist, U[:2], Data(U[:2].copy()), "sqeuclidean")

# Signals -------------------------------------------------------------------------------------------------------------
for mode in ("full", "same", "valid"):
    for function in (scipy.signal.convolve, scipy.signal.correlate, scipy.signal.fftconvolve, scipy.signal.oaconvolve):
        case(function, V, K, mode)
    case(scipy.signal.convolve, W, V, mode)
    case(scipy.signal.convolve, M, KERNEL, mode)
    case(scipy.signal.correlate, M, KERNEL, mode)
    case(scipy.signal.convolve2d, M, KERNEL, mode)
    case(scipy.signal.correlate2d, M, KERNEL, mode)
for boundary in ("wrap", "symm"):
    case(scipy.signal.convolve2d, M, Data(RNG.normal(size=(3, 3))), mode="same", boundary=boundary)
    case(scipy.signal.convolve2d, M, KERNEL, boundary=boundary)
case(scipy.signal.convolve2d, M, KERNEL, fillvalue=1.5)
case(scipy.signal.lfilter, a(1.0, 0.5), a(2.0, -0.3, 0.1), LONG)
case(scipy.signal.lfilter, a(1.0, 0.5, 0.2), [1.0], V)
case(scipy.signal.lfilter, [1.0], a(1.0, -0.5), M, axis=0)
case(scipy.signal.lfilter, a(1.0, 0.5), a(2.0, -0.3, 0.1), M)
case(scipy.signal.lfilter, a(1.0, 0.5), a(2.0, -0.3, 0.1), LONG, zi=a(0.3, 0.2))
case(scipy.signal.filtfilt, [1.0, 0.2], [1.0, 0.3], LONG)
SECTIONS = scipy.signal.butter(2, 0.3, output="sos")
case(scipy.signal.sosfilt, Data(SECTIONS), LONG)
case(scipy.signal.sosfiltfilt, Data(SECTIONS), RNG.normal(size=24))
case(scipy.signal.detrend, LONG)
case(scipy.signal.detrend, M, axis=0, type="constant")
case(scipy.signal.savgol_filter, LONG, 5, 2)
case(scipy.signal.resample, LONG, 8)
case(scipy.signal.resample_poly, LONG, 2, 3)
case(scipy.signal.decimate, RNG.normal(size=40), 2)
CASES.append(Case(scipy.signal.hilbert, (LONG,), call=lambda function, x: np.abs(function(x))))
IMAGES = scipy.ndimage
for function in (IMAGES.gaussian_filter, IMAGES.gaussian_filter1d, IMAGES.gaussian_laplace):
    case(function, M, 1.0)
for function in (IMAGES.uniform_filter, IMAGES.uniform_filter1d):
    case(function, M, 3)
for function in (IMAGES.convolve, IMAGES.correlate):
    case(function, M, KERNEL)
for function in (IMAGES.convolve1d, IMAGES.correlate1d):
    case(function, M, K)
for function in (IMAGES.laplace, IMAGES.sobel, IMAGES.prewitt, IMAGES.spline_filter):
    case(function, M)
case(IMAGES.shift, M, (0.3, 1.0))
case(IMAGES.shift, M, 0.7, cval=1.5)
case(IMAGES.convolve1d, M, K, mode="constant", cval=-2.0)
case(scipy.signal.savgol_filter, LONG, 5, 2, mode="constant", cval=1.5)
case(IMAGES.map_coordinates, M, Data(np.array([[0.5, 1.5, 3.0], [1.5, 0.2, 1.0]])), order=1, cval=0.5)
case(IMAGES.affine_transform, M, Data(np.array([[0.9, 0.1], [0.0, 1.1]])))
case(IMAGES.zoom, M, 1.5)
case(IMAGES.rotate, M, 30.0)

REFUSED += [
    (special.spherical_jn, (1, a(0.0, 1.0)), {}, "scipy.special.spherical_jn at or below 0"),
    (special.spherical_kn, (K, W), {}, "scipy.special.spherical_kn of a computed order"),
    (stats.pearsonr, (M, M), {}, "scipy.stats.pearsonr of tables"),
    (stats.linregress, (V[:2], W[:2]), {}, "of fewer than three points"),
    (stats.ttest_1samp, (M, np.zeros((1, 4))), {}, "ttest_1samp of several samples and means"),
    (stats.ttest_ind, (V, W), {"trim": 0.1}, "scipy.stats.ttest_ind with trim="),
    (np.linalg.lstsq, (np.ones((3, 2)), W), {}, "np.linalg.lstsq of a matrix without full rank"),
    (stats.pmean, (V, 0), {}, "scipy.stats.pmean with p that is 0"),
    (stats.boxcox, (V,), {}, "scipy.stats.boxcox without lmbda"),
    (np.poly, (S,), {}, "np.poly of a matrix"),
    (np.trim_zeros, (M,), {}, "np.trim_zeros of more than one axis"),
    (np.polyfit, (V, V, 2), {"cov": True}, "np.polyfit with cov="),
    (distance.cdist, (U, U, "dice"), {}, "metric='dice'"),
    (distance.pdist, (U, np.dot), {}, "with a function for its metric"),
    (scipy.signal.lfilter, (a(1.0), a(1.0, 0.5, 0.1, 0.2), V[:2]), {"zi": a(1.0, 1.0, 1.0)}, "with zi= of a signal"),
    (scipy.signal.hilbert, (V, 8), {}, "scipy.signal.hilbert with N="),
    (scipy.signal.filtfilt, (V, V, LONG), {}, "filtfilt with computed options"),
    (scipy.linalg.solve_sylvester, (np.eye(70), np.eye(70), np.ones((70, 70))), {}, "solve_sylvester of more than"),
]

# Interpolants: objects, evaluated at points that are data and at points that are traced -----------------------------
KNOTS, POINTS = Data(np.array([0.0, 1.0, 2.5, 3.0, 4.0])), np.array([0.2, 1.7, 3.3])
OUTER = np.array([-0.5, 0.2, 1.7, 3.3, 4.4])


def at_points(curve: Any) -> Any:
    return curve(POINTS)


def all_of_it(curve: Any) -> Any:
    return (
        curve(OUTER),
        curve(POINTS, 1),
        curve.derivative()(POINTS),
        curve.antiderivative()(POINTS),
        curve.integrate(0.5, 3.5),
    )


SPLINES = scipy.interpolate
for bc_type in ("not-a-knot", "natural", "clamped", ((1, 0.5), (2, -1.0))):
    made(SPLINES.CubicSpline, all_of_it, KNOTS, V, bc_type=bc_type)
made(SPLINES.CubicSpline, at_points, KNOTS, V, bc_type=((1, np.array(0.5)), (2, np.array(-1.0))))
made(SPLINES.CubicSpline, at_points, KNOTS, RNG.normal(size=(2, 5)), axis=1)
made(SPLINES.CubicSpline, at_points, KNOTS, V, extrapolate=False)
made(SPLINES.PchipInterpolator, all_of_it, KNOTS, V)
made(SPLINES.PchipInterpolator, at_points, KNOTS, np.cumsum(np.abs(V)))
made(SPLINES.PchipInterpolator, at_points, Data(np.arange(2.0)), V[:2])
CASES.append(Case(SPLINES.PchipInterpolator, (KNOTS, a(1, 1, 2, 3, 3.0)), {}, True, lambda f, x, y: f(x, y)(POINTS)))
made(SPLINES.Akima1DInterpolator, at_points, KNOTS, V)
made(SPLINES.CubicHermiteSpline, all_of_it, KNOTS, V, V[::-1].copy())
made(SPLINES.PPoly, all_of_it, RNG.normal(size=(3, 4)), KNOTS)
made(SPLINES.make_interp_spline, at_points, KNOTS, V)
made(SPLINES.make_interp_spline, at_points, KNOTS, RNG.normal(size=(5, 2)), k=2)
made(SPLINES.make_interp_spline, at_points, KNOTS, V, bc_type="natural")
FREE = [0, 0, 0, 0, 0.5, 1, 1, 1, 1]
made(SPLINES.make_lsq_spline, lambda f: f(POINTS / 4), Data(np.linspace(0, 1, 12)), LONG, FREE)
made(SPLINES.BSpline, lambda f: f(POINTS / 2), [0, 0, 0, 1, 2, 3, 3, 3], V, 2)
made(SPLINES.BSpline, lambda f: f(OUTER), [0, 1, 2, 3, 4, 5, 6, 7], V, 2)
made(SPLINES.InterpolatedUnivariateSpline, at_points, KNOTS, V)
made(SPLINES.UnivariateSpline, at_points, KNOTS, V, s=0)
CASES.append(Case(SPLINES.splrep, (KNOTS, V), call=lambda f, x, y: SPLINES.splev(POINTS, f(x, y))))
CASES.append(
    Case(SPLINES.splev, (POINTS.copy(), Data(np.arange(6.0))), call=lambda f, x, g: f(x, SPLINES.splrep(g, g**2)))
)
case(SPLINES.pchip_interpolate, KNOTS, V, Data(POINTS))
for kind in ("linear", "nearest", "nearest-up", "zero", "previous", "next", "slinear", "quadratic", "cubic", 2):
    made(SPLINES.interp1d, at_points, KNOTS, V, kind=kind)
made(SPLINES.interp1d, lambda f: f(OUTER), KNOTS, V, fill_value="extrapolate")
made(SPLINES.interp1d, lambda f: f(OUTER), KNOTS, V, bounds_error=False, fill_value=(1.0, 2.0))
made(SPLINES.interp1d, at_points, Data(np.array([3.0, 1.0, 0.0, 2.5, 4.0])), RNG.normal(size=(2, 5)))
GRID = (KNOTS, Data(np.arange(3.0)))
PLACES = np.array([[0.5, 0.7], [1.2, 1.9], [3.9, 0.2]])
made(SPLINES.RegularGridInterpolator, lambda f: f(PLACES), GRID, RNG.normal(size=(5, 3)))
made(SPLINES.RegularGridInterpolator, lambda f: f(PLACES[0]), GRID, RNG.normal(size=(5, 3)))
made(SPLINES.RegularGridInterpolator, lambda f: f(PLACES), GRID, RNG.normal(size=(5, 3)), method="nearest")
made(
    SPLINES.RegularGridInterpolator,
    lambda f: f(PLACES + 1),
    GRID,
    RNG.normal(size=(5, 3)),
    bounds_error=False,
    fill_value=None,
)
case(SPLINES.interpn, GRID, RNG.normal(size=(5, 3)), Data(PLACES))
case(SPLINES.interpn, GRID, RNG.normal(size=(5, 3)), PLACES.copy())
SITES = RNG.uniform(size=(6, 2))
made(SPLINES.RBFInterpolator, lambda f: f(SITES[:2] + 0.1), Data(SITES), RNG.normal(size=6))
made(SPLINES.LinearNDInterpolator, lambda f: f(np.mean(SITES, axis=0)), Data(SITES), RNG.normal(size=6))
made(SPLINES.KroghInterpolator, at_points, KNOTS, V)

OBJECTS = {
    "spline": SPLINES.CubicSpline(KNOTS.value, np.sin(KNOTS.value)),
    "periodic": SPLINES.CubicSpline(KNOTS.value, np.cos(KNOTS.value * np.pi / 2), bc_type="periodic"),
    "pchip": SPLINES.PchipInterpolator(KNOTS.value, np.sin(KNOTS.value)),
    "b-spline": SPLINES.make_interp_spline(KNOTS.value, np.sin(KNOTS.value)),
    "univariate": SPLINES.UnivariateSpline(np.arange(9.0) / 2, np.sin(np.arange(9.0)), s=0.1),
    "line": SPLINES.interp1d(KNOTS.value, np.sin(KNOTS.value), bounds_error=False, fill_value=(0.0, 1.0)),
    "grid": SPLINES.RegularGridInterpolator((KNOTS.value,), np.sin(KNOTS.value), bounds_error=False, fill_value=None),
}
"""Interpolants that are made outside of the objective."""

REFUSED += [
    (SPLINES.CubicSpline, (V, V), {}, "CubicSpline with computed knots"),
    (
        SPLINES.Akima1DInterpolator,
        (KNOTS, V),
        {"method": "makima"},
        "Akima1DInterpolator of two points or with method=",
    ),
    (SPLINES.UnivariateSpline, (KNOTS, V), {}, "UnivariateSpline that smooths"),
    (SPLINES.splrep, (KNOTS, V), {"s": 1.0}, "splrep that smooths"),
    (SPLINES.make_interp_spline, (KNOTS, V), {"bc_type": ([(1, 0.0)], [(1, 0.0)])}, "with derivatives in bc_type="),
    (SPLINES.RegularGridInterpolator, (GRID, M), {"method": "cubic"}, "with method='cubic'"),
    (SPLINES.interp1d, (KNOTS, V), {"kind": "polynomial"}, "kind='polynomial'"),
]

POSITIVE = np.array([0.7, 1.9, 0.4, 2.2, 1.1])
for function in (statistics.mean, statistics.fmean, statistics.variance, statistics.stdev, statistics.pvariance):
    case(function, V)
for function in (statistics.pstdev, statistics.median, getattr(statistics, "_mean_stdev", statistics.mean)):
    case(function, V)
case(statistics.fmean, V, weights=np.array([1.0, 2.0, 0.5, 1.5, 1.0, 3.0])[: len(V)])
case(statistics.geometric_mean, POSITIVE)
case(statistics.harmonic_mean, POSITIVE)
case(statistics.harmonic_mean, POSITIVE, weights=np.array([1.0, 2.0, 0.5, 1.5, 1.0]))
case(statistics.pvariance, V, mu=np.array(0.3)[()])
case(statistics.covariance, V, np.cos(V))
case(statistics.correlation, V, np.cos(V))
case(statistics.linear_regression, V, np.cos(V))
CASES.append(
    Case(
        statistics._normal_dist_inv_cdf,
        (np.array(0.3), np.array(0.2), np.array(1.4)),
        call=lambda _, p, mu, sigma: statistics.NormalDist(mu, sigma).inv_cdf(p),
    )
)
