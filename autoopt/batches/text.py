"""Text files with columns as streams: looked through once, as their rows are counted, and then read as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from autoopt.batches.parts import Part, stamp_of
from autoopt.batches.streams import Stream
from autoopt.tables.text import TextTable

_LOOKED = 1000
"""Rows that tell which columns are text, before the file has been gone through."""


def of_text(table: TextTable, name: str) -> Stream:
    """Return the stream of a text file."""
    first = table.first(table.names, _LOOKED)
    kinds = {
        column: "O"
        for column in table.names
        if len(first[column]) and getattr(first[column].dtype, "kind", "O") not in "biuf"
    }
    part = Part(name, _recipe(table, {}), stamp=stamp_of(table.layout.source.path))

    def surveyed(columns: Sequence[str]) -> Stream:
        of = table.survey(columns)
        types = {column: {"f": "float64", "i": "int64"}[kind] for column, kind in of.items() if kind in "fi"}
        counted = replace(part, recipe=_recipe(table, types), rows=table.rows)
        return replace(stream, parts=(counted,), kinds={**kinds, **of}, surveyed=None)

    stream = Stream(
        name, dict.fromkeys(table.names, 8), (part,), kinds, surveyed=surveyed,
        places=lambda part, rows: table.places(rows), syntax=table.layout.syntax,
    )  # fmt: skip
    return stream


def _recipe(table: TextTable, types: Mapping[str, str]) -> dict[str, Any]:
    layout = table.layout
    suffix = layout.source.compression.suffix if layout.source.compression else ""
    options = {
        "sep": r"\s+" if layout.is_blank else layout.delimiter, "decimal": layout.syntax.decimal,
        "thousands": layout.syntax.thousands,
    }  # fmt: skip
    return {
        "kind": "text", "path": str(layout.source.path.resolve()), "compression": suffix, "encoding": layout.encoding,
        "names": list(table.header), "types": dict(types), "options": options, "constants": {},
    }  # fmt: skip
