"""The exact text of what autoopt says when it cannot follow an objective: what happened, the user's line, what to do.

Each objective is written to a file `model.py` of its own, so that file, line and carets are those a user would see.
"""

from __future__ import annotations

import importlib.util
import inspect
import linecache
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from derivative_checks import check_gradient
from messages import MESSAGES

import autoopt
from autoopt import differences
from autoopt.errors import (
    AutooptError,
    ObjectiveError,
    PathsWarning,
    TracingError,
    UnsupportedFunctionError,
    UsageError,
)
from autoopt.execution import ladder
from autoopt.objectives import dispatch
from autoopt.objectives.objective import Objective, printed
from autoopt.tape.loops import irregular

X = np.array([0.5, 1.5, 2.5])
HEADER = "import math\nimport numpy as np\nimport scipy.special\nW = np.ones(3)\n\ndef objective(x, *data):\n"


@pytest.fixture
def model(tmp_path, monkeypatch) -> Callable[[str], Callable]:
    """Return a function that gives the objective of a model file with this body, which starts at line 7."""
    monkeypatch.chdir(tmp_path)

    def write(body: str, header: str = HEADER) -> Callable:
        file = tmp_path / "model.py"
        file.write_text(header + "\n".join(f"    {line}" for line in body.split("\n")) + "\n")
        linecache.checkcache()
        spec = importlib.util.spec_from_file_location("model", file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.objective

    return write


def said(f: Callable, *args: Any, kind: type[BaseException] = AutooptError) -> BaseException:
    with pytest.raises(kind) as caught:
        autoopt.grad(f)(X, *args)
    return caught.value


@pytest.mark.parametrize("name", MESSAGES)
def test_message(name, model) -> None:
    body, data, kind, message = MESSAGES[name]
    error = said(model(body), *data)
    assert type(error) is kind
    assert str(error) == message


@pytest.mark.parametrize(
    "name", ["function without a rule", "option without a rule", "float in a library", "array in a library"]
)
def test_remedy_of_finite_differences_works(name, model) -> None:
    body, data, _, _ = MESSAGES[name]
    f = model(f"value = (lambda: {body.removeprefix('return ')})()\nreturn value + np.sum((x - 1.0) ** 2)")
    with pytest.raises(AutooptError):
        autoopt.minimize(f, X, args=data)
    assert autoopt.minimize(f, X, args=data, jac="finite-difference", options={"maxiter": 3}).nit <= 3


def test_message_over_several_lines_shows_the_first(model) -> None:
    error = said(model("return np.sum(\n    np.spacing(\n        x\n    )\n)"))
    assert "  model.py:8\n    np.spacing(\nTo fix this" in str(error)


def test_carets_stand_under_the_expression_after_wide_letters(model) -> None:
    error = said(model('s = "äöü€"; z = np.spacing(x).sum()\nreturn z'))
    lines = str(error).split("\n")
    assert lines[2].strip() == 's = "äöü€"; z = np.spacing(x).sum()'
    start = lines[2].index("np.spacing")
    assert lines[3] == " " * start + "^" * len("np.spacing(x)")


def test_objective_without_a_file_has_a_line_number() -> None:
    namespace = {"np": np}
    exec(compile("def f(x):\n    return np.spacing(x).sum()", "<typed>", "exec"), namespace)
    assert "  <typed>:2\n" in str(said(namespace["f"]))


def test_file_elsewhere_is_named_in_full(model, tmp_path, monkeypatch) -> None:
    f = model("return np.spacing(x).sum()")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert f"  {tmp_path / 'model.py'}:7\n" in str(said(f))


# The user's own exceptions --------------------------------------------------------------------------------------------


def users_lines(error: BaseException) -> list[int]:
    return [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).name == "model.py"
    ]


