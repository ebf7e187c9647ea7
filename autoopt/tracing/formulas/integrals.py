"""scipy.integrate.quad and its relatives by the nodes of a fixed rule on the intervals that SciPy's own run ends with.

The sum over the nodes is what is traced. The embedded rule of lower order estimates its error, which is a guard: where
the intervals no longer suffice, the objective is traced anew with those that SciPy then chooses.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import scipy.integrate
from numpy.polynomial.legendre import legvander

from autoopt.tape.tape import PARAMETER
from autoopt.tracing.recording import refusals
from autoopt.tracing.recording.recorder import Recorder
from autoopt.tracing.standins.table import stands_in

# Gauss and Kronrod: 10 and 21 points on (-1, 1), those of Gauss among those of Kronrod (Piessens et al., QUADPACK).
_POINTS = np.array([
    0.995657163025808080735527280689003, 0.973906528517171720077964012084452, 0.930157491355708226001207180059508,
    0.865063366688984510732096688423493, 0.780817726586416897063717578345042, 0.679409568299024406234327365114874,
    0.562757134668604683339000099272694, 0.433395394129247190799265943165784, 0.294392862701460198131126603103866,
    0.14887433898163121088482600112972,
])  # fmt: skip
_KRONROD = np.array([
    0.011694638867371874278064396062192, 0.03255816230796472747881897245938976, 0.05475589657435199603138130024458018,
    0.07503967481091995276704314091619001, 0.093125454583697605535065465083366, 0.10938715880229764189921059032580,
    0.123491976262065851077958109585166, 0.134709217311473325928054001771707, 0.142775938577060080797094273138717,
    0.147739104901338491374841515972068,
])  # fmt: skip
_CENTRE = 0.149445554002916905664936468389821
_GAUSS = np.array([
    0.066671344308688137593568809893332, 0.149451349150580593145863396957658, 0.219086362515982043995534934228163,
    0.269266719309996355091226921569469, 0.295524224714752870173815619188769,
])  # fmt: skip
_X = np.concatenate([-_POINTS, [0.0], _POINTS[::-1]])
_W = np.concatenate([_KRONROD, [_CENTRE], _KRONROD[::-1]])
_LOWER = np.zeros(21)
_LOWER[1:10:2] = _GAUSS
_LOWER[11:20:2] = _GAUSS[::-1]

_FIT = np.linalg.inv(legvander(_X, 20))
_ORDERS = np.arange(21)
_SLOPES = _ORDERS * (_ORDERS + 1) / 2
_SIGNS = (-1.0) ** _ORDERS

_KINKS = {
    np.maximum, np.minimum, np.absolute, np.fabs, np.sign, np.floor, np.ceil, np.trunc, np.rint, np.round, np.where,
    np.clip, np.heaviside, np.fmax, np.fmin, np.remainder, np.fmod, np.max, np.min, np.sort, np.searchsorted, np.interp,
}  # fmt: skip


@stands_in(scipy.integrate.quad)
def quad(tracer, func, a, b, args=(), full_output=0, epsabs=1.49e-8, epsrel=1.49e-8, limit=50, **options):
    """Return the integral and SciPy's estimate of its error."""
    if full_output or options:
        raise refusals.call(tracer, f"scipy.integrate.quad with {', '.join(options) or 'full_output'}=", "leave it out")
    args = args if isinstance(args, tuple) else (args,)
    integrand = _Integrand(tracer, func, args)
    ends = [tracer.concrete(end) for end in (a, b)]
    found = scipy.integrate.quad(integrand.plain, *ends, (), 1, epsabs, epsrel, limit)
    if not integrand.follows and tracer.level((a, b)) < PARAMETER:
        return found[:2]
    if len(found) > 3:
        raise refusals.call(tracer, "scipy.integrate.quad where it does not converge", "divide the interval")
    count = found[2]["last"]
    mark, guards = len(tracer.steps), len(tracer.tape.guards)
    intervals = _halves(found[2]["alist"][:count], found[2]["blist"][:count], *ends)
    outer, tracer.analytic = tracer.analytic, []
    try:
        upper, lower, seen = _sums(integrand.on(a, b), intervals)
    finally:
        cut, tracer.analytic = tracer.analytic, outer
    if _is_rough(np.array(tracer.concrete(seen)), intervals, max(epsabs, epsrel * abs(found[0]))):
        _refuse_kink(tracer)
    _refuse_kinks(tracer, mark, guards, cut)
    close = abs(tracer.concrete(upper) - found[0]) <= max(10 * found[1], epsabs, epsrel * abs(found[0]))
    enough = (upper - lower) ** 2 <= max(epsabs, 1e3 * epsrel * abs(found[0])) ** 2
    if not close or not _estimated(tracer, enough):
        raise refusals.call(
            tracer,
            "scipy.integrate.quad of a function that polynomials do not follow",
            "take out what is singular by a substitution, or pass jac='finite-difference'",
        )
    return upper, found[1]


