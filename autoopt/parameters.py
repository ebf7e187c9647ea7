"""The structure of the parameters: any nest of dicts, sequences and arrays, and the flat vector that solvers see.

Knows nothing of tracing: `unflatten` only indexes, slices and reshapes, so it works on whatever behaves like an array.
"""

from __future__ import annotations

import dataclasses
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.errors import UsageError

_DOUBLE = np.dtype(np.float64)


@dataclass(frozen=True)
class Part:
    """One number (shape None) or array, kept in flat[start:stop]."""

    path: str
    shape: tuple[int, ...] | None
    start: int
    stop: int


@dataclass(frozen=True)
class Nest:
    """A container: what to rebuild it with, its keys in the user's order, and what is below each."""

    path: str
    kind: type
    keys: tuple
    children: tuple


@dataclass(frozen=True)
class Structure:
    """The shape of x0: how a nest of arrays and the flat vector of its entries turn into each other.

    Equal and of equal hash for values of one structure, whatever their numbers. Made by `Structure.of`.
    """

    root: Part | Nest
    size: int

    @classmethod
    def of(cls, x0: Any) -> Structure:
        """Return the structure of `x0`.

        Parameters
        ----------
        x0 : scalar, array of any shape, or nested dict, list, tuple, namedtuple or dataclass of them
            Real and finite; integers stand for floats. As in SciPy, a plain list or tuple of numbers is a vector.

        Raises
        ------
        UsageError
            Naming every entry that is not a finite real number or an array of them, or if there are no entries.
        """
        reader = _Reader()
        root = reader.read(_as_vector(x0), "")
        if reader.problems:
            raise UsageError(
                "x0 holds entries that are not real numbers:\n" + "\n".join(f"  {line}" for line in reader.problems),
                remedy="put only finite numbers and arrays of them in x0, and pass everything else through args.",
            )
        if not reader.size:
            raise UsageError("x0 has no entries.", remedy="give x0 at least one number.")
        return cls(root, reader.size)

    def flatten(self, x: Any, name: str = "x") -> np.ndarray:
        """Return the entries of `x` as a float64 vector, shape (n,); it shares memory with a 1-D float64 array `x`.

        Parameters
        ----------
        x : value of this structure
        name : str
            What an error calls it.

        Raises
        ------
        UsageError
            If `x` is not of this structure, with what was expected and what was found.
        """
        pieces = list(_pieces(self.root, x, name))
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def vector(self, x: Any, name: str = "x") -> np.ndarray:
        """Return what `flatten` does, at once where `x` is the flat vector itself, whatever the structure."""
        if type(x) is np.ndarray and x.dtype == _DOUBLE and x.ndim == 1 and x.size == self.size:
            return x
        return self.flatten(x, name)

    def is_matrix(self, x: Any) -> bool:
        """Whether `x` is a matrix whose columns are flat vectors, shape (n, k), and no value of this structure."""
        shape: Any = getattr(x, "shape", ())
        return len(shape) == 2 and shape[0] == self.size and shape != self.shape

    def unflatten(self, flat: Any) -> Any:
        """Return the value of this structure whose entries are `flat`, an array or array-like of shape (n,)."""
        if isinstance(self.root, Part) and self.root.shape == (self.size,):
            return flat
        return _build(self.root, lambda leaf: _entries(leaf, flat))

    def leaves(self, x: Any) -> dict[str, Any]:
        """Return the numbers and arrays of `x`, a value of this structure, by their paths; "x" if it is one of them."""
        flat = self.flatten(x)
        return {leaf.path or "x": _entries(leaf, flat) for leaf in _leaves(self.root)}

    def assembled(self, leaves: Mapping[str, Any]) -> Any:
        """Return the value of this structure that holds these numbers and arrays at their paths, see `leaves`."""
        return _build(self.root, lambda leaf: leaves[leaf.path or "x"])

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape of x0 where it is one array; None for a number and for a nest."""
        return self.root.shape if isinstance(self.root, Part) else None

    @property
    def names(self) -> list[str]:
        """The name of each flat entry: "x[0]", "beta[2]", "a.b[0, 1]", or "sigma" for a scalar."""
        return [name for leaf in _leaves(self.root) for name in _leaf_names(leaf)]

    @property
    def paths(self) -> list[str]:
        """The path of each leaf in the order of the flat vector: "beta", "a.b", "x[0]"; "" if x0 is one leaf."""
        return [leaf.path for leaf in _leaves(self.root)]


class _Reader:
    """Walks x0 once: numbers the entries, and collects everything that is not a number."""

    def __init__(self) -> None:
        self.size = 0
        self.problems: list[str] = []

    def read(self, x: Any, path: str) -> Part | Nest:
        kind = _container(x)
        if kind is None:
            return self.read_leaf(x, path)
        keys = _keys(x)
        children = (self.read(_child(x, key), _child_path(path, kind, key)) for key in keys)
        return Nest(path, kind, keys, tuple(children))

    def read_leaf(self, x: Any, path: str) -> Part:
        shown = path or "x0"
        values = _array(x)
        if values is None or values.dtype.kind not in "iuf":
            self.problems.append(f"{shown}: {_description(x, values)}")
            return Part(path, None, 0, 0)
        if is_masked(x) and x.mask.any():
            self.problems.append(f"{shown}: is a masked array, of which some entries are masked")
        elif not np.isfinite(values).all():
            self.problems.append(f"{shown}: holds {_first_not_finite(values)}")
        start, self.size = self.size, self.size + values.size
        return Part(path, None if np.isscalar(x) else values.shape, start, self.size)


def is_masked(x: Any) -> bool:
    """Whether `x` is a masked array; NumPy loads these when they are first asked for, so nobody has one before."""
    module = sys.modules.get("numpy.ma")
    return module is not None and isinstance(x, module.MaskedArray)


def _as_vector(x0: Any) -> Any:
    """Return a plain list or tuple of numbers as the vector that SciPy makes of it, anything else as it is."""
    if type(x0) in (list, tuple) and x0 and all(isinstance(item, int | float | np.number) for item in x0):
        return np.asarray(x0)
    return x0


def _container(x: Any) -> type | None:
    """Return the type to rebuild a container with, None if `x` is a leaf."""
    if isinstance(x, dict):
        return type(x) if _is_rebuilt(x) else OrderedDict if isinstance(x, OrderedDict) else dict
    if isinstance(x, tuple):
        return type(x) if hasattr(type(x), "_fields") else tuple
    if isinstance(x, list):
        return list
    return type(x) if dataclasses.is_dataclass(x) and not isinstance(x, type) else None


def _is_rebuilt(x: dict) -> bool:
    """Whether `x` is of a kind of dictionary whose items are attributes too, that can be made of its items."""
    kind = type(x)
    if not hasattr(kind, "__getattr__") and getattr(x, "__dict__", None) is not x:
        return False
    try:
        made = kind(dict(x))
    except Exception:  # its constructor takes something else
        return False
    return type(made) is kind and list(made) == list(x) and all(made[key] is x[key] for key in x)


def _keys(x: Any) -> tuple:
    if isinstance(x, dict):
        return tuple(x)
    if isinstance(x, list | tuple):
        return getattr(type(x), "_fields", None) or tuple(range(len(x)))
    return tuple(field.name for field in dataclasses.fields(x) if field.init)


def _child(x: Any, key: Any) -> Any:
    if isinstance(x, dict) or isinstance(key, int):
        return x[key]
    return getattr(x, key)


def _child_path(path: str, kind: type, key: Any) -> str:
    if kind in (list, tuple):
        return f"{path or 'x'}[{key}]"
    return f"{path}.{key}" if path else str(key)


def _entries(leaf: Part, flat: Any) -> Any:
    """Return the number or array of a leaf from the flat vector."""
    if leaf.shape is None:
        return flat[leaf.start]
    piece = flat[leaf.start : leaf.stop]
    return piece if len(leaf.shape) == 1 else piece.reshape(leaf.shape)


def _build(node: Part | Nest, value: Callable[[Part], Any]) -> Any:
    """Return the container with `value` of each of its leaves."""
    if isinstance(node, Part):
        return value(node)
    children = [_build(child, value) for child in node.children]
    if issubclass(node.kind, dict):
        return node.kind(dict(zip(node.keys, children, strict=True)))
    if node.kind in (list, tuple):
        return node.kind(children)
    return node.kind(**dict(zip(node.keys, children, strict=True)))


def _pieces(node: Part | Nest, x: Any, name: str) -> Iterator[np.ndarray]:
    """Yield the float64 vector of each leaf of `x`, checked against `node`."""
    if isinstance(node, Part):
        yield _leaf_vector(node, x, name)
        return
    kind = _container(x)
    keys = _keys(x) if kind is not None else ()
    if kind is None or issubclass(kind, dict) != issubclass(node.kind, dict) or set(keys) != set(node.keys):
        found = f"{kind.__name__} of {_listed(keys)}" if kind else type(x).__name__
        raise UsageError(
            f"{_shown(node.path, name)}: expected {node.kind.__name__} of {_listed(node.keys)}, got {found}.",
            remedy="pass a value of the same structure as x0.",
        )
    for key, child in zip(node.keys, node.children, strict=True):
        yield from _pieces(child, _child(x, key), name)


def _shown(path: str, name: str) -> str:
    """Return the path of a part of what is called `name`; the parameters' own are known without."""
    if name == "x" or not path:
        return path or name
    return f"{name}{path[1:]}" if path.startswith("x[") else f"{name}.{path}"


