"""LLVM's assembly language under construction: numbers, loops, memory. Knows nothing of NumPy."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

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
    """

    lines: list[str] = field(default_factory=list)
    entry: list[str] = field(default_factory=list)
    handed: list[Memory] = field(default_factory=list)
    externals: dict[str, str] = field(default_factory=dict)
    constants: list[str] = field(default_factory=list)
    instructions: dict[str, str] = field(default_factory=dict)
    count: int = 0
    depth: int = 0
    hints: int = 0
    may_fail: bool = False
    doubt: str | None = None
    inlining: bool = False
    inlined: int = 0

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
        return self.put(f"add nsw i64 {a}, {b}")

    def times(self, a: Index, factor: int) -> Index:
        """Return a * factor."""
        if isinstance(a, int):
            return a * factor
        return 0 if factor == 0 else a if factor == 1 else self.put(f"mul nsw i64 {a}, {factor}")

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
        body(index)
        short = known is not None and len(known) < (FEW if self.inlined > before else SHORT)
        self.inlining = around
        following = self.put(f"add nsw i64 {index}, {step}")
        self.store(counter, 0, following)
        more = self.put(f"{test} {following}, {stop}")
        self.lines += [f"  br i1 {more}, label %loop{mark}, label %done{mark}{self.hint() if short else ''}"]
        self.lines.append(f"done{mark}:")
        self.depth -= 1

    def hint(self) -> str:
        """Return a mark for the end of a loop that says that vectorising it is not worth trying."""
        self.hints += 1
        return f", !llvm.loop !{self.hints}"

    def nest(self, shape: Sequence[int], body: Callable[[list[Index]], None]) -> None:
        """Run `body` at every place of an array."""

        def inner(places: list[Index], rest: Sequence[int]) -> None:
            if rest:
                self.loop(0, rest[0], 1, lambda index: inner([*places, index], rest[1:]))
            else:
                body(places)

        inner([], shape)

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

    def text(self) -> str:
        """Return the module: `run`, which takes a table of pointers and returns 0 for success."""
        pointers = [f"ptr noalias {memory.pointer}" for memory in self.handed]
        lines = [f"define internal i64 @kernel({', '.join(pointers)}) nounwind noinline {{", "entry:", *self.entry]
        ending = [f"  %doubts = load i64, ptr {self.doubt}", "  ret i64 %doubts"] if self.doubt else ["  ret i64 0"]
        lines += ["  br label %begin", "begin:", *self.lines, *ending]
        lines += ["fail:", "  ret i64 1"] * self.may_fail + ["}", "", "define i64 @run(ptr %table) nounwind {"]
        for k in range(len(self.handed)):
            lines += [f"  %s{k} = getelementptr inbounds ptr, ptr %table, i64 {k}", f"  %p{k} = load ptr, ptr %s{k}"]
        handed = ", ".join(f"ptr %p{k}" for k in range(len(self.handed)))
        lines += [f"  %code = call i64 @kernel({handed})", "  ret i64 %code", "}"]
        hints = ['!0 = !{!"llvm.loop.vectorize.enable", i1 false}'] * bool(self.hints)
        hints += [f"!{k} = distinct !{{!{k}, !0}}" for k in range(1, self.hints + 1)]
        inlined = "always" if len(self.lines) < LONG else "no"
        hints += [f"attributes #0 = {{ {inlined}inline }}", "attributes #1 = { noinline }"]
        return "\n".join([*self.constants, *self.externals.values(), *lines, *hints]) + "\n"


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
