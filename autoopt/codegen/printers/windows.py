"""Windows that move along axes of arrays, and what they have at each entry added up."""

from __future__ import annotations

from pytensor.graph.basic import Apply

from autoopt.codegen.code import Code, increment
from autoopt.codegen.printers.table import READ_ONLY, prints
from autoopt.codegen.printers.writer import Writer
from autoopt.codegen.windows import brackets, view_text
from autoopt.ops.patterns import rank
from autoopt.ops.windows import Overlaid, Windows
from autoopt.tape.windows import pieces


@prints(Windows, stem="windows", view=READ_ONLY)
def windows(writer: Writer, node: Apply, x: Code) -> Code:
    return view_text(x, node.op.moves, rank(node.inputs[0]))


@prints(Overlaid, stem="overlaid")
def overlaid(writer: Writer, node: Apply, values: Code) -> Code:
    moves, (output,) = node.op.moves, node.outputs
    values = writer.named(node.inputs[0])
    lengths = node.inputs[0].type.shape
    shape = ", ".join(f"{values}.shape[{k}]" if n is None else str(n) for k, n in enumerate(output.type.shape))
    name = writer.fresh("overlaid")
    one = len(output.type.shape) == 1
    writer.write(
        f"{name} = np.zeros({shape if one else f'({shape})'})",
        *([writer.comments[output]] if output in writer.comments else []),
    )
    for piece in pieces(moves, [lengths[move.axis] for move in moves], rank(output)):
        part = f"{values}[{brackets(piece.source)}]"
        order = ", ".join(map(str, piece.order))
        part = part if piece.order == tuple(range(len(piece.order))) else f"{part}.transpose({order})"
        writer.write(increment(f"{name}[{brackets(piece.target)}]", Code(part)))
    return Code(name)