class _Integrand:
    """The user's function of one variable, called plainly or as a part of the trace."""

    def __init__(self, tracer: Recorder, function: Callable, args: tuple) -> None:
        self.tracer, self.function, self.args = tracer, function, args
        self.follows = False

    def plain(self, x: float) -> float:
        """Return the value at a number, leaving no guard behind."""
        guards = len(self.tracer.tape.guards)
        found = self.function(x, *self.args)
        del self.tracer.tape.guards[guards:]
        self.follows = self.follows or self.tracer.level(found) == PARAMETER
        return float(np.reshape(self.tracer.concrete(found), ()))

    def on(self, a: Any, b: Any) -> Callable:
        """Return the function of the variable in which SciPy divides the interval, QUADPACK's for infinite ends."""
        low, high = (self.tracer.concrete(end) for end in (a, b))
        sign = 1.0
        if low > high and math.isinf(high - low):
            a, b, low, high, sign = b, a, high, low, -1.0
        if math.isinf(low) and math.isinf(high):
            return lambda t: sign * (self.at((1 - t) / t) + self.at((t - 1) / t)) / t**2
        if math.isinf(high):
            return lambda t: sign * self.at(a + (1 - t) / t) / t**2
        if math.isinf(low):
            return lambda t: sign * self.at(b - (1 - t) / t) / t**2
        width = b - a
        return lambda t: self.at(a + width * t) * width

    def at(self, x: Any) -> Any:
        return self.function(x, *self.args)


def _halves(starts: np.ndarray, stops: np.ndarray, low: float, high: float) -> list[tuple[float, float]]:
    """Return QUADPACK's intervals, each divided in two; those between finite ends in units of the whole."""
    if low == high:
        return [(0.0, 1.0)]
    if not math.isinf(high - low):
        starts, stops = (starts - low) / (high - low), (stops - low) / (high - low)
    middles = (starts + stops) / 2
    return list(itertools.pairwise(sorted({*starts.tolist(), *middles.tolist(), *stops.tolist()})))


def _sums(function: Callable, intervals: list) -> tuple[Any, Any, list]:
    """Return the sums over the nodes by the rules of 21 points and of 10 points, and the values at the nodes."""
    upper = lower = 0.0
    seen = []
    for left, right in intervals:
        middle, half = (left + right) / 2, (right - left) / 2
        for x, w, v in zip(_X.tolist(), _W.tolist(), _LOWER.tolist(), strict=True):
            value = function(middle + half * x)
            seen.append(value)
            upper = upper + (w * half) * value
            lower = lower + (v * half) * value if v else lower
    return upper, lower, seen


