"""Differential equations: a function of its own with the user's right-hand side inside, and SciPy's call."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable

import numpy as np
from pytensor.graph.basic import Apply

from autoopt.codegen.code import Code, call
from autoopt.codegen.printers.table import prints
from autoopt.codegen.printers.writer import Listing, Writer
from autoopt.graph.equations import Solve
from autoopt.tape import equation as text
from autoopt.tape.equation import GIVEN, SOLVE_IVP, Equation

_GIVEN = ("y0", "start", "stop", "asked")


@prints(Solve, stem="solution")
def solve(writer: Writer, node: Apply, *operands: Code) -> Code:
    op: Solve = node.op
    name = next((name for name, other in writer.loops.items() if other == op), None)
    if name is None:
        name = writer.fresh("solve_equation")
        writer.taken.update(("on_steps", "on_events", "between", "by_lsoda"))
        writer.functions |= {**_helpers(op), name: _function(writer, op, name, operands)}
        writer.loops[name] = op
    return call(name, *operands)


def _helpers(op: Solve) -> dict[str, Listing]:
    """Return what the function calls, in the words of the tape's own."""
    wanted: list[Callable] = [text.between, text.on_steps]
    if op.equation.by_lsoda:
        wanted.append(text.by_lsoda)
    if any(function.role == "event" for function in op.equation.functions):
        wanted.append(text.on_events)
    return {function.__name__: _listing(function) for function in wanted}


def _listing(function: Callable) -> Listing:
    """Return a function of ours as text."""
    head, *lines = textwrap.dedent(inspect.getsource(function)).rstrip().split("\n")
    arguments = tuple(head[head.index("(") + 1 : head.rindex(")")].split(", "))
    body = [line[4:] for line in lines if line.strip() and not line.strip().startswith("import ")]
    return Listing(function.__name__, arguments, tuple(body[:-1]), (body[-1].removeprefix("return "),))


def _function(writer: Writer, op: Solve, name: str, operands: tuple[Code, ...]) -> Listing:
    """Return the function that solves an equation."""
    equation = op.equation
    fixed = _names(operands[GIVEN:])
    arguments = list(zip(op.inputs, ["t", "y", *fixed], strict=True))
    lines: list[str] = []
    inner: dict[str, Listing] = {}
    jac: list[str] = []
    events: list[str] = []
    for value, own in zip(op.values, equation.functions, strict=True):
        called = own.role + (str(len(events) + 1) if own.role == "event" else "")
        events += [called] if own.role == "event" else []
        jac += [f"{own.keyword(equation.solver)}={called}"] if own.role == "jac" else []
        listing = writer.inner(f"{name}_{called}", arguments, [value])
        inner |= listing.functions
        writer.constants |= listing.constants
        returned = ", ".join(listing.returned)
        lines += [f"def {called}(t, y):", *(f"    {line}" for line in listing.lines), f"    return {returned}"]
        lines += [f"{called}.{trait} = {amount!r}" for trait, amount in own.traits]
    rows = [*zip(op.rows, ("times", "states"), strict=True), *arguments[2:]]
    listing = writer.inner(f"{name}_slopes", rows, [op.slopes])
    inner |= listing.functions
    writer.constants |= listing.constants
    lines += ["def slopes(times, states):", *(f"    {line}" for line in listing.lines)]
    lines += [f"    return {', '.join(listing.returned)}"]
    writer.taken.update(inner)
    writer.functions |= inner
    options = [f"{key}={_option(value)}" for key, value in equation.options]
    nodes = f"np.array({list(equation.nodes)!r})"
    if equation.by_lsoda:
        lines += _values(equation, [*options, *jac])
        close = {**(SOLVE_IVP if equation.solver == "solve_ivp" else {}), **dict(equation.options)}
        kept = ", ".join(f"{key!r}: {_option(value)}" for key, value in close.items() if key != "method")
        found = f"by_lsoda(slope, slopes, values, y0, start, stop, asked, {{{kept}}}, {nodes}, {equation.slots})"
        return Listing(name, (*_GIVEN, *fixed), tuple(lines), (found,))
    options += jac + ([f"events=[{', '.join(events)}]"] if events else [])
    options = ["t_eval=asked"] * (equation.asked == "t_eval") + ["dense_output=True", *options]
    lines.append(f"found = scipy.integrate.solve_ivp(slope, (start, stop), y0, {', '.join(options)})")
    asked = "asked" if equation.asked else "None"
    lines.append(f"*first, fine = on_steps(found.sol.ts, found.sol, slopes, {asked}, {nodes}, {equation.slots})")
    returned = "(*first, np.shape(found.y)[-1], fine and found.status >= 0)"
    if events:
        returned = f"({returned[1:-1]}, *on_events(found, {equation.happenings}, {nodes}))"
    return Listing(name, (*_GIVEN, *fixed), tuple(lines), (returned,))


def _values(equation: Equation, options: list[str]) -> list[str]:
    """Return the lines that compute the states that are asked for."""
    if equation.solver == "odeint":
        return [f"values = scipy.integrate.odeint(slope, y0, {', '.join(['asked', 'tfirst=True', *options])}).T"]
    call = f"scipy.integrate.solve_ivp(slope, (start, stop), y0, {', '.join(['t_eval=asked', *options])})"
    return [f"values = {call}.y"]


def _option(value: object) -> str:
    return "np.inf" if value == np.inf else repr(value)


def _names(operands: tuple[Code, ...]) -> list[str]:
    """Return what the function calls its operands: by their names, where they have some."""
    taken = {
        *_GIVEN,
        "t",
        "y",
        "times",
        "states",
        "np",
        "scipy",
        "found",
        "values",
        "first",
        "fine",
        "slope",
        "slopes",
        "jac",
    }
    names = []
    for code in operands:
        hint = code.text if code.is_name and code.text.isidentifier() else "constant"
        name, count = hint, 1
        while name in taken:
            count += 1
            name = f"{hint}{count}"
        taken.add(name)
        names.append(name)
    return names
