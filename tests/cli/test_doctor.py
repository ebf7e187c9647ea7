"""`autoopt doctor`: what is wrong is told with its remedy, and the exit status says so."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from autoopt import differences, doctor, extras
from autoopt.cli.main import main
from autoopt.designs.data import describe as described_by_fits

ROOT = Path(__file__).parents[2]


def run(*options):
    return CliRunner().invoke(main, ["doctor", *options])


@pytest.fixture
def quick(monkeypatch):
    """Nothing is computed."""
    for name in ("_machine_code", "_numba", "_derivatives", "_fit"):
        monkeypatch.setattr(doctor, name, lambda name=name: doctor.Finding(name, "fine"))


def test_all_is_well_here():
    outcome = run("--json")
    told = json.loads(outcome.stdout)
    wrong = [one for one in told["findings"] if one["state"] == "wrong"]
    assert (outcome.exit_code, told["ok"], wrong) == (0, True, [])
    names = [one["name"] for one in told["findings"]]
    assert {"Python", "numpy", "BLAS", "threads", "cache", "machine code", "numba", "derivatives", "fit"} <= set(names)


def raising():
    raise OSError("no such library: libLLVM")


BREAKAGES = {
    "an old release": (
        lambda patch: patch.setattr(doctor, "_version", lambda package: "1.0"),
        "1.0, where <",
        "pip install 'numpy",
    ),
    "a missing package": (
        lambda patch: patch.setattr(doctor, "_version", lambda package: ""),
        "not installed",
        "pip install 'scipy",
    ),
    "a fit that fails": (lambda patch: patch.setattr(doctor, "_fit", raising), "no such library", "report it"),
    "wrong derivatives": (
        lambda patch: patch.setattr(differences, "directional", lambda *given: (np.ones(2), np.zeros(2))),
        "is wrong",
        "report it",
    ),
}


@pytest.mark.parametrize("name", BREAKAGES)
def test_what_is_wrong_is_1_with_its_remedy(monkeypatch, name, request):
    breaks, said, remedy = BREAKAGES[name]
    if name != "wrong derivatives":
        request.getfixturevalue("quick")
    breaks(monkeypatch)
    outcome = run()
    assert outcome.exit_code == 1 and outcome.stdout.endswith("Something is wrong.\n")
    assert said in outcome.stdout and f"To fix this: {remedy}" in outcome.stdout


@pytest.mark.parametrize(("mode", "status"), [(0o700, 0), (0o777, 1)])
def test_cache_that_others_can_write_is_wrong(quick, tmp_path, monkeypatch, mode, status):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(mode)
    monkeypatch.setenv("AUTOOPT_CACHE", str(tmp_path / "cache"))
    outcome = run()
    assert outcome.exit_code == status and f"mode {mode:o}" in outcome.stdout
    assert ("chmod go-w" in outcome.stdout) == bool(status)


def test_packages_that_do_not_take_one_another_are_wrong(quick, monkeypatch):
    """As after `pip install numpy==...` beside a SciPy of before."""
    own = doctor.metadata.requires
    limits = {"scipy": ["numpy<1.9,>=1.5"], "numba": ['numpy<1.0; extra == "old"', 'numpy<1.0; python_version < "3"']}
    monkeypatch.setattr(doctor.metadata, "requires", lambda name: limits.get(name) or own(name))
    outcome = run()
    assert outcome.exit_code == 1 and f"takes numpy<1.9,>=1.5, and {np.__version__} is installed" in outcome.stdout
    assert "numba" not in outcome.stdout.partition("takes numpy")[2].partition("\n")[0]
    assert "To fix this: pip install --upgrade numpy scipy" in outcome.stdout


def test_data_are_described_as_fits_read_them(quick, tmp_path):
    file = tmp_path / "d.csv"
    file.write_text("age;town\n1,5;Ulm\n;Bonn\n")
    outcome = run("--data", str(file), "--delimiter", ";", "--decimal", ",")
    assert str(described_by_fits(file, {"delimiter": ";", "decimal": ","})) in outcome.stdout
    told = json.loads(run("--json", "--data", str(file), "--delimiter", ";", "--decimal", ",").stdout)
    assert told["data"]["columns"][0]["missing"] == 1 and told["data"]["rows"] == 2


def test_cache_that_cannot_be_written_is_wrong(quick, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AUTOOPT_CACHE", str(tmp_path / "file" / "cache"))
    outcome = run()
    assert outcome.exit_code == 1 and "cannot be written: Not a directory" in outcome.stdout


def test_extra_that_is_not_there_is_no_fault_and_has_its_pip_line(quick, monkeypatch):
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    outcome = run()
    assert outcome.exit_code == 0
    assert 'no pyarrow, for Parquet and Feather files: pip install "autoopt[parquet]"' in outcome.stdout


@pytest.mark.skipif(not (ROOT / "setup.py").exists(), reason="beside an installed wheel there is no setup.py")
def test_table_of_extras_is_that_of_the_packaging():
    tree = ast.parse((ROOT / "setup.py").read_text(encoding="utf-8"))
    named = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)}
    packaged = ast.literal_eval(named["EXTRAS"]) | {
        name: ast.literal_eval(named[name.upper()]) for name in ("ipopt", "ray")
    }
    assert set(packaged) == set(extras.EXTRAS)
    for name, (module, _) in extras.EXTRAS.items():
        assert packaged[name][0].startswith(module), name
