"""What a worker does: it holds chunks of rows, runs printed text on them, and adds what comes out in a fixed order.

This file is sent to workers as it is: it imports Python's library and NumPy, and a worker needs no autoopt. It knows
texts, names and arrays. A *run* is what one worker is asked for at once: the chunks `first` to `last`, the latter not
among them. Whatever the runs are, results are added along the same tree over the numbers of the chunks,

    level 2              0..4                 a node (level, index) covers the chunks index * 2**level and on;
    level 1        0..2        2..4   4       what stands beyond the last chunk is left out
    level 0       0    1      2    3   4

so that the sum has the same digits with one worker or a hundred: a run gives the nodes that lie in it whole, and what
is above them is added by whoever has them. Within a chunk the same is done over its blocks of rows.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import linecache
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np

BLOCK = 1 << 20
"""Bytes of rows that a pass is given at once: about a cache of the second level; of a quarter, calls cost a third."""

Node = tuple[int, int]
Partials = dict[str, Any]

# The order in which results are added ---------------------------------------------------------------------------------


COMBINE: dict[str, Callable[[Any, Any], Any]] = {
    "sum": lambda left, right: left + right,
    "max": np.maximum,
    "min": np.minimum,
    "all": np.logical_and,
    "any": np.logical_or,
    "rows": lambda left, right: (*left, *right[1:]),  # (axis, array, array, ...): joined when all are there
}
"""How two partial results become one, by what a plan calls it."""


def covering(first: int, last: int, count: int) -> Iterator[Node]:
    """Return the fewest nodes of the tree over `count` leaves that cover the leaves `first` to `last`, from the left.

    >>> list(covering(0, 5, 5)), list(covering(1, 5, 5))
    ([(3, 0)], [(0, 1), (1, 1), (0, 4)])
    """
    while first < last:
        level = 0
        while first % (2 << level) == 0 and min(first + (2 << level), count) <= last and first + (1 << level) < count:
            level += 1
        yield level, first >> level
        first += 1 << level


def node_of(
    node: Node, count: int, results: Mapping[str, str], there: Mapping[Node, Partials], leaf: Callable[[int], Partials]
) -> Partials:
    """Return the results of a node of the tree over `count` leaves: those `there`, or made of its parts, left first."""
    if node in there:
        return there[node]
    level, index = node
    if level == 0:
        return leaf(index)
    left = node_of((level - 1, 2 * index), count, results, there, leaf)
    if (2 * index + 1) << (level - 1) >= count:
        return left
    right = node_of((level - 1, 2 * index + 1), count, results, there, leaf)
    return {name: COMBINE[how](left[name], right[name]) for name, how in results.items()}


def merged(
    parts: Iterable[Mapping[Node, Partials]], first: int, last: int, count: int, results: Mapping[str, str]
) -> dict[Node, Partials]:
    """Return the nodes that cover the chunks `first` to `last` of `count`, of parts that have all of these chunks."""
    there = {node: partials for part in parts for node, partials in part.items()}

    def missing(index: int) -> Partials:
        raise KeyError(f"chunk {index} is in none of the parts")

    return {node: node_of(node, count, results, there, missing) for node in covering(first, last, count)}


def whole(nodes: Mapping[Node, Partials], count: int, results: Mapping[str, str]) -> Partials:
    """Return the results over all chunks, of the one node that covers them."""
    (total,) = merged([nodes], 0, count, count, results).values()
    return {name: joined(*total[name]) if how == "rows" else _own(total[name]) for name, how in results.items()}


def joined(axis: int, *arrays: np.ndarray) -> np.ndarray:
    """Return arrays as one, along an axis."""
    return np.concatenate(arrays, axis) if len(arrays) > 1 else _own(arrays[0])


def _own(value: Any) -> Any:
    """Return what may be written to: an array that came over a network may not."""
    return np.require(value, requirements="W") if isinstance(value, np.ndarray) else value


# What is run ----------------------------------------------------------------------------------------------------------


_modules: dict[str, dict[str, Any]] = {}


def functions(text: str) -> dict[str, Any]:
    """Return what a text defines; it is run once, and kept by its hash."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    if digest not in _modules:
        file = f"<autoopt {digest}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)  # for tracebacks
        module: dict[str, Any] = {"__name__": f"autoopt_printed_{digest}"}
        exec(compile(text, file, "exec"), module)
        _modules[digest] = module
    return _modules[digest]


