"""What a fit says of its parameters, from arrays alone: nothing here knows tapes or models."""

from autoopt.inference.directions import combination, endless, no_maximum, upwards
from autoopt.inference.information import covariance, covariance_of_free, flattest, standard_errors
from autoopt.inference.intervals import wald_intervals

__all__ = [
    "combination",
    "covariance",
    "covariance_of_free",
    "endless",
    "flattest",
    "no_maximum",
    "standard_errors",
    "upwards",
    "wald_intervals",
]
