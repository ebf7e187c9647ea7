"""Derivatives and objectives of autoopt itself inside an objective: what says how they are followed."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any

FOLLOWED = "__followed__"
"""The attribute of functions and classes of autoopt's own that says how they are followed in an objective."""

OUTSIDE = "__outside__"
"""The attribute of classes of what follows them that makes what the run leaves of them outside."""


def own(value: Any) -> Callable | None:
    """Return what makes the stand-in for a derivative or an objective of autoopt's own, None for anything else.

    It is called with the tracer and with what substitutes functions and arrays.
    """
    if isinstance(value, MethodType):
        made = own(value.__self__)
        return made and (lambda tracer, substitute: getattr(substitute(value.__self__), value.__name__))
    if isinstance(value, FunctionType):
        return vars(value).get(FOLLOWED)
    return getattr(value, FOLLOWED) if any(FOLLOWED in vars(base) for base in type(value).__mro__) else None
