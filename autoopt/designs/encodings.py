"""How columns become the objective's data arguments: by their names, around a target, or a frame as a whole.

An encoding is made of names, learns from data what categories there are, and can then be applied to others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from autoopt.errors import DataError
from autoopt.tables.categories import Categories
from autoopt.tables.dataset import Dataset
from autoopt.wording import listed, near


class Encoding(Protocol):
    """How data become arguments."""

    @property
    def columns(self) -> list[str]:
        """Those of the matrix that is the first argument; none if there is no matrix."""
        ...

    @property
    def notes(self) -> list[str]:
        """Sentences on what was done with which column."""
        ...

    def used(self, data: Dataset, response: bool = True) -> list[str]:
        """Return the columns in which a value may be missing, those of the response or not."""
        ...

    def learned(self, data: Dataset) -> Encoding:
        """Return the encoding with what it needs to know of the data: the categories of columns."""
        ...

    def arguments(self, data: Dataset, response: bool = True) -> dict[str, Any]:
        """Return the arguments by name, in order; without the response all that there are columns for but that."""
        ...


@dataclass(frozen=True)
class ByName:
    """Each argument is the column or array of its name; of categories their numbers.

    Parameters
    ----------
    names : sequence of str
        The objective's data arguments in order, without the parameters.
    optional : frozenset of str
        Those of `names` that have a default, and may be missing.
    categories : mapping of str to Categories or None
    """

    names: Sequence[str]
    optional: frozenset[str] = frozenset()
    categories: Mapping[str, Categories | None] = field(default_factory=dict)

    columns: list[str] = field(default_factory=list, init=False)

    @property
    def notes(self) -> list[str]:
        return [one.as_codes() for one in self.categories.values() if one is not None]

    def used(self, data: Dataset, response: bool = True) -> list[str]:
        if self._is_single(data):
            return list(data.names)
        wanted = [name for name in self.names if data.has(name) or name not in self.optional]
        if absent := [name for name in wanted if not data.has(name)]:
            remedy = "name the objective's arguments after them"
            if data.table:
                remedy += ", or name the column to explain with --target (target= in Python), or give a formula"
            raise DataError(
                f"{mismatch(data, self.names)} Nothing there is called {listed(absent)}.{near(absent[0], data.names)}",
                remedy=f"{remedy}.",
            )
        return wanted

    def learned(self, data: Dataset) -> ByName:
        used = self.used(data)
        return replace(self, categories={name: Categories.of(data, name) for name in self.categories if name in used})

    def arguments(self, data: Dataset, response: bool = True) -> dict[str, Any]:
        if self._is_single(data):
            return dict(zip(self.names, data.take(data.names).values(), strict=True))
        wanted = self.used(data) if response else [name for name in self.names if data.has(name)]
        taken = data.take([name for name in wanted if name not in self.categories])
        codes = {name: one.codes(data) for name, one in self.categories.items() if one is not None and name in wanted}
        return {name: codes[name] if name in codes else taken[name] for name in wanted}

    def _is_single(self, data: Dataset) -> bool:
        return len(self.names) == 1 and len(data.names) == 1 and not data.table


@dataclass(frozen=True)
class Whole:
    """The only argument is the frame itself."""

    name: str
    frame: Any

    columns: list[str] = field(default_factory=list, init=False)
    notes: list[str] = field(default_factory=list, init=False)

    def used(self, data: Dataset, response: bool = True) -> list[str]:
        return list(data.names)

    def learned(self, data: Dataset) -> Whole:
        return self

    def arguments(self, data: Dataset, response: bool = True) -> dict[str, Any]:
        return {self.name: self.frame}


@dataclass(frozen=True)
class ByTarget:
    """The last argument is the target, the first the matrix of all other columns of numbers that nobody else took.

    Parameters
    ----------
    names : sequence of str
        The objective's data arguments in order; those between first and last are columns of their own names.
    target : str
    aside : frozenset of str
        Columns that are not for the matrix: weights, groups.
    categories : mapping of str to Categories or None
        Columns of categories, which become indicators in the matrix, or numbers where they are the target.
    taken : tuple of str or None
        The columns of the matrix, in file order; None before they are learned.
    text : tuple of str
        Columns that were left out.
    """

    names: Sequence[str]
    target: str
    aside: frozenset[str] = frozenset()
    categories: Mapping[str, Categories | None] = field(default_factory=dict)
    taken: tuple[str, ...] | None = None
    text: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        found: list[str] = []
        for name in self.taken or ():
            one = self.categories.get(name)
            found += [name] if one is None else one.indicator_names
        return found

    @property
    def notes(self) -> list[str]:
        said = [f"Left out of {self.names[0]}, being text: {', '.join(self.text)}."] if self.text else []
        for name, one in self.categories.items():
            if one is not None:
                said.append(one.as_reference() if name in (self.taken or ()) else one.as_codes())
        return said

    def used(self, data: Dataset, response: bool = True) -> list[str]:
        if response:
            self._check(data)
        return [*self._matrix(data), *self.names[1:-1], *([self.target] if response else [])]

    def learned(self, data: Dataset) -> ByTarget:
        taken = self._matrix(data)
        if not taken:
            raise DataError(f"{data.source} has no numeric column besides {self.target!r}.", remedy="check the file.")
        others = {data.column(name) for name in (*taken, *self.names[1:-1], self.target, *self.aside)}
        categories = {name: Categories.of(data, name) for name in self.categories}
        left = tuple(name for name in data.names if name not in others)
        return replace(self, taken=tuple(taken), text=left, categories=categories)

    def arguments(self, data: Dataset, response: bool = True) -> dict[str, Any]:
        matrix = self._matrix(data)
        between = [name for name in self.names[1:-1] if response or name in data.names]
        named = [*between, *([self.target] if response else [])]
        found: dict[str, Any] = data.take([name for name in [*matrix, *named] if name not in self.categories])
        for name, one in self.categories.items():
            if one is not None and name in matrix:
                found[name] = one.indicators(data)
            elif one is not None and name in named:
                found[name] = one.codes(data)
        first = {self.names[0]: np.column_stack([found[name] for name in matrix]).astype(float, copy=False)}
        return {
            **first,
            **{name: found[name] for name in between},
            **({self.names[-1]: found[self.target]} if response else {}),
        }

    def _matrix(self, data: Dataset) -> list[str]:
        if self.taken is not None:
            return list(self.taken)
        others = {data.column(name) for name in (self.target, *self.names[1:-1], *self.aside)}
        names = [name for name in data.names if name not in others]
        text = set(data.text_among([name for name in names if name not in self.categories]))
        return [name for name in names if name not in text]

    def _check(self, data: Dataset) -> None:
        if not data.table:
            raise DataError(
                f"{data.source} is no table, so no column of it can be the target {self.target!r}.",
                remedy="leave the target out; the arrays are bound by their names.",
            )
        if len(self.names) < 2:
            raise DataError(
                f"{mismatch(data, self.names)} With a target it needs two at least: the matrix of the other columns, "
                f"and the column {self.target!r}.",
                remedy="write objective(params, X, y), or leave the target out.",
            )
        data.refuse_absent([self.target])  # a misspelt target is told before anything else
        ends = (self.names[0], self.names[-1])
        if clash := [name for name in ends if data.has(name) and data.column(name) != self.target]:
            raise DataError(
                f"The argument {listed(clash)} of the objective is also a column of {data.source}, so with the target "
                f"{self.target!r} it could mean either.",
                remedy="rename the argument, or leave the target out to bind every argument to the column of its name.",
            )
        data.refuse_absent(self.names[1:-1])


def mismatch(data: Dataset, names: Sequence[str]) -> str:
    """Return the sentence that says what the objective takes and what the data have."""
    return f"The objective takes the data {listed(list(names)) or 'none'}; {data.source} has {listed(data.names)}."
