"""What lies beside a model file is imported by it, as it is now, and by no other model."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_IMPORTED: dict[str, tuple[str, int]] = {}
"""The modules that came from the folder of a model: their file, and when it had been written."""


@contextmanager
def importable(model: object) -> Iterator[None]:
    """Put the folder of a model file on sys.path, so that it imports what lies beside it.

    Last, not first: a file there may have the name of a package that autoopt or its dependencies import later. Modules
    that another model has left under these names, or that have been edited since, are imported anew.
    """
    if not isinstance(model, str | Path):
        yield
        return
    folder = str(Path(model).absolute().parent)
    for name, left in list(_IMPORTED.items()):
        if Path(left[0]).parent != Path(folder) or _written(left[0]) != left[1]:
            del _IMPORTED[name]
            if getattr(sys.modules.get(name), "__file__", None) == left[0]:
                del sys.modules[name]
    before = set(sys.modules)
    sys.path.append(folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file is not None and Path(file).parent == Path(folder) and not name.startswith("autoopt_model_"):
                _IMPORTED[name] = file, _written(file)


def _written(file: str) -> int:
    """Return when a file was written, in nanoseconds; -1 if it is not there any more."""
    try:
        return Path(file).stat().st_mtime_ns
    except OSError:
        return -1
