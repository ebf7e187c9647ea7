"""Models that are asked for by their names in `models.MODELS`: fit("logistic", formula=..., data=...)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autoopt.designs.data import Bound
from autoopt.errors import DataError, ModelError, UsageError
from autoopt.fitting import responses
from autoopt.fitting.modelfile import Model
from autoopt.wording import listed, near, times

if TYPE_CHECKING:
    from autoopt.models.table import Model as Row

_OF_OFFSETS = ("offset", "exposure")


@dataclass(frozen=True)
class Named(Model):
    """A model of MODELS, whose objective is stated when its data are known.

    Parameters
    ----------
    row : models.table.Model
    settings : dict of str to object
        What is set of those that its form has; columns by their names.
    squares : callable or None
        (params) -> what `alpha` penalises half of.
    """

    row: Row | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    squares: Callable | None = None

    @property
    def columns(self) -> dict[str, str]:
        """The columns that settings name, by the settings."""
        assert self.row is not None and self.row.form is not None
        kinds = self.row.form.settings
        return {name: str(value) for name, value in self.settings.items() if kinds[name] == "column"}

    @property
    def data_names(self) -> list[str]:
        return ["X", *dict.fromkeys(self.columns.values()), "y"]

    @property
    def required(self) -> list[str]:
        return self.data_names

    @property
    def alpha(self) -> float:
        """What the squares of the coefficients are penalised by."""
        return float(self.settings.get("alpha", 0.0))

    def opened(self, bound: Bound) -> Named:
        """Return the model as it is stated for its data, with names, a start and limits of its parameters.

        Raises
        ------
        UsageError
            If there is no matrix of named columns.
        DataError
            If the response is none of this model's.
        """
        from autoopt.models.forms import Asked

        assert self.row is not None and self.row.form is not None
        arguments, form = bound.arguments, self.row.form
        if not (columns := bound.columns or _numbered(arguments.get("X"))):
            raise UsageError(
                f"The model {self.source} needs to be told what explains what.",
                remedy='give formula="y ~ age + C(region)", or target="y" (--formula, --target); or arrays, (X, y).',
            )
        data = {name: arguments[column] for name, column in self.columns.items()}
        _require_positive(data.get("exposure"), self.columns.get("exposure"))
        categories = responses.categories(bound.encoding)
        levels = None if categories is None else categories.levels
        asked = Asked(tuple(columns), np.asarray(arguments["y"]), levels, self.settings, data)
        if not (holds := form.holds(asked)).all():
            others = asked.y[~holds]
            source = "the data" if bound.data is None else bound.data.source
            raise DataError(
                f"The response of the model {self.source} is {form.said}; {source} has others in "
                f"{times(len(others), 'row')}, such as {others[0]}.",
                remedy="choose another model or response, or take its values as categories: categories= (--category).",
            )
        stated = form.stated(asked)
        objective = _of_columns(stated.objective, self.data_names, self.columns)
        names = ["X", *dict.fromkeys(self.columns[setting] for setting in _OF_OFFSETS if setting in self.columns)]
        predict = _of_columns(stated.predict, names, self.columns)
        found = replace(self, objective=objective, predict=predict, predict_scale=stated.scale)
        found = replace(found, kind=self.kind or stated.kind, bounds=self.bounds or stated.bounds)
        x0 = stated.start if self.x0 is None else self.x0
        return replace(found, names=self.names or list(stated.names), x0=x0, squares=stated.squares)


def _of_columns(function: Callable, names: Sequence[str], columns: Mapping[str, str]) -> Callable:
    """Return a function (params, X, offset, *y) as one of the data of these names, those of settings among them."""
    places = [(setting, names.index(columns[setting])) for setting in _OF_OFFSETS if setting in columns]

    def of_columns(params: Any, *data: Any) -> Any:
        offset = None
        for setting, place in places:
            part = np.log(data[place]) if setting == "exposure" else data[place]
            offset = part if offset is None else offset + part
        return function(params, data[0], offset, *data[len(names) - 1 :] if names[-1] == "y" else ())

    positional = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("params", *names)]
    vars(of_columns)["__signature__"] = inspect.Signature(positional)
    return of_columns


def _numbered(X: Any) -> list[str]:
    """Return names of the columns of a matrix that has none; none of what is no matrix."""
    return [f"x[{place}]" for place in range(X.shape[1])] if isinstance(X, np.ndarray) and X.ndim == 2 else []


def _require_positive(exposure: Any, column: str | None) -> None:
    if exposure is not None and not (np.asarray(exposure) > 0).all():
        raise DataError(
            f"The exposure {column} is zero or negative in some rows.", remedy="give times or numbers at risk."
        )


def known(model: object, settings: Mapping[str, Any] | None = None) -> Named | None:
    """Return the model of a name in MODELS; None for a path and all else.

    Raises
    ------
    ModelError
        If a name is none of a model nor of a file, and near to one, or of a model that is no likelihood.
    UsageError
        If it has no such settings.
    """
    if not isinstance(model, str) or Path(model).suffix or Path(model).exists():
        return None
    from autoopt.models import MODELS

    by_name = {name: row for name, row in MODELS.items() if row.form is not None}
    if (row := MODELS.get(model)) is None:
        if hint := near(model, MODELS):
            raise ModelError(f"There is no model {model}.{hint}", remedy=f"choose one of {listed(list(by_name))}.")
        return None
    if row.form is None:
        raise ModelError(
            f"The model {model} is no likelihood, and cannot be fitted by its name.",
            remedy=f"use autoopt.models.{row.estimator.__name__}; by their names there are {listed(list(by_name))}.",
        )
    return Named(model, _unstated, None, row=row, settings=_set(row, settings or {}))


def _unstated(params: Any, *data: Any) -> Any:
    raise AssertionError("the model is stated when its data are known")


def _set(row: Row, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is set of a model, as it is meant."""
    assert row.form is not None
    kinds, found = row.form.settings, {}
    for name, value in given.items():
        if name not in kinds:
            raise UsageError(
                f"The model {row.name} has no setting {name}.{near(name, kinds)}",
                remedy=f"set one of {listed(list(kinds))}: settings={{...}}, --set NAME=VALUE.",
            )
        found[name] = _READERS.get(kinds[name], _word)(name, value, kinds[name])
    return found


def _number(name: str, value: Any, kind: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not (np.isfinite(number) and number >= 0):
        raise UsageError(f"The setting {name} is {value!r}.", remedy="give a number, zero or positive.")
    return number


def _column(name: str, value: Any, kind: str) -> str:
    if not (isinstance(value, str) and value.isidentifier() and value not in ("X", "y", "params")):
        raise UsageError(
            f"The setting {name} is {value!r}, where the name of a column is needed.",
            remedy="name one of the data, whose name is a word and neither X nor y.",
        )
    return value


def _word(name: str, value: Any, kind: str) -> str:
    if value not in kind.split():
        raise UsageError(
            f"The setting {name} is {value!r}.{near(str(value), kind.split())}",
            remedy=f"choose {' or '.join(kind.split())}.",
        )
    return value


_READERS = {"number": _number, "column": _column}
"""How what is set is read, by what it is (`models.forms.Form.settings`)."""