THEIRS = {
    "shapes": (
        "y = 2.0 * x\nreturn np.sum(data[0] @ y)",
        (np.ones((2, 2)),),
        ValueError,
        "mismatch in its core dimension",
    ),
    "broadcast": (
        "y = 2.0 * x\nreturn np.sum(data[0] + y)",
        (np.ones(2),),
        ValueError,
        "could not be broadcast together",
    ),
    "name": ("y = 2.0 * x\nreturn missing + y.sum()", (), NameError, "name 'missing' is not defined"),
    "index": ("y = 2.0 * x\nreturn y[7]", (), IndexError, "index 7 is out of bounds"),
    "key": ("y = {}\nreturn y['k'] + x.sum()", (), KeyError, "'k'"),
    "domain": ("y = 2.0 * x\nreturn math.log(-y[0])", (), ValueError, "math domain error"),
    "own": ("y = 2.0 * x\nraise RuntimeError('my own')", (), RuntimeError, "my own"),
    "linear algebra": (
        "y = 2.0 * x\nreturn np.linalg.inv(np.zeros((3, 3)) * y)[0, 0]",
        (),
        np.linalg.LinAlgError,
        "Singular",
    ),
    "attribute": ("y = 2.0 * x\nreturn y.foo", (), AttributeError, "has no attribute 'foo'"),
    "assertion": ("y = 2.0 * x\nassert y[0] > 5, 'too small'", (), AssertionError, "too small"),
    "division": ("y = float(x[0])\nreturn 1.0 / (y - y)", (), ZeroDivisionError, "float division by zero"),
}


@pytest.mark.parametrize("name", THEIRS)
def test_users_exception_is_theirs_with_their_line(name, model) -> None:
    body, data, kind, words = THEIRS[name]
    f = model(body)
    with pytest.raises(kind) as expected:
        f(X, *data)
    error = said(f, *data, kind=kind)
    assert type(error) is type(expected.value) and str(error) == str(expected.value) and words in str(error)
    assert not isinstance(error, AutooptError)
    assert users_lines(error)[-1] == 8
    assert "TracedArray" not in str(error)


# Calls of autoopt -----------------------------------------------------------------------------------------------------


def usage(call: Callable) -> str:
    with pytest.raises(UsageError) as caught:
        call()
    assert isinstance(caught.value, ValueError)
    return str(caught.value)


def test_unknown_engine() -> None:
    expected = "There is no engine 'fortran'.\nTo fix this: choose one of auto, numpy, numba."
    assert usage(lambda: Objective(np.sum, X, engine="fortran")) == expected
    assert usage(lambda: autoopt.minimize(lambda x: x @ x, X, engine="fortran")) == expected


def test_unknown_kind_of_source() -> None:
    objective = Objective(lambda x: x @ x, X)
    remedy = "choose one of value, gradient, hessian, hvp, hvp_columns, jacobian, vjp, jvp."
    expected = f"derivatives='hess' is not understood.\nTo fix this: {remedy}"
    assert usage(lambda: objective.source("hess")) == expected


def test_source_of_numba() -> None:
    objective = Objective(lambda x: x[0], X, engine="numba")
    assert usage(objective.source) == 'The numba engine has no source.\nTo fix this: use engine="numpy".'


def test_arguments_of_transforms() -> None:
    f = lambda a, b: a @ b  # noqa: E731
    assert usage(lambda: autoopt.grad(f, argnums=-1)) == (
        "argnums=-1 is not understood.\nTo fix this: pass the position of one argument."
    )
    assert usage(lambda: autoopt.grad(f, argnums=(0, 1))) == (
        "argnums=(0, 1) is not understood.\nTo fix this: pass the position of one argument."
    )
    assert usage(lambda: autoopt.grad(f, argnums=1)(X)) == (
        "The function was called without its argument 1.\nTo fix this: pass it."
    )
    assert usage(lambda: autoopt.hvp(f)(X)) == (
        "hvp(f) takes the point and the direction.\nTo fix this: call hvp(f)(x, p, *args)."
    )


