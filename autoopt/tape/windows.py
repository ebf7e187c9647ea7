"""Windows that move along axes of an array: what they are, and where each entry of them comes from.

    x   0 1 2 3 4 5 6      windows(x, (Move(axis=0, length=3, stride=2),))      0 1 2
                                                                                2 3 4
                                                                                4 5 6

Knows arrays of NumPy only. Where the windows lie is told along the axis itself, the place within one along a further
axis at the end, as `numpy.lib.stride_tricks.sliding_window_view` has them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


class Move(NamedTuple):
    """Windows of `length` entries along an axis, `dilation` apart, each window `stride` after the one before."""

    axis: int
    length: int
    stride: int = 1
    dilation: int = 1

    @property
    def span(self) -> int:
        """How many entries lie from the first to the last of a window."""
        return (self.length - 1) * self.dilation + 1

    def count(self, extent: int) -> int:
        """Return how many windows an axis of `extent` entries has."""
        return (extent - self.span) // self.stride + 1


Moves = tuple[Move, ...]


def windows(x, moves):
    """Return the windows that move along some axes of `x`, a view; places within one are further axes at the end."""
    moves = [Move(*move) for move in moves]
    view = sliding_window_view(x, [move.span for move in moves], tuple(move.axis for move in moves))
    return view[steps_of(moves, np.ndim(x))]


def steps_of(moves: Sequence[Move], rank: int) -> tuple[slice, ...]:
    """Return the index that leaves of all windows of their spans those that are meant."""
    steps = [1] * rank + [move.dilation for move in moves]
    for move in moves:
        steps[move.axis] = move.stride
    return tuple(slice(None, None, step if step > 1 else None) for step in steps)


def shape_of(moves: Sequence[Move], shape: Sequence[Any]) -> tuple:
    """Return the shape of the windows of an array."""
    lengths = list(shape)
    for move in moves:
        lengths[move.axis] = move.count(shape[move.axis])
    return (*lengths, *(move.length for move in moves))


class Piece(NamedTuple):
    """Entries of the windows, `source` with its axes in `order`, that come from entries of the array that differ."""

    target: tuple
    source: tuple
    order: tuple[int, ...]


def pieces(moves: Sequence[Move], counts: Sequence[int], rank: int) -> Iterator[Piece]:
    """Yield pieces that make up all windows of an array of `rank` axes, `counts` windows along each move.

    Along each axis one for each place within a window, or one for each window if those are fewer.
    """
    by_window = [count < move.length for move, count in zip(moves, counts, strict=True)]
    for places in itertools.product(*(range(number) for number in numbers(moves, counts))):
        target: list[Any] = [slice(None)] * rank
        source: list[Any] = [slice(None)] * (rank + len(moves))
        axes: list[Any] = list(range(rank))
        for k, (move, count, place) in enumerate(zip(moves, counts, places, strict=True)):
            many, own, step = (move.length, move.stride, move.dilation) if by_window[k] else (
                count, move.dilation, move.stride)  # fmt: skip
            target[move.axis] = slice(place * own, place * own + (many - 1) * step + 1, step if step > 1 else None)
            source[move.axis if by_window[k] else rank + k] = place
            axes[move.axis] = rank + k if by_window[k] else move.axis
        kept = sorted(axes)
        yield Piece(tuple(target), tuple(source), tuple(kept.index(axis) for axis in axes))


def numbers(moves: Sequence[Move], counts: Sequence[int]) -> list[int]:
    """Return for each move of how many pieces it makes the windows."""
    return [min(move.length, count) for move, count in zip(moves, counts, strict=True)]


def overlaid(values: np.ndarray, moves: Sequence[Move], shape: Sequence[int]) -> np.ndarray:
    """Return an array of `shape` with the sums of what windows have at the places of its entries."""
    total = np.zeros(tuple(shape), values.dtype)
    for piece in pieces(moves, [values.shape[move.axis] for move in moves], len(shape)):
        total[piece.target] += values[piece.source].transpose(piece.order)
    return total
