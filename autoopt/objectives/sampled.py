"""The code of a sample of the rows, as plans that are for all of them: one for each kind of derivative."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from autoopt.errors import TracingError, UsageError
from autoopt.execution.blocks.streams import Stream, plan_of_module, together
from autoopt.execution.blocks.values import FixedRows, NotInBlocks
from autoopt.graph.kinds import KINDS, kind_of
from autoopt.objectives.objective import Objective
from autoopt.objectives.row_decisions import require_of_all_rows
from autoopt.origin import definition
from autoopt.tracing.naming import argument_names, signature_names
from autoopt.wording import in_midst

SAMPLE = 4096
"""Rows that are traced and compared with the user's function."""

FEWER = 1499, 997
"""Rows on which source is derived if that of the sample is for its own number alone."""

_KINDS = {"value": "value", "value_and_grad": "gradient", "hess": "hessian", "hessp": "hvp"}
_RUN = {public: kind for kind, public in _KINDS.items()}


class Plans:
    """The plans of an objective whose rows are not in memory.

    Parameters
    ----------
    function, x0, data, others
        As of a `StreamedObjective`.

    Attributes
    ----------
    sample : Objective
        Of some of the rows.
    """

    def __init__(self, function: Callable, x0: Any, data: Any, others: tuple) -> None:
        self.function, self.data = function, data
        self._decided: list[Any] = []  # the paths whose decisions are known to be those of all rows
        some = data.sample(SAMPLE, 0)
        names = argument_names(function, 1 + len(some) + len(others))[1:]
        rest = [name for name in names if name not in some]
        if len(rest) != len(others):
            own = signature_names(function)[0][1:] or names
            raise UsageError(
                f"The objective takes {', '.join(own)}, and {in_midst(data.name)} has {', '.join(some)}.",
                definition(function),
                remedy="name what it takes: autoopt.batches(source, {'X': [columns], 'y': column}).",
            )
        given = dict(some) | dict(zip(rest, others, strict=True))
        self.sample = Objective(function, x0, tuple(given[name] for name in names), "numpy")
        names = list(some)
        self._some = {name: np.asarray(some[name]) for name in names}
        self.structure = self.sample.structure
        self._streams: dict[str, tuple[Stream, dict[str, Any]]] = {}
        self._lacks_hessian = False

    def forget(self) -> None:
        """Let go of plans, as where another branch is taken."""
        self._streams.clear()
        self._lacks_hessian = False

    @property
    def is_current(self) -> bool:
        """Whether what the objective reads outside is what it was when it was planned."""
        return self.sample.dispatch.paths[0].is_unchanged()

    def has_hessian(self, x: np.ndarray) -> bool:
        """Whether the Hessian's own source is for any number of rows: that of products is more often."""
        if self._lacks_hessian:
            return False
        try:
            self.stream("hess", x)
        except TracingError:
            self._lacks_hessian = True
        return not self._lacks_hessian

    def told(self, rows: int) -> Any:
        """Return the plan of so many rows, to be printed."""
        from autoopt.inspection.plan import KindPlan

        plan, kinds = self.sample.plan(), {}
        for name, own in plan.kinds.items():
            if (kind := _RUN[name]) in self._streams:
                passes = self._streams[kind][0].passes
                said = f"a sum over rows in {passes} {'pass' if passes == 1 else 'passes'} over all {rows}"
                own = KindPlan("NumPy source", (said,))
            kinds[name] = own
        return replace(plan, kinds=kinds, remedies=())

    def running(self, derivatives: str) -> str:
        """Return the source by rows of a kind of derivative that was planned; empty if it was not, or has none."""
        with suppress(TracingError, UsageError):
            return self.sample.source(derivatives, by_rows=True) if _RUN[derivatives] in self._streams else ""
        return ""

    @property
    def parameter(self) -> str:
        """The argument of printed functions that holds the parameters."""
        return self.sample.dispatch.paths[0].tape.steps[0].template.name

    def stream(self, kind: str, x: np.ndarray) -> tuple[Stream, dict[str, Any]]:
        """Return the plan of a kind of derivative, and what it reads besides data and parameters.

        Raises
        ------
        TracingError
            If the objective is no sum over rows, with the line that mixes them.
        """
        if not self.is_current:
            self.forget()
        if kind in self._streams:
            return self._streams[kind]
        self.sample.value_and_grad(x)
        if len(self.sample.dispatch.paths) > 1:  # begun anew where it takes this path, of which other rows are traced
            self.sample = Objective(self.function, self.structure.unflatten(x), self.sample.args, "numpy")
            self.sample.value_and_grad(x)
        problem = NotInBlocks("")
        for rows in (SAMPLE, *FEWER):
            if rows < SAMPLE and rows >= self._rows:
                continue
            try:
                self._streams[kind] = self._divided(_KINDS[kind], x, rows)
                return self._streams[kind]
            except NotInBlocks as refused:
                problem = refused
                if not isinstance(refused, FixedRows):
                    break
            except Exception as raised:
                if rows == SAMPLE or isinstance(raised, TracingError):
                    raise
                problem = NotInBlocks(f"of {rows} rows it raises {type(raised).__name__}: {raised}", problem.line)
                break
        raise TracingError(
            f"The {kind_of(_KINDS[kind]).returns[-1]} of this objective is no sum over the rows of its data, which are "
            f"read in batches: {problem.reason}" + (f", in\n    {problem.line}" if problem.line else "."),
            definition(self.function),
            remedy="load the data into memory, or have what mixes rows computed before.",
        )

    def _require_decided(self, sample: Objective, x: np.ndarray, some: Mapping[str, np.ndarray]) -> None:
        """Refuse decisions on data that other rows than those that are traced take otherwise."""
        path = sample.dispatch.paths[0]
        if path in self._decided or self.data.rows <= len(next(iter(some.values()))):
            return
        require_of_all_rows(sample.dispatch.compiler.original, x, self.data, some, self._of_all_rows)
        self._decided.append(path)

    def _of_all_rows(self, stream: Stream, known: Mapping[str, Any]) -> Any:
        """Return what a plan comes to for all rows."""
        given = dict(known) | {"rows": self.data.rows}
        with np.errstate(all="ignore"):
            return together([(stream, given)], self.data.passed)[0]

    def _divided(self, public: str, x: np.ndarray, rows: int) -> tuple[Stream, dict[str, Any]]:
        """Return the plan of a kind of derivative, of so many rows of the sample, and what it reads besides them."""
        some, sample = self._some, self.sample
        if rows < self._rows:
            some = {name: value[:rows] for name, value in self._some.items()}
            names = argument_names(self.function, 1 + len(sample.args))[1:]
            args = (some.get(name, value) for name, value in zip(names, sample.args, strict=True))
            sample = Objective(self.function, self.structure.unflatten(x), tuple(args), "numpy")
        text = sample.statements(public)
        self._require_decided(sample, x, some)
        free = {name: one.value for name, one in sample.inputs(public).items() if name not in some}
        known = {self.parameter: x, "direction": np.ones_like(x)} | free
        return Stream(plan_of_module(text, KINDS[kind_of(public).name].functions, known, some)), free

    @property
    def _rows(self) -> int:
        """How many rows the sample has."""
        return len(next(iter(self._some.values())))
