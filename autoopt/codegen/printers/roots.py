"""Roots: the equation is written as a function, the search as another one that gives it to SciPy.

    def root_equation(z, a, y):
        return z**3 + a * z - y

    def root_search(low, high, a, y):
        return scipy.optimize.brentq(root_equation, low, high, args=(a, y))

Many roots of one equation are searched for in a loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytensor.graph.basic import Apply

from autoopt.codegen.code import Code, call, sequence
from autoopt.codegen.printers.loops import reserved
from autoopt.codegen.printers.table import prints
from autoopt.codegen.printers.writer import Listing, Writer
from autoopt.graph.loops.roots import RootOp
from autoopt.tape.names import fresh

SEARCH = "_search"


@prints(RootOp, stem="root")
def root(writer: Writer, node: Apply, *operands: Code) -> Code:
    op: RootOp = node.op
    name = next((name for name, other in writer.loops.items() if other == op), None)
    if name is None:
        stem = writer.names.get(node.outputs[0]) or "root"
        name = writer.fresh(stem + SEARCH)
        taken = {name, "np", "scipy", "z", "i", "roots", "solution", "found", "message", *writer.functions}
        hints = ("low", "high") if op.root.starts == 2 else ("start",)
        names = [fresh(hint, taken) for hint in hints]
        names += [fresh(code.text if code.is_name else "given", taken) for code in operands[op.root.starts :]]
        own = names[op.root.starts :]
        functions = []
        for k, result in enumerate(op.results):
            role = op.root.functions[k][0] or "equation"
            arguments = list(zip(op.inputs, ["z", *own], strict=True))
            title = writer.fresh(f"{stem}_{role}")
            others = [other for other in writer.taken if other.startswith(stem)]  # those of the functions around, too
            inner = writer.inner(title, [*arguments, *reserved([name, *others, *writer.functions])], [result])
            inner = replace(inner, arguments=("z", *own))
            writer.taken.update(inner.functions)
            writer.functions |= {**inner.functions, inner.name: inner}
            writer.constants |= inner.constants
            functions.append(inner)
        writer.functions[name] = Listing(name, tuple(names), *_lines(op, names, functions))
        writer.loops[name] = op
    return call(name, *operands)


def _lines(op: RootOp, names: Sequence[str], functions: Sequence[Listing]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the statements of the search, and what it returns."""
    given = [
        f"{name}[i]" if many else name for name, many in zip(names, op.stacked or [False] * len(names), strict=True)
    ]
    starts, own = given[: op.root.starts], given[op.root.starts :]
    equation, *others = (function.name for function in functions)
    options = [f"{role}={other}" for (role, _), other in zip(op.root.functions[1:], others, strict=True)]
    options += [f"args={sequence(own)}"] if own else []
    options += [f"{option}={value!r}" for option, value in op.root.options]
    options += ["full_output=True"] * (op.root.search == "fsolve")
    found = str(call(f"scipy.optimize.{op.root.search}", equation, *starts, *options))
    before, result = _CHECKED.get(op.root.search, ((), "{}"))
    before, result = tuple(line.format(found) for line in before), result.format(found)
    if not op.stacked:
        return before, (result,)
    first = next(name for name, many in zip(names, op.stacked, strict=True) if many)
    loop = [f"for i in range(len({first})):", *(f"    {line}" for line in before), f"    roots.append({result})"]
    return ("roots = []", *loop), ("np.array(roots)",)


_CHECKED: dict[str, tuple[tuple[str, ...], str]] = {
    "root": (
        ("solution = {}", "if not solution.success:", "    raise RuntimeError(solution.message)"),
        "solution.x",
    ),
    "fsolve": (
        ("solution, _, found, message = {}", "if found != 1:", "    raise RuntimeError(message)"),
        "solution",
    ),
}
"""Searches that return when they have found nothing: the statements, with the call, and where the root is."""
