"""Whose code is it: one answer for traces, messages and error reports."""

from __future__ import annotations

import os
import site
import sysconfig

import numpy as np
import pytest

import autoopt
from autoopt import origin
from autoopt.errors import AutooptError
from autoopt.origin import Owner

PACKAGE = os.path.dirname(autoopt.__file__)
STANDARD = sysconfig.get_path("stdlib")
SITE = sysconfig.get_path("purelib")


@pytest.mark.parametrize(
    ("file", "owner"),
    [
        ("/home/me/model.py", Owner.USER),
        ("model.py", Owner.USER),
        ("<stdin>", Owner.USER),
        ("<string>", Owner.USER),
        ("<ipython-input-1-2f>", Owner.USER),
        (f"{SITE}/statsmodels/api.py", Owner.INSTALLED),
        (f"{SITE}/six.py", Owner.INSTALLED),
        (f"{site.getusersitepackages()}/attr/_make.py", Owner.INSTALLED),
        (f"{site.getusersitepackages()}/scipy/stats/_qmc.py", Owner.LIBRARY),  # by pip install --user
        ("/home/me/vendor/site-packages/model.py", Owner.USER),  # nobody has installed it for this Python
        ("/home/me/vendor/site-packages/scipy/model.py", Owner.USER),
        (np.__file__, Owner.LIBRARY),
        (f"{STANDARD}/statistics.py", Owner.LIBRARY),
        ("<frozen importlib._bootstrap>", Owner.LIBRARY),
        ("<__array_function__ internals>", Owner.LIBRARY),
        (f"{PACKAGE}/check.py", Owner.AUTOOPT),
        (f"{origin.PRINTED}1a2b>", Owner.AUTOOPT),
    ],
)
def test_owner_of_a_file(file: str, owner: Owner) -> None:
    assert origin.owner(file) is owner


def written(text: str, file: str):
    """Return the function `f` of a text that is said to come from a file."""
    names: dict = {"np": np}
    exec(compile(text, file, "exec"), names)
    return names["f"]


def failure(function) -> BaseException:
    with pytest.raises(ZeroDivisionError) as caught:
        function()
    error = caught.value
    return error.with_traceback(error.__traceback__.tb_next)  # without this file's own line


def test_an_installed_package_is_followed_like_the_users_code() -> None:
    """A package of models is installed as any other is: a trace that refused it would refuse the user's model."""
    code = written("def f(x): return np.sum(x**2)", f"{SITE}/models_of_mine/quadratic.py").__code__
    assert not origin.is_library(code)
    assert origin.may_be_copied(code)


def test_where_an_installed_package_fails_the_users_line_that_called_it_is_shown() -> None:
    """They cannot mend what is installed."""
    inner = written("def f(): return 1 / 0", f"{SITE}/broken/inside.py")
    outer = written("def f(): return 1 / 0", "/home/me/model.py")
    assert [place.file for place in origin.users_places(failure(outer))] == ["/home/me/model.py"]
    assert origin.users_places(failure(inner)) == []


def test_text_that_was_typed_or_executed_is_the_users_and_has_no_line_to_show() -> None:
    function = written("def f(): return 1 / 0", "<string>")
    error = failure(function)
    assert not origin.is_ours(error)
    assert origin.users_places(error) == []
    assert not origin.is_library(function.__code__)


def test_line_of_text_that_cannot_be_traced_is_told_by_its_number() -> None:
    text = "\ndef inner(x):\n    return int.from_bytes(x, 'big')\n\ndef f(x):\n    return sum(x) + len(memoryview(x))"
    function = written(text, "<string>")
    with pytest.raises(AutooptError) as caught:
        autoopt.grad(function)(np.ones(2))
    assert [(place.file, place.line) for place in caught.value.where] == [("<string>", 6)]


def test_text_whose_lines_are_known_is_shown() -> None:
    """As those of IPython's cells are, and of Python's own prompt since 3.13."""
    import linecache

    lines = ["def f(): return 1 / 0\n"]
    linecache.cache["<cell 1>"] = (len(lines[0]), None, lines, "<cell 1>")
    assert [place.text for place in origin.users_places(failure(written(lines[0], "<cell 1>")))] == [lines[0].strip()]


def test_an_exception_inside_this_package_is_its_fault_and_one_in_numpy_is_the_users() -> None:
    with pytest.raises(AttributeError) as ours:
        origin.owner(1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="shape") as theirs:
        np.reshape(np.ones(3), 2)
    assert origin.is_ours(ours.value)
    assert not origin.is_ours(theirs.value)


def _misspelt(x):
    return np.sum((x - 1.0) ** 2) + undefined_name  # noqa: F821


def _in_a_library(x):
    return np.sum(np.linalg.inv(np.ones((2, 2))) * x)


CALLS = {
    "minimize": (lambda: autoopt.minimize(_misspelt, np.ones(2)), NameError, "_misspelt"),
    "minimize with jac": (lambda: autoopt.minimize(_misspelt, np.ones(2), jac=lambda x: x), NameError, "_misspelt"),
    "least_squares": (lambda: autoopt.least_squares(_misspelt, np.ones(2)), NameError, "_misspelt"),
    "a constraint": (
        lambda: autoopt.minimize(lambda x: x @ x, np.ones(2), constraints={"type": "ineq", "fun": _misspelt}),
        NameError, "_misspelt",
    ),
    "what NumPy raises": (lambda: autoopt.minimize(_in_a_library, np.ones(2)), np.linalg.LinAlgError, "_raise_linalg"),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_tracebacks_lead_from_the_users_call_to_the_users_line(name):
    """Of the error, or of what caused it: no line of this package or of a solver stands between."""
    call, kind, last = CALLS[name]
    with pytest.raises(Exception) as caught:
        call()
    error = caught.value if isinstance(caught.value, kind) else caught.value.__cause__
    assert isinstance(error, kind)
    codes = [trace.tb_frame.f_code for trace in origin.traces(error)]
    assert codes[-1].co_name.startswith(last)
    assert not [code for code in codes if origin.owner(code.co_filename) is Owner.AUTOOPT]


def test_a_traceback_of_a_mistake_of_this_package_is_whole(monkeypatch):
    from autoopt.solvers import Problem

    monkeypatch.setattr(Problem, "evaluated", None)
    with pytest.raises(TypeError) as caught:
        autoopt.minimize(lambda x: x @ x, np.ones(2))
    owners = [origin.owner(trace.tb_frame.f_code.co_filename) for trace in origin.traces(caught.value)]
    assert owners[-1] is Owner.AUTOOPT
