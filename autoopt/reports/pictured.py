"""What fits and estimators have of pictures and pages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autoopt import atomic
from autoopt.summaries import Summary


class Pictured:
    """A fit, or an estimator, that can be drawn."""

    def plot(self, kind: str | None = None, ax: Any = None, *, names: Sequence[str] | None = None) -> Any:
        """Return a matplotlib figure with a picture of the fit: notebooks show it, `savefig` saves it.

        Parameters
        ----------
        kind : str, optional
            "coefficients" (estimates with intervals), "convergence" (value and gradient norm by iteration), "spectrum"
            (eigenvalues of the scaled Hessian), "residuals" (against what was fitted), "quantiles" (residuals against
            normal ones), "calibration" (of probabilities) or "profile" (signed roots, with Wald's line); by default all
            that this fit has but for profiles, which take solves.
        ax : matplotlib.axes.Axes, optional
            Where to draw; it is then what is returned.
        names : sequence of str, optional
            The parameters whose profiles are drawn, by default those that were asked for before, or all.

        Returns
        -------
        matplotlib.figure.Figure or matplotlib.axes.Axes

        Raises
        ------
        UsageError
            If the fit has not what the picture shows; names the kinds that it has. If matplotlib is not installed.
        """
        from autoopt.reports.fits import subject_of
        from autoopt.reports.pictures import plot

        return plot(subject_of(self), kind, ax, names)

    def report(self, path: str | Path | None = None) -> str:
        """Return the fit as a page of HTML that needs no network, script or other file; `path` is where to write it.

        Parameters
        ----------
        path : path, optional
            A file, which is written whole or not at all; without it nothing is written.

        Returns
        -------
        str
            The page: the summary, the certificate, pictures, notes, the derivatives that ran, the model, the data in a
            few numbers, and the environment. Profiles are in it if they were asked for before.

        Raises
        ------
        UsageError
            If jinja2 is not installed; without matplotlib the page has no pictures, and says so.
        OSError
            If the file cannot be written.
        """
        from autoopt.reports.report import html

        page = html(self, self._described())
        if path is not None:
            atomic.write(Path(path), page)
        return page

    def __repr__(self) -> str:
        """Return what it is in a line."""
        summary = self._described()
        status = dict(summary.lines).get("status", "").partition(":")[0]
        parts = [status] * bool(status) + [f"{label} {text}" for label, text in summary.facts]
        return f"<{type(self).__name__} of {summary.title}: {', '.join(parts)}>"

    def _repr_html_(self) -> str:
        """Return what notebooks show: the summary as a table."""
        from autoopt.reports.notebook import html

        return html(self._described())

    def _described(self) -> Summary:
        """Return what the summary says."""
        raise NotImplementedError
