"""Runs that went off: no lower bound, a minimum at infinity, classes that are separated, and what in data causes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from autoopt.diagnosis.evidence import Evidence
from autoopt.diagnosis.idle import ran_off
from autoopt.diagnosis.shapes import constant_data
from autoopt.diagnosis.table import Diagnosis, cause, numbers
from autoopt.inference import combination, endless, flattest
from autoopt.solvers.constrained import UNBOUNDED
from autoopt.solvers.convergence import without_bound
from autoopt.solvers.problem import Problem

_FAR = tuple(10.0 ** (k / 2) for k in range(-6, 17))
_VISIBLE = 1e-13
_GONE = 1e-10
_LIMIT = 1e-3
"""A value that falls by less than this part of all that it fell, over another ten times the way, tends to a limit."""


class _Ray:
    """How f goes on a ray, until it overflows."""

    def __init__(
        self,
        evidence: Evidence,
        direction: np.ndarray,
        value: Callable[[np.ndarray], float],
        start: np.ndarray | None = None,
    ) -> None:
        start = evidence.x0 if start is None else start
        size = np.max(np.abs(direction))
        self.direction = direction / size
        length = min(max(1.0, float(size)), 1e6)
        self.points: list[float] = []
        self.values: list[float] = []
        for far in _FAR:
            point = evidence.inside(start + length * far * self.direction)
            found = value(point)
            if not np.isfinite(found) or not evidence.meets_constraints(point):
                break
            self.points.append(length * far)
            self.values.append(found)

    @property
    def falls(self) -> bool:
        """Whether f falls, or stays where rounding hides that it does, from point to point."""
        values = np.array(self.values)
        return len(values) > 2 and bool((np.diff(values) <= _VISIBLE * np.abs(values[1:])).all())

    @property
    def tends(self) -> bool:
        """Whether it falls less and less, to a limit."""
        drops = -np.diff(self.values)
        return self.falls and abs(drops[-1]) <= _LIMIT * max(np.sum(np.abs(drops)), 1e-300)


def _ray(evidence: Evidence, value: Callable[[np.ndarray], float] | None = None) -> _Ray | None:
    """Return the ray along which the run went, None if it stayed where it was."""
    way = evidence.x - evidence.x0
    if not (np.isfinite(way).all() and way.any()):
        return None
    if value is None and "ray" in evidence.kept:
        return evidence.kept["ray"]
    ray = _Ray(evidence, way, value or evidence.value)
    gone = np.abs(evidence.x) <= _GONE * np.abs(way)
    if not ray.falls and gone.any() and not gone.all():  # what went to 0 on the way is there, and the others go on
        rest = np.where(gone, 0.0, way)
        ray = _Ray(evidence, rest, value or evidence.value, np.where(gone, 0.0, evidence.x0))
    far = np.abs(way) >= np.max(np.abs(way)) / 10
    if not ray.falls and not far.all():  # what did not go far is where it came to
        ray = _Ray(evidence, np.where(far, way, 0.0), value or evidence.value, np.where(far, evidence.x0, evidence.x))
    if value is None:
        evidence.kept["ray"] = ray
    return ray


def _lost(evidence: Evidence) -> bool:
    """Whether the run went far off, or f far down, and f falls on."""
    return without_bound(evidence.problem, evidence.z) is not None


@cause("labels", 8)
def labels(evidence: Evidence) -> Diagnosis | None:
    """Two classes that are not called 0 and 1, where f is bounded once they are."""
    if not _lost(evidence):
        return None
    for name, array in evidence.data:
        found = np.unique(array) if array.ndim == 1 and array.size else np.zeros(0)
        if len(found) != 2 or set(found) == {0, 1}:
            continue
        if _would_be_bounded(evidence, name, (array == found[1]).astype(array.dtype)):
            happened = (
                f"The labels in {name} are {found[0]:g} and {found[1]:g}: with them the objective is not bounded "
                "below, with 0 and 1 in their place it is"
            )
            remedy = f"pass {name} as 0 and 1, as by ({name} == {found[1]:g}).astype(float)."
            return Diagnosis(f"{happened}.", (), remedy)
    return None


@cause("counts", 9)
def counts(evidence: Evidence) -> Diagnosis | None:
    """Counts of which a few are negative, where f is bounded once they are not."""
    if not _lost(evidence):
        return None
    for name, array in evidence.data:
        if array.ndim != 1 or not np.array_equal(array, np.round(array)):
            continue
        negative = np.flatnonzero(array < 0)
        if 0 < len(negative) <= len(array) // 4 and _would_be_bounded(evidence, name, np.maximum(array, 0)):
            rows = ", ".join(f"row {k} ({array[k]:g})" for k in negative[:3])
            happened = (
                f"The counts in {name} hold negative numbers, at {rows}: with them the objective is not bounded below, "
                "with 0 in their place it is"
            )
            return Diagnosis(f"{happened}.", (), "leave these rows out: -99 and the like may stand for missing values.")
    return None


def _would_be_bounded(evidence: Evidence, name: str, array: np.ndarray) -> bool:
    value = evidence.with_data(name, array)
    ray = _ray(evidence, value) if value is not None else None
    return ray is not None and not ray.falls


@cause("not bounded below", 16)
def falls_without_end(evidence: Evidence) -> Diagnosis | None:
    """f falls along a ray as far as numbers go."""
    if evidence.problem.constraints and evidence.result.status != UNBOUNDED:  # on them it may have a minimum
        return None
    ray = _ray(evidence)
    if (
        ray is None
        or ray.tends
        or "does not rise along" in evidence.result.message  # to a limit, as the verdict has found
        or ran_off(evidence) is not None
        or not (
            _fell_far(evidence) or _goes_on(evidence, ray) or (_lost(evidence) and ray.falls and evidence.abyss is None)
        )
    ):
        return None
    shown = ""
    if ray.falls:
        last = len(ray.values) - 1
        far = [(ray.points[k], ray.values[k]) for k in sorted({0, last // 2, last})]
        shown = ", to " + ", ".join(f"{value:.4g} at {distance:.0e}" for distance, value in far)
    direction = combination(ray.direction, evidence.names)
    happened = f"The objective is not bounded below: it falls without end along {direction}{shown}"
    remedy = "bound the parameters, or add a penalty; if it is to be maximised, return its negative."
    if (there := _of_opposite_sign(evidence)) is not None:
        happened += f". Its negative has a minimum, {there}, so that its sign may be wrong"
        remedy = "return the negative: minimize wants the negative of a log-likelihood, or of what is to be maximised."
    elif (same := constant_data(evidence)) is not None:
        happened += f". {same.happened.removesuffix('.')}, and can be fitted without error"
    return Diagnosis(happened + ".", (), remedy, replaces=True)


def _fell_far(evidence: Evidence) -> bool:
    """Whether f fell by very much more than it was at the start; -inf may be the logarithm of 0."""
    lowest, initial = evidence.problem.best_value, evidence.problem.initial_value
    is_log = evidence.abyss is not None and not lowest < initial - 1e6 * max(1.0, abs(initial))
    return bool(not is_log and lowest < initial - 1e6 * max(1.0, abs(initial)))


def _goes_on(evidence: Evidence, ray: _Ray) -> bool:
    """Whether f falls on to where its numbers overflow, far from the start."""
    far = 100 * max(1.0, float(np.max(np.abs(evidence.x0), initial=0.0)))
    if not (ray.falls and len(ray.points) > 3 and ray.points[-1] >= far) or evidence.result.success:
        return False
    drops = -np.diff(ray.values)
    return bool(drops[-1] > drops[-2] > 0)


def _of_opposite_sign(evidence: Evidence) -> str | None:
    """Return the minimum of -f from the start of the run, in words; None if a short run finds none."""
    problem = Problem(_Negative(evidence), evidence.x0, evidence.limits)
    try:
        raw = problem.scipy("L-BFGS-B", {"maxfun": 80}, bounds=problem.scipy_bounds)
    except Exception:  # as where it is not bounded below, either
        return None
    gradient = problem.projected_gradient(raw.x)
    small = np.max(np.abs(gradient) * np.maximum(np.abs(raw.x), 1.0)) <= 1e-4 * max(abs(problem.fun(raw.x)), 1e-8)
    moved = np.max(np.abs(raw.x - evidence.x0)) > 0 and problem.fun(raw.x) < problem.initial_value
    near = np.max(np.abs(raw.x), initial=0.0) <= 1e4 * max(1.0, float(np.max(np.abs(evidence.x0), initial=0.0)))
    if not (small and moved and near and np.isfinite(problem.fun(raw.x))):
        return None
    pairs = zip(evidence.names[:3], raw.x[:3], strict=True)
    more = ", ..." if len(raw.x) > 3 else ""
    return "at " + ", ".join(f"{name} = {value:.4g}" for name, value in pairs) + more


class _Negative:
    """-f, for a solver."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    def value_and_grad(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = self._evidence.value_and_slope(x)
        return -value, -gradient


