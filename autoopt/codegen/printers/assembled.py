"""Hessians from their blocks, and sums of squares of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.tensor.basic import Alloc, constant
from pytensor.tensor.elemwise import DimShuffle

from autoopt.codegen.code import Code, balanced, call, transposed
from autoopt.codegen.constants import inline_text
from autoopt.codegen.printers.table import prints
from autoopt.codegen.printers.writer import Listing, Writer, entered
from autoopt.ops.assembled import Assembled, Entry, Gram, Positions
from autoopt.ops.patterns import rank, uniform

ENTRIES = 2**17
"""Entries of the rows of which a square is made at a time, so that they stay in the processor's cache."""

NARROW = 64
"""Rows of fewer columns are not parted by the signs of their weights: choosing them would take longer than it saves."""


@prints(Assembled, stem="hessian")
def assembled(writer: Writer, node: Apply, *operands: Code) -> Code:
    """`hessian = np.zeros((n, n))`, then a statement for each block."""
    assembly = _Assembly(writer, node)
    later = _side_by_side(_copied(node.op.entries))
    for entry in node.op.entries:
        assembly.add(replace(entry, mirrored=entry.mirrored and not _within(entry, later)))
    for rows, columns in later:
        assembly.copy(rows, columns)
    return Code(assembly.name)


Region = tuple[slice, slice]


def _copied(entries: Sequence[Entry]) -> list[Region]:
    """Return the regions that are copied to their mirror images once they are complete, where nothing else stands."""
    mirrored = [entry for entry in entries if entry.mirrored]
    regions: list[Region] = []
    for entry in mirrored:
        if entry.kind == "diagonal" or not isinstance(entry.rows, slice) or not isinstance(entry.columns, slice):
            continue
        region = entry.rows, entry.columns
        if any(part.step != 1 for part in region):  # between whose entries others may stand
            continue
        others = [other for other in entries if other is not entry and _inside(other, region) is not True]
        if _meet(*region) or region in regions or any(_touches(other, region) for other in others):
            continue
        if all(other.mirrored for other in entries if _inside(other, region)):
            regions.append(region)
    return regions


def _side_by_side(regions: Sequence[Region]) -> list[Region]:
    """Return the regions with those of the same rows, whose columns follow each other, as one."""
    joined: list[Region] = []
    for rows, columns in sorted(regions, key=lambda region: (region[0].start, region[0].stop, region[1].start)):
        if joined and joined[-1][0] == rows and joined[-1][1].stop == columns.start:
            columns = slice(joined.pop()[1].start, columns.stop, 1)
        joined.append((rows, columns))
    return joined


def _inside(entry: Entry, region: Region) -> bool:
    pair = entry.rows, entry.columns
    return all(
        isinstance(own, slice) and own.step == 1 and whole.start <= own.start and own.stop <= whole.stop
        for own, whole in zip(pair, region, strict=True)
    )


def _within(entry: Entry, regions: Sequence[Region]) -> bool:
    return any(_inside(entry, region) for region in regions)


def _slices(entry: Entry) -> Region | None:
    """Return the rows and columns of an entry if both are slices."""
    rows, columns = entry.rows, entry.columns
    return (rows, columns) if isinstance(rows, slice) and isinstance(columns, slice) else None


def _touches(entry: Entry, region: Region) -> bool:
    """Whether an entry, or its mirror image, may meet a region or the region's mirror image."""
    pair = _slices(entry)
    if pair is None:
        return True
    return any(_meet(a, c) and _meet(b, d) for a, b in (pair, pair[::-1]) for c, d in (region, region[::-1]))


