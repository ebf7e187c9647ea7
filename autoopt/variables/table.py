"""`Parameters`: a table of named parameters with values, limits, what is held or tied, and transforms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.origin import calling_place
from autoopt.parameters import Structure
from autoopt.variables.blocks import BLOCKS, ties
from autoopt.variables.transforms import TRANSFORMS
from autoopt.wording import near

_SHOWN = 60
"""Rows in a printed table."""


@dataclass(frozen=True)
class Parameter:
    """One row of a `Parameters` table.

    Parameters
    ----------
    value : number or array
        Where it starts, or the estimate.
    lower, upper : number, or array of the value's shape, optional
        Limits; None for none.
    fixed : bool, or array of bool of the value's shape
        Whether it is held.
    tied : str, optional
        A straight line in another parameter that it follows: "a", "2 * a", "1 - b[0]".
    transform : str, optional
        "log" (or "positive"): the solver moves log(x - lower), where lower is 0 by default; "logit" (or "interval"):
        log((x - lower) / (upper - x)), of 0 and 1 by default, in which the limits are infinitely far off. Of an array:
        "simplex", positive shares whose sum is 1; "ordered", ascending numbers; "correlation" and "covariance",
        positive definite matrices.
    stderr : number or array, optional
        The standard error of an estimate; NaN where there is none.
    """

    value: Any
    lower: Any = None
    upper: Any = None
    fixed: Any = False
    tied: str | None = None
    transform: str | None = None
    stderr: Any = None

    def __post_init__(self) -> None:
        value, lower, upper = (_limit(self.value, np.nan), _limit(self.lower, -np.inf), _limit(self.upper, np.inf))
        if any(side.shape not in ((), value.shape) for side in (lower, upper)):
            return  # the table says so, which knows the name
        if (lower > upper).any():
            happened = f"{_CALL} has the lower limit {self.lower!r} above its upper one, {self.upper!r}."
            raise UsageError(happened, calling_place(), "exchange them.")
        room = _OUTSIDE * np.maximum(1.0, np.abs(value))
        if self.tied is None and ((value < lower - room) | (value > upper + room)).any():
            happened = f"{_CALL} has the value {self.value!r}, outside of its limits {lower} and {upper}."
            raise UsageError(happened, calling_place(), "correct the limits, or start inside them.")


_CALL = "A Parameter"
_OUTSIDE = 1e-6
"""An estimate may be beyond a limit by rounding."""


class Parameters(Mapping[str, Parameter]):
    """A table of parameters, accepted where x0 is; the objective sees a dict of their plain values by name.

    Parameters
    ----------
    rows : mapping of str to Parameter, number or array, or a table of lmfit's, optional
    **more : Parameter, number or array
        Further rows.

    Examples
    --------
    >>> table = Parameters(rate=Parameter(0.5, transform="log"), shift=0.0).add("scale", 1.0, fixed=True)
    >>> table
    name   value  lower  upper  kind   transform
    rate     0.5      0    inf  free   log
    shift      0   -inf    inf  free
    scale      1   -inf    inf  fixed
    >>> table["rate"].value, table.plain()
    (0.5, {'rate': 0.5, 'shift': 0.0, 'scale': 1.0})
    """

    def __init__(self, rows: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        if not isinstance(rows, Mapping | None):
            raise UsageError(f"Parameters: {type(rows).__name__} is no table.", remedy="pass a dict of rows by name.")
        if twice := [name for name in rows or {} if name in more]:
            raise UsageError(f"Parameters: {', '.join(twice)} is given twice.", remedy="leave one of them out.")
        self._rows: dict[str, Parameter] = {}
        for name, row in {**(rows or {}), **more}.items():
            self[name] = row

    def __setitem__(self, name: str, row: Any) -> None:
        if not isinstance(name, str):
            raise UsageError(f"Parameters: {name!r} is no name.", remedy="call parameters by text.")
        self._rows[name] = _checked(name, _row(row))

    def __getitem__(self, name: str) -> Parameter:
        return self._rows[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def add(
        self,
        name: str,
        value: Any,
        lower: Any = None,
        upper: Any = None,
        fixed: Any = False,
        tied: str | None = None,
        transform: str | None = None,
    ) -> Parameters:
        """Add a row, or put it in the place of that of its name; returns the table. See `Parameter`."""
        try:
            self[name] = Parameter(value, lower, upper, fixed, tied, transform)
        except UsageError as error:  # a row does not know its name
            happened = error.happened.replace(_CALL, f"Parameter {name!r}", 1)
            raise UsageError(happened, error.where, error.remedy) from None
        return self

    def plain(self) -> dict[str, Any]:
        """Return the values by name, as the objective sees them."""
        return {name: row.value for name, row in self.items()}

    def at(self, values: Mapping[str, Any], errors: Mapping[str, Any] | None = None) -> Parameters:
        """Return the same table with other values, and standard errors where they are known."""
        table = Parameters()
        for name, row in self.items():
            table._rows[name] = replace(row, value=values[name], stderr=None if errors is None else errors[name])
        return table

    # What a start is made of ------------------------------------------------------------------------------------------

    def bounds(self) -> dict[str, tuple[Any, Any]] | None:
        """Return the limits that no transform keeps to by itself; None if there are none."""
        bounds = {}
        for name, row in self.items():
            below, above = TRANSFORMS[row.transform].closed if row.transform in TRANSFORMS else (False, False)
            bounds[name] = (None if below else _limit(row.lower, -np.inf), None if above else _limit(row.upper, np.inf))
        given = [np.isfinite(side).any() for pair in bounds.values() for side in pair if side is not None]
        return bounds if any(given) else None

    def fixed(self) -> dict[str, Any] | None:
        """Return what is held and tied as `fixed=` takes it; None if nothing is."""
        fixed = {name: row.fixed if row.tied is None else row.tied for name, row in self.items()}
        for name, row in self.items():
            if row.transform in BLOCKS and not np.any(row.fixed):
                del fixed[name]
                fixed |= ties(name, str(row.transform), row.value)
        return fixed if any(isinstance(what, str) or np.any(what) for what in fixed.values()) else None

    def transforms(self) -> dict[str, Parameter]:
        """Return the rows that have a transform."""
        return {name: row for name, row in self.items() if row.transform}

    def __repr__(self) -> str:
        if not self._rows:
            return "Parameters()"
        cells, count = self._cells()
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        right = [cell in ("value", "std. error", "lower", "upper") for cell in cells[0]]
        lines = [
            "  ".join(cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(row, widths, right, strict=True))
            for row in cells
        ]
        more = [f"... and {count - _SHOWN} more"] if count > _SHOWN else []
        return "\n".join([*(line.rstrip() for line in lines), *more])

    def _cells(self) -> tuple[list[list[str]], int]:
        """Return the first line and the rows, an entry of an array each, as text; and how many there are."""
        known = any(row.stderr is not None for row in self.values())
        table = [["name", "value", *(["std. error"] if known else []), "lower", "upper", "kind", "transform"]]
        count = 0
        for name, row in self.items():
            shape = np.shape(row.value)
            low, high = TRANSFORMS[row.transform].range if row.transform in TRANSFORMS else (-np.inf, np.inf)
            columns = [row.value, row.stderr, _limit(row.lower, low), _limit(row.upper, high), row.fixed]
            spread = [np.broadcast_to(np.nan if column is None else column, shape) for column in columns]
            entries = [f"{name}[{', '.join(map(str, index))}]" for index in np.ndindex(shape)] if shape else [name]
            flat = [np.reshape(column, -1) for column in spread]
            for entry, value, error, lower, upper, fixed in zip(entries, *flat, strict=True):
                count += 1
                if count > _SHOWN:
                    continue
                errors = [f"{error:.4g}" if np.isfinite(error) else "-"] if known else []
                kind = f"= {row.tied}" if row.tied is not None else "fixed" if fixed else "free"
                table.append([entry, f"{value:.8g}", *errors, f"{lower:g}", f"{upper:g}", kind, row.transform or ""])
        return table, count


def read_table(x0: Any) -> Parameters | None:
    """Return the table that a start is, one of lmfit's too; None if it is none."""
    if isinstance(x0, Parameters):
        return x0
    if isinstance(x0, Mapping) and x0 and all(map(_is_lmfits, x0.values())):
        return Parameters(x0)
    return None


