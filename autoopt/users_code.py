"""Exceptions of the user's code: shown as theirs, with their lines and without ours.

Whose code a line is, `origin.py` says.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import linecache
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autoopt.errors import AutooptError, Location, ModelError, UsageError
from autoopt.origin import definition, is_ours, is_shown, place_of, traces, users_places
from autoopt.wording import nearest

UNDEFINED = (ArithmeticError, ValueError, RuntimeError, AssertionError)
"""What an objective raises where it is not defined: LinAlgError is a ValueError. The rest are mistakes."""

NO_VALUE = (*UNDEFINED, AutooptError)
"""The same, and what autoopt itself says where it cannot go on: nothing is known of such a point."""


@contextmanager
def users_code(
    doing: str, kind: type[AutooptError] = ModelError, passing: tuple[type[Exception], ...] = ()
) -> Iterator[None]:
    """Raise what the user's code raises as an error of `kind`: "`doing` raised ...", and where in their files.

    An exception without a line of theirs, or one that autoopt raised while it worked for them, is not their fault.
    Those of the kinds `passing` are left as they are.
    """
    try:
        yield
    except AutooptError:
        raise
    except passing:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, SyntaxError) and error.filename and Path(error.filename).is_file():
            raise syntax_error(error, error.filename) from error
        places = users_places(error)
        if not places:
            raise
        said = traceback.format_exception_only(type(error), error)[-1 - _note_lines(error)].rstrip()
        said += "" if "Did you mean" in said else _suggestion(error)
        if is_ours(error):
            raise AutooptError(
                f"autoopt itself failed at this line of the model, with {said}",
                where=places,
                remedy="report it with the full traceback, which autoopt fit --traceback shows.",
            ) from error
        raise kind(f"{doing} raised {said}{shapes_at(error)}", where=places) from error


def _note_lines(error: BaseException) -> int:
    """Return how many lines of notes Python shows below what an exception says."""
    return sum(len(str(note).split("\n")) for note in getattr(error, "__notes__", ()))


def syntax_error(error: SyntaxError | ValueError, file: str) -> ModelError:
    """Return the error that shows the line of `file` that is not Python."""
    where = None
    if isinstance(error, SyntaxError) and error.lineno:
        line = linecache.getline(file, error.lineno)
        start = max(error.offset or 1, 1) - 1
        last = error.end_offset or 0
        end = last - 1 if error.end_lineno == error.lineno and last > start else start
        column, end_column = (len(line[:number].encode()) for number in (start, max(end, start + 1)))
        where = Location(file, error.lineno, column, end_column)
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    return ModelError(f"{Path(file).name} is not valid Python: {said}.", where, "correct this line.")


def _suggestion(error: BaseException) -> str:
    """Return Python's ' Did you mean ...?' for a name or attribute that is not there: the interpreter alone adds it."""
    name = getattr(error, "name", None)
    if not isinstance(error, NameError | AttributeError) or not isinstance(name, str):
        return ""
    if isinstance(error, AttributeError):
        names = dir(error.obj) if error.obj is not None else []
    else:
        frame = list(traces(error))[-1].tb_frame
        names = [*frame.f_locals, *frame.f_globals, *dir(builtins)]
    near = [candidate for candidate in nearest(name, names) if candidate != name]
    return f". Did you mean {near[0]!r}?" if near else ""


def shapes_at(error: BaseException) -> str:
    """Return a line with the shapes of the arrays in the user's failing expression, where they may have been wrong."""
    if not isinstance(error, ValueError | IndexError):
        return ""
    shown = [trace for trace in traces(error) if is_shown(place_of(trace))]
    if not shown:
        return ""
    trace = shown[-1]
    scope = {**trace.tb_frame.f_globals, **trace.tb_frame.f_locals}
    try:
        nodes = [node for node in ast.walk(ast.parse(place_of(trace).expression)) if isinstance(node, ast.expr)]
    except SyntaxError:
        return ""
    shapes = {ast.unparse(node): getattr(value_of(node, scope), "shape", None) for node in nodes}
    listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items() if isinstance(shape, tuple))
    return f"\nThe shapes there: {listed}." if listed else ""


def misfit(error: Exception, function: Any, args: tuple) -> UsageError | None:
    """Return the error that `function` cannot be called with x and `args`; None if it can, or not known."""
    if not isinstance(error, TypeError):
        return None
    name = getattr(function, "__name__", repr(function))
    if not callable(function):
        return UsageError(f"fun={name} is not a function.", remedy="pass a function of the parameters.")
    try:
        inspect.signature(function).bind(None, *args)
    except TypeError as told:
        given = "x" if not args else f"x and {len(args)} of args"
        happened = f"The objective {name} cannot be called with {given}: {told}."
        return UsageError(happened, definition(function), "let it take x, then what args holds: fun(x, *args).")
    except ValueError:  # of some functions in C nobody knows
        return None
    return None


def value_of(node: ast.expr, scope: Mapping[str, Any]) -> Any:
    """Return what `a`, `a.b` or `a["b"]` stands for, without running code of the user's; None for anything else."""
    if isinstance(node, ast.Name):
        return scope.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(value_of(node.value, scope), "__dict__", {}).get(node.attr)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        value = value_of(node.value, scope)
        return value.get(node.slice.value) if isinstance(value, dict) else None
    return None
