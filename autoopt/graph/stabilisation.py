"""The graph of a tape, rewritten so that it overflows nowhere, before it is differentiated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from weakref import ref

from pytensor.graph.basic import Variable
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import ancestors

from autoopt.graph.build import Graph, build
from autoopt.graph.rewrites.rewriting import rewrite, settings
from autoopt.tape.tape import Guard, Tape


def simplified(inputs: list[Variable], variables: list[Variable], stage: str = "between") -> list[Variable]:
    """Return `variables` rewritten, over the same inputs."""
    rewritten = rewrite(inputs, variables, stage)
    return clone_replace(rewritten.outputs, dict(zip(rewritten.inputs, inputs, strict=True)))


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
        guards = [(check, guard) for check, (_, guard) in zip([*early, *late], [*own, *joint], strict=True)]
        graph = replace(graph, value=value, guards=guards)
        _latest[0] = (ref(tape, _forget), replace(graph, tape=None))
    return replace(graph, tape=tape)


def divided(guards: Sequence[tuple[Variable, Guard]]) -> tuple[list, list]:
    """Return the guards that keep the user's arithmetic, and those that are rewritten with the value.

    These read loops that end on a condition, count ties, or ask whether a decomposition has succeeded: what the value
    computes is not computed twice.
    """
    repeats = [
        guard.kind in ("ties", "finite")
        or any(v.owner and getattr(v.owner.op, "ending", None) for v in ancestors([check]))
        for check, guard in guards
    ]
    return (
        [pair for pair, late in zip(guards, repeats, strict=True) if not late],
        [pair for pair, late in zip(guards, repeats, strict=True) if late],
    )


def _ends_on_condition(variable: Variable) -> bool:
    """Whether a variable reads a loop that ends on a condition."""
    return any(v.owner is not None and getattr(v.owner.op, "ending", None) for v in ancestors([variable]))


def _forget(dead: ref) -> None:
    if _latest[0][0] is dead:
        _latest[0] = _NONE