@dataclass
class _Assembly:
    """The statements of one Hessian."""

    writer: Writer
    node: Apply
    name: str = ""
    written: list[tuple[slice, slice]] = field(default_factory=list)
    counters: dict[tuple[str, int], str] = field(default_factory=dict)
    places: dict[bytes, str] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Write the statements of one entry."""
        variable = self.node.inputs[entry.operand]
        whole = slice(0, self.node.op.size, 1)
        first = not self.name
        if first:
            if entry.is_whole(self.node.op.size):
                self.written.append((whole, whole))
                if entry.mirrored:
                    code = self.writer.named(variable)
                    self.name = self.writer.fresh("hessian")
                    self.write(f"{self.name} = {code} + {code}.T")
                else:
                    self.writer.names.setdefault(variable, "hessian")
                    self.name = self.writer.own(variable, self.node.outputs[0])
                return
            self.name = self.writer.fresh("hessian")
            size = self.node.op.size
            self.write(f"{self.name} = np.zeros(({size}, {size}))")
        getattr(self, f"_{entry.kind}")(entry, self.value(entry, variable))

    def value(self, entry: Entry, variable: Variable) -> Code:
        """Return what is written of an operand: of a single entry, and of a filled diagonal, the number alone."""
        region = _slices(entry)
        single = entry.kind == "block" and region is not None and _length(region[0]) == _length(region[1]) == 1
        number = None
        if single or (entry.kind == "diagonal" and region is not None and not self.writer.code(variable).is_name):
            number = _filling(variable)
        made = variable if number is None else number
        value = self.writer.named(made) if entry.mirrored or rank(variable) == 0 else self.writer.code(made)
        return Code(f"{value:.}[0, 0]") if single and number is None else value

    def copy(self, rows: slice, columns: slice) -> None:
        """Write a region's transpose to its mirror image."""
        size = self.node.op.size
        first, second = _slice_text(rows, size), _slice_text(columns, size)
        if _length(rows) == _length(columns) == 1:
            self.write(f"{self.name}[{columns.start}, {rows.start}] = {self.name}[{rows.start}, {columns.start}]")
            return
        self.write(f"{self.name}[{second}, {first}] = {self.name}[{first}, {second}].T")

    def write(self, statement: str) -> None:
        self.writer.write(statement)

    def operator(self, entry: Entry) -> str:
        """Return `=` for what is written for the first time, else `+=`."""
        if not isinstance(entry.rows, slice) or not isinstance(entry.columns, slice):
            whole = slice(0, self.node.op.size, 1)
            self.written.append((whole, whole))  # anywhere
            return "+="
        region = entry.rows, entry.columns
        meets = any(_meet(region[0], rows) and _meet(region[1], columns) for rows, columns in self.written)
        self.written.append(region)
        if entry.mirrored:
            meets = meets or _meet(*region)
            self.written.append((entry.columns, entry.rows))
        return "+=" if meets else "="

    def _block(self, entry: Entry, value: Code) -> None:
        operator = self.operator(entry)
        region = _slices(entry)
        if region is not None:
            rows, columns, value = self.smallest(region, value)
            index = f"{rows}, {columns}".removesuffix(", :")
            target = self.name if index == ":" and operator == "+=" else f"{self.name}[{index}]"
            self.write(f"{target} {operator} {value}")
            if entry.mirrored:
                index = f"{columns}, {rows}".removesuffix(", :")
                turned = value if _rank(rows, columns) < 2 else f"{value:.}.T"
                self.write(f"{self.name if target == self.name else f'{self.name}[{index}]'} {operator} {turned}")
            return
        first, second = self.positions(entry.rows), self.positions(entry.columns)
        self.scattered(
            entry, f"{first:.}[:, None]", f"{second:.}", value, f"{value:.}.T", f"{second:.}[:, None]", f"{first:.}"
        )

    def smallest(self, region: Region, value: Code) -> tuple[str, str, Code]:
        """Return the texts of rows, columns and value, those of a single row or column without an axis for it."""
        rows, columns = region
        single = _length(rows) == 1, _length(columns) == 1
        if all(single):
            return str(rows.start), str(columns.start), value
        size = self.node.op.size
        for k, ending in enumerate(("[None]", "[:, None]")):
            text = value.text.removesuffix(ending)
            if single[k] and text != value.text and balanced(text):
                places = [
                    str(p.start) if own else _slice_text(p, size)
                    for p, own in zip((rows, columns), single, strict=True)
                ]
                inner = text[1:-1] if text.startswith("(") and balanced(text[1:-1]) else text
                return places[0], places[1], Code(inner)
        return _slice_text(rows, size), _slice_text(columns, size), value

    def scattered(self, entry: Entry, rows: str, columns: str, value: Code, turned: str, low: str, high: str) -> None:
        """Add at positions that may repeat: those that are computed, and those that do."""
        if _repeats(entry):
            self.write(f"np.add.at({self.name}, ({rows}, {columns}), {value})")
            if entry.mirrored:
                self.write(f"np.add.at({self.name}, ({low}, {high}), {turned})")
            return
        self.write(f"{self.name}[{rows}, {columns}] += {value}")
        if entry.mirrored:
            self.write(f"{self.name}[{low}, {high}] += {turned}")

    def _diagonal(self, entry: Entry, value: Code) -> None:
        region = _slices(entry)
        if region is not None:
            i = self.counter("i", _length(region[0]))
            rows, columns = (_entry_text(i, p) for p in region)
            operator = self.operator(entry)
            self.write(f"{self.name}[{rows}, {columns}] {operator} {value}")
            if entry.mirrored:
                self.write(f"{self.name}[{columns}, {rows}] {operator} {value}")
            return
        self.operator(entry)
        rows, columns = self.positions(entry.rows).text, self.positions(entry.columns).text
        self.scattered(entry, rows, columns, value, value.text, columns, rows)

    def counter(self, letter: str, count: int, after: int = 0) -> str:
        """Return the name of the numbers from 0 on, as a column over `after` more axes."""
        key = (f"{letter}{after}", count)
        if key not in self.counters:
            name = self.writer.fresh(letter)
            self.write(f"{name} = np.arange({count})" + (f"[:{', None' * after}]" if after else ""))
            self.counters[key] = name
        return self.counters[key]

    def positions(self, positions: Positions) -> Code:
        if isinstance(positions, int):
            return self.writer.named(self.node.inputs[positions])
        if isinstance(positions, slice):
            return Code(f"np.arange({positions.start}, {positions.stop}, {positions.step})")
        key = np.asarray(positions).tobytes()
        if key not in self.places:
            self.places[key] = self.writer.fresh("places")
            self.write(f"{self.places[key]} = {inline_text(np.asarray(positions))}")
        return Code(self.places[key])

    def _blocks(self, entry: Entry, value: Code) -> None:
        letters = list(entry.letters.items())
        lengths = [length for _, length in entry.axes]
        operator = self.operator(entry)
        if not (isinstance(entry.rows, slice) and isinstance(entry.columns, slice)):
            self.everywhere(entry, value)
            return
        size, view = self.node.op.size, self.writer.fresh("blocks")
        rows, columns = (_slice_text(p, size) for p in (entry.rows, entry.columns))
        whole = rows == columns == ":"
        part = self.name if whole else f"{self.name}[{rows}, {columns}]"
        self.write(f"{view} = {part}.reshape({', '.join(map(str, lengths))})")
        names = {letter: self.counter(letter, n, len(letters) - 1 - k) for k, (letter, n) in enumerate(letters)}
        index = [names[letter] if letter else ":" for letter, _ in entry.axes]
        placed = [k for k, (letter, _) in enumerate(entry.axes) if letter]
        free = [k for k, (letter, _) in enumerate(entry.axes) if not letter]
        apart = placed != list(range(placed[0], placed[-1] + 1)) or placed[0] == 0
        own = self.node.inputs[entry.operand]
        text = value.text
        if not apart:  # NumPy puts the axes of the positions where they stand
            now = [*range(len(letters)), *(len(letters) + k for k in range(len(free)))]
            before = sum(k < placed[0] for k in free)
            order = [*now[len(letters) : len(letters) + before], *now[: len(letters)], *now[len(letters) + before :]]
            text = transposed(value, order).text
        self.write(f"{view}[{', '.join(index)}] {operator} {text}")
        assert rank(own) == len(letters) + len(free)
        if entry.mirrored:
            turned = self.writer.fresh("blocks")
            part = self.name if whole else f"{self.name}[{columns}, {rows}]"
            count = entry.count
            self.write(f"{turned} = {part}.reshape({', '.join(map(str, [*lengths[count:], *lengths[:count]]))})")
            order = [*range(count, len(lengths)), *range(count)]
            axes = [entry.axes[k] for k in order]
            index = [names[letter] if letter else ":" for letter, _ in axes]
            numbers = {k: len(letters) + n for n, k in enumerate(free)}
            moved = [numbers[k] for k in order if k in numbers]
            placed = [k for k, (letter, _) in enumerate(axes) if letter]
            apart = placed != list(range(placed[0], placed[-1] + 1)) or placed[0] == 0
            before = 0 if apart else placed[0]
            full = [*moved[:before], *range(len(letters)), *moved[before:]]
            same = full == list(range(len(full)))
            self.write(
                f"{turned}[{', '.join(index)}] {operator} " + (value.text if same else transposed(value, full).text)
            )

    def everywhere(self, entry: Entry, value: Code) -> None:
        """Write blocks at positions that are no slices, an entry at a time."""
        letters, lengths = list(entry.letters.items()), [length for _, length in entry.axes]
        free = [k for k, (letter, _) in enumerate(entry.axes) if not letter]
        total = len(letters) + len(free)
        names: dict[object, str] = {}
        for k, (letter, n) in enumerate(letters):
            names[letter] = self.counter(letter, n, total - 1 - k)
        for k, axis in enumerate(free):
            names[axis] = self.counter("k", lengths[axis], total - 1 - len(letters) - k)
        index = [names[letter if letter else k] for k, (letter, _) in enumerate(entry.axes)]
        rows, columns = self.positions(entry.rows), self.positions(entry.columns)
        count = entry.count
        first = f"{rows:.}.reshape({', '.join(map(str, lengths[:count]))})[{', '.join(index[:count])}]"
        second = f"{columns:.}.reshape({', '.join(map(str, lengths[count:]))})[{', '.join(index[count:])}]"
        self.write(f"np.add.at({self.name}, ({first}, {second}), {value})")
        if entry.mirrored:
            self.write(f"np.add.at({self.name}, ({second}, {first}), {value})")


