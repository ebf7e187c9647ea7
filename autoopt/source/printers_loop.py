"""Loops: each is written as a function of its own, `sigma2_loop`, that fills the trajectories in a `for` statement.

A function by itself can be compiled by itself: `hot.py` has it compiled once it has cost as much time as compiling
does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pytensor.graph.basic import Apply

from autoopt.graph.loop import Loop
from autoopt.source.code import Code, call
from autoopt.source.idioms import rank
from autoopt.source.printers import prints

ENDING = "_loop"


@prints(Loop, stem="path")
def loop(writer, node: Apply, *operands: Code) -> Code:
    from autoopt.source.listing import list_function  # needs the registry of printers

    op: Loop = node.op
    known = next((name for name, other in writer.loops.items() if other == op), None)
    if known:
        return call(known, *operands)
    names = _names(writer, node, operands)
    carried = list(zip(names, op.inputs[: op.carries], strict=False))
    function = writer.fresh(names[0] + ENDING)
    results = [name + "_path" if rank(v) == 0 else name for name, v in carried]
    starts = [name if rank(v) == 0 else f"{name}_start" for name, v in carried]
    old, new = ("t + 1", "t") if op.reverse else ("t", "t + 1")
    first = "-1" if op.reverse else "0"
    arguments = []
    for k, (v, name) in enumerate(zip(op.inputs, names, strict=True)):
        if k < op.carries:
            arguments.append((v, name if rank(v) == 0 else f"{name}[{old}]"))
        else:
            arguments.append((v, f"{name}[t]" if k < op.carries + op.sequences else name))
    body = list_function(function, [*arguments, *_reserved([*results, *names, *writer.functions, "t"])], op.updates)
    *lines, returned = body.text.split("\n    ")[1:]
    values = returned.removeprefix("return ")
    targets = [name if rank(v) == 0 else f"{name}[{new}]" for name, v in carried]
    lines.append(f"{', '.join(targets)} = {values}")
    lines += [f"{result}[{new}] = {name}" for result, name in zip(results, names, strict=False) if result != name]
    head = [f"def {function}({', '.join([*starts, *names[op.carries :]])}):"]
    for result, start, v in zip(results, starts, op.inputs, strict=False):
        extent = (op.count + 1, *v.type.shape)
        head += [f"{result} = np.empty({extent if len(extent) > 1 else extent[0]})", f"{result}[{first}] = {start}"]
    head.append(f"for t in {f'range({op.count - 1}, -1, -1)' if op.reverse else f'range({op.count})'}:")
    text = "\n    ".join([*head, *(f"    {line}" for line in lines), f"return {', '.join(results)}"])
    writer.taken.update(body.functions)
    writer.functions |= {**body.functions, function: text}
    writer.loops[function] = op
    writer.constants |= body.constants
    return call(function, *operands)


def _reserved(names: Sequence[str]) -> list:
    """Return arguments that only keep names from being used."""
    from pytensor.tensor import scalar

    return [(scalar(), name) for name in names]


def _names(writer, node: Apply, operands: Sequence[Code]) -> list[str]:
    """Return what the function calls its carries, sequences and invariants."""
    op: Loop = node.op
    taken: set[str] = {"t", "np", "scipy"}
    names = []
    for k, code in enumerate(operands):
        if k < op.carries:
            hint = writer.names.get(node.outputs[k]) or node.outputs[k].name or "state"
        elif code.is_name:
            hint = code.text
        else:
            hint = "term" if k < op.carries + op.sequences else "constant"
        names.append(_fresh(hint, taken))
    return names


def _fresh(hint: str, taken: set[str]) -> str:
    stem = re.sub(r"_?\d+$", "", hint) or hint
    name, count = hint, 1
    while name in taken or f"{name}_path" in taken:
        count += 1
        name = f"{stem}{count}"
    taken |= {name, f"{name}_path", f"{name}_start"}
    return name
