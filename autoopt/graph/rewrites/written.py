"""Reads of arrays that have just been put together, and loops backwards whose last entry nobody reads.

    g = zeros(n);  g[:-1] += a;  g[n - 1] += b             the cotangent of a trajectory
    loop(g[n - 1], g[:-1], ...)[1:]                         loop(b, a[1:], ...)

    b = a.copy();  b[:, 4] = 0.0;  b[:, 3]                  a[:, 3]

The adjoint of a loop starts from the last entry of such an array, and is given the others one by one. The adjoint of
the initial carries is the last thing that it computes: where they do not depend on the parameters it is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytensor.scalar as ps
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.subtensor import IncSubtensor, Subtensor

from autoopt.ops.patterns import applied, is_elementwise, is_zero, rank

Span = tuple[int, int, bool]
"""First entry, end, and whether it is a single entry, without its axis."""


def skip_unread(graph: FunctionGraph) -> None:
    """Leave out the last iteration of loops backwards of whose trajectories nobody reads what it makes."""
    for node in reversed(graph.toposort()):
        shortened = getattr(node.op, "shortened", None)
        if shortened is None or not node.op.reverse:
            continue
        clients = [[client for client, _ in graph.clients[out]] for out in node.outputs]
        readers = [(k, client) for k, own in enumerate(clients) for client in own]
        if readers and all(_reads_from_second(client) for _, client in readers):
            made = shortened(node.inputs)
            if made is not None:
                graph.replace_all([(client.outputs[0], made[k]) for k, client in readers])


def _reads_from_second(client: Any) -> bool:
    """Whether a node reads all entries but the first, and no others."""
    if not isinstance(client, Apply) or not isinstance(client.op, Subtensor):
        return False
    span = span_of(client)
    return span is not None and span == (1, client.inputs[0].type.shape[0], False)


def read_through(graph: FunctionGraph) -> None:
    """Replace reads of arrays of zeros that something was added to by what was added there, and zeros in loops."""
    for node in graph.toposort():
        for out in node.outputs:
            if not isinstance(node.op, IncSubtensor) and not is_elementwise(out, ps.Add):
                continue
            readers = [client for client, _ in graph.clients[out]]
            if not readers or not all(isinstance(client.op, Subtensor) for client in readers):
                continue
            parts = _parts(out)
            if parts is None or all(span[:2] == (0, out.type.shape[0]) for span, _ in parts):
                continue
            found = [_read(client, parts) for client in readers]
            if None not in found:
                pairs = zip(readers, cast("list[Variable]", found), strict=True)
                graph.replace_all([(client.outputs[0], value) for client, value in pairs])
    several = {v for v, clients in graph.clients.items() if len(clients) > 1}
    for node in graph.toposort():
        if isinstance(node.op, Subtensor) and (below := _beside(node, several)) is not node.inputs[0]:
            graph.replace(node.outputs[0], applied(node.op, below, *node.inputs[1:]))
    for node in graph.toposort():
        if hasattr(node.op, "without_zeros") and (made := node.op.without_zeros(node.inputs)) is not None:
            graph.replace_all(list(zip(node.outputs, made, strict=True)))


def put_together(graph: FunctionGraph) -> None:
    """Replace arrays of zeros to which all parts of another array are added, each at its place, by that array."""
    for node in graph.toposort():
        if not isinstance(node.op, IncSubtensor):
            continue
        parts = _parts(node.outputs[0])
        if parts and len(parts) > 1 and (array := _array_of(parts)) is not None and array.type == node.outputs[0].type:
            graph.replace(node.outputs[0], array)


def _array_of(parts: list[tuple[Span, Variable]]) -> Variable | None:
    """Return the array of which parts, one after the other, are all there is; None if there is no such."""
    arrays, end = set(), 0
    for span, added in sorted(parts, key=lambda part: part[0]):
        node = added.owner
        if node is None or not isinstance(node.op, Subtensor) or span_of(node) != span or span[0] != end:
            return None
        arrays.add(node.inputs[0])
        end = span[1]
    array = arrays.pop()
    return array if not arrays and end == array.type.shape[0] else None


def _beside(node: Apply, several: set[Variable]) -> Variable:
    """Return the array that a node reads, as it was before anything was written beside what is read.

    An array that is only there to be written into, which is done in its place, is not read before.
    """
    x = node.inputs[0]
    while x.owner is not None and isinstance(x.owner.op, IncSubtensor):
        if not are_apart(node, x.owner):
            break
        if x.owner.inputs[0] not in several:
            break
        x = x.owner.inputs[0]
    return x


def are_apart(one: Apply, other: Apply) -> bool:
    """Whether two nodes, each of which reads or writes a part of an array, surely have no entry in common."""
    first, second = _stretches(one), _stretches(other)
    if first is None or second is None:
        return False
    return any(a[1] <= b[0] or b[1] <= a[0] for a, b in zip(first, second, strict=False))


def reads_for(value: Variable, array: Variable, follows: Callable[[Variable], bool]) -> list[Apply]:
    """Return the nodes that read parts of an array for a value, entry by entry, by way of variables to be followed."""
    reads, waiting = [], [value]
    while waiting:
        variable = waiting.pop()
        node = variable.owner
        if node is None or not follows(variable):
            continue
        if isinstance(node.op, Elemwise | DimShuffle):
            waiting += node.inputs
        elif isinstance(node.op, Subtensor) and node.inputs[0] is array:
            reads.append(node)
    return reads


def _stretches(node: Apply) -> list[tuple[int, int]] | None:
    """Return the stretch of entries that a node reads or writes along each indexed axis; None if they are unknown."""
    (x, *index), entries = node.inputs, node.op.idx_list
    numbers = iter(index[1:] if isinstance(node.op, IncSubtensor) else index)
    found = []
    for length, entry in zip(getattr(x.type, "shape", ()), entries, strict=False):
        parts = (entry.start, entry.stop, entry.step) if isinstance(entry, slice) else (entry,)
        bounds = [None if part is None else next(numbers) for part in parts]
        if length is None or not all(v is None or isinstance(v, Constant) for v in bounds):
            return None
        values = [None if v is None else int(cast(Constant, v).data) for v in bounds]
        if isinstance(entry, slice):
            first, end, step = slice(*values).indices(length)
            if step != 1:
                return None
        else:
            first = cast(int, values[0])
            first += length * (first < 0)
            end = first + 1
        found.append((first, end))
    return found


def span_of(node: Apply) -> Span | None:
    """Return the entries along the first axis that a node reads or writes; None if they are no simple stretch."""
    (x, *index), entries = node.inputs, node.op.idx_list
    if isinstance(node.op, IncSubtensor):
        index = index[1:]
    length = getattr(x.type, "shape", (None,))[0] if rank(x) else None
    if len(entries) != 1 or length is None or not all(isinstance(v, Constant) for v in index):
        return None
    numbers = iter(int(cast(Constant, v).data) for v in index)
    entry = entries[0]
    if not isinstance(entry, slice):
        first = next(numbers)
        first += length * (first < 0)
        return (first, first + 1, True) if 0 <= first < length else None
    bounds = [None if part is None else next(numbers) for part in (entry.start, entry.stop, entry.step)]
    first, end, step = slice(*bounds).indices(length)
    return (first, max(first, end), False) if step == 1 else None


def _parts(variable: Variable) -> list[tuple[Span, Variable]] | None:
    """Return what an array is the sum of, and where each part was added."""
    length = variable.type.shape[0] if rank(variable) else None
    if length is None:
        return None
    if is_zero(variable):
        return []
    node = variable.owner
    if is_elementwise(variable, ps.Add) and all(v.type.shape == variable.type.shape for v in node.inputs):
        found = [_parts(v) for v in node.inputs]
        return None if None in found else [part for parts in found for part in cast(list, parts)]
    if not isinstance(node and node.op, IncSubtensor):
        return [((0, length, False), variable)]
    span, below, added = span_of(node), _parts(node.inputs[0]), node.inputs[1]
    if span is None or below is None or node.op.set_instead_of_inc:
        return None
    shape = variable.type.shape[1:] if span[2] else (span[1] - span[0], *variable.type.shape[1:])
    return [*below, (span, added)] if added.type.shape == shape else None


def _read(node: Apply, parts: list[tuple[Span, Variable]]) -> Variable | None:
    """Return what a node reads of an array that is the sum of parts."""
    span = span_of(node)
    if span is None:
        return None
    first, end, single = span
    found: list[Variable] = []
    for (start, stop, alone), added in parts:
        if end <= start or stop <= first:
            continue
        if not (start <= first and end <= stop):
            return None  # the rest of what is read would be zeros
        if alone:
            found.append(added if single else pt.as_tensor(added)[None])
        elif (start, stop, False) == span:
            found.append(added)
        else:
            found.append(pt.as_tensor(added)[first - start if single else slice(first - start, end - start)])
    out = node.outputs[0]
    total = pt.zeros(out.type.shape) if not found else found[0] if len(found) == 1 else pt.add(*found)
    return total if total.type.shape == out.type.shape and total.type.dtype == out.type.dtype else None
