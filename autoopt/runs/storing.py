"""The arguments of a call as JSON holds them, and back: what cannot be written down must be passed again.

Numbers come back to the last bit: Python writes the shortest text that does.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

_MOST = 100_000
"""Arrays of more entries are data, which stay where they are."""


class NotStorable(Exception):
    """A value that JSON cannot hold: a function, a table, a large array."""


def stored(value: Any) -> Any:
    """Return a value as JSON holds it; NotStorable if it cannot."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.bool_ | np.integer | np.floating):
        return value.item()
    if isinstance(value, Path):
        return {"path": str(value)}
    if isinstance(value, list):
        return [stored(part) for part in value]
    if type(value) in (tuple, set):
        return {type(value).__name__: [stored(part) for part in value]}
    if type(value) is dict:
        return {"dict": [[stored(key), stored(part)] for key, part in value.items()]}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and value.size <= _MOST:
        return {"array": value.tolist(), "dtype": value.dtype.str, "shape": list(value.shape)}
    raise NotStorable(type(value).__name__)


def restored(value: Any) -> Any:
    """Return what `stored` was given."""
    if isinstance(value, list):
        return [restored(part) for part in value]
    if not isinstance(value, Mapping):
        return value
    if "array" in value:
        return np.array(value["array"], dtype=value["dtype"]).reshape(value["shape"])
    if "dict" in value:
        return {restored(key): restored(part) for key, part in value["dict"]}
    if "path" in value:
        return Path(value["path"])
    kind = tuple if "tuple" in value else set
    return kind(restored(part) for part in value[kind.__name__])
