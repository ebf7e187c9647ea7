"""Which function it is whose derivative is missing, when PyTensor says that one is."""

from __future__ import annotations

from collections.abc import Sequence

import pytensor.tensor as pt
from pytensor.gradient import NullType, NullTypeGradError
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.traversal import io_toposort

from autoopt.errors import Location, UnsupportedFunctionError
from autoopt.graph.build import Graph, origin
from autoopt.graph.parts import slopes
from autoopt.tape.names import qualified

_PLACES = ("first", "second", "third", "fourth")


def refusal(graph: Graph, problem: Exception) -> UnsupportedFunctionError:
    """Return the error that names the functions without a derivative in what they are given, with the user's lines."""
    found = _without_slope([graph.value], graph.wrt)
    if not found:
        try:
            found = _without_slope(slopes(graph.value.sum(), graph.wrt), graph.wrt)
        except (NullTypeGradError, NotImplementedError):
            found = []
    steps = [(graph.tape.steps[number], place) for number, place in found]
    names = list(
        dict.fromkeys(f"{qualified(step.operation)} in its {place} argument" for step, place in steps if step.operation)
    )
    return UnsupportedFunctionError(
        f"The objective needs the derivative of {', '.join(names)}, which is not known."
        if names
        else f"The objective needs a derivative that does not exist here: {problem}.",
        list(dict.fromkeys(Location.of_instruction(*step.site) for step, _ in steps if step.site)),
        "keep that argument free of the parameters, or pass jac='finite-difference'.",
    )


def _without_slope(results: Sequence[Variable], wrt: Sequence[Variable]) -> list[tuple[int, str]]:
    """Return the steps, and which of their arguments, through which `results` have no derivative by `wrt`."""
    found: list[tuple[int, str]] = []
    moving = set(wrt)
    for node in io_toposort(wrt, results):
        if not moving.intersection(node.inputs):
            continue
        moving.update(node.outputs)
        step = next((step for step in map(origin, node.outputs) if step is not None), None)
        if step is not None:
            missing = _missing(node)
            found += [(step, _PLACES[min(k, 3)]) for k, v in enumerate(node.inputs) if v in moving and k in missing]
    return found


def _missing(node: Apply) -> set[int]:
    """Return the positions of the inputs in which an operation has no derivative."""
    try:
        ones = [pt.ones_like(out) for out in node.outputs]
        given = node.op.pullback(node.inputs, node.outputs, ones)
    except (NotImplementedError, AttributeError, TypeError, ValueError):
        return set(range(len(node.inputs)))
    return {k for k, slope in enumerate(given) if isinstance(getattr(slope, "type", None), NullType)}
