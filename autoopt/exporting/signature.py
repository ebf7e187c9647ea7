"""The arguments of exported functions: the objective's own, then the arrays that it reads outside.

def loss(w, X, y, power=2): ...      SCALE = np.array(...)
                                ->   value_and_grad(w, X, y, power=2, SCALE)
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import numpy as np

from autoopt.execution.printed import SHOWN
from autoopt.exporting.fixed import PLAIN, fixed
from autoopt.exporting.functions import names_read
from autoopt.exporting.tables import Table, in_terms_of, table_of
from autoopt.objectives.inputs import Input
from autoopt.tape.names import fresh
from autoopt.tracing.expressions import MODULES, namespace
from autoopt.tracing.naming import argument_texts, signature_names

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

IMPORTS = {name: f"import {module} as {name}" for name, module in MODULES.items()}
"""The imports of what expressions of data may name beside the arguments."""


@dataclass(frozen=True)
class Signature:
    """What exported functions take.

    Attributes
    ----------
    parameters : str
        The name of the parameters.
    names : tuple of str
        The data in their order.
    texts : tuple of str
        The same as a signature has them, with their defaults.
    values : dict of str to object
        Those that the objective was traced with.
    leaves : dict of str to (str, str)
        What the printed code reads: its name here, and the expression in the arguments that gives it.
    fixed : tuple of str
        Statements that refuse what the code was not written for.
    notes : tuple of str
        What else it was written for, in words.
    held : dict of str to ndarray
        What the objective computes itself of its data, by no expression that is known: constants of the module.
    tables : dict of str to str
        The tables that it reads outside its arguments: by their names here, the objective's own expressions.
    """

    parameters: str
    names: tuple[str, ...]
    texts: tuple[str, ...]
    values: dict[str, Any]
    leaves: dict[str, tuple[str, str]]
    fixed: tuple[str, ...]
    notes: tuple[str, ...]
    held: dict[str, Any]
    tables: dict[str, str]

    @classmethod
    def of(cls, function: Callable, args: Sequence[Any], inputs: Mapping[str, Input], given: int) -> Signature:
        """Return the signature for an objective that was traced with `args`, and whose code has these inputs.

        The first `given` of the arguments are the caller's, the others were left at their defaults.
        """
        names = own_names(function, len(args) + 1)
        called = dict(zip(argument_texts(function, len(args) + 1), names, strict=False))
        own, left = names[: given + 1], names[given + 1 :]
        defaults = dict(zip(left, args[given:], strict=True)) | _defaults(function, names)
        values = dict(zip(own[1:], args, strict=False)) | defaults
        leaves: dict[str, tuple[str, str]] = {}
        outside: dict[str, Any] = {}
        held: dict[str, Any] = {}
        tables: dict[str, Table] = {}
        read, taken = set(), {own[0], *values}
        known, known_names = namespace(function, tuple(args))[1], {*values, *MODULES}
        for name, given in inputs.items():
            table = table_of(given, known)
            same = [own_name for own_name, other in tables.items() if table and other.expression == table.expression]
            if table and (same or names_read([in_terms_of(given.expression, table, "np")]) <= {*MODULES}):
                own_name = same[0] if same else fresh(table.name, taken)
                tables[own_name], outside[own_name] = table, table.value
                leaves[name] = fresh(name, taken), in_terms_of(given.expression, table, own_name)
            elif given.kind == "argument" and names_read([text := _called(given.expression, called)]) <= known_names:
                read.add(text)
                leaves[name] = text if name in (text, f"{text}_") else fresh(name, taken), text
            else:
                own_name = fresh(name, taken)
                (held if given.kind == "computed" and _is_short(given.value) else outside)[own_name] = given.value
                leaves[name] = own_name, own_name
        texts = [*own[1:], *outside, *(f"{name}={value!r}" for name, value in defaults.items())]
        lines, notes = fixed(values, read)
        order = (*own[1:], *outside, *defaults)
        values = {name: (values | outside)[name] for name in order}
        below = {name: table.expression for name, table in tables.items()}
        return cls(own[0], order, tuple(texts), values, leaves, lines, notes, held, below)


def own_names(function: Callable, count: int) -> list[str]:
    """Return what exported functions call the positional arguments of `function`: as it does, where a module can."""
    names = [f"{name}_" if name in _IMPORTED else name for name in signature_names(function)[0][:count]]
    taken = set(names)
    return names + [fresh(f"data_{k}" if k else "x", taken) for k in range(len(names), count)]


_IMPORTED = ("np", "scipy")


def _called(expression: str, names: Mapping[str, str]) -> str:
    """Return an expression of the objective's arguments by what they are called here: data[0] -> data_1."""
    others = [text for text, name in names.items() if text and text != name]
    if not others:
        return expression
    pattern = re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, others))})(?!\w)")
    return pattern.sub(lambda found: names[found[0]], expression)


def _is_short(value: Any) -> bool:
    """Whether an array may be written into a module."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiub" and value.size <= SHOWN


def with_defaults(function: Callable, args: tuple) -> tuple:
    """Return the arguments with those numbers that were left at their defaults: they are data like others.

    loss(w, X, y, scale=1.0) for (X, y): what is traced has `scale` as an argument, and its code takes any other one.
    """
    try:
        known = list(inspect.signature(function).parameters.values())[len(args) + 1 :]
    except (TypeError, ValueError):
        return args
    left = [p.default for p in takewhile(lambda p: p.kind in _POSITIONAL and isinstance(p.default, PLAIN), known)]
    while left and type(left[-1]) is not float:
        left.pop()
    return (*args, *left)


def _defaults(function: Callable, own: Sequence[str]) -> dict[str, Any]:
    """Return the arguments that were left at their defaults, where these can be written."""
    try:
        known = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}
    return {p.name: p.default for p in known if p.name not in own and isinstance(p.default, PLAIN)}
