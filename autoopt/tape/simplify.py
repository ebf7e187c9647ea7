"""Tape passes that only drop steps."""

from __future__ import annotations

from dataclasses import replace

from autoopt.tape.tape import Tape


def live(tape: Tape) -> Tape:
    """Return the tape without the steps that neither its value nor a guard needs; inputs stay."""
    needed = bytearray(len(tape.steps))
    for index in tape.leaves():
        needed[index] = 1
    for root in (tape.output, *(guard.step for guard in tape.guards)):
        needed[root] = 1
    for index in range(len(tape.steps) - 1, -1, -1):
        if needed[index]:
            for source in tape.steps[index][1]:
                needed[source] = 1
    if all(needed):
        return tape
    number, steps = {}, []
    first = needed.index(0)  # before it the numbers stay
    for index, step in enumerate(tape.steps):
        if needed[index]:
            number[index] = len(steps)
            if max(step.inputs, default=-1) >= first:
                step = step._replace(inputs=tuple([number[source] for source in step.inputs]))
            steps.append(step)
    return replace(
        tape,
        steps=steps,
        values={number[index]: value for index, value in tape.values.items() if index in number},
        guards=[guard._replace(step=number[guard.step]) for guard in tape.guards],
        output=number[tape.output],
        names={number[index]: name for index, name in tape.names.items() if index in number},
    )
