"""Formulas such as "y ~ age + C(region)": the design matrix and the response, of the fit's data and of others.

formulaic reads the formula and makes the matrix. What is a category and what a number is decided here, from the data of
the fit, so that others are encoded in the same way.
"""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autoopt.designs.encodings import mismatch
from autoopt.designs.formula_text import Read, read, unevaluated
from autoopt.errors import DataError, UsageError
from autoopt.extras import imported
from autoopt.tables.categories import Categories, sentence
from autoopt.tables.dataset import Dataset
from autoopt.tables.values import NESTED, THINGS, plain, thing_in
from autoopt.wording import listed, times

_SHOWN = 5  # rows listed in a message


@dataclass(frozen=True)
class ByFormula:
    """The first argument is the design matrix of a formula, the last its response; those between are columns.

    Parameters
    ----------
    formula : str
    names : sequence of str
        The objective's data arguments.
    read : Read
        What formulaic reads, and which columns it speaks of.
    categorical : tuple of str
        Columns that are categories because the user says so.
    categories : mapping of str to Categories
        Those that were found in the data of the fit.
    spec, response_spec : formulaic.ModelSpec or None
        Of the two sides, for the data of the fit; that of a response which is a column by itself is None.
    columns : list of str
        Those of the design matrix.
    """

    formula: str
    names: Sequence[str]
    read: Read
    categorical: tuple[str, ...] = ()
    categories: Mapping[str, Categories] = field(default_factory=dict)
    spec: Any = field(default=None, repr=False)
    response_spec: Any = field(default=None, repr=False)
    columns: list[str] = field(default_factory=list)
    _made: list[Any] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def of(
        cls, formula: str, data: Dataset, names: Sequence[str], target: str | None, categorical: tuple[str, ...]
    ) -> ByFormula:
        """Return the encoding of a formula; UsageError or DataError if it is none, or none of these data."""
        if not data.table:
            raise DataError(f"{data.source} is no table, and a formula needs one.", remedy="give a file with columns.")
        found = read(formula, data.names)
        if target is not None and found.left is not None:
            raise UsageError(
                f"The formula {formula!r} has a response, and there is a target {target!r}.",
                remedy="leave one of them out.",
            )
        data.refuse_absent([target] if target is not None else [])
        found = found if target is None else replace(found, response=target)
        least = 2 if found.has_response else 1
        if len(names) < least:
            raise DataError(
                f"{mismatch(data, names)} A formula {'with a response ' if least == 2 else ''}needs {least} at least: "
                f"the design matrix{', and the response' if least == 2 else ''}.",
                remedy="write objective(params, X, y)." if least == 2 else "write objective(params, X).",
            )
        return cls(formula, names, found, categorical)

    @property
    def between(self) -> list[str]:
        """The arguments that are columns of their own names."""
        return list(self.names[1:-1] if self.read.has_response else self.names[1:])

    @property
    def notes(self) -> list[str]:
        """Sentences on the categories of columns."""
        said = []
        for name, (_, state) in self.spec.encoder_state.items():
            if levels := list(state.get("categories", ())):
                kept = {column.partition(f"{name}[")[2].rstrip("]").removeprefix("T.") for column in self.columns}
                dropped = [level for level in levels if str(level) not in kept]
                said.append(sentence(name, levels, dropped))
        coded = [self.categories[name] for name in self._named if name in self.categories]
        return [*said, *(one.as_codes() for one in coded)]

    @property
    def _named(self) -> list[str]:
        """The columns that are arguments by themselves."""
        return [*([] if self.read.response is None else [self.read.response]), *self.between]

    def used(self, data: Dataset, response: bool = True) -> list[str]:
        data.refuse_absent(self.between)
        left = self._response_columns() if response else []
        return list(dict.fromkeys([*self.read.variables, *left, *self.between]))

    def learned(self, data: Dataset) -> ByFormula:
        named = [*self.read.variables, *self._response_columns(), *self.between]
        found = {name: Categories.of(data, name) for name in dict.fromkeys(named) if self._is_category(data, name)}
        one = replace(self, categories=found)
        frame = one._frame(data, one.read.variables)
        matrix, spec, columns = one._learned(self.read.right, frame)
        if not columns:
            raise DataError(f"The formula {self.formula!r} leaves no column.", remedy="name columns on its right side.")
        response_spec = None
        if self.read.left is not None and self.read.response is None:
            _, response_spec, left = one._learned(self.read.left, one._frame(data, self.read.left_variables))
            if len(left) != 1:
                raise DataError(
                    f"The response of {self.formula!r} has {times(len(left), 'column')}: {listed(left)}.",
                    remedy="give one number for each row on the left side.",
                )
        return replace(one, spec=spec, response_spec=response_spec, columns=columns, _made=[(data, matrix)])

    def arguments(self, data: Dataset, response: bool = True) -> dict[str, Any]:
        response = response and self.read.has_response
        between = [name for name in self.between if response or name in data.names]
        data.fetch(self.used(data) if response else [*self.read.variables, *between])
        design = self._matrix(self.spec, data, self.read.variables)
        columns = {name: self._values(data, name) for name in between}
        if not response:
            return {self.names[0]: design, **columns}
        return {self.names[0]: design, **columns, self.names[-1]: self._response(data)}

    def _response_columns(self) -> list[str]:
        return list(self.read.left_variables) if self.read.response is None else [self.read.response]

    def _response(self, data: Dataset) -> np.ndarray:
        if self.read.response is not None:
            return self._values(data, self.read.response)
        return self._matrix(self.response_spec, data, self.read.left_variables)[:, 0]

    def _values(self, data: Dataset, name: str) -> np.ndarray:
        """Return a column as numbers, those of its categories if it has any."""
        return self.categories[name].codes(data) if name in self.categories else data.take([name])[name]

    def _is_category(self, data: Dataset, name: str) -> bool:
        if name in self.categorical or name in self.read.only_categories:
            return True
        column = data.fetch([name])[name]
        is_text = data.is_text(name) and str(getattr(column, "dtype", "")) != "category"
        if thing := "dates" if is_text and data.has_dates(name) else thing_in(plain(column)):
            also = "" if thing in (NESTED, "complex numbers") else f" Or take them as categories: C({name})."
            raise DataError(
                f"{name} in the formula {self.formula!r} holds {thing}.", remedy=f"{THINGS[thing][2]}{also}"
            )
        if is_text and (meant := data.meant_as_numbers(name)):
            raise DataError(
                f"{name} in the formula {self.formula!r} is text, each value a category.",
                remedy=f"{meant} Or say that they are categories: C({name}).",
            )
        return is_text or str(getattr(column, "dtype", "")) == "category"

    def _frame(self, data: Dataset, names: Sequence[str]) -> Any:
        """Return the columns for formulaic: numbers, or pandas' categories."""
        import pandas as pd

        clean = data.take([name for name in names if name not in self.categories])
        columns: dict[str, Any] = {}
        for name in names:
            if name in self.categories:
                one = self.categories[name]
                columns[name] = pd.Categorical.from_codes(one.codes(data), categories=pd.Index(one.levels))
            else:
                columns[name] = clean[name]
        for name in names:  # as Python reads it where the formula calculates
            columns.setdefault(unicodedata.normalize("NFKC", name), columns[name])
        return pd.DataFrame(columns, index=range(data.rows))

    def _learned(self, side: Any, frame: Any) -> tuple[Any, Any, list[str]]:
        """Return the matrix of a side for these data, its specification and its columns."""
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)
                matrix = side.get_model_matrix(frame, na_action="ignore", output="numpy")
        except Exception as error:  # NumPy's as well, of what the formula calls
            raise unevaluated(self.formula, error, list(frame.columns)) from error
        return matrix, matrix.model_spec, list(matrix.model_spec.column_names)

    def _matrix(self, spec: Any, data: Dataset, names: Sequence[str]) -> np.ndarray:
        """Return the matrix of a side, shape (rows, columns); DataError where it is not finite."""
        is_made = spec is self.spec and self._made and self._made[0][0] is data  # when it was learned
        made = self._made.pop()[1] if is_made else self._evaluated(spec, data, names)
        matrix = np.ascontiguousarray(np.asarray(made), dtype=float)
        if not np.isfinite(matrix).all():
            raise _not_finite(matrix, list(spec.column_names), data)
        return matrix

    def _evaluated(self, spec: Any, data: Dataset, names: Sequence[str]) -> Any:
        errors = imported("formulaic.errors", "formula", "A formula")
        frame = self._frame(data, names)
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)
                warnings.simplefilter("error", errors.DataMismatchWarning)
                return spec.get_model_matrix(frame, na_action="ignore", output="numpy")
        except errors.DataMismatchWarning as error:
            raise DataError(
                f"{data.source} has categories that the fit did not know: {error}", remedy="leave these rows out."
            ) from error
        except Exception as error:  # NumPy's as well, of what the formula calls
            raise unevaluated(self.formula, error, list(names)) from error


def _not_finite(matrix: np.ndarray, columns: Sequence[str], data: Dataset) -> DataError:
    """Return the error for values of a formula that are not finite, as the logarithm of zero."""
    bad = ~np.isfinite(matrix)
    column = int(np.flatnonzero(bad.any(axis=0))[0])
    rows = np.flatnonzero(bad[:, column])
    shown = rows[:_SHOWN].tolist()
    lines = [f"  {place}: {matrix[row, column]}" for row, place in zip(shown, data.places(shown), strict=True)]
    more = [f"  ... and {len(rows) - _SHOWN} more"] if len(rows) > _SHOWN else []
    return DataError(
        f"{columns[column]} is not finite in {times(len(rows), 'row')} of {data.source}:\n"
        + "\n".join([*lines, *more]),
        remedy="leave these rows out, or write another formula.",
    )
