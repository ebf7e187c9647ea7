"""Solutions of differential equations: SciPy solves the equation, a collocation method carries the derivatives.

With SciPy's solution Y in this call, z = Y + d at the nodes c of Radau's method within each of SciPy's own steps h:

    z = y_k + h A f(z)      the method's equations for one step      d = d_k + h A (f(Y + d) - f(Y)), f(Y) held

At this point d = 0; its derivatives are those of the solution by the parameters, in f, in y(0) and in the times. They
are found by two steps of Newton's method, with matrices I - h A J that are held too: after the first the derivatives
are right, after the second the second derivatives are. Values are SciPy's; the lengths of its steps count as numbers.
So derivatives are as accurate as its solution is, which is what rtol and atol ask for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import scipy.integrate

from autoopt.tape.equation import Equation, Function
from autoopt.tape.operations import held, refined
from autoopt.tape.recurrence import Recurrence
from autoopt.tape.tape import PARAMETER, Slot, Step
from autoopt.tracing.formulas.right_sides import RightSide, body, outside
from autoopt.tracing.recording import refusals
from autoopt.tracing.recording.recorder import Recorder

_FLOAT = np.dtype(float)


def collocation(stages: int) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and matrix of Radau's method IIA: exact for polynomials through its nodes, of which 1 is the last.

    References
    ----------
    Hairer, E. and Wanner, G. (1996). Solving Ordinary Differential Equations II, section IV.5.
    """
    from numpy.polynomial import legendre

    ends = np.zeros(stages + 1)
    ends[-2:] = -1.0, 1.0  # P_s - P_(s-1) is 0 at the nodes, on (-1, 1)
    nodes = (np.sort(np.real(legendre.legroots(ends))) + 1.0) / 2.0  # NumPy 2.5 gives complex ones
    nodes[-1] = 1.0
    powers = np.arange(1, stages + 1)[:, None]
    return nodes, np.linalg.solve(nodes ** (powers - 1), nodes**powers / powers).T


_STAGES = {"DOP853": 7, "LSODA": 5}
_FEWEST_SLOTS, _ROOM = 32, 1.5


class Problem:
    """An equation with all that SciPy is given, from which solutions are made.

    Parameters
    ----------
    tracer : Recorder
    solver : "solve_ivp" or "odeint"
    functions : dict of str to list of (RightSide, traits)
        "slope", "jac" and "event".
    y0 : TracedArray, shape (n,)
    start, stop : TracedArray
    options : dict
    """

    def __init__(
        self, tracer: Recorder, solver: str, functions: dict, y0: Any, start: Any, stop: Any, options: dict
    ) -> None:
        self.tracer, self.solver, self.functions, self.options = tracer, solver, functions, options
        self.y0, self.start, self.stop = y0, start, stop
        self.n = y0.shape[0]
        method = options.get("method", "RK45") if solver == "solve_ivp" else "LSODA"
        self.nodes, self.matrix = collocation(_STAGES.get(method, 4))
        self.found = self._tried()
        ways = [way for parts in functions.values() for part, _ in parts for way in part.ways]
        self.given = outside(tracer, ways)

    def _tried(self) -> Any:
        """Return SciPy's solution at this point; the functions are traced as it calls them."""
        tracer, plain = self.tracer, dict(self.options)
        slope = self.functions["slope"][0][0]
        if self.functions["jac"]:
            plain["jac"] = self.functions["jac"][0][0]
        if self.functions["event"]:
            plain["events"] = [_with_traits(*event) for event in self.functions["event"]]
        span = float(tracer.concrete(self.start)), float(tracer.concrete(self.stop))
        if self.solver == "odeint":
            plain = {"method": "LSODA", **{key: plain.get(key, 1.49012e-8) for key in ("rtol", "atol")}}
        found = scipy.integrate.solve_ivp(slope, span, np.array(self.y0.value), dense_output=True, **plain)
        if any(way.guards for way in slope.ways):
            ends = found.sol.ts
            for t in (ends[:-1, None] + np.diff(ends)[:, None] * self.nodes).ravel():
                slope(t, found.sol(t))
        return found

    def equation(self, asked: str, happenings: int) -> Equation:
        """Return the operation that solves it."""
        functions: list[Function] = []
        for role, parts in self.functions.items():
            for part, traits in parts:
                steps, result, _ = body(self.tracer, part.ways, self.given, part.shape)
                functions.append(Function(role, tuple(steps), result, traits))
        slots = _FEWEST_SLOTS
        while slots < _ROOM * len(self.found.sol.interpolants):
            slots *= 2
        options, nodes = tuple(self.options.items()), tuple(self.nodes.tolist())
        return Equation(self.solver, options, tuple(functions), slots, nodes, asked, happenings)

    def operands(self) -> list[Any]:
        """Return what the functions read."""
        slope = self.functions["slope"][0][0]
        values = slope.values.of(self.given)
        steps = self.tracer.steps
        return [self.tracer.array(self.tracer, k, values[k], steps[k].level) for k in self.given]

    def slopes(self, times: Any, states: Any) -> Any:
        """Return f at rows of states."""
        return self.each(self.functions["slope"][0][0], times, states)

    def each(self, side: RightSide, times: Any, states: Any) -> Any:
        """Return a function of the user's at rows of states."""
        steps, result, _ = body(self.tracer, side.ways, self.given, side.shape)
        each = Recurrence(times.shape[0], 0, 2, tuple(steps), (), (result,))
        return self.tracer.call(each, (times, states, *self.operands()), {})[0]