@cause("minimum at infinity", 18)
def minimum_at_infinity(evidence: Evidence) -> Diagnosis | None:
    """f falls along a ray to a limit that it does not reach: where the run went, or where curvature has vanished."""
    if evidence.result.success or (direction := _endless(evidence)) is None:
        return None
    direction = direction / np.max(np.abs(direction))
    size = max(1.0, float(np.max(np.abs(evidence.x))))
    limit = _solvers(evidence)(evidence.inside(evidence.x + 10 * size * direction))
    here = evidence.value_and_slope(evidence.x)[0]
    if not here - limit <= _LIMIT * max(abs(evidence.problem.initial_value - here), abs(here)):  # it falls on
        return None
    if not limit <= here + _VISIBLE * abs(here):  # the way there is bent
        far = np.flatnonzero(np.abs(direction) > 0.01)
        shown = numbers([evidence.names[k] for k in far], evidence.x[far])
        happened = f"The parameters run off, to {shown}, and f, {here:.6g}, has no minimum in sight there"
        remedy = "bound these parameters, leave them out, or add a penalty; see whether the data hold them."
        return Diagnosis(happened + ".", (), remedy)
    if (bound := _bound_ahead(evidence, direction)) is not None:
        happened = f"The minimum lies on the bounds: the objective falls along {combination(direction, evidence.names)}"
        remedy = "start nearer to that bound, draw it closer, or add a penalty: the data hardly hold these parameters."
        return Diagnosis(f"{happened} by less and less, as far as {bound}.", (), remedy, replaces=True)
    where = f"falls along {combination(direction, evidence.names)} to {limit:.6g}, which it does not reach"
    separated = _separated(evidence, direction)
    if separated is not None:
        happened = f"{separated}: the objective has its minimum at infinity, it {where}"
        return Diagnosis(happened + ".", (), _OF_CLASSES, replaces=True)
    remedy = "bound these parameters, leave them out, or add a penalty: the data do not hold them."
    return Diagnosis(f"The minimum lies at infinity: the objective {where}.", (), remedy, replaces=True)


