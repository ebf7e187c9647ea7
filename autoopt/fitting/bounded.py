"""Intervals of a Fit, as users call them: of parameters, by standard errors or by profiles, and of predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from autoopt.errors import UsageError

if TYPE_CHECKING:
    from autoopt.fitting.free_scale import FreeScale
    from autoopt.fitting.prediction import Prediction
    from autoopt.profiles.profile import Profile


class Bounded:
    """The intervals of a `Fit`."""

    def conf_int(self: Any, level: float | None = None, method: str = "wald") -> np.ndarray:
        """Return intervals of the parameters, shape (n, 2).

        Parameters
        ----------
        level : float, in (0, 1), optional
            The probability with which an interval covers its parameter; by default the fit's `level`.
        method : "wald" or "profile"
            From the standard errors, for parameters with a transform on its scale and mapped back; or from where the
            profile reaches its quantile, as `profile` has it, with NaN for what is fixed.
        """
        level = self.level if level is None else level
        if method == "wald":
            from autoopt.fitting.free_scale import wald

            return wald(self, level)
        if method != "profile":
            raise UsageError(f"method is {method!r}.", remedy="choose 'wald' or 'profile'.")
        held = set() if self.case is None else set(self.case.variables.held)
        ends = [(np.nan, np.nan) if i in held else self.profile(i).interval(level) for i in range(len(self.names))]
        return np.array(ends)

    def free_scale(self: Any) -> FreeScale:
        """Return names, estimates, bse and conf_int() of what has a transform, on its scale."""
        from autoopt.fitting.free_scale import free_scale

        return free_scale(self)

    def profile(self: Any, name: str | int, level: float | None = None) -> Profile:
        """Return the profile of a parameter, by name or number, solved as far as its interval of `level` asks."""
        from autoopt.profiles.profile import profiled

        return profiled(self, name, self.level if level is None else level)

    def predict(
        self: Any,
        data: Any = None,
        of: Callable | None = None,
        level: float | None = None,
        scale: Any = None,
        missing: str = "raise",
    ) -> Prediction:
        """Return a function of parameters and data at the estimates, with standard errors and bands.

        Of a run that was interrupted it is that at its best point, whose standard errors are not known (NaN).

        Parameters
        ----------
        data : path, dict of str to array, data frame or tuple, optional
            In place of the fit's own; columns, formulas and categories are taken as they were for the fit, or as the
            model's `encode` makes them.
        of : callable, (params, *data) -> number or array, optional
            Plain NumPy, of data by the names of its arguments; by default the model's `predict`.
        level : float, in (0, 1), optional
            Of the intervals.
        scale : "identity", "log", "logit" or pair of callables, optional
            On which bands are symmetric; their ends are mapped back, so that those of a probability stay between 0 and
            1, those of a rate above 0. A pair is (forward, inverse), elementwise, in NumPy. By default the model's
            `predict_scale` for its own `predict`, else "identity".
        missing : "raise" or "drop"
            What becomes of rows of `data` that lack a value; "drop" leaves them out, and says so in `notes`.

        Examples
        --------
        >>> import numpy as np, autoopt
        >>> data = {"x": np.arange(6.0), "y": np.array([0.0, 0.0, 1.0, 0.0, 1.0, 1.0])}
        >>> chance = lambda p, x: 1 / (1 + np.exp(-p["a"] - p["b"] * x))
        >>> loss = lambda p, x, y: -y * np.log(chance(p, x)) - (1 - y) * np.log1p(-chance(p, x))
        >>> found = autoopt.fit(loss, {"a": 0.0, "b": 0.0}, data, kind="negative log-likelihood")
        >>> found.predict({"x": np.array([0.0])}, of=chance).conf_int().round(2)
        array([[-0.17,  0.26]])
        >>> found.predict({"x": np.array([0.0])}, of=chance, scale="logit").conf_int().round(2)
        array([[0.  , 0.88]])
        """
        from autoopt.fitting.prediction import predicted

        return predicted(self, data, of, level, scale, missing)