def _leaf_vector(leaf: Part, x: Any, name: str) -> np.ndarray:
    shape = leaf.shape or ()
    values = None if isinstance(x, dict) else _array(x)
    if values is None or values.dtype.kind not in "iuf":
        happened = f"{_shown(leaf.path, name)}: expected real numbers, got {_description(x, values)}."
    elif values.shape != shape:
        happened = f"{_shown(leaf.path, name)}: expected shape {shape}, got {values.shape}."
    else:
        return values.astype(np.float64, copy=False).reshape(-1)
    raise UsageError(happened, remedy="pass a value of the same structure as x0.")


def _array(x: Any) -> np.ndarray | None:
    """Return `x` as an array, None if it is ragged or otherwise no array."""
    try:
        return np.asarray(x)
    except (TypeError, ValueError):
        return None


def _description(x: Any, values: np.ndarray | None) -> str:
    if x is None or isinstance(x, str | bytes | bool | complex):
        return repr(x)
    if values is None or (values.dtype == object and not isinstance(x, np.ndarray)):
        return type(x).__name__
    return f"array of {values.dtype}"


def _first_not_finite(values: np.ndarray) -> str:
    index = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
    return f"{values[index]}" + (f" at {list(index)}" if index else "")


def _listed(keys: tuple) -> str:
    return ", ".join(map(str, keys)) or "nothing"


def _leaves(node: Part | Nest) -> Iterator[Part]:
    if isinstance(node, Part):
        yield node
    else:
        for child in node.children:
            yield from _leaves(child)


def _leaf_names(leaf: Part) -> list[str]:
    path = leaf.path or "x"
    if not leaf.shape:
        return [path]
    return [f"{path}[{', '.join(map(str, index))}]" for index in np.ndindex(leaf.shape)]
