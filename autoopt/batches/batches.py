"""Data as batches of rows, read again for each pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autoopt.errors import DataError, UsageError
from autoopt.stages import stage
from autoopt.wording import in_midst

if TYPE_CHECKING:
    from autoopt.batches.layout import Given, Layout
    from autoopt.batches.parts import Part
    from autoopt.batches.reading import Reading

Progress = Callable[[int, "int | None"], None]
"""Is called with the rows that have been read in a pass, and how many there are, None as long as that is not known."""

SIZE = 16_000_000
"""Bytes of a batch: so many that what is done once for each takes no time, so few that some of them take no memory."""


class Batches:
    """Rows of data that are read in batches, as often as they are gone through.

    ``for batch in data`` is one pass: each batch is a dict of arrays by the names of the objective's arguments.

    Attributes
    ----------
    passes : int
        How often all rows have been read.
    dropped : int
        Rows that the last pass left out, as they lack a value that is used.
    layout : Layout
        How the arguments are made of the columns.
    """

    __batches__ = True
    """What tells objectives that an argument stands for all that are named in its layout."""

    def __init__(self, reading: Reading, read_ahead: int, progress: Progress | None) -> None:
        self.passes = 0
        self.dropped = 0
        self._reading, self._read_ahead, self._progress = reading, read_ahead, progress
        self._rows = None if reading.drops else reading.stream.rows

    def __repr__(self) -> str:
        rows = "rows not counted yet" if self._rows is None else f"{self._rows} rows"
        return f"<autoopt.Batches of {self.name}: {rows}, {', '.join(self.names)}>"

    @property
    def name(self) -> str:
        """What the rows are read of, for messages."""
        return self._reading.stream.name

    @property
    def layout(self) -> Layout:
        """How the arguments are made of the columns."""
        return self._reading.layout

    @property
    def names(self) -> list[str]:
        """The arguments that a batch has."""
        return list(self.layout.arguments)

    @property
    def columns(self) -> list[str]:
        """The columns of the source."""
        return self._reading.stream.names

    @property
    def dtypes(self) -> dict[str, np.dtype]:
        """The types of the arguments: those of the first batch, which is read for it if none has been."""
        if not self._reading.types:
            self.head(1)
        return {name: kind for name, (kind, _) in self._reading.types.items()}

    @property
    def rows(self) -> int:
        """How many rows a pass has; where no file says so, they are counted by one pass."""
        self._survey()
        if self._rows is None:
            for _ in self:
                pass
        assert self._rows is not None
        return self._rows

    def arranged(self, arguments: Given | None, floats: Sequence[str] = ()) -> Batches:
        """Return the same rows, with other arguments made of the columns."""
        return Batches(self._reading.arranged(arguments, floats), self._read_ahead, self._progress)

    def __iter__(self) -> Iterator[dict[str, np.ndarray]]:
        from autoopt.batches.ahead import ahead
        from autoopt.batches.reading import rows_in

        self._survey()
        stream, done, dropped = self._reading.stream, 0, 0
        total = "" if stream.rows is None else f" of {stream.rows}"
        with stage(f"reading {in_midst(self.name)}", lambda: f"{done + dropped}{total} rows"):
            for batch, out in ahead(self._reading.batches(stream.parts), self._read_ahead):
                many = rows_in(batch)
                done, dropped = done + many, dropped + out
                if self._progress is not None:
                    self._progress(done + dropped, stream.rows)
                if many:
                    yield batch
        self._finish(done, dropped)

    def _finish(self, done: int, dropped: int) -> None:
        """Note a pass that has come to its end."""
        if not done:
            raise DataError(
                f"No row of {in_midst(self.name)} has all values.", remedy="leave out a column that lacks many."
            )
        if self._rows is not None and done != self._rows:
            raise DataError(
                f"{self.name} has {done} rows in this pass, and had {self._rows} before.",
                remedy="give the same rows in every pass, in the same order.",
            )
        self._rows, self.dropped = done, dropped
        self.passes += 1

    def _survey(self) -> None:
        """Count the rows of text files."""
        if self._reading.survey() and not self._reading.drops:
            self._rows = self._reading.stream.rows

    # Some of the rows -------------------------------------------------------------------------------------------------

    def head(self, rows: int) -> dict[str, np.ndarray]:
        """Return the arguments of the first rows, as many as there are."""
        from autoopt.batches.sampling import first

        self._refuse_once()
        self._survey()
        return first(self._reading, rows)

    def sample(self, rows: int, seed: int) -> dict[str, np.ndarray]:
        """Return the arguments of some rows of all the data, in their order; all rows if there are no more.

        They are drawn from what stands around some random places, one in each sixteenth of the data (more, if the files
        are small), so that of files no more is read than the groups of rows with these places.
        """
        from autoopt.batches.sampling import spread

        self._refuse_once()
        if rows >= self.rows:
            return self.whole()
        return spread(self._reading, rows, self.rows + self.dropped, np.random.default_rng(seed))

    def whole(self) -> dict[str, np.ndarray]:
        """Return the arguments of all rows, in memory."""
        from autoopt.batches.reading import joined

        return joined(list(self))

    def parts(self, many: int = 1) -> list[Part]:
        """Return at least so many parts, if the files can be divided so, each to be read by itself.

        They can be pickled, and read on machines that see the same files; data that are in memory travel with them.
        """
        self._survey()
        stream = self._reading.stream
        if not stream.is_portable:
            raise UsageError(f"{self.name} makes its rows here, and they cannot be made elsewhere.",
                             remedy="write them to Parquet files, and give these.")  # fmt: skip
        if self._reading.drops:
            raise UsageError(
                "Parts with missing='drop' have no fixed number of rows.", remedy="leave the rows out before."
            )
        from autoopt.batches.arrays import recipe_of

        rows = max(1, self.rows // max(1, many))
        found = []
        for part in (part for whole in stream.parts for part in whole.divided(rows)):
            recipe = dict(part.recipe)
            if "arrays" in recipe:
                begin, stop = recipe["begin"], recipe["stop"]
                arrays = {name: recipe["arrays"][name] for name in self.layout.columns}
                recipe["arrays"] = {name: recipe_of(array, begin, stop) for name, array in arrays.items()}
            found.append(replace(part, recipe=recipe, layout=self.layout.as_plain, size=self._reading.size))
        return found

    def _refuse_once(self) -> None:
        if self._reading.stream.is_once:
            raise UsageError(f"{self.name} can be gone through once, and is needed more often.",
                             remedy="pass the function that makes it.")  # fmt: skip


def batches(
    source: Any,
    arguments: Given | None = None,
    *,
    size: int = SIZE,
    missing: str = "raise",
    floats: Sequence[str] = (),
    key: str | None = None,
    reading: Mapping[str, str] | None = None,
    once: bool = False,
    read_ahead: int = 1,
    progress: Progress | None = None,
) -> Batches:
    """Return data as batches of rows, which are read anew for each pass, so that they need not fit into memory.

    Parameters
    ----------
    source : object
        A path, a pattern such as ``"part-*.parquet"``, a list of paths, a folder: Parquet, Feather, CSV, TSV, .npy,
        .npz, Zarr, HDF5. An array, a memory map, a dict or tuple of arrays. A frame of pandas or polars, a table or
        data set of pyarrow, a lazy frame of polars, an array or group of Zarr or h5py. A generator function, or
        anything else that gives its batches (dicts of arrays, frames, tuples, arrays) each time that it is iterated.
    arguments : mapping or sequence of str, optional
        The objective's arguments: ``{"X": ["a", "b"], "y": "y"}``; several columns are a matrix of float64, ``...``
        stands for all columns that no other argument takes and that are no text. Names alone are those of columns, or
        of arrays that have none, in their order. Without it each column is an argument.
    size : int
        Bytes of a batch, roughly.
    missing : {"raise", "drop"}
        What becomes of rows that lack a value in a column that is used.
    floats : sequence of str
        Arguments of one column that are float64 even where it has whole numbers.
    key : str, optional
        Which group or array of a Zarr store or an HDF5 file.
    reading : mapping, optional
        How text files are read: "delimiter", "encoding", "decimal", "thousands".
    once : bool
        Whether an iterator that ends with its first pass is enough.
    read_ahead : int
        Batches that are read while the last one is worked on, and wait; 0 reads each when it is asked for.
    progress : callable, optional
        Is called with the number of rows that have been read in a pass, and how many there are (None if not known).

    Returns
    -------
    Batches

    Raises
    ------
    DataError
        If there are no such data, or columns; while they are read, if a value that is used is missing or no number, if
        columns change their type, or if a file changes. It names file and row.
    UsageError
        If the source can be gone through once only, or a package is missing that reads it.

    Examples
    --------
    >>> import numpy as np
    >>> data = batches({"X": np.ones((1000, 3)), "y": np.arange(1000.0)}, size=10_000)
    >>> data.rows, sum(float(batch["y"].sum()) for batch in data), data.passes
    (1000, 499500.0, 1)
    """
    from autoopt.batches.layout import Layout
    from autoopt.batches.opening import opened
    from autoopt.batches.reading import Reading
    from autoopt.tables.completeness import check

    check(missing)
    for name, number, least in (("size", size, 1), ("read_ahead", read_ahead, 0)):
        if not isinstance(number, int | np.integer) or number < least:
            raise UsageError(f"{name} is {number!r}.", remedy=f"give a whole number from {least} on.")
    stream = opened(source, key, reading, once)
    layout = Layout.of(arguments, floats, stream)
    return Batches(Reading(stream, layout, int(size), missing == "drop"), int(read_ahead), progress)
