"""A formula in place of a library's function takes the options that it understands; the rest stay at their defaults."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from autoopt.tape.names import qualified as name


class Unsupported(Exception):
    """What a rule or a formula does not cover, and what to do instead."""

    def __init__(self, what: str, remedy: str = "write it with other NumPy functions, or pass jac='finite-difference'"):
        super().__init__(f"{what} ({remedy})")
        self.what = what
        self.remedy = remedy


def strict(function: Callable, build: Callable) -> Callable:
    """Return `build` with the arguments of `function`; an option that it does not take must be at its default.

    Raises
    ------
    Unsupported
        When called with an option that `build` lacks.
    """
    taken = inspect.signature(build).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken.values()):
        return build
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        signature = inspect.signature(build)
    spread = any(parameter.kind is parameter.VAR_POSITIONAL for parameter in taken.values())
    extra_name = next((key for key, given in signature.parameters.items() if given.kind is given.VAR_KEYWORD), None)

    @wraps(build)
    def call(*args: Any, **kwargs: Any) -> Any:
        arguments = signature.bind(*args, **kwargs)
        for option, value in list(arguments.arguments.items()):
            parameter = signature.parameters[option]
            if parameter.kind is parameter.VAR_KEYWORD:
                if extra := [key for key in value if key not in taken]:
                    raise Unsupported(f"{name(function)} with {', '.join(extra)}=", "leave it out")
            elif option not in taken and parameter.kind is not parameter.VAR_POSITIONAL:
                if not is_default(value, parameter.default):
                    raise Unsupported(f"{name(function)} with {option}=", f"leave out {option}=")
                del arguments.arguments[option]
            elif value is np._NoValue:
                del arguments.arguments[option]
        if spread:
            return build(*arguments.args, **arguments.kwargs)
        options = arguments.arguments.pop(extra_name, {}) if extra_name else {}
        return build(**arguments.arguments, **options)

    return call


def is_default(value: Any, default: Any) -> bool:
    """Whether an option is given as it would be if it were left out."""
    return value is default or value is np._NoValue or (isinstance(value, bool | int | str) and value == default)
