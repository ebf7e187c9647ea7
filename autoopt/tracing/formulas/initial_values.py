"""scipy.integrate.solve_ivp and odeint, with parameters in the equation, the initial state and the times.

What they return is as SciPy's: states and times with their derivatives, the rest as numbers. Where values are wanted
after each step, whose number moves with the parameters, the first and the last are followed as such; all others hold
for this number of steps, and the objective is traced anew where it is another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np
import scipy.integrate
from numpy.lib.mixins import NDArrayOperatorsMixin

from autoopt.tape.tape import DATA, PARAMETER
from autoopt.tracing.formulas.reports import ReadByName
from autoopt.tracing.formulas.right_sides import RightSide
from autoopt.tracing.formulas.solutions import Problem, Solution, whole
from autoopt.tracing.recording import refusals
from autoopt.tracing.recording.recorder import Recorder
from autoopt.tracing.standins.constructors import as_array
from autoopt.tracing.standins.table import stands_in

_PLAIN = (int, float, str, bool, type(None), np.number)


class _DependsError(Exception):
    """A function of the equation depends on the parameters."""


@stands_in(scipy.integrate.solve_ivp)
def solve_ivp(
    tracer, fun, t_span, y0, method="RK45", t_eval=None, dense_output=False, events=None, vectorized=False, args=None,
    **options,
):  # fmt: skip
    """Return SciPy's result, or one like it with derivatives where something depends on the parameters."""
    what = "scipy.integrate.solve_ivp"
    more = () if args is None else tuple(args)
    events = [] if events is None else list(events) if isinstance(events, list | tuple) else [events]
    jac = options.pop("jac", None)
    roles = {"fun": [fun], "jac": [jac] if callable(jac) else [], "events": events}
    given = {"t_span": t_span, "y0": y0, "t_eval": t_eval, "jac": None if callable(jac) else jac, **options}
    plain = {"method": method, "dense_output": dense_output, "vectorized": vectorized}
    if (found := _of_data(tracer, scipy.integrate.solve_ivp, roles, more, given, plain)) is not None:
        return found
    if not isinstance(method, str):
        raise refusals.call(tracer, f"{what} with a solver of another class", "name one of SciPy's methods")
    options = _settled(tracer, what, {"method": method, **options})
    y0 = _floats(tracer, y0)
    start, stop = (_floats(tracer, end) for end in t_span)
    n = y0.shape[0]

    def slope(t: Any, y: Any) -> Any:
        return fun(t, y[:, None], *more) if vectorized else fun(t, y, *more)

    functions: dict[str, list] = {"slope": [(RightSide(tracer, slope, (n,), what), ())], "jac": [], "event": []}
    if jac is not None and method in ("Radau", "BDF", "LSODA"):
        matrix = (lambda t, y: jac(t, y, *more)) if callable(jac) else (lambda t, y: jac)
        functions["jac"] = [(RightSide(tracer, matrix, (n, n), what), ())]
    for event in events:
        side = RightSide(tracer, lambda t, y, event=event: event(t, y, *more), (), what)
        functions["event"].append((side, _traits(event)))
    problem = Problem(tracer, "solve_ivp", functions, y0, start, stop, options)
    if problem.found.status < 0:
        tracer.tape.caught = True
        return _failed(problem, t_eval)
    return _Result(problem, None if t_eval is None else _floats(tracer, t_eval), dense_output)


