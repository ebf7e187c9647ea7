"""What the user calls the result of a step: the variable, attribute or item that it is stored in.

The expression of a step is followed upwards in the syntax tree to whatever receives its value::

    mu, (a, *b) = p                 entries of p, by their positions: mu, a, b_0, b_1
    x, y = p[0], np.exp(p[1])       x, y
    self.scale = np.exp(p[1])       scale
    par["mu"] = p[0]                mu; so do dict(mu=p[0]) and {"mu": p[0]}
    for theta in p                  theta
    loss(p[0], np.exp(p[1]))        the names of its parameters, if `loss` is a function of this file; so does loss(*p)
    z = residual(p)                 z, for what `return` gives in `residual` if this is its only call
"""

from __future__ import annotations

import ast
import keyword
import operator
from collections.abc import Sequence
from itertools import islice, pairwise

from autoopt.tape.statements import Place, Written, place_of
from autoopt.tape.stores import stored_name
from autoopt.tape.tape import Step, Tape

_DEEP = 12
"""The most nodes that are followed."""

_AMBIGUOUS = {"l", "O", "I"}
"""Names that linters refuse, as they look like numbers."""


def assigned_name(step: Step, length: int | None = None) -> str | None:
    """Return what the result of a step is called by the user, if it is.

    Parameters
    ----------
    step : Step
    length : int, optional
        Of what the step takes an entry of, by which the places after a starred one are told.
    """
    place = place_of(step)
    if place is None:
        return _usable(stored_name(step))
    if place.expression is None:
        return None
    entry = _entry(step)
    if entry is not None:
        target = _receiver(place.expression, place.written)
        if target is not None:
            return _usable(_element(target, entry, length, place))
        if isinstance(place.expression, ast.Call):
            return _usable(_argument(place.expression, entry, place.written))
    return _usable(_received(place.expression, place.written))


def assigned_names(tape: Tape) -> dict[int, str]:
    """Return what the user calls the steps of a tape; those that take the same of the same share a name."""
    names: dict[int, str] = {}
    alike: dict[tuple, list[int]] = {}
    for index, step in enumerate(tape.steps):
        if step.operation is None:
            continue
        shape = tape.steps[step.inputs[0]].shape if step.inputs else ()
        name = assigned_name(step, shape[0] if shape else None)
        if name:
            names[index] = name
        if _entry(step) is not None:
            alike.setdefault(_whole(tape, index), []).append(index)
    for same in alike.values():
        first = next((names[index] for index in same if index in names), None)
        names |= {index: first for index in same if first and index not in names}
    return names


def _whole(tape: Tape, index: int) -> tuple[int, int]:
    """Return the array, and the position in it, of an entry that may be one of a part of that array."""
    step = tape.steps[index]
    source, place = step.inputs[0], _entry(step) or 0
    while True:
        above, shape = tape.steps[source], tape.steps[source].shape
        place = place % shape[0] if shape and shape[0] else place
        part = above.template[0][1] if above.operation is operator.getitem and above.template else None
        if type(part) is not slice or not all(type(n) in (int, type(None)) for n in (part.start, part.stop, part.step)):
            return source, place
        source = above.inputs[0]
        place = range(tape.steps[source].shape[0])[part][place]


def _usable(name: str | None) -> str | None:
    """Return a name as it can stand in a module, None if it cannot."""
    name = (name or "").lstrip("_")
    if not name.isidentifier() or keyword.iskeyword(name):
        return None
    return f"{name}_" if name in _AMBIGUOUS else name


def _entry(step: Step) -> int | None:
    """Return which entry of an array a step takes, None if it does something else."""
    if step.operation is not operator.getitem or step.template is None:
        return None
    place = step.template[0][1]
    return place if type(place) is int else None


def _receiver(node: ast.AST, written: Written) -> ast.AST | None:
    """Return the variables that an instruction stores entries in: it unpacks, or begins an iteration."""
    above = written.above.get(node)
    if isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Store):
        return node
    loop = node if isinstance(node, ast.For) else above
    if isinstance(loop, ast.For | ast.comprehension) and node in (loop, loop.iter):
        counted = isinstance(loop.iter, ast.Call) and getattr(loop.iter.func, "id", "") == "enumerate"
        pair = counted and isinstance(loop.target, ast.Tuple) and len(loop.target.elts) == 2
        return loop.target.elts[1] if pair else loop.target  # type: ignore[attr-defined]
    return None


def _element(target: ast.AST, entry: int, length: int | None, place: Place) -> str | None:
    """Return the name of one of the entries that are stored in `target`."""
    if not isinstance(target, ast.Tuple | ast.List):
        return _name(target)
    node = _at(target.elts, entry, length)
    if not isinstance(node, ast.Starred):
        return _name(node)
    first = target.elts.index(node)
    name = _name(node.value)
    for statement in ast.walk(place.function):  # a, *rest = p; b, c = rest
        if isinstance(statement, ast.Assign) and getattr(statement.value, "id", None) == name:
            again = statement.targets[0]
            if isinstance(again, ast.Tuple) and entry - first < len(again.elts):
                return _name(again.elts[entry - first])
    return f"{name}_{entry - first}"


