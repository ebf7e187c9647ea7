"""What instrumented code looks names up in: the globals of copied functions, and modules.

Names are fetched from the user's module when they are read, so that a trace knows what it read: another value there
means another trace, and what was not read costs nothing and decides nothing. Python asks a dictionary of a kind of its
own for a name it does not have (`__missing__`) where functions read globals. Class bodies, and what is executed as
text, do not ask:

    def f(x):
        class Scale:                # a body of its own, which reads names by LOAD_NAME
            value = 2 * WIDTH       # `WIDTH` must be in the dictionary before the body is run
        return Scale.value * OTHER  # `OTHER` is asked for

So these names are fetched when a function is copied, from its code. Should a Python ask no dictionary at all, or take
exact ones only as globals, `ASKS` is False, and all names that a function's code reads are fetched beforehand.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from autoopt.origin import is_unchanging
from autoopt.tracing.outside.watching import ABSENT as _ABSENT

_OF_MODULES = ("__name__", "__package__", "__file__", "__spec__", "__doc__", "__loader__", "__path__")
"""What Python itself reads in globals: relative imports, warnings, the module that a class says it is of."""

_OWNER = "__autoopt__"
"""The name under which globals of ours hold their `Namespace`."""


class Namespace:
    """The globals of the instrumented copies of one module's functions.

    Attributes
    ----------
    variables : dict
        What the copies get as globals.
    original : dict
        The user's own.
    fetched : dict
        What was put into `variables` before the run or while it read; other values there are the run's own.
    """

    def __init__(
        self, fetch: Callable[[dict, str], Any], list_names: Callable[[dict], None], builtins: dict, original: dict
    ) -> None:
        self.original = original
        self.variables: dict[str, Any] = _Asking() if ASKS else {}
        self.fetched: dict[str, Any] = {"__builtins__": builtins, _OWNER: self}
        self.fetched.update((name, original[name]) for name in _OF_MODULES if name in original)
        self.variables.update(self.fetched)
        self._fetch, self._list_names = fetch, list_names

    def fetch(self, name: str) -> Any:
        """Return the value of a name of the user's module, or of a builtin one, and keep it."""
        value = self._fetch(self.original, name)
        self.variables[name] = self.fetched[name] = value
        return value

    def complete(self, code: CodeType) -> None:
        """Fetch the names that `code` reads without asking for them."""
        self._fetch_all(_unasked(code))

    def complete_all(self) -> None:
        """Fetch all names of the user's module, for code that looks at them as a dictionary."""
        self._list_names(self.original)
        self._fetch_all(list(self.original))

    def _fetch_all(self, names: Any) -> None:
        for name in names:
            if name in self.original and not dict.__contains__(self.variables, name):
                self.fetch(name)

    def assigned(self) -> Iterator[tuple[str, Any]]:
        """Yield the names to which the run has given values, with these."""
        for name, value in list(self.variables.items()):
            if name not in self.fetched or self.fetched[name] is not value:
                yield name, value


class _Asking(dict):
    """Globals that ask their namespace for what they do not have."""

    def __missing__(self, name: str) -> Any:
        return self[_OWNER].fetch(name)


def namespace_of(variables: Any) -> Namespace | None:
    """Return the namespace whose variables these are, None if they are not the globals of an instrumented copy."""
    return variables.get(_OWNER) if isinstance(variables, dict) else None


def _asks() -> bool:
    """Whether this Python takes a dictionary of another kind as globals, and asks it for what it does not have."""

    class Probe(dict):
        def __missing__(self, name: str) -> bool:
            return True

    try:
        return FunctionType((lambda: probed).__code__, Probe())()  # type: ignore[name-defined]  # noqa: F821
    except (TypeError, NameError):
        return False


ASKS = _asks()
"""Whether the globals of functions may be filled while they run."""


_READS = ("LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS", "LOAD_GLOBAL")


def _unasked(code: CodeType, in_body: bool = False) -> Iterator[str]:
    """Yield the names of globals that `code`, and code inside it, reads without asking for them."""
    in_body = in_body or not code.co_flags & inspect.CO_OPTIMIZED
    if in_body or not ASKS:
        yield from (step.argval for step in dis.get_instructions(code) if step.opname in _READS)
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _unasked(part, in_body)


class ModuleStandIn:
    """A module whose attributes are substituted as they are read."""

    def __init__(self, instrument: Any, module: ModuleType) -> None:
        self.__dict__.update(_instrument=instrument, _module=module, __name__=module.__name__)

    def __getattr__(self, name: str) -> Any:
        value = vars(self._module).get(name, _ABSENT)
        if not (isinstance(value, ModuleType) or (callable(value) and is_unchanging(getattr(value, "__module__", "")))):
            self._instrument.captured[id(self._module), name] = (self._module, value)
        if value is _ABSENT and isinstance(lookup := vars(self._module).get("__getattr__"), FunctionType):
            value = self._instrument.substitute(lookup)(name)
        elif value is _ABSENT:
            value = getattr(self._module, name)
        value = self._instrument.substitute(value, name)
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._module, name, value)
        self.__dict__[name] = value
