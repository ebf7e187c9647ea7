"""A model file opened: its objective with the data, the start and the names of the parameters, all checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from autoopt.designs.data import Bound, Selection
from autoopt.errors import ModelError, ObjectiveError, UsageError
from autoopt.fitting import binding, modelfile, named, observations, responses
from autoopt.fitting.batched import whereabouts
from autoopt.fitting.diagnoses import in_names
from autoopt.fitting.kinds import Minimised, kind_of
from autoopt.fitting.modelfile import Model, positional
from autoopt.fitting.penalties import penalised, ridged
from autoopt.stages import say, stage
from autoopt.tables.labels import refuse_masked
from autoopt.tables.values import shape_of
from autoopt.users_code import users_code
from autoopt.variables.start import Start
from autoopt.wording import listed, near


@dataclass(frozen=True)
class Opened:
    """A model with its data.

    Attributes
    ----------
    model : Model
    bound : Bound
        The data as the objective takes them, with how they became that.
    names : tuple of str
        Those of the parameters.
    start : Start
    limits : solvers.Limits or None
    """

    model: Model
    bound: Bound
    names: tuple[str, ...]
    start: Start
    limits: Any

    @property
    def arguments(self) -> dict[str, Any]:
        """The data by the objective's argument names."""
        return self.bound.arguments

    @property
    def args(self) -> tuple:
        """The data as the objective takes them; those that are read in batches as one."""
        return tuple(self.arguments.values()) if self.bound.batches is None else (self.bound.batches,)

    def minimised(self, weights: Any = None, penalty: str | None = None, derivatives: Any = None) -> Minimised:
        """Return what is minimised, as kind and penalty say; the objective is called once, at the start."""
        kind, objective = kind_of(self.model.kind), self.model.objective
        if not kind.is_array or self.model.derivatives.get("jac") is True:
            if weights is not None:
                raise UsageError(
                    f"There are weights, and the objective of {self.model.source} returns a number, in which no row "
                    "can be weighted.",
                    remedy="have it return its terms, one for each row, and say what they are: kind=...",
                )
            found = Minimised(kind, objective)
        else:
            args = tuple(self.arguments.values())
            outcome = objective(self.start.x0, *args)
            single = observations.as_number(objective, outcome, kind, self.start.x0, args)
            outcome = outcome if single is objective else float(np.sum(outcome))
            found = Minimised.of(kind, single, outcome, self._weights(weights))
            if self.bound.batches is not None:
                found = self._of_all_rows(found, weights, penalty)
            if found.weights is not None and found.is_of_sums:
                self._require_weighable(found.weights, derivatives)
        if isinstance(self.model, named.Named) and self.model.alpha:
            found = ridged(found, self.model.alpha, self.model.squares)
        return penalised(found, penalty, self.start, self.args, (derivatives, *self.model.derivatives.values()))

    def _of_all_rows(self, found: Minimised, weights: Any, penalty: str | None) -> Minimised:
        """Return what is minimised of rows that are read in batches: their sum alone, as no array of all is made."""
        if given := [name for name, value in (("weights", weights), ("penalty", penalty)) if value is not None]:
            where, instead = whereabouts(self.bound.batches)
            raise UsageError(
                f"{where}, and {listed(given)} needs them in memory.",
                remedy=f"leave it out, write it into the objective{instead and f', or {instead}'}.",
            )
        return replace(found, terms=None, residuals=None, rows=None, batched=found.residuals)

    def _require_weighable(self, weights: np.ndarray, derivatives: Any) -> None:
        """Refuse weights of another length than the rows of a sum, and beside derivatives of the sum without them."""
        if any(one is not None for one in (derivatives, *self.model.derivatives.values())):
            raise UsageError(
                f"There are weights, and derivatives of the objective of {self.model.source}, which have none.",
                remedy="leave the derivatives out: they are derived; or have the objective return its terms.",
            )
        shapes = [shape for value in self.args if (shape := getattr(value, "shape", None) or np.shape(value))]
        if shapes and not any(weights.size in shape for shape in shapes):
            raise UsageError(
                f"There are {weights.size} weights, and data of shapes {', '.join(map(str, shapes))}.",
                remedy="give one weight for each row.",
            )

    def column(self, name: str, use: str) -> Any:
        """Return a column of the rows that are used, as numbers; `use` is what it is for."""
        if self.bound.data is None:
            raise UsageError(
                f"{use} is {name!r}, and the data have no names.", remedy=f"give {use} as an array, or name the data."
            )
        return self.bound.data.take([name])[name]

    def _weights(self, weights: Any) -> np.ndarray | None:
        if isinstance(weights, str):
            weights = self.column(weights, "weights")
        refuse_masked(weights, "weights")
        weights = None if weights is None else np.asarray(self.bound.aligned(weights), float)
        if weights is not None and not (np.isfinite(weights).all() and (weights >= 0).all()):
            raise UsageError("weights has negative entries, or some that are not finite.", remedy="correct them.")
        if weights is not None and not weights.any():
            raise UsageError("All weights are 0, so that no row counts.", remedy="correct them.")
        return weights

    def rows(self, minimised: Minimised) -> int | None:
        """Return the number of rows: the objective's, or the length that all data with an axis share.

        None if there is no vector and no frame among them: which axes of an array are rows cannot be seen.
        """
        if minimised.rows is not None:
            return minimised.rows
        if self.bound.batches is not None:
            return int(self.bound.batches.rows)
        shapes = {id(value): shape for value in self.args if (shape := shape_of(value))}
        lengths = {shape[0] for shape in shapes.values()}
        has_rows = any(len(shapes.get(id(value), ())) == 1 or hasattr(value, "columns") for value in self.args)
        return lengths.pop() if len(lengths) == 1 and has_rows else None

    def told(self, work: Callable, *given: Any, **options: Any) -> Any:
        """Return `work(what is minimised, x0, args, *given, **options)`; what users' code raises is told as theirs."""
        with users_code(f"The objective of {self.model.source}", ObjectiveError):
            return work(self.minimised().function, self.start.given["x0"], self.args, *given, **options)

    @classmethod
    def of(
        cls,
        model: object,
        data: object = None,
        target: str | None = None,
        settings: Mapping[str, Any] | None = None,
        fixed: Any = None,
        given: Mapping[str, Any] | None = None,
        selection: Selection | None = None,
        reading: Mapping[str, str] | None = None,
    ) -> Opened:
        """Return a model with its own data or those that are given; arguments as for `fit`.

        `given` has what stands in place of the model's own: x0, kind, names, bounds; None where nothing does.
        `selection` says more of the data than a target alone, in whose place it stands.
        """
        given = dict(given or {})
        selection = Selection(target) if selection is None else selection
        needs_start = selection.target is None and selection.formula is None and given.get("x0") is None
        with stage("reading the model and its data"):
            loaded = named.known(model, settings) or modelfile.load(model, settings, needs_start)
            loaded = _with(loaded, given)
            bound = replace(binding.arguments(loaded, data, selection, reading), encode=loaded.encode)
        if bound.data is not None and bound.data.table:
            say(bound.described)
        if isinstance(loaded, named.Named):
            assert loaded.row is not None
            response, source = loaded.row.response, bound.data.source if bound.data else "the data"
            responses.refuse_names(loaded.source, response, bound.encoding, source)
            loaded = loaded.opened(bound)
            bound = replace(bound, notes=(*bound.notes, *responses.remarks(response, bound.arguments["y"])))
        if loaded.x0 is None:
            loaded = _started(loaded, bound.columns)
        columns = [bound.columns] if bound.columns else _columns_of_frames(bound.arguments)
        names, start, limits = _checked(loaded, bound.arguments, fixed, columns)
        return cls(loaded, bound, names, start, limits)


