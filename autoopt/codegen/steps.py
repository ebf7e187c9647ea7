"""Steps below parameter level as NumPy statements: the calls that the user wrote, printed straight from the tape."""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autoopt.codegen.code import (
    AND,
    COMPARISON,
    MATMUL,
    OR,
    PRODUCT,
    SUM,
    XOR,
    Code,
    call,
    columns,
    infix,
    literal,
    negative,
    power,
    sequence,
)
from autoopt.codegen.windows import view_text
from autoopt.tape.names import fresh, qualified
from autoopt.tape.operations import astype, component, pack, put, put_add, sparse_product, sparse_transposed_product
from autoopt.tape.tape import Slot, Step
from autoopt.tape.windows import Move, windows

WIDTH = 88

_INFIX = {
    np.add: ("+", SUM), np.subtract: ("-", SUM), np.multiply: ("*", PRODUCT), np.true_divide: ("/", PRODUCT),
    np.floor_divide: ("//", PRODUCT), np.remainder: ("%", PRODUCT), np.matmul: ("@", MATMUL),
    sparse_product: ("@", MATMUL),
    np.less: ("<", COMPARISON), np.less_equal: ("<=", COMPARISON), np.greater: (">", COMPARISON),
    np.greater_equal: (">=", COMPARISON), np.equal: ("==", COMPARISON), np.not_equal: ("!=", COMPARISON),
    np.bitwise_and: ("&", AND), np.bitwise_or: ("|", OR), np.bitwise_xor: ("^", XOR),
}  # fmt: skip


def list_steps(
    steps: Sequence[Step],
    wanted: Sequence[int],
    known: Mapping[int, Code],
    names: Mapping[int, str],
    taken: set[str],
    hint: Callable[[int], str],
) -> list[str]:
    """Return the statements that give every step of `wanted` its name.

    Parameters
    ----------
    steps : sequence of Step
        The tape's.
    wanted : sequence of int
        Steps that must end up under `names[step]`.
    known : mapping of int to Code
        What leaves and constants are called.
    names : mapping of int to str
        Names for steps, for all of `wanted` at least.
    taken : set of str
        Names that are in use.
    hint : function
        What a step without a name may be called.
    """
    needed, uses = _needed(steps, wanted, known)
    codes = dict(known)
    lines: list[str] = []
    for index in needed:
        step = steps[index]
        operands = [codes[source] for source in step.inputs]
        if step.operation in (put, put_add):
            codes[index] = _write(step, operands, names.get(index), taken, lines)
            if index in wanted and codes[index].text != names[index]:
                lines.append(f"{names[index]} = {codes[index]}")
                codes[index] = Code(names[index])
            continue
        code = expression(step, operands)
        if index in wanted or uses[index] > 1 or columns(code.text) > WIDTH or step.dtype == object:
            name = names[index] if index in wanted else _fresh(names.get(index) or hint(index), taken)
            lines.append(f"{name} = {code}")
            code = Code(name)
        codes[index] = code
    return lines


def _needed(steps: Sequence[Step], wanted: Sequence[int], known: Mapping[int, Code]) -> tuple[list[int], Counter]:
    """Return the steps to compute, in order, and how often each is read."""
    found: set[int] = set()
    uses: Counter[int] = Counter()
    waiting = list(wanted)
    while waiting:
        index = waiting.pop()
        if index in found or index in known:
            continue
        found.add(index)
        uses.update(steps[index].inputs)
        waiting.extend(steps[index].inputs)
    return sorted(found), uses


def _write(step: Step, operands: list[Code], name: str | None, taken: set[str], lines: list[str]) -> Code:
    """Write the statements of a put into a fresh copy and return its name."""
    (_, index, value), _ = step.template
    target = _fresh(name or "filled", taken)
    lines.append(f"{target} = {operands[0]:.}.copy()")
    place, number = _index(index, operands), _argument(value, operands)
    added = step.operation is put_add
    lines.append(f"np.add.at({target}, {place}, {number})" if added else f"{target}[{place}] = {number}")
    return Code(target)


def expression(step: Step, operands: Sequence[Code]) -> Code:
    """Return one step as an expression of its operands."""
    operation = step.operation
    assert operation is not None  # leaves have names
    if operation in _INFIX and step.template is None:
        return infix(*_INFIX[operation], *operands)
    if operation is np.power and step.template is None:
        return power(*operands)
    if operation is np.negative and step.template is None:
        return negative(operands[0])
    if operation is sparse_transposed_product:
        return infix("@", MATMUL, Code(f"{operands[0]:.}.T"), operands[1])
    if step.template is None:
        return call(qualified(operation), *operands)
    args, kwargs = step.template
    if operation is windows:
        return view_text(operands[0], [Move(*move) for move in args[1]], len(step.shape) - len(args[1]))
    if operation in (operator.getitem, component):
        return Code(f"{_fill(args[0], operands):.}[{_index(args[1], operands)}]")
    if operation is astype:
        return Code(f"np.asarray({operands[0]}).astype({_argument(args[1], operands)})")
    if operation is pack:
        return Code(f"np.reshape([{', '.join(str(operand) for operand in operands)}], {_argument(args[0], operands)})")
    texts = [_argument(part, operands) for part in args]
    texts += [f"{key}={_argument(part, operands)}" for key, part in kwargs.items()]
    return call(qualified(operation), *texts)


def _fill(part: Any, operands: Sequence[Code]) -> Code:
    return operands[part.position] if type(part) is Slot else Code(_argument(part, operands))


def _argument(part: Any, operands: Sequence[Code]) -> str:
    """Return one argument of a call as text."""
    kind = type(part)
    if kind is Slot:
        return operands[part.position].text
    if kind is tuple:
        return sequence([_argument(item, operands) for item in part]) if part else "()"
    if kind is list:
        return f"[{', '.join(_argument(item, operands) for item in part)}]"
    if kind is dict:
        return "{" + ", ".join(f"{key!r}: {_argument(item, operands)}" for key, item in part.items()) + "}"
    if kind is slice:
        return f"slice({', '.join(_argument(item, operands) for item in (part.start, part.stop, part.step))})"
    if isinstance(part, np.dtype):
        return f"np.{part.name}" if part.name != "bool" else "bool"
    if isinstance(part, type):
        return f"np.{part.__name__}" if issubclass(part, np.generic) else part.__name__
    if part is None or part is Ellipsis or isinstance(part, str):
        return "..." if part is Ellipsis else repr(part)
    if isinstance(part, int | float | np.generic):
        return literal(part).text
    return qualified(part) if callable(part) else repr(part)


def _index(part: Any, operands: Sequence[Code]) -> str:
    """Return the text between the brackets."""
    if type(part) is tuple and part:
        return ", ".join(_index_item(item, operands) for item in part) + ("," if len(part) == 1 else "")
    return _index_item(part, operands)


def _index_item(part: Any, operands: Sequence[Code]) -> str:
    if type(part) is not slice:
        return _argument(part, operands)
    bounds = (part.start, part.stop, part.step)
    start, stop, step = ("" if bound is None else _argument(bound, operands) for bound in bounds)
    return f"{start}:{stop}" + (f":{step}" if step else "")


def _fresh(hint: str, taken: set[str]) -> str:
    """Return `hint`, with another number if it is taken, and take it."""
    return fresh(hint, taken, re.sub(r"_?\d+$", "", hint))
