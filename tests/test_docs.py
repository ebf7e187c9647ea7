"""What the documents show is what the library does: the README's example, the page written from its tables."""

import importlib.util
import re
import textwrap
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, optimize

import autoopt

ROOT = Path(__file__).parents[1]
_TIMES = np.linspace(0.0, 1.0, 9)


def support():
    """Return docs/support.py, which writes the page of supported functions, as a module."""
    spec = importlib.util.spec_from_file_location("support", ROOT / "docs" / "support.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_support_table_is_up_to_date():
    assert (ROOT / "docs" / "support.rst").read_text(encoding="utf-8") == support().text(), "run python docs/support.py"


PYTHON = {
    integrate.romb: lambda p: integrate.romb(np.exp(p[0] * _TIMES), dx=1 / 8) * p[1],
    integrate.simpson: lambda p: integrate.simpson(np.exp(p[0] * _TIMES), x=_TIMES) * p[1],
    optimize.root_scalar: lambda p: optimize.root_scalar(lambda z: z**3 + p[0] * z - p[1], bracket=[0, 2]).root,
}


def test_code_that_the_page_says_is_followed_is_in_no_table_and_called_below():
    page = support()
    named = {getattr(importlib.import_module(module), name) for module, names in page.PYTHON.items() for name in names}
    assert named == set(PYTHON)
    tables = (page.load_all(), page.formulas.load_all(), page.standins.STAND_INS, page.functions.HANDLERS)
    assert not [function.__name__ for function in named if any(function in table for table in tables)]


@pytest.mark.parametrize("function", PYTHON, ids=lambda function: function.__name__)
def test_code_that_the_page_says_is_followed_has_its_derivative(function):
    f, x, h = PYTHON[function], np.array([0.4, 0.7]), 1e-5
    slopes = [(f(x + h * unit) - f(x - h * unit)) / (2 * h) for unit in np.eye(2)]
    np.testing.assert_allclose(autoopt.grad(f)(x), slopes, rtol=1e-7)


def test_readme_example_prints_the_source_that_it_shows(capsys):
    readme = (ROOT / "README.rst").read_text(encoding="utf-8")
    pattern = r"code-block:: python\n\n(.*?)\nThe last line .*?::\n\n(.*?)\n(?=\S)"
    example, shown = re.search(pattern, readme, re.S).groups()
    exec(textwrap.dedent(example), {})
    printed = capsys.readouterr().out
    assert " True\n" in printed
    assert textwrap.dedent(shown).strip() in printed
