"""Whether a pandas object is as it was when a run read it: its columns, its name and what the user has put beside."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from autoopt.tracing.outside.notes import Notes
from autoopt.tracing.outside.process import is_read
from autoopt.tracing.outside.watching import ABSENT, Same, attribute, is_kept, kept_bytes


def note(notes: Notes, value: Any) -> Collection:
    """Remember a pandas object by its columns, and by what it holds besides."""
    if type(value).__name__ == "DictWrapper":  # pd.options
        notes.add(is_read(_options))
        return ()
    notes.add(_unchanged(value))
    attributes = attribute(value, "__dict__", {})
    before = {name: part for name, part in attributes.items() if name not in _OF_TABLES}
    notes.add(lambda: all(attributes.get(name, ABSENT) is part for name, part in before.items()))
    for part in before.values():
        notes.note(part, below=True)
    return ()


def _unchanged(table: Any) -> Same:
    """Return what says whether a pandas object has the columns that it had, with what was in them."""
    manager = getattr(table, "_mgr", None)
    if manager is None or not hasattr(manager, "blocks"):
        kept = table.copy() if hasattr(table, "copy") else table
        return lambda: table is kept or bool(table.equals(kept))
    blocks = [(block.values, _copy(block.values)) for block in manager.blocks]
    axes = tuple(manager.axes)

    def same() -> bool:
        now = table._mgr
        if len(now.blocks) != len(blocks) or any(map(operator.is_not, now.axes, axes)):
            return False
        return all(
            block.values is values and _is_copy(values, copied)
            for block, (values, copied) in zip(now.blocks, blocks, strict=True)
        )

    return same


def _copy(values: Any) -> Any:
    if not isinstance(values, np.ndarray):
        return values.copy()
    return list(values.flat) if values.dtype.hasobject else kept_bytes(values)


def _is_copy(values: Any, copied: Any) -> bool:
    if isinstance(copied, list):
        return not any(map(operator.is_not, values.flat, copied))
    return is_kept(values, copied) if isinstance(copied, bytearray) else bool(values.equals(copied))


def _options() -> Any:
    """Return the options of pandas as texts."""
    return repr(getattr(sys.modules["pandas._config.config"], "_global_config", None))


STATES: dict[tuple[str, ...], Callable[[], Any]] = {("get_option", "option_context"): _options}
"""What functions of pandas read in the state of the process, by their names."""

_OF_TABLES = frozenset(("_mgr", "_item_cache", "_cacher", "_is_copy"))
