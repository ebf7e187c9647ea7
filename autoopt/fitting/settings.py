"""Values for the module-level constants of a model file, put in their place while it runs.

So what the file computes from them, such as `x0 = np.zeros(N)`, follows.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autoopt.errors import UsageError
from autoopt.wording import near

_SETTER = "__autoopt_setting__"


class Settings:
    """The settings of one run of a model file: wrap its tree, run it with `names`, then `finish`."""

    def __init__(self, path: Path, values: Mapping[str, Any]) -> None:
        self.path, self.values = path, values
        self.used: set[str] = set()

    def wrapped(self, tree: ast.Module) -> ast.Module:
        """Return the tree in which each module-level `name = value` of a setting asks for it."""
        return ast.fix_missing_locations(_Wrapper(self.values).visit(tree)) if self.values else tree

    @property
    def names(self) -> dict[str, Any]:
        """What the wrapped tree needs among its globals."""
        return {_SETTER: self._setting} if self.values else {}

    def finish(self, names: dict[str, Any]) -> None:
        """Clear up the globals after the run; UsageError if a setting has met no constant."""
        names.pop(_SETTER, None)
        constants = [name for name, value in names.items() if _is_constant(name, value)]
        for name in self.values:
            if name not in self.used:
                raise UsageError(
                    f"{self.path} assigns no constant {name}.{near(name, constants)}",
                    remedy=f"set one of {', '.join(constants)}."
                    if constants
                    else "leave the setting out: it has none.",
                )

    def _setting(self, name: str, current: Any) -> Any:
        self.used.add(name)
        return _converted(name, self.values[name], current, self.path)


class _Wrapper(ast.NodeTransformer):
    """Wraps the value of each module-level `name = value` that is to be set; functions and classes are left alone."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.names = names

    def visit_FunctionDef(self, node):
        return node

    visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = visit_FunctionDef

    def visit_Assign(self, node):
        target = node.targets[0]
        return self._wrapped(node, target.id) if len(node.targets) == 1 and isinstance(target, ast.Name) else node

    def visit_AnnAssign(self, node):
        return self._wrapped(node, node.target.id) if isinstance(node.target, ast.Name) and node.value else node

    def _wrapped(self, node, name: str):
        if name in self.names:
            setter = ast.copy_location(ast.Name(_SETTER, ast.Load()), node.value)
            call = ast.Call(setter, [ast.Constant(name), node.value], [])
            node.value = ast.copy_location(call, node.value)
        return node


def _converted(name: str, given: Any, current: Any, path: Path) -> Any:
    """Return the setting in the type of the constant that it replaces."""
    kind = next((kind for kind in (bool, int, float, str) if isinstance(current, kind)), None)
    if kind is None:
        raise UsageError(
            f"{name} in {path} is of type {type(current).__name__}.",
            remedy="set numbers, text and True or False only.",
        )
    if kind is str:
        return str(given)
    number = _number(given)
    if number is None or isinstance(number, bool) != (kind is bool):
        wanted = "True or False" if kind is bool else "a number"
        raise UsageError(f"{name} in {path} is {current!r}, and cannot be set to {given!r}.", remedy=f"give {wanted}.")
    return float(number) if kind is float else number


def _number(given: Any) -> bool | int | float | None:
    """Return the number or truth value that is given, as itself or as text."""
    if isinstance(given, bool | int | float):
        return given
    text = str(given).strip()
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None


def _is_constant(name: str, value: Any) -> bool:
    return isinstance(value, bool | int | float | str) and not name.startswith("_") and name not in ("kind", "method")
