"""Shapes, reductions, construction, joining and sorting of arrays."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from pytensor.assumptions.specify import SpecifyAssumptions
from pytensor.compile.ops import DeepCopyOp, ViewOp
from pytensor.gradient import DisconnectedGrad, GradClip, GradScale, ZeroGrad
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.raise_op import CheckAndRaise
from pytensor.tensor.basic import (
    Alloc,
    AllocEmpty,
    ARange,
    ExtractDiag,
    Eye,
    Join,
    MakeVector,
    Nonzero,
    ScalarFromTensor,
    Split,
    TensorFromScalar,
)
from pytensor.tensor.elemwise import CAReduce, DimShuffle
from pytensor.tensor.extra_ops import CumOp, Repeat, SearchsortedOp, Unique
from pytensor.tensor.fft import IRFFTOp, RFFTOp
from pytensor.tensor.math import All, Any, Argmax, Dot, Max, Min, Prod, ProdWithoutZeros, Sum
from pytensor.tensor.reshape import JoinDims, SplitDims
from pytensor.tensor.shape import Reshape, Shape, Shape_i, SpecifyShape
from pytensor.tensor.signal.conv import Convolve1d
from pytensor.tensor.sort import ArgSortOp, SortOp
from pytensor.tensor.special import XLog1PY, XLogY

from autoopt.codegen.code import COMPARISON, MATMUL, TERNARY, Code, call, dtype_text, infix, literal, sequence
from autoopt.codegen.printers.table import READ_ONLY, NoSource, View, prints
from autoopt.codegen.printers.writer import Writer
from autoopt.ops.contractions import Einsum
from autoopt.ops.matmul import MatMul
from autoopt.ops.patterns import rank
from autoopt.ops.releases import IfElse, axis_of, operands_of


def entries(writer: Writer, vector: Variable) -> list[str]:
    """Return the texts of the elements of a shape vector."""
    if isinstance(vector, Constant):
        return [str(int(n)) for n in vector.data]
    if vector.owner and isinstance(vector.owner.op, MakeVector):
        return [writer.code(v).text for v in vector.owner.inputs]
    return [f"*{writer.code(vector):.}"]


def known_axis(node: Apply) -> int:
    """Return the axis of a join, split or sort."""
    axis = axis_of(node)
    if axis is None:
        raise NoSource("with an axis that is not a constant")
    return axis


def axis_text(axes: Sequence[int] | None, ndim: int, name: str = "axis=") -> str:
    """Return `axis=...`, empty for all axes."""
    if axes is None or len(axes) == ndim:
        return ""
    return f"{name}{axes[0] if len(axes) == 1 else tuple(axes)}"


@prints(DimShuffle, view=View())
def dimshuffle(writer: Writer, node: Apply, x: Code) -> Code:
    order = node.op.new_order
    kept = [axis for axis in order if axis != "x"]
    dropped = [axis for axis in range(rank(node.inputs[0])) if axis not in kept]
    if dropped:
        index = ", ".join("0" if axis in dropped else ":" for axis in range(rank(node.inputs[0])))
        x = Code(f"{x:.}[{index}]") if rank(node.inputs[0]) else x
        kept = [axis - sum(d < axis for d in dropped) for axis in kept]
    if kept != sorted(kept):
        reverse = kept == list(range(len(kept)))[::-1]
        x = Code(f"{x:.}.T" if reverse else f"{x:.}.transpose({', '.join(map(str, kept))})")
    if "x" in order:
        index = ", ".join("None" if axis == "x" else ":" for axis in order)
        index = re.sub(r"(, :)+$", "", index) if index.startswith("None") else index
        x = Code(f"{x:.}[{index}]") if kept else call("np.full", sequence(["1"] * len(order)), x)
    return x


@prints(MatMul)
@prints(Dot, stacked=True)
def dot(writer: Writer, node: Apply, a: Code, b: Code) -> Code:
    return infix("@", MATMUL, a, b)


@prints(Einsum, stem="total")
def einsum(writer: Writer, node: Apply, a: Code, b: Code) -> Code:
    first, _, rest = node.op.subscripts.partition(",")
    if rest == f"{first}->":
        return call("np.vdot", a, b)
    return call("np.einsum", f'"{node.op.subscripts}"', a, b)


@prints(Max, stem="largest")
@prints(Min, stem="smallest")
@prints(Prod, stem="prod")
@prints(Sum, All, Any, CAReduce, stem="total")
def reduction(writer: Writer, node: Apply, x: Code) -> Code:
    method = {"add": "sum", "mul": "prod", "maximum": "max", "minimum": "min", "and": "all", "or": "any"}
    name = method.get(str(node.op.scalar_op).lower().removeprefix("scalar_"))
    if name is None:
        raise NoSource(node.op)
    (source,), (result,) = node.inputs, node.outputs
    options = [axis_text(node.op.axis, rank(source))]
    if rank(source) == 0:
        return x
    if name == "sum" and source.type.dtype == "bool" and result.type.ndim == 0 and result.type.dtype == "int64":
        return call("np.count_nonzero", x)
    if name == "sum" and isinstance(source.owner and source.owner.op, ExtractDiag) and x.text.endswith(".diagonal()"):
        return Code(f"{x.text.removesuffix('.diagonal()')}.trace()")
    if name in ("sum", "prod") and np.zeros(0, source.type.dtype).sum().dtype != result.type.dtype:
        options.append(f"dtype={dtype_text(result.type.dtype)}")
    return Code(f"{x:.}.{name}({', '.join(option for option in options if option)})")


@prints(ProdWithoutZeros)
def product_without_zeros(writer: Writer, node: Apply, x: Code) -> Code:
    axis = axis_text(node.op.axis, rank(node.inputs[0]))
    x = writer.named(node.inputs[0])
    return call("np.prod", x, *([axis] if axis else []), f"where={x} != 0")


@prints(Argmax, stem="position")
def argmax(writer: Writer, node: Apply, x: Code) -> Code:
    ndim, axes = rank(node.inputs[0]), node.op.axis
    if axes is not None and 1 < len(axes) < ndim:
        kept = [axis for axis in range(ndim) if axis not in axes]
        rows = ", ".join(f"{writer.named(node.inputs[0])}.shape[{axis}]" for axis in kept)
        x = Code(f"{writer.named(node.inputs[0])}.transpose({', '.join(map(str, [*kept, *axes]))}).reshape({rows}, -1)")
        return Code(f"{x}.argmax(axis=-1)")
    return Code(f"{x:.}.argmax({axis_text(axes, ndim)})")


@prints(CumOp, stem="running")
def cumulative(writer: Writer, node: Apply, x: Code) -> Code:
    axis = f"axis={node.op.axis}" if rank(node.inputs[0]) > 1 and node.op.axis is not None else ""
    return Code(f"{x:.}.{'cumsum' if node.op.mode == 'add' else 'cumprod'}({axis})")


@prints(Shape_i, stem="size")
def shape_i(writer: Writer, node: Apply, x: Code) -> Code:
    return Code(f"{x:.}.shape[{node.op.i}]")


@prints(Shape, stem="shape")
def shape_vector(writer: Writer, node: Apply, x: Code) -> Code:
    return call("np.array", f"{x:.}.shape")


@prints(Reshape, stem="reshaped", view=View())
def reshaped(writer: Writer, node: Apply, x: Code, target: Code) -> Code:
    source, lengths = node.inputs[0].owner, entries(writer, node.inputs[1])
    if source and isinstance(source.op, MakeVector) and len(lengths) == 2 and x.text.startswith("np.array(["):
        items, width = [str(writer.code(v)) for v in source.inputs], node.outputs[0].type.shape[1]
        if width and source.op.dtype == "float64":
            rows = [f"[{', '.join(items[k : k + width])}]" for k in range(0, len(items), width)]
            return call("np.array", f"[{', '.join(rows)}]")
    shape = ", ".join(lengths) or "()"
    if not rank(node.inputs[0]):  # it may be a number
        return call("np.reshape", x, f"({shape})" if "," in shape else shape)
    return Code(f"{x:.}.reshape({shape})")


@prints(JoinDims, stem="reshaped", view=View())
def join_dims(writer: Writer, node: Apply, x: Code) -> Code:
    axes, ndim = node.op.axis_range, rank(node.inputs[0])
    if not ndim:  # it may be a number
        return call("np.reshape", x, "-1")
    if len(axes) == ndim:
        return Code(f"{x:.}.reshape(-1)")
    x = writer.named(node.inputs[0])
    sizes = [f"{x}.shape[{axis}]" for axis in range(ndim)]
    joined = " * ".join(sizes[a] for a in axes) or "1"
    return Code(f"{x}.reshape({', '.join([*sizes[: axes.start], joined, *sizes[axes.stop :]])})")


@prints(SplitDims, stem="reshaped", view=View())
def split_dims(writer: Writer, node: Apply, x: Code, target: Code) -> Code:
    ndim, axis = rank(node.inputs[0]), node.op.axis
    x = writer.named(node.inputs[0]) if ndim > 1 else x
    sizes = [f"{x}.shape[{i}]" for i in range(ndim)]
    sizes[axis : axis + 1] = entries(writer, node.inputs[1])
    return Code(f"{x:.}.reshape({', '.join(sizes) or '()'})")


@prints(
    *(SpecifyShape, DisconnectedGrad, ZeroGrad, GradClip, GradScale, ViewOp, SpecifyAssumptions),
    view=View(),
)
def unchanged(writer: Writer, node: Apply, x: Code, *rest: Code) -> Code:
    return x


@prints(TensorFromScalar, ScalarFromTensor)
def scalar_box(writer: Writer, node: Apply, x: Code) -> Code:
    return x


@prints(DeepCopyOp)
def deep_copy(writer: Writer, node: Apply, x: Code) -> Code:
    return Code(f"{x:.}.copy()") if rank(node.outputs[0]) else x


@prints(CheckAndRaise, view=View())
def check(writer: Writer, node: Apply, x: Code, *conditions: Code) -> Code:
    for condition in conditions:
        error = f"{node.op.exc_type.__name__}({node.op.msg!r})"
        writer.write(f"if not np.all({condition}):\n    raise {error}")
    return x


def _broadcast(node: Apply) -> View | None:
    """Return the view that np.broadcast_to makes of an array; what a number fills is new."""
    return None if all(node.inputs[0].type.broadcastable) else READ_ONLY


@prints(Alloc, stem="filled", view=_broadcast)
def alloc(writer: Writer, node: Apply, value: Code, *sizes: Code) -> Code:
    (source, *_), (result,) = node.inputs, node.outputs
    extent = sizes[0].text if len(sizes) == 1 else sequence([size.text for size in sizes]) if sizes else "()"
    dtype = [] if result.type.dtype == "float64" else [f"dtype={dtype_text(result.type.dtype)}"]
    if isinstance(source, Constant) and source.data.size == 1:
        number = source.data.item()
        if number in (0, 1) and not np.signbit(source.data.astype(float)).any():
            return call("np.ones" if number else "np.zeros", extent, *dtype)
        return call("np.full", extent, literal(number), *dtype)
    if all(source.type.broadcastable):
        return call("np.full", extent, value, *dtype)
    return call("np.broadcast_to", value, sequence([size.text for size in sizes]))


@prints(AllocEmpty, stem="filled")
def alloc_empty(writer: Writer, node: Apply, *sizes: Code) -> Code:
    return call("np.empty", sequence([size.text for size in sizes]), f"dtype={dtype_text(node.op.dtype)}")


@prints(MakeVector, stem="vector")
def make_vector(writer: Writer, node: Apply, *items: Code) -> Code:
    dtype = node.op.dtype
    kept = items and all(v.type.dtype == dtype for v in node.inputs) and dtype == "float64"
    return call("np.array", f"[{', '.join(map(str, items))}]", *([] if kept else [f"dtype={dtype_text(dtype)}"]))


@prints(Join, stem="joined")
def join(writer: Writer, node: Apply, *operands: Code) -> Code:
    axis, parts = known_axis(node), operands_of(node)
    numbers = [_number(writer, part) for part in parts]
    if all(numbers):
        return call("np.array", f"[{', '.join(map(str, numbers))}]")
    items = [f"[{number}]" if number else str(writer.code(part)) for part, number in zip(parts, numbers, strict=True)]
    return call("np.concatenate", f"[{', '.join(items)}]", *([f"axis={axis}"] if axis else []))


def _number(writer: Writer, part: Variable) -> Code | None:
    """Return the number that a vector of one is made of; None for other vectors."""
    if part.type.dtype != "float64" or part.type.shape != (1,):
        return None
    if isinstance(part, Constant):
        return literal(part.data[0])
    node = part.owner
    made = node is not None and isinstance(node.op, DimShuffle) and not rank(node.inputs[0])
    return writer.code(node.inputs[0]) if made and not writer.code(part).is_name else None


@prints(Split, stem="part", view=READ_ONLY)
def split(writer: Writer, node: Apply, x: Code, *rest: Code) -> Code:
    _, sizes = operands_of(node)
    if isinstance(sizes, Constant):
        ends = str(np.cumsum(sizes.data)[:-1].tolist())
    else:
        ends = f"np.cumsum({writer.code(sizes)})[:-1]"
    return call("np.split", x, ends, f"axis={known_axis(node)}")


@prints(Eye, stem="identity")
def eye(writer: Writer, node: Apply, rows: Code, columns: Code, offset: Code) -> Code:
    square = [] if rows.text == columns.text and offset.text == "0" else [columns]
    shift = [] if offset.text == "0" else [f"k={offset}"]
    dtype = [] if node.op.dtype == "float64" else [f"dtype={dtype_text(node.op.dtype)}"]
    return call("np.eye", rows, *square, *shift, *dtype)


@prints(ARange, stem="index")
def arange(writer: Writer, node: Apply, start: Code, stop: Code, step: Code) -> Code:
    bounds = [start, stop, step] if step.text != "1" else [stop] if start.text == "0" else [start, stop]
    plain = node.op.dtype == "int64" and all(v.type.dtype.startswith("int") for v in node.inputs)
    return call("np.arange", *bounds, *([] if plain else [f"dtype={dtype_text(node.op.dtype)}"]))


@prints(Nonzero, stem="index")
def nonzero(writer: Writer, node: Apply, x: Code) -> Code:
    return call("np.nonzero", x) if len(node.outputs) > 1 else Code(f"np.nonzero({x})[0]")


@prints(ExtractDiag, stem="diagonal", view=READ_ONLY)
def extract_diagonal(writer: Writer, node: Apply, x: Code) -> Code:
    op = node.op
    if (op.axis1, op.axis2) == (0, 1):
        return Code(f"{x:.}.diagonal({op.offset or ''})")
    return Code(f"{x:.}.diagonal({op.offset}, {op.axis1}, {op.axis2})")


@prints(Repeat, stem="repeated")
def repeat(writer: Writer, node: Apply, x: Code, count: Code) -> Code:
    return call("np.repeat", x, count, *([f"axis={node.op.axis}"] if rank(node.inputs[0]) > 1 else []))


@prints(SearchsortedOp, stem="index")
def searchsorted(writer: Writer, node: Apply, x: Code, v: Code, *sorter: Code) -> Code:
    options = [f"side={node.op.side!r}"] * (node.op.side != "left") + [f"sorter={s}" for s in sorter]
    return call("np.searchsorted", x, v, *options)


@prints(Unique, stem="unique")
def unique(writer: Writer, node: Apply, x: Code) -> Code:
    wanted = [name for name in ("return_index", "return_inverse", "return_counts") if getattr(node.op, name)]
    axis = [] if node.op.axis is None else [f"axis={node.op.axis}"]
    return call("np.unique", x, *(f"{name}=True" for name in wanted), *axis)


@prints(SortOp, stem="sorted")
def sort_values(writer: Writer, node: Apply, x: Code, *axis: Code) -> Code:
    return call("np.sort", x, *_sort_options(node))


@prints(ArgSortOp, stem="order")
def sort_order(writer: Writer, node: Apply, x: Code, *axis: Code) -> Code:
    return Code(f"{x:.}.argsort({', '.join(_sort_options(node))})")


def _sort_options(node: Apply) -> list[str]:
    axis, kind = known_axis(node), node.op.kind
    last = axis == rank(node.inputs[0]) - 1
    return ([] if last else [f"axis={axis}"]) + ([] if kind in (None, "quicksort") else [f"kind={kind!r}"])


@prints(XLogY)
def xlogy(writer: Writer, node: Apply, x: Code, y: Code) -> Code:
    return call("scipy.special.xlogy", x, y)


@prints(XLog1PY)
def xlog1py(writer: Writer, node: Apply, x: Code, y: Code) -> Code:
    return call("scipy.special.xlog1py", x, y)


@prints(Convolve1d, stem="convolved")
def convolve(writer: Writer, node: Apply, a: Code, b: Code, full: Code) -> Code:
    if isinstance(node.inputs[2], Constant):
        return call("np.convolve", a, b, repr("full" if node.inputs[2].data else "valid"))
    return call("np.convolve", a, b, f"'full' if {full} else 'valid'")


@prints(IfElse, stem="chosen", view=View(operand=1, writable=False))
def if_else(writer: Writer, node: Apply, condition: Code, *branches: Code) -> Code:
    half = len(branches) // 2
    sides = ([code.at(COMPARISON) for code in part] for part in (branches[:half], branches[half:]))
    yes, no = (side[0] if half == 1 else sequence(side) for side in sides)
    return Code(f"{yes} if {condition.at(COMPARISON)} else {no}", TERNARY)


@prints(RFFTOp, stem="spectrum")
def rfft(writer: Writer, node: Apply, x: Code, size: Code) -> Code:
    spectrum = writer.fresh("spectrum")
    sizes = entries(writer, node.inputs[1])
    writer.write(f"{spectrum} = np.fft.rfftn({x}, s={sequence(sizes)}, axes={tuple(range(-len(sizes), 0))})")
    return Code(f"np.stack([{spectrum}.real, {spectrum}.imag], axis=-1)")


@prints(IRFFTOp, stem="signal")
def irfft(writer: Writer, node: Apply, x: Code, size: Code) -> Code:
    x = writer.named(node.inputs[0])
    sizes = entries(writer, node.inputs[1])
    axes = tuple(range(-len(sizes), 0))
    values = f"{x}[..., 0] + 1j * {x}[..., 1]"
    return call("np.fft.irfftn", values, f"s={sequence(sizes)}", f"axes={axes}", "norm='forward'")
