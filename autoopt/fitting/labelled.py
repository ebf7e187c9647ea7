"""A fit's estimates by the names of its parameters."""

from __future__ import annotations

from typing import Any

from autoopt.errors import UsageError
from autoopt.summaries import ends
from autoopt.wording import listed, near


class Labelled:
    """What a `Fit` gives by name."""

    def __getitem__(self: Any, name: str) -> float:
        """Return the estimate of a parameter.

        Raises
        ------
        UsageError
            If there is no parameter of this name; it is a KeyError, too.

        Examples
        --------
        >>> import numpy as np, autoopt
        >>> y = np.array([1.0, 2.0])
        >>> found = autoopt.fit(lambda p, y: y - p["mean"], {"mean": 0.0}, (y,), kind="least squares")
        >>> round(found["mean"], 6)
        1.5
        """
        if name not in self.names:
            raise UnknownParameter(
                f"{self.source} has no parameter {name!r}.{near(str(name), self.names)}",
                remedy=f"use one of {listed(self.names)}.",
            )
        return float(self.params[self.names.index(name)])

    def table(self: Any, level: float | None = None) -> Any:
        """Return the estimates as a pandas DataFrame, a row for each parameter: as the summary has them, unrounded.

        Parameters
        ----------
        level : float, in (0, 1), optional
            Of the intervals; that of the fit if not given.
        """
        from autoopt.extras import imported

        pandas = imported("pandas", "formula", "Tables of estimates")
        level = self.level if level is None else level
        letter = "t" if self.use_t else "z"
        intervals = self.conf_int(level)
        columns = {
            "estimate": self.params,
            "std. error": self.bse,
            letter: self.tvalues,
            f"P>|{letter}|": self.pvalues,
            **dict(zip(ends(level), intervals.T, strict=True)),
        }
        return pandas.DataFrame(columns, index=pandas.Index(self.names, name="parameter"))


class UnknownParameter(UsageError, KeyError):
    """A parameter is asked for by a name that none has."""

    __str__ = UsageError.__str__
