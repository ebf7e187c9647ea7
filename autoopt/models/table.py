"""The table of models. A model is added by a file with a likelihood and an estimator, and one row beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """A likelihood with its estimator.

    Parameters
    ----------
    name : str
        Lower case, as users write it.
    description : str
        One line, without a full stop.
    response : str
        "binary" or "counts".
    negative_log_likelihood : callable
        (params, X, y, offset, weights) -> float, plain NumPy.
    estimator : type
        With scikit-learn's interface.
    """

    name: str
    description: str
    response: str
    negative_log_likelihood: Callable
    estimator: type


MODELS: dict[str, Model] = {}


def add(model: Model) -> None:
    """Enter a model under its name."""
    MODELS[model.name] = model
