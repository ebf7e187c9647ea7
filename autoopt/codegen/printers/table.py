"""The table of printers: a row for each class of operation, entered by `@prints` above the function that writes it.

A printer takes the writer, the node and the code of its operands, and returns the expression (for several outputs, an
expression of that many values). What else is to be known of an operation's text stands in the same line: how names of
its results begin, whether these look at the memory of an operand, and whether the text serves stacks of matrices, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytensor.graph.basic import Apply
from pytensor.tensor.math import Dot
from pytensor.tensor.subtensor import Subtensor

from autoopt.codegen.code import Code
from autoopt.codegen.printers.writer import Writer
from autoopt.errors import Location, UnsupportedFunctionError
from autoopt.ops.matmul import MatMul


@dataclass(frozen=True)
class View:
    """A result that shares memory with an operand.

    Attributes
    ----------
    operand : int
        Which one it shares memory with.
    writable : bool
        Whether a view of a new array that has no other reader may be written into in the array's place.
    """

    operand: int = 0
    writable: bool = True


READ_ONLY = View(writable=False)

Views = View | Callable[[Apply], View | None] | None
"""A view, what tells of a node whether its result is one, or None: the results are arrays of their own."""


@dataclass(frozen=True)
class Printer:
    """How one class of operations is written.

    Attributes
    ----------
    write : callable
        `write(writer, node, *operands)` returns the expression.
    view : View, callable or None
    stacked : bool
        Whether the text of a matrix operation is also that for stacks of matrices.
    """

    write: Callable[..., Code]
    view: Views = None
    stacked: bool = False


PRINTERS: dict[type, Printer] = {}

STEMS: dict[type, str] = {}
"""How names of results begin, by the class of the operation, for elementwise ones by that of the scalar operation."""


def prints(
    *kinds: type, stem: str | None = None, view: Views = None, stacked: bool = False
) -> Callable[[Callable[..., Code]], Callable[..., Code]]:
    """Register a printer for operations of `kinds`; `stem` begins the names of their results."""

    def register(write: Callable[..., Code]) -> Callable[..., Code]:
        for kind in kinds:
            PRINTERS[kind] = Printer(write, view, stacked)
            if stem:
                STEMS[kind] = stem
        return write

    return register


def printer_of(op: object, stacked: bool = False) -> Printer | None:
    """Return the row of an operation, or of the next class above its own that has one; if `stacked`, one for stacks."""
    rows = (PRINTERS[kind] for kind in type(op).__mro__ if kind in PRINTERS)
    return next((row for row in rows if row.stacked or not stacked), None)


def print_node(writer: Writer, node: Apply) -> Code:
    """Return the expression for `node`."""
    printer = printer_of(node.op)
    if printer is None:
        raise NoSource(node.op, node)
    try:
        return printer.write(writer, node, *(writer.code(v) for v in node.inputs))
    except NoSource as problem:
        raise problem.at(node) from None


def view_of(node: Apply) -> View | None:
    """Return what memory the result of `node` may share; None if it is an array of its own."""
    printer = printer_of(node.op)
    view = None if printer is None else printer.view
    return view(node) if callable(view) else view


class NoSource(UnsupportedFunctionError):
    """An operation has no printer; `node` is where it is met, so that the user's line can be found."""

    def __init__(self, op: object, node: Apply | None = None, where: Location | None = None) -> None:
        remedy = 'use engine="numba", or jac="finite-difference".'
        super().__init__(f"There is no NumPy source for the operation {op}.", where, remedy)
        self.op, self.node = op, node

    def at(self, node: Apply | None = None, where: Location | None = None) -> NoSource:
        """Return the same with its node, or the place in the user's file."""
        return NoSource(self.op, self.node or node, where)


def stem(node: Apply, operands: Sequence[Code]) -> str:
    """Return the beginning of a name for the result of `node`."""
    if isinstance(node.op, Dot | MatMul):
        names = [code.text.removesuffix(".T") for code in operands]
        return "".join(names) if all(re.fullmatch(r"[A-Za-z]\d?", name) for name in names) else "product"
    if isinstance(node.op, Subtensor) and operands[0].is_name:
        base, entry, index = operands[0].text, node.op.idx_list[0], operands[-1].text
        endings = {"1": "_tail", "-1": "_head"} if isinstance(entry, slice) else {"-1": "_last", index: index}
        single = len(operands) == 2 and len(node.op.idx_list) == 1
        ending = endings.get(index, "_part") if single else "_part"
        return base + (ending if ending.replace("_", "").isalnum() else "_part")
    kind = type(getattr(node.op, "scalar_op", node.op))
    word = next((STEMS[k] for k in (kind, type(node.op)) if k in STEMS), "t")
    if len(operands) == 1 and operands[0].is_name and len(operands[0].text) < 12 and word != "t":
        return f"{word}_{operands[0].text}"
    return word
