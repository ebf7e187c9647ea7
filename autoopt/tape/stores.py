"""Which variable the result of a step is stored in as the bytecode has it: where there is no text, or in arrays."""

from __future__ import annotations

import dis
import operator
from bisect import bisect_right
from itertools import pairwise
from types import CodeType

from autoopt.tape.tape import Step

_STORES = ("STORE_FAST", "STORE_NAME", "STORE_GLOBAL", "STORE_DEREF")
_variables: dict[int, tuple[CodeType, list[int], list[tuple[str, ...]]]] = {}


def stored_name(step: Step) -> str | None:
    """Return the variable that the result of a step is stored in, if it is.

    `mu, sigma = p` is one instruction for all entries: the position of an entry says which of the variables it becomes.
    """
    if step.site is None:
        return None
    code, offset = step.site
    known = _variables.get(id(code))
    if known is None or known[0] is not code:
        known = _variables[id(code)] = (code, *_stored(code))
    names = known[2][bisect_right(known[1], offset) - 1]  # one that has run often may be within the instruction
    position = 0
    if len(names) > 1:
        if step.operation is not operator.getitem or step.template is None or type(step.template[0][1]) is not int:
            return None
        position = step.template[0][1]
    if not 0 <= position < len(names):
        return None
    return names[position]


def filled_name(step: Step) -> str | None:
    """Return the array that the result of a step is written into, as of `sigma2[t] = ...`."""
    if step.site is None:
        return None
    code, offset = step.site
    instructions = [found for found in dis.get_instructions(code) if found.offset > offset]
    name, depth = None, 1
    for instruction in instructions[:_INDEX]:
        if instruction.opname == "STORE_SUBSCR":
            return name if depth == 3 and name and name.isidentifier() and not name.startswith("_") else None
        if instruction.opname == "STORE_SLICE" or instruction.opname.startswith(_STORES):
            return None
        if name is None:
            if not instruction.opname.startswith(_LOADS):
                return None
            name = instruction.argval[0] if isinstance(instruction.argval, tuple) else instruction.argval
        try:
            depth += dis.stack_effect(instruction.opcode, instruction.arg)
        except ValueError:
            return None
        if depth < 2:
            return None
    return None


_LOADS = ("LOAD_FAST", "LOAD_NAME", "LOAD_GLOBAL", "LOAD_DEREF")

_INDEX = 12
"""Instructions that an index is made of, at most."""


def _stored(code: CodeType) -> tuple[list[int], list[tuple[str, ...]]]:
    """Return the offset of each instruction, and the variables that its result is stored in: several if unpacked."""
    instructions = list(dis.get_instructions(code))
    stored: list[tuple[str, ...]] = []
    for number, (before, after) in enumerate(pairwise(instructions)):
        if before.opname == "UNPACK_SEQUENCE":
            names = _targets(instructions[number + 1 :], before.arg or 0)
        else:
            names = _targets([after], 1)
        stored.append(names)
    return [instruction.offset for instruction in instructions], [*stored, ()]


def _targets(instructions: list[dis.Instruction], count: int) -> tuple[str, ...]:
    """Return the names of `count` variables that the instructions begin by storing; none if they do something else."""
    names: list[str] = []
    for instruction in instructions:
        if len(names) >= count or not instruction.opname.startswith(_STORES):
            break
        parts = instruction.argval if isinstance(instruction.argval, tuple) else (instruction.argval,)
        names += parts[: 1 if instruction.opname == "STORE_FAST_LOAD_FAST" else 2]
    return tuple(names[:count]) if len(names) >= count else ()
