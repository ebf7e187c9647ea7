"""A module of derivatives against the objective: at random and awkward points, value, gradient, Hessian and products.

Where it differs from what autoopt derives, differences of the objective itself decide which of the two is wrong.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.exporting.handed import FUNCTIONS, Handed
from autoopt.exporting.locating import assignments, changed_lines, first_wrong, shown
from autoopt.exporting.module import source
from autoopt.objectives.objective import Objective

_KINDS = {"value_and_grad": "gradient", "grad": "gradient", "hess": "hessian", "hvp": "hvp"}
_WORDS = {"value_and_grad": "gradient", "grad": "gradient", "hess": "Hessian", "hvp": "product with the Hessian"}


@dataclass(frozen=True)
class Difference:
    """One function of a module that is wrong at a point.

    Attributes
    ----------
    function, point : str
    what : str
        Which entry, what it is, and what it should be.
    line : str
        The line of the module that is the first to differ; empty if none can be named.
    """

    function: str
    point: str
    what: str
    line: str


@dataclass(frozen=True)
class Comparison:
    """What the comparison of a module with an objective has found.

    Attributes
    ----------
    file : str
    digits : dict of str to float
        By function, to how many digits it agrees at the worst point.
    points : tuple of str
        The points at which functions were compared.
    differences : list of Difference
    speed : float or None
        How long its value and gradient take, as a multiple of autoopt's own.
    skipped : list of str
        Points at which the objective, or its derivative, is not defined.
    """

    file: str
    digits: dict[str, float]
    points: tuple[str, ...]
    differences: list[Difference]
    speed: float | None = None
    skipped: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every function agrees at every point."""
        return not self.differences

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        lines = [f"{self.file}, compared with the objective at {len(self.points)} points: {', '.join(self.points)}"]
        if self.skipped:
            lines.append(f"  not defined, and left out: {', '.join(self.skipped)}")
        wrong = {difference.function for difference in self.differences}
        for name, digits in self.digits.items():
            if name not in wrong:
                lines.append(f"  {name:<15} agrees to {int(min(digits, 16))} digits")
        for found in self.differences:
            lines.append(f"  {found.function:<15} is WRONG at {found.point}: {found.what}")
            if found.line:
                lines.append(f"  {'':<15} the first line that gives another value: {found.line}")
        if self.speed is not None and self.passed:
            word = "as fast as" if 0.95 < self.speed < 1.05 else "times the time of"
            number = "" if 0.95 < self.speed < 1.05 else f"{self.speed:.2f} "
            lines.append(f"  value and gradient take {number}{word} autoopt's own")
        return "\n".join(lines)


def compare(f: Callable, x0: Any, args: tuple, module: Any, names: tuple[str, ...] = ()) -> Comparison:
    """Return the comparison of a module of derivatives with the objective `f`.

    Parameters
    ----------
    f, x0, args
        As for `minimize`.
    module : path, module, or dict of its names
        Has `value_and_grad(params, *data)`, or `grad`; perhaps `hess` and `hvp`.
    names : tuple of str, optional
        What the parameters are called, in the order of the flat vector.
    """
    handed = Handed(module, f, x0, args)
    objective = handed.objective
    x, structure = objective.structure.flatten(x0), objective.structure
    names = names or tuple(structure.names)
    digits: dict[str, float] = {}
    found: dict[str, Difference] = {}
    met, skipped = [], []
    for point, at in _points(x):
        defined = False
        for name, function in handed.functions.items():
            p = np.linspace(-1.0, 2.0, x.size)
            expected = _of_objective(objective, name, at, p)
            if expected is None:
                continue
            defined = True
            given = _of_module(function, name, structure, at, p, args)
            agreed, worst = _agreement(given, expected)
            digits[name] = min(digits.get(name, 16.0), agreed)
            if agreed < 7 and name not in found:
                what, is_wrong = _said(objective, name, at, p, given, expected, worst, names)
                if is_wrong:
                    found[name] = Difference(name, point, what, _located(handed, module, name, at, p))
        (met if defined else skipped).append(point)
    speed = _speed(handed, objective, x) if not found and "value_and_grad" in handed.functions else None
    return Comparison(handed.file, digits, tuple(met), list(found.values()), speed, skipped)


