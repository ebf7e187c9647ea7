"""What a run depends on, in digests and versions: a run goes on only where none of it has changed."""

from __future__ import annotations

import functools
import hashlib
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np

_PACKAGES = ("numpy", "scipy", "pytensor")
_DEEP = 4
"""So far are functions followed into what they close over."""


@functools.cache
def _installed(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def versions() -> dict[str, str]:
    """Return the versions of what computes."""
    from autoopt.version import __version__

    found = {package: version for package in _PACKAGES if (version := _installed(package)) is not None}
    return {"autoopt": __version__, "python": platform.python_version(), **found}


def digest(value: Any) -> str:
    """Return the digest of a file (given as a Path), or of a function, array, table or any other value in memory.

    Of a function it is that of its code, of what it closes over, and of the functions, numbers, texts and arrays of its
    own module that it reads as globals; not of what it calls in other modules.
    """
    if isinstance(value, Path):
        with value.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    total = hashlib.sha256()
    for part in _parts(value, 0):
        total.update(part)
    return total.hexdigest()


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return in words what differs between two identities, as `Call.identity` gives them."""
    told = []
    for what in ("model", "data"):
        one, other = before.get(what) or {}, now.get(what) or {}
        if one.get("digest") != other.get("digest"):
            name = other.get("name") or one.get("name")
            told.append(f"the {what}{f' {name}' if name else ''} has changed" if what == "model" else _data(name))
    old, new = before.get("versions", {}), now.get("versions", {})
    told += [f"{name} was {old.get(name)} and is {new.get(name)}" for name in old if old[name] != new.get(name)]
    return told


def _data(name: str | None) -> str:
    return f"the data {name} have changed" if name else "the data have changed"


def _parts(value: Any, depth: int) -> Iterator[bytes]:
    """Yield bytes that differ where values do."""
    yield type(value).__name__.encode()
    if isinstance(value, np.ndarray) and value.dtype != object:
        yield f"{value.dtype.str}{value.shape}".encode()
        yield np.ascontiguousarray(value).data if value.size else b""
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield repr(key).encode()
            yield from _parts(part, depth + 1)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _parts(part, depth + 1)
    elif hasattr(value, "columns") and hasattr(value, "to_numpy"):
        yield repr([str(name) for name in value.columns]).encode()
        yield from _parts(value.to_numpy(), depth + 1)
    elif isinstance(value, functools.partial):
        yield from _parts([value.func, value.args, value.keywords], depth + 1)
    elif (code := getattr(value, "__code__", None)) is not None:
        yield from _of_code(code)
        if depth <= _DEEP:
            cells = [_content(cell) for cell in getattr(value, "__closure__", None) or ()]
            yield from _parts([getattr(value, "__defaults__", None), *cells, *_globals(value, code)], depth + 1)
    else:
        yield _bytes(value)


def _of_code(code: CodeType) -> Iterator[bytes]:
    yield code.co_code
    yield repr(code.co_names).encode()
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _of_code(constant)
        else:
            yield repr(constant).encode()


def _globals(function: Any, code: CodeType) -> Iterator[Any]:
    """Yield what a function reads of its own module, if that may be changed by hand."""
    names, scope = [*code.co_names], getattr(function, "__globals__", {})
    for inner in code.co_consts:
        names += inner.co_names if isinstance(inner, CodeType) else ()
    for name in names:
        value = scope.get(name)
        own = getattr(value, "__module__", None) == scope.get("__name__") and hasattr(value, "__code__")
        if value is not function and (own or isinstance(value, bool | int | float | str | np.ndarray)):
            yield value


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a name that is not bound yet
        return None


def _bytes(value: Any) -> bytes:
    import pickle

    try:
        return pickle.dumps(value, protocol=5)
    except Exception:  # what cannot be written down is known by its kind alone
        return b""
