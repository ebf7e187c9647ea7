"""Which objective a function has for its data: that of data in memory, or that of batches of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autoopt.errors import UsageError
from autoopt.objectives.objective import Objective, nested
from autoopt.tables.elsewhere import ON_WORKERS, is_batched, refuse_collections
from autoopt.tracing.standins.table import stands_in


def objective(f: Callable, x0: Any, *args: Any, engine: str = "auto") -> Objective:
    """Return the `Objective` of `f` for the data `args`: its value, gradient, Hessian, products, plan and source.

    Parameters
    ----------
    f : callable, f(params, *args) -> scalar
    x0 : scalar, array, or nested dict, list, tuple, namedtuple or dataclass of them
    *args
        The data; or `autoopt.batches` or `clusters.spread`, for all arguments that have rows.
    engine : "auto", "numpy" or "numba"
        What evaluates the derived code; of batches "auto".
    """
    refuse_collections(args, ON_WORKERS)
    if not any(map(is_batched, args)):
        return Objective(f, x0, args, engine)
    from autoopt.objectives.streamed import StreamedObjective  # few objectives have data that are not in memory

    if engine != "auto":
        raise UsageError(f"engine={engine!r} is for data in memory.", remedy="leave it out: batches have one engine.")
    return StreamedObjective.of(f, x0, args)  # type: ignore[return-value]  # which has its methods


stands_in(objective)(nested)