def test_point_of_another_shape() -> None:
    objective = Objective(lambda x: x @ x, X)
    expected = "x: expected shape (3,), got (2,).\nTo fix this: pass a value of the same structure as x0."
    assert usage(lambda: objective.grad(np.ones(2))) == expected
    assert usage(lambda: objective.hessp(X, np.ones(2))) == expected.replace("x:", "direction:")
    nested = autoopt.hvp(lambda p: p["a"] @ p["a"])
    assert usage(lambda: nested({"a": X}, {"a": np.ones(2)})).startswith("direction.a: expected shape (3,), got (2,).")


def test_too_many_paths(model, monkeypatch) -> None:
    monkeypatch.setattr(dispatch, "MAX_PATHS", 4)
    objective = Objective(model("steps = int(x[0])\nreturn sum(x[1] * i for i in range(steps))"), X)
    with pytest.warns(PathsWarning) as caught:
        for steps in range(10):
            objective.value(np.array([steps, 1.0, 1.0]))
    assert [str(warning.message) for warning in caught] == [
        """\
The objective took more than 4 different ways through its branches, which are decided at:
  model.py:7
    steps = int(x[0])
            ^^^^^^^^^
From now on new ways are followed step by step, which is slower than compiled code.
To fix this: give the loop a fixed number of iterations, or replace the branch by np.where or np.maximum."""
    ]
    assert caught[0].filename == __file__


def test_cap_counts_ways_not_calls(monkeypatch) -> None:
    monkeypatch.setattr(dispatch, "MAX_PATHS", 2)
    objective = Objective(lambda x: x[0] if x[0] > 0 else -x[0], X)
    for sign in (1.0, -1.0) * 5:
        assert objective.value(sign * X) == 0.5


# Loops that are too long ----------------------------------------------------------------------------------------------

LONG_LOOPS = {
    "for loop": ("s = 0.0\nfor i in range(1000):\n    for v in x:\n        s += v * i\nreturn s", 8),
    "while loop": ("i = 0\nwhile i < 1000:\n    i += 1\n    x = np.sin(x) * 2\nreturn x[0]", 8),
    "comprehension": ("y = x * 2\nreturn sum([np.exp(x[0]) * i for i in range(1000)])", 8),
    "loop in a helper": ("def f(v):\n    return np.sin(v) * v\n\nfor _ in range(1000):\n    x = f(x)\nreturn x[0]", 10),
    "filled array": ("out = np.zeros(1000)\nfor i in range(1000):\n    out[i] = x[0] * i\nreturn out.sum()", 8),
}


@pytest.mark.parametrize("name", LONG_LOOPS)
def test_too_many_steps_name_the_loop(name, model, monkeypatch) -> None:
    monkeypatch.setattr(sys.modules["autoopt.tracing.recording.tracer"], "MOST_STEPS", 500)
    body, line = LONG_LOOPS[name]
    error = said(model(body), kind=TracingError)
    assert str(error) == (
        "The objective takes more than 500 steps, more than can be followed one by one.\n"
        f"  model.py:{line}\n    {body.splitlines()[line - 7]}\n"
        "To fix this: write the loop as operations on whole arrays, or pass jac='finite-difference'."
    )
    assert autoopt.minimize(model(body), X, jac="finite-difference", options={"maxiter": 1}).nit <= 1


def test_too_many_arrays_made_in_a_loop_name_it(model, monkeypatch) -> None:
    monkeypatch.setattr(sys.modules["autoopt.tracing.recording.tracer"], "MOST_BYTES", 10_000)
    error = said(
        model("for i in range(1000):\n    x = x * np.random.default_rng(i).random(3)\nreturn x[0]"), kind=TracingError
    )
    assert str(error) == (
        "The objective makes more than 10,000 bytes of arrays that do not depend on its parameters, "
        "more than can be followed one by one.\n  model.py:7\n    for i in range(1000):\n"
        "To fix this: write the loop as operations on whole arrays, or pass jac='finite-difference'."
    )


# Loops that stay long -------------------------------------------------------------------------------------------------

