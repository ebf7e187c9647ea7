"""Each constant of `benchmarks.machine_constants` is measured, with small arrays."""

import json

import pytest

from benchmarks import machine_constants

NEEDS = {"Parquet": "pyarrow", "Dask": "distributed"}
SLOW = ("Dask", "1024x1024")


CASES = [
    pytest.param(name, marks=[pytest.mark.slow] * any(part in name for part in SLOW))
    for name in machine_constants.CONSTANTS
]


@pytest.mark.parametrize("name", CASES)
def test_constant_is_a_number(name, monkeypatch, capsys):
    for part, package in NEEDS.items():
        if part in name:
            pytest.importorskip(package)
    monkeypatch.setattr(machine_constants, "ROUNDS", 1)
    monkeypatch.setattr(machine_constants, "ROWS", 2000)
    monkeypatch.setattr(machine_constants, "PIECES", 1)
    machine_constants.tell(name)
    assert json.loads(capsys.readouterr().out)["number"] > 0