def _repeats(entry: Entry) -> bool:
    """Whether an entry of the matrix may be met twice: NumPy's += would add to it once."""
    if isinstance(entry.rows, int) or isinstance(entry.columns, int):
        return True
    pair = [p for p in (entry.rows, entry.columns) if not isinstance(p, slice)]
    if entry.kind == "diagonal" and len(pair) > 1:
        return len(np.unique(np.stack(pair), axis=1).T) < len(pair[0])
    if entry.kind == "diagonal":
        return False  # one of them is a slice
    return any(len(np.unique(p)) < np.size(p) for p in pair)


def _rank(*places: str) -> int:
    """Return how many axes are left by the texts of places: a number leaves none."""
    return sum(not place.isdigit() for place in places)


def _filling(array: Variable) -> Variable | None:
    """Return the number that all entries of an array are made of; None if it is made of another array."""
    while array.owner and isinstance(array.owner.op, Alloc | DimShuffle):
        array = array.owner.inputs[0]
    if isinstance(array, Constant) and rank(array) and (number := uniform(array)) is not None:
        return constant(number)
    return array if rank(array) == 0 else None


def _length(positions: slice) -> int:
    return len(range(positions.start, positions.stop, positions.step))


def _meet(one: slice, two: slice) -> bool:
    return bool(range(max(one.start, two.start), min(one.stop, two.stop)))


