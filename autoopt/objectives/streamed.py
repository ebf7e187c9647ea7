"""An objective of data that are read in batches, or held by other machines: the code of some rows, run on all of them.

    sample        an Objective of a few thousand rows: traced, derived, printed for any number of rows, compared with
                  the user's function
    plan          its printed functions as passes over rows (`execution/blocks/`)
    value_and_grad(x), hess(x), ...     these passes over all batches: nothing as long as the data is kept

The user's function is never called with all data; what is compared with it is the sample.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from autoopt.errors import TracingError, UsageError
from autoopt.execution.blocks.streams import Stream, Task, passed, together
from autoopt.graph.kinds import DENSE
from autoopt.objectives.objective import Objective
from autoopt.objectives.sampled import Plans
from autoopt.origin import definition
from autoopt.parameters import Structure
from autoopt.tables.elsewhere import is_batched

CHANGED = "PathChanged"
"""The exception by which printed code says that another branch is taken."""

RECENT = 4
"""Points at which what was found is kept."""


class Rows(Protocol):
    """Data in batches, as `autoopt.batches` makes them, or on other machines."""

    @property
    def name(self) -> str: ...

    @property
    def rows(self) -> int: ...

    def sample(self, rows: int, seed: int) -> Mapping[str, np.ndarray]:
        """Return some of the rows of each argument."""

    def passed(self, tasks: Sequence[Task]) -> Sequence[Mapping[str, Any]]:
        """Return the combined results of passes over all rows, together if that saves reading."""


class StreamedObjective:
    """A function of parameters and of data that are not in memory, with its derivatives.

    Parameters
    ----------
    function : callable, function(params, *data) -> scalar
    x0 : scalar, array, or nested dict, list, tuple of them
    data : Rows
        By the names of the function's arguments.
    others : tuple
        What the other arguments are, in their order: the same for all rows.

    Attributes
    ----------
    plans : Plans
        Of the code of some of the rows.
    evaluations : dict of str to int
        How often each kind of derivative was evaluated on all rows.
    """

    gradient_source = "derived gradient"
    batches: Any = None

    def __init__(self, function: Callable, x0: Any, data: Rows, others: tuple = ()) -> None:
        self.function, self.data, self.args = function, data, (data, *others)
        self.plans = Plans(function, x0, data, others)
        self.structure, self.size = self.sample.structure, self.sample.size
        self.evaluations: dict[str, int] = {}
        self._recent: dict[bytes, dict[str, Any]] = {}
        self._wants_hessians = False

    exact = True
    is_streamed = True

    @property
    def sample(self) -> Objective:
        """The objective of some of the rows."""
        return self.plans.sample

    @classmethod
    def of(cls, function: Callable, x0: Any, args: tuple) -> StreamedObjective:
        """Return the objective whose `args` are batches, and what its other arguments are, in their order."""
        batches = [one for one in args if is_batched(one)]
        if len(batches) > 1:
            raise UsageError("Two of args are batches.", remedy="make them one, of all arguments that have rows.")
        rows = batches[0] if hasattr(batches[0], "passed") else BatchRows(batches[0])
        made = cls(function, x0, rows, tuple(one for one in args if one is not batches[0]))
        made.batches = batches[0]
        return made

    def is_of(self, function: Callable, x0: Any, args: tuple) -> bool:
        """Whether it is the objective of a function for these very arguments, at parameters of this structure."""
        rest = [one for one in args if one is not self.batches]
        return (
            function is self.function
            and len(rest) == len(self.args) - 1
            and all(one is other for one, other in zip(rest, self.args[1:], strict=True))
            and Structure.of(x0) == self.structure
        )

    def keep(self) -> None:
        """Keep what is known beside the batches, for the next objective of this function and these."""
        self.batches.known = self

    @property
    def notes(self) -> list[str]:
        """What there is to know of how it is evaluated."""
        return self.sample.notes

    @property
    def timings(self) -> dict[str, float]:
        """Seconds spent in "trace" and "compile" so far."""
        return self.sample.timings

    @property
    def single(self) -> bool:
        """Whether a trace met single precision."""
        return self.sample.single

    # Evaluation -------------------------------------------------------------------------------------------------------

    def value(self, x: Any) -> float:
        """Return f(x)."""
        x = self.structure.vector(x)
        known = self._known(x)
        if "value" not in known:
            known["value"] = float(self._evaluated(x, "value")[0])
        return known["value"]

    def values(self, points: Sequence[Any]) -> list[float]:
        """Return f at several points: in one pass, where one of them takes one."""
        vectors = [self.structure.vector(x) for x in points]
        unknown = {x.tobytes(): x for x in vectors if "value" not in self._known(x)}
        found = {}
        if len(unknown) > 1 and self.plans.stream("value", vectors[0])[0].passes == 1:
            several = [self._given(*self.plans.stream("value", x), x, None) for x in unknown.values()]
            try:
                with np.errstate(all="ignore"):
                    found = dict(zip(unknown, map(float, together(several, self.data.passed)), strict=True))
                self._count("value", len(unknown))
            except Exception as problem:  # one of them is on another branch
                if type(problem).__name__ != CHANGED:
                    raise
        return [found[x.tobytes()] if x.tobytes() in found else self.value(x) for x in vectors]

    def value_and_grad(self, x: Any) -> tuple[float, np.ndarray]:
        """Return f(x) and its gradient, shape (n,)."""
        x = self.structure.vector(x)
        known = self._known(x)
        if "gradient" not in known:
            if self._wants_hessians and "hessian" not in known:
                (value, gradient), known["hessian"] = self._evaluated(x, "value_and_grad", "hess")
            else:
                ((value, gradient),) = self._evaluated(x, "value_and_grad")
            known["value"], known["gradient"] = float(value), gradient
        return known["value"], known["gradient"].copy()

    def grad(self, x: Any) -> np.ndarray:
        """Return the gradient, shape (n,)."""
        return self.value_and_grad(x)[1]

    def hess(self, x: Any, sparse: bool | None = None) -> np.ndarray:
        """Return the Hessian, shape (n, n); once it was asked for, it comes with value and gradient."""
        x = self.structure.vector(x)
        known, self._wants_hessians = self._known(x), True
        if "hessian" not in known:
            (known["hessian"],) = self._evaluated(x, "hess")
        return known["hessian"].copy()

    def hessp(self, x: Any, p: Any) -> np.ndarray:
        """Return the Hessian times `p`, shape (n,), or times each column of a matrix (n, k)."""
        x = self.structure.vector(x)
        if self.structure.is_matrix(p):
            return np.stack([self.hessp(x, column) for column in np.asarray(p, float).T], axis=1)
        p = self.structure.vector(p, "direction")
        if (hessian := self._known(x).get("hessian")) is not None:
            return hessian @ p
        (product,) = self._evaluated(x, "hessp", direction=p)
        return product

    def product_at(self, x: Any) -> Callable:
        """Return the function p -> H(x) p: of the Hessian, which takes one pass, if that is not too large."""
        if self.size > DENSE:
            return lambda p: self.hessp(x, p)
        hessian = self.hess(x)
        return lambda p: hessian @ p

    def _known(self, x: np.ndarray) -> dict[str, Any]:
        """Return what was found at `x`, to be added to; it is kept for some points, at which solvers look back."""
        if not self.plans.is_current:
            self._recent.clear()
        known = self._recent[x.tobytes()] = self._recent.pop(x.tobytes(), {})
        while len(self._recent) > RECENT:
            del self._recent[next(iter(self._recent))]
        return known

    def _count(self, kind: str, number: int = 1) -> None:
        """Count evaluations."""
        self.evaluations[kind] = self.evaluations.get(kind, 0) + number

    def _evaluated(self, x: np.ndarray, *kinds: str, direction: np.ndarray | None = None) -> list[Any]:
        """Return derivatives of some kinds at `x`, on the path that the sample takes there."""
        try:
            return self._on_path(x, kinds, direction)
        except Exception as problem:
            if type(problem).__name__ != CHANGED:
                raise
        self.plans.forget()
        try:
            return self._on_path(x, kinds, direction)
        except Exception as problem:
            if type(problem).__name__ != CHANGED:
                raise
            raise TracingError(
                f"Other rows take another branch than the sample of {self.data.name} does: {problem}.",
                definition(self.function),
                remedy="write the choice of each row by np.where.",
            ) from None

    def _on_path(self, x: np.ndarray, kinds: tuple[str, ...], direction: np.ndarray | None) -> list[Any]:
        """Return derivatives of some kinds, in one pass over the data where each takes one."""
        if "hess" in kinds and not self.plans.has_hessian(x):
            return [self._by_products(x) if kind == "hess" else self._on_path(x, (kind,), None)[0] for kind in kinds]
        streams = [self.plans.stream(kind, x) for kind in kinds]
        if len(streams) > 1 and any(stream.passes > 1 for stream, _ in streams):
            return [one for kind in kinds for one in self._on_path(x, (kind,), direction)]
        several = []
        for kind, stream in zip(kinds, streams, strict=True):
            self._count(kind)
            several.append(self._given(*stream, x, direction))
        with np.errstate(all="ignore"):
            return together(several, self.data.passed)

    def _given(
        self, stream: Stream, free: dict[str, Any], x: np.ndarray, direction: np.ndarray | None
    ) -> tuple[Stream, dict[str, Any]]:
        """Return a plan with the values of what it reads besides the rows."""
        known = free | {self.plans.parameter: x} | ({} if direction is None else {"direction": direction})
        return stream, known | ({"rows": self.data.rows} if stream.counts else {})

    def _by_products(self, x: np.ndarray) -> np.ndarray:
        """Return the Hessian by its products with the unit vectors, in one pass if one of them takes one."""
        stream, units = self.plans.stream("hessp", x), np.eye(self.size)
        if stream[0].passes > 1:
            products = [self._on_path(x, ("hessp",), unit)[0] for unit in units]
        else:
            with np.errstate(all="ignore"):
                products = together([self._given(*stream, x, unit) for unit in units], self.data.passed)
        matrix = np.array(products)
        return (matrix + matrix.T) / 2

    # What is run ------------------------------------------------------------------------------------------------------

    def plan(self) -> Any:
        """Return how many passes over the rows each derivative takes that was asked for; `print` it."""
        return self.plans.told(self.data.rows)

    def source(self, derivatives: str = "gradient", by_rows: bool = True) -> str:
        """Return the source that is run, a loop over blocks of rows; see `Objective.source`."""
        return self.sample.source(derivatives, by_rows)

    def running(self, derivatives: str = "gradient") -> str:
        """Return the source of what was run; empty where it was not, or has none of its own for any number of rows."""
        return self.plans.running(derivatives)

    # The user's own function ------------------------------------------------------------------------------------------

    def original(self, x: Any) -> float:
        """Return f(x), off by as much as the code of the sample is from the user's function, in proportion."""
        x, value = self.structure.vector(x), self.value(x)
        derived, own = self.sample.value(x), self.sample.original(x)
        return value + (own - derived) * max(1.0, abs(value) / max(abs(derived), 1e-300))

    def commit_state(self, x: Any) -> None:
        """Do nothing: the user's function was never run on all data."""

    def meets_kinks(self, x: Any) -> bool:
        """Whether the gradient of the sample meets kinks at `x`."""
        return self.sample.meets_kinks(x)

    def closer(self, x: Any) -> Callable | None:
        """Return the values near `x` with equations solved closer than f does; None if f solves none."""
        return None

    def flatness(self, x: Any) -> Any:
        """Return why the value has no slope in the parameters; None if it may have one."""
        return self.sample.flatness(x)


def taken(function: Callable, x0: Any, args: tuple) -> StreamedObjective:
    """Return the objective of batches, for one call alone: the one that is kept beside them, if it is of this function.

    The last points and plans of a run are then those of its standard errors and profiles.
    """
    for one in args:
        known = vars(one).pop("known", None) if is_batched(one) else None
        if known is not None and known.is_of(function, x0, args):
            return known
    return StreamedObjective.of(function, x0, args)


class BatchRows:
    """Batches as the rows of a `StreamedObjective`, read in this process.

    Parameters
    ----------
    batches : Batches
        What `autoopt.batches` returns.
    """

    def __init__(self, batches: Any) -> None:
        self.batches = batches

    @property
    def name(self) -> str:
        return self.batches.name

    @property
    def rows(self) -> int:
        return self.batches.rows

    def sample(self, rows: int, seed: int) -> Mapping[str, np.ndarray]:
        """Return some of the rows."""
        return self.batches.sample(rows, seed)

    def passed(self, tasks: Sequence[Task]) -> Sequence[Mapping[str, Any]]:
        """Return the combined results of passes, for which the rows are read once."""
        return passed(tasks, self.batches)
