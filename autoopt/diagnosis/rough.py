"""Values that are not smooth where the run stopped: kinks, jumps, and noise."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from autoopt.diagnosis.crossings import Edge, edge
from autoopt.diagnosis.evidence import Evidence
from autoopt.diagnosis.table import Diagnosis, cause
from autoopt.diagnosis.walk import Walk, shown
from autoopt.errors import Location
from autoopt.inference import combination

_EPS = np.finfo(np.float64).eps
_APART = 1e-9
_TURNING = 1e-2
_MOST = 1e-2
_NOISY = 100
"""Noise of this many roundings of f is more than adding up a sum of ordinary length makes."""


@cause("jump", 76)
def jump(evidence: Evidence) -> Diagnosis | None:
    """The values jump up on the way downhill from the end of the run."""
    for found in _edges(evidence):
        ahead = _APART * found.ahead
        before, beyond = evidence.value(found.before), evidence.value(found.beyond)
        size = abs(beyond - before)
        aside = abs(evidence.value(found.before - ahead) - before), abs(evidence.value(found.beyond + ahead) - beyond)
        if size > 1e-8 * max(abs(before), abs(beyond)) and size > 100 * max(aside):  # NaN is no jump
            happened = (
                f"The objective jumps from {before:.8g} to {beyond:.8g} on the way downhill, at {found.crossing.name}"
            )
            remedy = (
                "replace the step by a smooth function (scipy.special.expit(k * z) in place of z > 0), or make both "
                "branches equal where they meet."
            )
            return Diagnosis(happened + ".", shown(found.crossing.step), remedy)
    return None


@cause("kink", 77)
def kink(evidence: Evidence) -> Diagnosis | None:
    """The slope jumps at a kink on the way downhill from the end of the run."""
    for found in _edges(evidence):
        ahead = found.ahead
        slopes = [
            float(evidence.gradient(found.before - _APART * ahead) @ ahead),
            float(evidence.gradient(found.beyond + _APART * ahead) @ ahead),
        ]
        if np.isfinite(slopes).all() and abs(slopes[1] - slopes[0]) > 1e-3 * max(map(abs, slopes)):
            farthest = int(np.argmax(np.abs(ahead)))
            before, behind = (slope / abs(ahead[farthest]) for slope in slopes)
            happened = (
                f"The objective has a kink where it ceases to fall, at {found.crossing.name}: downhill, along "
                f"{combination(ahead, evidence.names)}, its slope is {before:.4g} before and {behind:.4g} behind it, "
                f"for each unit of {evidence.names[farthest]}"
            )
            remedy = (
                "use a smooth form (np.sqrt(z**2 + 1e-8) for np.abs(z), np.logaddexp for np.maximum), or a variable "
                "and constraints for each piece: methods that follow slopes stall at kinks."
            )
            return Diagnosis(happened + ".", shown(found.crossing.step), remedy)
    return None


def _edges(evidence: Evidence) -> list[Edge]:
    """Return where f ceases to fall on ways downhill from the end of the run, at a kink or a jump."""
    if "edges" not in evidence.kept:
        evidence.kept["edges"] = []
        evidence.kept["edges"] += list(islice(_found(evidence), 1))
    return evidence.kept["edges"]


def _found(evidence: Evidence) -> Iterator[Edge]:
    whole = evidence.walk(evidence.x)
    if whole is None or whole.error is not None:
        return
    start, numerical = evidence.value_and_slope(evidence.x)[0], getattr(evidence.objective, "by_differences", False)
    for ahead in _downhill(evidence):

        def point(distance: float, ahead: np.ndarray = ahead) -> np.ndarray:
            return evidence.inside(evidence.x + distance * ahead)

        def falls(distance: float, ahead: np.ndarray = ahead) -> bool:
            if numerical:
                near, far = (evidence.value(point(h * distance, ahead)) for h in (1.0, 1.0001))
                return bool(far < near < start)
            value, slope = evidence.value_and_slope(point(distance, ahead))
            return bool(value < start and slope @ ahead < 0)

        def walk(distance: float, ahead: np.ndarray = ahead) -> Walk | None:
            there = Walk(whole.tape, evidence.whole(point(distance, ahead)))
            return there if there.error is None else None

        def is_smooth(low: float, high: float, ahead: np.ndarray = ahead) -> bool:
            slopes = [evidence.gradient(point(distance, ahead)) @ ahead for distance in (low, high)]
            return max(map(abs, slopes)) <= _TURNING * abs(evidence.slope @ ahead)

        found = edge(falls, walk, is_smooth)
        if found is not None:
            crossing, low, high = found
            yield Edge(crossing, point(low), point(high), ahead)


def _downhill(evidence: Evidence) -> list[np.ndarray]:
    """Return the ways that are looked along: against the slope, in units of the parameters and without, and by axes."""
    unit, slope = evidence.unit, evidence.slope
    axes = np.diag(-np.sign(slope))[np.argsort(-np.abs(slope), kind="stable")[:2]]
    ways = [-slope * unit**2, -slope, *axes]
    sizes = [float(np.max(np.abs(way) / unit, initial=0.0)) for way in ways]
    return [way / size for way, size in zip(ways, sizes, strict=True) if np.isfinite(size) and size > 0]


@cause("rounded values", 48)
def rounded(evidence: Evidence) -> Diagnosis | None:
    """The values are multiples of one number, far above rounding: they are printed, or rounded, to some digits."""
    if not np.isfinite(evidence.value(evidence.inside(evidence.x + 1e-2 * evidence.unit))):
        return None
    gap = next(filter(None, (_multiple(evidence, reach) for reach in (1e-2, 1e-1))), None)
    if gap is None:
        return None
    happened = (
        f"The values of the objective are rounded: close by they are multiples of {gap:.3g}, and flat "
        "between, so that slopes say nothing"
    )
    return Diagnosis(happened + ".", (), "return the value with all digits; see round(...), formats and files.")


def _multiple(evidence: Evidence, reach: float) -> float | None:
    """Return the number of which all values close by are multiples, far above rounding; None if there is none."""
    random = np.random.default_rng(9)
    points = [evidence.x + reach * evidence.unit * random.uniform(-1.0, 1.0, evidence.x.size) for _ in range(16)]
    values = np.unique([value for x in points if np.isfinite(value := evidence.value(evidence.inside(x)))])
    gaps = np.diff(values)
    if len(gaps) < 3 or not np.min(gaps) > 1e4 * _EPS * np.max(np.abs(values)):
        return None
    multiples = gaps / np.min(gaps)
    return None if np.max(np.abs(multiples - np.round(multiples))) > 1e-3 else float(np.min(gaps))


@cause("noise", 95, of_start=True)
def noise(evidence: Evidence) -> Diagnosis | None:
    """The values have noise far above the rounding of f."""
    if not np.isfinite(evidence.here):
        return None
    sigma, rounding = evidence.noise, _EPS * max(abs(evidence.here), _EPS)
    if evidence.result is not None and (evidence.promised or np.inf) <= 10 * rounding:
        happened = (
            f"What is still to be gained, {evidence.promised:.1e}, is below the rounding of the objective, which is "
            f"{evidence.here:.6g}, with {rounding:.1e}"
        )
        remedy = "take this point, as no method sees a lower one; or leave out of the objective what does not change."
        return Diagnosis(happened + ".", (), remedy)
    size = max(abs(evidence.here), abs(evidence.problem.initial_value) if evidence.problem else 0.0)
    if not _NOISY * rounding < sigma < _MOST * size or not (evidence.result is None or _matters(evidence, sigma)):
        return None
    if not _is_everywhere(evidence, sigma):
        return None
    relative = sigma / abs(evidence.here) if evidence.here else np.inf
    happened = (
        f"The objective has noise: close by, its values scatter by {sigma:.1e} ({relative:.1e} of them), where double "
        f"precision has {rounding:.1e}; differences below that, and gradients by them, mean nothing"
    )
    said, where, remedy = _source_of_noise(evidence, sigma)
    return Diagnosis(f"{happened}{said}.", where, remedy)


def _is_everywhere(evidence: Evidence, sigma: float) -> bool:
    """Whether third differences on a short way are all of the size that noise has: at a kink only some of them are."""
    direction = evidence.unit * np.random.default_rng(10).uniform(-1.0, 1.0, evidence.x.size)
    evidence.left += 24
    values = [evidence.value(evidence.x + k * 2.0**-20 * direction) for k in range(1, 25)]
    thirds = np.abs(np.diff(values, 3)) / np.sqrt(20.0)
    return bool(np.isfinite(thirds).all() and np.median(thirds) > 0.1 * max(np.max(thirds), sigma))


def _matters(evidence: Evidence, sigma: float) -> bool:
    """Whether what is still to be gained is no more than the noise: by a Newton step, or by a short one downhill."""
    promised = evidence.promised
    if promised is not None:
        return promised <= 100 * sigma
    return bool(np.max(np.abs(evidence.slope) * evidence.unit, initial=0.0) * 1e-4 < 1e3 * sigma)


def _source_of_noise(evidence: Evidence, sigma: float) -> tuple[str, tuple[Location, ...], str]:
    """Return what the noise comes from, if that shows, its line, and what to do."""
    single = [name for name, array in evidence.data if array.dtype == np.float32]
    if single or evidence.single:
        verb = "is" if len(single) == 1 else "are"
        what = f": {', '.join(single)} {verb} float32" if single else ": it asks for float32"
        return what, (), "use double precision, as by .astype(float), or stop earlier (larger gtol, ftol)."
    walk = evidence.walk(evidence.x)
    if walk is not None:
        steps = walk.tape.steps
        equations = [step for step in steps if type(step.operation).__name__ == "Equation"]
        if equations:
            said = ", as it solves differential equations to a tolerance only"
            return said, shown(equations[0]), "give the solver of the equations smaller rtol and atol, such as 1e-10."
        sizes = [(_largest(value), index) for index, value in enumerate(walk.values) if steps[index].operation]
        largest, index = max(sizes, default=(0.0, 0))
        if _EPS * largest > sigma / 100 and largest > 100 * abs(evidence.here):
            said = f", as numbers as large as {largest:.1e} cancel in it"
            return said, shown(steps[index]), "leave the large terms out of the difference, or form it in another way."
    remedy = "have it computed more exactly (tolerances, grids, rounding, random draws), or stop earlier (gtol, ftol)."
    return "", (), remedy


def _largest(value: object) -> float:
    try:
        array = np.abs(np.asarray(value, dtype=float))
    except (TypeError, ValueError):
        return 0.0
    return float(np.max(array, initial=0.0, where=np.isfinite(array)))