def _is_rough(values: np.ndarray, intervals: list, tolerance: float) -> bool:
    """Return whether the integrand has a kink or a jump inside: where it moves, nodes do not see what it adds.

    A polynomial through the 21 values of each interval has Legendre coefficients that fade away where the integrand is
    smooth; and polynomials that meet have one value and one slope. What is singular at an end of the whole stays there.
    """
    halves = np.diff(intervals)[:, 0] / 2
    coefficients = values.reshape(len(intervals), 21) @ _FIT.T
    size = np.max(np.abs(coefficients[:, 1:]), axis=1)
    tail = np.max(np.abs(coefficients[:, 17:]), axis=1)
    rough = (tail > 1e-4 * size) & (tail * halves > 1e-3 * tolerance)
    slopes = coefficients * _SLOPES / halves[:, None]
    bends = np.abs((slopes[1:] * -_SIGNS).sum(axis=1) - slopes[:-1].sum(axis=1)) * np.minimum(halves[1:], halves[:-1])
    steps = np.abs((coefficients[1:] * _SIGNS).sum(axis=1) - coefficients[:-1].sum(axis=1))
    largest = np.maximum(size[1:], size[:-1])
    counts = largest * np.maximum(halves[1:], halves[:-1]) > 1e-3 * tolerance
    parted = (np.maximum(bends, steps) > 1e-3 * largest) & counts
    return bool(np.any(rough[1:-1]) or np.any(parted[1:-1]))


def _estimated(tracer: Recorder, enough: Any) -> bool:
    """Return whether an integral is good enough, with a guard that is no branch of the integrand around it."""
    answer = bool(enough)
    tracer.estimates.update(id(guard) for guard in tracer.tape.guards[-1:])
    return answer


def _refuse_kinks(tracer: Recorder, mark: int, guards: int, cut: list) -> None:
    """Refuse an integrand with a kink or a branch: where that moves with the parameters, nodes do not see it.

    Roots, logarithms and angles of complex values are smooth but where those cross their `cut`, the negative numbers.
    """
    smooth = set().union(*(steps for steps, _, _ in cut))
    branches = any(id(guard) not in tracer.estimates for guard in tracer.tape.guards[guards:])
    kinks = (s.operation in _KINKS and s.level == PARAMETER for k, s in enumerate(tracer.steps[mark:], mark)
             if k not in smooth)  # fmt: skip
    if branches or any(kinks) or not _stay_beside(tracer, cut):
        _refuse_kink(tracer)
    if tracer.analytic is not None:
        tracer.analytic.extend(cut)


def _stay_beside(tracer: Recorder, cut: list) -> bool:
    """Whether the complex values that one line of code sees at the nodes never cross the negative numbers."""
    sites: dict[Any, list] = {}
    for _, site, z in cut:
        sites.setdefault(site, []).append(z)
    for values in sites.values():
        if len({np.shape(z) for z in values}) != 1 or not any(tracer.level(z) == PARAMETER for z in values):
            continue
        z = np.stack(values)
        re, im = z.real, z.imag
        crossing = (im[1:] * im[:-1] < 0) & (re[1:] * np.abs(im[:-1]) + re[:-1] * np.abs(im[1:]) < 0)
        if not _estimated(tracer, np.logical_not(np.any(crossing))):
            return False
    return True


def _refuse_kink(tracer: Recorder) -> NoReturn:
    raise refusals.call(
        tracer,
        "scipy.integrate.quad of a function with a kink, a jump or a branch on the parameters",
        "integrate the smooth pieces one by one, or pass jac='finite-difference'",
    )


@stands_in(scipy.integrate.dblquad)
def dblquad(tracer, func, a, b, gfun, hfun, args=(), epsabs=1.49e-8, epsrel=1.49e-8):
    """The integral over x of integrals over y."""

    def inner(x):
        ends = (end(x) if callable(end) else end for end in (gfun, hfun))
        return quad(tracer, lambda y: func(y, x, *args), *ends, epsabs=epsabs, epsrel=epsrel)[0]

    return quad(tracer, inner, a, b, epsabs=epsabs, epsrel=epsrel)
