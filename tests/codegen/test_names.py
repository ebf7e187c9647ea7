"""Names and comments of printed source: the user's own, of the lines inside the objective alone."""

import re

import numpy as np
import pytest

import autoopt

P = np.array([0.3, 1.2, 0.5])
X = np.linspace(-1.0, 2.0, 7)


class Model:
    """Whose attributes receive values."""


def source(function, *args) -> str:
    return autoopt.Objective(function, P, args).source()


def plain(p, x):
    mu, log_s, nu = p
    return np.sum(((x - mu) * np.exp(-log_s)) ** 2 * nu) + mu * log_s + nu**2


def nested(p, x):
    (a, b), c = p[:2], p[2]
    return np.sum((x - a) ** 2 * np.exp(b)) + a * b * np.sin(c) * c


def starred(p, x):
    a, *rest = p
    b, c = rest
    return np.sum((x - a) ** 2 * np.exp(b)) + a * b * np.sin(c) * c


def starred_within(p, x):
    first, *middle, last = p
    return np.sum((x - first) ** 2 * np.exp(last)) + first * last * np.sin(middle[0]) * middle[0]


def parts(p, x):
    a, b = p[:2], p[2:]
    return np.sum((x - a[0] * a[1]) ** 2 * np.exp(b[0])) + np.sum(a**2) * b[0]


def of_exponentials(p, x):
    ls, sf, sn = np.exp(p)
    return np.sum((x - ls) ** 2 * sf) + ls * sn * np.sin(sf) * sn


def walrus(p, x):
    return np.sum((z := (x - p[0]) * p[1]) ** 2) + np.sum(np.exp(z) * z)


def iterated(p, x):
    total = 0.0
    for theta in p:
        total += np.sum((x - theta) ** 2) * np.exp(theta) * theta
    return total


def augmented(p, x):
    r = x - p[0]
    r *= p[1]
    return np.sum(r**2 * np.exp(r + p[2]))


def attributes(p, x):
    model = Model()
    model.scale = np.exp(p[1]); model.loc = p[0] * 2  # fmt: skip  # noqa: E702
    return np.sum(((x - model.loc) / model.scale) ** 2) + model.scale * model.loc


def items(p, x):
    d = {"loc": p[0] * 2}
    d["scale"] = np.exp(p[1])
    return np.sum(((x - d["loc"]) / d["scale"]) ** 2) + d["scale"] * d["loc"]


def zipped(p, x):
    par = dict(zip(["mu", "sigma"], p, strict=False))
    return np.sum(((x - par["mu"]) / par["sigma"]) ** 2) + par["mu"] * par["sigma"]


def several(p, x):
    a, b, c, d = np.exp(p[0]), p[1] * 2, np.sin(p[2]), p[0] * p[1]
    return np.sum((x - a) ** 2 * b) + a * b * c * d + c**2 * d**2


def twice(p, x):
    z = np.exp(p[1])
    a = np.sum((x - z) ** 2) * z
    z = np.sin(p[0]) * p[2]
    return a * z + np.cos(z)


def last_one(p, x):
    mu, sigma = p[0], p[-1]
    return np.sum((x - mu) ** 2 * sigma) + mu * sigma


def _residual(x, mu, sigma):
    return (x - mu) * sigma


def with_arguments(p, x):
    z = _residual(x, *p[:2])
    return np.sum(z**2 * np.exp(z)) + p[0] * p[1]


