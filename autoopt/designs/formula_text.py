"""The text of a formula: read by formulaic, which columns it speaks of, and what is wrong with it in our words."""

from __future__ import annotations

import ast
import builtins
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from autoopt.errors import AutooptError, DataError, UsageError
from autoopt.extras import imported
from autoopt.wording import listed, near

_QUOTED = re.compile(r"`([^`]*)`")
_MARKED = re.compile(r"⧛(?:\x1b\[[\d;]*m)?(.*?)(?:\x1b\[[\d;]*m)?⧚")
_TEXTS = r"`[^`]*`|'[^']*'|\"[^\"]*\""
_CALL = re.compile(rf"{_TEXTS}|\{{[^}}]*\}}|([^\W\d][\w.]*\()")
_METHOD = re.compile(r"\.[^\W\d]\w*\(")
_BRACKETS = re.compile(rf"{_TEXTS}|[()\[\]{{}}]")
_CATEGORIES = "C"
"""The function of formulas whose first argument is a column of categories."""


@dataclass(frozen=True)
class Read:
    """A formula that was read.

    Parameters
    ----------
    right, left : formulaic.Formula
        The two sides; left is None if there is no response.
    variables, left_variables : tuple of str
        The columns that they speak of.
    only_categories : frozenset of str
        Those that stand nowhere but in C(...).
    response : str or None
        The response if it is a column by itself.
    """

    right: Any
    left: Any
    variables: tuple[str, ...]
    left_variables: tuple[str, ...]
    only_categories: frozenset[str]
    response: str | None

    @property
    def has_response(self) -> bool:
        return self.left is not None or self.response is not None


def read(formula: str, columns: Sequence[str]) -> Read:
    """Return a formula that was read, for a table with these columns.

    Raises
    ------
    UsageError
        If it is no formula, or one of several parts.
    DataError
        If it speaks of a column that is not there.
    """
    if not str(formula).strip():
        raise UsageError("The formula is empty.", remedy='write "y ~ age + C(region)".')
    formulaic = imported("formulaic", "formula", "A formula")
    errors = imported("formulaic.errors", "formula", "A formula")
    try:
        whole = formulaic.Formula(_braced(str(formula)), _context={"__formulaic_variables_available__": list(columns)})
    except (errors.FormulaicError, SyntaxError) as error:
        raise _unread(formula, error) from error
    structured = isinstance(whole, formulaic.formula.StructuredFormula)
    left, right = (whole._structure.get("lhs"), whole._structure.get("rhs")) if structured else (None, whole)
    sides = [side for side in (left, right) if side is not None]
    if right is None or not all(isinstance(side, formulaic.formula.SimpleFormula) for side in sides):
        raise UsageError(f"The formula {formula!r} has several parts.", remedy="write y ~ a + b.")
    on_right = list(_mentions(right, columns))
    on_left = [] if left is None else list(_mentions(left, columns))
    _refuse_unknown(formula, [*on_left, *on_right], columns)
    on_right, on_left = (_of(columns, mentioned) for mentioned in (on_right, on_left))
    names, left_names = (tuple(dict.fromkeys(name for name, _ in each)) for each in (on_right, on_left))
    elsewhere = {name for name, is_category in [*on_right, *on_left] if not is_category}
    only = frozenset({name for name, _ in [*on_right, *on_left]} - elsewhere)
    if (response := _single(left, columns)) in names:
        raise DataError(
            f"The formula {formula!r} has {response} on both sides.", remedy="leave it out of the right one."
        )
    return Read(right, left, names, left_names, only, response)


def _braced(formula: str) -> str:
    """Return the formula with braces about calls that have a method called, which formulaic does not see as one.

    >>> _braced("y ~ np.log(age).clip(3) * C(region)")
    'y ~ {np.log(age).clip(3)} * C(region)'
    """
    parts, end, seen = [], 0, 0
    for start in _CALL.finditer(formula):
        if start.group(1) is None or start.start() < seen:  # what is quoted or in braces; an argument
            continue
        stop = _closed(formula, start.end() - 1)
        has_method = False
        while (more := _METHOD.match(formula, stop)) is not None:
            stop, has_method = _closed(formula, more.end() - 1), True
        seen = stop
        if has_method and stop <= len(formula):
            parts.append(f"{formula[end : start.start()]}{{{formula[start.start() : stop]}}}")
            end = stop
    return "".join([*parts, formula[end:]])


def _closed(formula: str, place: int) -> int:
    """Return the place behind the bracket that closes the one at `place`; beyond the end if there is none."""
    depth = 0
    for mark in _BRACKETS.finditer(formula, place):
        depth += (mark.group() in "([{") - (mark.group() in ")]}")
        if depth == 0:
            return mark.end()
    return len(formula) + 1