def block_rows(chunk: Mapping[str, np.ndarray], rows: int) -> int:
    """Return how many of the rows of a chunk a pass is given at once: as many on every machine."""
    size = sum(array.nbytes for array in chunk.values())
    return max(1, BLOCK * rows // max(size, 1) // 64 * 64 or BLOCK * rows // max(size, 1))


def evaluated(chunk: Mapping[str, np.ndarray], task: Mapping[str, Any], free: Mapping[str, Any]) -> Partials:
    """Return the results of a pass over the rows of one chunk, of which only blocks are worked on at a time.

    Arrays that came over a network may begin at any byte; on such NumPy adds in another order.
    """
    function, axes, results = functions(task["text"])[task["name"]], task["axes"], task["results"]
    along = task["along"]
    arrays = [(chunk[name], axes.get(name, 0)) for name in task["rows"]]
    given = [free[name] for name in task["free"]]
    rows = arrays[0][0].shape[arrays[0][1]]
    step = block_rows({name: chunk[name] for name in task["rows"]}, rows)

    def block(index: int) -> Partials:
        part = slice(index * step, (index + 1) * step)
        blocks = (array[(slice(None),) * axis + (part,)] for array, axis in arrays)
        partials = function(*given, *(np.require(one, requirements="A") for one in blocks))
        return {
            name: (along.get(name, 0), partials[name]) if how == "rows" else partials[name]
            for name, how in results.items()
        }

    count = -(-rows // step)
    with _settings, np.errstate(all="ignore"):
        (total,) = (node_of(node, count, results, {}, block) for node in covering(0, count, count))
    return {
        name: (total[name][0], joined(*total[name])) if how == "rows" else total[name] for name, how in results.items()
    }


def run(
    first: int, count: int, task: Mapping[str, Any], free: Mapping[str, Any], *chunks: Mapping[str, np.ndarray]
) -> dict[Node, Partials]:
    """Return the nodes of a run: of consecutive chunks from number `first`, of `count` that there are in all."""

    def leaf(index: int) -> Partials:
        return evaluated(chunks[index - first], task, free)

    nodes = covering(first, first + len(chunks), count)
    return {node: node_of(node, count, task["results"], {}, leaf) for node in nodes}


class _Settings:
    """What is set in this process while any pass runs in it, and as it was before afterwards.

    BLAS has one thread; where threadpoolctl is missing, the environment that a worker was started with says how many.
    Memory that is freed is kept: Dask has workers started such that it is given back at once, and then each temporary
    array of each block of rows is made of new pages, which takes as long as what is computed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._controller: Any = None
        self._limit: Any = None

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                _keep_freed(True)
                with contextlib.suppress(ImportError):
                    import threadpoolctl

                    self._controller = self._controller or threadpoolctl.ThreadpoolController()
                    self._limit = self._controller.limit(limits=1, user_api="blas")

    def __exit__(self, *raised: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                _keep_freed(False)
                if self._limit is not None:
                    self._limit.restore_original_limits()
                    self._limit = None


_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # names of glibc's malloc.h
_KEPT = {_TRIM_THRESHOLD: 1 << 27, _MMAP_THRESHOLD: 1 << 25}
"""Bytes that are kept of what passes free, and of the largest array that is not mapped by itself."""
_MAPPED = 1 << 17  # the latter as glibc has it where the former is stated


def _keep_freed(keeps: bool) -> None:
    """Have glibc keep memory, or as little again as it was started with; nothing where that was not stated."""
    given = os.environ.get("MALLOC_TRIM_THRESHOLD_", "")
    if given.isdigit() and sys.platform == "linux":
        thresholds = _KEPT if keeps else {_TRIM_THRESHOLD: int(given), _MMAP_THRESHOLD: _MAPPED}
        with contextlib.suppress(AttributeError):  # another C library
            mallopt = ctypes.CDLL(None).mallopt
            for name, size in thresholds.items():
                mallopt(name, size)


_settings = _Settings()

# Where chunks come from -----------------------------------------------------------------------------------------------


def _of_files(arrays: Mapping[str, tuple[str, str, tuple[int, ...], int]]) -> dict[str, np.ndarray]:
    """Return arrays that stand in files, as views of these: (path, type, shape, offset) of each."""
    return {
        name: np.asarray(np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=shape))
        if all(shape)
        else np.empty(shape, dtype)
        for name, (path, dtype, shape, offset) in arrays.items()
    }


def _of_call(text: str, name: str, args: Sequence[Any]) -> dict[str, np.ndarray]:
    """Return what a function of a text reads: its imports are what the worker needs."""
    return {key: np.asarray(array) for key, array in functions(text)[name](*args).items()}


RECIPES: dict[str, Callable[..., dict[str, np.ndarray]]] = {"files": _of_files, "call": _of_call, "arrays": dict}
"""How a chunk is loaded, by the first word of its recipe; the others are the arguments."""


def loaded(recipe: tuple) -> dict[str, np.ndarray]:
    """Return the arrays of a chunk, by its recipe."""
    kind, *args = recipe
    return RECIPES[kind](*args)


def named(names: Sequence[str], *arrays: np.ndarray) -> dict[str, np.ndarray]:
    """Return a chunk of arrays that are there already, as partitions of a collection are, each row in one piece."""
    return dict(zip(names, map(np.ascontiguousarray, arrays), strict=True))


def numbers(part: Any) -> np.ndarray:
    """Return a partition of a series or a frame as numbers: whole ones as int64 in a series, float64 in a frame."""
    kind = getattr(part, "dtype", np.dtype(float))
    if isinstance(kind, np.dtype) and (kind.kind in "bi" or (kind.kind == "u" and kind.itemsize < 8)):
        return part.to_numpy(dtype=np.int64)
    return part.to_numpy(dtype=np.float64, na_value=np.nan)


def shape_and_type(array: np.ndarray) -> tuple[tuple[int, ...], str]:
    """Return what must be known of an array before others are cut alike."""
    return array.shape, array.dtype.str


# A process that is asked through its standard input -------------------------------------------------------------------


def answer(request: tuple, held: dict[int, dict[str, np.ndarray]]) -> Any:
    """Return what is asked for: ("run", recipes by key, keys, first, count, task, free) or ("forget", keys)."""
    kind, *args = request
    if kind == "forget":
        for key in args[0]:
            held.pop(key, None)
        return None
    recipes, keys, first, count, task, free = args
    for key, recipe in recipes.items():
        held[key] = loaded(recipe)
    return run(first, count, task, free, *(held[key] for key in keys))


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer one request after the other, each a pickle, until there are no more."""
    held: dict[int, dict[str, np.ndarray]] = {}
    while True:
        try:
            request = pickle.load(requests)
        except EOFError:
            return
        try:
            reply: tuple = ("done", answer(request, held))
        except Exception as error:
            reply = ("raised", *portable(error), traceback.format_exc())
        pickle.dump(reply, answers, protocol=pickle.HIGHEST_PROTOCOL)
        answers.flush()


def portable(error: Exception) -> tuple[str, str, bytes]:
    """Return the name of an exception, what it says, and itself as a pickle, empty if it is of a text's own class."""
    try:
        pickle.loads(pickled := pickle.dumps(error))
    except Exception:
        pickled = b""
    return type(error).__name__, str(error), pickled


def carried(name: str, said: str, pickled: bytes) -> Exception:
    """Return an exception that was made portable; one of a text's own class has its name, and is a RuntimeError."""
    return pickle.loads(pickled) if pickled else type(name, (RuntimeError,), {})(said)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever asks: it ends the requests
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a text prints does not come between the answers
    serve(sys.stdin.buffer, out)
