"""Functions of this room inside an objective that is traced: root finders are followed as SciPy's are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_OUR_OWN = ("verify", "engine")


def as_scipys(name: str) -> Callable:
    """Return the stand-in for a function with the arguments of SciPy's of this name: what stands in for that."""

    def stand_in(tracer: Any, *args: Any, **options: Any) -> Any:
        from scipy import optimize

        given = {key: value for key, value in options.items() if key not in _OUR_OWN}
        return tracer.substitute(getattr(optimize, name))(*args, **given)

    return stand_in
