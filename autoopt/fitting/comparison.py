"""Fits side by side: criteria, and likelihood-ratio tests of those that are nested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.errors import InferenceError
from autoopt.fitting.fitted import Fit
from autoopt.fitting.hypotheses import different_data, is_held_in, penalty_of
from autoopt.fitting.kinds import kind_of


@dataclass(frozen=True)
class RatioTest:
    """A likelihood-ratio test of a smaller fit within a larger one.

    Attributes
    ----------
    smaller, larger : str
        What the fits are called.
    statistic : float
        Twice the difference of their log-likelihoods; less than 0 where the larger fit is at no maximum.
    df : int
        How many parameters the larger has more.
    pvalue : float
        Of chi-squared with `df` degrees of freedom; NaN where the statistic is less than 0.
    """

    smaller: str
    larger: str
    statistic: float
    df: int
    pvalue: float


@dataclass(frozen=True)
class Criteria:
    """The criteria of a fit beside others.

    Attributes
    ----------
    df : int
        The parameters that are counted.
    aic, bic : float
    """

    df: int
    aic: float
    bic: float


def criteria(fits: Mapping[str, Fit]) -> dict[str, Criteria]:
    """Return how fits are compared, by what they are called.

    Beside a likelihood, whose parameters include that of its spread, the variance of least squares is a parameter, too,
    as R's AIC has it; `Fit.aic` counts coefficients alone.
    """
    counted = int(_has_both_kinds(fits))
    found = {}
    for name, fit in fits.items():
        more = counted * kind_of(fit.kind).is_squares
        rows = np.nan if fit.nobs is None else fit.nobs
        found[name] = Criteria(fit.df_model + more, fit.aic + 2 * more, float(fit.bic + more * np.log(rows)))
    return found


def remarks(fits: Mapping[str, Fit]) -> list[str]:
    """Return what must be known of fits whose criteria stand side by side, a sentence each."""
    said = []
    likely = [(name, fit) for name, fit in fits.items() if np.isfinite(fit.llf) and fit.nobs is not None]
    for name, fit in likely[1:]:
        if differ := different_data(likely[0][1], fit):
            said.append(
                f"{likely[0][0]} and {name} are fits of {differ}: their log-likelihoods, AIC and BIC cannot be "
                "compared. Fit both to the same rows, those that lack nothing in the columns of either."
            )
    if _has_both_kinds(fits):
        said.append(
            "The variance of least squares is counted here as a parameter (df, AIC, BIC), as that of a likelihood is; "
            "Fit.aic does not count it. A likelihood is compared with it if it has all its constants."
        )
    return said


def _has_both_kinds(fits: Mapping[str, Fit]) -> bool:
    return len({kind_of(fit.kind).is_squares for fit in fits.values() if np.isfinite(fit.llf)}) > 1


def ratio_tests(fits: Mapping[str, Fit]) -> list[RatioTest]:
    """Return the test of each fit within the smallest one in which it is nested, by what the fits are called.

    A fit is taken as nested in another that estimates all of its parameters, by their names, and others besides, from
    the same number of observations, by the same kind of likelihood. The names are all that can be seen of it.
    """
    tests = []
    for name, smaller in fits.items():
        around = [other for other, larger in fits.items() if _is_nested(smaller, larger)]
        if not around:
            continue
        larger = min(around, key=lambda other: fits[other].df_model)
        tests.append(_tested(name, smaller, larger, fits[larger]))
    return tests


def _tested(name: str, smaller: Fit, other: str, larger: Fit) -> RatioTest:
    try:
        test = smaller.lr_test(larger)
    except InferenceError:  # the larger fits worse
        df, statistic = larger.df_model - smaller.df_model, 2 * (larger.llf - smaller.llf)
        return RatioTest(name, other, statistic, df, np.nan)
    return RatioTest(name, other, float(test.statistic), int(test.df), float(test.pvalue))


def _is_nested(smaller: Fit, larger: Fit) -> bool:
    """Whether the parameters of one fit are some of those of another of the same data."""
    if not (_is_likelihood(smaller) and _is_likelihood(larger)) or different_data(smaller, larger):
        return False
    of_squares = {kind_of(fit.kind).is_squares for fit in (smaller, larger)}
    penalties = penalty_of(smaller), penalty_of(larger)
    if penalties != (None, None) and not is_held_in(smaller, larger):
        return False
    return len(of_squares) == 1 and set(_free(smaller)) < set(_free(larger))


def _is_likelihood(fit: Fit) -> bool:
    return bool(np.isfinite(fit.llf)) and fit.status in ("converged", "not identified")


def _free(fit: Fit) -> Sequence[Any]:
    return fit.names if fit.case is None else fit.case.names