def _with_traits(side: RightSide, traits: tuple) -> Callable:
    def value(t: float, y: np.ndarray) -> Any:
        return side(t, y)

    value.__dict__.update(traits)
    return value


class Solution:
    """SciPy's solution with the derivatives by the parameters.

    Attributes
    ----------
    values : TracedArray, shape (m, n)
        At the times that are asked for, or after each step.
    count, length : TracedArray
        The number of steps, and of values up to the end.
    """

    def __init__(self, problem: Problem, asked: str, times: Any, happenings: int = 0) -> None:
        self.problem, self.tracer = problem, problem.tracer
        equation = problem.equation(asked, happenings)
        given = (problem.y0, problem.start, problem.stop, times)
        found = self.tracer.call(equation, (*given, *problem.operands()), {})
        self.times, self.states, self.jacobian, self.carried, self.driven = found[:5]
        self.base, place, weights, past, self.count, self.length, fine = found[5:12]
        self.more = found[12:]
        if not self.tracer.concrete(fine):
            raise refusals.call(
                self.tracer,
                f"scipy.integrate.{problem.solver} of an equation that is not defined close to its solution",
                "keep the state where it is, as with np.maximum(y, 1e-12), or pass jac='finite-difference'",
            )
        self.fine = bool(fine)
        self.path, self.changes = self._changes()
        self.end = problem.stop
        if problem.functions["event"] and whole(self.more[5]) == 1:
            self.end = self.ended()
        if not asked:
            first = np.eye(1, equation.slots + 1)[0]
            moved = first * self._by(problem.start) + past * self._by(self.end)
            self.values = self.base + self._by(self.path)
            last = self.times[len(problem.nodes) - 1 :: len(problem.nodes)]
            times = np.concatenate([np.reshape(self.held(problem.start), (1,)), last])
        else:
            self.values = self.base + self._by(self._between(place, weights))
            moved = self._by(times)
            times = self.held(times)
        self.moments = times + moved
        if self.tracer.level((problem.start, self.end, moved)) == PARAMETER:
            self.values = self._later(times, self.values, moved)

    @cached_property
    def events(self) -> list[tuple[Any, Any]]:
        """The times of the events of each kind, and the states then.

        The time is where the event's function is 0: by two steps of Newton's method from SciPy's, whose slope is held.
        """
        problem, (moments, met, spot, parts, counts, _) = self.problem, self.more
        found, first = [], 0
        for kind, (side, _) in enumerate(problem.functions["event"]):
            count = whole(counts[kind])
            rows = slice(first, first + count)
            first += count
            times = moments[rows]
            states = met[rows] + self._by(self._between(spot[rows], parts[rows])) if count else met[rows]
            if count:
                by = self._until_zero(side, times, states)
                times, states = times + self._by(by), self._later(times, states, by)
            found.append((times, states))
        return found

    def _until_zero(self, side: RightSide, times: Any, states: Any) -> Any:
        """Return how much later an event's function is 0."""
        here = self.problem.each(side, times, states)
        width = 1e-6 * (1.0 + np.abs(times))
        f = self.problem.slopes(times, states) * width[:, None]
        ahead = self.problem.each(side, times + width, states + f)
        rate = self.held((ahead - self.problem.each(side, times - width, states - f)) / (2.0 * width))
        by = -self._by(here) / rate
        there = self.problem.each(side, times + self._by(by), self._later(times, states, self._by(by)))
        return self._by(by - (there - self.held(here)) / rate)

    def ended(self) -> Any:
        """Return the time of the event that ends the solution."""
        times = [t for (t, _), (_, traits) in zip(self.events, self.problem.functions["event"], strict=True)
                 if len(t) and dict(traits).get("terminal")]  # fmt: skip
        last = max(times, key=lambda t: abs(self.tracer.concrete(t[-1]) - self.tracer.concrete(self.problem.start)))
        return last[-1]

    def held(self, value: Any) -> Any:
        """Return a value without its slope."""
        return call_operation(self.tracer, held, value)

    def _by(self, value: Any) -> Any:
        """Return 0, with the slope of a value."""
        return value - self.held(value)

    def _later(self, times: Any, states: Any, by: Any) -> Any:
        """Return the states at times that lie `by` later: to second order, as that is 0 here."""
        slopes, by = self.problem.slopes, np.reshape(by, (-1, 1))
        middle = states + 0.5 * by * slopes(times, states)
        return states + by * slopes(times + 0.5 * by[:, 0], middle)

    def _changes(self) -> tuple[Any, Any]:
        """Return how the solution changes with the parameters, at the ends of steps and at the nodes of each."""
        problem, (slots, wide, n) = self.problem, self.carried.shape
        start = problem.y0
        if self.tracer.level(problem.start) == PARAMETER:
            back = -self._by(problem.start)
            start = self._later(np.reshape(problem.start, 1), np.reshape(start, (1, n)), back)[0]
        first = self._by(start)

        def linear(rest: Any) -> tuple[Any, Any]:
            added = (self.driven @ np.reshape(rest, (slots, wide, 1)))[:, :, 0]
            path = self._accumulated(first, self.carried[:, -n:], added[:, -n:])
            return path, (self.carried @ path[:-1, :, None])[:, :, 0] + added

        here = problem.slopes(self.times, self.states)
        path, changes = linear(self._by(here))
        before = self._by(np.reshape(changes, (-1, n)))
        rest = problem.slopes(self.times, self.states + before) - self.held(here)
        rest = rest - np.sum(self.jacobian * before[:, :, None], axis=1)
        better = linear(self._by(rest))
        path, changes = (
            call_operation(self.tracer, refined, *pair) for pair in zip((path, changes), better, strict=True)
        )
        return path, np.reshape(changes, (slots, wide // n, n))

    def _accumulated(self, first: Any, factors: Any, added: Any) -> Any:
        """Return d with d[k + 1] = factors[k] @ d[k] + added[k], from d[0] = first on."""
        count, n = added.shape
        leaves = [Step(None, (), None, shape, _FLOAT, PARAMETER, None) for shape in ((n,), (n, n), (n,))]
        product = Step(np.matmul, (1, 0), None, (n,), _FLOAT, PARAMETER, None)
        total = Step(np.add, (3, 2), None, (n,), _FLOAT, PARAMETER, None)
        loop = Recurrence(count, 1, 2, (*leaves, product, total), (4,), ())
        return self.tracer.call(loop, (first, factors, added), {})[0]

    def _between(self, place: Any, weights: Any) -> Any:
        """Return the changes within steps, by the polynomial through those at the nodes."""
        changes = np.concatenate([self.path[:-1, None], self.changes], axis=1)
        return np.sum(weights[:, :, None] * changes[place], axis=1)


def whole(value: Any) -> int:
    """Return a number of SciPy's as an answer that must stay the same; it leads no slope away, as it has none."""
    tape = value.tracer.tape
    unfollowed = dict(tape.unfollowed)
    found = int(value)
    tape.unfollowed = unfollowed
    return found


def call_operation(tracer: Recorder, operation: Callable, *values: Any) -> Any:
    """Record an operation of the tape's own that returns the last of its operands."""
    arrays = [tracer.lift(value) for value in values]
    inputs = tuple([array.current() for array in arrays])
    template = (tuple([Slot(k) for k in range(len(inputs))]), {})
    return tracer.record(operation, inputs, template, arrays[-1].value, max(array.level for array in arrays))
