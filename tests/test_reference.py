"""docs/reference.rst has every class that a public function, or a public method of such a class, returns."""

import ast
import functools
import importlib
import inspect
import re
import sys
from pathlib import Path

import autoopt

REFERENCE = (Path(__file__).parents[1] / "docs" / "reference.rst").read_text(encoding="utf-8")
DIRECTIVE = re.compile(r"^\.\. autoclass:: (\S+)\n((?:   :.*\n)*)", re.M)


def described():
    """Return the classes on the page, by their module and name, with the options of their directives."""
    found = {}
    for path, options in DIRECTIVE.findall(REFERENCE):
        module, _, name = path.rpartition(".")
        cls = getattr(importlib.import_module(module or "autoopt"), name)
        found[cls] = options
    return found


@functools.cache
def imported_names(module):
    """Return what a module calls its imports, for type checkers too: name -> (module, name there)."""
    tree = ast.parse(Path(sys.modules[module].__file__).read_text(encoding="utf-8"))
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return {alias.asname or alias.name: (node.module, alias.name) for node in froms for alias in node.names}


def returned(function):
    """Return the classes of autoopt in the annotation of what a function returns."""
    try:
        annotation = inspect.signature(function).return_annotation
    except (TypeError, ValueError):
        return
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    function = inspect.unwrap(function)
    for name in re.findall(r"[A-Z]\w+", text):
        module, there = imported_names(function.__module__).get(name, (function.__module__, name))
        cls = getattr(importlib.import_module(module), there, None) if module.startswith("autoopt") else None
        if inspect.isclass(cls):
            yield cls


def public_members(cls):
    """Yield the public methods and properties of a class that are autoopt's, by name."""
    for name in dir(cls):
        member = inspect.getattr_static(cls, name)
        member = member.fget if isinstance(member, property) else getattr(member, "func", member)
        member = getattr(member, "__func__", member)
        is_ours = str(getattr(member, "__module__", "")).startswith("autoopt")
        if is_ours and not name.startswith("_") and inspect.isfunction(member):
            yield name, member


def public_classes():
    """Return all classes that users come to hold, each with the function that returns it."""
    named = {name: getattr(autoopt, name) for name in autoopt.__all__ if name != "models"}
    named |= {row.estimator.__name__: row.estimator for row in autoopt.models.MODELS.values()}
    found, ahead = {}, list(named.items())
    while ahead:
        name, one = ahead.pop()
        if inspect.isclass(one):
            ahead += [(f"{name}.{member}", function) for member, function in public_members(one)]
            continue
        for cls in returned(one):
            if cls not in found:
                found[cls] = name
                ahead.append((cls.__name__, cls))
    return found


def test_every_class_that_is_returned_is_on_the_page():
    found, there = public_classes(), described()
    assert {f"{cls.__module__}.{cls.__qualname__}": by for cls, by in found.items() if cls not in there} == {}
    names = {cls.__name__ for cls in found}
    assert {"Fit", "Profile", "Prediction", "HypothesisTest", "Derived", "FreeScale", "Plan", "Check"} <= names


def test_all_of_their_methods_are_on_the_page():
    """Those without a docstring would be left out, as would those of parents that are not there themselves."""
    there = described()
    for cls, options in there.items():
        assert ":members:" in options, cls
        for name, member in public_members(cls):
            assert member.__doc__, f"{cls.__name__}.{name} has no docstring"
            owner = next(one for one in cls.__mro__ if name in vars(one))
            shown = any(
                owner in one.__mro__ and ":inherited-members:" in there[one] for one in cls.__mro__ if one in there
            )
            assert owner in there or shown, f"{owner.__name__}.{name}"
