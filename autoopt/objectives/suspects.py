"""What in the data may explain that an objective fails, or is not finite, where it starts.

Looks at the data by the names that the objective has for them: its arguments, the attributes of the object that it is
or is a method of, and the arrays that it reads outside.
"""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from autoopt.errors import AutooptError, DataError
from autoopt.origin import is_shown, place_of, traces, users_places
from autoopt.users_code import value_of
from autoopt.wording import listed, near

_TEXTUAL = ("ufunc", "string", "'str'", "dtype", "multiply sequence")
"""What NumPy, pandas and Python say of calculations with text, in words."""

_SHOWN = 3  # places of one array, and arrays, that are listed


class MissingKeyError(DataError, KeyError):
    """The objective reads a column or key that the data do not have."""


class TextError(DataError, TypeError):
    """The objective calculates with text."""


def named_data(function: Callable, args: tuple) -> Iterator[tuple[str, Any]]:
    """Yield the data of `function` by name, each once."""
    seen: dict[int, Any] = {}
    for name, value in _named(function, args):
        if id(value) not in seen:
            seen[id(value)] = value
            yield name, value


def _named(function: Callable, args: tuple) -> Iterator[tuple[str, Any]]:
    """Yield the data of `function` by name: arguments after the parameters, attributes, outer variables and globals."""
    try:
        parameters = list(inspect.signature(function).parameters)[1:]
    except (TypeError, ValueError):
        parameters = []
    for position, value in enumerate(args):
        yield parameters[position] if position < len(parameters) else f"args[{position}]", value
    if isinstance(function, functools.partial):
        yield from ((f"args[{position}]", value) for position, value in enumerate(function.args))
        yield from function.keywords.items()
        yield from _named(function.func, ())
        return
    if not isinstance(function, FunctionType):
        own = getattr(function, "__self__", function)
        yield from ((f"self.{name}", value) for name, value in getattr(own, "__dict__", {}).items())
        function = function if hasattr(function, "__code__") else type(function).__call__
    code = getattr(function, "__code__", None)
    if code is None:
        return
    for name, cell in zip(code.co_freevars, getattr(function, "__closure__", None) or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not yet assigned
            continue
    scope = getattr(function, "__globals__", {})
    yield from ((name, scope[name]) for name in code.co_names if name in scope)


def not_finite(function: Callable, args: tuple) -> list[str]:
    """Return a line for each array of the data that holds NaN or inf, with the first places."""
    lines = []
    for name, array in arrays_of(named_data(function, args)):
        if array.dtype.kind == "f" and not (finite := np.isfinite(array)).all():
            bad = np.argwhere(~finite)
            shown = ", ".join(f"{array[tuple(place)]} at {_place(place)}" for place in bad[:_SHOWN])
            lines.append(f"  {name}: {shown}" + (f", and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""))
    return lines


def explained(error: Exception, function: Callable, args: tuple) -> AutooptError | None:
    """Return the error of the data that explains an exception of the objective's own, None if none does."""
    if isinstance(error, KeyError) and error.args and isinstance(error.args[0], str):
        return _missing_key(error, function, args)
    if isinstance(error, TypeError | ValueError):
        return _text(error, function, args)
    return None


def _missing_key(error: KeyError, function: Callable, args: tuple) -> MissingKeyError | None:
    """Return the error that says which of parameters and data lacks a key.

    None if that is neither: what the objective makes itself is the user's own affair.
    """
    data = list(named_data(function, args))
    if (lacking := _lacking(error, function)) is not None:
        is_data = hasattr(lacking.value, "columns") or any(lacking.value is part for _, part in data)
        return _lacks(error, lacking) if lacking.is_own or is_data else None
    key = error.args[0]
    key = key.removeprefix("Column not found: ") if isinstance(key, str) else key  # as grouped tables of pandas say
    for name, value in data:
        if (keys := _keys(value)) is not None and key not in keys:
            return _lacks(error, _Lacking(key, name, value, keys))
    return None


class _Lacking(NamedTuple):
    """What lacks a key, by the name that the objective has for it, and whether it is of the parameters."""

    key: str
    name: str
    value: Any
    keys: list[str]
    is_own: bool = False


def _lacking(error: KeyError, function: Callable) -> _Lacking | None:
    """Return what is asked for the key, as `name["key"]`, in the line that failed; None if that line has none."""
    shown = [trace for trace in traces(error) if is_shown(place_of(trace))]
    if not shown:
        return None
    frame = shown[-1].tb_frame
    scope = {**frame.f_globals, **frame.f_locals}
    try:
        nodes = [
            node for node in ast.walk(ast.parse(place_of(shown[-1]).expression)) if isinstance(node, ast.Subscript)
        ]
    except SyntaxError:
        return None
    for node in nodes:
        value, key = value_of(node.value, scope), getattr(node.slice, "value", None)
        keys = _keys(value)
        if isinstance(key, str) and key in error.args and keys is not None and key not in keys:
            name = ast.unparse(node.value)
            root = next(part.id for part in ast.walk(node) if isinstance(part, ast.Name))
            is_own = frame.f_code is getattr(function, "__code__", None) and root == frame.f_code.co_varnames[0]
            return _Lacking(key, "x0" if is_own and root == name else name, value, keys, is_own)
    return None


def _keys(value: Any) -> list[str] | None:
    """Return the names of what a frame or a mapping has; None if it is neither, or has others than texts."""
    is_frame = hasattr(value, "columns") and hasattr(value, "shape")
    if not (is_frame or (isinstance(value, Mapping) and not isinstance(value, type))):
        return None
    keys = list(value.columns if is_frame else value)
    return keys if all(isinstance(known, str) for known in keys) else None


def _lacks(error: KeyError, lacking: _Lacking) -> MissingKeyError:
    what = "parameter" if lacking.is_own else "column" if hasattr(lacking.value, "columns") else "key"
    return MissingKeyError(
        f"The objective reads the {what} {lacking.key!r}, which {lacking.name} does not have."
        f"{near(lacking.key, lacking.keys)}",
        users_places(error),
        f"use one of what it has: {listed(lacking.keys)}.",
    )


def _text(error: Exception, function: Callable, args: tuple) -> TextError | None:
    said = str(error)
    if not any(word in said for word in _TEXTUAL):
        return None
    lines = []
    for name, array in arrays_of(named_data(function, args)):
        if array.dtype.kind in "USO" and array.size:
            text = next(((place, v) for place, v in np.ndenumerate(array) if isinstance(v, str | bytes)), None)
            if text is not None:
                lines.append(f"  {name}: {str(text[1])!r} at {_place(text[0])}")
    if not lines:
        return None
    return TextError(
        "\n".join([f"The objective raised {type(error).__name__}: {said}, and there is text in its data:", *lines]),
        users_places(error),
        "convert it to numbers, as by .astype(float), before it is passed, or leave it out.",
    )


def arrays_of(data: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the arrays in the data by name: of frames the columns, of dicts the entries."""
    for name, value in data:
        if isinstance(value, np.ndarray):
            yield name, value
        elif isinstance(value, Mapping):
            yield from arrays_of((f"{name}[{key!r}]", part) for key, part in value.items())
        elif isinstance(value, list | tuple) and value and all(isinstance(part, float | int | str) for part in value):
            yield name, np.asarray(value)
        elif hasattr(value, "columns") and hasattr(value, "to_numpy"):
            yield from ((f"{name}[{str(key)!r}]", np.asarray(value[key])) for key in value.columns)
        elif hasattr(value, "to_numpy") and hasattr(value, "dtype"):
            yield name, np.asarray(value)


def _place(place: Any) -> str:
    place = tuple(int(index) for index in place)
    if len(place) == 2:
        return f"row {place[0]}, column {place[1]}"
    return f"row {place[0]}" if len(place) == 1 else f"index {place}"
