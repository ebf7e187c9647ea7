"""Tests of hypotheses on parameters: by Wald's statistic, by scores, by the ratio of likelihoods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import chdtrc, fdtrc

from autoopt.errors import InferenceError, UsageError
from autoopt.inference.information import FLAT
from autoopt.summaries import probability
from autoopt.wording import listed


@dataclass(frozen=True)
class HypothesisTest:
    """The outcome of a test; printed in a line.

    Attributes
    ----------
    name : str
    hypothesis : str
        What was tested, in words.
    statistic : float
        Of chi-squared with `df` degrees of freedom, or of F with `df` and `df_denom`.
    df : int
    pvalue : float
        The probability of a larger statistic if the hypothesis is true.
    df_denom : float
        Infinite for chi-squared.
    note : str
        What the reader must know of `pvalue`, if anything.
    """

    name: str
    hypothesis: str
    statistic: float
    df: int
    pvalue: float
    df_denom: float = np.inf
    note: str = ""

    def __str__(self) -> str:
        law = f"chi2({self.df})" if np.isinf(self.df_denom) else f"F({self.df}, {self.df_denom:g})"
        shown = probability(self.pvalue)
        shown = shown.replace("<", "< ") if shown.startswith("<") else f"= {shown}"
        line = f"{self.name} of {self.hypothesis}: {law} = {self.statistic:.5g}, p {shown}"
        return f"{line}\n{self.note}" if self.note else line


def likelihood_ratio(smaller: float, larger: float, df: int, hypothesis: str) -> HypothesisTest:
    """Return the test by 2 (larger - smaller) of log-likelihoods, of models that differ by `df` parameters.

    Raises
    ------
    InferenceError
        If the smaller model has the larger likelihood.
    """
    statistic = 2 * (larger - smaller)
    if statistic < -1e-7 * (1 + abs(larger)):
        raise InferenceError(
            f"The log-likelihood of the smaller model, {smaller:.10g}, is larger than that of the model with more "
            f"parameters, {larger:.10g}.",
            remedy="compare fits of one objective to the same data, of which one is the other with parameters fixed.",
        )
    statistic = max(statistic, 0.0)
    return HypothesisTest("likelihood-ratio test", hypothesis, statistic, df, float(chdtrc(df, statistic)))


def at_bounds(test: HypothesisTest, names: Sequence[str]) -> HypothesisTest:
    """Return a likelihood-ratio test with a note where the smaller model holds the parameters `names` at bounds.

    With one of them there the statistic follows a mixture of chi-squared with df - 1 and df degrees of freedom, each
    with the weight 1/2, where the others are inside their bounds. Of several the weights depend on their information.

    References
    ----------
    Self, S. G. and Liang, K.-Y. (1987). Journal of the American Statistical Association 82(398), 605-610: cases 5 to 9.
    """
    if not names:
        return test
    if len(names) > 1:
        note = f"{listed(list(names))} are held at bounds, where the statistic follows a mixture of chi-squared: p is "
        return replace(test, note=note + "too large (Self and Liang 1987).")
    less = chdtrc(test.df - 1, test.statistic) if test.df > 1 else float(test.statistic <= 0)
    mixed = probability((less + test.pvalue) / 2)
    shown = mixed.replace("<", "< ") if mixed.startswith("<") else f"= {mixed}"
    note = f"{names[0]} is held at its bound, where the statistic follows a mixture, half chi2({test.df - 1}) and half "
    return replace(test, note=f"{note}chi2({test.df}), of which p {shown} (Self and Liang 1987).")


def wald(
    estimates: np.ndarray,
    covariance: np.ndarray,
    matrix: np.ndarray,
    values: np.ndarray,
    hypothesis: str,
    df_denom: float = np.inf,
) -> HypothesisTest:
    """Return Wald's test of R b = r.

    Parameters
    ----------
    estimates : ndarray, shape (n,)
    covariance : ndarray, shape (n, n)
        NaN for parameters that are fixed, which vary by nothing.
    matrix : ndarray, shape (q, n)
        R.
    values : ndarray, shape (q,)
        r.
    hypothesis : str
        In words.
    df_denom : float
        Degrees of freedom of the covariance's scale: the statistic is then F, that of chi-squared over q.

    Raises
    ------
    InferenceError
        If the equations are not independent, or are about fixed parameters.
    """
    known = np.isfinite(np.diag(covariance))
    covariance = np.where(np.outer(known, known), covariance, 0.0)
    off = matrix @ estimates - values
    statistic = quadratic(off, matrix @ covariance @ matrix.T)
    if statistic is None:
        raise InferenceError(
            f"The hypothesis {hypothesis} cannot be tested: some of its equations follow from others, or are about "
            "parameters that are fixed or at a bound.",
            remedy="leave out what follows from the rest.",
        )
    df = len(values)
    if np.isinf(df_denom):
        return HypothesisTest("Wald test", hypothesis, statistic, df, float(chdtrc(df, statistic)))
    ratio = statistic / df
    return HypothesisTest("Wald test", hypothesis, ratio, df, float(fdtrc(df, df_denom, ratio)), df_denom)


def score(gradient: np.ndarray, information: np.ndarray, df: int, hypothesis: str) -> HypothesisTest:
    """Return Rao's test by g' I^-1 g, of gradient and information of the full model at estimates of a smaller one.

    Parameters
    ----------
    gradient : ndarray, shape (n,)
    information : ndarray, shape (n, n)
    df : int
        How many parameters the full model has more.
    hypothesis : str
        In words.

    Raises
    ------
    InferenceError
        If the information is not positive definite there.
    """
    statistic = quadratic(gradient, information)
    if statistic is None:
        raise InferenceError(
            "The information of the full model is not positive definite at the estimates of the smaller one.",
            remedy="use lr_test, or wald_test of the full model.",
        )
    return HypothesisTest("score test", hypothesis, statistic, df, float(chdtrc(df, statistic)))


def quadratic(vector: np.ndarray, matrix: np.ndarray) -> float | None:
    """Return v' M^-1 v; None if M is not positive definite in units in which its diagonal is 1."""
    diagonal = np.diag(matrix)
    if not (np.isfinite(matrix).all() and (diagonal > 0).all()):
        return None
    scale = 1 / np.sqrt(diagonal)
    scaled = matrix * np.outer(scale, scale)
    if np.linalg.eigvalsh(scaled)[0] <= FLAT * len(scaled):
        return None
    return float((vector * scale) @ cho_solve(cho_factor(scaled, lower=True), vector * scale))


def require_equations(matrix: np.ndarray, values: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return R as (q, n) and r as (q,) floats; UsageError if they do not fit `size` parameters."""
    matrix = np.atleast_2d(np.asarray(matrix, float))
    values = np.broadcast_to(np.asarray(values, float), (len(matrix),)) if np.ndim(values) < 2 else np.empty(0)
    if matrix.ndim != 2 or matrix.shape[1] != size or not len(matrix) or len(values) != len(matrix):
        raise UsageError(
            f"The matrix of the hypothesis has shape {matrix.shape}, for {size} parameters.",
            remedy="pass a row for each equation and a column for each parameter, or text such as 'a = b'.",
        )
    return matrix, values
