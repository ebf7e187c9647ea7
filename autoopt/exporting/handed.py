"""A module of derivatives that is handed back, edited or not: its functions as `minimize` takes them.

The module's functions are called with the objective's arguments, and with the arrays that it reads elsewhere by name.
"""

from __future__ import annotations

import functools
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from autoopt.errors import Location, ModelError, UsageError
from autoopt.exporting.signature import Signature, with_defaults
from autoopt.exporting.traced import traced
from autoopt.objectives.objective import Objective
from autoopt.users_code import UNDEFINED, users_code
from autoopt.wording import name_of, near

FUNCTIONS = {"value_and_grad": "value_and_grad", "grad": "grad", "hess": "hess", "hvp": "hessp"}
"""What is used of a module of derivatives, and the method of `Objective` that gives the same."""


def loaded(module: Any) -> tuple[Mapping[str, Any], str]:
    """Return the names of a module of derivatives, a file, module or dict, and what messages call it."""
    if isinstance(module, str | Path):
        path = Path(module)
        if not path.is_file():
            beside = [entry.name for entry in path.parent.glob("*.py")] if path.parent.is_dir() else []
            raise ModelError(
                f"The file {path} is not there.{near(path.name, beside)}",
                remedy="write it with `autoopt derive MODEL -o FILE`.",
            )
        return vars(_run(path)), str(path)
    names = module if isinstance(module, Mapping) else vars(module)
    return names, str(names.get("__file__") or names.get("__name__") or "the module")


def _run(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"autoopt_derivatives_{path.stem}", path.absolute())
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    with users_code(str(path)):
        spec.loader.exec_module(module)
    return module


class Handed:
    """The derivatives of a module for one objective.

    Attributes
    ----------
    file : str
        What messages call the module.
    functions : dict of str to callable
        Those of FUNCTIONS that it has: of parameters in x0's structure, and data as the objective takes them.
    """

    def __init__(self, module: Any, f: Callable, x0: Any, args: tuple) -> None:
        names, self.file = loaded(module)
        found = {name: names[name] for name in FUNCTIONS if callable(names.get(name))}
        if not {"value_and_grad", "grad"} & set(found):
            raise ModelError(
                f"{self.file} has no function value_and_grad and no function grad.",
                remedy="write it with `autoopt derive MODEL -o FILE`, or define value_and_grad(params, *data).",
            )
        self.f, self.x0, self.args = f, x0, args
        changed = names.get("PathChanged")
        self._changed: tuple[type[Exception], ...] = (changed,) if isinstance(changed, type) else ()
        self.functions = {name: self._adapted(name, function) for name, function in found.items()}

    @functools.cached_property
    def objective(self) -> Objective:
        """The objective with derivatives of its own, for what the module lacks."""
        return Objective(self.f, self.x0, self.args)

    @functools.cached_property
    def _outside(self) -> Mapping[str, Any]:
        """The arrays that the objective reads elsewhere, by the names that exported functions have for them."""
        exported = traced(self.f, self.x0, with_defaults(self.f, self.args), scalar=True)
        signature = Signature.of(self.f, exported.args, exported.inputs(), len(self.args))
        return {name: signature.values[name] for name in signature.names}

    def _adapted(self, name: str, function: Callable) -> Callable:
        """Return a function that takes what the objective takes; on another branch, what autoopt derives."""
        more = self._missing(name, function)

        @functools.wraps(function)
        def adapted(params: Any, *given: Any) -> Any:
            try:
                with users_code(f"{name} of {self.file}", passing=(*UNDEFINED, *self._changed)):
                    return function(params, *given, **more)
            except self._changed:
                flatten = self.objective.structure.flatten
                along = [flatten(given[0])] if name == "hvp" else []
                return getattr(self.objective, FUNCTIONS[name])(flatten(params), *along)

        adapted.said = f"{name} of {self.file}"  # type: ignore[attr-defined]
        return adapted

    def with_outside(self, name: str, function: Callable) -> Callable:
        """Return a function that takes what the objective takes."""
        return functools.partial(function, **self._missing(name, function))

    def _missing(self, name: str, function: Callable) -> dict[str, Any]:
        """Return the arguments of a function that the objective does not pass, by name."""
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):
            return {}
        own = 1 + (name == "hvp") + len(self.args)
        positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        wanted = [p.name for p in positional[own:] if p.default is p.empty]
        if len(positional) < own and not any(p.kind is p.VAR_POSITIONAL for p in parameters):
            raise self._unfit(name, function, f"takes {len(positional)} arguments, and is given {own}")
        if not wanted:
            return {}
        unknown = [argument for argument in wanted if argument not in self._outside]
        if unknown:
            raise self._unfit(name, function, f"takes {', '.join(unknown)}, which the objective does not have")
        return {argument: self._outside[argument] for argument in wanted}

    def _unfit(self, name: str, function: Callable, what: str) -> UsageError:
        code = getattr(function, "__code__", None)
        where = Location(code.co_filename, code.co_firstlineno) if code else None
        wanted = ", ".join(["params", *(["direction"] if name == "hvp" else []), "*data"])
        return UsageError(f"{name} of {self.file} {what}.", where, f"write it as {name}({wanted}).")


class Pair:
    """A gradient that comes with the value: `UserDerivatives` takes both from one call."""

    def __init__(self, pair: Callable) -> None:
        self.pair = self.__wrapped__ = pair
        self.said = name_of(pair, "value_and_grad")

    def __call__(self, *given: Any) -> Any:
        return self.pair(*given)[1]


def completed(given: tuple, module: Any, f: Callable, x0: Any, args: tuple) -> tuple[Any, Any, Any]:
    """Return (jac, hess, hessp) of a module for an objective, those that the user gives otherwise in their place."""
    functions = Handed(module, f, x0, args).functions
    jac = Pair(functions["value_and_grad"]) if "value_and_grad" in functions else functions["grad"]
    own = jac, functions.get("hess"), functions.get("hvp")
    jac, hess, hessp = (other if one is None else one for one, other in zip(given, own, strict=True))
    return jac, hess, hessp
