"""What the statements `import` and `class` do inside a run, by the builtin functions that Python calls for them."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

from autoopt.tracing.instrument.namespaces import namespace_of
from autoopt.tracing.instrument.objects import Shadows


def importing(substitute: Callable[[Any], Any]) -> Callable:
    """Return `__import__` for a run, which sees stand-ins for modules."""

    def import_(name, globals=None, locals=None, fromlist=(), level=0):
        namespace = namespace_of(globals)
        if namespace is not None:
            globals = namespace.original
        return substitute(builtins.__import__(name, globals, locals, fromlist, level))

    return import_


def class_building(shadows: Shadows, originals: Callable[[], dict[int, Any]]) -> Callable:
    """Return `__build_class__` for a run: stand-ins for builtin types are no bases."""

    def build_class(body: Callable, name: str, *bases: Any, **options: Any) -> type:
        users = originals()
        bases = tuple(base if shadows.is_made(base) else users.get(id(base), base) for base in bases)
        if (metaclass := options.get("metaclass")) is not None and not shadows.is_made(metaclass):
            options["metaclass"] = users.get(id(metaclass), metaclass)
        return builtins.__build_class__(body, name, *bases, **options)

    return build_class
