"""Calls with an option `cluster`: data among `args` that have rows are spread over it for as long as the call lasts."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import numpy as np

from autoopt.errors import UsageError
from autoopt.origin import definition
from autoopt.tables.elsewhere import is_batched, is_collection, refuse_collections
from autoopt.tracing.naming import argument_names

P = ParamSpec("P")
R = TypeVar("R")


def clustered(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function of (fun, x0, ..., args=, cluster=) that is given args spread over the cluster."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def spread_out(*args: P.args, **options: P.kwargs) -> R:
        if options.get("cluster") is None:
            refuse_collections(args[2] if len(args) > 2 else options.get("args"))
            return function(*args, **options)
        given = signature.bind(*args, **options)
        data = given.arguments.get("args", ())
        with on_cluster(
            given.arguments["fun"], data if isinstance(data, tuple) else (data,), options["cluster"]
        ) as held:
            given.arguments["args"] = held
            return function(*given.args, **given.kwargs)

    return spread_out


@contextmanager
def on_cluster(function: Callable, args: tuple, cluster: Any) -> Iterator[tuple]:
    """Give args with what has rows spread over a cluster, as one, and the others in their order.

    Raises
    ------
    UsageError
        If nothing among them has rows.
    """
    from autoopt.clusters import spread  # which few calls need

    batches = [one for one in args if is_batched(one)]
    if batches:
        with spread(batches[0], cluster) as held:
            yield tuple(held if one is batches[0] else one for one in args)
        return
    names = argument_names(function, 1 + len(args))[1:]
    rows = _with_rows(dict(zip(names, args, strict=True)))
    if not rows:
        raise UsageError(
            "None of args has rows that a cluster could hold.",
            definition(function),
            remedy="pass arrays whose first axis are the rows, or autoopt.batches, or leave cluster out.",
        )
    with spread(rows, cluster) as held:
        yield (held, *(one for name, one in zip(names, args, strict=True) if name not in rows))


def _with_rows(args: dict[str, Any]) -> dict[str, Any]:
    """Return arrays that are as long as the longest, or as a collection of Dask, and all of the latter."""
    collections = {name: one for name, one in args.items() if is_collection(one)}
    arrays = {name: one for name, one in args.items() if isinstance(one, np.ndarray) and one.ndim}
    lengths = {one.shape[0] for one in collections.values()} or {max((len(one) for one in arrays.values()), default=0)}
    return {name: one for name, one in args.items() if name in collections or (name in arrays and len(one) in lengths)}
