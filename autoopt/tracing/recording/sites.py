"""Where in the user's code a run is: the place that a step is of, and that a message names."""

from __future__ import annotations

import dis
import sys
from types import CodeType

from autoopt.errors import Location
from autoopt.origin import is_library

_STORE_SUBSCR = dis.opmap["STORE_SUBSCR"]


class Sites:
    """The places in the user's code at which one run is."""

    outside = 0
    is_nowhere = False
    """Whether what is recorded is no line's: the parameters are given their structure."""

    def __init__(self) -> None:
        self.codes: dict[int, tuple[CodeType, CodeType]] = {}
        self._sites: dict[tuple[int, int], tuple[CodeType, tuple[CodeType, int | None]]] = {}

    def site(self) -> tuple[CodeType, int] | None:
        """Return the innermost frame outside of libraries as (code, instruction), one object for each place."""
        if self.is_nowhere:
            return None
        frame = sys._getframe(3)  # whoever calls the tracer's methods is no user
        sites = self._sites
        while frame is not None:
            code = frame.f_code
            key = (id(code), frame.f_lasti)
            known = sites.get(key)
            if known is None or known[0] is not code:
                own = self.codes[key[0]][1] if key[0] in self.codes else code
                known = sites[key] = (code, (own, None if is_library(code) else frame.f_lasti))
            if known[1][1] is not None:
                return known[1]
            frame = frame.f_back
        return None

    def is_assigned(self) -> bool:
        """Whether the user's line is at an assignment to an entry or a part, `a[i] = value`."""
        site = self.site()
        return bool(site) and site[0].co_code[site[1]] == _STORE_SUBSCR

    def location(self) -> Location | None:
        """Return the user's line that is being run."""
        site = self.site()
        return Location.of_instruction(*site) if site else None
