"""What a function may read outside of itself, and how it is changed there."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass
class Place:
    """A function that is a multiple of x0**2 + x0 x1, and how to make the multiple another number."""

    function: Any
    change: Any
    names: str = ""


CASES: dict[str, Any] = {}


def case(make):
    CASES[make.__name__] = make
    return make


def quadratic(k, x):
    return k * (x[0] ** 2 + x[0] * x[1])


def of_attribute(owner, name="k"):
    """Return how to set an attribute."""
    return lambda k: setattr(owner, name, k)