def _bound_ahead(evidence: Evidence, direction: np.ndarray) -> str | None:
    """Return the first bound that a direction leads to, in words; None if it leads to infinity."""
    if evidence.limits is None:
        return None
    ahead = np.where(direction > 0, evidence.limits.upper, evidence.limits.lower) - evidence.x
    moving = np.abs(direction) > _MOVING
    lengths = np.where(moving, ahead / np.where(moving, direction, 1.0), np.inf)
    first = int(np.argmin(lengths))
    if not np.isfinite(lengths[first]):
        return None
    return f"{evidence.names[first]} = {evidence.x[first] + ahead[first]:.6g}"


_MOVING = 0.01


def _solvers(evidence: Evidence) -> Callable[[np.ndarray], float]:
    """Return f as the solver has it, stabilised, so that logarithms of what vanishes have values far off."""
    return lambda x: evidence.value_and_slope(x)[0]


def _endless(evidence: Evidence) -> np.ndarray | None:
    """Return the direction, shape (n,), in which f falls to a limit; None if there is none."""
    hessian, way = evidence.hessian, evidence.x - evidence.x0
    large = np.where(np.abs(way) >= np.max(np.abs(way)) / 10, way, 0.0)
    ways = [] if hessian is None else [flattest(hessian)]
    for direction in (*ways, way, large):
        found = endless(_solvers(evidence), evidence.x, [direction], hessian)
        if found is not None and np.array_equal(evidence.inside(evidence.x + found), evidence.x + found):
            return found
    ray = _ray(evidence)
    far = np.max(np.abs(way), initial=0.0) > 1e6 * max(1.0, float(np.max(np.abs(evidence.x0), initial=0.0)))
    if ray is not None and ((ray.tends and ray.values[-1] <= evidence.here) or (far and _lost(evidence))):
        return ray.direction
    return None


