"""result.json is what runs/result.schema.json says: a checker of the few words that the schema uses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import autoopt
from autoopt.runs import run as runs
from autoopt.runs.checkpoint import lines

SCHEMA = json.loads(Path(runs.__file__).with_name("result.schema.json").read_text(encoding="utf-8"))

_TYPES = {
    "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int,
    "number": int | float,
}  # fmt: skip
_WORDS = {"$schema", "title", "description", "type", "required", "properties", "items", "const", "enum"}


def faults(value, schema, place="result") -> list[str]:
    """Return where a value is not as a JSON schema says."""
    assert set(schema) <= _WORDS, "a word that this checker does not know"
    if "const" in schema and value != schema["const"]:
        return [f"{place} is {value!r}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{place} is {value!r}"]
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(
        isinstance(value, _TYPES[kind]) and (kind == "boolean" or value is not True) for kind in kinds
    ):
        return [f"{place} is of type {type(value).__name__}"]
    found = []
    if isinstance(value, dict):
        found += [f"{place} has no {name}" for name in schema.get("required", ()) if name not in value]
        for name, part in schema.get("properties", {}).items():
            found += faults(value[name], part, f"{place}.{name}") if name in value else []
    if isinstance(value, list) and "items" in schema:
        found += [fault for k, part in enumerate(value) for fault in faults(part, schema["items"], f"{place}[{k}]")]
    return found


def test_the_checker_sees_faults():
    right = {"schema": 1, "run": {}, "status": "converged", "error": None}
    assert faults(right, SCHEMA)[0] == "result.run has no began"
    assert "result.schema is 2" in faults({**right, "schema": 2}, SCHEMA)
    assert "result.nit is of type str" in faults({**right, "nit": "3"}, SCHEMA)
    assert "result.params[1] is of type str" in faults({**right, "params": [1.0, "x"]}, SCHEMA)
    assert "result.nobs is of type bool" in faults({**right, "nobs": True}, SCHEMA)


Y = np.array([1.0, 2.0, 4.0, 7.0])


def normal(p, y):
    return np.sum(0.5 * ((y - p[0]) / np.exp(p[1])) ** 2 + p[1])


def undefined_soon(p):
    if p[0] < 2.5:
        raise KeyError("no such thing")
    return p[0] ** 2


def stopping(event):
    raise KeyboardInterrupt


RUNS = {
    "converged": (normal, [0.0, 0.0], (Y,), {"kind": "negative log-likelihood"}),
    "not converged": (normal, [0.0, 0.0], (Y,), {"method": "bfgs", "options": {"maxiter": 2}}),
    "not identified": (lambda p: (p[0] + p[1] - 1.0) ** 2, [0.0, 0.0], None, {"kind": "negative log-likelihood"}),
    "interrupted": (normal, [0.0, 0.0], (Y,), {"progress": stopping}),
    "failed": (undefined_soon, [3.0], None, {"method": "cg"}),
}


@pytest.mark.parametrize("status", RUNS)
def test_each_result_is_as_the_schema_says(status, tmp_path):
    function, x0, data, options = RUNS[status]
    try:
        autoopt.fit(function, x0, data, run_dir=tmp_path, **options)
    except BaseException as stop:
        assert status in ("interrupted", "failed"), stop
    told = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert faults(told, SCHEMA) == [] and told["status"] == status
    assert set(told) <= set(SCHEMA["properties"]), "describe what is new in autoopt/runs/result.schema.json"
    assert set(told["run"]) <= set(SCHEMA["properties"]["run"]["properties"])
    assert set(SCHEMA["properties"]) <= set(told)
    assert told["error"] is None or "no such thing" in told["error"]
    for line in lines(tmp_path / "history.jsonl"):
        assert list(line) == ["iteration", "value", "gradient_norm", "seconds", "phase"]


def test_the_schema_is_of_the_version_that_is_written():
    assert SCHEMA["properties"]["schema"]["const"] == runs.RESULT_SCHEMA
