"""What can be asked of a fit besides its estimates: tests of hypotheses, and functions of the parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autoopt.errors import InferenceError

if TYPE_CHECKING:
    from autoopt.fitting.derived import Derived
    from autoopt.inference.hypotheses import HypothesisTest


class Tested:
    """The tests of a `Fit`."""

    def lr_test(self: Any, other: Any) -> HypothesisTest:
        """Return the likelihood-ratio test of two fits of which one is nested in the other, in either order.

        Parameters
        ----------
        other : Fit
            Of the same data, with fewer or more parameters estimated.

        Returns
        -------
        inference.HypothesisTest
            With statistic, df and pvalue, of chi-squared. For least squares the likelihood is that of normal residuals.
            Of fits with a penalty the penalised likelihoods are compared, both with the larger fit's penalty, as R's
            logistf does: the smaller one is solved again, and must be the same objective with more parameters fixed.
            Where the smaller model holds a parameter at its bound, as a variance at 0, `note` has the p-value of the
            mixture of chi-squared that the statistic then follows (Self and Liang 1987).

        Raises
        ------
        UsageError
            If numbers of observations, responses or kinds differ, or the numbers of parameters do not.
        InferenceError
            If one has not converged, or the smaller model fits better.
        """
        from autoopt.fitting.hypotheses import ratio_test

        return ratio_test(self, other)

    def wald_test(self: Any, hypothesis: Any, values: Any = 0.0) -> HypothesisTest:
        """Return Wald's test of linear equations, by the covariance of the fit.

        Parameters
        ----------
        hypothesis : str, sequence of str, or array, shape (q, n)
            Such as "a = b", "a - 2*b = 0, c = 1" by the names of the parameters, or R in R b = r.
        values : array, shape (q,)
            r, where R is given.

        Returns
        -------
        inference.HypothesisTest
            Of chi-squared; of F for least squares, with `df_inference`.

        Examples
        --------
        >>> import numpy as np, autoopt
        >>> x, y = np.arange(6.0), np.array([0.1, 0.8, 2.3, 2.9, 4.2, 4.9])
        >>> line = lambda p, x, y: y - p["a"] - p["b"] * x
        >>> print(autoopt.fit(line, {"a": 0.0, "b": 0.0}, (x, y), kind="least squares").wald_test("a = 0, b = 1"))
        Wald test of a = 0, b = 1: F(2, 4) = 0.075099, p = 0.9289
        """
        from autoopt.inference.equations import equations
        from autoopt.inference.hypotheses import require_equations, wald

        words = "R b = r"
        if isinstance(hypothesis, str) or (len(hypothesis) and isinstance(hypothesis[0], str)):
            hypothesis, values, words = equations(hypothesis, self.names)
        matrix, values = require_equations(hypothesis, values, len(self.names))
        return wald(self.params, _known_covariance(self), matrix, values, words, self.df_inference)

    def score_test(self: Any) -> HypothesisTest:
        """Return Rao's test of what this fit holds fixed or ties, by the gradient and information of the free model.

        Only the smaller model is fitted: fit(..., fixed={"b": 0.0}).score_test() tests b = 0.

        Equations that the model's constraints set are kept; with a bound or an inequality that holds it is refused.

        Returns
        -------
        inference.HypothesisTest
            Of chi-squared. For least squares the variance is that of the residuals here, their sum of squares over
            nobs, so that a linear model's statistic is nobs R^2 of the residuals.
        """
        from autoopt.fitting.hypotheses import score_test

        return score_test(self)

    def delta(self: Any, function: Callable, names: Sequence[str] | None = None) -> Derived:
        """Return estimates of a function of the parameters, with standard errors by the delta method.

        Parameters
        ----------
        function : callable, function(params) -> number or array
            Plain NumPy code of parameters in the structure of x0; its derivative is exact.
        names : sequence of str, optional
            Of what it returns.

        Returns
        -------
        fitting.derived.Derived
            With params, bse, cov_params, tvalues, pvalues, conf_int(level); prints as a table.

        Notes
        -----
        J V J' with the covariance V of the fit and the Jacobian J of the function at the estimates; parameters that
        are fixed vary by nothing.

        Examples
        --------
        >>> import numpy as np, autoopt
        >>> nll = lambda rate, counts: np.sum(rate - counts * np.log(rate))
        >>> found = autoopt.fit(nll, 1.0, (np.array([3.0, 5.0, 4.0]),), kind="negative log-likelihood")
        >>> float(found.delta(np.log).bse[0].round(6))
        0.288675
        """
        from autoopt.fitting.derived import derived

        return derived(self, function, names, _known_covariance(self))


def _known_covariance(fitted: Any) -> np.ndarray:
    """Return the covariance; an error that says why there is none."""
    if fitted.covariance is None:
        if fitted.problem is not None:
            raise fitted.problem
        why = "its run was ended before there was one" if fitted.is_inferential else "nothing says what it returns"
        remedy = "fit it to the end." if fitted.is_inferential else "say what it returns: fit(..., kind=...)."
        raise InferenceError(f"There is no covariance of {fitted.source}: {why}.", remedy=remedy)
    return fitted.covariance
