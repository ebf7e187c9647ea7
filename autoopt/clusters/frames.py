"""Frames of Dask as the arguments of an objective: which columns each is made of, and these as collections."""

from __future__ import annotations

from typing import Any

from autoopt.batches.layout import Given, Layout
from autoopt.batches.streams import Stream
from autoopt.errors import DataError, UsageError
from autoopt.wording import in_midst, listed

NAME = "The data frame"


def laid_out(frame: Any, arguments: Given | None) -> tuple[Layout, dict[str, Any]]:
    """Return the layout of the arguments, and the series, or the frame of some columns, of each.

    Parameters
    ----------
    frame : dask.dataframe.DataFrame
    arguments : mapping or sequence of str, optional
        As of `autoopt.batches`; without it each column is an argument.

    Raises
    ------
    DataError
        If a column is not there, or holds no numbers.
    UsageError
        If it is no frame.
    """
    if not hasattr(frame, "columns"):
        kind = type(frame).__name__
        raise UsageError(f"The data are one collection of Dask ({kind}), without a name.", remedy="give {'X': array}.")
    kinds = {str(name): "" if kind.kind in "biuf" else "O" for name, kind in frame.dtypes.items()}
    layout = Layout.of(arguments, (), Stream(NAME, dict.fromkeys(kinds, 8), (), kinds))
    if other := [name for name in layout.columns if kinds[name]]:
        raise DataError(
            f"{listed(other)} of {in_midst(NAME)} {'holds' if len(other) == 1 else 'hold'} no numbers.",
            remedy="say of which columns the arguments are made, or make numbers of these before, such as indicators.",
        )
    return layout, {
        name: frame[of] if isinstance(of, str) else frame[list(of)] for name, of in layout.arguments.items()
    }
