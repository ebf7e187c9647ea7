"""Whether a response is one of the model that is asked for by its name."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.errors import DataError
from autoopt.inference.dispersion import fractional
from autoopt.tables.categories import Categories
from autoopt.wording import listed

OF_CLASSES = ("classes", "ordered classes")
"""What MODELS calls responses whose values are names."""


def refuse_names(model: str, response: str, encoding: Any, source: str) -> None:
    """Raise DataError where a model of numbers is given a response of three or more names: numbers stand for them.

    Two names are 0 and 1, which the notes say.
    """
    found = categories(encoding)
    if found is None or len(found.levels) < 3 or response in OF_CLASSES:
        return
    raise DataError(
        f"The response {found.column} in {source} has {len(found.levels)} categories, "
        f"{listed([str(level) for level in found.levels])}, and {model} is a model of numbers.",
        remedy="name a column of numbers, or take a model of classes, logistic, or ordered where they have an order.",
    )


def column(encoding: Any) -> str | None:
    """Return what the response of a formula or a target is called there, None where the data have neither."""
    return getattr(encoding, "target", None) or getattr(getattr(encoding, "read", None), "response", None)


def categories(encoding: Any) -> Categories | None:
    """Return the categories of the response of a formula or a target, None if it is one of numbers."""
    return getattr(encoding, "categories", {}).get(column(encoding))


def remarks(response: str, y: Any) -> tuple[str, ...]:
    """Return what must be known of a response: counts that are no whole numbers."""
    said = fractional(np.asarray(y)) if response == "counts" and np.ndim(y) == 1 else ""
    return (said,) if said else ()