def _of(columns: Sequence[str], mentioned: Iterable[tuple[str, bool]]) -> list[tuple[str, bool]]:
    known = set(columns)
    return [(name, is_category) for name, is_category in mentioned if name in known]


def _single(side: Any, columns: Sequence[str]) -> str | None:
    """Return the column that a side is, by itself or in C(...); None if it is more."""
    if side is None:
        return None
    factors = [factor for term in side for factor in term.factors]
    if len(factors) != 1:
        return None
    mentioned = [one for one in _of_factor(factors[0], columns) if not one[0].endswith("(")]
    name = mentioned[0][0] if len(mentioned) == 1 else None
    is_itself = name is not None and factors[0].expr.replace("`", "") in (name, f"{_CATEGORIES}({name})")
    return name if is_itself and name in columns else None


def _mentions(side: Any, columns: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yield the names that a side speaks of, and whether each stands as the first argument of C."""
    for term in side:
        for factor in term.factors:
            yield from _of_factor(factor, columns)


def _of_factor(factor: Any, columns: Sequence[str]) -> Iterator[tuple[str, bool]]:
    method = factor.eval_method.value
    if method == "lookup":
        yield factor.expr, False
    elif method == "python":
        quoted: dict[str, str] = {}

        def placed(match: re.Match[str]) -> str:
            return quoted.setdefault(match.group(1), f"_column_{len(quoted)}_")

        try:
            tree = ast.parse(_QUOTED.sub(placed, factor.expr).strip(), mode="eval")
        except SyntaxError:
            return
        own = {place: name for name, place in quoted.items()}
        known = {unicodedata.normalize("NFKC", name): name for name in columns}
        for name, is_category in _names(tree.body):
            yield own.get(name, known.get(name, name)), is_category


def _names(node: ast.AST, is_category: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield the names of an expression that are no functions or modules."""
    if isinstance(node, ast.Name):
        yield node.id, is_category
    elif isinstance(node, ast.Call):
        function = node.func.id if isinstance(node.func, ast.Name) else ""
        if isinstance(node.func, ast.Name):
            yield from ((node.func.id + "(", False),)
        for position, argument in enumerate(node.args):
            is_first = function == _CATEGORIES and position == 0 and isinstance(argument, ast.Name)
            if function == "Q" and isinstance(argument, ast.Constant):
                yield str(argument.value), False
            else:
                yield from _names(argument, is_first)
        if isinstance(node.func, ast.Attribute):
            yield from _names(node.func.value)
        for keyword in node.keywords:
            yield from _names(keyword.value)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _names(child)


def _refuse_unknown(formula: str, mentioned: Iterable[tuple[str, bool]], columns: Sequence[str]) -> None:
    """Raise DataError for names that are neither columns nor known to formulas."""
    transforms = imported("formulaic.transforms", "formula", "A formula").TRANSFORMS
    for name in dict.fromkeys(name for name, _ in mentioned):
        function = name.removesuffix("(")
        if function != name and function in columns:
            raise UsageError(
                f"The formula {formula!r} calls {function}, which is also a column.", remedy="rename the column."
            )
        if function != name:
            if function not in transforms and not hasattr(builtins, function):
                raise UsageError(
                    f"The formula {formula!r} calls {function}, which formulas do not know."
                    f"{near(function, transforms)}",
                    remedy=f"use one of {', '.join(sorted(transforms))}, with np all of NumPy's; or add a column.",
                )
        elif name not in columns and name not in transforms and not hasattr(builtins, name):
            raise DataError(
                f"The formula {formula!r} speaks of {name}, which is no column.{near(name, columns)}",
                remedy=f"use one of {listed(list(columns))}; names that are no words stand in backticks.",
            )


def _unread(formula: str, error: Exception) -> AutooptError:
    """Return the error for a text that is no formula, the place below it."""
    said, _, shown = str(error).partition("\n")
    said = said.replace("insuffient", "insufficient").rstrip(".")
    lines = ""
    if (mark := _MARKED.search(shown)) is not None:
        start = mark.start() - (len(shown) - len(shown.lstrip("\n")))
        text = _MARKED.sub(r"\1", shown).strip("\n")
        lines = f"\n    {text}\n    {' ' * start}{'^' * max(1, len(mark.group(1)))}"
    return UsageError(f"The formula {formula!r} cannot be read: {said}.{lines}", remedy='write "y ~ age + C(region)".')


def unevaluated(formula: str, error: Exception, columns: Sequence[str]) -> AutooptError:
    """Return the error for a formula that these data do not have a value of."""
    said = " ".join(_MARKED.sub(r"\1", str(error)).split()).rstrip(".")
    return DataError(
        f"The formula {formula!r} cannot be evaluated: {said}.",
        remedy=f"check what it does to {listed(list(columns))}.",
    )
