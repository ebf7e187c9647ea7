"""What is the same in every iteration of a loop that ends on a condition, computed once, before it.

    0  u    1  p[0]    2  a    3  1 * 2    4  0 * 0    5  4 - 3        before: the loop's body, 0 its carry
    0  u    1  p[0] * a        2  0 * 0    3  2 - 1                    after: p[0] * a is a step of the tape

So two loops that read different entries of an array have the same body. The arithmetic of each step stays what it was.
"""

from __future__ import annotations

from dataclasses import replace

from autoopt.tape.recurrence import Known, Recurrence
from autoopt.tape.rewriter import TapeRewriter
from autoopt.tape.tape import CONSTANT, Step, Tape


def hoisted(tape: Tape) -> Tape:
    """Return `tape` with what its loops that end on a condition compute anew in each iteration as steps before them."""
    return _Hoisting(tape).tape()


class _Hoisting(TapeRewriter):
    """The new tape."""

    def tape(self) -> Tape:
        for index, step in enumerate(self.old.steps):
            if isinstance(step.operation, Recurrence) and step.operation.until:
                self.loop(index, step, step.operation)
            else:
                self.take(index)
        guards = [guard._replace(step=self.at(guard.step)) for guard in self.old.guards]
        return self.finished(guards)

    def loop(self, index: int, step: Step, loop: Recurrence) -> None:
        """Enter what one loop has in common for all iterations, and the loop."""
        outside = {k: self.at(source) for k, source in enumerate(step.inputs)}  # the body's step -> the tape's
        until = loop.until
        assert until is not None
        moving = set(range(loop.carries))
        for k, inner in enumerate(loop.body[len(outside) :], start=len(outside)):
            if moving.intersection(inner.inputs):
                moving.add(k)
            elif not isinstance(inner.template, Known):
                outside[k] = self.before(loop, inner, outside)
        wanted = [*loop.updates, *loop.outputs, until.step, *(check for check, _ in until.checks)]
        read = [source for k in sorted(moving) for source in loop.body[k].inputs]
        fixed = list(dict.fromkeys(k for k in [*read, *wanted] if k not in moving and k in outside))
        body = [loop.body[k] for k in range(loop.carries)]
        place = {k: k for k in range(loop.carries)}
        for k in fixed:
            place[k] = len(body)
            body.append(loop.body[k]._replace(operation=None, inputs=(), template=None))
        for k, inner in enumerate(loop.body):
            if k not in place and (k in moving or isinstance(inner.template, Known)):
                place[k] = len(body)
                body.append(inner._replace(inputs=tuple(place[source] for source in inner.inputs)))
        checks = tuple((place[check], answer) for check, answer in until.checks)
        operation = replace(
            loop,
            body=tuple(body),
            updates=tuple(place[k] for k in loop.updates),
            outputs=tuple(place[k] for k in loop.outputs),
            until=until._replace(step=place[until.step], checks=checks),
        )
        inputs = tuple(outside[k] for k in [*range(loop.carries), *fixed])
        self.number[index] = self.append(step._replace(operation=operation, inputs=inputs))

    def before(self, loop: Recurrence, inner: Step, outside: dict[int, int]) -> int:
        """Enter a step of a body before the loop."""
        inputs = []
        for source in inner.inputs:
            if source not in outside:
                known = loop.body[source]
                outside[source] = self.append(known._replace(template=None, level=CONSTANT))
                self.values[outside[source]] = known.template.value
            inputs.append(outside[source])
        level = max((self.steps[source].level for source in inputs), default=CONSTANT)
        return self.append(inner._replace(inputs=tuple(inputs), level=level))
