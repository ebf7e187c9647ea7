"""The derivatives of one kind of step as NumPy functions: those that ship with the package, from the cache, or derived.

A kind is an operation with its options and with what its operands are, but for the lengths of arrays: `np.multiply` of
two operands that vary is one, whatever their shapes; `np.matmul` of a matrix and a vector is another one. What was
printed for a kind serves all tapes. Functions that cannot be derived without the lengths are kinds for each.
"""

from __future__ import annotations

import hashlib
import operator
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from autoopt.errors import UnsupportedFunctionError
from autoopt.execution import source_cache
from autoopt.execution.eager import shipped, trials
from autoopt.execution.eager.roles import Role
from autoopt.execution.modules import executed
from autoopt.tape.digest import template_text
from autoopt.tape.names import qualified
from autoopt.tape.operations import astype, component, pack, put, put_add
from autoopt.tape.recurrence import Recurrence
from autoopt.tape.tape import CONSTANT, Slot, Step

FLOAT = np.dtype(float)
_MOST = 5000
"""The kinds that are kept: of those for each length there may be any number."""


class Derivatives:
    """The functions of one order of one kind of step.

    Attributes
    ----------
    functions : dict of str to callable
        `pull` of order 1, `push` and `second` of order 2.
    varying : list of int
        The operands that vary, by position.
    read : list of int
        The operands that the functions take.
    entrywise : bool
        Whether functions of numbers serve arrays, entry by entry.
    """

    def __init__(
        self, step: Step, roles: Sequence[Role], order: int, shapes: Sequence[tuple[int, ...]] | None = None
    ) -> None:
        self.functions, self.entrywise = _functions(step, roles, order, shapes)
        self.varying = [k for k, role in enumerate(roles) if role.kind == "varies"]
        self.read = [k for k, role in enumerate(roles) if role.kind != "fixed"]


def _functions(
    step: Step, roles: Sequence[Role], order: int, shapes: Sequence[tuple[int, ...]] | None
) -> tuple[dict[str, Callable], bool]:
    """Return the functions of a kind of step, and whether there are no arrays within.

    Those for free lengths are tried before they are kept, on operands of the `shapes` that they are first needed for.
    """
    key = kind_text(step, roles)
    kept = shipped.find(key)
    if kept is not None:
        return kept, is_elementwise(step)
    digest = hashlib.blake2b(f"{key}|{order}|{source_cache.version()}".encode(), digest_size=16).hexdigest()
    text = source_cache.read(digest)
    if text is None:
        text = derived(step, roles, order)
        if shapes is not None and not text.startswith(_EXACT):
            first = {} if order == 1 else _functions(step, roles, 1, shapes)[0]
            if not trials.hold(step, roles, shapes, first | executed(text, "step")):
                text = _EXACT
        text = source_cache.write(digest, text)
    if text.startswith(_EXACT):
        raise LengthsCount
    return executed(text, "step"), not text.startswith(_ARRAYS)


class LengthsCount(Exception):
    """A function has no derivative for free lengths of its operands."""


_EXACT = "# for each length\n"
_ARRAYS = "# with arrays\n"


def derived(step: Step, roles: Sequence[Role], order: int) -> str:
    """Return the text of the derivatives of a kind of step; of no function if they need its lengths."""
    assert step.operation is not None
    from autoopt.codegen.step_functions import write_step_functions
    from autoopt.graph.steps import Operand

    try:
        return write_step_functions(step, [Operand(*role) for role in roles], order)
    except Exception as problem:
        if any(None in role.shape for role in roles):
            return _EXACT
        if isinstance(problem, UnsupportedFunctionError):
            raise
        raise UnsupportedFunctionError(
            f"The objective needs the derivative of {qualified(step.operation)} as it is used here, which autoopt "
            "cannot make.",
            step.location,
            "write it with other functions, or pass jac='finite-difference'.",
        ) from problem


def kind_text(step: Step, roles: Sequence[Role]) -> str:
    """Return the identity of a kind of step."""
    assert step.operation is not None
    template = "" if step.template is None else template_text(step.template)
    return f"{qualified(step.operation)}{template}|{'|'.join(role.text for role in roles)}"


_IN_STEPS = frozenset(
    (np.argsort, np.argmax, np.argmin, np.count_nonzero, np.all, np.any, np.searchsorted, np.sign, np.where, astype,
     operator.getitem, put, put_add, pack, np.sum, np.reshape, np.isclose, np.allclose, component)
)  # fmt: skip
"""Functions whose whole numbers and truth values change in steps: these have no slope."""


