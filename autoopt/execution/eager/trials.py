"""Whether derivatives that were derived for free lengths are right: tried on several lengths, against differences.

A rule that asks for a length gets None for one that is free, and may take that for something else than it is. So what
has been derived so is tried before it is kept: `pull`, `push` and `second` on numbers at random, of the lengths of the
step that they are for, and of longer ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autoopt.execution.eager.roles import Role
from autoopt.tape.tape import Step, call

_STEP = 1e-5
_AGREE = 1e-5
_LONGER = (0, 1, 2)


def hold(
    step: Step, roles: Sequence[Role], shapes: Sequence[tuple[int, ...]], functions: Mapping[str, Callable]
) -> bool:
    """Whether the functions of a kind of step are right; False also where that cannot be seen.

    Parameters
    ----------
    step : Step
    roles : sequence of Role
    shapes : sequence of tuple of int
        Of its operands.
    functions : mapping of str to callable
        `pull`, or `pull`, `push` and `second`.
    """
    if any(role.kind == "given" and role.dtype not in ("float64", "bool") for role in roles):
        return False
    with np.errstate(all="ignore"):
        try:
            return all(_Trial(step, roles, shapes, functions, longer).passes() for longer in _LONGER)
        except Exception:  # whatever it is, such lengths are not what the functions are for
            return False


class _Trial:
    def __init__(
        self,
        step: Step,
        roles: Sequence[Role],
        shapes: Sequence[tuple[int, ...]],
        functions: Mapping[str, Callable],
        longer: int,
    ) -> None:
        self.step, self.roles, self.functions = step, roles, functions
        self.random = np.random.default_rng(longer)
        self.operands = [self._operand(role, shape, longer) for role, shape in zip(roles, shapes, strict=True)]
        self.varying = [k for k, role in enumerate(roles) if role.kind == "varies"]
        self.tangents = [self.random.normal(size=np.shape(self.operands[k])) for k in self.varying]
        self.cotangents = [self.random.normal(size=np.shape(part)) for part in self._results(0.0)]

    def _operand(self, role: Role, shape: tuple[int, ...], longer: int) -> Any:
        if role.kind == "fixed":
            return role.value
        lengths = tuple(n if n == 1 else n + longer for n in shape)
        values = self.random.uniform(0.3, 0.9, lengths)
        if role.dtype == "bool":
            return values > 0.5
        if len(lengths) > 1 and lengths[-1] == lengths[-2]:  # a matrix that can be inverted, and has a factor
            values = values + np.swapaxes(values, -1, -2) + 2.0 * lengths[-1] * np.eye(lengths[-1])
        return values[()]

    def _moved(self, h: float) -> list[Any]:
        moved = list(self.operands)
        for k, tangent in zip(self.varying, self.tangents, strict=True):
            moved[k] = self.operands[k] + h * tangent
        return moved

    def _results(self, h: float) -> list[Any]:
        made = call(self.step, self._moved(h))
        parts = made if isinstance(made, tuple | list) else (made,)
        return [part for part in parts if np.asarray(part).dtype == np.float64]

    def _pulled(self, h: float) -> list[np.ndarray]:
        read = [v for v, role in zip(self._moved(h), self.roles, strict=True) if role.kind != "fixed"]
        parts = self.functions["pull"](*self.cotangents, *self._results(h), *read)
        return self._filled(parts, [np.shape(self.operands[k]) for k in self.varying])

    def _filled(self, parts: Any, shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
        parts = parts if isinstance(parts, tuple) else (parts,)
        filled = [np.zeros(shape) if p is None else np.asarray(p) for p, shape in zip(parts, shapes, strict=True)]
        if any(part.shape != shape for part, shape in zip(filled, shapes, strict=True)):
            raise ValueError("a cotangent of another shape")
        return filled

    def passes(self) -> bool:
        """Whether pulled, pushed and differenced slopes agree, and so do the changes of the pullback."""
        up, down = self._results(_STEP), self._results(-_STEP)
        slopes = [(one - other) / (2 * _STEP) for one, other in zip(up, down, strict=True)]
        along = [float(np.sum(c * s)) for c, s in zip(self.cotangents, slopes, strict=True)]
        pulled = sum(float(np.sum(t * p)) for t, p in zip(self.tangents, self._pulled(0.0), strict=True))
        if not _is_close(np.array(pulled), np.array(sum(along))):
            return False
        if "push" not in self.functions:
            return True
        read = [v for v, role in zip(self.operands, self.roles, strict=True) if role.kind != "fixed"]
        results = self._results(0.0)
        pushed = self._filled(self.functions["push"](*results, *read, *self.tangents), [np.shape(r) for r in results])
        changes = self.functions["second"](*self.cotangents, *results, *read, *self.tangents)
        changed = self._filled(changes, [np.shape(self.operands[k]) for k in self.varying])
        ahead, behind = self._pulled(_STEP), self._pulled(-_STEP)
        moves = [(one - other) / (2 * _STEP) for one, other in zip(ahead, behind, strict=True)]
        pairs = [*zip(pushed, slopes, strict=True), *zip(changed, moves, strict=True)]
        return all(_is_close(found, expected) for found, expected in pairs)


def _is_close(found: np.ndarray, expected: np.ndarray) -> bool:
    size = 1e-3 + float(np.max(np.abs(expected), initial=0.0))
    return bool(np.all(np.abs(found - expected) <= _AGREE * size + _AGREE * np.abs(expected)))