@cause("separated classes", 17)
def classes_are_separated(evidence: Evidence) -> Diagnosis | None:
    """Where the run ended each response is on its side, and f falls on: where it is 1 - p that rounds, too."""
    farther = evidence.value(1.5 * evidence.x)
    ahead = float(np.sum(evidence.slope * evidence.x, where=evidence.x != 0))
    if not ahead < 0 or farther >= evidence.here:  # where it is NaN, p is 0 or 1
        return None
    told = _parted(evidence, evidence.x, strictly=True)
    if told is None:
        return None
    along = combination(evidence.x, evidence.names)
    happened = f"{told}: the objective has its minimum at infinity, it falls along {along}"
    return Diagnosis(happened + ".", (), _OF_CLASSES, replaces=True)


_OF_CLASSES = "leave out a parameter of this combination, join groups, or add a penalty (ridge, prior)."


def _separated(evidence: Evidence, direction: np.ndarray) -> str | None:
    """Return in words that the classes in the data are separated by the combination; None without two classes."""
    told = _parted(evidence, direction)
    others = [
        name for name, array in evidence.data if _is_of_classes(array) and _is_told_apart(evidence, name, direction)
    ]
    if told is not None or not others:
        return told
    moving = np.abs(direction) > 0.1
    names = ", ".join(evidence.names[k] for k in np.flatnonzero(moving)[:4])
    return f"The classes in the data ({', '.join(others[:3])}) seem to be separated by {names}"


def _is_told_apart(evidence: Evidence, name: str, direction: np.ndarray) -> bool:
    """Whether f, which falls along a direction, rises along it once the classes have each other's labels.

    So it is where they are separated, and not where the direction tells no class from the other: that of the logarithm
    of a standard deviation, which the data do without, has the same limit for both.
    """
    array = dict(evidence.data)[name]
    value = evidence.with_data(name, (np.min(array) + np.max(array) - array).astype(array.dtype))
    if value is None:
        return False
    size = max(1.0, float(np.max(np.abs(evidence.x))))
    with np.errstate(all="ignore"):
        here, far = value(evidence.x), value(evidence.x + 10 * size * direction / np.max(np.abs(direction)))
    return bool(far - here > max(1.0, _LIMIT * abs(here)) or (np.isfinite(here) and not np.isfinite(far)))


def _parted(evidence: Evidence, direction: np.ndarray, *, strictly: bool = False) -> str | None:
    """Return in words that a combination of columns has one class on one side, the other on the other."""
    for name, array in evidence.data:
        if not _is_of_classes(array):
            continue
        positive = array == np.max(array)
        for matrix, columns, X in _designs(evidence, array.size):
            if matrix == name:
                continue
            score = X @ direction
            low, high = np.min(score[positive]), np.max(score[~positive])
            is_parted = low > high and (low >= 0 >= high or (np.ptp(X, axis=0) == 0).any()) if strictly else low >= high
            if is_parted:
                k = int(np.argmax(np.abs(direction * np.std(X, axis=0))))
                by = matrix if columns[k] is None else f"column {columns[k]} of {matrix}"
                return f"The classes in {name} are separated, above all by {by} ({evidence.names[k]})"
    return None


def _designs(evidence: Evidence, rows: int) -> Iterator[tuple[str, list[int | None], np.ndarray]]:
    """Yield matrices, (rows, n), of which linear predictors may be made, with the columns that they are of the data.

    They may lack the column of an intercept, whose parameter is then the first or the last.
    """
    size, one = evidence.x.size, np.ones((rows, 1))
    for name, array in evidence.data:
        X = array[:, np.newaxis] if array.ndim == 1 else array
        if X.ndim != 2 or len(X) != rows or not np.isfinite(X).all():
            continue
        columns = [None] if array.ndim == 1 else list(range(X.shape[1]))
        if X.shape[1] == size:
            yield name, columns, X
        elif X.shape[1] == size - 1:
            yield name, [None, *columns], np.hstack([one, X])
            yield name, [*columns, None], np.hstack([X, one])


def _is_of_classes(array: np.ndarray) -> bool:
    return array.ndim == 1 and array.size > 2 and set(np.unique(array[:10000])) in ({0, 1}, {-1, 1})
