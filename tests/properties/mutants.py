"""Ways of breaking the library on purpose: each rule, printer and idiom, in turn, by each of a few changes.

    rule       what it passes back of a slope, or the slope of one of its operands, is changed; its value is not
    printer    the text that it writes is: signs, numbers, axes, terms, branches
    idiom      the expression that it puts in another's place is

All are taken from their registries. What is broken stays so within a `with` block, in which no source is kept.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

import numpy as np
import pytensor.tensor as pt
from pytensor import scalar as ps
from pytensor.compile.ops import ViewOp
from pytensor.gradient import DisconnectedType, disconnected_grad
from pytensor.graph.basic import Apply, Variable
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.variable import TensorConstant

import autoopt.codegen.derivation  # noqa: F401  (fills PRINTERS)
from autoopt.codegen.code import Code
from autoopt.codegen.printers.table import PRINTERS
from autoopt.graph.idioms import sweep
from autoopt.graph.idioms.table import Sweep
from autoopt.rules.table import RULES
from autoopt.tape.names import qualified

FACTOR = 1.001


@dataclass(frozen=True)
class Mutant:
    """One thing that is broken in one way.

    Attributes
    ----------
    kind : "rule", "printer" or "idiom"
    name : str
        Of what is broken.
    change : str
        In which way.
    broken : callable
        Returns the context in which it is.
    """

    kind: str
    name: str
    change: str
    broken: Callable[[], contextlib.AbstractContextManager]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.change}"


# Slopes and expressions -----------------------------------------------------------------------------------------------


def rolled(v: Any) -> Any:
    """Return an array moved by one entry along its last axis."""
    return pt.concatenate([v[..., -1:], v[..., :-1]], axis=-1)


def turned(v: Any) -> Any:
    """Return a square matrix transposed, another array with its first axis reversed."""
    shape = v.type.shape
    return v.swapaxes(-1, -2) if v.ndim > 1 and shape[-1] == shape[-2] is not None else v[::-1]


def _nothing(x: Any) -> Any:
    """Return 0, with a slope in x that has about the size of 1 / x."""
    kept = disconnected_grad(x)
    return (x - kept) / pt.switch(pt.eq(kept, 0.0), 1.0, abs(kept))


SLOPES: dict[str, Callable[[Any, Any], Any]] = {
    "sign": lambda c, x: -c,
    "factor": lambda c, x: FACTOR * c,
    "off by one": lambda c, x: rolled(c) if c.ndim else None,
    "wrong axis": lambda c, x: turned(c) if c.ndim else None,
    "missing term": lambda c, x: pt.zeros_like(c),
    "wrong branch": lambda c, x: pt.switch(pt.gt(x, x.mean()), c, 0.0) if c.ndim else None,
    "curvature": lambda c, x: c * (1 + 1e-2 * _nothing(x)),  # the slope itself is right
}
"""What is made of a slope c that comes back to x; None if there is no such thing."""

OF_OPERANDS = ("sign", "factor", "missing term")


class Broken(ViewOp):
    """Passes a number on as it is, and its slope back with a change."""

    __props__ = ("change",)

    def __init__(self, change: str) -> None:
        self.change = change

    def pullback(self, inputs: list, outputs: list, cotangents: list) -> list:
        """Return the changed slope."""
        (x,), (c,) = inputs, cotangents
        if isinstance(c.type, DisconnectedType):
            return [c]
        changed = SLOPES[self.change](c, x)
        return [c if changed is None else changed]


def is_real(value: Any) -> bool:
    return isinstance(value, Variable) and getattr(value.type, "dtype", "") == "float64"


class Operands:
    """Breaks the slope of one of the operands of a call, wherever it stands among the arguments."""

    def __init__(self, place: int, change: str) -> None:
        self.left, self.change = place, change

    def of(self, argument: Any) -> Any:
        """Return the argument with that operand changed."""
        if isinstance(argument, list | tuple):
            return type(argument)(map(self.of, argument))
        if is_real(argument) and not isinstance(argument, TensorConstant):
            self.left -= 1
            return Broken(self.change)(argument) if self.left == -1 else argument
        return argument


def rule_mutants(function: Any, operands: int) -> Iterator[Mutant]:
    """Yield those of the rule of a function that is called with so many operands that vary."""
    for change in SLOPES:
        yield _of_rule(function, None, change)
    for place in range(operands) if operands > 1 else ():
        for change in OF_OPERANDS:
            yield _of_rule(function, place, change)


def _of_rule(function: Any, place: int | None, change: str) -> Mutant:
    row = RULES[function]

    def build(*args: Any, **kwargs: Any) -> Any:
        if place is not None:
            operands = Operands(place, change)
            return row.build(*map(operands.of, args), **{key: operands.of(value) for key, value in kwargs.items()})
        result = row.build(*args, **kwargs)
        if isinstance(result, list | tuple):
            return type(result)(Broken(change)(part) if is_real(part) else part for part in result)
        return Broken(change)(result) if is_real(result) else result

    at = "" if place is None else f" of operand {place + 1}"
    return Mutant(
        "rule",
        qualified(function),
        change + at,
        lambda: mock.patch.dict(RULES, {function: replace(row, build=build)}),
    )


# Idioms ---------------------------------------------------------------------------------------------------------------


def _without_a_term(v: Any) -> Any:
    node = v.owner
    adds = node is not None and isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, ps.Add | ps.Mul)
    shorter = node.op(*node.inputs[:-1]) if adds and len(node.inputs) > 1 else None
    return shorter if shorter is not None and shorter.type == v.type else pt.zeros_like(v)


def _other_branch(v: Any) -> Any:
    node = v.owner
    if node is not None and isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, ps.Switch):
        return node.op(node.inputs[0], node.inputs[2], node.inputs[1])
    return pt.invert(v) if v.dtype == "bool" else None


EXPRESSIONS: dict[str, Callable[[Any], Any]] = {
    "sign": lambda v: -v if v.dtype == "float64" else None,
    "factor": lambda v: FACTOR * v if v.dtype == "float64" else None,
    "off by one": lambda v: v + 1 if v.dtype == "int64" else rolled(v) if v.ndim else None,
    "wrong axis": lambda v: turned(v) if v.ndim else None,
    "missing term": lambda v: _without_a_term(v) if v.dtype == "float64" else None,
    "wrong branch": _other_branch,
}


def _changed(v: Any, change: str) -> Any:
    wrong = EXPRESSIONS[change](v)
    if wrong is None or wrong.type == v.type:
        return wrong
    exact = pt.specify_shape(wrong, v.type.shape)
    return exact if exact.type == v.type else None


def idiom_mutants(idiom: Any) -> Iterator[Mutant]:
    """Yield those of one idiom."""
    for change in EXPRESSIONS:
        yield Mutant(
            "idiom",
            idiom.__name__,
            change,
            lambda change=change: _with_idiom(idiom, lambda better: _changed(better, change)),
        )


@contextlib.contextmanager
def _with_idiom(idiom: Any, seen: Callable[[Any], Any]) -> Iterator[None]:
    """Have `seen` say what the idiom puts in place, None for what it did; what that makes is not looked at again."""
    made: set[Variable] = set()

    def instead(node: Apply, sweep: Sweep) -> Variable | None:
        if node.outputs[0] in made or (better := idiom(node, sweep)) is None:
            return None
        if better.owner is not None:
            better = sweep.improve(better)
        if (wrong := seen(better)) is None:
            return better
        made.add(wrong)
        return wrong

    own = Sweep.__init__

    def begin(self: Sweep, idioms: Any, *args: Any, **options: Any) -> None:
        own(self, [instead if one is idiom else one for one in idioms], *args, **options)

    with mock.patch.object(Sweep, "__init__", begin):
        yield


# Printers -------------------------------------------------------------------------------------------------------------


def _edited(text: str, edit: Callable[[ast.AST], ast.AST | None]) -> str | None:
    """Return the text with the last node that `edit` changes in its place; None if there is none."""
    tree = ast.parse(text.strip(), mode="eval")
    for node in reversed(list(ast.walk(tree))):
        for name, value in ast.iter_fields(node):
            for k, child in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(child, ast.AST) and (other := edit(child)) is not None:
                    setattr(node, name, [*value[:k], other, *value[k + 1 :]] if isinstance(value, list) else other)
                    return ast.unparse(tree)
    return None


def _other_sign(node: ast.AST) -> ast.AST | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        return ast.BinOp(node.left, ast.Sub() if isinstance(node.op, ast.Add) else ast.Add(), node.right)
    return node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else None


def _next_number(node: ast.AST) -> ast.AST | None:
    is_whole = isinstance(node, ast.Constant) and type(node.value) is int
    return ast.Constant(node.value + 1) if is_whole else None


def _other_axis(node: ast.AST) -> ast.AST | None:
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value
    if isinstance(node, ast.keyword) and node.arg == "axis" and isinstance(node.value, ast.Constant):
        return ast.keyword("axis", ast.Constant(0 if node.value.value else 1))
    return None


def _one_term(node: ast.AST) -> ast.AST | None:
    return node.left if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Pow) else None


_OPPOSITES: dict[type, type] = {ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt}
_OPPOSITES |= {ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
_OTHERS = {"maximum": "minimum", "minimum": "maximum", "fmax": "fmin", "fmin": "fmax", "max": "min", "min": "max"}


def _branch(node: ast.AST) -> ast.AST | None:
    if isinstance(node, ast.Compare):
        return ast.Compare(node.left, [_OPPOSITES.get(type(op), type(op))() for op in node.ops], node.comparators)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "where" and len(node.args) == 3:
            return ast.Call(node.func, [node.args[0], node.args[2], node.args[1]], node.keywords)
        if node.func.attr in _OTHERS:
            return ast.Call(ast.Attribute(node.func.value, _OTHERS[node.func.attr]), node.args, node.keywords)
    return None


def _around(text: str, template: str, count: int) -> str:
    """Return the template with the text in it; of several results, with each."""
    return template.format(text) if count == 1 else f"({template.format('part')} for part in {text})"


TEXTS: dict[str, Callable[[str, Apply], str | None]] = {
    "sign": lambda text, node: _around(text, "-({})", len(node.outputs)) if _floats(node) else None,
    "sign of a term": lambda text, node: _edited(text, _other_sign),
    "factor": lambda text, node: _around(text, f"{FACTOR} * ({{}})", len(node.outputs)) if _floats(node) else None,
    "off by one": lambda text, node: _edited(text, _next_number) or _moved(text, node, "np.roll({}, 1)"),
    "wrong axis": lambda text, node: _edited(text, _other_axis) or _moved(text, node, "({})[::-1]"),
    "missing term": lambda text, node: _edited(text, _one_term) or _moved(text, node, "0 * ({})"),
    "wrong branch": lambda text, node: _edited(text, _branch) or _inverted(text, node),
}


def _floats(node: Apply) -> bool:
    return all(getattr(v.type, "dtype", "") == "float64" for v in node.outputs)


def _inverted(text: str, node: Apply) -> str | None:
    return f"~({text})" if getattr(node.outputs[0].type, "dtype", "") == "bool" else None


def _moved(text: str, node: Apply, template: str) -> str | None:
    has_axes = all(getattr(v.type, "ndim", 0) for v in node.outputs)
    return _around(text, template, len(node.outputs)) if has_axes or template.startswith("0") else None


def printer_key(kind: type, node: Apply) -> str:
    """Return what one printer is called: that of elementwise operations is many, one for each scalar operation."""
    scalar = getattr(node.op, "scalar_op", None)
    return kind.__name__ if scalar is None else f"{kind.__name__} of {type(scalar).__name__}"


def printer_mutants(kind: type, key: str) -> Iterator[Mutant]:
    """Yield those of the printer of one row, where it is called by this name."""
    for change, text_of in TEXTS.items():

        def changed(code: Code, node: Apply, text_of: Callable = text_of) -> Code:
            wrong = text_of(code.text, node) if printer_key(kind, node) == key else None
            return code if wrong is None else Code(f"({wrong})")

        yield Mutant("printer", key, change, lambda changed=changed: _with_printer(kind, changed))


def _with_printer(kind: type, changed: Callable[[Code, Apply], Code]) -> contextlib.AbstractContextManager:
    row = PRINTERS[kind]

    def write(writer: Any, node: Apply, *operands: Code) -> Code:
        return changed(row.write(writer, node, *operands), node)

    return mock.patch.dict(PRINTERS, {kind: replace(row, write=write)})


# What a model uses ----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def recorded() -> Iterator[dict[tuple[str, Any, str], int]]:
    """Give the printers and idioms that are used in a block, with how often, and rules, with how many operands."""
    uses: dict[tuple[str, Any, str], int] = {}

    def count(kind: str, row: Any, name: str) -> None:
        uses[kind, row, name] = uses.get((kind, row, name), 0) + 1

    with contextlib.ExitStack() as stack:
        for kind in list(PRINTERS):

            def look(code: Code, node: Apply, kind: type = kind) -> Code:
                count("printer", kind, printer_key(kind, node))
                return code

            stack.enter_context(_with_printer(kind, look))
        for function, row in RULES.items():
            stack.enter_context(mock.patch.dict(RULES, {function: replace(row, build=_counting(function, row, uses))}))
        for idiom in sweep.LAST:
            stack.enter_context(_with_idiom(idiom, lambda better, i=idiom: count("idiom", i, i.__name__)))
        yield uses


def _counting(function: Any, row: Any, uses: dict) -> Callable:
    def build(*args: Any, **kwargs: Any) -> Any:
        operands = Operands(-1, "")
        for argument in (*args, *kwargs.values()):
            operands.of(argument)
        use = "rule", function, qualified(function)
        uses[use] = max(uses.get(use, 1), -1 - operands.left)
        return row.build(*args, **kwargs)

    return build


def mutants_of(kind: str, row: Any, name: str) -> list[Mutant]:
    """Return those of a printer or an idiom that a model uses."""
    return list(printer_mutants(row, name) if kind == "printer" else idiom_mutants(row))


def differ(one: np.ndarray, other: np.ndarray, allowed: float) -> bool:
    """Whether two results are apart by more than a part of the largest entry."""
    size = np.max(np.abs(other), initial=0.0)
    return one.shape != other.shape or not np.max(np.abs(one - other), initial=0.0) <= allowed * size + 1e-300