def _slice_text(positions: slice, size: int) -> str:
    start, stop, step = positions.start, positions.stop, positions.step
    first = "" if start == 0 else str(start)
    last = "" if stop >= size else str(stop)
    return f"{first}:{last}" + (f":{step}" if step != 1 else "")


def _entry_text(counter: str, positions: slice) -> str:
    text = counter if positions.step == 1 else f"{positions.step} * {counter}"
    return text if positions.start == 0 else f"{text} + {positions.start}"


@prints(Gram, stem="square")
def gram(writer: Writer, node: Apply, w: Code, *factors: Code) -> Code:
    """A function of its own, which goes through the rows in blocks."""
    name = entered(writer, _gram_listing(f"gram{len(factors)}" if len(factors) > 1 else "gram", len(factors)))
    if rank(node.inputs[0]) == 2:
        rows = writer.fresh("weights")
        several = f"[{name}({', '.join([rows, *(writer.named(v).text for v in node.inputs[1:])])}) for {rows} in {w}]"
        return Code(f"np.array({several})")
    return call(name, w, *factors)


def _gram_listing(name: str, count: int) -> Listing:
    """Return the function of the weights and `count` arrays whose rows are multiplied."""
    names = [chr(ord("A") + k) for k in range(count)]
    lines = [
        f"size = {' * '.join(f'{name}.shape[1]' for name in names)}",
        "total = np.zeros((size, size))",
        "roots, negative = np.sqrt(np.abs(w)), w < 0.0",
        f"step = max({ENTRIES} // max(size, 1), 1)",
        "for start in range(0, len(w), step):",
        "    part = slice(start, start + step)",
        "    rows = A[part] * roots[part, None]",
    ]
    for other in names[1:]:
        lines.append(f"    rows = (rows[:, :, None] * {other}[part, None, :]).reshape(len(rows), -1)")
    lines += [
        "    below = negative[part]",
        "    if below.all():",
        "        total -= rows.T @ rows",
        f"    elif below.any() and size < {NARROW}:",
        "        total += (rows.T * np.where(below, -1.0, 1.0)) @ rows",
        "    elif below.any():",
        "        above, below = rows[~below], rows[below]",
        "        total += above.T @ above - below.T @ below",
        "    else:",
        "        total += rows.T @ rows",
    ]
    doc = (
        "Return the sum of w[i] times the outer product of row i of A with itself."
        if count == 1
        else (f"Return the sum of w[i] times z z', z being the Kronecker product of rows i of {' and '.join(names)}.")
    )
    return Listing(name, ("w", *names), tuple(lines), ("total",), doc)