SHAPES = """\
s = 0.0
for k in range(40):
    s += np.sum(np.sin(np.arange(k + 1) * x[0]) ** 2)
return s"""
FUNCTIONS = """\
y = x[0]
for k in range(40):
    y = (np.sin, np.tanh, np.arctan)[k * k % 11 % 3](y)
return y"""
OPTIONS = """\
y = x
for k in range(1, 40):
    y = np.sin(y) * np.roll(y, k)
return y[0]"""
BRANCHES = """\
y = x[0]
for k in range(60):
    if k * k * k % 11 % 3:
        y = np.sin(y)
    else:
        y = np.exp(-y)
return y"""
IRREGULAR = {
    "shapes": (SHAPES, 9, "they have arrays of 40 different shapes here", "give the arrays one shape"),
    "functions": (
        FUNCTIONS,
        9,
        "they call 3 different functions here, such as np.arctan, np.sin, np.tanh",
        "use one loop",
    ),
    "options": (OPTIONS, 9, "they use 39 different indices or options here", "use the same in every iteration"),
    "branches": (
        BRANCHES,
        10,
        "what goes in here comes from other lines from one to the next",
        "let every iteration do",
    ),
}


@pytest.mark.parametrize("name", IRREGULAR)
def test_loop_that_stays_long_says_what_differs(name, model, monkeypatch) -> None:
    monkeypatch.setattr(irregular, "MOST", 20)
    body, line, reason, remedy = IRREGULAR[name]
    monkeypatch.setattr(ladder, "MOST", 20)
    with pytest.raises(TracingError) as caught:
        printed(model(body), X)
    happened, loop, loop_text, place, *rest = str(caught.value).split("\n")
    assert re.fullmatch(
        f"A loop of the objective comes to [0-9]+ operations on arrays, because its iterations differ: {reason}. That "
        "is more than the 20 that are written as one source.",
        happened,
    )
    assert (loop, loop_text) == ("  model.py:8", f"    {body.splitlines()[1]}")
    assert place == f"  model.py:{line}"
    assert rest[-1].startswith(f"To fix this: {remedy}") and rest[-1].endswith("minimize and fit need no source.")
    found = autoopt.minimize(model(body), X, options={"maxiter": 1})
    assert found.nit <= 1
    assert re.search(rf": {re.escape(reason)} \(.*model.py:{line}\). To speed it up, {remedy}", found.notes[0])


def test_of_long_code_without_a_loop_there_is_no_source(model, monkeypatch) -> None:
    monkeypatch.setattr(irregular, "MOST", 3)
    monkeypatch.setattr(ladder, "MOST", 3)
    with pytest.raises(TracingError) as caught:
        printed(model("y = np.sin(x)\nz = np.exp(y) * x\nreturn np.sum(z) + np.tanh(y[0])"), X)
    assert str(caught.value) == (
        "The objective consists of 7 different operations on arrays. That is more than the 3 that are written as one "
        "source.\n"
        "  model.py:7\n    y = np.sin(x)\n        ^^^^^^^^^\n"
        "To fix this: write parts of it as fewer operations on larger arrays; with engine='auto' minimize and fit need "
        "no source."
    )


@pytest.mark.slow
def test_deep_chain_needs_no_deeper_stack_of_the_user(model) -> None:
    body = "y = x[0]\nfor k in range(60):\n    y = (np.sin, np.tanh, np.arctan)[k * k % 11 % 3](y) * x[1]\nreturn y"
    autoopt.grad(lambda x: np.sin(x[0]))(X)  # imports
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 150)
    try:
        gradient = autoopt.grad(model(body))(X)
    finally:
        sys.setrecursionlimit(limit)
    assert np.isfinite(gradient).all()


HALVING = """\
cubic = lambda v: v**3 + x[1] * v - x[0] - 5
low, high = 0.0, 10.0
while high - low > 1e-12:
    middle = (low + high) / 2
    if cubic(middle) > 0:
        high = middle
    else:
        low = middle
"""


