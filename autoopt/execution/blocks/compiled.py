"""Passes over blocks of rows as machine code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoopt.execution.blocks.plan import RowPass
from autoopt.execution.blocks.running import Blocks, block_rows, driven
from autoopt.execution.tiering import GAIN, agree, shortest

ROUNDS = 3
"""How often a block is run to see which is faster."""


def compile_passes(blocks: Blocks, operands: tuple) -> None:
    """Have the passes of a plan run as machine code where that gives the same results faster."""
    plan = blocks.plan
    known = dict(zip(plan.arguments, operands, strict=True))
    count = known["rows"] = plan.count(known)
    size = block_rows(plan, known, blocks.size)
    if size > count:
        return

    def passed(row_pass: RowPass, known: dict[str, Any]) -> dict[str, Any]:
        compile_pass(blocks, row_pass, known, size)
        return blocks.passed(row_pass, known, count, size)

    driven(plan, blocks.functions, known, passed)


def compile_pass(blocks: Blocks, row_pass: RowPass, known: Mapping[str, Any], size: int) -> None:
    """Have one pass run as machine code for blocks of so many rows, if that is right and pays."""
    from autoopt.execution.native.arrays import NotLowered

    function = blocks.functions[row_pass.name]
    operands = blocks.operands(row_pass, known, 0, size)
    try:
        from autoopt.execution.native.machine import Native, lowered

        native = Native(lowered(function, tuple(operands)))
        again = native(*operands)
    except NotLowered as problem:
        blocks.reasons[row_pass.name] = f"there is none for {problem}"
        return
    except Exception as problem:  # a system that forbids new code, ...: whatever it is, the text runs
        blocks.reasons[row_pass.name] = str(problem)
        return
    if not agree(function(*operands), again):
        blocks.reasons[row_pass.name] = "it gives other results"
    elif shortest(native, operands, ROUNDS) > GAIN * shortest(function, operands, ROUNDS):
        blocks.reasons[row_pass.name] = "it is not faster than NumPy"
    else:
        blocks.fast[row_pass.name] = native
