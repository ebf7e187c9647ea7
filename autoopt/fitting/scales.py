"""Scales on which bands of predictions are symmetric, so that their ends stay in the range of what is predicted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.wording import near


@dataclass(frozen=True)
class Scale:
    """A row of SCALES.

    Parameters
    ----------
    name : str
        As users write it.
    description : str
        What it is for; one line, without a full stop.
    forward, inverse : callable, elementwise
        To the scale, in NumPy that can be differentiated, and back.
    low, high : float
        Between which a prediction must lie.
    """

    name: str
    description: str
    forward: Callable
    inverse: Callable
    low: float = -np.inf
    high: float = np.inf


def _itself(values: Any) -> Any:
    return values


def _log(values: Any) -> Any:
    return np.log(values)


def _logit(values: Any) -> Any:
    return np.log(values) - np.log1p(-values)


def _expit(values: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    return np.asarray(expit(values))


SCALES = {
    scale.name: scale
    for scale in (
        Scale("identity", "any number", _itself, _itself),
        Scale("log", "what is positive: means of counts, rates, durations", _log, np.exp, 0.0),
        Scale("logit", "what lies between 0 and 1: probabilities, shares", _logit, _expit, 0.0, 1.0),
    )
}


def scale_of(scale: Any) -> Scale:
    """Return the scale of a name, "identity" for None, or of a pair of functions, to the scale and back.

    Raises
    ------
    UsageError
        If it is neither.
    """
    if scale is None:
        return SCALES["identity"]
    if isinstance(scale, str):
        if scale in SCALES:
            return SCALES[scale]
        raise UsageError(
            f"The scale of predictions is {scale!r}.{near(scale, SCALES)}",
            remedy=f"choose one of {', '.join(SCALES)}, or give two functions, to the scale and back.",
        )
    if isinstance(scale, tuple | list) and len(scale) == 2 and all(callable(one) for one in scale):
        return Scale("given", "of the user's own", *scale)
    raise UsageError(
        f"The scale of predictions is {scale!r}, which is neither a name nor a pair of functions.",
        remedy=f"choose one of {', '.join(SCALES)}, or give (forward, inverse), such as (np.sqrt, np.square).",
    )