def _is_lmfits(row: Any) -> bool:
    """Whether `row` is a parameter of lmfit's, or made like one."""
    return all(hasattr(row, name) for name in ("value", "min", "max", "vary"))


def _row(row: Any) -> Parameter:
    if isinstance(row, Parameter):
        return row
    if not _is_lmfits(row):
        return Parameter(row)
    tied = getattr(row, "expr", None)
    lower, upper = (None if side is None or not np.isfinite(side) else side for side in (row.min, row.max))
    return Parameter(row.value, lower, upper, not row.vary and not tied, tied or None)


def _checked(name: str, row: Parameter) -> Parameter:
    """Return a row that is sound in itself; UsageError saying what is not."""
    known = [*TRANSFORMS, *BLOCKS]
    if row.transform is not None and row.transform not in known:
        raise UsageError(
            f"Parameters: {name} has the transform {row.transform!r}.{near(str(row.transform), known)}",
            remedy=f"use one of {', '.join(known)}, or none.",
        )
    if row.transform in BLOCKS:
        _check_block(name, row)
    if row.tied is not None and not isinstance(row.tied, str):
        raise UsageError(f"Parameters: {name} is tied to {row.tied!r}.", remedy='tie it by text, as in tied="2 * a".')
    if row.tied is not None and (np.any(row.fixed) or row.transform):
        also = "a transform" if row.transform else "fixed"
        raise UsageError(f"Parameters: {name} is tied, and {also}, too.", remedy="choose one.")
    structure = Structure.of({name: row.value})
    for side, missing in ((row.lower, -np.inf), (row.upper, np.inf)):
        limit = _limit(side, missing)
        if np.shape(limit) not in ((), np.shape(row.value)) or np.isnan(limit).any():
            raise UsageError(
                f"Parameters: a limit of {name} is {side!r}.", remedy="give one number, or one for each entry."
            )
    if np.asarray(row.fixed).dtype != bool or np.size(row.fixed) not in (1, structure.size):
        raise UsageError(f"Parameters: {name} has fixed={row.fixed!r}.", remedy="give True or False.")
    return row


def _check_block(name: str, row: Parameter) -> None:
    """Refuse a value that its transform cannot have, and limits beside it."""
    kind = BLOCKS[str(row.transform)]
    if not kind.holds(np.asarray(row.value, dtype=np.float64)):
        raise UsageError(
            f"Parameters: {name} has the transform {row.transform}, and its value is not {kind.needs}.",
            remedy="start with one.",
        )
    if row.lower is not None or row.upper is not None:
        raise UsageError(
            f"Parameters: {name} has limits beside the transform {row.transform}.", remedy="leave one of them out."
        )


def _limit(limit: Any, missing: float) -> np.ndarray:
    """Return a limit as numbers, `missing` where there is none."""
    try:
        return np.asarray(missing if limit is None else limit, dtype=np.float64)
    except (TypeError, ValueError):
        return np.asarray(np.nan)
