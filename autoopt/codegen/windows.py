"""Windows of arrays as text: the view that NumPy makes of them, and the parts that are added up again."""

from __future__ import annotations

from collections.abc import Sequence

from autoopt.codegen.code import Code, call, sequence
from autoopt.tape.windows import Move, steps_of


def view_text(x: Code, moves: Sequence[Move], rank: int) -> Code:
    """Return the windows of an array of `rank` axes."""
    spans, axes = sequence([str(move.span) for move in moves]), sequence([str(move.axis) for move in moves])
    view = call("np.lib.stride_tricks.sliding_window_view", x, spans, f"axis={axes}")
    index = brackets(steps_of(moves, rank))
    return Code(f"{view}[{index}]") if index else view


def brackets(index: Sequence[int | slice]) -> str:
    """Return an index of numbers and slices as it stands between brackets, without what takes all of the last axes."""
    parts = [_part(part) for part in index]
    while parts and parts[-1] == ":":
        parts.pop()
    return ", ".join(parts)


def _part(part: int | slice) -> str:
    if not isinstance(part, slice):
        return str(part)
    start, stop, step = ("" if end is None else str(end) for end in (part.start, part.stop, part.step))
    return f"{start}:{stop}" + (f":{step}" if step else "")
