"""Slices of the runs over mutants, healthy points, exported modules and kills, and that each notices what is wrong.

The whole runs are commands: `python tests/properties/long_mutations.py`, `long_healthy.py`, `long_exported.py` and
`long_kills.py`.
"""

from __future__ import annotations

import contextlib

import long_exported
import long_healthy
import long_kills
import long_mutations
import numpy as np
import pytest
from corpus import CASES
from mutants import Mutant, mutants_of, rule_mutants

CORPUS = {case.name: case for case in CASES}


# Mutants --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def softmax():
    """A model whose code has sums along axes, products, branches and an idiom or two."""

    def f(x):
        z = x.reshape(3, 2)
        shifted = np.where(z > 0.1, z, 0.5 * z) - np.max(z, axis=1, keepdims=True)
        return np.sum(np.log(np.sum(np.exp(shifted), axis=1)) ** 2) + np.cumsum(x)[2:] @ x[2:]

    model = long_mutations.Model("softmax", f, np.array([0.3, -0.4, 0.8, 0.2, -0.1, 0.6]))
    assert model.learn()
    return model


def caught(pairs) -> dict:
    """Run mutants; none that changes a result may survive."""
    told = []
    counts = long_mutations.run(iter(pairs), told.append)
    assert not [line for line in told if line.startswith("survived")], told
    return counts


@pytest.mark.parametrize("function", [np.cumsum, np.hypot], ids=lambda function: function.__name__)
@pytest.mark.slow
def test_broken_rules_are_caught(function):
    def f(x):
        return np.sum(np.sin(function(x) if function is np.cumsum else function(x[:2], x[1:])))

    model = long_mutations.Model("few", f, np.array([0.3, -0.4, 0.8]))
    assert model.learn()
    operands = long_mutations.known_operands(("rule", function, f"np.{function.__name__}"), [model])
    counts = caught((mutant, [model]) for mutant in rule_mutants(function, operands))["rule"]
    assert counts["caught at x0"] >= 6


@pytest.mark.slow
def test_broken_printers_and_idioms_are_caught(softmax):
    uses = sorted(softmax.uses, key=lambda use: use[2])
    printers, idioms = ([use for use in uses if use[0] == kind] for kind in ("printer", "idiom"))
    chosen = [mutant for k, use in enumerate(printers[::5]) for mutant in mutants_of(*use)[k % 2 :: 3]]
    chosen += [mutant for use in idioms[::2] for mutant in mutants_of(*use)[:2]]
    counts = caught((mutant, [softmax]) for mutant in chosen)
    assert all(counts[kind]["caught at x0"] for kind in ("printer", "idiom")), counts


@pytest.mark.slow
def test_what_is_not_broken_is_the_same(softmax):
    assert long_mutations.judged(Mutant("rule", "none", "none", contextlib.nullcontext), softmax).word == "same"


@pytest.mark.slow
def test_a_survivor_is_told_with_what_differs(softmax, monkeypatch):
    monkeypatch.setattr(long_mutations, "is_caught", lambda objective, x: False)
    monkeypatch.setattr(long_mutations, "after_a_run", lambda model: "survived")
    told = []
    mutants = [mutant for mutant in rule_mutants(np.log, 1) if mutant.change == "sign"]
    counts = long_mutations.run(iter([(mutants[0], [softmax])]), told.append)
    assert (
        counts["rule"]["survived"] == 1 and "gradient at x0 by" in told[0] and "0.00%" in long_mutations.table(counts)
    )


# Healthy points -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_right_derivatives_raise_no_alarm():
    told = []
    counts = long_healthy.run([CORPUS[name] for name in ("gompertz", "ackley", "tsne")], told.append)
    assert told == [] and counts["healthy"] >= 12


@pytest.mark.parametrize("method", ["value_and_grad", "hessp"])
def test_wrong_derivatives_raise_one(monkeypatch, method):
    right = getattr(long_healthy.Objective, method)

    def wrong(self, x, *more):
        found = right(self, x, *more)
        return (found[0], 1.001 * found[1]) if method == "value_and_grad" else 1.001 * found

    monkeypatch.setattr(long_healthy.Objective, method, wrong)
    told = []
    counts = long_healthy.run([CORPUS["gompertz"]], told.append)
    assert counts["alarm"] and not counts["healthy"] and "is wrong" in told[0]


# Exported modules -----------------------------------------------------------------------------------------------------

EXPORTED = "ackley", "clayton_copula", "poisson_frame", "negative_binomial"


@pytest.fixture
def exported(tmp_path, monkeypatch):
    """What comes of a few modules, by what is done with them, where much cannot be imported."""

    def run(edit=lambda text: text):
        own = long_exported.exported
        monkeypatch.setattr(long_exported, "exported", lambda case: (edit(own(case)[0]), own(case)[1]))
        told = []
        counts, _ = long_exported.run([CORPUS[name] for name in EXPORTED if name in CORPUS], tmp_path, told.append, {})
        return counts, told

    return run


@pytest.mark.slow
def test_exported_modules_run_without_autoopt(exported):
    counts, told = exported()
    assert counts["x0", "agrees"] == counts["beside", "agrees"] == counts["self-test", "passes"] == counts["modules"]
    assert not [line for line in told if "refused" not in line]


@pytest.mark.slow
def test_exported_modules_that_are_wrong_or_import_more_are_told(exported):
    counts, told = exported(lambda text: text.replace("import numpy as np", "import numpy as np\nimport pytensor"))
    assert counts["import", "wrong"] == counts["modules"] and "No module named 'pytensor'" in told[0]


# Kills ----------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_fits_that_were_killed_go_on_to_the_same_answer():
    told = []
    counts = long_kills.run(2, 3, told.append)
    assert counts == {"the same answer": 2}, told
    assert not all("nothing was written" in line for line in told), told
