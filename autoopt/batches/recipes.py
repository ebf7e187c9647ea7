"""Rows read in pieces, as a recipe says, and the arguments made of them.

A recipe is plain data. This file imports NumPy and nothing of autoopt, so that its text is all that a worker on another
machine needs, beside what reads the files: pyarrow, pandas, zarr, h5py or polars.

    {"kind": "parquet", "path": "/data/part-1.parquet", "groups": [0, 1], "constants": {"year": 2020}}
    {"kind": "arrays", "arrays": {"X": {"kind": "memmap", "path": ...}}, "begin": 0, "stop": 100000}
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

Pieces = Generator[dict[str, np.ndarray], None, None]
"""Columns, or arguments, of some rows after the other."""

_BUFFER = 1 << 20
"""Bytes of a column that are read of a file at once: larger ones were no faster."""

_BUFFERS = 1 << 24
"""The most for all columns together, as there may be thousands."""


def pieces(recipe: Mapping[str, Any], columns: Sequence[str], rows: int) -> Pieces:
    """Yield the rows of a recipe in order, about so many at a time, as arrays by the names of their columns."""
    yield from READERS[recipe["kind"]](recipe, list(columns), rows)


def chunks(recipe: Mapping[str, Any], layout: Mapping[str, Any], rows: int) -> Pieces:
    """Yield the arguments of the rows of a recipe: what a worker calls.

    Raises
    ------
    ValueError
        If a value that is used is missing, infinite, or no number.
    """
    place = 0
    for columns in pieces(recipe, layout["columns"], rows):
        if names := faulty(columns, layout["table"]):
            where = recipe.get("path", "the data")
            raise ValueError(f"{', '.join(names)} of {where} has a missing value or no number from row {place} on")
        yield arguments(columns, layout)
        place += len(columns[layout["columns"][0]])


# Arguments of columns -------------------------------------------------------------------------------------------------


def arguments(columns: Mapping[str, np.ndarray], layout: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return what is made of columns without faults: each argument is one, or several as a matrix (rows, columns).

    Parameters
    ----------
    columns : mapping
    layout : mapping
        "arguments": the column of each, or the list of columns of a matrix; "floats": those that are float64 whatever
        they are made of; "table": whether truth values are numbers.
    """
    made = {}
    for name, of in layout["arguments"].items():
        if isinstance(of, str):
            made[name] = _number(columns[of], layout["table"], name in layout["floats"])
        else:
            made[name] = np.empty((len(columns[of[0]]), len(of)))
            for place, column in enumerate(of):
                made[name][:, place] = columns[column]
    return made


def _number(array: np.ndarray, table: bool, to_float: bool) -> np.ndarray:
    """Return a column as float64 or int64; truth values and complex numbers stay what they are if it is of no table."""
    kind = array.dtype.kind
    if not to_float and (kind == "c" or (kind == "b" and not table)):
        return np.ascontiguousarray(array)
    is_whole = kind in "bi" or (kind == "u" and array.itemsize < 8)
    return np.asarray(array, np.int64 if is_whole and not to_float else np.float64, order="C")


def faulty(columns: Mapping[str, np.ndarray], table: bool) -> list[str]:
    """Return the columns that have missing values or what is no number; in a table, also what is infinite."""
    return [name for name, array in columns.items() if not _is_clean(array, table)]


def _is_clean(array: np.ndarray, table: bool) -> bool:
    kind = array.dtype.kind
    if kind not in "fc":
        return kind in "biu"
    with np.errstate(all="ignore"):
        if np.isfinite(array.sum()):
            return not (table and kind == "c")
    bad = ~np.isfinite(array) if table else np.isnan(array)
    return not bad.any() and not (table and kind == "c")


# Arrays: memory, memory maps, Zarr, HDF5 ------------------------------------------------------------------------------


def _arrays(recipe: Mapping[str, Any], columns: list[str], rows: int) -> Pieces:
    with contextlib.ExitStack() as files:
        arrays = {name: opened(recipe["arrays"][name], files) for name in columns}
        for begin in range(recipe["begin"], recipe["stop"], rows):
            stop = min(begin + rows, recipe["stop"])
            yield {name: plain(array, begin, stop) for name, array in arrays.items()}


