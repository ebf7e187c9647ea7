"""The table of models. A model is added by a file with a likelihood and an estimator, and one row beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from autoopt.models.forms import Form


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
        What y is: "binary", "classes", "counts", ...
    likelihood : callable
        Plain NumPy: minus its logarithm, (eta, y, *ancillary) -> (m,) terms by row, or the sum of them,
        (params, X, y, offset, weights) -> number.
    estimator : type
        With scikit-learn's interface.
    sample : tuple
        Responses as the terms take them, for which their derivatives are printed; empty if the likelihood is a sum.
    ancillary : tuple of k float
        Ancillary parameters at which the terms are defined.
    form : Form or None
        How `autoopt.fit` fits the model by its name; None where it does not.
    """

    name: str
    description: str
    response: str
    likelihood: Callable
    estimator: type
    sample: tuple = ()
    ancillary: tuple[float, ...] = ()
    form: Form | None = None

    @property
    def terms_by_row(self) -> bool:
        """Whether the likelihood is stated row by row, so that its derivatives ship."""
        return bool(self.sample)


MODELS: dict[str, Model] = {}


def add(model: Model) -> None:
    """Enter a model under its name."""
    MODELS[model.name] = model
