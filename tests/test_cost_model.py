"""What `benchmarks.cost_model` reckons, and what `benchmarks.passes` counts."""

import numpy as np
import pytest

from benchmarks import cost_model, passes
from benchmarks.cost_model import Fit, Machine
from benchmarks.row_models import logistic

PLAIN = Machine(
    cores=2, read=8.0, product=4.0, square=1.0, functions=0.5, load=2.0, decode=2.0, network=8.0, latency=1.0, task=3.0
)


def test_a_machine_alone_sends_nothing_and_takes_the_longer_of_memory_and_arithmetic():
    fit = Fit(rows=10, columns=4, machines=1, machine=PLAIN)
    assert fit.reading() == 8 * 10 * 5 / 8
    assert fit.gradient_work() == 10 * (4 * 4 / 4 + 0.5) / 2
    assert fit.gradient() == max(fit.reading(), fit.gradient_work()) == 50
    assert fit.hessian_work() == 10 * (2 * 4 / 4 + 0.5 + 4 * 5) / 2
    assert fit.hessian() == 10 * (4 * 4 / 4 + 2 * 0.5 + 4 * 5) / 2
    assert fit.loading() == 8 * 10 * 5 / 2


def test_sums_of_machines_go_up_a_tree_and_parameters_down():
    fit = Fit(rows=10, columns=4, machines=5, machine=PLAIN)
    assert fit.tree(4) == 3 * (1 + 8 * 4 / 8 + 1 + 8 * 4 / 8)
    assert fit.tasks(5) == 15
    assert fit.gradient() == 8 * 10 * 5 / 5 / 8 + fit.tree(4) + 15


def test_tables_say_where_every_constant_is_from(capsys):
    cost_model.main(["--rows", "1e6", "--columns", "5", "--machines", "1"])
    printed = capsys.readouterr().out
    assert "1e+06 rows of 5 columns on 1 machines" in printed
    assert {name for name, *_ in cost_model.SOURCES} == set(Machine.__dataclass_fields__)
    assert all(source.startswith(("measured", "assumed")) for *_, source in cost_model.SOURCES)


@pytest.mark.parametrize("method", ["l-bfgs-b", "newton-cg", "trust-region"])
def test_passes_are_those_that_a_method_makes(method, monkeypatch):
    monkeypatch.setattr(passes, "ROWS", 200)
    _, start, _ = passes.CASES["logistic"]
    monkeypatch.setitem(passes.CASES, "few", (logistic, start, (3,)))
    name, told, *numbers = passes.row("few", method)
    iterations, values, hessians, products, all_passes, at_once = map(int, numbers)
    assert (name, told) == ("few", method)
    assert values > iterations > 0 and all_passes == values + hessians + products and at_once == values + products
    assert (hessians > 0) == (method == "trust-region") and (products > 0) == (method == "newton-cg")


def test_columns_in_common_are_correlated():
    _, (X, _) = passes.CASES["logistic, correlated"][1](np.random.default_rng(0), 4000, 3)
    assert np.corrcoef(X.T)[0, 1] == pytest.approx(0.9, abs=0.02)
