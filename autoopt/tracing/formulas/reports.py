"""What SciPy reports, in dictionaries some of whose values are made, or noted, when they are asked for."""

from __future__ import annotations

from typing import Any


class ReadByName:
    """Has all that a dictionary is read by go through its `__getitem__`, and attributes as well."""

    __getitem__: Any
    __iter__: Any

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def values(self) -> Any:
        return [self[name] for name in self]

    def items(self) -> Any:
        return [(name, self[name]) for name in self]