def _with(loaded: Model, given: Mapping[str, Any]) -> Model:
    """Return the model with what is given in place of its own."""
    kind_of(given.get("kind"))
    if isinstance(given.get("x0"), str | Path):
        raise UsageError(f"x0 is the text {given['x0']!r}.", remedy="pass the data third, or by name: data=...")
    return replace(loaded, **{name: value for name, value in given.items() if value is not None})


def _started(loaded: Model, columns: list[str]) -> Model:
    """Return a model without a start with zeros for the columns of its matrix."""
    if not columns:
        raise UsageError(
            f"There is no start for the parameters of {loaded.source}.",
            remedy="pass x0, a value or a function of the data: fit(objective, x0, data).",
        )
    return replace(loaded, x0=np.zeros(len(columns)))


def _checked(
    loaded: Model, arguments: Mapping[str, Any], fixed: Any, columns: list[list[str]]
) -> tuple[tuple[str, ...], Start, Any]:
    """Return the names of the parameters, the start and the limits; what does not fit x0 is the model's fault."""
    from autoopt.solvers import Limits

    x0, bounds, names, own = (loaded.value(name, arguments) for name in ("x0", "bounds", "names", "fixed"))
    try:
        start = Start.of(x0, bounds)
        Limits.of(start.bounds, start.structure, start.x0)
        names = _names(loaded, names, start.structure, columns)
        _refuse_twice(names, start.structure.names)
        start = Start.of(x0, bounds, _by_number(own, names, start.structure.names))
    except UsageError as error:
        raise ModelError(f"{loaded.source}: {error.happened}", error.where, error.remedy) from error
    if fixed is not None:
        start = Start.of(x0, bounds, _by_number(fixed, names, start.structure.names))
    return names, start, Limits.of(start.bounds, start.structure, start.x0)


