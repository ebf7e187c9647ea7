"""What users see of how an objective is evaluated: the tape of the path that was taken last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoopt.errors import display_path
from autoopt.objectives.dispatch import Dispatch
from autoopt.origin import definition

if TYPE_CHECKING:
    from autoopt.inspection.tapes import TapeListing


class Inspected:
    """The parts of an `Objective` that say how it is evaluated."""

    dispatch: Dispatch

    @property
    def tape(self) -> TapeListing:
        """What a run of the function did on the path taken last, to be printed: its steps, their lines, the guards."""
        from autoopt.inspection.tapes import TapeListing  # whoever looks inside waits for it

        return TapeListing(self.dispatch.paths[0].trace.tape, _title(self.dispatch))


def _title(dispatch: Dispatch) -> str:
    """Return what the function is called, and where it stands."""
    name, place = dispatch.compiler.name, definition(dispatch.original.function)
    return f"{name} ({display_path(place.file)}:{place.line})" if place else name
