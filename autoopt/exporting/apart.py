"""What a module itself has names for, apart from what the user calls the arguments: those are kept, ours give way.

def value_and_grad(p, gram, prepare, *, prepared=None):    helped by `gram_2`; what it calls is `prepare_2`
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence

from autoopt.exporting.functions import Printed, names_set
from autoopt.exporting.signature import Signature
from autoopt.exporting.vectors import CHECK_SHAPES, FLATTEN, UNFLATTEN
from autoopt.graph.kinds import LINEARIZE, PREPARE
from autoopt.tape.names import fresh

HELPERS = (PREPARE, FLATTEN, UNFLATTEN, CHECK_SHAPES)
"""Functions that stand in a module beside its printed statements, which call them."""


class Names:
    """What a module calls its own arguments, variables and functions.

    Attributes
    ----------
    prepared, direction, weights : str
        Its arguments beside the user's.
    """

    def __init__(self, signature: Signature) -> None:
        self._signature = signature
        self.users = {signature.parameters, *signature.names}
        self.prepared, self.direction, self.weights = (
            fresh(name, set(self.users)) for name in ("prepared", "direction", "weights")
        )

    def variables(self, printed: Printed, printed_flat: str, flat: str) -> dict[str, str]:
        """Return other names for those of printed functions that the module has for something else.

        Their vector of parameters, `printed_flat`, is to be called `flat`.
        """
        functions = printed.functions.values()
        own = {name for f in functions for name in (*f.arguments, *names_set(f.lines))}
        own -= {*self._signature.leaves, printed_flat}
        taken = {*own, *self.users, *printed.around, *self._signature.leaves, *HELPERS, self.prepared, flat}
        swap = {name: fresh(name, taken) for name in sorted(own & {*self.users, *HELPERS, flat})}
        swap |= {self.prepared: fresh("of_data", taken)} if self.prepared in own else {}
        return swap | ({"direction": self.direction} if "direction" in swap else {})

    def told(self, docstring: Sequence[str]) -> list[str]:
        """Return a docstring that calls the module's own arguments as they are called."""
        pairs = (("`direction`", f"`{self.direction}`"), ("`weights`", f"`{self.weights}`"))
        return [functools.reduce(lambda text, pair: text.replace(*pair), pairs, line) for line in docstring]

    def called(self, lines: Sequence[str]) -> list[str]:
        """Return statements that call the module's functions by names that are no argument's."""
        return [self._call.sub(lambda found: self._others[found[0]], line) for line in lines]

    def others(self, functions: Iterable[str], parts: Iterable[str]) -> dict[str, str]:
        """Return the statements that name functions a second time, by these names, where others call them so."""
        text = "\n".join(parts)
        known = {*functions, *HELPERS}
        named = {other: name for name, other in self._others.items() if name in known}
        return {other: f"{other} = {name}" for other, name in named.items() if re.search(rf"\b{other}\(", text)}

    @property
    def _others(self) -> Mapping[str, str]:
        """The second names of functions that are called as an argument is."""
        taken = set(self.users)
        return {name: fresh(name, taken) for name in sorted(self.users) if _FUNCTION.fullmatch(name)}

    @property
    def _call(self) -> re.Pattern[str]:
        """Where these are called."""
        return re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, self._others)) or '(?!)'})(?=\()")


_FUNCTION = re.compile(rf"value_and_grad|{LINEARIZE}\w*|{'|'.join(HELPERS)}")
"""The functions that others of a module call."""