def _by_number(fixed: Any, names: tuple[str, ...], plain: Sequence[str]) -> Any:
    """Return what is to be fixed with the names that parameters have in the model as numbers, in ties as plain ones."""
    numbers = {name: i for i, name in enumerate(names)}
    _refuse_unknown([fixed] if isinstance(fixed, str) else fixed, names, plain)
    if isinstance(fixed, str):
        return [numbers.get(fixed, fixed)]
    if isinstance(fixed, Mapping):
        ties = {key: in_names(what, names, plain) if isinstance(what, str) else what for key, what in fixed.items()}
        return {numbers.get(key, key): what for key, what in ties.items()}
    if isinstance(fixed, list | tuple | set) and any(isinstance(one, str) for one in fixed):
        return [numbers.get(one, one) for one in fixed]
    return fixed


def _refuse_unknown(fixed: Any, names: tuple[str, ...], plain: Sequence[str]) -> None:
    """Refuse what is neither a parameter of the model's names nor one, or a part, of the structure's."""
    if not isinstance(fixed, Mapping | list | tuple | set) or list(names) == list(plain):  # or what is said there
        return
    for key in fixed:
        if isinstance(key, str) and not any(
            one == key or one.startswith((f"{key}.", f"{key}[")) for one in (*names, *plain)
        ):
            raise UsageError(
                f"fixed: there is no parameter {key!r}.{near(key, names)}", remedy=f"use one of {listed(names)}."
            )


def _columns_of_frames(arguments: Mapping[str, Any]) -> list[list[str]]:
    """Return the columns of the arguments that are frames; none of a frame alone, which has the response in it."""
    frames = [value for value in arguments.values() if hasattr(value, "columns")]
    columns = [list(frame.columns) for frame in frames if len(arguments) > 1]
    return [names for names in columns if names and all(isinstance(name, str) for name in names)]


def _names(loaded: Model, names: Any, structure: Any, columns: list[list[str]]) -> tuple[str, ...]:
    """Return the names of the parameters: the model's, or those of the structure and of the columns of one matrix."""
    if names is None:
        named = [found for one in columns if (found := _by_columns(structure, one)) != structure.names]
        return tuple(named[0] if len(named) == 1 else _by_argument(structure, loaded.objective))
    if isinstance(names, str) or len(names) != structure.size:
        count = "text" if isinstance(names, str) else f"{len(names)} names"
        raise ModelError(
            f"names in {loaded.source} is {count}, and x0 has {structure.size} entries.",
            remedy="give one name for each entry of x0, or leave names out.",
        )
    return tuple(map(str, names))


def _by_argument(structure: Any, objective: Callable) -> list[str]:
    """Return the names of the parameters, those of one array by what the objective calls it: w[0] for x[0]."""
    parameters = positional(objective)
    if structure.paths != [""] or not parameters or parameters[0].kind is parameters[0].VAR_POSITIONAL:
        return structure.names
    return [parameters[0].name + name.removeprefix("x") for name in structure.names]


def _refuse_twice(names: Sequence[str], plain: Sequence[str]) -> None:
    """Raise UsageError for two parameters of one name, of which it would not be known which is meant."""
    first: dict[str, int] = {}
    for place, name in enumerate(names):
        if name in first:
            where = [f"number {k}" + (f" ({plain[k]})" if plain[k] != name else "") for k in (first[name], place)]
            raise UsageError(
                f"Two parameters are called {name!r}: {where[0]} and {where[1]}, counted from 0.",
                remedy="give each a name of its own: names=, or other names of columns.",
            )
        first[name] = place


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
