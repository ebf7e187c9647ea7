"""Whether the point where a root finder ended is a root: Newton's steps with the exact Jacobian, and what they show.

a root                   a Newton step from it is below 1e-9 of its size, or the values are what rounding leaves of 0
no root                  the norm of the values has a local minimum; the Jacobian is singular; no progress
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autoopt.optimize.systems import System
from autoopt.wording import listed

STEP = 1e-9
_ROUNDINGS = 50.0
_STEPS = 200
_DENSE, _EVALUATIONS, _LEAST = 500, 300, 1e-15
_HALVINGS = 12
_SINGULAR, _SMALL = 1e-12, 1e-6
_FLATTER = 1e-6
_STATIONARY, _GAIN = 1e-6, 1e-4
"""Slopes of the norm of the values that are none: beside those of each, or what a step of x's size gains by them."""

_SLOW, _OFTEN = 0.05, 5
"""Steps that leave more than this of the values, and how many of them, show that a root is a multiple one."""


_LIKE = 0.9
"""Steps towards a multiple root shrink; those that keep this part of their length over two lead to infinity."""


@dataclass(frozen=True)
class Ending:
    """Where a run ended: `x`, f(x), the Jacobian there, whether it is a root, and why or why not.

    It `goes_off` where steps lead on for ever, and the values tend to 0.
    """

    x: np.ndarray
    values: np.ndarray
    jacobian: Any
    is_root: bool
    message: str
    steps: int
    goes_off: bool = False


def ending(system: System, x: np.ndarray) -> Ending:
    """Return what is at `x`, shape (n,), after Newton steps as long as they make the values smaller.

    Notes
    -----
    Each step is halved until the norm of the values falls. A simple root is doubled in digits by each; towards a
    multiple one the steps shrink by a constant factor, until rounding is left. Where that leads to no root, the least
    norm is looked for from there (Levenberg and Marquardt), from which steps go on: it is a root, or shown to be none.
    """
    if not np.isfinite(x).all() or (values := system.tried(x)) is None or system.is_worse(values):
        x = system.best
    end = _after_steps(system, x)
    if not end.is_root and not end.goes_off and x.size <= _DENSE:
        steps, end = end.steps, _after_steps(system, *_of_least_norm(system, end.x))
        end = replace(end, steps=steps + end.steps)
    return end


def _after_steps(system: System, x: np.ndarray, is_least: bool = False) -> Ending:
    """Return what is at `x`, of which may be known that the norm is least there, after Newton steps."""
    values = system.tried(x)
    assert values is not None  # it has been evaluated
    jacobian, first, taken, slow, falls = system.jacobian(x), system.size(values), 0, 0, True
    lengths: list[float] = []
    while falls and taken < _STEPS and values.any():
        moved = None
        for whole in (True, False):
            step = newton_step(system, jacobian, values, whole)
            moved = None if step is None else _shortened(system, x, step, system.size(values))
            if moved is not None or system.by_products or system.is_sparse:
                break
        if moved is None:
            break
        shrunk = system.size(moved[1]) / system.size(values)
        lengths.append(float(np.linalg.norm(moved[0] - x)))
        x, values, taken = *moved, taken + 1
        jacobian = system.jacobian(x)
        slow, falls = slow + (shrunk > _SLOW), shrunk <= 0.9
    fell = system.size(values) < first / 2
    goes_off = slow > _OFTEN and len(lengths) > 2 and lengths[-1] >= _LIKE * lengths[-3]
    goes_off = goes_off or _has_underflown(system, x, values)
    why = None if goes_off else _why_root(system, x, values, jacobian, slow > _OFTEN)
    message = why or _why_not(system, x, values, jacobian, taken == _STEPS or goes_off, is_least and not fell)
    return Ending(x, values, jacobian, why is not None, message, taken, goes_off)


def _has_underflown(system: System, x: np.ndarray, values: np.ndarray) -> bool:
    """Whether values are 0 around `x`, and came near that by less and less on the way from x0: to 0 at infinity.

    At a root they are 0 at one point, or begin to be at once.
    """
    left = (np.abs(values) < _LOST) & (system.first != 0)
    for length in _WAY_BACK:
        if not left.any():
            return False
        there = system.tried(x + length * (system.x0 - x))
        if there is None:
            return False
        something = left & (np.abs(there) >= _LOST)
        if length > _BESIDE and (np.abs(there) <= _NOTHING * np.abs(system.first))[something].any():
            return True
        left &= ~something
    return False


_LOST, _NOTHING, _BESIDE = 1e-300, 1e-12, 1e-3
_WAY_BACK = (1e-6, 1e-4, 1e-2, 3e-2, 0.1, 0.3, *(1 - 0.8**k for k in range(3, 30)))
"""Underflow reaches over some part of the way, a multiple root does not."""


