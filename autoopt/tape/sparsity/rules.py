"""The table of rules: for each operation, what its result depends on and which parameters meet in it.

A rule is a function `(walk, given) -> numbers` decorated by `@follows(np.function, ...)`. It joins and moves the
numbers of the operands' sets, and tells `walk.interactions` whose members meet. It raises `Unknown`, or whatever NumPy
raises of what it does not understand, for arguments that it is not made for: then all that is read meets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from autoopt.tape.tape import Step, fill


class Unknown(Exception):
    """A value is not known before the parameters are, or a rule is not made for these arguments."""


class Operand(NamedTuple):
    """A step in the place of an argument."""

    step: int


class Several(NamedTuple):
    """What a function's several results depend on: one set for each entry of their leading axes, or each its own."""

    numbers: np.ndarray
    parts: tuple[np.ndarray, ...] | None = None


@dataclass
class Given:
    """A call: its step, and its arguments with an `Operand` for each that is one."""

    step: Step

    @cached_property
    def _filled(self) -> tuple[tuple, dict]:
        operands = [Operand(source) for source in self.step.inputs]
        if self.step.template is None:
            return tuple(operands), {}
        args, options = self.step.template
        return tuple(fill(args, operands)), fill(options, operands)

    @property
    def args(self) -> tuple:
        """The positional arguments."""
        return self._filled[0]

    @property
    def options(self) -> dict[str, Any]:
        """The arguments by keyword."""
        return self._filled[1]

    def argument(self, position: int, name: str, default: Any = None) -> Any:
        """Return an argument that may be given by position or by name."""
        if len(self.args) > position:
            return self.args[position]
        return self.options.get(name, default)


Rule = Callable[[Any, Given], Any]

RULES: dict[Any, Rule] = {}


def follows(*operations: Callable) -> Callable[[Rule], Rule]:
    """Return a decorator that enters its function in RULES as the rule of `operations`."""

    def enter(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(operations, rule))
        return rule

    return enter


def rule_of(operation: Any) -> Rule | None:
    """Return the rule of an operation; None if nothing is known of it."""
    try:
        rule = RULES.get(operation)
    except TypeError:  # not to be hashed
        return None
    return rule or KINDS.get(type(operation)) or _by_name(operation)


KINDS: dict[type, Rule] = {}
"""By the type of the operation, where every operation is another one: loops."""

NAMES: dict[str, Rule] = {}
"""By the name of a function of SciPy, which need not be loaded for this."""


def _by_name(operation: Any) -> Rule | None:
    module = getattr(operation, "__module__", None) or ""
    return NAMES.get(getattr(operation, "__name__", "")) if module.startswith("scipy.") else None
