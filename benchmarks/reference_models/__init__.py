"""The reference models: objectives as users write them, and the derivative that an expert writes.

A file each: `objective(params, *data)` in plain NumPy; `value_and_grad(params, *data)` by hand, both
short and fast (value and gradient get their names before they are returned, as in ours); and
`start(rng)`, which returns x0 and the data at a realistic size. `benchmarks.exported` and
`tests/exporting/test_reference_models.py` compare with them what autoopt writes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.reference_models import (
    cox,
    garch,
    gp_cholesky,
    gp_slogdet,
    hmm,
    kalman,
    least_squares,
    logistic,
    mixture,
    negative_binomial,
    nested_logit,
    network,
    poisson,
    rosenbrock,
    softmax,
    softmax_shifted,
    weibull_aft,
)

SEED = 15


@dataclass(frozen=True)
class Model:
    """A reference model: what its file holds."""

    name: str
    objective: Callable[..., float]
    by_hand: Callable[..., tuple[float, Any]]
    start: Callable[[np.random.Generator], tuple[Any, tuple]]

    @classmethod
    def of(cls, module: ModuleType) -> Model:
        """Return the model of a file, named for it."""
        name = module.__name__.rpartition(".")[2].replace("_", "-")
        return cls(name, module.objective, module.value_and_grad, module.start)

    def started(self) -> tuple[Any, tuple]:
        """Return x0 and the data, always the same."""
        return self.start(np.random.default_rng(SEED))


MODELS: dict[str, Model] = {
    model.name: model
    for model in map(
        Model.of,
        [
            logistic,
            poisson,
            softmax,
            softmax_shifted,
            least_squares,
            weibull_aft,
            cox,
            negative_binomial,
            gp_cholesky,
            gp_slogdet,
            network,
            nested_logit,
            hmm,
            kalman,
            garch,
            mixture,
            rosenbrock,
        ],
    )
}
