"""The solution of an ordinary differential equation as one operation of the tape.

SciPy solves it; what it finds has no slope of its own. `tracing/formulas/initial_values.py` says how the slopes follow:

    y' = f(t, y), y(0) given              Equation: SciPy's solution in this call, at the times that were asked for,
                                          and where a collocation method would look at it within SciPy's own steps

The user's functions are bodies as those of a `Recurrence`. The number of steps differs from call to call; arrays have
room for `slots` of them, and what is left over are steps of length 0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from autoopt.tape.keyed import Keyed
from autoopt.tape.names import qualified
from autoopt.tape.recurrence import text_of
from autoopt.tape.tape import Slot, Step

SOLVE_IVP = {"rtol": 1e-3, "atol": 1e-6}
"""The tolerances of solve_ivp by default."""

GIVEN = 4
"""The operands before those that the user's functions read: initial state, first and last time, times asked for."""


class Function(NamedTuple):
    """A function of the time and the state.

    Attributes
    ----------
    role : str
        "slope", "jac" or "event", the keyword's name.
    body : tuple of Step
        First leaves for time, state, and each operand that functions read, then the steps.
    result : int
        The step that is returned.
    traits : tuple of (str, float)
        The attributes that SciPy looks for, such as `terminal`.
    """

    role: str
    body: tuple[Step, ...]
    result: int
    traits: tuple[tuple[str, float], ...] = ()

    def keyword(self, solver: str) -> str:
        """Return what SciPy calls it."""
        names = {"slope": "fun", "jac": "jac", "event": "events"}
        return "Dfun" if solver == "odeint" and self.role == "jac" else names[self.role]

    def of(self, fixed: Sequence[Any]) -> Callable:
        """Return the function, with the operands that it reads."""

        run = running(self.body, (self.result,))

        def value(t: float, y: np.ndarray) -> Any:
            return run(t, y, *fixed)[0]

        value.__dict__.update(self.traits)
        return value


def running(body: Sequence[Step], results: Sequence[int]) -> Callable:
    """Return a function of the leaves that begin `body`: the values of some of its steps.

    It is Python code of a line for each step, as SciPy calls it thousands of times.
    """
    leaves = next((k for k, step in enumerate(body) if step.operation or step.template is not None), len(body))
    lines: list[str] = []
    known: dict[str, Any] = {}

    def constant(value: Any) -> str:
        known[name := f"c{len(known)}"] = value
        return name

    def text(template: Any, inputs: Sequence[int]) -> str:
        kind = type(template)
        if kind is Slot:
            return f"v{inputs[template.position]}"
        if kind in (tuple, list):
            parts = "".join(f"{text(part, inputs)}, " for part in template)
            return f"({parts})" if kind is tuple else f"[{parts}]"
        if kind is dict:
            return f"{{{', '.join(f'{key!r}: {text(part, inputs)}' for key, part in template.items())}}}"
        if kind is slice:
            return f"slice{text((template.start, template.stop, template.step), inputs)}"
        return constant(template)

    for k, step in enumerate(body[leaves:], leaves):
        if step.operation is None:
            lines.append(f"    v{k} = {constant(step.template.value)}")
            continue
        args, options = step.template or (tuple(map(Slot, range(len(step.inputs)))), {})
        given = ", ".join(
            [*(text(part, step.inputs) for part in args), *([f"**{text(options, step.inputs)}"] * bool(options))]
        )
        lines.append(f"    v{k} = {constant(step.operation)}({given})")
    head = f"def run({', '.join(f'v{k}' for k in range(leaves))}):"
    exec("\n".join([head, *lines, f"    return {''.join(f'v{k}, ' for k in results)}"]), known)
    return known["run"]


