"""What a fit says of its parameters, from arrays alone: nothing here knows tapes or models."""

from autoopt.inference.covariances import COVARIANCES, Evidence, convention_of
from autoopt.inference.directions import combination, endless, no_maximum, upwards
from autoopt.inference.information import (
    covariance,
    covariance_of_free,
    digits_of_errors,
    flattest,
    standard_errors,
)
from autoopt.inference.intervals import require_level, two_sided, wald_intervals
from autoopt.inference.shape import LEAST, STATIONARY, excess, newton_step, rises

__all__ = [
    "COVARIANCES",
    "LEAST",
    "STATIONARY",
    "Evidence",
    "combination",
    "convention_of",
    "covariance",
    "covariance_of_free",
    "digits_of_errors",
    "endless",
    "excess",
    "flattest",
    "newton_step",
    "no_maximum",
    "require_level",
    "rises",
    "standard_errors",
    "two_sided",
    "upwards",
    "wald_intervals",
]
