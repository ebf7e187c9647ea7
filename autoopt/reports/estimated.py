"""The page of an estimator: the sections of a fit's that it has, with the texts of its likelihood and derivatives."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from autoopt.errors import display_path
from autoopt.reports import facts
from autoopt.reports.blocks import Block, Text
from autoopt.reports.sections import SECTIONS, Page, sections
from autoopt.reports.sources import code
from autoopt.reports.subject import Subject
from autoopt.reports.writing import HEADLINES, written


def html(estimator: Any, subject: Subject, X: Any = None, y: Any = None) -> str:
    """Return the page of an estimator that is fitted."""

    def texts(kind: str) -> Callable[[Page], Sequence[Block]]:
        return lambda page: [_text(function) for function in estimator._texts().get(kind, ())]

    def data(page: Page) -> Sequence[Block]:
        if X is None or y is None:
            return [Text("Estimators do not keep their data: pass X= and y= for residuals and calibration.", True)]
        return facts.columns((("X", X), ("y", y)))

    own = {
        "derivatives": ("The derivatives that ran", texts("derivatives")),
        "model": ("The model", texts("model")),
        "data": ("The data", data),
        "environment": ("Environment", lambda page: facts.environment({})),
    }
    told = {name: SECTIONS[name] for name in _SHARED} | own
    summary = estimator._described()
    state = HEADLINES["converged"] if estimator.converged_ else _UNKNOWN
    return written(summary.title, *state, "", sections(Page(estimator, subject, summary), told))


_UNKNOWN = "bad", "Not converged, or not identified: do not use these estimates"
_SHARED = ("summary", "coefficients", "spectrum", "residuals", "calibration", "notes")
"""Sections that those of a fit are."""


def _text(function: Callable) -> Block:
    """Return the text of a function, with its place."""
    lines, first = inspect.getsourcelines(function)
    return code("".join(lines), f"{display_path(inspect.getsourcefile(function) or '')}:{first}", first)
