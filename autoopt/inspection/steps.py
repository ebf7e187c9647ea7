"""A step of a tape in one line, as its user would have written it: `z = X @ w`, `s5 = np.logaddexp(0, z)`.

A result has the name that the user's line gives it, with the step's number where several have that name (`h.27`), and
`s` with the number where it has none.
"""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autoopt.tape import operations
from autoopt.tape.assignments import assigned_name
from autoopt.tape.names import qualified
from autoopt.tape.recurrence import Known, Recurrence
from autoopt.tape.tape import Leaf, Slot, Step, Tape

_BINARY: dict[Any, str] = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.power: "**", np.matmul: "@",
    np.floor_divide: "//", np.remainder: "%", np.less: "<", np.less_equal: "<=", np.greater: ">",
    np.greater_equal: ">=", np.equal: "==", np.not_equal: "!=", np.logical_and: "and", np.logical_or: "or",
    np.bitwise_and: "&", np.bitwise_or: "|", operations.sparse_product: "@",
}  # fmt: skip

_UNARY: dict[Any, str] = {np.negative: "-", np.logical_not: "not ", np.invert: "~"}

UNNAMED = re.compile(r"s\d+")
"""What a result without a name is called."""

_FEW = 4
"""The entries of a constant array that is shown; of a longer one its shape is."""


def references(tape: Tape) -> list[str]:
    """Return what each step of a tape is called in the text of the others."""
    names: list[str | None] = []
    known: dict[Any, str | None] = {}
    for index, step in enumerate(tape.steps):
        if step.operation is None:
            names.append(_leaf_name(step, tape.values.get(index)))
            continue
        entry = _entry(step)
        length = tape.steps[step.inputs[0]].shape[:1] if entry is not None and step.inputs else ()
        key = step.site, entry, length
        if key not in known:
            known[key] = assigned_name(step, length[0] if length else None)
        names.append(tape.names.get(index) or known[key])
    count = Counter(names)
    return [
        _shown(tape.values[index]) if step.operation is None and name is None else _reference(name, index, count)
        for index, (step, name) in enumerate(zip(tape.steps, names, strict=True))
    ]


def _reference(name: str | None, index: int, count: Mapping[str | None, int]) -> str:
    if name is None:
        return f"s{index}"
    return name if count[name] == 1 else f"{name}.{index}"


def _leaf_name(step: Step, value: Any) -> str | None:
    """Return the name of an input, or of a constant array; None of what is shown itself."""
    if type(step.template) is Leaf:
        return step.template.name
    if np.size(value) <= _FEW and not isinstance(value, str):
        return None
    return str(step.template) if step.template else "constant"


def _shown(value: Any) -> str:
    """Return a small constant as text."""
    if isinstance(value, np.ndarray) and value.ndim:
        return np.array2string(value, separator=", ", precision=6).replace("\n", "")
    number = np.asarray(value)
    return repr(number.item()) if number.dtype.kind in "biufc" else repr(value)


def _entry(step: Step) -> int | None:
    place = step.template[0][1] if step.operation is operator.getitem and step.template is not None else None
    return place if type(place) is int else None


def text(step: Step, operands: Sequence[str]) -> str:
    """Return the call of a step, its inputs having these names."""
    operation = step.operation
    if isinstance(operation, Recurrence):
        ends = "until it ends" if operation.count is None else f"{operation.count} iterations"
        return f"a loop, {ends}"
    template: Any = (tuple(Slot(k) for k in range(len(operands))), {}) if step.template is None else step.template
    parts, options = template
    given = [_argument(part, operands) for part in parts]
    if operation in _WRITTEN and not options:
        return _WRITTEN[operation](given)
    if len(given) == 2 and not options and operation in _BINARY:
        return f"{given[0]} {_BINARY[operation]} {given[1]}"
    if len(given) == 1 and not options and operation in _UNARY:
        return f"{_UNARY[operation]}{given[0]}"
    named = [f"{key}={_argument(part, operands)}" for key, part in options.items()]
    assert operation is not None
    return f"{_called(operation)}({', '.join([*given, *named])})"


def _called(operation: Callable) -> str:
    """Return what an operation is called; those of the tape itself by their own names."""
    own = getattr(operation, "__module__", "") == operations.__name__
    return operation.__name__ if own else qualified(operation)


def _item(given: Sequence[str]) -> str:
    index = given[1]
    return f"{given[0]}[{index[1:-1].rstrip(',') if index.startswith('(') else index}]"


def _joined(mark: str) -> Callable[[Sequence[str]], str]:
    return lambda given: f" {mark} ".join(given)


_WRITTEN: dict[Any, Callable[[Sequence[str]], str]] = {
    operator.getitem: _item,
    operations.pack: lambda given: f"np.array([{', '.join(given[1:])}])",
    operations.put: lambda given: f"{given[0]} with {_item(['', given[1]])} = {given[2]}",
    operations.put_add: lambda given: f"{given[0]} with {_item(['', given[1]])} += {given[2]}",
    operations.component: lambda given: f"result {given[1]} of {given[0]}",
    operations.total: _joined("+"),
    operations.product: _joined("*"),
}
"""Operations that are no calls in the user's code, from the texts of their arguments."""


def _argument(part: Any, operands: Sequence[str]) -> str:
    """Return a part of a template as text."""
    if type(part) is Slot:
        return operands[part.position]
    if type(part) is slice:
        ends = ["" if end is None else _argument(end, operands) for end in (part.start, part.stop, part.step)]
        return ":".join(ends if ends[2] else ends[:2])
    if type(part) in (tuple, list):
        inner = ", ".join(_argument(one, operands) for one in part)
        if type(part) is list:
            return f"[{inner}]"
        return f"({inner},)" if len(part) == 1 else f"({inner})"
    if part is Ellipsis:
        return "..."
    if isinstance(part, Known):
        return _shown(part.value)
    if isinstance(part, np.ndarray) and part.size > _FEW:
        return f"<array {part.shape}>".replace(",)", ",)")
    if isinstance(part, np.ndarray | np.generic | int | float | bool):
        return _shown(part)
    if isinstance(part, type):
        return part.__name__
    return qualified(part) if callable(part) else repr(part)
