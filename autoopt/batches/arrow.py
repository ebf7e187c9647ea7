"""Files and data sets of pyarrow as streams."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from autoopt.batches.parts import Part, stamp_of
from autoopt.batches.streams import Stream
from autoopt.errors import DataError, NoRowsError
from autoopt.extras import imported
from autoopt.tables.columnar import without_numbers
from autoopt.tables.text import refuse_duplicates


def parquet(path: Path, name: str, key: str | None) -> Stream:
    """Return the stream of a Parquet file."""
    module = imported("pyarrow.parquet", "parquet", "A Parquet file")
    with readable(name, "a Parquet file"), module.ParquetFile(path) as file:
        schema, footer = file.schema_arrow, file.metadata
        sizes = [footer.row_group(group).num_rows for group in range(footer.num_row_groups)]
    return _of_file("parquet", path, name, schema, sizes)


def feather(path: Path, name: str, key: str | None) -> Stream:
    """Return the stream of a file of Arrow."""
    module, ipc = imported("pyarrow", "parquet", "A Feather file"), imported("pyarrow.ipc", "parquet", "A Feather file")
    with readable(name, "a Feather file"), module.memory_map(str(path)) as mapped:
        file = ipc.open_file(mapped)
        schema = file.schema
        sizes = [len(file.get_batch(number)) for number in range(file.num_record_batches)]
    return _of_file("feather", path, name, schema, sizes)


def _of_file(kind: str, path: Path, name: str, schema: Any, sizes: list[int]) -> Stream:
    refuse_duplicates(name, schema.names)
    if not sum(sizes):
        raise NoRowsError(f"{name} has columns and no rows.", remedy="give a file with data.")
    recipe = {
        "kind": kind,
        "path": str(path.resolve()),
        "groups": list(range(len(sizes))),
        "sizes": sizes,
        "constants": {},
    }
    part = Part(name, recipe, sum(sizes), stamp=stamp_of(path))
    return Stream(name, dict.fromkeys(without_numbers(schema.names), 8), (part,), _kinds(schema))


def _kinds(schema: Any) -> dict[str, str]:
    """Return NumPy's kind of each column."""
    types = imported("pyarrow", "parquet", "A Parquet file").types
    kinds = {}
    for field in schema:
        kind = field.type
        if types.is_floating(kind) or types.is_decimal(kind):
            kinds[field.name] = "f"
        elif types.is_integer(kind):
            kinds[field.name] = "i"
        else:
            kinds[field.name] = "b" if types.is_boolean(kind) else "O"
    return kinds


@contextlib.contextmanager
def readable(name: str, kind: str) -> Iterator[None]:
    """Give pyarrow's errors as one message."""
    pyarrow = imported("pyarrow", "parquet", kind[0].upper() + kind[1:])
    try:
        yield
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(
            f"{name} cannot be read as {kind}: {str(error).splitlines()[0].rstrip('.')}.",
            remedy="check that it is whole, and what its name says.",
        ) from error


def of_dataset(dataset: Any) -> Stream:
    """Return the stream of a data set of pyarrow: by its files, or as a whole if some of their rows are left out."""
    name, schema = "The data set", dataset.schema
    refuse_duplicates(name, schema.names)
    kind = getattr(getattr(dataset, "format", None), "default_extname", "")
    with readable(name, "a data set"):
        rows = dataset.count_rows()
        try:
            fragments = list(dataset.get_fragments())
        except ValueError:  # some of their rows are left out
            parts = [Part(name, _scan(dataset, None, kind), rows)]
        else:
            parts = [
                Part(getattr(fragment, "path", name), _scan(fragment, schema, kind), fragment.count_rows())
                for fragment in fragments
            ]
    if not rows:
        raise NoRowsError(f"{name} has columns and no rows.", remedy="give one with data.")
    return Stream(name, dict.fromkeys(without_numbers(schema.names), 8), tuple(parts), _kinds(schema))


def _scan(of: Any, schema: Any, kind: str) -> Mapping[str, Any]:
    return {"kind": "scanned", "of": of, "schema": schema, "format": kind}


def of_lazy(frame: Any) -> Stream:
    """Return the stream of what a lazy frame of polars asks for, by its streaming engine."""
    polars = import_module("polars")
    if not hasattr(frame, "collect_batches"):
        raise DataError(
            f"Lazy frames of polars {polars.__version__} cannot be read in batches.",
            remedy='run pip install -U polars, or write it to a file: frame.sink_parquet("data.parquet").',
        )
    schema = frame.collect_schema()
    rows = int(frame.select(polars.len()).collect(engine="streaming").item())
    if not rows:
        raise DataError("The lazy frame has no rows.", remedy="give one with data.")
    kinds = {
        name: "f"
        if kind.is_float() or kind.is_decimal()
        else "i"
        if kind.is_integer()
        else "b"
        if kind == polars.Boolean
        else "O"
        for name, kind in schema.items()
    }
    part = Part("The lazy frame", {"kind": "polars", "frame": frame}, rows)
    return Stream("The lazy frame", dict.fromkeys(without_numbers(schema.names()), 8), (part,), kinds)
