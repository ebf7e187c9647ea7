"""Parquet and Feather files, by pyarrow: their columns are read when they are asked for."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from autoopt.errors import DataError, NoRowsError
from autoopt.extras import imported
from autoopt.stages import stage
from autoopt.tables.dataset import Dataset
from autoopt.tables.source import Source
from autoopt.tables.text import refuse_duplicates

_NUMBERS_OF_ROWS = re.compile("__index_level_[0-9]+__|__null_dask_index__")


def without_numbers(names: Iterable[str]) -> list[str]:
    """Return names of columns without the numbers of rows, which pandas and Dask store as columns if they have no name.

    >>> without_numbers(["age", "__index_level_0__"])
    ['age']
    """
    return [name for name in names if not _NUMBERS_OF_ROWS.fullmatch(name)]


def parquet(source: Source, options: Mapping[str, str]) -> Dataset:
    """Return the columns of a Parquet file."""
    module = imported("pyarrow.parquet", "parquet", "A Parquet file")
    return _columns(
        source,
        "Parquet",
        lambda file: module.ParquetFile(file).schema_arrow.names,
        lambda file, names: module.read_table(file, columns=names),
    )


def feather(source: Source, options: Mapping[str, str]) -> Dataset:
    """Return the columns of a Feather file."""
    module, ipc = (imported(f"pyarrow.{name}", "parquet", "A Feather file") for name in ("feather", "ipc"))
    return _columns(
        source,
        "Feather",
        lambda file: ipc.open_file(file).schema.names,
        lambda file, names: module.read_table(file, columns=names),
    )


def _columns(source: Source, kind: str, named: Callable, columns: Callable) -> Dataset:
    with _opened(source, kind) as file:
        names = without_numbers(map(str, named(file)))
    refuse_duplicates(source.name, names)

    def read(wanted: Sequence[str]) -> dict[str, Any]:
        with stage(f"reading {source.name}", source.far), _opened(source, kind) as file:
            table = columns(file, list(wanted))
            if not len(table):
                raise NoRowsError(f"{source.name} has columns and no rows.", remedy="give a file with data.")
            return {name: table.column(name).to_pandas() for name in wanted}

    return Dataset(source.name, names, read, table=True)


@contextlib.contextmanager
def _opened(source: Source, kind: str) -> Iterator[Any]:
    """Give the file; pyarrow's errors become one message."""
    pyarrow = imported("pyarrow", "parquet", f"A {kind} file")
    try:
        with source.opened() as file:
            yield file if source.compression is None else io.BytesIO(file.read())
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError) as error:
        raise DataError(
            f"{source.name} cannot be read as a {kind} file: {str(error).splitlines()[0].rstrip('.')}.",
            remedy="check that it is whole, and what its name says.",
        ) from error