@stands_in(scipy.integrate.odeint)
def odeint(tracer, func, y0, t, args=(), Dfun=None, col_deriv=0, full_output=0, tfirst=False, **options):
    """Return the states at `t`, with derivatives where something depends on the parameters."""
    what = "scipy.integrate.odeint"
    more = args if isinstance(args, tuple) else (args,)
    roles = {"func": [func], "Dfun": [] if Dfun is None else [Dfun]}
    plain = {"col_deriv": col_deriv, "full_output": full_output, "tfirst": tfirst}
    if (
        found := _of_data(tracer, scipy.integrate.odeint, roles, more, {"y0": y0, "t": t, **options}, plain)
    ) is not None:
        return found
    if full_output or col_deriv or Dfun is not None:
        name = "full_output" if full_output else "Dfun"
        raise refusals.call(tracer, f"{what} with {name}=", "leave it out: autoopt finds the derivatives itself")
    options = _settled(tracer, what, {key: part for key, part in options.items() if key != "printmessg"})
    y0, times = np.reshape(_floats(tracer, y0), -1), _floats(tracer, t)

    def slope(t: Any, y: Any) -> Any:
        return func(t, y, *more) if tfirst else func(y, t, *more)

    functions: dict[str, list] = {"slope": [(RightSide(tracer, slope, y0.shape, what), ())], "jac": [], "event": []}
    problem = Problem(tracer, "odeint", functions, y0, times[0], times[-1], options)
    if problem.found.status < 0:
        raise refusals.call(tracer, f"{what} where it fails", "use solve_ivp, whose result says so")
    return Solution(problem, "t_eval", times).values


def _of_data(tracer: Recorder, solve: Callable, roles: dict[str, list], more: tuple, given: dict, plain: dict) -> Any:
    """Return what SciPy returns if nothing depends on the parameters; None if something does."""
    if tracer.level(given) == PARAMETER:
        return None

    def watched(function: Callable) -> Callable:
        def value(*place: Any) -> Any:
            guards = len(tracer.tape.guards)
            found = function(*place, *more)
            if tracer.level(found) == PARAMETER or len(tracer.tape.guards) > guards:
                del tracer.tape.guards[guards:]
                raise _DependsError
            return tracer.concrete(tracer.whole(found))

        value.__dict__.update(_traits(function))
        return value

    functions: dict[str, Any] = {role: [watched(one) for one in ones] for role, ones in roles.items()}
    keywords = {role: ones if role == "events" else ones[0] for role, ones in functions.items() if ones}
    given = {key: part for key, part in given.items() if part is not None}
    try:
        found = solve(**keywords, **tracer.concrete(given), **plain)
    except _DependsError:
        return None
    tracer.tape.data_decided = tracer.tape.data_decided or tracer.level((given, more)) == DATA
    return found


def _floats(tracer: Recorder, value: Any) -> Any:
    value = as_array(tracer, value)
    if value.dtype.kind == "c":
        raise refusals.call(tracer, "scipy.integrate.solve_ivp of complex states", "use real and imaginary parts")
    return value if value.dtype == np.dtype(float) else value.cast(float)


def _traits(function: Callable) -> tuple[tuple[str, Any], ...]:
    """Return what SciPy looks for on an event."""
    found = ((name, getattr(function, name, None)) for name in ("terminal", "direction"))
    return tuple([(name, value) for name, value in found if value is not None])


def _settled(tracer: Recorder, what: str, options: dict) -> dict:
    """Return options as numbers, texts and lists."""
    found = {}
    for name, value in options.items():
        if tracer.level(value) == PARAMETER:
            raise refusals.call(tracer, f"{what} with {name}= that depends on the parameters", "pass a number")
        tracer.tape.data_decided = tracer.tape.data_decided or tracer.level(value) == DATA
        value = tracer.concrete(value)
        value = np.asarray(value).tolist() if isinstance(value, np.ndarray | list | tuple) else value
        value = value.item() if isinstance(value, np.generic) else value
        if value is None:
            continue
        if not isinstance(value, (*_PLAIN, list)):
            raise refusals.call(tracer, f"{what} with {name}=", "leave it out")
        found[name] = value
    return found


def _failed(problem: Problem, t_eval: Any) -> Any:
    """Return SciPy's report of a failure, at this point only."""
    found, times = problem.found, None if t_eval is None else np.asarray(problem.tracer.concrete(t_eval))
    if times is not None:
        reached = times[(times - found.t[0]) * (times - found.t[-1]) <= 0]
        found.t, found.y = reached, found.sol(reached)
    return found


