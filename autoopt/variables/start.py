"""What `minimize` is asked for, read: a start of plain values, its limits, and the variables that are left to move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.parameters import Structure
from autoopt.variables.blocks import BLOCKS, MATRICES, Block
from autoopt.variables.fixed import read_fixed
from autoopt.variables.naming import Names
from autoopt.variables.table import Parameter, Parameters, read_table
from autoopt.variables.transforms import TRANSFORMS, Transform
from autoopt.variables.variables import Variables


@dataclass(frozen=True)
class Start:
    """A start as the objective sees it, what is held at its value.

    Attributes
    ----------
    x0 : value of `structure`
    structure : Structure
    bounds : object
        In any of the forms that `minimize` takes.
    variables : Variables or None
        None where they are the parameters.
    table : Parameters or None
        What was given in place of x0.
    given : dict
        x0, bounds and fixed as they were given.
    """

    x0: Any
    structure: Structure
    bounds: Any = None
    variables: Variables | None = None
    table: Parameters | None = None
    given: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, x0: Any, bounds: Any = None, fixed: Any = None) -> Start:
        """Return the start; UsageError for what does not fit x0."""
        table, given = read_table(x0), {"x0": x0, "bounds": bounds, "fixed": fixed}
        if table is None:
            structure = Structure.of(x0)
            if fixed is None:
                return cls(x0, structure, bounds, given=given)
            variables, flat = read_fixed([fixed], structure, structure.flatten(x0))
        else:
            if bounds is not None:
                raise UsageError(
                    "There are bounds beside a table of parameters.", remedy="put them into the table: lower, upper."
                )
            structure, bounds = Structure.of(table.plain()), table.bounds()
            held = [one for one in (table.fixed(), fixed) if one is not None]
            variables, flat = read_fixed(held, structure, structure.flatten(table.plain()))
            variables = _transformed(variables, structure, table.transforms(), flat)
        own = None if variables.is_trivial else variables
        return cls(structure.unflatten(flat), structure, bounds, own, table, given)

    @cached_property
    def flat(self) -> np.ndarray:
        """The start as a vector of its own, shape (n,)."""
        return self.structure.flatten(self.x0).copy()

    @property
    def size(self) -> int:
        """How many variables there are."""
        return self.structure.size if self.variables is None else self.variables.size

    def at(self, x: np.ndarray) -> Start:
        """Return the start with other values, shape (n,)."""
        value = self.structure.unflatten(x)
        x0 = value if self.table is None else self.table.at(value)
        return Start.of(x0, self.given["bounds"], self.given["fixed"])

    def released(self, x: np.ndarray) -> Start:
        """Return the start at other values, shape (n,), at which nothing is held or tied but what transforms tie."""
        value = self.structure.unflatten(x)
        if self.table is None:
            return Start.of(value, self.given["bounds"])
        rows = {name: replace(row, fixed=False, tied=None, stderr=None) for name, row in self.table.at(value).items()}
        return Start.of(Parameters(rows))

    def fields(self, x: np.ndarray) -> dict[str, Any]:
        """Return what a result has of the parameters `x`, shape (n,): in their structure, flat, and in their table."""
        value = self.structure.unflatten(x)
        shown = {} if self.table is None else {"params": self.table.at(value)}
        return {"x": value, "x_flat": x, **shown}

    def scales(self) -> list[tuple[str, Transform]]:
        """Return the elementwise transforms that fit the ranges of parameters that are not held, with their names."""
        rows = {} if self.table is None else self.table.transforms()
        names, found = Names(self.structure, "params"), []
        for name, row in rows.items():
            value, places = np.asarray(row.value, float), names.places(name)
            if row.transform in BLOCKS:
                entries = BLOCKS[row.transform].entries
                if entries is None:
                    continue
                kind, low, high, which = entries
                inside = which(value).reshape(-1)
            else:
                kind, inside = str(row.transform), np.ones(value.size, bool)
                low, high = (
                    default if side is None else side
                    for side, default in zip((row.lower, row.upper), TRANSFORMS[kind].range, strict=True)
                )
            inside &= True if self.variables is None else np.isin(places, self.variables.moving)
            lower, upper = (
                np.broadcast_to(side, value.shape).reshape(-1)[inside].astype(float) for side in (low, high)
            )
            if inside.any():
                found.append((kind, Transform(TRANSFORMS[kind], places[inside], lower, upper)))
        return found


def _transformed(
    variables: Variables, structure: Structure, rows: Mapping[str, Parameter], flat: np.ndarray
) -> Variables:
    """Return the variables with the transforms of the rows of a table, but for what is held."""
    if not rows:
        return variables
    names, transforms = Names(structure, "params"), []
    variables = _blocked(variables, names, {name: row for name, row in rows.items() if row.transform in BLOCKS})
    for name, row in rows.items():
        if row.transform in BLOCKS:
            continue
        kind, places = TRANSFORMS[row.transform or ""], names.places(name)
        lower, upper = (
            np.broadcast_to(default if side is None else side, np.shape(row.value)).reshape(-1).astype(np.float64)
            for side, default in zip((row.lower, row.upper), kind.range, strict=True)
        )
        moving = variables.source[places] >= 0
        if ((variables.home[variables.source[places]] != places) & moving).any():
            raise UsageError(f"fixed: {name} is tied and has a transform, too.", remedy="choose one.")
        for i, low, high in zip(places[moving], lower[moving], upper[moving], strict=True):
            _require_inside(str(row.transform), kind, structure.names[i], flat[i], low, high)
        where = variables.source[places[moving]]
        if where.size:
            transforms.append(Transform(kind, where, lower[moving], upper[moving]))
    return replace(variables, transforms=tuple(transforms))


def _blocked(variables: Variables, names: Names, rows: Mapping[str, Parameter]) -> Variables:
    """Return the variables with those of blocks, but for blocks that are held whole."""
    blocks = []
    for name, row in rows.items():
        kind = BLOCKS[str(row.transform)]
        value = np.asarray(row.value, float)
        moved = kind.moved(value)
        places = names.places(name)
        inside = places[moved.reshape(-1)] if row.transform != "simplex" else places
        source = variables.source[inside]
        free = (source >= 0) & (variables.home[source] == inside)
        followers = (
            np.isin(variables.source, source[free]).sum() - np.isin(variables.source[places], source[free]).sum()
        )
        if not free.any() and (source < 0).all():
            continue
        if not free.all() or not _mirrored(variables, row, places) or (followers and row.transform == "simplex"):
            raise UsageError(
                f"fixed: some entries of {name} are held or tied, which is {kind.needs}.",
                remedy="hold it whole, or leave the transform out.",
            )
        if row.transform == "simplex":
            variables = variables.sharing(places)
        blocks.append((kind, places[moved.reshape(-1)]))
    return replace(variables, blocks=tuple(Block(kind, variables.source[inside]) for kind, inside in blocks))


def _mirrored(variables: Variables, row: Parameter, places: np.ndarray) -> bool:
    """Whether the entries of a matrix above its diagonal still follow those below, and a diagonal of ones is held."""
    if row.transform not in MATRICES:
        return True
    places = places.reshape(np.shape(row.value))
    source, above = variables.source[places], np.triu_indices(len(places), 1)
    follow = source[above] == source.T[above]
    as_is = (variables.factor[places][above] == 1) & (variables.offset[places][above] == 0)
    ones = row.transform == "covariance" or (np.diag(source) < 0).all()
    return bool(follow.all() and as_is.all() and ones)


def _require_inside(transform: str, kind: Any, name: str, value: float, low: float, high: float) -> None:
    """Raise UsageError if a parameter starts where its transform has no finite value."""
    for is_open, limit in zip(kind.closed, (low, high), strict=True):
        if is_open and not np.isfinite(limit):
            raise UsageError(
                f"params: {name} has the transform {transform}, and no finite limit on one side.",
                remedy="give it one, or leave the transform out.",
            )
    if (kind.closed[0] and not value > low) or (kind.closed[1] and not value < high):
        raise UsageError(
            f"params: {name} starts at {value:g}, which is not inside its limits {low:g} and {high:g}: "
            f"{transform} is not finite there.",
            remedy="start inside, or leave the transform out: limits alone may be reached.",
        )
