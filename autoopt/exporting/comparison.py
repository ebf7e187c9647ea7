"""A module of derivatives against the objective: at random and awkward points, value, gradient, Hessian and products.

Where it differs from what autoopt derives, differences of the objective itself decide which of the two is wrong.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.exporting.entries import Apart, allowances, apart, digits
from autoopt.exporting.handed import FUNCTIONS, Handed
from autoopt.exporting.locating import assignments, changed_lines, first_wrong, shown
from autoopt.exporting.module import source
from autoopt.exporting.returned import Misshapen, flattened
from autoopt.objectives.objective import Objective
from autoopt.verification.certificate import DISAGREES
from autoopt.verification.products import direction
from autoopt.verification.values import compare_values

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
    untold : list of str
        Functions, and the points at which differences do not tell whether they or what is derived is right.
    """

    file: str
    digits: dict[str, float]
    points: tuple[str, ...]
    differences: list[Difference]
    speed: float | None = None
    skipped: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every function agrees at every point."""
        return not self.differences

    def __bool__(self) -> bool:
        return self.passed

    def to_dict(self) -> dict[str, Any]:
        """Return all that was found as plain values that JSON can hold."""
        return {**asdict(self), "passed": self.passed}

    def __str__(self) -> str:
        lines = [f"{self.file}, compared with the objective at {len(self.points)} points: {', '.join(self.points)}"]
        if self.skipped:
            lines.append(f"  not defined, and left out: {', '.join(self.skipped)}")
        if self.untold:
            lines.append(f"  cannot tell, and left out: {', '.join(self.untold)}")
        wrong = {difference.function for difference in self.differences}
        for name, number in self.digits.items():
            if name not in wrong:
                lines.append(f"  {name:<15} agrees to {int(min(number, 16))} digits")
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
    x = objective.structure.flatten(x0)
    comparing = _Comparing(handed, module, names or tuple(objective.structure.names))
    met, skipped = [], []
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        for point, at in _points(x):
            told = (
                [comparing.compare(name, point, at) for name in handed.functions] if _is_defined(objective, at) else []
            )
            (met if any(told) else skipped).append(point)
    found = list(comparing.found.values())
    speed = _speed(handed, objective, x) if not found and "value_and_grad" in handed.functions else None
    return Comparison(handed.file, comparing.digits, tuple(met), found, speed, skipped, comparing.untold)


class _Comparing:
    """The functions of a module, and what has been found of each."""

    def __init__(self, handed: Handed, module: Any, names: tuple[str, ...]) -> None:
        self.handed, self.objective, self.module, self.names = handed, handed.objective, module, names
        self.digits: dict[str, float] = {}
        self.found: dict[str, Difference] = {}
        self.untold: list[str] = []

    def compare(self, name: str, point: str, x: np.ndarray) -> bool:
        """Compare one function at `x`; return whether it could be."""
        objective, structure = self.objective, self.objective.structure
        function, p = self.handed.functions[name], direction(x, differences.step_scale(x))

        def theirs(y: np.ndarray) -> Any:
            return _of_module(function, name, structure, y, p, self.handed.args)

        def ours(y: np.ndarray) -> Any:
            return _of_objective(objective, name, y, p)

        expected = ours(x)
        if expected is None:
            return False
        given = theirs(x)
        if isinstance(given, Exception):
            said = f"it raises {type(given).__name__}: {given}"
            return self._wrong(name, point, x, p, str(given) if isinstance(given, Misshapen) else said)
        if given.shape != expected.shape:
            return self._wrong(name, point, x, p, f"it has {given.size} numbers in place of {expected.size}")
        if np.array_equal(given, expected):
            return self._agrees(name, 16.0)
        if name == "value_and_grad":
            what, value_digits = self._value(point, x, given[0], theirs)
            if what:
                return self._wrong(name, point, x, p, what)
            self._agrees(name, value_digits)
        first = int(name == "value_and_grad")
        one, other = given[first:], expected[first:]
        allowed = allowances(
            objective, x, [one, other], (lambda y: _from(theirs(y), first), lambda y: _from(ours(y), first))
        )
        examined = apart(one, other, allowed, lambda i: _slope(objective, name, x, p, i), x)
        wrong = next((entry for entry in examined if entry.is_wrong), None)
        if wrong is not None:
            return self._wrong(name, point, x, p, self._entry(name, x, wrong, one[wrong.index]))
        self._agrees(name, digits(one, other, allowed, examined))
        if any(not entry.is_told for entry in examined):
            self.untold.append(f"{name} at {point}")
        return True

    def _agrees(self, name: str, number: float) -> bool:
        self.digits[name] = min(self.digits.get(name, 16.0), number)
        return True

    def _wrong(self, name: str, point: str, x: np.ndarray, p: np.ndarray, what: str) -> bool:
        if name not in self.found:
            line = _located(self.handed, self.module, name, x, p)
            self.found[name] = Difference(name, point, what, line)
        return self._agrees(name, 0.0)

    def _value(self, point: str, x: np.ndarray, given: float, theirs: Callable) -> tuple[str, float]:
        """Return what is wrong of a value, "" if nothing, and to how many digits it is that of the objective."""
        original = float(self.objective.original(x))
        one = compare_values(self.objective, x, given, original, 0.0, point)
        if one.verdict == DISAGREES:
            functions = (lambda y: _from(theirs(y), 0, 1), lambda y: np.array([_original(self.objective, y)]))
            allowed = allowances(self.objective, x, [np.array([given]), np.array([original])], functions)
            if not abs(given - original) <= allowed[0]:
                return f"the value is {given:.10g}, that of the objective {original:.10g}", 0.0
            return "", 16.0  # so far as it is known
        return "", 16.0 if not one.distance else float(min(16.0, -np.log10(one.distance)))

    def _entry(self, name: str, x: np.ndarray, wrong: Apart, given: float) -> str:
        """Return what is said of an entry that is wrong."""
        row, column = divmod(wrong.index, x.size) if name == "hess" else (wrong.index, 0)
        label = self.names[row] if name != "hess" else f"{self.names[row]}, {self.names[column]}"
        what = f"the {_WORDS[name]} by {label} is {given:.10g}"
        return f"{what}, differences give {wrong.measured:.10g} +- {wrong.error:.0e}"


def _from(result: Any, first: int, end: int | None = None) -> Any:
    return result[first:end] if isinstance(result, np.ndarray) else result


def _original(objective: Objective, x: np.ndarray) -> float:
    return float(differences.value_at(objective.original, x))


def _is_defined(objective: Objective, x: np.ndarray) -> bool:
    """Whether the objective itself has a value at `x`: else nothing is right or wrong there."""
    return bool(np.isfinite(_original(objective, x)))


def _slope(objective: Objective, name: str, x: np.ndarray, p: np.ndarray, i: int) -> tuple[Callable, np.ndarray, float]:
    """Return a function, a step and a length: its slope along the step, over the length, is entry `i` of a result."""
    sizes = differences.step_scale(x)
    row, column = divmod(i, x.size) if name == "hess" else (i, i)
    if name == "hvp":
        return lambda y: objective.grad(y)[row], p / np.max(np.abs(p) / sizes), 1 / float(np.max(np.abs(p) / sizes))
    step = np.eye(x.size)[column] * sizes
    return objective.original if name != "hess" else lambda y: objective.grad(y)[row], step, float(sizes[column])


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
        return flattened(name, result, structure)
    except Exception as error:
        return error


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