@dataclass(frozen=True, eq=False)
class Equation(Keyed):
    """From (initial state, first and last time, times asked for, operands of the functions) to SciPy's solution.

    Attributes
    ----------
    solver : "solve_ivp" or "odeint"
    options : tuple of (str, object)
        Further keywords of it: numbers, strings, lists.
    functions : tuple of Function
        The slope first.
    slots : int
        The most steps for which there is room.
    nodes : tuple of float
        Where a step is looked at, in units of it.
    asked : "", "t_eval" or "sol"
        How values are asked for at the times of the fourth operand; if not at all, they are those after each step.
    happenings : int
        How many events there are, all kinds together.
    bare : bool
        Whether nothing is read of what is there for derivatives.

    Results: times and states at the nodes of all steps; f's Jacobian there; how the states at the nodes of a step
    follow the state before, and a change of f at the nodes; the states that were asked for, and for each of these the
    step in which it is and its weights for state before and nodes; 1 for the end of the last step, and of those that
    are left over; the number of steps, how many of the states are before the end, and whether all is well. With events
    their times and states, steps and weights, how many each has, and SciPy's status.
    """

    solver: str
    options: tuple[tuple[str, Any], ...]
    functions: tuple[Function, ...]
    slots: int
    nodes: tuple[float, ...]
    asked: str
    happenings: int = 0
    bare: bool = False

    def __call__(self, y0: Any, start: Any, stop: Any, asked: Any, *fixed: Any) -> tuple:
        """Solve it by SciPy."""
        functions = [function.of(fixed) for function in self.functions]

        def slopes(times: np.ndarray, states: np.ndarray) -> np.ndarray:
            if self.bare:
                return np.zeros(states.shape)
            return np.array([functions[0](t, y) for t, y in zip(times, states, strict=True)])

        found = self.solved(functions, slopes, y0, start, stop, asked)
        return tuple([np.asarray(part)[()] for part in found])

    def solved(
        self, functions: Sequence[Callable], slopes: Callable, y0: Any, start: Any, stop: Any, asked: Any
    ) -> tuple:
        """Solve it by SciPy with `functions`, and `slopes` for rows of states, as the printed source does."""
        import scipy.integrate

        options: dict[str, Any] = dict(self.options)
        events = [f for f, own in zip(functions, self.functions, strict=True) if own.role == "event"]
        for function, own in zip(functions, self.functions, strict=True):
            if own.role == "jac":
                options[own.keyword(self.solver)] = function
        nodes, times = np.array(self.nodes), asked if self.asked == "t_eval" else None
        with np.errstate(all="ignore"):
            if self.solver == "odeint":
                values = scipy.integrate.odeint(functions[0], y0, asked, tfirst=True, **options).T
            elif self.by_lsoda:
                values = scipy.integrate.solve_ivp(functions[0], (start, stop), y0, t_eval=asked, **options).y
            if self.by_lsoda:
                options = {name: options[name] for name in options if name not in ("method", "jac")}
                first = functions[0], slopes, values, y0, start, stop, asked
                return by_lsoda(
                    *first, SOLVE_IVP | options if self.solver == "solve_ivp" else options, nodes, self.slots
                )
            found = scipy.integrate.solve_ivp(
                functions[0], (start, stop), y0, t_eval=times, dense_output=True, events=events or None, **options
            )
            more = on_events(found, self.happenings, nodes) if events else ()
            *first, fine = on_steps(found.sol.ts, found.sol, slopes, asked if self.asked else None, nodes, self.slots)
            return (*first, np.shape(found.y)[-1], fine and found.status >= 0, *more)  # a list if it failed at once

    @property
    def by_lsoda(self) -> bool:
        """Whether the steps are looked at by `odeint`, which is faster than the dense output of `solve_ivp`."""
        options = dict(self.options)
        plain = options.get("method") == "LSODA" and options.keys() <= {"method", "rtol", "atol"}
        events = any(function.role == "event" for function in self.functions)
        return self.solver == "odeint" or (plain and self.asked == "t_eval" and not events)

    def results(self, n: int, m: int) -> list[tuple[str, str, tuple[int, ...]]]:
        """Return name, dtype and shape of each result for `n` states and `m` times that are asked for."""
        slots, stages = self.slots, len(self.nodes)
        rows, wide = slots * stages, stages * n
        m = m if self.asked else slots + 1
        events = sum(function.role == "event" for function in self.functions)
        found = [
            ("times", "float64", (rows,)), ("states", "float64", (rows, n)), ("jacobian", "float64", (rows, n, n)),
            ("carried", "float64", (slots, wide, n)), ("driven", "float64", (slots, wide, wide)),
            ("values", "float64", (m, n)), ("place", "int64", (m,)), ("weights", "float64", (m, stages + 1)),
            ("past", "float64", (slots + 1,)), ("count", "int64", ()), ("length", "int64", ()), ("fine", "bool", ()),
        ]  # fmt: skip
        more = [
            ("moments", "float64", (self.happenings,)), ("met", "float64", (self.happenings, n)),
            ("spot", "int64", (self.happenings,)), ("parts", "float64", (self.happenings, stages + 1)),
            ("counts", "int64", (events,)), ("status", "int64", ()),
        ]  # fmt: skip
        return [*found, *more] if events else found

    @property
    def head(self) -> tuple:
        """What it is, but for its functions' bodies."""
        functions = tuple((function.role, function.traits) for function in self.functions)
        return self.solver, self.options, functions, self.slots, self.nodes, self.asked, self.happenings, self.bare

    @cached_property
    def key(self) -> str:
        """A hash of everything but the names."""
        parts = [repr(self.head)]
        for function in self.functions:
            parts.append(str(function.result))
            for step in function.body:
                name = qualified(step.operation) if step.operation is not None else ""
                parts.append(f"{name}|{step.inputs}|{text_of(step.template)}|{step.shape}|{step.dtype}")
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()


