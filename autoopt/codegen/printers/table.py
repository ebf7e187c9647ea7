"""The table of printers.

A printer takes the writer, the node and the code of its operands, and returns the expression (for several outputs, an
expression of that many values).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pytensor.graph.basic import Apply
from pytensor.tensor.math import Dot
from pytensor.tensor.subtensor import Subtensor

from autoopt.codegen.code import Code
from autoopt.errors import Location, UnsupportedFunctionError
from autoopt.ops.matmul import MatMul

Printer = Callable[..., Code]


PRINTERS: dict[type, Printer] = {}


STEMS: dict[type, str] = {}


def prints(*kinds: type, stem: str | None = None) -> Callable[[Printer], Printer]:
    """Register a printer for operations of `kinds`; `stem` begins the names of their results."""

    def register(printer: Printer) -> Printer:
        for kind in kinds:
            PRINTERS[kind] = printer
            if stem:
                STEMS[kind] = stem
        return printer

    return register


def print_node(writer, node: Apply) -> Code:
    """Return the expression for `node`."""
    printer = next((PRINTERS[kind] for kind in type(node.op).__mro__ if kind in PRINTERS), None)
    if printer is None:
        raise NoSource(node.op, node)
    try:
        return printer(writer, node, *(writer.code(v) for v in node.inputs))
    except NoSource as problem:
        raise problem.at(node) from None


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
