"""LLVM's assembly language under construction: numbers, loops, memory. Knows nothing of NumPy."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import numpy as np

TYPES = {"f": "double", "i": "i64", "b": "i1"}
STORED = {"f": "double", "i": "i64", "b": "i8"}
WIDTHS = {"f": 8, "i": 8, "b": 1}
DTYPES = {"f": np.dtype(np.float64), "i": np.dtype(np.int64), "b": np.dtype(np.bool_)}

ON_STACK = 4096
"""Bytes; larger arrays are handed in by the caller."""

SHORT = 16
"""Iterations below which LLVM need not look for a way to do several at once, unless there are functions in them."""

FEW = 4
"""Iterations below which it need not look in any case."""

LONG = 4_000
"""Lines from which on loops are not vectorised, which is half of the time of compiling, nor functions inlined."""

Index = int | str
"""A place along an axis: known now, or the register that has it."""

Box = list[tuple[int, int]]
"""The first and the last place along each axis of a part of an array."""

Cuts = Callable[[int, Box], Iterable[int]]
"""Where along an axis, in some part of an array, its entries begin to be computed in another way."""


@dataclass(frozen=True)
class Memory:
    """Room for `size` entries of one kind, at `pointer`."""

    pointer: str
    kind: str
    size: int


@dataclass
class Code:
    """The body of one function.

    Attributes
    ----------
    lines : list of str
        The instructions so far.
    entry : list of str
        Instructions before all others: memory on the stack.
    handed : list of Memory
        Arrays that the caller hands in as pointers, in order.
    externals : dict of str
        Declarations of functions, by name.
    constants : list of str
        Definitions of constant arrays.
    instructions : dict of str
        What computes each register.
    ranges : dict of tuple of int
        The least and the largest value of registers that count places, where they are known.
    forms, extents : dict
        By register, slopes by counters, and the constant under "", of numbers affine in these; registers by such forms.
    """

    lines: list[str] = field(default_factory=list)
    entry: list[str] = field(default_factory=list)
    handed: list[Memory] = field(default_factory=list)
    externals: dict[str, str] = field(default_factory=dict)
    constants: list[str] = field(default_factory=list)
    instructions: dict[str, str] = field(default_factory=dict)
    ranges: dict[str, tuple[int, int]] = field(default_factory=dict)
    count: int = 0
    depth: int = 0
    hints: int = 0
    may_fail: bool = False
    doubt: str | None = None
    inlining: bool = False
    inlined: int = 0
    forms: dict[str, dict[str, int]] = field(default_factory=dict)
    extents: dict[frozenset, str] = field(default_factory=dict)

    # Numbers ----------------------------------------------------------------------------------------------------------

    def name(self, stem: str = "v") -> str:
        """Return a register that is not taken."""
        self.count += 1
        return f"%{stem}{self.count}"

    def put(self, instruction: str) -> str:
        """Append an instruction and return the register with its result."""
        register = self.name()
        self.lines.append(f"  {register} = {instruction}")
        self.instructions[register] = instruction
        return register

    def call(self, name: str, *operands: str) -> str:
        """Return the result of a function of doubles that has no effects."""
        types = ", ".join(["double"] * len(operands))
        self.externals.setdefault(name, f"declare double @{name}({types}) nounwind willreturn memory(none)")
        return self.put(f"call double @{name}({', '.join(f'double {x}' for x in operands)})")

    def function(self, name: str, build: Callable[..., str], *operands: str) -> str:
        """Return the result of a function of doubles whose instructions `build` puts into a body, once a module.

        In loops of more than a few iterations it is inlined, so that LLVM does several at once; elsewhere it is called.
        """
        if name not in self.externals:
            self.externals[name] = ""  # its place, behind what it calls
            body = Code(externals=self.externals)
            names = [f"%x{k}" for k in range(len(operands))]
            returned = build(body, *names)
            takes = ", ".join(f"double {x}" for x in names)
            head = f"define internal double @{name}({takes}) nounwind willreturn memory(none) {{"
            self.externals[name] = "\n".join([head, *body.lines, f"  ret double {returned}", "}"])
        given = ", ".join(f"double {x}" for x in operands)
        self.inlined += self.inlining
        return self.put(f"call double @{name}({given}) {'#0' if self.inlining else '#1'}")

    def plus(self, a: Index, b: Index) -> Index:
        """Return a + b."""
        if isinstance(a, int) and isinstance(b, int):
            return a + b
        if a == 0 or b == 0:
            return b if a == 0 else a
        found = self.put(f"add nsw i64 {a}, {b}")
        one, other = self.bounds(a), self.bounds(b)
        if one is not None and other is not None:
            self.ranges[found] = one[0] + other[0], one[1] + other[1]
        return found

    def times(self, a: Index, factor: int) -> Index:
        """Return a * factor."""
        if isinstance(a, int):
            return a * factor
        if factor in (0, 1):
            return a if factor else 0
        found = self.put(f"mul nsw i64 {a}, {factor}")
        if (bounds := self.bounds(a)) is not None:
            self.ranges[found] = (
                min(bounds[0] * factor, bounds[1] * factor),
                max(bounds[0] * factor, bounds[1] * factor),
            )
        return found

    def bounds(self, place: Index) -> tuple[int, int] | None:
        """Return the least and the largest value of a place; None if they are not known."""
        return (place, place) if isinstance(place, int) else self.ranges.get(place)

    def convert(self, text: str, kind: str, wanted: str) -> str:
        """Return a number of one kind as another."""
        if kind == wanted:
            return text
        if kind == "i" and wanted == "f" and text.lstrip("-").isdecimal():
            return literal(int(text), "f")
        if wanted == "b":
            return self.put(f"fcmp une double {text}, 0.0") if kind == "f" else self.put(f"icmp ne i64 {text}, 0")
        if kind == "b":
            return self.put(f"{'uitofp' if wanted == 'f' else 'zext'} i1 {text} to {TYPES[wanted]}")
        return self.put(f"sitofp i64 {text} to double" if wanted == "f" else f"fptosi double {text} to i64")

    # Memory -----------------------------------------------------------------------------------------------------------

    def memory(self, kind: str, size: int) -> Memory:
        """Return room for an array."""
        if WIDTHS[kind] * size > ON_STACK:
            return self.handed_in(kind, size)
        pointer = self.name("a")
        self.entry.append(f"  {pointer} = alloca [{max(size, 1)} x {STORED[kind]}], align 16")
        return Memory(pointer, kind, size)

    def handed_in(self, kind: str, size: int) -> Memory:
        """Return room that the caller provides."""
        found = Memory(f"%h{len(self.handed)}", kind, size)
        self.handed.append(found)
        return found

    def constant(self, values: np.ndarray, kind: str) -> Memory:
        """Return memory that holds `values`."""
        flat = np.ascontiguousarray(values, dtype=DTYPES[kind]).ravel()
        entries = ", ".join(f"{STORED[kind]} {literal(v, kind)}" for v in flat.tolist())
        pointer = f"@c{len(self.constants)}"
        self.constants.append(f"{pointer} = private constant [{flat.size} x {STORED[kind]}] [{entries}]")
        return Memory(pointer, kind, flat.size)

    def load(self, memory: Memory, place: Index) -> str:
        """Return the entry at `place`."""
        stored = STORED[memory.kind]
        address = self.put(f"getelementptr inbounds {stored}, ptr {memory.pointer}, i64 {place}")
        text = self.put(f"load {stored}, ptr {address}")
        return self.put(f"trunc i8 {text} to i1") if memory.kind == "b" else text

    def store(self, memory: Memory, place: Index, text: str) -> None:
        """Set the entry at `place`."""
        stored = STORED[memory.kind]
        if memory.kind == "b":
            text = self.put(f"zext i1 {text} to i8")
        address = self.put(f"getelementptr inbounds {stored}, ptr {memory.pointer}, i64 {place}")
        self.lines.append(f"  store {stored} {text}, ptr {address}")

    def cell(self, kind: str, text: str | None = None) -> Memory:
        """Return memory for one number, which LLVM turns into a register."""
        pointer = self.name("x")
        self.entry.append(f"  {pointer} = alloca {STORED[kind]}")
        found = Memory(pointer, kind, 1)
        if text is not None:
            self.store(found, 0, text)
        return found

    # Flow -------------------------------------------------------------------------------------------------------------

    def block(self, label: str) -> None:
        """Begin the block `label`, into which what came before runs on."""
        self.lines += [f"  br label %{label}", f"{label}:"]

    def loop(self, start: Index, stop: Index, step: int, body: Callable[[Index], None]) -> None:
        """Run `body` with the numbers of `range(start, stop, step)`; ends may be registers."""
        known = range(start, stop, step) if isinstance(start, int) and isinstance(stop, int) else None
        if known is not None and len(known) < 2:
            for place in known:
                body(place)
            return
        self.count += 1
        mark = self.count
        test = f"icmp {'slt' if step > 0 else 'sgt'} i64"
        counter = self.cell("i", str(start))
        if known is not None:
            self.block(f"loop{mark}")
        else:
            some = self.put(f"{test} {start}, {stop}")
            self.lines += [f"  br i1 {some}, label %loop{mark}, label %done{mark}", f"loop{mark}:"]
        self.depth += 1
        around, before, self.inlining = self.inlining, self.inlined, known is None or len(known) >= FEW
        index = self.load(counter, 0)
        if known is not None:
            self.ranges[index] = min(known[0], known[-1]), max(known[0], known[-1])
        self.forms[index], lengths = {index: 1}, dict(self.extents)
        body(index)
        self.extents = lengths  # registers within the loop are none behind it
        short = known is not None and len(known) < (FEW if self.inlined > before else SHORT)
        self.inlining = around
        self.store(counter, 0, following := self.put(f"add nsw i64 {index}, {step}"))
        more = self.put(f"{test} {following}, {stop}")
        self.lines += [f"  br i1 {more}, label %loop{mark}, label %done{mark}{self.hint() if short else ''}"]
        self.lines.append(f"done{mark}:")
        self.depth -= 1

    def hint(self) -> str:
        """Return a mark for the end of a loop that says that vectorising it is not worth trying."""
        self.hints += 1
        return f", !llvm.loop !{self.hints}"

    def nest(self, shape: Sequence[int], body: Callable[[list[Index]], None], cuts: Cuts | None = None) -> None:
        """Run `body` at every place of an array; at `cuts`, which depend on the places before, a loop is divided."""

        def inner(box: Box, places: list[Index]) -> None:
            axis = len(places)
            if axis == len(shape):
                body(places)
            elif not isinstance(shape[axis], int):  # loops move it
                self.loop(0, shape[axis], 1, partial(_deeper, partial(inner, box), places))
            else:
                ends = {0, shape[axis], *(cuts(axis, box) if cuts else ())}
                for begin, end in pairwise(sorted(cut for cut in ends if 0 <= cut <= shape[axis])):
                    part = partial(inner, [*box[:axis], (begin, end - 1), *box[axis + 1 :]])
                    self.loop(begin, end, 1, partial(_deeper, part, places))

        inner([(0, getattr(extent, "most", extent) - 1) for extent in shape], [])

    def when(self, condition: str, body: Callable[[], None]) -> None:
        """Run `body` if a condition holds."""
        self.count += 1
        mark = self.count
        self.lines += [f"  br i1 {condition}, label %then{mark}, label %after{mark}", f"then{mark}:"]
        body()
        self.block(f"after{mark}")

    def fail_unless(self, condition: str) -> None:
        """Leave the function, with no result, unless a condition holds."""
        self.count += 1
        self.may_fail = True
        self.lines += [f"  br i1 {condition}, label %go{self.count}, label %fail", f"go{self.count}:"]

    def fail_if_ever(self, condition: str) -> None:
        """Have the function end with no result if a condition has held anywhere; in loops this is no branch."""
        if self.doubt is None:
            self.doubt = self.name("doubt")
            self.entry += [f"  {self.doubt} = alloca i64", f"  store i64 0, ptr {self.doubt}"]
        bit = self.put(f"zext i1 {condition} to i64")
        bits = self.put(f"or i64 {bit}, {self.put(f'load i64, ptr {self.doubt}')}")
        self.lines.append(f"  store i64 {bits}, ptr {self.doubt}")


def _deeper(body: Callable[[list[Index]], None], places: list[Index], index: Index) -> None:
    body([*places, index])


def text_of(code: Code) -> str:
    """Return the module: `run`, which takes a table of pointers and returns 0 for success."""
    pointers = [f"ptr noalias {memory.pointer}" for memory in code.handed]
    lines = [f"define internal i64 @kernel({', '.join(pointers)}) nounwind noinline {{", "entry:", *code.entry]
    ending = [f"  %doubts = load i64, ptr {code.doubt}", "  ret i64 %doubts"] if code.doubt else ["  ret i64 0"]
    lines += ["  br label %begin", "begin:", *code.lines, *ending]
    lines += ["fail:", "  ret i64 1"] * code.may_fail + ["}", "", "define i64 @run(ptr %table) nounwind {"]
    for k in range(len(code.handed)):
        lines += [f"  %s{k} = getelementptr inbounds ptr, ptr %table, i64 {k}", f"  %p{k} = load ptr, ptr %s{k}"]
    handed = ", ".join(f"ptr %p{k}" for k in range(len(code.handed)))
    lines += [f"  %code = call i64 @kernel({handed})", "  ret i64 %code", "}"]
    hints = ['!0 = !{!"llvm.loop.vectorize.enable", i1 false}'] * bool(code.hints)
    hints += [f"!{k} = distinct !{{!{k}, !0}}" for k in range(1, code.hints + 1)]
    inlined = "always" if len(code.lines) < LONG else "no"
    hints += [f"attributes #0 = {{ {inlined}inline }}", "attributes #1 = { noinline }"]
    return "\n".join([*code.constants, *code.externals.values(), *lines, *hints]) + "\n"


def literal(value: float | int | bool, kind: str) -> str:
    """Return a number as LLVM writes it."""
    if kind == "f":
        return f"0x{struct.pack('>d', float(value)).hex().upper()}"
    return str(int(value))


def product(numbers: Iterable[int]) -> int:
    """Return the product of whole numbers."""
    found = 1
    for number in numbers:
        found *= number
    return found


def affine(code: Code, place: Index) -> tuple[str, int, int]:
    """Return a place as a register, a factor, and what is added; the register is empty for a known place."""
    if isinstance(place, int):
        return "", 0, place
    sort, _, rest = code.instructions.get(place, "").partition(" ")
    parts = rest.removeprefix("nsw ").removeprefix("i64 ").split(", ")
    if sort in ("add", "mul") and len(parts) == 2:
        one, other = (affine(code, int(part) if part.lstrip("-").isdecimal() else part) for part in parts)
        if one[0] == "":
            one, other = other, one
        if other[0] == "":
            times, plus = (other[2], 0) if sort == "mul" else (1, other[2])
            return one[0], one[1] * times, one[2] * times + plus
    return place, 1, 0