# What comes around SciPy's calls; the printed source has the text of these functions.


def on_steps(ends, at, slopes, asked, nodes, slots):
    count, stages = len(ends) - 1, len(nodes)
    ends = np.append(ends[:-1][:slots], np.full(max(slots - count, 0) + 1, ends[-1]))
    steps = np.diff(ends)
    times = (ends[:-1, None] + steps[:, None] * nodes).ravel()
    states = at(times).T
    # f's slopes by differences, and by them what a step of Newton's method makes of the state before and f's change
    n = states.shape[1]
    size = np.maximum(np.abs(states), 1e-3 * np.max(np.abs(states), axis=0))
    widths = 6e-6 * np.where(size > 0.0, size, 1.0)
    beside = states[:, None, :] + widths[:, None, :] * np.concatenate([np.eye(n), -np.eye(n)])
    f = slopes(np.repeat(times, 2 * n), beside.reshape(-1, n)).reshape(-1, 2, n, n)
    jacobian = (f[:, 0] - f[:, 1]) / (2.0 * widths[:, :, None])
    powers = np.arange(1, stages + 1)[:, None]
    matrix = np.linalg.solve(nodes ** (powers - 1), nodes**powers / powers).T  # Radau's
    blocks = np.einsum("ab,kbjl->kalbj", matrix, jacobian.reshape(slots, stages, n, n)).reshape(slots, stages * n, -1)
    fine = count <= slots and bool(np.isfinite(blocks).all())
    inverse = np.linalg.inv(np.eye(stages * n) - steps[:, None, None] * (blocks if fine else 0.0))
    carried = inverse.reshape(slots, stages * n, stages, n).sum(axis=2)
    driven = inverse @ (steps[:, None, None] * np.kron(matrix, np.eye(n)))
    # where the times that are asked for lie
    asked = ends if asked is None else asked
    place, weights = between(ends[: count + 1], asked, nodes)
    past = np.where(np.arange(slots + 1) < count, 0.0, 1.0)
    return times, states, jacobian, carried, driven, at(asked).T, place, weights, past, count, fine


def between(ends, asked, nodes):
    sign = -1.0 if ends[0] > ends[-1] else 1.0
    place = np.clip(np.searchsorted(sign * ends, sign * asked) - 1, 0, len(ends) - 2)
    share = (asked - ends[place]) / (ends[place + 1] - ends[place])
    nodes, powers = np.append(0.0, nodes), np.arange(len(nodes) + 1)
    return place, share[:, None] ** powers @ np.linalg.inv(nodes[:, None] ** powers)


def by_lsoda(slope, slopes, values, y0, start, stop, asked, options, nodes, slots):
    import scipy.integrate

    tolerances = {name: options.get(name, 1.49012e-8) for name in ("rtol", "atol")}
    sign = 1.0 if stop > start else -1.0
    ends, solver = [start], scipy.integrate.LSODA(slope, start, y0, stop, **tolerances)
    while solver.status == "running" and len(ends) < slots + 2:
        solver.step()
        ends.append(solver.t)

    def at(times):
        if times is asked:
            return values
        grid, back = np.unique(sign * times, return_inverse=True)
        return scipy.integrate.odeint(slope, y0, np.append(start, sign * grid), tfirst=True, **options)[1:][back].T

    *found, fine = on_steps(np.array(ends), at, slopes, asked, nodes, slots)
    return (*found, values.shape[1], fine and solver.status == "finished" and values.shape[1] == len(asked))


def on_events(found, happenings, nodes):
    counts = np.array([len(times) for times in found.t_events])
    moments = np.concatenate(found.t_events)[:happenings]
    moments = np.append(moments, np.full(happenings - len(moments), found.sol.ts[-1]))
    spot, parts = between(found.sol.ts, moments, nodes)
    return moments, found.sol(moments).T, spot, parts, counts, found.status
