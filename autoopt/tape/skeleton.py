"""A tape without its numbers: tapes of one skeleton that have the same numbers, or lengths, are made into like code.

Only tapes whose operations are written alike whatever the lengths of their operands have one: no rule among these
rounds a length (`n // 2`), or is a tree whose depth goes with it.
"""

from __future__ import annotations

import hashlib
import operator
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from autoopt.tape import operations
from autoopt.tape.digest import LITERAL, is_literal, template_text
from autoopt.tape.names import qualified
from autoopt.tape.recurrence import Known, Recurrence
from autoopt.tape.tape import CONSTANT, PARAMETER, Leaf, Step, Tape, call

NUMBER = re.compile(r"(?<![\w.])(?:\d+\.\d*(?:e[+-]?\d+)?|\d+(?:e[+-]?\d+)?)(?![\w.])")
"""A number in a text: digits that are no part of a name."""

_SPECIAL = ("logsumexp", "softmax", "log_softmax")
_PLAIN = """
    sum mean var std max min ptp average cumsum diff where clip round reshape ravel transpose matrix_transpose swapaxes
    moveaxis expand_dims squeeze broadcast_to atleast_1d atleast_2d atleast_3d concatenate stack hstack vstack
    column_stack flip zeros_like ones_like full_like copy dot vdot inner outer tensordot einsum trace diag diagonal tril
    triu count_nonzero all any polyval append take cov corrcoef nansum nanmean nan_to_num ediff1d trapezoid kron argsort
"""
_LINEAR_ALGEBRA = "solve inv det slogdet cholesky norm vector_norm multi_dot"
_LINEAR_ALGEBRA_OF_SCIPY = "solve_triangular cho_solve cho_factor cholesky solve inv det lu_factor lu_solve"
_ARITHMETIC: tuple[Any, ...] = (
    np.add,
    np.subtract,
    np.multiply,
    np.divide,
    np.maximum,
    np.minimum,
    np.where,
    operations.pack,
)
_ARITHMETIC += (operations.total, operations.product, operations.greatest, operations.least)
"""What knows no more of a number than its sign; a power, for one, is another with an even exponent."""

_INDEXING = (operator.getitem, operations.put, operations.put_add)
_OWN = "put put_add pack astype component total product greatest least sparse_product sparse_transposed_product"


class Skeleton(NamedTuple):
    """A tape and its numbers apart.

    Attributes
    ----------
    key : str
        A hash of the tape without the numbers.
    numbers : list of number
        Those that are no part of it, in order.
    size : int
        The entries of the largest array.
    lengths : dict of int to (str, int)
        Which of the numbers is the length of which data, along which axis.
    """

    key: str
    numbers: list[int | float]
    size: int
    lengths: dict[int, tuple[str, int]]


def skeleton(tape: Tape, *extra: str) -> Skeleton | None:
    """Return the skeleton of a tape for code that `extra` tells apart; None if the code may vary by more than numbers.

    Numbers up to 16, of which rules and rewrites know more than that they are numbers, stay in the hash.
    """
    parts = []
    read = {source for step in tape.steps if step.level == PARAMETER for source in step.inputs} | {tape.output}
    exact = _exact(tape.steps)
    known: dict[int, Any] = {}
    for index, step in enumerate(tape.steps):
        if step.level == PARAMETER and not _is_even(step.operation):
            return None
        head = _head(tape, index, index in read, index in exact, known)
        if head is None:
            return None
        parts.append(f"{head}|{step.shape}|{step.dtype}|{step.level}|{_kept(str(step.inputs))}")
    for guard in tape.guards:
        if np.size(guard.answer) > LITERAL:
            return None
        parts.append(
            f"{np.shape(guard.answer)}{np.asarray(guard.answer).tolist()!r}{_kept(f'{guard.step}{guard.kind}')}"
        )
    if any("array(" in part for part in parts):
        return None
    numbers: list[int | float] = []
    lengths: dict[int, tuple[str, int]] = {}

    def placeholder(found: re.Match) -> str:
        number = read_number(found[0])
        if is_small(number):
            return found[0]
        numbers.append(number)
        return "#" if isinstance(number, int) else "~"

    bare = []
    for index, part in enumerate(parts):
        if index < len(tape.steps) and index and isinstance(tape.steps[index].template, Leaf):
            moving = [axis for axis, length in enumerate(tape.steps[index].shape) if not is_small(length)]
            name = tape.steps[index].template.name
            lengths |= {len(numbers) + k: (name, axis) for k, axis in enumerate(moving)}
        bare.append(NUMBER.sub(placeholder, part))
    key = hashlib.blake2b(f"{chr(10).join(bare)}|{tape.output}|{extra}".encode(), digest_size=16).hexdigest()
    return Skeleton(key, numbers, max(prod(step.shape) for step in tape.steps), lengths)


def read_number(text: str) -> int | float:
    """Return the number that a text is."""
    return int(text) if text.isdigit() else float(text)


def is_small(number: int | float) -> bool:
    """Whether a number may be one of which rules and rewrites know more: a power, a count of few, a half."""
    return number <= LITERAL and number * LITERAL == int(number * LITERAL)


