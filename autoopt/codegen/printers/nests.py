"""Nests of loops: each is written as a function of its own, of `for` statements around writes into windows.

Counters are chosen so that most places of single entries are the counter itself, as a person would have them.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from pytensor.graph.basic import Apply, Variable
from pytensor.tensor.basic import Alloc

from autoopt.codegen.code import Code, call
from autoopt.codegen.printers.loops import reserved
from autoopt.codegen.printers.table import prints
from autoopt.codegen.printers.writer import Listing, Writer
from autoopt.graph.nests.operation import NestOp
from autoopt.graph.nests.program import Assignment
from autoopt.ops.patterns import unexpanded
from autoopt.tape.names import fresh
from autoopt.tape.nests.nest import Repeat, statements_of
from autoopt.tape.nests.windows import Affine, Form, New, One, Run, Window, summed
from autoopt.tape.statements import place_of

COUNTERS = ("i", "j", "k", "l", "m")


@prints(NestOp, stem="array")
def nest(writer: Writer, node: Apply, *operands: Code) -> Code:
    op: NestOp = node.op
    name = next((name for name, other in writer.loops.items() if other == op), None)
    if name is None:
        function = _Function(writer, node, operands)
        name = function.name
        listing = function.listing()
        writer.functions |= {**function.functions, name: listing}
        writer.taken.update(function.functions)
        writer.loops[name] = op
        writer.constants |= function.constants
    return call(name, *operands)


class _Function:
    """The function of one nest."""

    def __init__(self, writer: Writer, node: Apply, operands: Sequence[Code]) -> None:
        self.writer, self.program = writer, node.op.program
        self.functions: dict[str, Listing] = {}
        self.constants: dict[str, str] = {}
        self.taken = {"np", "scipy", *COUNTERS}
        program = self.program
        hints = [name or "array" for name in program.names]
        for k, code in enumerate(operands):
            if program.names[k] is None and code.text.isidentifier():
                hints[k] = code.text
        used = {k for s in program.assignments() for k in (s.target, *(r.array for r in s.reads))}
        used |= {*program.results, *range(program.operands)}
        self.used = sorted(used)
        self.names = {k: fresh(hints[k], self.taken) for k in self.used}
        stem = self.names[program.results[0]] if program.results else "array"
        self.name = writer.fresh(f"{stem}_loops")
        self.comment = ""

    def listing(self) -> Listing:
        """Return the function."""
        program, written = self.program, self.program.written()
        lines = []
        for k in self.used:
            name, shape = self.names[k], program.shapes[k]
            if k >= program.operands:
                lines.append(f"{name} = np.zeros({str(shape) if len(shape) > 1 else shape[0]})"
                             if shape else f"{name} = 0.0")  # fmt: skip
            elif k in written and shape:
                lines.append(f"{name} = {name}.copy()")
        lines += self._body(program.body, [], "")
        arguments = tuple(self.names[k] for k in range(program.operands))
        returned = [self.names[k] for k in program.results]
        unwritten = [k for k in program.results if k not in written and k < program.operands]
        returned = [f"{n}.copy()" if k in unwritten else n for k, n in zip(program.results, returned, strict=True)]
        return Listing(self.name, arguments, tuple(lines), tuple(returned))

    # Loops ------------------------------------------------------------------------------------------------------------

    def _body(self, body: Sequence[Any], ordinals: list[Form], indent: str) -> list[str]:
        """Return the lines of a body; `ordinals` are the iterations of the loops around, in terms of their counters."""
        lines: list[str] = []
        for part in body:
            if not isinstance(part, Repeat):
                lines += [indent + line for line in self._statement(part, ordinals)]
                continue
            counter = COUNTERS[len(ordinals)]
            sign, origin = _origin(part, len(ordinals))
            start, count = _in_counters(origin, ordinals), _in_counters(part.times, ordinals)
            ordinal = summed({counter: sign}, start, -sign)
            first, stop, step = start, summed(start, count, sign), sign
            if part.reverse:
                first, stop, step = summed(stop, {"": sign}, -1), summed(start, {"": sign}, -1), -sign
            bounds = [_text(first), _text(stop), *([str(step)] if step != 1 else [])]
            bounds = bounds[1:] if bounds[0] == "0" and step == 1 else bounds
            lines.append(f"{indent}for {counter} in range({', '.join(bounds)}):")
            lines += self._body(part.body, [*ordinals, ordinal], indent + "    ")
        return lines

    def _statement(self, statement: Assignment, ordinals: list[Form]) -> list[str]:
        """Return the lines of one statement."""
        texts = [self._window(read.array, read.window, ordinals) for read in statement.reads]
        target = self._window(statement.target, statement.window, ordinals)
        if statement.window and target == self.names[statement.target]:
            target += "[:]"
        value, operator = _unstretched(statement.value), "+=" if statement.add else "="
        lines: list[str] = []
        if statement.origin is not None and (place := place_of(statement.origin)) and place.quoted != self.comment:
            self.comment = place.quoted
            lines.append(f"# {self.comment}")
        if value in statement.variables:
            return [*lines, f"{target} {operator} {texts[statement.variables.index(value)]}"]
        arguments = [*zip(statement.variables, texts, strict=True), *reserved(sorted(self.taken))]
        inner = self.writer.inner(self.name, arguments, [value])
        self.functions |= inner.functions
        self.constants |= inner.constants
        (text,) = inner.returned
        if statement.add and (turned := _negated(text)) is not None:
            text, operator = turned, "-="
        return [*lines, *inner.lines, f"{target} {operator} {text}"]

    def _window(self, array: int, window: Window, ordinals: list[Form]) -> str:
        """Return a window as text."""
        name, shape = self.names[array], iter(self.program.shapes[array])
        parts, turned = [], []
        for part in window:
            if isinstance(part, New):
                parts.append("None")
                turned.append(":")
                continue
            extent = next(shape)
            if isinstance(part, One):
                parts.append(_text(_in_counters(part.place, ordinals)))
                continue
            parts.append(_slice(part, extent, ordinals))
            turned.append("::-1" if part.step < 0 else ":")
        if not parts or (all(part == ":" for part in parts) and "::-1" not in turned):
            return name
        back = f"[{', '.join(turned)}]" if "::-1" in turned else ""
        return f"{name}[{', '.join(parts)}]{back}"


def _slice(part: Run, extent: int, ordinals: list[Form]) -> str:
    """Return the places of a run, in rising order."""
    start, length = _in_counters(part.start, ordinals), _in_counters(part.length, ordinals)
    last = summed(start, summed(length, {"": 1}, -1), part.step)
    low, high = (start, last) if part.step > 0 else (last, start)
    stop = summed(low, length, 1) if abs(part.step) == 1 else summed(high, {"": 1}, 1)
    texts = ["" if low == {} else _text(low), "" if stop == {"": extent} else _text(stop)]
    return ":".join(texts if abs(part.step) == 1 else [*texts, str(abs(part.step))])


def _origin(loop: Repeat, depth: int) -> tuple[int, Affine]:
    """Return the sign and the start of a counter that is the place of most single entries in a loop."""
    votes: Counter[tuple[int, Affine]] = Counter()
    for window in _windows(loop.body):
        for part in window:
            numbers = [part.place] if isinstance(part, One) else []
            if isinstance(part, Run):
                numbers = [part.start.plus(part.length), part.start]
            for number in numbers:
                slope = number.slopes[depth] if len(number.slopes) > depth else 0
                if abs(slope) == 1 and len(number.slopes) == depth + 1:
                    rest = number.plus(Affine(0, (0,) * depth + (slope,)), -1)
                    votes[slope, rest] += 8 if isinstance(part, One) else 1
    return votes.most_common(1)[0][0] if votes else (1, Affine(0))


def _windows(body: Sequence[Any]) -> Iterator[Window]:
    for statement in statements_of(body):
        yield statement.window
        yield from (read.window for read in statement.reads)


def _in_counters(number: Affine, ordinals: Sequence[Form]) -> Form:
    """Return a number in terms of the counters."""
    found: Form = {"": number.const} if number.const else {}
    for slope, ordinal in zip(number.slopes, ordinals, strict=False):
        found = summed(found, ordinal, slope)
    return found


def _text(form: Form) -> str:
    """Return a whole number as text, what is positive first."""
    terms = sorted(form.items(), key=lambda term: (term[1] < 0, term[0] == ""))
    text = ""
    for name, slope in terms:
        size = abs(slope)
        term = str(size) if not name else name if size == 1 else f"{size} * {name}"
        text += (f" {'-' if slope < 0 else '+'} " if text else "-" if slope < 0 else "") + term
    return text or "0"


def _unstretched(value: Variable) -> Variable:
    """Return a value that is written without what only stretches a number to the shape of a window."""
    if value.owner and isinstance(value.owner.op, Alloc):
        number = unexpanded(value.owner.inputs[0])
        return number if number.type.ndim == 0 else value
    return value


def _negated(text: str) -> str | None:
    """Return a product or quotient that begins with a minus without it; None of others."""
    node: ast.expr = ast.parse(text, mode="eval").body
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div | ast.MatMult):
        node = node.left
    if not isinstance(node, ast.UnaryOp) or not isinstance(node.op, ast.USub) or not text.startswith("-"):
        return None
    rest = text[1:]
    inner = rest[1:-1]
    if rest.startswith("(") and rest.endswith(")") and _is_expression(inner):
        return inner
    return rest


def _is_expression(text: str) -> bool:
    """Whether a text without the parentheses around it is still one."""
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True
