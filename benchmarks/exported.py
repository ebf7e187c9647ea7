"""The derivatives that autoopt writes of the reference models, beside those written by hand.

``python -m benchmarks.exported [MODEL ...]`` prints for each model: lines of body of value and gradient, what they call
and what `prepare` does included, without comments, blank lines and docstrings; NumPy operations and the elements that
they read and write; the ratio of times, both called in turn on one thread (in brackets without `prepare`, where it can
be called once); and the largest relative error of ours against the hand-written, and of both against complex steps
where the objective is analytic and extrapolated differences elsewhere. ``--text`` prints the texts.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

import autoopt
from autoopt import differences
from autoopt.parameters import Structure
from benchmarks.counting import counted
from benchmarks.reference_models import MODELS, Model

ROUNDS = 41
LEAST = 2e-3  # seconds of one turn


@dataclass(frozen=True)
class Exported:
    """The module that autoopt writes for a model; it can be called at the model's data, whatever form it has."""

    text: str
    model: Model
    x0: Any
    data: tuple

    @classmethod
    def of(cls, model: Model) -> Exported:
        """Write the derivatives of a model for its own data."""
        x0, data = model.started()
        return cls(autoopt.source(model.objective, x0, data), model, x0, data)

    @cached_property
    def namespace(self) -> dict:
        """What the module defines."""
        namespace: dict = {"__name__": self.model.name.replace("-", "_")}
        exec(compile(self.text, f"<{self.model.name}>", "exec"), namespace)
        return namespace

    @cached_property
    def is_like_the_objective(self) -> bool:
        """Whether its function takes what the objective takes; all that it takes besides has a default."""
        return _required(self.namespace["value_and_grad"]) == _required(self.model.objective)

    @property
    def entries(self) -> list[str]:
        """The functions that a user must call."""
        hidden = "prepare" in self.namespace and not self.is_like_the_objective
        return ["prepare", "value_and_grad"] if hidden else ["value_and_grad"]

    def call(self, once: bool = False, namespace: dict | None = None) -> Callable[[], tuple]:
        """Return the function at x0 and the model's data; with `once`, what the data decide is prepared before."""
        names = self.namespace if namespace is None else namespace
        function, prepare = names["value_and_grad"], names.get("prepare")
        params = Structure.of(self.x0).flatten(self.x0) if "The flat parameter vector" in self.text else self.x0
        if not self.is_like_the_objective:
            return self._by_name(function, prepare, once)
        options = [name for name in inspect.signature(function).parameters if name not in _required(function)]
        prepared = {options[0]: prepare(*self.data)} if once and prepare and options else {}
        return partial(function, params, *self.data, **prepared)

    def _by_name(self, function: Callable, prepare: Callable | None, once: bool) -> Callable[[], tuple]:
        """Return the same for modules whose functions take the flat vector, and columns and preparations by name."""
        columns = dict(zip(_required(self.model.objective)[1:], self.data, strict=True))
        for value in self.data:
            columns |= {name: value[name].to_numpy() for name in getattr(value, "columns", ())}
        flat = Structure.of(self.x0).flatten(self.x0)
        own = {name: columns[name] for name in _required(function)[1:] if name in columns}
        if prepare is None:
            return partial(function, flat, **own)
        prepared = partial(prepare, **{name: columns[name] for name in _required(prepare)})
        return partial(function, flat, **own | prepared()) if once else lambda: function(flat, **own | prepared())


def _required(function: Callable) -> list[str]:
    parameters = inspect.signature(function).parameters
    return [name for name, parameter in parameters.items() if parameter.default is parameter.empty]


def flat(model: Model, gradient: Any) -> np.ndarray:
    """Return a gradient as a flat vector, whether it has the structure of x0 or is flat already."""
    structure = Structure.of(model.started()[0])
    if isinstance(gradient, np.ndarray) and gradient.shape == (structure.size,):
        return gradient
    return structure.flatten(gradient)


def text_by_hand(model: Model) -> str:
    """Return the text of the module in which the hand-written function stands."""
    module = sys.modules[model.by_hand.__module__]
    assert module.__file__ is not None
    return Path(module.__file__).read_text()


# What is counted ------------------------------------------------------------------------------------------------------


def lines(text: str, *entries: str) -> int:
    """Return how many lines the bodies of these functions have, and of those that they call, without docstrings.

    Nor are those counted that only refuse: code by hand takes what it is given.
    """
    functions = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
    waiting, bodies = list(entries), {}
    while waiting:
        name = waiting.pop()
        if name in functions and name not in bodies:
            bodies[name] = functions[name]
            waiting += [node.id for node in ast.walk(functions[name]) if isinstance(node, ast.Name)]
    refusing = {name for name, node in bodies.items() if not any(isinstance(n, ast.Return) for n in ast.walk(node))}
    counted = [node for name, node in bodies.items() if name not in refusing]
    return sum(_body(node, text.splitlines()) - _refusals(node, refusing) for node in counted)


