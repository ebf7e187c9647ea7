"""Indexing, and writing into arrays: only into fresh ones that nobody else sees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.tensor.basic import Alloc
from pytensor.tensor.shape import Shape
from pytensor.tensor.subtensor import IncSubtensor, Subtensor
from pytensor.tensor.type_other import MakeSlice

from autoopt.codegen.code import PRODUCT, Code, call, increment, infix, literal
from autoopt.codegen.printers.table import View, prints
from autoopt.codegen.printers.writer import Writer
from autoopt.ops.crossed import Crossed
from autoopt.ops.patterns import is_zeros, rank
from autoopt.ops.releases import GATHERS, SCATTERS


def index_text(entries: Sequence[int | slice], codes: Sequence[Code]) -> str:
    """Return what stands between the brackets: `entries` with `codes` in the places that they number."""

    def part(number: int | None) -> str:
        return "" if number is None else codes[number].text

    texts = []
    for entry in entries:
        if isinstance(entry, slice):
            step = f":{part(entry.step)}" if entry.step is not None and part(entry.step) != "1" else ""
            texts.append(f"{part(entry.start)}:{part(entry.stop)}{step}")
        else:
            texts.append(part(entry))
    while len(texts) > 1 and texts[-1] == ":":
        texts.pop()
    return ", ".join(texts)


@prints(Subtensor, stem="slice", view=View())
def subtensor(writer: Writer, node: Apply, x: Code, *index: Code) -> Code:
    source = node.inputs[0].owner
    if source and isinstance(source.op, Shape) and len(index) == 1 and isinstance(node.op.idx_list[0], int):
        return Code(f"{writer.code(source.inputs[0]):.}.shape[{index[0]}]")
    text = index_text(node.op.idx_list, index)
    return Code(f"{x:.}[{text}]") if text else x


@prints(*GATHERS, stem="taken")
def advanced_subtensor(writer: Writer, node: Apply, x: Code, *index: Code) -> Code:
    return Code(f"{x:.}[{index_text(node.op.idx_list, index)}]")


@prints(Crossed, stem="taken")
def crossed(writer: Writer, node: Apply, x: Code, rows: Code, columns: Code) -> Code:
    return Code(f"{call('np.take', x, columns, 'axis=1')}[{rows}]")


@prints(MakeSlice)
def make_slice(writer: Writer, node: Apply, *parts: Code) -> Code:
    return call("slice", *parts)


@prints(IncSubtensor, stem="filled")
def write_subtensor(writer: Writer, node: Apply, x: Code, value: Code, *index: Code) -> Code:
    name = writer.own(node.inputs[0], node.outputs[0])
    target = f"{name}[{index_text(node.op.idx_list, index) or '...'}]"
    set_ = node.op.set_instead_of_inc
    return _written(writer, node, name, f"{target} = {value}" if set_ else increment(target, value))


@prints(*SCATTERS, stem="filled")
def write_advanced(writer: Writer, node: Apply, x: Code, value: Code, *index: Code) -> Code:
    array, positions = node.inputs[0], node.inputs[2:]
    number = _one_number(node.inputs[1])
    text = index_text(node.op.idx_list, index)
    if _is_histogram(node):
        length = Code(str(array.data.size)) if isinstance(array, Constant) else writer.code(array.owner.inputs[1])
        if number is not None:
            return infix("*", PRODUCT, number, call("np.bincount", index[0], f"minlength={length}"))
        return call("np.bincount", index[0], f"weights={value}", f"minlength={length}")
    value = number or value
    name = writer.own(array, node.outputs[0])
    if node.op.set_instead_of_inc:
        return _written(writer, node, name, f"{name}[{text}] = {value}")
    if all(v.type.dtype == "bool" for v in positions) or _distinct(positions):
        return _written(writer, node, name, increment(f"{name}[{text}]", value))
    where = f"np.s_[{text}]" if ":" in text else f"({text})" if "," in text else text
    return _written(writer, node, name, f"np.add.at({name}, {where}, {value})")


def _one_number(value: Variable) -> Code | None:
    """Return the number that a constant array consists of."""
    if isinstance(value, Constant) and value.data.size and (value.data == value.data.flat[0]).all():
        return literal(value.data.flat[0])
    return None


def _distinct(positions: list[Variable]) -> bool:
    """True if no place is named twice: one vector of indices has no repeats, and the others are as long."""
    known = [v.data for v in positions if isinstance(v, Constant) and v.type.dtype != "bool"]
    if 1 < len(known) == len(positions) and all(data.ndim == 1 and data.min(initial=0) >= 0 for data in known):
        places = np.stack(np.broadcast_arrays(*known), axis=1)
        return len(np.unique(places, axis=0)) == len(places)
    if any(rank(v) > 1 or v.type.dtype == "bool" for v in positions):
        return False
    alone = len(positions) == 1
    known = [v for v in positions if rank(v) == 1 and (alone or v.type.shape != (1,))]  # one entry may stand for many
    return any(getattr(v.tag, "counts", 0) or _no_repeats(v) for v in known)


def _no_repeats(position: Variable) -> bool:
    if not isinstance(position, Constant) or (position.data.min(initial=0) < 0 < position.data.max(initial=0) + 1):
        return False
    return len(np.unique(position.data)) == position.data.size


def _is_histogram(node: Apply) -> bool:
    """True for zeros(n) to which a vector is added at a vector of indices known not to be negative."""
    array, value, *positions = node.inputs
    if node.op.set_instead_of_inc or rank(array) != 1 or rank(value) != 1 or value.type.broadcastable[0]:
        return False
    (position,) = positions
    known = isinstance(position, Constant) and position.data.size and position.data.min() >= 0
    zeros = is_zeros(array) and (isinstance(array, Constant) or isinstance(array.owner.op, Alloc))
    return bool(known and zeros and position.type.dtype != "bool" and array.type.dtype == "float64" and
                value.type.dtype == "float64")  # fmt: skip


def _written(writer: Writer, node: Apply, name: str, statement: str) -> Code:
    """Write the statement; from here on the array goes under the node's result."""
    output: Variable = node.outputs[0]
    writer.write(statement, *([writer.comments[output]] if output in writer.comments else []))
    writer.codes[output] = Code(name)
    return Code(name)
