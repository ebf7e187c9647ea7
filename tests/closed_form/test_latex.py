"""Formulas as LaTeX and Markdown, read back by a reader of LaTeX and compared with the objective and its gradient."""

import latex_reading
import numpy as np
import pytest
from typeset_models import MODELS

import autoopt

TEXTS = {}


def text_of(f, form="latex"):
    if (f, form) not in TEXTS:
        case = MODELS[f]
        TEXTS[f, form] = autoopt.latex(f, case.x0, tuple(case.data.values()), format=form)
    return TEXTS[f, form]


def points(f):
    """Return the start, and points beside it."""
    case = MODELS[f]
    structure = autoopt.objective(f, case.x0, *case.data.values()).structure
    flat = structure.flatten(case.x0)
    random = np.random.default_rng(1)
    return structure, [flat, *(flat + 0.1 * random.normal(size=flat.size) for _ in range(2))]


@pytest.mark.parametrize("form", ["latex", "markdown"])
@pytest.mark.parametrize("f", MODELS, ids=lambda f: f.__name__)
def test_what_the_text_says_is_the_value_and_its_gradient(f, form) -> None:
    case, text = MODELS[f], text_of(f, form)
    structure, places = points(f)
    gradient = autoopt.grad(f)
    for flat in places if form == "latex" else places[:1]:
        x = structure.unflatten(flat)
        parts = {
            symbol: np.reshape(flat[place], np.shape(case.x0)) if len(case.parts) == 1 else flat[place]
            for symbol, place in case.parts.items()
        }
        if "W_1" in parts:
            parts["W_1"] = parts["W_1"].reshape(3, 4)
        value, slopes = latex_reading.value_and_slopes(text, {**case.data, **parts}, list(parts))
        wanted = structure.flatten(gradient(x, *case.data.values()))
        assert value == pytest.approx(f(x, *case.data.values()), rel=1e-12)
        for place, slope in zip(case.parts.values(), slopes, strict=True):
            np.testing.assert_allclose(np.ravel(slope), np.ravel(wanted[place]), rtol=1e-9, atol=1e-10)
