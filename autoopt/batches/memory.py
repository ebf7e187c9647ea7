"""Whether files fit into memory, roughly, before they are read."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from autoopt.batches.files import of_path
from autoopt.batches.streams import Stream
from autoopt.tables.several import files_at
from autoopt.tables.source import COMPRESSIONS, STDIN

SHARE = 0.4
"""Of the memory that is free, what data may take: a fit has some arrays of their rows beside them."""

_PACKED = 12
"""How many times smaller than their numbers in memory files of columns may be at the most that is looked for."""


def is_larger(path: str | Path, reading: Mapping[str, str] | None = None) -> bool:
    """Return whether the numbers of a file, of a folder, or of the files that a pattern names are too many for memory.

    All columns count, as it is not known which are used.
    """
    if str(path) == STDIN:
        return False
    files = files_at(path) or [Path(path)]
    on_disk = sum(file.stat().st_size for file in files if file.is_file())
    limit = SHARE * free_memory()
    return on_disk * _PACKED > limit and bytes_of(of_path(path, None, reading), on_disk) > limit


def bytes_of(stream: Stream, on_disk: int) -> int:
    """Return what the columns take as float64; of text, whose rows are not counted yet, its own size."""
    if stream.rows is not None:
        return stream.rows * sum(stream.widths.values())
    suffixes = tuple(one.suffix for one in COMPRESSIONS)
    return on_disk * (4 if any(str(part.recipe["path"]).endswith(suffixes) for part in stream.parts) else 1)


def free_memory() -> float:
    """Return the bytes that this process may still take: those that are free, and less where limits are set."""
    limits = [_free_of_system()]
    with contextlib.suppress(ImportError, OSError, ValueError):  # Windows has no such limits
        import resource

        page = os.sysconf("SC_PAGE_SIZE")
        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * page
        limits += [soft - used for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)
                   if (soft := resource.getrlimit(kind)[0]) != resource.RLIM_INFINITY]  # fmt: skip
    for file in ("memory.max", "memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            limits.append(int(Path("/sys/fs/cgroup", file).read_text(encoding="ascii")))
    return max(0.0, min(limits))


def _free_of_system() -> float:
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return 1024.0 * int(next(line for line in lines if line.startswith("MemAvailable")).split()[1])
    with contextlib.suppress(ValueError, OSError, AttributeError):
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")) / 2
    return float("inf")
