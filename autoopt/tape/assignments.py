"""Which variable of the user's the result of an instruction is stored in."""

from __future__ import annotations

import dis
from itertools import pairwise
from types import CodeType

_STORES = frozenset(("STORE_FAST", "STORE_NAME", "STORE_GLOBAL", "STORE_DEREF"))
_assigned: dict[int, tuple[CodeType, dict[int, str]]] = {}


def assigned_name(code: CodeType, offset: int) -> str | None:
    """Return the variable that the result of the instruction at `offset` is stored in, if it is."""
    known = _assigned.get(id(code))
    if known is None or known[0] is not code:
        instructions = list(dis.get_instructions(code))
        found = {before.offset: after.argval for before, after in pairwise(instructions) if after.opname in _STORES}
        known = _assigned[id(code)] = (code, found)
    name = known[1].get(offset)
    return name if name and name.isidentifier() and not name.startswith("_") else None