NAMED = [
    (plain, "mu = p[0]", "log_s = p[1]", "nu = p[2]"),
    (nested, "a = p[0]", "b = p[1]"),
    (nested, "c = p[2]"),
    (starred, "a = p[0]", "b = p[1]", "c = p[2]"),
    (starred_within, "first = p[0]", "last = p[2]"),
    (starred_within, "middle_0 = p[1]"),
    (parts, "a = p[:2]", "b = p[2:]"),
    (of_exponentials, "ls = exp_p[0]", "sf = exp_p[1]", "sn = exp_p[2]"),
    (walrus, "z = difference * p1"),
    (iterated, "theta = p[0]", "theta2 = p[1]", "theta3 = p[2]"),
    (augmented, "r = x - p[0]", "r2 = r * p[1]"),
    (attributes, "scale = np.exp(p[1])", "loc = 2.0 * p[0]"),
    (items, "loc = 2.0 * p[0]", "scale = np.exp(p[1])"),
    (zipped, "mu = p[0]", "sigma = p[1]"),
    (several, "a = np.exp(p0)", "c = np.sin(p[2])", "d = p0 * p1"),
    (twice, "z = np.exp(p[1])", "z2 = sin * p2"),
    (last_one, "mu = p[0]", "sigma = p[2]"),
    (with_arguments, "mu = p[0]", "sigma = p[1]"),
]


@pytest.mark.parametrize("function, statements", [(f, s) for f, *s in NAMED], ids=lambda v: getattr(v, "__name__", ""))
def test_what_the_user_has_named_keeps_its_name_in_the_users_order(function, statements) -> None:
    lines = [line.strip() for line in source(function, X).split("\n")]
    places = [lines.index(statement) if statement in lines else -1 for statement in statements]
    assert -1 not in places, lines
    assert places == sorted(places)


def test_names_are_those_of_the_function_that_is_asked_for() -> None:
    def other(p, x):
        location, log_scale, df = p
        return np.sum(((x - location) * np.exp(-log_scale)) ** 2 * df) + location * log_scale + df**2

    assert "mu = p[0]" in source(plain, X)
    text = source(other, X)  # of the same tape
    assert "location = p[0]" in text
    assert " mu" not in text


def comments(function, *args) -> list[str]:
    return re.findall(r"^ +# (.*)$", source(function, *args), re.MULTILINE)


def test_statements_of_several_lines_are_joined_or_begun() -> None:
    # fmt: off
    def objective(p, x):
        z = (
            (x - p[0])
            * np.exp(p[1])  # why not
        )
        return np.sum(z**2 * np.exp(z)) + np.sum(np.cos(x * p[2]) ** 2) + np.sum(np.sin(x * p[2] * p[1] * p[0]) ** 3)
    # fmt: on

    quoted = comments(objective, X)
    assert "z = ((x - p[0]) * np.exp(p[1]))" in quoted
    assert all(len(line) <= 92 for line in quoted)
    assert any(line.startswith("return np.sum(z**2") and line.endswith(" ...") for line in quoted)


def test_a_long_statement_whose_first_line_is_a_bracket_is_begun_behind_it() -> None:
    # fmt: off
    def objective(p, x):
        return (
            np.sum(np.exp(x * p[0]))
            + np.sum(np.cos(x * p[1]) ** 2)
            + np.sum(np.sin(x * p[0] * p[1]) ** 3)
        )
    # fmt: on

    begun = next(line for line in comments(objective, X) if line.startswith("return"))
    assert begun.startswith("return (np.sum(np.exp(x * p[0])) + np.sum(") and begun.endswith(" ...")


def test_of_a_lambda_only_its_own_text_is_quoted() -> None:
    assert comments(lambda p, x: np.sum(np.exp(x * p[0]) * p[1]), X) == ["np.sum(np.exp(x * p[0]) * p[1])"]


def test_a_line_that_is_another_one_by_now_is_not_quoted(tmp_path) -> None:
    import importlib.util

    file = tmp_path / "model.py"
    body = "import numpy as np\n\ndef loss(p, x):\n    r = x - p[0]\n    return np.sum(r**2 * np.exp(r))\n"
    file.write_text(body)
    spec = importlib.util.spec_from_file_location("model", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    file.write_text("import sys\n\n# loss(1, 2)\nsys.exit(main())\n" + body)
    assert comments(module.loss, X) == []
