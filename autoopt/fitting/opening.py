"""A model file opened: its objective with the data, the start and the names of the parameters, all checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoopt.errors import ModelError, ObjectiveError, UsageError
from autoopt.fitting import modelfile
from autoopt.fitting.data import dataset, matrix_columns
from autoopt.fitting.modelfile import Model
from autoopt.stages import stage
from autoopt.users_code import users_code
from autoopt.variables.start import Start


@dataclass(frozen=True)
class Opened:
    """A model with its data.

    Attributes
    ----------
    model : Model
    data : object
        What was given in place of the model's own, read.
    arguments : dict of str to object
        The data by the objective's argument names.
    names : tuple of str
        Those of the parameters.
    start : Start
    limits : solvers.Limits or None
    """

    model: Model
    data: Any
    arguments: dict[str, Any]
    names: tuple[str, ...]
    start: Start
    limits: Any

    @property
    def args(self) -> tuple:
        """The data as the objective takes them."""
        return tuple(self.arguments.values())

    def told(self, work: Callable, *given: Any, **options: Any) -> Any:
        """Return `work(objective, x0, args, *given, **options)`; what the user's code raises is told as theirs."""
        with users_code(f"The objective of {self.model.source}", ObjectiveError):
            return work(self.model.objective, self.start.given["x0"], self.args, *given, **options)

    @classmethod
    def of(
        cls,
        model: object,
        data: object = None,
        target: str | None = None,
        settings: Mapping[str, Any] | None = None,
        fixed: Any = None,
    ) -> Opened:
        """Return the model of a file, with its own data or those that are given; arguments as for `fit`."""
        with stage("reading the model and its data"):
            loaded = modelfile.load(model, settings)
            data = dataset(data) if isinstance(data, str | Path) else data
            arguments = loaded.arguments(data, target)
        names, start, limits = _checked(loaded, arguments, fixed, _columns_of(loaded, data, target))
        return cls(loaded, data, arguments, names, start, limits)


def _columns_of(loaded: Model, data: object, target: str | None) -> list[str]:
    """Return the columns of the matrix that a target leaves, none without a target."""
    if target is None or data is None or not loaded.data_names:
        return []
    return matrix_columns(dataset(data), loaded.data_names, target)


def _checked(
    loaded: Model, arguments: Mapping[str, Any], fixed: Any, columns: list[str]
) -> tuple[tuple[str, ...], Start, Any]:
    """Return the names of the parameters, the start and the limits; what does not fit x0 is the model's fault."""
    from autoopt.solvers import Limits

    x0, bounds, names, own = (loaded.value(name, arguments) for name in ("x0", "bounds", "names", "fixed"))
    try:
        start = Start.of(x0, bounds)
        Limits.of(start.bounds, start.structure, start.x0)
        names = _names(loaded, names, start.structure, columns)
        start = Start.of(x0, bounds, _by_number(own, names))
    except UsageError as error:
        raise ModelError(f"{loaded.source}: {error.happened}", error.where, error.remedy) from error
    if fixed is not None:
        start = Start.of(x0, bounds, _by_number(fixed, names))
    return names, start, Limits.of(start.bounds, start.structure, start.x0)


def _by_number(fixed: Any, names: tuple[str, ...]) -> Any:
    """Return what is to be fixed with the names that parameters have in the model as numbers."""
    numbers = {name: i for i, name in enumerate(names)}
    if isinstance(fixed, str):
        return [numbers.get(fixed, fixed)]
    if isinstance(fixed, Mapping):
        return {numbers.get(key, key): what for key, what in fixed.items()}
    if isinstance(fixed, list | tuple | set) and any(isinstance(one, str) for one in fixed):
        return [numbers.get(one, one) for one in fixed]
    return fixed


def _names(loaded: Model, names: Any, structure: Any, columns: list[str]) -> tuple[str, ...]:
    """Return the names of the parameters: the model's, or those of the structure and of the columns."""
    if names is None:
        return tuple(_by_columns(structure, columns))
    if isinstance(names, str) or len(names) != structure.size:
        count = "text" if isinstance(names, str) else f"{len(names)} names"
        raise ModelError(
            f"names in {loaded.source} is {count}, and x0 has {structure.size} entries.",
            remedy="give one name for each entry of x0, or leave names out.",
        )
    return tuple(map(str, names))


def _by_columns(structure: Any, columns: list[str]) -> list[str]:
    """Return the names of the parameters, an array with one entry for each column having their names.

    x[0], x[1] become age, height; the entries of a part beta of x0 beta[age], beta[height]. If several parts have that
    length, nobody knows which is meant.
    """
    paths, names = structure.paths, structure.names
    parts = [path for path in paths if columns and names.count(path) == 0 and _entries(names, path) == len(columns)]
    if len(parts) != 1:
        return names
    part = parts[0]
    first = names.index(f"{part or 'x'}[0]")
    named = columns if part == "" else [f"{part}[{column}]" for column in columns]
    return [*names[:first], *named, *names[first + len(columns) :]]


def _entries(names: list[str], path: str) -> int:
    """Return how many entries the one-dimensional part `path` has, 0 if it is of another shape."""
    count = 0
    while f"{path or 'x'}[{count}]" in names:
        count += 1
    return count