def opened(array: Any, files: contextlib.ExitStack) -> Any:
    """Return an array, or what a recipe says of one: a memory map, a part of a file of Zarr or HDF5."""
    if not isinstance(array, Mapping):
        return array
    if array["kind"] == "rows":
        return _Later(array["first"], array["rows"])
    if array["kind"] == "memmap":
        whole = np.memmap(array["path"], array["dtype"], "r", array["offset"], tuple(array["shape"]), array["order"])
        return whole[array["field"]] if array.get("field") else whole
    if array["kind"] == "zarr":
        store = importlib.import_module("zarr").open(array["path"], mode="r")
        return store[array["key"]] if array["key"] else store
    return files.enter_context(importlib.import_module("h5py").File(array["path"], "r"))[array["key"]]


class _Later:
    """Rows of an array of which the first ones are not there; it is sliced as if they were."""

    def __init__(self, first: int, rows: np.ndarray) -> None:
        self.first, self.rows = first, rows

    def __getitem__(self, some: slice) -> np.ndarray:
        return self.rows[some.start - self.first : some.stop - self.first]


def plain(column: Any, begin: int, stop: int) -> np.ndarray:
    """Return rows of an array, or of a column of a frame, as an array: NaN where numbers are missing."""
    if hasattr(column, "iloc"):
        return _of_pandas(column.iloc[begin:stop])
    rows = column[begin:stop]
    if type(rows).__module__.partition(".")[0] == "pyarrow":
        return _of_arrow(rows)
    if type(rows).__module__.partition(".")[0] == "polars":
        return _of_polars(rows)
    if isinstance(rows, np.ma.MaskedArray):
        kind = complex if rows.dtype.kind == "c" else float if rows.dtype.kind in "biuf" else object
        return np.ma.filled(rows.astype(kind), None if kind is object else np.nan) if rows.mask.any() else rows.data
    return np.asarray(rows)


def _of_pandas(series: Any) -> np.ndarray:
    kind = getattr(series.dtype, "kind", "O")
    if isinstance(series.dtype, np.dtype) and kind in "biufcmM":
        return series.to_numpy()
    if kind in "biuf" and not isinstance(series.dtype, np.dtype):  # pandas' own types, which know missing values
        return series.to_numpy() if not series.isna().any() else series.to_numpy(dtype=float, na_value=np.nan)
    return series.to_numpy(dtype=object)


def _of_polars(series: Any) -> np.ndarray:
    if str(series.dtype).startswith("Decimal"):
        series = series.cast(importlib.import_module("polars").Float64)
    return (
        series.to_numpy() if series.dtype.is_numeric() or not series.null_count() else np.array(series.to_list(), "O")
    )


def _of_arrow(column: Any) -> np.ndarray:
    """Return a column of Arrow: numbers without a copy where there are no missing ones."""
    types = importlib.import_module("pyarrow").types
    if types.is_decimal(column.type):
        column = column.cast("float64")
    if types.is_boolean(column.type) and column.null_count:
        column = column.cast("float64")
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    array = column.to_numpy() if hasattr(column, "chunks") else column.to_numpy(zero_copy_only=False)
    return np.asarray(array)


# Files of columns -----------------------------------------------------------------------------------------------------