def _refusals(node: ast.FunctionDef, refusing: set[str]) -> int:
    """Return how many lines of a function only refuse."""
    found = 0
    for part in ast.walk(node):
        if isinstance(part, ast.If) and not part.orelse and isinstance(part.body[0], ast.Raise):
            found += (part.end_lineno or part.lineno) - part.lineno + 1
        if isinstance(part, ast.Expr) and isinstance(part.value, ast.Call):
            found += isinstance(part.value.func, ast.Name) and part.value.func.id in refusing
    return found


def _body(node: ast.FunctionDef, rows: list[str]) -> int:
    statements = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if not statements:
        return 0
    body = rows[statements[0].lineno - 1 : statements[-1].end_lineno]
    return sum(bool(row.strip()) and not row.strip().startswith("#") for row in body)


def times(*calls: Callable[[], object]) -> list[float]:
    """Return the median seconds of each call; they take turns."""
    repeats = []
    for call in calls:
        call()
        began, repeat = time.perf_counter(), 0
        while time.perf_counter() - began < LEAST:
            call()
            repeat += 1
        repeats.append(max(repeat, 1))
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for call, repeat, seconds in zip(calls, repeats, taken, strict=True):
            began = time.perf_counter()
            for _ in range(repeat):
                call()
            seconds.append((time.perf_counter() - began) / repeat)
    return [statistics.median(seconds) for seconds in taken]


# Errors ---------------------------------------------------------------------------------------------------------------


def witness(model: Model, direction: np.ndarray) -> tuple[float, float]:
    """Return the slope of the objective at x0 along a direction, and what it may be wrong by; independent of both.

    Extrapolated differences; a complex step, which is exact, where it agrees with them: elsewhere the objective is not
    analytic (`abs`, conjugates in a Cholesky).
    """
    x0, data = model.started()
    structure = Structure.of(x0)
    start = structure.flatten(x0)
    slope, error = differences.directional(
        lambda x: model.objective(structure.unflatten(x), *data), start, direction, 1e-11
    )
    try:
        stepped = np.imag(model.objective(structure.unflatten(start + 1e-30j * direction), *data)) / 1e-30
    except TypeError:  # SciPy's functions of real numbers, and np.logaddexp
        return float(slope), float(error)
    agrees = abs(stepped - slope) <= 10 * error
    return (float(stepped), 0.0) if agrees else (float(slope), float(error))


def error_of(model: Model, gradient: np.ndarray, directions: int = 5) -> float:
    """Return the largest error of a gradient along random directions, relative to its length, beyond the witness's."""
    rng = np.random.default_rng(1)
    worst = 0.0
    for _ in range(directions):
        direction = rng.normal(size=gradient.size)
        slope, error = witness(model, direction)
        worst = max(worst, (abs(gradient @ direction - slope) - 2 * error) / np.linalg.norm(gradient))
    return worst


def relative(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the largest difference of two gradients, relative to the largest entry."""
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


# The table ------------------------------------------------------------------------------------------------------------

HEAD = f"{'':18}{'lines':>12}{'ratio':>7}{'operations':>16}{'elements':>20}{'time':>8}{'prepared':>9}{'ms':>8}"
HEAD += f"{'error':>9}{'witness':>9}{'by hand':>9}"


def measured(model: Model) -> str:
    """Return the line of the table of one model."""
    ours = Exported.of(model)
    hand = text_by_hand(model)
    mine, theirs = lines(ours.text, *ours.entries), lines(hand, "value_and_grad")
    head = f"{model.name:18}{f'{mine} / {theirs}':>12}{mine / theirs:7.2f}"
    by_hand = counted(hand, lambda names: names["value_and_grad"](ours.x0, *ours.data))
    right = flat(model, model.by_hand(ours.x0, *ours.data)[1])
    try:
        gradient = flat(model, ours.call()()[1])
    except Exception as error:
        return f"{head}  cannot be called: {type(error).__name__}: {error}"
    counts = counted(ours.text, lambda names: ours.call(namespace=names)())
    by_hand_at_x0 = partial(model.by_hand, ours.x0, *ours.data)
    whole, part, their_time = times(ours.call(), ours.call(once=True), by_hand_at_x0)
    operations = f"{counts.operations} / {by_hand.operations}"
    elements = f"{counts.elements} / {by_hand.elements}"
    errors = [relative(gradient, right), error_of(model, gradient), error_of(model, right)]
    columns = f"{operations:>16}{elements:>20}{whole / their_time:8.2f}{part / their_time:9.2f}{their_time * 1e3:8.3f}"
    return head + columns + "".join(f"{max(error, 0):9.0e}" for error in errors)


def main() -> None:
    """Print the table, or the texts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"{', '.join(MODELS)}; all if none is named")
    parser.add_argument("--text", action="store_true", help="print the texts instead, ours and by hand")
    options = parser.parse_args()
    chosen = [MODELS[name] for name in options.models or MODELS]
    if not options.text:
        print(HEAD)
    for model in chosen:
        if options.text:
            print(Exported.of(model).text, inspect.getsource(model.by_hand), sep="\n\n# By hand\n\n")
        else:
            print(measured(model), flush=True)


if __name__ == "__main__":
    main()
