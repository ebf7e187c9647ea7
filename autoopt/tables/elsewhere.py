"""Data that are not in memory, known by their classes alone: rows that are read in batches, and collections of Dask.

Where data in memory are needed, the latter are refused; Dask is not imported for that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoopt.errors import UsageError

ON_WORKERS = (
    "spread them, autoopt.clusters.spread({'X': X, 'y': y}, client), and pass what that returns; or give what "
    ".compute() returns, if it fits into memory."
)
"""What to do where there is no option `cluster`."""

_OF_DASK = ("dask.array", "dask.dataframe", "dask_expr")


def is_batched(data: object) -> bool:
    """Whether data are `autoopt.batches`, or rows that are spread over workers, in place of the arguments they have."""
    return getattr(type(data), "__batches__", False)


def is_collection(data: object) -> bool:
    """Whether data are an array, a series or a frame of Dask."""
    return type(data).__module__.startswith(_OF_DASK) and hasattr(data, "__dask_graph__")


def collections_in(data: Any) -> list[str]:
    """Return how collections of Dask among data are called: "" of what is one, names or places of what has some."""
    if is_collection(data):
        return [""]
    if isinstance(data, tuple | list):
        data = {f"data[{place}]": value for place, value in enumerate(data)}
    return [str(name) for name, value in data.items() if is_collection(value)] if isinstance(data, Mapping) else []


def refuse_collections(data: Any, remedy: str = "") -> None:
    """Raise UsageError for collections of Dask where data in memory are needed.

    Parameters
    ----------
    data : object
        Or a mapping, tuple or list of them.
    remedy : str
        In place of the option `cluster`.
    """
    if not (names := collections_in(data)):
        return
    whose = f"{', '.join(names)}: collections" if any(names) else f"a {type(data).__name__}"
    raise UsageError(
        f"The data are not in memory, but on a cluster of Dask, or to be read by one ({whose} of Dask).",
        remedy=remedy
        or 'pass cluster=, the client or the address of its scheduler, or "dask:4" for one of this machine; or give '
        "what .compute() returns, if it fits into memory.",
    )
