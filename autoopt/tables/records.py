"""JSON: a record to a line, or an array of records."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from autoopt.errors import DataError
from autoopt.stages import stage
from autoopt.tables.dataset import Dataset
from autoopt.tables.source import Source

_REMEDY = 'write records, {"age": 31, "city": "Bonn"}: one to a line (.jsonl), or all in an array (.json).'


def json_lines(source: Source, options: Mapping[str, str]) -> Dataset:
    """Return the columns of a file with a record to a line; a key that a record lacks is a missing value."""
    records, lines = [], []
    with (
        stage(f"reading {source.name}", lambda: f"{len(lines)} rows, {source.far()}"),
        source.text(_encoding(options)) as text,
    ):
        for number, line in enumerate(text, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except ValueError as error:
                raise DataError(f"{source.name}, line {number} is not JSON: {error}.", remedy=_REMEDY) from error
            records.append(_checked(record, f"{source.name}, line {number}"))
            lines.append(number)
    return _table(source, records, lambda rows: [f"line {lines[row]}" for row in rows])


def json_records(source: Source, options: Mapping[str, str]) -> Dataset:
    """Return the columns of a file with an array of records, or with an object of columns, all of one length."""
    with stage(f"reading {source.name}", source.far), source.opened() as file:
        try:
            whole = json.loads(file.read().decode(_encoding(options)))
        except ValueError as error:
            if isinstance(error, json.JSONDecodeError) and error.msg == "Extra data":
                raise DataError(
                    f"{source.name} holds more than one JSON value.",
                    remedy="name a file with a record to a line .jsonl.",
                ) from error
            raise DataError(f"{source.name} is not JSON: {error}.", remedy=_REMEDY) from error
    if isinstance(whole, dict):
        lengths = {len(column) if isinstance(column, list) else -1 for column in whole.values()}
        if len(lengths) != 1 or -1 in lengths:
            raise DataError(f"{source.name} holds no records, nor columns of one length.", remedy=_REMEDY)
        whole = [dict(zip(whole, row, strict=True)) for row in zip(*whole.values(), strict=True)]
    if not isinstance(whole, list):
        raise DataError(f"{source.name} holds no records.", remedy=_REMEDY)
    records = [_checked(record, f"{source.name}, record {number}") for number, record in enumerate(whole)]
    return _table(source, records, lambda rows: [f"record {row}" for row in rows])


def _encoding(options: Mapping[str, str]) -> str:
    return options.get("encoding", "utf-8-sig")


def _checked(record: Any, where: str) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise DataError(f"{where} is no record: {json.dumps(record)[:40]}.", remedy=_REMEDY)
    return record


def _table(source: Source, records: Sequence[dict[str, Any]], places: Any) -> Dataset:
    import pandas as pd

    if not records:
        raise DataError(f"{source.name} has no records.", remedy="give a file with data.")
    names = list(dict.fromkeys(name for record in records for name in record))
    columns = {name: pd.Series([record.get(name) for record in records]) for name in names}
    return Dataset.of(source.name, columns, table=True, places=places)
