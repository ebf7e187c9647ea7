"""Model files -> Model: the objective, where to start, the data, the options.

Runs the user's file once. Knows neither tapes nor solvers.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import linecache
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from autoopt.errors import Location, ModelError, UsageError
from autoopt.fitting.kinds import KINDS
from autoopt.fitting.scales import scale_of
from autoopt.fitting.settings import Settings
from autoopt.users_code import syntax_error, users_code
from autoopt.wording import near, nearest

_DERIVATIVES = ("jac", "hess", "hessp")
_OF_DATA = (".csv", ".tsv", ".json", ".jsonl", ".npz", ".npy", ".parquet", ".feather", ".gz", ".xlsx")
_OPTIONAL = (
    "data",
    "bounds",
    "constraints",
    "kind",
    "method",
    "names",
    "fixed",
    "predict",
    "predict_scale",
    "encode",
    *_DERIVATIVES,
)


@dataclass(frozen=True)
class Model:
    """What a model file defines.

    Parameters
    ----------
    source : str
        The file, for messages.
    objective : callable
        `objective(params, *data)`, to be minimised.
    x0, data, bounds, constraints, names, fixed
        A value, or a function: `data` of nothing, the others of the data.
    kind : str, optional
        A name in `kinds.KINDS`.
    encode : callable, optional
        `encode(table)`: the data that `predict` takes, by its arguments' names, of a pandas frame; not the response.
    predict : callable, optional
        `predict(params, *data)`: what a fit predicts, with the data of its arguments' names.
    predict_scale : str or pair of functions, optional
        On which bands of `predict` are symmetric, as `scales.scale_of` takes it.
    method : str, optional
        Used unless the caller names another.
    derivatives : dict
        Those of jac, hess and hessp that the file defines in place of derived ones, as for `autoopt.minimize`.
    unused : tuple of str
        Sentences on names in the file that look like a misspelt option.
    """

    source: str
    objective: Callable
    x0: Any
    data: Any = None
    bounds: Any = None
    constraints: Any = ()
    kind: str | None = None
    method: str | None = None
    names: Any = None
    fixed: Any = None
    encode: Callable | None = None
    predict: Callable | None = None
    predict_scale: Any = None
    derivatives: Mapping[str, Any] = field(default_factory=dict)
    unused: tuple[str, ...] = ()

    @property
    def data_names(self) -> list[str] | None:
        """The objective's arguments after the parameters, None if it takes `*data`."""
        parameters = positional(self.objective)[1:]
        return None if any(p.kind is p.VAR_POSITIONAL for p in parameters) else [p.name for p in parameters]

    @property
    def required(self) -> list[str]:
        """Those of `data_names` that have no default."""
        parameters = positional(self.objective)[1:]
        return [p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]

    def own_data(self) -> Any:
        """Return the data that the model brings; None if there are none."""
        with users_code(f"The function data of {self.source}"):
            return self.data() if callable(self.data) else self.data

    def value(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Return x0, bounds, constraints, names or fixed; a function is called with the data it names, or all."""
        value = getattr(self, name)
        if not callable(value):
            return value
        parameters = positional(value)
        wanted = [p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
        by_name = set(wanted) <= set(arguments) and all(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)
        if not by_name:
            self._check_count(name, parameters, arguments)
        with users_code(f"The function {name} of {self.source}"):
            return value(**{key: arguments[key] for key in wanted}) if by_name else value(*arguments.values())

    def _check_count(self, name: str, parameters: list[inspect.Parameter], arguments: Mapping[str, Any]) -> None:
        """Refuse a function of something else than the data, such as a constraint in place of the constraints."""
        required = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
        spread = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        if len(required) <= len(arguments) and (spread or len(arguments) <= len(parameters)):
            return
        code = getattr(getattr(self, name), "__code__", None)
        remedy = f"write {name} as a value, or as a function of the data"
        if name == "constraints":
            remedy += '; a function of the parameters goes into a constraint: {"type": "ineq", "fun": ...}'
        raise ModelError(
            f"The function {name} of {self.source} takes {', '.join(p.name for p in parameters) or 'nothing'}, but is "
            f"given the data, {', '.join(arguments) or 'of which there are none'}.",
            Location(code.co_filename, code.co_firstlineno) if code else None,
            remedy + ".",
        )


def load(model: object, settings: Mapping[str, Any] | None = None, needs_start: bool = True) -> Model:
    """Return the Model of a file, of a function, or of anything with the attributes of one.

    Parameters
    ----------
    model : path, callable, module, class, or object with attributes
        A file is run once, a class called without arguments; a function is an objective without a start.
    settings : mapping of str to number, str or bool, optional
        Values for module-level constants of the file, put in their place while it runs; text is converted to the
        type of what it replaces.
    needs_start : bool
        Whether x0 must be among what is defined.
    """
    wanted = ("objective", "x0") if needs_start else ("objective",)
    if isinstance(model, Model):
        return model
    if isinstance(model, type):
        with users_code(f"The class {model.__name__}"):
            model = model()
    if isinstance(model, str | Path):
        path = Path(model)
        names, own = _run(path, dict(settings or {}))
        return _model(str(path), names, own, wanted)
    if settings:
        raise UsageError("Settings can be given for a model file only.", remedy="pass the path of the file as model.")
    if callable(model) and not hasattr(model, "objective"):
        return Model(called(model), model, None)
    name = getattr(model, "__name__", type(model).__name__)
    names = {key: getattr(model, key) for key in dir(model) if not key.startswith("_")}
    own = [key for key, value in names.items() if not isinstance(value, ModuleType)]
    return _model(name, names, own, wanted)


def _run(path: Path, settings: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the names that the file defines or imports when it runs, and those of them that it defines."""
    if not path.is_file():
        what = "a folder, not a model file" if path.is_dir() else "not there"
        beside = [entry.name for entry in path.parent.glob("*.py")] if path.parent.is_dir() else []
        raise ModelError(
            f"The model file {path} is {what}.{near(path.name, beside)}",
            remedy=f"give the path of a Python file; the working folder is {Path.cwd()}.",
        )
    if path.suffix.lower() in _OF_DATA:
        raise ModelError(
            f"{path} is a file of data, not a model.",
            remedy=f"write a model of it with `autoopt new {path}`, or name a model file and give this as data.",
        )
    file = str(path.absolute())
    linecache.checkcache(file)
    importlib.invalidate_caches()
    try:
        tree = ast.parse(path.read_bytes(), file)
    except (SyntaxError, ValueError) as error:
        raise syntax_error(error, file) from error
    module = ModuleType(f"autoopt_model_{path.stem}")
    module.__file__ = file
    applied = Settings(path, settings)
    vars(module).update(applied.names)
    sys.modules[module.__name__] = module
    with users_code(str(path)):
        exec(compile(applied.wrapped(tree), file, "exec", dont_inherit=True), vars(module))
    applied.finish(vars(module))
    return vars(module), [name for name in _defined(tree) if not name.startswith("_")]


def _defined(tree: ast.Module) -> list[str]:
    """Return the names of the functions, classes and values at the top level, in the file's order."""
    names: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            names += [
                part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
            ]
    return list(dict.fromkeys(names))


def _model(source: str, names: Mapping[str, Any], own: Sequence[str], wanted: Sequence[str]) -> Model:
    """Return the Model of these names, refusing what is missing or of the wrong kind; `own` are not imported."""
    if missing := [name for name in wanted if names.get(name) is None]:
        hints = "".join(_meant(name, set(own) - {"objective", "x0", *_OPTIONAL}) for name in missing)
        raise ModelError(
            f"{source} defines no {' and no '.join(missing)}.{hints} It has {', '.join(own) or 'no names at all'}.",
            remedy="define objective(params, *data), and x0: where to start, a value or a function of the data.",
        )
    if not callable(names["objective"]) or not positional(names["objective"]):
        raise ModelError(
            f"objective in {source} is no function of the parameters.", remedy="write def objective(params, *data)."
        )
    options = {name: names[name] for name in _OPTIONAL if names.get(name) is not None}
    for name, kind in (("kind", str), ("method", str)):
        if not isinstance(options.get(name, ""), kind):
            raise ModelError(f"{name} in {source} is {options[name]!r}, where text is needed.", remedy="quote it.")
    if "predict" in options and not (callable(options["predict"]) and positional(options["predict"])):
        raise ModelError(f"predict in {source} is no function of the parameters.", remedy="def predict(params, x): ...")
    try:
        scale_of(options.get("predict_scale"))
    except UsageError as error:
        raise ModelError(f"predict_scale in {source}: {error.happened}", remedy=error.remedy) from error
    if "encode" in options and not (callable(options["encode"]) and len(positional(options["encode"])) == 1):
        raise ModelError(f"encode in {source} is no function of a table.", remedy="def encode(table): ...")
    if "kind" in options and options["kind"] not in KINDS:
        raise ModelError(
            f"kind in {source} is {options['kind']!r}.{near(options['kind'], KINDS)}",
            remedy=f"write one of {', '.join(KINDS)}, or leave it out.",
        )
    others = [name for name in own if name not in _OPTIONAL and name not in ("objective", "x0")]
    misspelt = [(name, near(name, [key for key in _OPTIONAL if key not in options])) for name in others]
    unused = tuple(f"{source} defines {name}, which is not used.{hint}" for name, hint in misspelt if hint)
    derivatives = {name: options.pop(name) for name in _DERIVATIVES if name in options}
    return Model(source, names["objective"], names.get("x0"), **options, derivatives=derivatives, unused=unused)


def called(function: Callable) -> str:
    """Return what a function is called in messages."""
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(function, "__name__", type(function).__name__)


def _meant(name: str, own: Iterable[str]) -> str:
    """Return ' Is Objective meant to be objective?' if one of the user's own names is near, else an empty string."""
    similar = nearest(name, own)
    return f" Is {similar[0]} meant to be {name}?" if similar else ""


def positional(function: Callable) -> list[inspect.Parameter]:
    """Return the parameters of `function` that are filled by position."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return [inspect.Parameter("data", inspect.Parameter.VAR_POSITIONAL)]
    return [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL)]
