"""Loops: each is written as a function of its own, `sigma2_loop`, that fills the trajectories in a `for` statement.

What nobody reads but the last value of has no trajectory: the statement sets its name anew.

A function by itself can be compiled by itself: `tiering.py` has it compiled once it has cost as much time as compiling
does.

A loop that ends on a condition is given the largest number of iterations that the module may run, `most`, and returns
how many it ran, one more than `most` if it has not ended by then.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pytensor.graph.basic import Apply, Variable
from pytensor.graph.traversal import io_toposort

from autoopt.codegen.code import Code, call, sequence
from autoopt.codegen.printers.table import prints
from autoopt.codegen.printers.writer import Listing, Writer, entered
from autoopt.graph.loops.loop import Loop
from autoopt.graph.loops.marks import mark_of
from autoopt.ops.patterns import rank
from autoopt.ops.recursions import Appended, LinearRecurrence

ENDING = "_loop"


@prints(Loop, stem="path")
def loop(writer: Writer, node: Apply, *operands: Code) -> Code:
    op: Loop = node.op
    limit = [] if not op.ending else ["max(MOST)" if op.ending.place is None else f"MOST[{op.ending.place}]"]
    name = next((name for name, other in writer.loops.items() if other == op), None)
    if name is None:
        function = _Function(writer, node, operands)
        name = function.name
        writer.taken.update(function.body.functions)
        writer.functions |= {**function.body.functions, name: function.listing()}
        writer.loops[name] = op
        writer.constants |= function.body.constants
    return call(name, *operands, *limit)


class _Function:
    """The function of one loop."""

    def __init__(self, writer: Writer, node: Apply, operands: Sequence[Code]) -> None:
        self.op: Loop = node.op
        op, names = self.op, _names(writer, node, operands)
        self.names = names
        self.name = writer.fresh(names[0] + ENDING)
        self.scalar = [rank(v) == 0 for v in op.inputs[: op.carries]]
        self.plain = [one or k in op.ends for k, one in enumerate(self.scalar)]  # what their names are in an iteration
        self.results = [name + "_path" if one else name for name, one in zip(names, self.scalar, strict=False)]
        self.old, self.new = ("t + 1", "t") if op.reverse else ("t", "t + 1")
        arguments = []
        for k, (v, name) in enumerate(zip(op.inputs, names, strict=True)):
            if k < op.carries:
                arguments.append((v, name if self.plain[k] else f"{name}[{self.old}]"))
            else:
                arguments.append((v, f"{name}[t]" if k < op.carries + op.sequences else name))
        loops = [name for name in writer.taken if ENDING in name]  # also those of the functions around this one
        taken = [*self.results, *names, *writer.functions, *loops, "t", "most", *_QUESTIONS.values()]
        self.body = writer.inner(self.name, [*arguments, *reserved(taken)], op.results, *self.users())

    def users(self) -> tuple[dict[Variable, str], dict[Variable, str]]:
        """Return what the user calls the values of an iteration, and the lines that compute them."""
        op = self.op
        inside = [v for node in io_toposort(op.inputs, op.results) for v in node.outputs]
        marked = {v: found for v in inside if (found := mark_of(v)) is not None}
        called = {found.name: v for v, found in marked.items() if found.name and v not in op.results}
        names = {v: name for name, v in called.items() if name not in self.names}
        if len(op.results) > 1:
            names.setdefault(op.results[0], f"next_{self.names[0]}")
        return names, {v: found.text for v, found in marked.items()}

    def listing(self) -> Listing:
        """Return the function."""
        op = self.op
        starts = [name if one else f"{name}_start" for name, one in zip(self.names, self.plain, strict=False)]
        arguments = [*starts, *self.names[op.carries :], *(["most"] if op.ending else [])]
        count = "most" if op.ending else self.names[-1] if op.count is None else str(op.count)
        length = f"{count} + 1" if op.count is None else str(op.count + 1)
        lines = []
        for k, (result, start, v) in enumerate(zip(self.results, starts, op.inputs, strict=False)):
            if k in op.ends:
                continue
            extent = [length, *(f"{start}.shape[{k}]" if n is None else str(n) for k, n in enumerate(v.type.shape))]
            lines.append(f"{result} = np.empty({sequence(extent) if len(extent) > 1 else extent[0]})")
            lines.append(f"{result}[{count if op.reverse and op.count is None else -1 if op.reverse else 0}] = {start}")
        backwards = f"range({count} - 1, -1, -1)" if op.count is None else f"range({op.count - 1}, -1, -1)"
        lines.append(f"for t in {backwards if op.reverse else f'range({count})'}:")
        lines += [f"    {line}" for line in self.iteration()]
        returned = [*self.results, f"{count} + 1"] if op.ending else self.results
        return Listing(self.name, tuple(arguments), tuple(lines), tuple(returned))

    def iteration(self) -> list[str]:
        """Return the statements of one iteration."""
        op = self.op
        carried = list(zip(self.names, self.results, self.scalar, strict=False))
        targets = [name if one else f"{name}[{self.new}]" for name, one in zip(self.names, self.plain, strict=False)]
        question = [_QUESTIONS[op.ending.answer]] if op.ending else []
        lines = [*self.body.lines, f"{', '.join([*targets, *question])} = {', '.join(self.body.returned)}"]
        lines += [f"{result}[{self.new}] = {name}" for name, result, one in carried if one]
        if op.ending:
            parts = ", ".join(f"{result}[:t + 2]" for result in self.results)
            lines += [f"if {'' if op.ending.answer else 'not '}{question[0]}:", f"    return {parts}, t + 1"]
        return lines


@prints(LinearRecurrence, stem="path")
def linear(writer: Writer, node: Apply, x: Code, factor: Code) -> Code:
    return call(entered(writer, LINEAR), x, factor)


@prints(Appended, stem="path")
def append(writer: Writer, node: Apply, first: Code, others: Code) -> Code:
    return call("np.append", first, others)


LINEAR = Listing(
    "linear_recurrence",
    ("x", "factor"),
    ("bands = np.zeros((len(x), 2))", "bands[:-1, 1] = -factor"),
    ("scipy.linalg.blas.dtbsv(1, bands.T, x, lower=1, diag=1)",),
    "Return h with h[0] = x[0] and h[t] = factor[t - 1] * h[t - 1] + x[t].",
)

_QUESTIONS = {True: "done", False: "going"}


def reserved(names: Sequence[str]) -> list:
    """Return arguments that only keep names from being used."""
    from pytensor.tensor import scalar

    return [(scalar(), name) for name in names]


def _names(writer: Writer, node: Apply, operands: Sequence[Code]) -> list[str]:
    """Return what the function calls its carries, sequences and invariants."""
    op: Loop = node.op
    taken: set[str] = {"t", "np", "scipy", "most", *_QUESTIONS.values()}
    names = []
    for k, code in enumerate(operands):
        if k < op.carries:
            hint = writer.names.get(node.outputs[k]) or op.inputs[k].name or "state"
        elif seen := _SEEN.match(code.text):
            hint = seen[1]
        elif op.count is None and not op.ending and k == len(operands) - 1:
            hint = "count"
        else:
            hint = "term" if k < op.carries + op.sequences else "constant"
        names.append(_fresh(hint, taken))
    return names


_SEEN = re.compile(r"([^\W\d]\w*)(?:\[[^][]*\])*$")
"""A name, or a part of what it names."""


def _fresh(hint: str, taken: set[str]) -> str:
    stem = re.sub(r"_?\d+$", "", hint) or hint
    name, count = hint, 1
    while name in taken or f"{name}_path" in taken:
        count += 1
        name = f"{stem}{count}"
    taken |= {name, f"{name}_path", f"{name}_start"}
    return name
