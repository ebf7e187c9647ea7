"""The likelihoods that a model file may begin with, each with the responses it suits and its text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autoopt.errors import UsageError
from autoopt.wording import near


@dataclass(frozen=True)
class Likelihood:
    """A row of LIKELIHOODS.

    Parameters
    ----------
    name : str
        As users write it.
    title : str
        What the model is; begins the file.
    suits : callable, y of shape (m,) -> bool
        Whether a response can have come from it.
    because : str
        What of the response suggests it.
    kind : str
        Of the model.
    linear : str
        What the linear predictor z is.
    predict : tuple of str
        What predictions are, and their text, of z and params.
    terms : tuple of str
        What the objective returns, and its statements, of z, params and {y}.
    intercept : callable, y -> float
        Where the intercept starts: at the maximum without any column.
    others : dict of str to callable, y -> float
        Further parameters, and where they start.
    special : bool
        Whether the text calls gammaln.
    scale : str
        On which the bands of predictions are symmetric.
    possible : callable, y -> bool, or None
        Whether it can have come from it at all; None where that is what suits.
    """

    name: str
    title: str
    suits: Callable[[np.ndarray], bool]
    because: str
    kind: str
    linear: str
    predict: tuple[str, str]
    terms: tuple[str, str]
    intercept: Callable[[np.ndarray], float]
    others: dict[str, Callable[[np.ndarray], float]]
    special: bool = False
    scale: str = "log"
    possible: Callable[[np.ndarray], bool] | None = None


def _is_binary(y: np.ndarray) -> bool:
    return set(np.unique(y)) == {0.0, 1.0}


SMALL_MEAN = 25.0
"""Counts of most studies have a smaller mean; amounts of money, years and measurements in whole units a larger one."""

_FEWEST, _NARROW = 10, 0.1


def _is_whole(y: np.ndarray) -> bool:
    return bool((y >= 0).all() and (y == np.rint(y)).all() and y.max() > 0)


def _is_count(y: np.ndarray) -> bool:
    """Whether whole numbers are likely to be counts: of a small mean, and beginning at 0 or near it.

    Near it alone are also codes, as 1 to 5, of which there are few.
    """
    near_zero = y.min() == 0 or (y.min() <= y.mean() / 3 and np.unique(y).size > _FEWEST)
    return _is_whole(y) and y.mean() <= SMALL_MEAN and bool(near_zero)


def _is_positive(y: np.ndarray) -> bool:
    return bool((y > 0).all())


def _is_amount(y: np.ndarray) -> bool:
    """Whether positive numbers may be amounts: no whole ones that are few, as codes, or close together, as years."""
    is_code = _is_whole(y) and (np.unique(y).size <= _FEWEST or y.std() < _NARROW * y.mean())
    return _is_positive(y) and not is_code


def _is_heavy(y: np.ndarray) -> bool:
    """Whether large values are so frequent, and logarithms so even, that a log-normal is nearer than a gamma."""
    return _is_amount(y) and _skewness(y) > 2.0 and abs(_skewness(np.log(y))) < 0.5


def _skewness(y: np.ndarray) -> float:
    spread = y.std()
    return float(np.mean(((y - y.mean()) / spread) ** 3)) if spread > 0 else 0.0


def _log_odds(y: np.ndarray) -> float:
    return float(np.log(y.mean() / (1 - y.mean())))


def _log_mean(y: np.ndarray) -> float:
    return float(np.log(y.mean()))


_NEGATIVE = "negative log-likelihood"

LIKELIHOODS = {
    row.name: row
    for row in (
        Likelihood(
            "logistic", "Logistic regression", _is_binary, "has two values", _NEGATIVE,
            "the logarithm of the odds that {y} is 1",
            ("the probability that {y} is 1", "1 / (1 + np.exp(-z))"),
            ("minus the log-likelihood, a term for each row", "return np.logaddexp(0, z) - {y} * z"),
            _log_odds, {}, scale="logit",
        ),
        Likelihood(
            "poisson", "Poisson regression of counts", _is_count, "has whole numbers from 0 on", _NEGATIVE,
            "the logarithm of the mean of {y}",
            ("the mean of {y}", "np.exp(z)"),
            ("minus the log-likelihood, a term for each row", "return np.exp(z) - {y} * z + gammaln({y} + 1)"),
            _log_mean, {}, special=True, possible=_is_whole,
        ),
        Likelihood(
            "log-normal", "Log-normal regression", _is_heavy, "is positive, and its logarithm is spread evenly",
            _NEGATIVE, "the mean of the logarithm of {y}",
            ("the mean of {y}", 'np.exp(z + np.exp(2 * params["log_sd"]) / 2)'),
            (
                "minus the log-likelihood, a term for each row",
                'log_sd = params["log_sd"]\n'
                "deviation = (np.log({y}) - z) / np.exp(log_sd)\n"
                "return 0.5 * deviation**2 + log_sd + 0.5 * np.log(2 * np.pi) + np.log({y})",
            ),
            lambda y: float(np.log(y).mean()), {"log_sd": lambda y: float(np.log(np.log(y).std()))},
            possible=_is_positive,
        ),
        Likelihood(
            "gamma", "Gamma regression", _is_amount, "is positive", _NEGATIVE,
            "the logarithm of the mean of {y}",
            ("the mean of {y}", "np.exp(z)"),
            (
                "minus the log-likelihood, a term for each row",
                'shape = np.exp(params["log_shape"])\n'
                "return gammaln(shape) - shape * (np.log(shape) - z) - (shape - 1) * np.log({y}) "
                "+ shape * {y} * np.exp(-z)",
            ),
            _log_mean, {"log_shape": lambda y: float(2 * np.log(y.mean() / y.std()))}, special=True,
            possible=_is_positive,
        ),
        Likelihood(
            "least-squares", "Linear regression", lambda y: True, "has real numbers", "least squares",
            "the mean of {y}",
            ("the mean of {y}", "z"),
            ("the residuals: their squares are summed, and their variance is estimated", "return {y} - z"),
            lambda y: float(y.mean()), {}, scale="identity",
        ),
    )
}  # fmt: skip
"""In the order in which they are asked whether a response suits them; the last suits all."""


def suggested(y: np.ndarray) -> Likelihood:
    """Return the first likelihood that suits the response, (m,)."""
    return next(row for row in LIKELIHOODS.values() if row.suits(y))


def assumed(likelihood: Likelihood, y: np.ndarray, target: str) -> str:
    """Return what was assumed of whole numbers that may be counts or not, and the other choice; "" of others."""
    if not _is_whole(y) or _is_binary(y):
        return ""
    if likelihood.name == "poisson":
        return (
            f"The whole numbers of {target} are taken for counts. Of amounts, years or codes they are none: "
            "--likelihood gamma, log-normal or least-squares. Where they vary more than a Poisson likelihood has it, "
            "the summary says so, and --robust allows for it."
        )
    return (
        f"The whole numbers of {target}, {y.min():g} to {y.max():g} with mean {y.mean():.4g}, are not taken for "
        "counts, which have a small mean and begin near 0. If they are: --likelihood poisson. Codes of ordered "
        "categories are for `autoopt fit ordered`."
    )


def named(name: str, y: np.ndarray, target: str) -> Likelihood:
    """Return the likelihood of this name; UsageError if there is none, or the response cannot have come from it."""
    if name not in LIKELIHOODS:
        raise UsageError(
            f"likelihood is {name!r}.{near(name, LIKELIHOODS)}", remedy=f"choose one of {', '.join(LIKELIHOODS)}."
        )
    row = LIKELIHOODS[name]
    if not (row.possible or row.suits)(y):
        raise UsageError(
            f"The {name} likelihood is for a response that {row.because.partition(',')[0]}, and {target} is none.",
            remedy=f"choose another; for {target} {suggested(y).name} is proposed.",
        )
    return row