def _points(x: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield points near and far, with equal entries, zeros and extremes."""
    rng, size = np.random.default_rng(0), differences.step_scale(x)
    yield "x0", x
    for k in range(3):
        yield f"random {k + 1}", x + 0.3 * rng.normal(size=x.size) * size
    yield "equal entries", np.full(x.size, 0.5)
    yield "zeros", np.zeros(x.size)
    yield "-x0 - 1", -x - 1.0
    yield "far", x + 30.0 * rng.choice([-1.0, 1.0], x.size) * size
    yield "extreme", 800.0 * rng.choice([-1.0, 1.0], x.size)


def _of_objective(objective: Objective, name: str, x: np.ndarray, p: np.ndarray) -> Any:
    """Return what autoopt's own code gives, None where it is not defined."""
    try:
        with np.errstate(all="ignore"):
            result = getattr(objective, FUNCTIONS[name])(x, *([p] if name == "hvp" else []))
    except Exception:  # the user's objective raises what it likes
        return None
    flat = np.concatenate([np.ravel(part) for part in result]) if isinstance(result, tuple) else np.ravel(result)
    return flat if np.isfinite(flat).all() else None


def _of_module(function: Callable, name: str, structure: Any, x: np.ndarray, p: np.ndarray, args: tuple) -> Any:
    """Return what a module's function gives, flat; the exception that it raises."""
    try:
        with np.errstate(all="ignore"):
            along = [structure.unflatten(p)] if name == "hvp" else []
            result = function(structure.unflatten(x), *along, *args)
        if name == "value_and_grad":
            value, gradient = result
            return np.concatenate([np.ravel(np.asarray(value, float)), structure.vector(gradient)])
        return np.ravel(np.asarray(result, float)) if name == "hess" else structure.vector(result)
    except Exception as error:
        return error


def _agreement(given: Any, expected: np.ndarray) -> tuple[float, int]:
    """Return to how many digits two results agree, beside the largest entry, and where they differ most."""
    if isinstance(given, Exception) or given.shape != expected.shape:
        return 0.0, 0
    apart = np.where(np.isfinite(given), np.abs(given - expected), np.inf)
    worst, size = int(np.argmax(apart)), float(np.max(np.abs(expected)))
    if apart[worst] == 0:
        return 16.0, worst
    return float(-np.log10(min(apart[worst] / max(size, 1e-300), 1.0))), worst


def _said(
    objective: Objective,
    name: str,
    x: np.ndarray,
    p: np.ndarray,
    given: Any,
    expected: np.ndarray,
    worst: int,
    names: tuple[str, ...],
) -> tuple[str, bool]:
    """Return what is wrong, in words, and whether it is the module that is: differences of the objective decide."""
    if isinstance(given, Exception):
        return f"it raises {type(given).__name__}: {given}", True
    if given.shape != expected.shape:
        return f"it has {given.size} numbers in place of {expected.size}", True
    entry = worst - (name == "value_and_grad")
    if entry < 0:
        original = float(objective.original(x))
        what = f"the value is {given[0]:.10g}, that of the objective {original:.10g}"
        return what, abs(original - expected[0]) < abs(original - given[0])
    row = entry // x.size if name == "hess" else entry
    unit = np.eye(x.size)[row] * differences.step_scale(x)[row]
    label = names[row] if name != "hess" else f"{names[row]}, {names[entry % x.size]}"
    if name in ("value_and_grad", "grad"):
        slope, error = differences.directional(objective.original, x, unit)
        measured, error = float(slope) / unit[row], float(error) / unit[row]
    else:
        along = p if name == "hvp" else np.eye(x.size)[entry % x.size]
        slope, error = differences.directional(objective.grad, x, along)
        measured, error = float(slope[row]), float(np.ravel(error)[row if np.ndim(error) else 0])
    what = f"the {_WORDS[name]} by {label} is {given[worst]:.10g}, differences give {measured:.10g} +- {error:.0e}"
    return what, not abs(given[worst] - measured) < abs(expected[worst] - measured)


def _located(handed: Handed, module: Any, name: str, x: np.ndarray, p: np.ndarray) -> str:
    """Return the line of the module's file that is wrong, if one can be named."""
    if not isinstance(module, str | Path):
        return ""
    try:
        kinds = list(dict.fromkeys(_KINDS[known] for known in handed.functions))
        text = source(handed.f, handed.x0, handed.args, kinds)
        file, structure = str(Path(module).absolute()), handed.objective.structure
        names: dict[str, Any] = {"__name__": "derived"}
        exec(compile(text, "<derived>", "exec"), names)
        own = handed.with_outside(name, names[name])
        along = [structure.unflatten(p)] if name == "hvp" else []
        arguments = [structure.unflatten(x), *along, *handed.args]
        with np.errstate(all="ignore"):
            theirs = assignments(handed.functions[name], arguments, file)
            ours = assignments(own, arguments, "<derived>")
        line = first_wrong(theirs, ours, changed_lines(Path(module), text))
        return "" if line is None else shown(str(module), line)
    except Exception:  # whatever it is, the difference stands
        return ""


def _speed(handed: Handed, objective: Objective, x: np.ndarray) -> float | None:
    """Return the time of the module's value and gradient over that of autoopt's own: a ratio of medians."""
    params = objective.structure.unflatten(x)
    calls = {
        "theirs": lambda: handed.functions["value_and_grad"](params, *handed.args),
        "ours": lambda: objective.value_and_grad(x * (1 + 1e-15 * next(count))),
    }
    count = iter(range(10**6))
    spent: dict[str, list[float]] = {"theirs": [], "ours": []}
    end = time.perf_counter() + 0.5
    while len(spent["ours"]) < 7 or (time.perf_counter() < end and len(spent["ours"]) < 200):
        for who, call in calls.items():
            began = time.perf_counter()
            call()
            spent[who].append(time.perf_counter() - began)
    return statistics.median(spent["theirs"]) / statistics.median(spent["ours"])