def _at(items: Sequence[ast.expr], entry: int, length: int | None) -> ast.AST | None:
    """Return which of the variables an entry is stored in."""
    starred = next((k for k, item in enumerate(items) if isinstance(item, ast.Starred)), None)
    if starred is None or entry <= starred:
        return items[entry] if 0 <= entry < len(items) else None
    after = len(items) - starred - 1
    if length is None:
        return items[starred] if not after else None
    return items[max(starred, entry - length + len(items))]


def _argument(call: ast.Call, entry: int, written: Written) -> str | None:
    """Return what an entry becomes of an array that a call takes all of: `loss(*p)`, `dict(zip(["mu"], p))`."""
    for k, argument in enumerate(call.args):
        if isinstance(argument, ast.Starred):
            return _parameter(call, k + entry, written)
        if getattr(getattr(argument, "func", None), "id", "") == "zip" and isinstance(argument, ast.Call):
            keys = argument.args[0] if argument.args else None
            items = keys.elts if isinstance(keys, ast.List | ast.Tuple) else []
            return _text(items[entry]) if entry < len(items) else None
    return None


def _received(node: ast.AST, written: Written) -> str | None:
    """Return the name of what the value of an expression becomes."""
    if isinstance(node, ast.AugAssign):
        return _name(node.target)
    way = list(islice(written.around(node), _DEEP))
    path: list[int] = []  # in tuples, from the outside in
    for below, node in pairwise(way):
        if isinstance(node, ast.Lambda) and below is node.body:
            return _call_of(node, written)
        if isinstance(node, ast.Assign):
            return next((n for t in node.targets if (n := _name(_within(t, path)))), None)
        if isinstance(node, ast.AnnAssign | ast.NamedExpr) and not path:
            return _name(node.target)
        if isinstance(node, ast.Tuple | ast.List):
            path.insert(0, [id(item) for item in node.elts].index(id(below)))
        elif isinstance(node, ast.Dict):
            k = node.values.index(below) if below in node.values else -1
            return _text(node.keys[k]) if k >= 0 else None
        elif isinstance(node, ast.keyword):
            call = written.above[node]
            of_dict = isinstance(call, ast.Call) and getattr(call.func, "id", "") == "dict"
            return node.arg if of_dict or _parameter(call, node.arg, written) else None
        elif isinstance(node, ast.Call):
            return _parameter(node, node.args.index(below), written) if below in node.args and not path else None
        elif isinstance(node, ast.Return):
            return _call_of(node, written)
        elif not isinstance(node, ast.IfExp | ast.NamedExpr) or below is getattr(node, "test", None):
            return None
    return None


def _within(target: ast.AST | None, path: Sequence[int]) -> ast.AST | None:
    """Return the part of a target that receives the part of a tuple with these positions."""
    for entry in path:
        if not isinstance(target, ast.Tuple | ast.List) or any(isinstance(e, ast.Starred) for e in target.elts):
            return None
        target = target.elts[entry] if entry < len(target.elts) else None
    return target


def _parameter(call: ast.AST, which: int | str | None, written: Written) -> str | None:
    """Return what a function of the same file calls an argument of a call."""
    own = written.functions.get(getattr(getattr(call, "func", None), "id", ""), [])
    if len(own) != 1:
        return None
    names = [a.arg for a in (*own[0].args.posonlyargs, *own[0].args.args)]
    if isinstance(which, int):
        return names[which] if which < len(names) else None
    return which if which in [*names, *(a.arg for a in own[0].args.kwonlyargs)] else None


def _call_of(node: ast.AST, written: Written) -> str | None:
    """Return what becomes of the result of the function around a `return`, if it is called in one place."""
    function = next((n for n in written.around(node) if isinstance(n, ast.FunctionDef | ast.Lambda)), None)
    name = getattr(function, "name", None) or (_received(function, written) if function else None)
    calls = written.calls.get(name, []) if name else []
    inside = function is not None and len(calls) == 1 and function not in written.around(calls[0])
    return _received(calls[0], written) if inside else None


def _name(target: ast.AST | None) -> str | None:
    """Return the name of a variable, an attribute or an item."""
    if isinstance(target, ast.Name):
        return target.id
    if isinstance(target, ast.Attribute):
        return target.attr
    if not isinstance(target, ast.Subscript):
        return None
    if (text := _text(target.slice)) is not None:
        return text
    parts = target.slice.elts if isinstance(target.slice, ast.Tuple) else [target.slice]
    places = [part.value for part in parts if isinstance(part, ast.Constant) and type(part.value) is int]
    base = _name(target.value)
    return "_".join([base, *map(str, places)]) if base and len(places) == len(parts) else None


def _text(node: ast.AST | None) -> str | None:
    text = node.value if isinstance(node, ast.Constant) else None
    return text if isinstance(text, str) else None
