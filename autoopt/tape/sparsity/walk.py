"""From step to step: on which parameters each entry depends, and which parameters meet in a curved operation.

    x (1000,)                   1 ... 1000
    1  x[:-1]                   1 ... 999                       moves: NumPy's own indexing, of the numbers
    2  x[1:]                    2 ... 1000
    3  1 ** 2                   1 ... 999                       curved: {0}, {1}, ... each interact with themselves
    4  2 - 3                    1001 ... 1999                   joins {0, 1}, {1, 2}, ...
    5  4 ** 2                   1001 ... 1999                   curved: {0, 1}, {1, 2}, ... interact
    6  np.sum(5)                2000                            joins them all, but nothing interacts

A second derivative is a sum over the curved steps, of products of the step's own second derivative with slopes; so what
may differ from 0 is known from the sets at these steps alone, and sums of thousands of terms do not fill it. Arrays of
numbers are kept with length 1 along axes on which they do not vary: they are broadcast as NumPy's operands are.

What no rule is known of depends on all that it reads, all of which interacts. So do operations at positions that move
with the parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autoopt.tape.operations import component
from autoopt.tape.sparsity.pattern import Interactions
from autoopt.tape.sparsity.pool import Crowded, Pool
from autoopt.tape.sparsity.rules import Given, Several, Unknown, rule_of
from autoopt.tape.tape import Step, call

_SLOPING = "fcO"  # floats, complex numbers, and several results in one


class Walk:
    """The steps of a tape, or of a loop's body, with the sets that their entries depend on.

    Parameters
    ----------
    steps : sequence of Step
    values : mapping of int to object
        The values of leaves that are known.
    pool : Pool
    interactions : Interactions
    """

    def __init__(self, steps: Sequence[Step], values: Mapping[int, Any], pool: Pool, found: Interactions) -> None:
        self.steps, self.pool, self.interactions = steps, pool, found
        self.numbers: dict[int, Any] = {}
        self.read: dict[int, Any] = {}
        self._values = values
        self._known: dict[int, Any] = {}

    def run(self, first: int = 0) -> None:
        """Follow all steps from one on."""
        for index in range(first, len(self.steps)):
            if index not in self.numbers:
                self.numbers[index] = self._followed(index)

    def _followed(self, index: int) -> Any:
        step = self.steps[index]
        nothing = np.zeros((1,) * len(step.shape), dtype=np.int64)
        if step.operation is None or step.dtype.kind not in _SLOPING:
            return nothing
        if not any(self.depends(source) for source in step.inputs):
            return nothing
        if step.operation is component:
            return self._component(step)
        rule = rule_of(step.operation)
        if rule is not None:
            try:
                result = rule(self, Given(step))
                return result if isinstance(result, Several) else fitted(result, step.shape)
            except Crowded:
                raise
            except Exception:  # Unknown, or whatever NumPy raises of arguments that the rule is not made for
                pass
        result = self.everything(step)
        return result if isinstance(result, Several) else fitted(result, step.shape)

    def depends(self, index: int) -> bool:
        """Whether any entry of a step depends on a parameter."""
        numbers = self.numbers[index]
        return bool((numbers.numbers if isinstance(numbers, Several) else numbers).any())

    # What rules ask -----------------------------------------------------------------------------------------------

    def of(self, index: int) -> np.ndarray:
        """Return the numbers of a step, of length 1 along axes on which they do not vary."""
        numbers = self.numbers[index]
        return self.joined(index) if isinstance(numbers, Several) else numbers

    def spread(self, index: int) -> np.ndarray:
        """Return the numbers of a step in its shape."""
        return np.broadcast_to(self.of(index), self.steps[index].shape)

    def joined(self, index: int) -> np.ndarray:
        """Return the number of the union of all of a step."""
        numbers = self.numbers[index]
        return np.array(self.pool.all(numbers.numbers if isinstance(numbers, Several) else numbers))

    def everything(self, step: Step) -> Any:
        """Return what an operation gives of which nothing is known."""
        number = np.array(self.pool.all(np.array([self.joined(source) for source in step.inputs])))
        self.interactions.within(number)
        return Several(number) if step.dtype.kind == "O" else number

    def value(self, index: int) -> Any:
        """Return the value of a step of the data.

        Raises
        ------
        Unknown
            If it depends on the parameters, be it as whole numbers.
        """
        if index in self._known:
            return self._known[index]
        step = self.steps[index]
        if step.operation is not None:
            value = call(step, [self.value(source) for source in step.inputs])
        elif index in self._values:
            value = self.read[index] = self._values[index]
        else:
            raise Unknown
        self._known[index] = value
        return value

    def _component(self, step: Step) -> Any:
        """Return one of several results: they depend on the same, but for what their leading axes tell apart."""
        source = self.numbers[step.inputs[0]]
        if isinstance(source, Several) and source.parts is not None:
            return fitted(source.parts[step.template[0][1]], step.shape)
        numbers = source.numbers if isinstance(source, Several) else source
        lead = numbers.shape
        if step.dtype.kind == "O":
            return Several(np.array(self.pool.all(numbers)))
        if len(lead) <= len(step.shape) and step.shape[: len(lead)] == lead:
            return fitted(numbers.reshape(lead + (1,) * (len(step.shape) - len(lead))), step.shape)
        return fitted(np.array(self.pool.all(numbers)), step.shape)


def fitted(numbers: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return numbers with as many axes as `shape`, of length 1 where they do not vary."""
    numbers = np.asarray(numbers)
    numbers = numbers.reshape((1,) * (len(shape) - numbers.ndim) + numbers.shape)
    still = [length > 1 and stride == 0 for length, stride in zip(numbers.shape, numbers.strides, strict=True)]
    if any(still):
        numbers = numbers[tuple(slice(0, 1) if one else slice(None) for one in still)]
    if np.broadcast_shapes(numbers.shape, shape) != shape:
        raise ValueError(f"{numbers.shape} for {shape}")
    return numbers
