"""Loops stand where they are called, if that is one place and their names can be told apart there."""

import numpy as np
import pytest

from autoopt.exporting.inlining import inlined

LOOP = """\
def a_loop(start, term, x, n):
    a = np.empty(n)
    a[0] = start
    for t in range(n - 1):
        # a = a * x[t]
        product = a[t] * x[1]
        a[t + 1] = product + term[t]
    return a"""

CALLED_ONCE = """\
def value_and_grad(p, x, product):
    \"\"\"Return the value.\"\"\"
    n = len(x)
    # a = a * x[t]
    a = a_loop(p[0], x[1:] * 2, p, n)
    return product * a.sum()"""

CALLERS = {
    "once": (CALLED_ONCE, True),
    "twice": (CALLED_ONCE.replace("a.sum()", "a.sum() + a_loop(p[0], x, p, n).sum()"), False),
    "target is read": (
        CALLED_ONCE.replace("a_loop(p[0]", "a_loop(a[0]").replace("n = len(x)", "n, a = len(x), p"),
        False,
    ),
    "inside of an expression": (
        CALLED_ONCE.replace("a = a_loop(p[0], x[1:] * 2, p, n)", "a = 2 * a_loop(p[0], x, p, n)"),
        False,
    ),
    "in a function inside": (
        """\
def value_and_grad(p, x, product):
    n = len(x)

    def times(direction):
        n = len(x)
        a = a_loop(p[0], x[1:] * 2, p, n)
        return direction * a.sum()

    return times(product)""",
        False,
    ),
    "in a block": (
        CALLED_ONCE.replace("    a = a_loop", "    if n > 0:\n        a = a_loop"),
        False,
    ),
    "counter is free": (
        CALLED_ONCE.replace("    n = len(x)", "    n = len(x)\n    for t in range(2):\n        n += 0 * t"),
        True,
    ),
    "counter is not": (
        CALLED_ONCE.replace("    n = len(x)", "    t = 3.0\n    n = len(x)").replace("a.sum()", "a.sum() * t"),
        True,
    ),
}


@pytest.mark.parametrize("name", CALLERS)
def test_loops_stand_where_they_are_called(name) -> None:
    caller, wanted = CALLERS[name]
    found = inlined({"a_loop": LOOP, "value_and_grad": caller})
    assert ("a_loop" not in found) == wanted
    results = []
    for texts in ({"a_loop": LOOP, "value_and_grad": caller}, found):
        scope: dict = {"np": np}
        exec("\n\n\n".join(texts.values()), scope)
        p = np.array([0.5, 0.25, 2.0])
        results.append(scope["value_and_grad"](p, np.arange(3.0) + 1, 7.0))
    np.testing.assert_array_equal(*results)
    if wanted:
        assert found["value_and_grad"].count("# a = a * x[t]") == 1  # not once more above the loop
        assert "a[0] = p[0]" in found["value_and_grad"]


def test_several_callers_share_a_function() -> None:
    texts = {"a_loop": LOOP, "value_and_grad": CALLED_ONCE, "hess": CALLED_ONCE.replace("value_and_grad", "hess")}
    assert inlined(texts) == texts


def test_what_only_has_a_name_like_a_loop_stays() -> None:
    texts = {"of_loop": "of_loop = np.arange(3)", "value_and_grad": "def value_and_grad(p):\n    return p @ of_loop"}
    assert inlined(texts) == texts