class _Result(ReadByName, dict):
    """SciPy's result, its arrays with derivatives; they are made when they are asked for."""

    def __init__(self, problem: Problem, times: Any, dense: bool) -> None:
        names = ("t", "y", "sol", "t_events", "y_events", "nfev", "njev", "nlu", "status", "message", "success")
        super().__init__(dict.fromkeys(names))
        self.__dict__.update(_problem=problem, _times=times, _dense=dense)

    def __getitem__(self, name: str) -> Any:
        if name not in self:
            raise KeyError(name)
        problem = self._problem
        if name == "sol":
            return self._sol if self._dense else None
        if name in ("nfev", "njev", "nlu"):  # other numbers elsewhere
            problem.tracer.tape.caught = True
            return problem.found[name]
        solution = self._solution
        if name in ("t_events", "y_events"):
            if not problem.functions["event"]:
                return None
            return [pair[name == "y_events"] for pair in solution.events]
        if name in ("status", "message", "success"):
            return problem.found[name]
        if self._times is None:
            return AfterSteps(solution, solution.values if name == "y" else solution.moments)
        length = whole(solution.length) if _may_end(problem) else None
        return self._times[:length] if name == "t" else solution.values[:length].T

    @cached_property
    def _solution(self) -> Solution:
        problem = self._problem
        happenings = sum(map(len, problem.found.t_events or []))
        times = np.zeros(1) if self._times is None else self._times
        return Solution(problem, "" if self._times is None else "t_eval", times, happenings)

    def _sol(self, t: Any) -> Any:
        """Return the states at times of the user's."""
        problem = self._problem
        times = _floats(problem.tracer, t)
        happenings = sum(map(len, problem.found.t_events or []))
        values = Solution(problem, "sol", np.reshape(times, -1), happenings).values
        return values[0] if times.ndim == 0 else values.T


def _may_end(problem: Problem) -> bool:
    return any(dict(traits).get("terminal") for _, traits in problem.functions["event"])


class AfterSteps(NDArrayOperatorsMixin):
    """Times, or states, after each step of SciPy's, along the last axis.

    Its first and last are those of any number of steps; all else makes a record of this number.
    """

    def __init__(self, solution: Solution, rows: Any) -> None:
        self._solution, self._rows = solution, rows

    def as_traced(self) -> Any:
        """Return the whole as a traced array, for as many steps as there are in this call."""
        return self._rows[: whole(self._solution.count) + 1].T

    def __getitem__(self, index: Any) -> Any:
        index = index if isinstance(index, tuple) else (index,)
        ndim = self._rows.ndim
        if index[0] is Ellipsis and len(index) <= ndim:
            index = (slice(None),) * (ndim + 1 - len(index)) + index[1:]
        if len(index) == ndim and type(index[-1]) is int and index[-1] in (0, -1):
            return self._rows[(index[-1], *index[:-1])]
        if ndim == 2 and len(index) == 1 and type(index[0]) is int:
            return AfterSteps(self._solution, self._rows[:, index[0]])
        return self.as_traced()[index]

    def __iter__(self) -> Iterator:
        return (self[k] for k in range(self._rows.shape[1])) if self._rows.ndim == 2 else iter(self.as_traced())

    def __len__(self) -> int:
        return self._rows.shape[1] if self._rows.ndim == 2 else len(self.as_traced())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.as_traced(), name)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return getattr(ufunc, method)(*_whole(inputs), **_whole(kwargs))

    def __array_function__(self, function: Callable, types: Any, args: tuple, kwargs: dict) -> Any:
        return function(*_whole(args), **_whole(kwargs))


def _whole(value: Any) -> Any:
    """Return arguments with traced arrays in the places of what is after each step."""
    if isinstance(value, AfterSteps):
        return value.as_traced()
    if isinstance(value, tuple | list):
        return type(value)([_whole(part) for part in value])
    return {key: _whole(part) for key, part in value.items()} if type(value) is dict else value