THIRDS = """\
a, b = -5.0, 5.0
for _ in range(80):
    c, d = a + (b - a) / 3, b - (b - a) / 3
    if (c - x[0])**2 + x[1] * c < (d - x[0])**2 + x[1] * d:
        b = d
    else:
        a = c
return c**2 + x[2]
"""


@pytest.mark.slow
def test_a_search_that_is_no_root_is_refused_as_often_as_it_is_asked_for(model) -> None:
    gradient = autoopt.grad(model(THIRDS))
    for _ in range(2):
        with pytest.raises(TracingError) as caught:
            gradient(X)
        assert caught.value.happened.startswith("The objective finds a number by decisions, which have no derivative")
        assert [place.expression for place in caught.value.where] == [
            "(c - x[0])**2 + x[1] * c < (d - x[0])**2 + x[1] * d"
        ]


def test_a_root_by_halving_has_the_derivative_of_the_root(model) -> None:
    f = model(HALVING + "return low**2 + x[2]")
    expected, _ = differences.gradient(f, X)
    np.testing.assert_allclose(autoopt.grad(f)(X), expected, rtol=1e-6)


def test_the_remedies_for_a_root_by_halving_work(model) -> None:
    newton = "for _ in range(2):\n    low = low - cubic(low) / (3 * low**2 + x[1])\nreturn low**2 + x[2]"
    brent = "from scipy.optimize import brentq\nreturn brentq(cubic, 0, 10, xtol=1e-15) ** 2 + x[2]"
    expected, _ = differences.gradient(model(HALVING + newton), X)
    np.testing.assert_allclose(autoopt.grad(model(HALVING + newton))(X), expected, rtol=1e-8)
    np.testing.assert_allclose(autoopt.grad(model(HALVING.split("low, high")[0] + brent))(X), expected, rtol=1e-8)
    halved = model(HALVING + "return (low - 1.7)**2 + np.sum((x - 1)**2)")
    assert autoopt.minimize(halved, X, jac="finite-difference").success


# Derivatives that are not known ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line, place",
    [
        ("scipy.special.jv(x, 2.0).sum()", "scipy.special.jv in its first argument"),
        ("np.sum(scipy.special.iv(x[0], x))", "scipy.special.iv in its first argument"),
        ("sum(scipy.special.hyp2f1(1.0, x[k] ** 2, 3.0, 0.5) for k in range(2))", "hyp2f1 in its second argument"),
        ("scipy.special.struve(x, 2.0).sum()", "scipy.special.struve in its first argument"),
    ],
)
def test_derivative_by_an_order_is_refused_with_the_line(model, line, place) -> None:
    error = said(model(f"return {line}"), kind=Exception)
    assert isinstance(error, UnsupportedFunctionError) and "model.py:7" in str(error) and place in str(error)


def test_complex_result_is_refused_with_the_line(model) -> None:
    error = said(model("return x[0] + 1j"), kind=Exception)
    assert isinstance(error, ObjectiveError) and "model.py" in str(error)


def test_every_refused_function_has_its_remedy(model) -> None:
    error = said(model("return np.quantile(x, 0.5, method='inverted_cdf', weights=x) + np.sum(x, dtype=np.float32)"))
    assert "leave out weights=" in str(error) and "leave out dtype=" in str(error)


def test_source_of_an_operation_without_one_is_refused_with_the_line() -> None:
    """Its derivative is taken step by step."""
    import scipy.linalg

    base = np.array([[4.0, 1.0, 0.5], [1.0, 5.0, 0.2], [0.5, 0.2, 6.0]])

    def stacks(x):
        _, lower, upper = scipy.linalg.lu(np.stack([base + np.outer(x, x), 2 * base + np.outer(x, x)]))
        return np.sum(lower * upper)

    x = np.array([0.7, -0.4, 1.3])
    with pytest.raises(UnsupportedFunctionError, match=r"There is no NumPy source for .*LU(?s:.)*scipy\.linalg\.lu"):
        printed(stacks, x)
    check_gradient(autoopt.objective(stacks, x), x, 0.0)