def _of_least_norm(system: System, x: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return where the norm of the values, in units of their scales, is least by `x`, and whether it was found."""
    from scipy.optimize import least_squares

    def scaled(y: np.ndarray) -> np.ndarray:
        return system.values(y) / system.scales

    with np.errstate(all="ignore"):
        try:
            found = least_squares(
                scaled, x, lambda y: system.dense_jacobian(y) / system.scales[:, None], x_scale="jac",
                ftol=_LEAST, xtol=_LEAST, gtol=_LEAST, max_nfev=_EVALUATIONS,
            )  # fmt: skip
        except (ValueError, np.linalg.LinAlgError):
            return x, False
    values = system.tried(np.asarray(found.x))
    return (x, False) if values is None else (np.asarray(found.x), found.status > 0)


def newton_step(system: System, jacobian: Any, values: np.ndarray, whole: bool = False) -> np.ndarray | None:
    """Return the step d with J d = f, the shortest of the best where J is singular or not square; None if none is.

    A `whole` step is the solution whatever the condition of J: towards a multiple root that is the right one.
    """
    if system.by_products:
        return _iterated_step(jacobian, values)
    jacobian, values = system.scaled(jacobian), values / system.scales
    if hasattr(jacobian, "toarray"):
        return _sparse_step(jacobian, values)
    if not np.isfinite(jacobian).all():
        return None
    units = _column_units(jacobian)
    try:
        if whole and jacobian.shape[0] == jacobian.shape[1]:
            rows = np.maximum(_lengths(jacobian.T), np.finfo(np.float64).tiny)
            step = np.linalg.solve(jacobian / rows[:, None], values / rows)
            return step if np.isfinite(step).all() else None
        return np.linalg.lstsq(jacobian / units, values, rcond=_SINGULAR)[0] / units
    except np.linalg.LinAlgError:
        return None


def _iterated_step(jacobian: Any, values: np.ndarray) -> np.ndarray | None:
    """Return the step by exact products with a Jacobian that is not factored, to eight digits; None if it fails."""
    from scipy.sparse.linalg import lgmres, lsmr

    if jacobian.shape[0] == jacobian.shape[1]:
        step, failed = lgmres(jacobian, values, rtol=1e-8, atol=0.0, maxiter=200)
        if not failed and np.isfinite(step).all():
            return step
    step = lsmr(jacobian, values, atol=_SINGULAR, btol=_SINGULAR, maxiter=1000)[0]
    return step if np.isfinite(step).all() else None


def _sparse_step(jacobian: Any, values: np.ndarray) -> np.ndarray | None:
    import warnings

    from scipy.sparse.linalg import MatrixRankWarning, lsmr, spsolve

    if jacobian.shape[0] == jacobian.shape[1]:
        with warnings.catch_warnings():
            warnings.simplefilter("error", MatrixRankWarning)
            try:
                step = spsolve(jacobian.tocsc(), values)
                if np.isfinite(step).all():
                    return step
            except (MatrixRankWarning, RuntimeError):
                pass
    step = lsmr(jacobian, values, atol=_SINGULAR, btol=_SINGULAR)[0]
    return step if np.isfinite(step).all() else None


def _column_units(jacobian: np.ndarray) -> np.ndarray:
    lengths = _lengths(jacobian)
    return np.where(lengths > 0, lengths, 1.0)


def _shortened(system: System, x: np.ndarray, step: np.ndarray, size: float) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the point after as much of a step as makes the values smaller, with these; None if none does."""
    is_last = (np.abs(step) <= STEP * system.units(x)).all()
    for _ in range(1 if is_last else _HALVINGS):
        moved = x - step
        values = system.tried(moved)
        if values is not None and system.size(values) < size:
            return moved, values
        step = step / 2
    return None


def _why_root(system: System, x: np.ndarray, values: np.ndarray, jacobian: Any, slow: bool) -> str | None:
    """Return in words why `x` is a root; None if it is none."""
    if not values.any():
        return "all values are 0" + (_MULTIPLE if _is_multiple(system, x, jacobian, slow) else "")
    largest = np.max(np.abs(values))
    step = newton_step(system, jacobian, values)
    if step is not None and not _has_flattened(system, jacobian) and _singular(system, jacobian) is None:
        left = np.abs(values - jacobian @ step)
        is_small = (np.abs(step) <= STEP * system.units(x)).all()
        if is_small and ((left <= 1e-3 * np.abs(values)).all() or (left <= _noise(system, x, values)).all()):
            return f"a Newton step from there is {np.max(np.abs(step)):.1e}, the largest value is {largest:.1e}"
    goes_off = slow and step is not None and (np.abs(step) > _FLATTER * system.units(x)).any()
    if not goes_off and (np.abs(values) <= np.minimum(_noise(system, x, values), _SMALL * system.scales)).all():
        multiple = _MULTIPLE if _is_multiple(system, x, jacobian, slow) else ""
        return f"the largest value is {largest:.1e}, which is rounding{multiple}"
    return None


def _is_multiple(system: System, x: np.ndarray, jacobian: Any, slow: bool) -> bool:
    """Whether values change by more than their slopes tell, where these are least: slopes that vanish at the root.

    Where that would take long, whether steps were `slow`.
    """
    if not isinstance(jacobian, np.ndarray) or x.size > _MANY or not np.isfinite(jacobian).all():
        return slow
    units = system.units(x)
    direction = np.linalg.svd(system.scaled(jacobian) * units)[2][-1] * units * _ASIDE
    here, there = system.tried(x), system.tried(x + direction)
    if here is None or there is None:
        return slow
    return system.size(there - here) > _BEYOND * system.size(jacobian @ direction)


_MANY, _ASIDE, _BEYOND = 200, 1e-3, 10.0


def _noise(system: System, x: np.ndarray, values: np.ndarray) -> np.ndarray:
    return _ROUNDINGS * system.noise(x, values)


_MULTIPLE = "; it is a multiple root, where the Jacobian is singular, so x has fewer digits than the values"


def _why_not(system: System, x: np.ndarray, values: np.ndarray, jacobian: Any, slow: bool, is_least: bool) -> str:
    """Return in words why `x` is no root: what holds the run there."""
    largest = np.max(np.abs(values), initial=0.0)
    where = f"the largest value is {largest:.3g}"
    if system.by_products:
        return f"no progress was possible, and {where}. Start elsewhere, or try another method."
    scaled = system.scaled(jacobian)
    floor = _FLATTER * _lengths(system.scaled(system.slopes_at_start))
    lengths = np.maximum(_lengths(scaled), floor)
    size = system.size(values) or 1.0
    slopes = np.abs(scaled.T @ (values / system.scales / size))
    cosines, gains = slopes / np.where(lengths > 0, lengths, 1.0), slopes * system.units(x) / size
    singular = _singular(system, jacobian) if np.size(values) >= x.size else None
    step = newton_step(system, jacobian, values)
    if slow and (step is None or not values.any() or (np.abs(step) > _FLATTER * system.units(x)).any()):
        return (
            f"the values shrink by about the same part with each step, which moves on to x = {_first(x)}: they come "
            f"near 0 at infinity alone ({where}). Bound what goes off, or start elsewhere."
        )
    if is_least or ((cosines <= _STATIONARY) | (gains <= _GAIN)).all():
        return (
            f"this is a local minimum of the norm of fun and no root: {where}, and no direction makes the values "
            "smaller together. Start elsewhere, or see whether there is a root at all."
        )
    if singular:
        return f"the Jacobian is singular there ({singular}), and {where}. Start elsewhere."
    return f"no progress was possible, and {where}. Start elsewhere, or try another method."


def _first(x: np.ndarray) -> str:
    """Return the first numbers of `x` as text."""
    return np.array2string(x[:6] + 0.0, precision=6)[:-1] + (", ...]" if x.size > 6 else "]")


def _lengths(matrix: Any) -> np.ndarray:
    """Return the length of each column, shape (n,)."""
    if hasattr(matrix, "toarray"):
        return np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=0)).reshape(-1))
    return np.linalg.norm(matrix, axis=0)


def _has_flattened(system: System, jacobian: Any) -> bool:
    """Whether all slopes of a value, or along a parameter, are a millionth of what they were at x0."""
    then = system.slopes_at_start
    if system.by_products:
        return False
    for now, before in ((jacobian, then), (jacobian.T, then.T)):
        if (_lengths(now) <= _FLATTER * _lengths(before)).any():
            return True
    return False


def _singular(system: System, jacobian: Any) -> str | None:
    """Return in words in which direction the Jacobian is singular, where its condition, in units, is above 1e12."""
    if system.by_products:
        return None
    names = system.function.structure.names
    columns = _lengths(jacobian)
    if not columns.all():
        return f"along {listed([names[i] for i in np.flatnonzero(columns == 0)])}"
    if hasattr(jacobian, "toarray") or jacobian.shape[0] < jacobian.shape[1] or not np.isfinite(jacobian).all():
        return None
    from autoopt.inference import combination

    rows = _lengths(jacobian.T)
    scaled = jacobian / np.where(rows > 0, rows, 1.0)[:, None]
    units = _column_units(scaled)
    _, sizes, directions = np.linalg.svd(scaled / units)
    return f"along {combination(directions[-1] / units, names)}" if sizes[-1] <= _SINGULAR * sizes[0] else None
