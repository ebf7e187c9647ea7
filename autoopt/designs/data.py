"""Named columns -> the objective's data arguments, with what is to be said of them.

`autoopt.tables` reads files; knows neither objectives nor solvers: only argument names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.designs.encodings import ByName, ByTarget, Encoding, Whole
from autoopt.designs.formulas import ByFormula
from autoopt.errors import DataError, UsageError
from autoopt.tables import completeness
from autoopt.tables.dataset import Dataset
from autoopt.tables.description import Description, line
from autoopt.tables.description import describe as described
from autoopt.tables.readers import dataset, is_frame, load, rows_of_frame
from autoopt.wording import listed, nearest

__all__ = ["Bound", "Dataset", "Selection", "bind", "bound", "dataset", "describe", "is_frame", "load"]


@dataclass(frozen=True)
class Selection:
    """What of the data becomes the objective's arguments.

    Parameters
    ----------
    target : str, optional
        The column that becomes the last argument; the first argument is then the matrix, shape (rows, columns), of all
        numeric columns nobody else took, in file order; arguments between are columns of their own names.
    formula : str, optional
        "y ~ age + C(region)": the design matrix becomes the first argument, the response the last.
    categories : tuple of str
        Columns whose values are names of categories.
    missing : str
        "raise", or "drop" to leave out rows that lack a value in one of the columns that are used.
    also : tuple of str
        Columns that are used besides, and are for no argument: weights, groups.
    executor : Executor or None
        The workers of a cluster that hold the rows.
    """

    target: str | None = None
    formula: str | None = None
    categories: tuple[str, ...] = ()
    missing: str = "raise"
    also: tuple[str, ...] = ()
    executor: Any = None

    def encoding(
        self, data: Dataset, names: Sequence[str], optional: Iterable[str] = (), given: Any = None
    ) -> Encoding:
        """Return the encoding that is asked for; `given` is what the user gave as data."""
        arguments = {data.column(name): name for name in names}
        categories = dict.fromkeys(arguments.get(data.column(name), name) for name in self.categories)
        data.refuse_absent(self.categories)
        if self.formula is not None:
            return ByFormula.of(self.formula, data, names, self.target, tuple(self.categories))
        if self.target is not None:
            return ByTarget(names, self.target, frozenset(self.also), categories)
        is_whole = len(names) == 1 and is_frame(given) and not data.has(names[0])
        if is_whole and not nearest(names[0], data.names):  # which is a misspelt column
            return Whole(names[0], given)
        return ByName(names, frozenset(optional), categories)


@dataclass(frozen=True)
class Bound:
    """The objective's data arguments.

    Attributes
    ----------
    arguments : dict of str to object
        By name, in order.
    data : Dataset or None
        The rows that are used; None where the data have no names.
    encoding : Encoding or None
        With it, other data become arguments in the same way.
    notes : tuple of str
        What the reader of the fit must know of the data.
    rows : ndarray or None
        The numbers of the rows that are used, if some were left out.
    total : int or None
        How many rows there were, if some were left out.
    used : tuple of str
        The columns or arrays that are used.
    encode : callable or None
        The model's own way from another table to what its predictions take.
    batches : Batches or None
        All rows, where they are read in batches: `arguments` are then those of some rows.
    """

    arguments: dict[str, Any]
    data: Dataset | None = None
    encoding: Encoding | None = None
    notes: tuple[str, ...] = ()
    rows: np.ndarray | None = None
    total: int | None = None
    used: tuple[str, ...] = ()
    encode: Callable | None = None
    batches: Any = None

    @property
    def columns(self) -> list[str]:
        """The names of the columns of the matrix that is the first argument; none if there is no such matrix."""
        if self.batches is not None:
            first = self.batches.layout.arguments.get(next(iter(self.arguments)))
            return [] if isinstance(first, str) or first is None else list(first)
        return [] if self.encoding is None else list(self.encoding.columns)

    def described(self) -> str:
        """Return a line on the columns that are used."""
        assert self.data is not None  # of data with names
        return line(self.data, self.used, self.total)

    def aligned(self, values: Any) -> Any:
        """Return an array with a value for each row that was there as one for each row that is used."""
        if self.rows is None or np.ndim(values) == 0 or len(values) != self.total:
            return values
        return np.asarray(values)[self.rows]


def bound(
    data: Dataset, names: Sequence[str], selection: Selection, optional: Iterable[str] = (), given: Any = None
) -> Bound:
    """Return the objective's data arguments.

    Parameters
    ----------
    data : Dataset
    names : sequence of str
        The objective's data arguments in order, without the parameters.
    selection : Selection
    optional : iterable of str
        Those of `names` that have a default, and may be missing.
    given : object, optional
        What the user gave as data: a frame is passed on as it is, where the objective takes a whole frame.

    Raises
    ------
    DataError
        If an argument has no counterpart, or more than one; says what the file has and what the objective wants.
    """
    completeness.check(selection.missing)
    encoding = selection.encoding(data, names, optional, given)
    if selection.categories and not encoding_takes_categories(encoding):
        raise UsageError("categories= are for columns that become arguments.", remedy="leave them out.")
    columns = {data.column(name) for name in encoding.used(data)}
    if unused := [name for name in selection.categories if data.column(name) not in columns]:
        raise UsageError(
            f"{listed(unused)} in categories is no column that is used: those are {listed(encoding.used(data))}.",
            remedy="name it in the formula or among the objective's arguments, or leave it out.",
        )
    also = [name for name in selection.also if data.has(name)]  # those that use them say what is not there
    used = list(dict.fromkeys([*encoding.used(data), *also]))
    rows, note, total = None, "", None
    data.fetch(used)  # in one go
    if used and all(_is_empty(column) for column in data.fetch(used).values()):
        what = "columns and no rows" if data.table else f"no entries in the {data.called(used)}"
        raise DataError(f"{data.source} has {what}.", remedy="give data with rows.")
    if selection.missing == "drop":
        rows, note = completeness.complete_rows(data, used)
        if rows is not None:
            total = data.rows
            data = data.kept(rows)
            if isinstance(encoding, Whole):
                encoding = Whole(encoding.name, rows_of_frame(encoding.frame, rows))
    encoding = encoding.learned(data)
    arguments = encoding.arguments(data)
    notes = (*([note] if note else []), *encoding.notes)
    return Bound(arguments, data, encoding, (*data.told, *notes), rows, total, tuple(used))


def _is_empty(column: Any) -> bool:
    shape: tuple[int, ...] = getattr(column, "shape", ())
    return len(shape) > 0 and shape[0] == 0


def describe(data: object, reading: Mapping[str, str] | None = None) -> Description:
    """Return what is in a file or frame: type, rows, missing values, range or categories of each column.

    Parameters
    ----------
    data : path, frame, mapping of names to arrays, or Dataset
    reading : mapping, optional
        How a text file is read: "delimiter", "encoding", "decimal", "thousands".

    Returns
    -------
    Description
        Whose text is a table.
    """
    return described(dataset(data, reading))


def encoding_takes_categories(encoding: Encoding) -> bool:
    """Return whether columns can be taken as categories: not where the objective reads the frame itself."""
    return not isinstance(encoding, Whole)


def bind(
    data: Dataset, names: Sequence[str], target: str | None = None, optional: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the objective's data arguments by name, as `bound` has them for a target or by their names."""
    return bound(data, names, Selection(target), optional).arguments
