"""Reads and writes of parts of arrays: places change, and factors are read at the places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.tensor.basic import ScalarFromTensor
from pytensor.tensor.subtensor import IncSubtensor, Subtensor
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.indexed.table import broadcast, length_of, pushes
from autoopt.graph.indexed.terms import Label, NotFactored, Place, Term, composed, fixed, once
from autoopt.ops.patterns import rank
from autoopt.ops.releases import GATHERS, SCATTERS


@pushes(Subtensor)
def read(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    x = node.inputs[0]
    entries = indices(node.op.idx_list, node.inputs[1:])
    found = []
    for term in terms[0]:
        current: Term | None = term
        for axis in reversed(range(len(entries))):
            if current is not None:
                current = _read_axis(current, axis, entries[axis], length_of(x.type.shape[axis]))
        if current is not None:
            found.append(current)
    return found


def indices(idx_list: Sequence, inputs: Sequence[Variable]) -> list[int | slice]:
    """Return the numbers and slices between the brackets; NotFactored if they are computed."""
    values = []
    for v in inputs:
        base = v.owner.inputs[0] if v.owner and isinstance(v.owner.op, ScalarFromTensor) else v
        if not isinstance(base, Constant):
            raise NotFactored("positions that are computed")
        values.append(int(base.data))

    def entry(part):
        if isinstance(part, slice):
            return slice(*(None if bound is None else values[bound] for bound in (part.start, part.stop, part.step)))
        return values[part]

    return [entry(part) for part in idx_list]


def _read_axis(term: Term, axis: int, entry: int | slice, length: int) -> Term | None:
    """Return the term at one position or a slice of one axis; None if it has nothing there."""
    place, out = term.out[axis], list(term.out)
    wanted = np.arange(length)[entry]
    if isinstance(entry, slice) and wanted.size == length and entry.step in (None, 1):
        return term
    if place.is_plain:
        (label,) = place.labels
        if wanted.ndim == 0:
            del out[axis]
            new = {label: Place((), np.array(wanted))}
        else:
            kept = Label(wanted.size)
            new = {label: Place((kept,), wanted)}
            out[axis] = Place((kept,))
        return _moved_beside(term, new, out, axis if wanted.ndim else None)
    positions = place.known()
    if len(place.labels) > 1 or np.unique(positions).size != positions.size:
        raise NotFactored("a part of what is spread over several labels")
    where = {int(p): k for k, p in enumerate(np.atleast_1d(positions))}
    hits = [(k, where[int(p)]) for k, p in enumerate(np.atleast_1d(wanted)) if int(p) in where]
    if not hits:
        return None
    target, source = (np.array(part) for part in zip(*hits, strict=True))
    if not place.labels:
        out[axis : axis + 1] = [fixed(int(target[0]))] if wanted.ndim else []
        return term.times((), out)
    (label,) = place.labels
    if wanted.ndim == 0:
        del out[axis]
        return _moved_beside(term, {label: Place((), np.array(source[0]))}, out, None)
    kept = Label(len(source))
    whole = len(source) == wanted.size
    out[axis] = Place((kept,), None if whole else target)
    return _moved_beside(term, {label: Place((kept,), source)}, out, axis)


def _moved_beside(term: Term, new: dict[Label, Place], out: list[Place], axis: int | None) -> Term:
    """Return the term at other labels; places of other axes that have the old ones follow."""
    return term.moved(new, [place if k == axis else composed(place, new) for k, place in enumerate(out)])


@pushes(*GATHERS)
def gathered(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    """x[g] and x[r, c], the positions over a single set of axes, which stand together."""
    positions = _gathering(node, node.inputs[1:])
    axes, shape = _together(positions)
    found = []
    for term in terms[0]:
        labels = tuple(Label(length) for length in shape)
        own = [term.out[axis] for axis in axes]
        if not all(place.is_plain for place in own) or len({place.labels for place in own}) < len(own):
            raise NotFactored("positions in what has been placed")
        places = [_placed(positions[axis], labels) for axis in axes]
        new = {place.labels[0]: there for place, there in zip(own, places, strict=True)}
        out = [*term.out[: axes[0]], *(Place((label,)) for label in labels), *term.out[axes[-1] + 1 :]]
        if any(label in new for place in out for label in place.labels):
            raise NotFactored("positions in a diagonal")
        found.append(term.moved(new, out))
    return found


def _together(positions: dict[int, Variable]) -> tuple[list[int], tuple[int, ...]]:
    """Return the axes that positions are along, which are consecutive, and the shape that the positions have together.

    x[r[:, None], c] stands for positions over the axes of r and of c.
    """
    axes = list(positions)
    if axes != list(range(axes[0], axes[0] + len(axes))):
        raise NotFactored("positions along axes that do not stand together")
    shapes = [tuple(map(length_of, v.type.shape)) for v in positions.values()]
    return axes, np.broadcast_shapes(*shapes)


def _placed(positions: Variable, labels: tuple[Label, ...]) -> Place:
    """Return the place at positions that spread over `labels`."""
    own = labels[len(labels) - rank(positions) :]
    x = cast(TensorVariable, positions)
    kept = [axis for axis, label in enumerate(own) if x.type.shape[axis] == label.size]
    if isinstance(x, Constant):
        data = np.asarray(x.data)
        return Place(tuple(own[axis] for axis in kept), data.reshape([data.shape[axis] for axis in kept]))
    x = x if len(kept) == len(own) else x.dimshuffle(kept)
    return Place(tuple(own[axis] for axis in kept), x)


def _gathering(node: Apply, inputs: Sequence[Variable]) -> dict[int, Variable]:
    """Return the arrays of positions by axis; NotFactored if there is more between the brackets than these."""
    found = {}
    for axis, part in enumerate(getattr(node.op, "idx_list", (0,))):
        if isinstance(part, slice):
            if part != slice(None):
                raise NotFactored("slices beside positions")
            continue
        variable = inputs[part]
        if variable.type.dtype == "bool":
            raise NotFactored("a mask")
        if isinstance(variable, Constant) and (np.asarray(variable.data) < 0).any():
            raise NotFactored("positions from the end")
        if rank(variable) == 0:
            raise NotFactored("a position beside others")
        found[axis] = _from_start(variable, length_of(node.inputs[0].type.shape[axis]))
    return found


def _from_start(positions: Variable, length: int) -> Variable:
    """Return positions of which those from the end are counted from the start: the same variable for the same ones."""
    if isinstance(positions, Constant) or positions.type.dtype.startswith("uint"):
        return positions
    given = getattr(positions.tag, "constant", None)  # of which `tape.digest.folded` tells whether it is negative
    if given is not None and (np.asarray(given) >= 0).all():
        return positions
    return once(
        positions,
        ("from_start", length),
        lambda: pt.switch(pt.lt(positions, 0), pt.add(positions, length), positions),
    )


@pushes(IncSubtensor, *SCATTERS)
def written(node: Apply, terms: Sequence[list[Term]]) -> list[Term]:
    """x[...] = y or += y, where x is not traced if it is written over."""
    if node.op.set_instead_of_inc and terms[0]:
        raise NotFactored("values that are written over")
    found = list(terms[0])
    if not terms[1]:
        return found
    write = _written_slices if isinstance(node.op, IncSubtensor) else _written_positions
    return [*found, *write(node, terms[1])]


def _written_positions(node: Apply, terms: Sequence[Term]) -> list[Term]:
    """What is written at arrays of positions: its axes stand at these."""
    x, y, *inputs = node.inputs
    positions = _gathering(node, inputs)
    axes, inner = _together(positions)
    first, last = axes[0], axes[0] + len(inner)
    shape = (*x.type.shape[:first], *inner, *x.type.shape[axes[-1] + 1 :])
    found = []
    for term in terms:
        own = _written_places(term, y, shape)
        middle = own[first:last]
        if len(inner) == len(axes) == 1 and not middle[0].is_plain:
            (there,) = positions.values()
            moved = [Place(middle[0].labels, cast(TensorVariable, there)[middle[0].known()])]
        elif not all(place.is_plain for place in middle) or len({p.labels for p in middle}) < len(middle):
            raise NotFactored("positions of what has been placed")
        else:
            labels = tuple(place.labels[0] for place in middle)
            moved = [_placed(v, labels) for v in positions.values()]
        found.append(term.times((), [*own[:first], *moved, *own[last:]]))
    return found


def _written_slices(node: Apply, terms: Sequence[Term]) -> list[Term]:
    """What is written into slices and at single positions."""
    x, y, *inputs = node.inputs
    entries: dict[int, int | slice] = dict(enumerate(indices(node.op.idx_list, inputs)))
    shape = tuple(n for axis, length in enumerate(x.type.shape) for n in _read_shape(entries.get(axis), length))
    found = []
    for term in terms:
        there = iter(_written_places(term, y, shape))
        out = []
        for axis, length in enumerate(x.type.shape):
            entry = entries.get(axis, slice(None))
            if isinstance(entry, int):
                out.append(fixed(entry % length_of(length)))
                continue
            place, where = next(there), np.arange(length_of(length))[entry]
            is_whole = where.size == length and entry.step in (None, 1)
            out.append(place if is_whole else Place(place.labels, where[place.known()]))
        found.append(term.times((), out))
    return found


def _read_shape(entry: int | slice | None, length: int | None) -> tuple[int, ...]:
    if isinstance(entry, int):
        return ()
    return (len(np.arange(length_of(length))[slice(None) if entry is None else entry]),)


def _written_places(term: Term, y: Variable, shape: Sequence[int | None]) -> tuple[Place, ...]:
    """Return the places of the term in the part that is written, of which `y` may lack axes."""
    missing = len(shape) - rank(y)
    lead = tuple(Place((Label(length),)) for length in shape[:missing])
    return (*lead, *broadcast(term.out, y, shape[missing:]))
