"""A module is compared with the objective where it was traced and beside that, before anybody sees it."""

from __future__ import annotations

import numpy as np
import pytest

from autoopt.errors import AutooptError
from autoopt.execution.modules import executed
from autoopt.exporting.agreement import require_same
from autoopt.exporting.module import source
from autoopt.exporting.signature import Signature
from autoopt.graph.kinds import kind_of
from autoopt.objectives.objective import Objective

X = np.random.default_rng(6).normal(size=(30, 3))


def loss(w, X):
    return np.sum(np.cosh(X @ w)) + w @ w


WRONG = {
    "gradient": ("2.0 * w", "3.0 * w"),
    "value": ("w @ w", "0.0"),
    "sign": ("2.0 * w", "-2.0 * w"),
    "raises": ("    return value, gradient", "    np.linalg.inv(np.zeros((3, 3)))\n    return value, gradient"),
}


@pytest.fixture(scope="module")
def module() -> tuple:
    objective, kinds = Objective(loss, np.zeros(3), (X,)), [kind_of("gradient")]
    signature = Signature.of(loss, objective.args, objective.inputs("gradient"), 1)
    return source(loss, np.zeros(3), (X,)), objective, signature, kinds


def test_the_module_as_it_was_written_agrees(module) -> None:
    text, *others = module
    names = executed(text, "exported")
    require_same(names, *others)
    assert callable(names["value_and_grad"])


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_beside_zeros_alone_is_seen(name, module) -> None:
    text, *others = module
    old, new = WRONG[name]
    assert old in text
    with pytest.raises(AutooptError, match="value_and_grad of the exported module does not give"):
        require_same(executed(text.replace(old, new), "exported"), *others)