def _parquet(recipe: Mapping[str, Any], columns: list[str], rows: int) -> Pieces:
    """Read some groups of rows, each column through a small buffer: what is held does not grow with the groups."""
    constants = recipe["constants"]
    stored = [name for name in columns if name not in constants]
    size = max(1 << 16, min(_BUFFER, _BUFFERS // max(1, len(stored))))
    with importlib.import_module("pyarrow.parquet").ParquetFile(
        recipe["path"], pre_buffer=False, buffer_size=size
    ) as file:
        for batch in file.iter_batches(rows, row_groups=recipe["groups"], columns=stored):
            if len(batch):
                yield _of_batch(batch, columns, constants)


def _feather(recipe: Mapping[str, Any], columns: list[str], rows: int) -> Pieces:
    """Read the batches of a file of Arrow by its memory map."""
    pyarrow, ipc = (importlib.import_module(name) for name in ("pyarrow", "pyarrow.ipc"))
    with pyarrow.memory_map(recipe["path"]) as mapped:
        file = ipc.open_file(mapped)
        for number in recipe["groups"]:
            batch = file.get_batch(number)
            for begin in range(0, len(batch), rows):
                yield _of_batch(batch.slice(begin, rows), columns, recipe["constants"])


def _of_batch(batch: Any, columns: Sequence[str], constants: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {
        name: np.full(len(batch), constants[name]) if name in constants else _of_arrow(batch.column(name))
        for name in columns
    }


def _text(recipe: Mapping[str, Any], columns: list[str], rows: int) -> Pieces:
    """Read a text file whose lines were counted and looked through before, by pandas."""
    constants = recipe["constants"]
    stored = [name for name in columns if name not in constants] or recipe["names"][:1]
    types = {name: kind for name, kind in recipe["types"].items() if name in stored}
    with _decompressed(recipe["path"], recipe["compression"]) as file:
        for frame in importlib.import_module("pandas").read_csv(
            file, header=0, names=recipe["names"], usecols=stored, dtype=types, index_col=False, chunksize=rows,
            encoding=recipe["encoding"], **recipe["options"],
        ):  # fmt: skip
            yield {
                name: np.full(len(frame), constants[name]) if name in constants else _of_pandas(frame[name])
                for name in columns
            }


@contextlib.contextmanager
def _decompressed(path: str, suffix: str) -> Iterator[Any]:
    """Give the bytes of a file that may be compressed."""
    module = {".gz": "gzip", ".bz2": "bz2", ".xz": "lzma"}.get(suffix)
    with open(path, "rb") as raw:
        if suffix == ".zst":
            yield importlib.import_module("pyarrow").CompressedInputStream(raw, "zstd")
        else:
            yield raw if module is None else importlib.import_module(module).open(raw, "rb")


# What is asked for its rows -------------------------------------------------------------------------------------------


def _scanned(recipe: Mapping[str, Any], columns: list[str], rows: int) -> Pieces:
    """Read a data set of pyarrow, or a fragment of one, with one batch and one file ahead."""
    dataset = importlib.import_module("pyarrow.dataset")
    options: dict[str, Any] = {} if recipe["schema"] is None else {"schema": recipe["schema"]}
    if recipe["format"] == "parquet":
        options["fragment_scan_options"] = dataset.ParquetFragmentScanOptions(
            pre_buffer=False, use_buffered_stream=True
        )
    scanner = recipe["of"].scanner(columns=columns, batch_size=rows, batch_readahead=1, fragment_readahead=1, **options)
    for batch in scanner.to_batches():
        if len(batch):
            yield _of_batch(batch, columns, {})


def _polars(recipe: Mapping[str, Any], columns: list[str], rows: int) -> Pieces:
    """Run the query of a lazy frame, a chunk at a time."""
    for frame in recipe["frame"].select(columns).collect_batches(chunk_size=rows):
        for begin in range(0, len(frame), rows):
            piece = frame.slice(begin, rows)
            yield {name: _of_polars(piece.get_column(name)) for name in columns}


def _iterated(recipe: Mapping[str, Any], columns: list[str], rows: int) -> Pieces:
    """Take batches of whoever makes them; those that are larger are cut."""
    for batch in recipe["begin"]():
        arrays = recipe["named"](batch)
        many = len(next(iter(arrays.values())))
        for begin in range(0, many, rows):
            yield {name: plain(arrays[name], begin, min(begin + rows, many)) for name in columns}


READERS: dict[str, Callable[[Mapping[str, Any], list[str], int], Pieces]] = {
    "arrays": _arrays,
    "parquet": _parquet,
    "feather": _feather,
    "text": _text,
    "scanned": _scanned,
    "polars": _polars,
    "iterated": _iterated,
}
"""The kinds of recipes -> what reads them."""
