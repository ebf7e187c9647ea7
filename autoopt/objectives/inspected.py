"""What users see of how an objective is evaluated: its source, and the tape of the path that was taken last."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from autoopt.errors import AutooptError, UsageError, display_path
from autoopt.execution.engines import NumpyFunctions
from autoopt.execution.ladder import Ladder
from autoopt.graph.kinds import kind_of
from autoopt.objectives.blocks import LARGEST_DENSE
from autoopt.objectives.dispatch import FEWER_PATHS, MAX_PATHS, Dispatch
from autoopt.objectives.exports import exported
from autoopt.objectives.matrices import FEW
from autoopt.objectives.paths import Path
from autoopt.origin import definition
from autoopt.tape.batching.batching import vectorise

if TYPE_CHECKING:
    from autoopt.inspection.clock import Times
    from autoopt.inspection.cost import Cost
    from autoopt.inspection.plan import Plan
    from autoopt.inspection.tapes import TapeListing


NO_SOURCE = UsageError("The numba engine has no source.", remedy='use engine="numpy".')

PUT_TOGETHER = UsageError("it is put together from as few products as its pattern allows.", remedy='ask for "hvp".')

_MATRICES = ("hess", "jacobian")


class Inspected:
    """The parts of an `Objective` that say how it is evaluated."""

    dispatch: Dispatch
    engine: str

    def source(self, derivatives: str = "gradient", by_rows: bool = False) -> str:
        """Return the NumPy source that is run, as the text of a module, for data of any number of rows if it can be.

        Lengths of the data are symbols (`n = len(y)`) where traces on fewer rows, which arrays among `args` have for
        them, differ in simple functions of these; those that it is written for are checked.

        Parameters
        ----------
        derivatives : "value", "gradient", "hessian", "hvp" or "hvp_columns"; of arrays "jacobian", "jvp" or "vjp"
        by_rows : bool
            Whether the function is one that goes over blocks of rows in a loop, as large data are run; UsageError, with
            the statement that mixes rows, if it is no sum over these.
        """
        from autoopt.layout import laid_out

        if by_rows:
            from autoopt.objectives.row_source import row_source  # which few look at

            return laid_out(row_source(self, derivatives))
        return laid_out(self.statements(derivatives))

    def statements(self, derivatives: str = "gradient") -> str:
        """Return `source` as it is derived, most statements on one line each, however long that is."""
        kind = kind_of(derivatives)
        compiled = self.dispatch.compiler.printed(self.dispatch.paths[0], kind.name)
        if not compiled.text:
            raise NO_SOURCE
        assert isinstance(compiled, NumpyFunctions)  # nothing else is printed
        return exported(self.dispatch.compiler, self.dispatch.paths[0], kind.name, compiled)

    def running(self, derivatives: str = "gradient") -> str:
        """Return the text of what is run on the path taken last, as it is; empty where nothing is compiled for it."""
        from autoopt.layout import laid_out

        compiled: object = self.dispatch.paths[0].compiled.get(kind_of(derivatives).name)
        if isinstance(compiled, Ladder):
            compiled = None if compiled.is_eager else compiled.current
        text = getattr(compiled, "text", "")
        return laid_out(text) if text else ""

    @property
    def tape(self) -> TapeListing:
        """What a run of the function did on the path taken last, to be printed: its steps, their lines, the guards."""
        from autoopt.inspection.tapes import TapeListing  # whoever looks inside waits for it

        return TapeListing(self.dispatch.paths[0].trace.tape, _title(self.dispatch))

    def cost(self, *derivatives: str) -> Cost:
        """Return how many operations and bytes one evaluation takes, by the lines of your file; `print` it.

        What is counted is the printed code, at a point of the path that was taken last; derivatives are derived for it
        if they have not been needed yet.

        Parameters
        ----------
        *derivatives : "value", "gradient", "hvp", "hessian"; of arrays "jacobian", "jvp", "vjp"
            What is counted; by default all that there are.
        """
        from autoopt.inspection.cost import Cost, kind_cost, value_along
        from autoopt.inspection.modules import Quotes

        path, compiler = self.dispatch.paths[0], self.dispatch.compiler
        known = Quotes.of(path.trace.tape, vectorise(path.tape))
        counted, missing = {}, {}
        for name in derivatives or (SCALAR if self.dispatch.original.scalar else ARRAY):
            kind = kind_of(name).name
            try:
                if kind in _MATRICES and _size(path) > LARGEST_DENSE**2:
                    raise PUT_TOGETHER
                compiled = compiler.printed(path, kind)
                if not compiled.text:
                    raise NO_SOURCE
                if kind == "hess" and compiled.by_products and path.point.size > FEW:
                    raise PUT_TOGETHER
                counted[name] = kind_cost(compiled, kind, path.tape, path.point, known)
            except (AutooptError, NotImplementedError) as problem:
                if kind == "value":
                    counted[name] = value_along(path.trace.tape, path.point)
                else:
                    missing[name] = str(problem).partition("\n")[0]
        return Cost(_title(self.dispatch), counted, missing)

    def times(self) -> Times:
        """Return where the time of value and gradient goes, by the lines of your file; `print` it.

        They are measured at a point of the path that was taken last, for about a second.
        """
        from autoopt.inspection.clock import timed, timed_along
        from autoopt.inspection.modules import Quotes

        path, compiler, kind = self.dispatch.paths[0], self.dispatch.compiler, kind_of("gradient").name
        compiled, x = compiler.compiled(path, kind), path.point

        def original() -> float:
            return self.dispatch.original.value(x)

        if isinstance(compiled, Ladder) and np.isinf(compiled.cost):
            return timed_along(compiled, kind, vectorise(path.tape), x, original)
        printed = compiler.printed(path, kind)
        if not printed.text:
            raise NO_SOURCE
        known = Quotes.of(path.trace.tape, vectorise(path.tape))
        return timed(printed, kind, path.tape, x, known, original)

    def plan(self) -> Plan:
        """Return which tier each derivative runs in on the path taken last, why, and what would make it faster.

        Nothing is derived for it; `print` it.
        """
        from autoopt.inspection.plan import Plan, kind_plan, remedies, tape_notes

        dispatch, path, engine = self.dispatch, self.dispatch.paths[0], self.engine
        names = SCALAR if dispatch.original.scalar else ARRAY
        kinds = {
            name: kind_plan(name, path.compiled.get(kind_of(name).name), path.tape, engine, path.point)
            for name in names
        }
        notes, faster = list(tape_notes(path.tape, path.trace.tape)), list(remedies(path.tape, path.is_complete))
        if len(dispatch.paths) > 1:
            notes.append(
                ("paths", f"{len(dispatch.paths)} ways through the branches are known, each with its own code")
            )
        if dispatch.eager is not None:
            notes.append(("paths", f"more than {MAX_PATHS} ways have been met: new ones are followed step by step"))
            faster.append(FEWER_PATHS)
        return Plan(_title(dispatch), engine, kinds, tuple(notes), tuple(faster))


SCALAR, ARRAY = ("value", "gradient", "hvp", "hessian"), ("value", "jacobian", "jvp", "vjp")
"""The derivatives of a number and of an array, by their public names."""


def _size(path: Path) -> int:
    """Return how many entries a matrix of derivatives has."""
    output = path.tape.steps[path.tape.output].shape
    return path.point.size * (prod(output) if output else path.point.size)


def _title(dispatch: Dispatch) -> str:
    """Return what the function is called, and where it stands."""
    name, place = dispatch.compiler.name, definition(dispatch.original.function)
    return f"{name} ({display_path(place.file)}:{place.line})" if place else name