def require_steps(step: Step) -> None:
    """Raise if what a step makes of what varies is neither real numbers nor known to change in steps."""
    operation = step.operation
    assert operation is not None
    if step.dtype.kind in "biu":
        if operation in _IN_STEPS or isinstance(operation, np.ufunc):
            return
        from autoopt.rules import find

        if find(operation) is not None:
            return
    elif step.dtype.kind == "f":
        return
    kinds = {"c": "complex numbers", "V": "an array of records", "O": "an array of objects"}
    what = kinds.get(step.dtype.kind, qualified(operation))
    raise UnsupportedFunctionError(
        f"The objective uses {what}, which autoopt cannot differentiate.",
        step.location,
        "write it with other NumPy functions, or pass jac='finite-difference'.",
    )


# Kinds of the steps of a tape -----------------------------------------------------------------------------------------


def is_elementwise(step: Step) -> bool:
    """Whether a step does the same to each entry, so that derivatives of numbers are those of arrays."""
    operation = step.operation
    if isinstance(operation, np.ufunc):
        return step.template is None and operation.nout == 1 and operation.signature is None
    return operation is np.where and (len(step.inputs) == 3 if step.template is None else _is_choice(*step.template))


def _is_choice(args: Sequence[Any], options: dict[str, Any]) -> bool:
    """Whether a condition and what is chosen are inputs, or numbers."""
    return len(args) == 3 and not options and all(type(part) is Slot or np.ndim(part) == 0 for part in args)


class Kinds:
    """The kinds of step that have been met, with their derivatives.

    Attributes
    ----------
    spent : float
        Seconds that these took to be had, all in all.
    """

    def __init__(self) -> None:
        self.spent = 0.0
        self._known: dict[Any, Derivatives | None] = {}  # None where the lengths count

    def of(
        self, step: Step, operands: Sequence[Step], varies: Sequence[bool], values: Sequence[Any], order: int
    ) -> Derivatives:
        """Return the derivatives of a step.

        Parameters
        ----------
        step : Step
        operands : sequence of Step
        varies : sequence of bool
            Which of them have slopes.
        values : sequence
            Their values; those of steps that depend on nothing may be part of the code.
        order : 1 or 2
        """
        if is_elementwise(step) and any(operand.shape != () for operand in operands):
            first = self._of(step, operands, varies, values, 1, True)  # arrays within are in those of both orders
            if not first.entrywise:
                return self._of(step, operands, varies, values, order, False)
        found = self._of(step, operands, varies, values, order, is_elementwise(step))
        if found.entrywise or not is_elementwise(step) or all(operand.shape == () for operand in operands):
            return found
        return self._of(step, operands, varies, values, order, False)

    def _of(
        self,
        step: Step,
        operands: Sequence[Step],
        varies: Sequence[bool],
        values: Sequence[Any],
        order: int,
        elementwise: bool,
    ) -> Derivatives:
        """Return the derivatives of a step, done entry by entry or not."""
        roles = [_role(step, *each, elementwise) for each in zip(operands, varies, values, strict=True)]
        template = None if step.template is None else template_text(step.template)
        key = (order, step.operation, template, *(role if role.kind != "fixed" else role.text for role in roles))
        if key not in self._known:
            begin = time.perf_counter()
            try:
                shapes = [operand.shape for operand in operands] if any(None in role.shape for role in roles) else None
                self._keep(key, Derivatives(step, roles, order, shapes))
            except LengthsCount:
                self._keep(key, None)
            finally:
                self.spent += time.perf_counter() - begin
        known = self._known[key]
        if known is not None:
            return known
        roles = [_exact(*each) for each in zip(operands, varies, values, strict=True)]
        key = (*key, *(role.text for role in roles))
        known = self._known.get(key)
        return known or self._keep(key, Derivatives(step, roles, order))

    def _keep(self, key: Any, derivatives: Any) -> Any:
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[key] = derivatives
        return derivatives


KINDS_OF_STEP = Kinds()


def _role(step: Step, operand: Step, varies: bool, value: Any, elementwise: bool) -> Role:
    shape = () if elementwise else tuple(1 if length == 1 else None for length in operand.shape)
    if varies:
        return Role("varies", shape)
    if operand.level == CONSTANT and _is_part_of_code(step, operand):
        return Role("fixed", value=value)
    if elementwise and operand.level == CONSTANT and type(value) is int:
        return Role("given")  # which is the same to floats
    return Role("given", shape, _name(operand.dtype))


def _is_part_of_code(step: Step, operand: Step) -> bool:
    """Whether derivatives are made for the value of a constant: exponents, axes, positions; not data."""
    if isinstance(step.operation, np.ufunc) or is_elementwise(step):
        return step.operation is np.power and operand.shape == ()
    return not (operand.dtype == FLOAT and operand.shape) and not isinstance(step.operation, Recurrence)


def _exact(operand: Step, varies: bool, value: Any) -> Role:
    if varies:
        return Role("varies", operand.shape)
    if operand.level == CONSTANT and np.asarray(value).dtype.kind in "biufU":
        return Role("fixed", value=value)
    return Role("given", operand.shape, _name(operand.dtype))


@cache
def _name(dtype: np.dtype) -> str:
    return str(dtype)
