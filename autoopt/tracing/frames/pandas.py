"""Stand-ins for pandas objects: their numeric columns are inputs of the tape, all else stays pandas.

What involves data alone is done by pandas itself, on the original object. Once a value of the trace takes part, the
calculation is done twice: by pandas on the plain numbers, which gives index, labels and shape, and by NumPy on the
traced values; where the two differ (missing values, labels that do not line up) the operation is refused. pandas is not
imported here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.errors import TracingError, UnsupportedFunctionError
from autoopt.tracing.frames import (
    pandas_attributes,  # noqa: F401  (gives Table what its attributes are)
    pandas_functions,  # noqa: F401  (gives Table methods)
    pandas_operators,  # noqa: F401  (gives Table its operators)
    pandas_watching,
)
from autoopt.tracing.frames.labelled import Labelled, agree
from autoopt.tracing.frames.library import DataLibrary
from autoopt.tracing.frames.pandas_objects import Other
from autoopt.tracing.frames.pandas_places import rearranged
from autoopt.tracing.frames.pandas_placing import check_keys, joined_by
from autoopt.tracing.frames.pandas_table import Table, pandas_classes


class Frames(Labelled):
    """The pandas objects of one trace."""

    def call(self, function: Callable, args: tuple, kwargs: dict) -> Any:
        """Call a function or class of pandas: on data alone, or to give traced values an index."""
        if not self.follows((args, kwargs)):
            made = function(*self.settled(args), **{key: self.settled(part) for key, part in kwargs.items()})
            module = sys.modules["pandas"]
            known = getattr(module, function.__name__, None) is function
            text = ("", module, f".{function.__name__}") if known else None
            return self.wrap(self.pieces.note(made, text, self.pieces.arguments(args, kwargs)))
        label = f"pd.{function.__name__}"
        given = args[0] if args else None
        parts = given.values() if type(given) is dict else given if type(given) in (list, tuple) else [given]
        labelled = any(type(part) in (dict, Table) for part in parts)
        if function.__name__ in _PLACING_FUNCTIONS or (function in pandas_classes() and (len(args) != 1 or labelled)):
            if function.__name__ == "merge":
                check_keys(self, (*args[:2], *kwargs.values()), joined_by("merge", args[1:], kwargs))
            return rearranged(self, lambda parts: function(*parts[0], **parts[1]), (args, kwargs), label)
        if function not in pandas_classes() or len(args) != 1 or self.follows(kwargs):
            raise self.refusal(label)
        expected = function(self.plain(given), **self.plain(kwargs))
        if type(given) is not dict:
            return self.both(expected, self.tracer.whole(self.traced(given)), label)
        if expected.ndim == 1:
            return self.both(expected, self.tracer.nested([self.traced(given[key]) for key in expected.index]), label)
        table = Table(self, expected)
        for key, column in given.items():
            if self.follows(column):
                table[key] = self.traced(self.tracer.whole(column))
        return table

    def wrap(self, value: Any, name: Any = None) -> Any:
        """Return the stand-in for what pandas gave."""
        kind = type(value)
        if kind is tuple:
            return tuple(self.wrap(part, name) for part in value)
        if kind.__module__.partition(".")[0] != "pandas":
            return value
        if kind.__name__ in ("Series", "DataFrame"):
            return Table(self, value, name=name)
        plain = kind.__name__.endswith(("Index", "Dtype", "Timestamp", "Timedelta", "NAType", "NaTType", "Categorical"))
        return value if plain else Other(self, value)

    def plain(self, value: Any) -> Any:
        """Return `value` for pandas: stand-ins as pandas objects, traced arrays as the numbers that they hold."""
        kind = type(value)
        if kind is Table:
            return value._plain
        if kind is Other:
            return value.original
        if kind is self.tracer.array:
            return value.value
        if kind in (list, tuple):
            return kind([self.plain(part) for part in value])
        if kind is dict:
            return {key: self.plain(part) for key, part in value.items()}
        return slice(*map(self.plain, (value.start, value.stop, value.step))) if kind is slice else value

    def settled(self, value: Any) -> Any:
        """Return `value` for an index: as `plain`, with a guard on what depends on the parameters."""
        kind = type(value)
        if kind is Table and value._follows:
            self.settled(value.values)
        elif kind is self.tracer.array:
            self.tracer.guard(value, "array", np.array(value.value))
        elif kind in (list, tuple):
            for part in value:
                self.settled(part)
        return self.plain(value)

    def both(self, expected: Any, result: Any, what: str) -> Any:
        """Return the stand-in for `found`, which pandas has as `expected`; they must agree."""
        if not agree(expected, getattr(result, "value", result)):
            raise self.refusal(what, "pandas lines up labels or skips missing values there, which is not followed")
        if type(result) is not self.tracer.array or not isinstance(expected, pandas_classes()):
            return result
        return Table(self, expected, result)

    def refusal(self, what: str, why: str = "which is not followed") -> TracingError:
        """Return the error for an operation of pandas on values that depend on the parameters."""
        return UnsupportedFunctionError(
            f"The objective calls {what} of a pandas object that depends on the parameters; {why}.",
            self.tracer.location(),
            "use .to_numpy() and NumPy functions there, with missing values dropped before.",
        )


_PLACING_FUNCTIONS = ("concat", "merge", "melt", "pivot")


LIBRARY = DataLibrary(Frames, pandas_watching.note, pandas_watching.STATES)