def _kept(text: str) -> str:
    """Return a text whose numbers are part of the skeleton."""
    return re.sub(r"(\d+)", r"_\1", text)


def _head(tape: Tape, index: int, is_read: bool, is_exact: bool, known: dict[int, Any]) -> str | None:
    """Return what a step does as text; None if more than numbers of it is in the code."""
    step = tape.steps[index]
    if step.operation is None:
        if isinstance(step.template, Leaf):
            return _kept(repr(step.template))
        value = tape.values[index]
        if is_read and not _is_plain(value):
            return None
        return _constant(value, is_exact)
    if isinstance(step.operation, Recurrence):
        return None if step.operation.segment else _loop(step.operation)
    head = qualified(step.operation)
    if step.template is not None:
        head += template_text(step.template)
    if step.level == CONSTANT and is_read:
        value = _value(tape, index, known)
        if not _is_plain(value):
            return None
        head += _constant(value, is_exact)
    return head


def _value(tape: Tape, index: int, known: dict[int, Any]) -> Any:
    """Return the value of a step that depends on nothing; `known` are those that have been asked for."""
    step = tape.steps[index]
    if step.operation is None:
        return tape.values[index]
    if index not in known:
        known[index] = call(step, [_value(tape, source, known) for source in step.inputs])
    return known[index]


def _is_plain(value: Any) -> bool:
    """Whether all that the code has of a constant is told: real ones are handed to it, but positions may be a slice."""
    return is_literal(value) or _counts(value) or np.asarray(value).dtype.kind == "f"


def _counts(value: Any) -> bool:
    return np.asarray(value).dtype.kind == "i" and np.array_equal(value, np.arange(np.size(value)))


def _constant(value: Any, is_exact: bool) -> str:
    """Return a constant as text; a number of which more is known than that it is one is part of the skeleton."""
    array = np.asarray(value)
    if array.size <= LITERAL:
        entries, before = repr(array.tolist()), type(value).__name__
    else:
        entries = str(array.flat[0]) if is_literal(value) else f"counts {_counts(value)}"
        before = f"{array.shape} {array.dtype}"
    return f"{before} {_kept(entries) if is_exact else entries}"


def _loop(loop: Recurrence) -> str:
    """Return a loop as text, with the bodies of the loops in it."""
    fixed = _kept(f"{loop.carries} {loop.sequences} {loop.updates} {loop.outputs} {loop.until}")
    return "\n".join([f"loop {loop.count} {fixed}", *_body(loop)])


def _body(loop: Recurrence) -> Iterator[str]:
    exact = _exact(loop.body)
    for index, step in enumerate(loop.body):
        operation, template = step.operation, step.template
        known = isinstance(template, Known)
        told = _constant(template.value, index in exact) if known else template_text(template)
        name = _loop(operation) if isinstance(operation, Recurrence) else qualified(operation) if operation else ""
        yield f"{name}|{told}|{step.shape}|{step.dtype}|{_kept(str(step.inputs))}"


def _exact(steps: Sequence[Step]) -> set[int]:
    """Return the steps that operations read which may know more of a number than that it is one."""
    known: set[int] = set()
    for step in steps:
        if step.level != PARAMETER or step.operation in _ARITHMETIC or isinstance(step.operation, Recurrence):
            continue
        ends = step.operation in _INDEXING  # two positions are what they are; three may be a slice for being in a row
        known.update(source for source in step.inputs if not (ends and prod(steps[source].shape) <= 2))
    for index in range(len(steps) - 1, -1, -1):  # what is computed of nothing is known as well as its operands are
        if index in known and steps[index].level == CONSTANT:
            known.update(steps[index].inputs)
    return known


def _is_even(operation: Callable | None) -> bool:
    """Whether an operation on parameters is written alike for all lengths."""
    if operation is None:
        return True
    if isinstance(operation, Recurrence):
        return all(_is_even(step.operation) for step in operation.body)
    if isinstance(operation, np.ufunc):
        return True
    owner = getattr(operation, "__self__", None)
    if isinstance(owner, np.ufunc):
        return operation == owner.outer or (owner in _REDUCED and operation in (owner.reduce, owner.accumulate))
    return operation in _even()


_REDUCED = (np.add,)
_EVEN: set[Callable] = set()


def _even() -> set[Callable]:
    """Return those that are no ufuncs; SciPy's only where the objective has loaded it."""
    if not _EVEN:
        _EVEN.add(operator.getitem)
        for owner, names in ((np, _PLAIN), (np.linalg, _LINEAR_ALGEBRA), (operations, _OWN)):
            _EVEN.update(getattr(owner, name) for name in names.split() if hasattr(owner, name))
    for module, known in (("scipy.special", _SPECIAL), ("scipy.linalg", _LINEAR_ALGEBRA_OF_SCIPY.split())):
        loaded = sys.modules.get(module)
        if loaded is not None:
            _EVEN.update(getattr(loaded, name) for name in known)
    return _EVEN
