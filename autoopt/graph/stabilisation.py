"""The graph of a tape, rewritten so that it overflows nowhere, before it is differentiated.

    z = (x[0] + 1e8) - 1e8                           z = x0 + 1e8 - 1e8            the guard's: as the user wrote it
    if z > 0.5:                                      if not (z > 0.5): raise PathChanged
        return np.log(1 + np.exp(z)) + x[1]**2       np.logaddexp(0.0, x0) + x[1]**2         the value's

PyTensor's algebra makes x0 of z, and log(1 + exp(z)) a softplus: equal in real numbers, better where the value and its
derivatives are concerned, and not equal to the last digit. A guard asks which way the user's own function goes, and
that is decided by its rounding: `while 1.0 + eps > 1.0` ends, `while eps > 0.0` goes on for a thousand more. Therefore

* a guard is a graph of its own, without algebra: constants are folded and shapes settled, as NumPy would;
* it shares with the value no more than what is written the same, which the printer then computes once;
* the exceptions are guards that are rewritten together with the value, see `divided`: loops that end on a condition
  would run twice, and SciPy would solve an equation twice; counts of ties and questions whether a decomposition
  succeeds ask about what the value computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast
from weakref import ref

from pytensor.graph.basic import Variable
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import ancestors
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.build import Graph, build
from autoopt.graph.equations import Solve
from autoopt.graph.rewrites.rewriting import rewrite, settings
from autoopt.tape.tape import Guard, Tape


def simplified(
    inputs: Sequence[Variable], variables: Sequence[Variable], stage: str = "between"
) -> list[TensorVariable]:
    """Return `variables` rewritten, over the same inputs."""
    rewritten = rewrite(inputs, variables, stage)
    over = dict(zip(rewritten.inputs, inputs, strict=True))
    return cast("list[TensorVariable]", clone_replace(rewritten.outputs, over))


_NONE: tuple = (lambda: None, None)

_latest: list[tuple] = [_NONE]


def stabilised(tape: Tape) -> Graph:
    """Return the graph of `tape`, its value rewritten so that its derivatives are finite wherever they can be.

    The latest is kept for as long as its tape, so that all kinds of derivative start from the same graph. Guards keep
    the user's own arithmetic, rounding included; those that read loops that end on a condition read the same loops as
    the value.
    """
    known, graph = _latest[0]
    if known() is not tape:
        graph = build(tape)
        inputs = [*graph.wrt, *graph.inputs.values()]
        with settings():
            own, joint = divided(graph.guards)
            value, *late = simplified(inputs, [graph.value, *(check for check, _ in joint)], "first")
            early = simplified(inputs, [check for check, _ in own], "guards") if own else []
        guards: list[tuple[Variable, Guard]] = [
            (check, guard) for check, (_, guard) in zip([*early, *late], [*own, *joint], strict=True)
        ]
        graph = replace(graph, value=value, guards=guards)
        _latest[0] = (ref(tape, _forget), replace(graph, tape=Tape()))  # which must not keep the tape alive
    return replace(graph, tape=tape)


def divided(guards: Sequence[tuple[Variable, Guard]]) -> tuple[list, list]:
    """Return the guards that keep the user's arithmetic, and those that are rewritten with the value.

    These read loops that end on a condition or equations that SciPy solves, count ties, or ask whether a decomposition
    has succeeded: what the value computes is not computed twice.
    """
    repeats = [
        guard.kind in ("ties", "finite")
        or any(
            v.owner and (getattr(v.owner.op, "ending", None) or type(v.owner.op) is Solve) for v in ancestors([check])
        )
        for check, guard in guards
    ]
    return (
        [pair for pair, late in zip(guards, repeats, strict=True) if not late],
        [pair for pair, late in zip(guards, repeats, strict=True) if late],
    )


def _forget(dead: ref) -> None:
    if _latest[0][0] is dead:
        _latest[0] = _NONE
