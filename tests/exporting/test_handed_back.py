"""Modules of derivatives that come back edited: compared, located where wrong, and run where right."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from click.testing import CliRunner

import autoopt
from autoopt.cli.main import main
from autoopt.errors import ModelError, UsageError, VerificationError
from autoopt.exporting.comparison import compare
from autoopt.exporting.handed import Handed

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(80, 3)), (RNG.random(80) < 0.5) * 1.0
SHIFT = RNG.normal(size=80)


def logistic(w, X, y):
    z = X @ w
    return np.sum(np.logaddexp(0, z) - y * z)


def normal(params, x):
    z = (x - params["mu"]) / np.exp(params["log_s"])
    return np.sum(0.5 * z**2 + params["log_s"])


def shifted(w):
    return np.sum(np.cosh(X @ w - SHIFT))


def branching(p, x):
    return np.sum((x - p[0]) ** 2) + (p[0] ** 4 if p[0] < 0 else 0.0)


MODELS = {
    "logistic": (logistic, np.full(3, 0.1), (X, Y)),
    "normal": (normal, {"mu": 0.1, "log_s": 0.3}, (X[:, 0],)),
    "globals": (shifted, np.full(3, 0.1), ()),
}


def written(tmp_path, name: str, kinds=("gradient", "hessian", "hvp")) -> str:
    file = tmp_path / f"{name}_derivatives.py"
    file.write_text(autoopt.source(*MODELS[name], kinds))
    return file


@pytest.mark.slow_for("normal")
@pytest.mark.parametrize("name", MODELS)
def test_module_as_it_was_written_agrees(tmp_path, name) -> None:
    found = compare(*MODELS[name], written(tmp_path, name))
    assert found and set(found.digits) == {"value_and_grad", "grad", "hess", "hvp"}
    assert min(found.digits.values()) > 12 and len(found.points) >= 6
    assert "agrees to" in str(found) and found.speed is not None


EDITS = [
    ("logistic", "- y @ z", "+ y @ z", "value = ", "the value is"),
    ("logistic", "X.T @ (np.exp", "1.001 * X.T @ (np.exp", "gradient = ", "the gradient by w["),
    ("logistic", "    z = X @ w\n", "    z = X @ w + 1e-3\n", "z = X @ w + 1e-3", "the value is"),
    ("logistic", "sigmoid * (1.0 - sigmoid)", "sigmoid * (1.0 + sigmoid)", "", "the Hessian by "),
    ("normal", "- square_z.sum()}", "+ square_z.sum()}", "gradient = ", "the gradient by log_s"),
]


@pytest.mark.parametrize(("name", "right", "wrong", "line", "said"), EDITS)
def test_wrong_edit_is_caught_and_located(tmp_path, name, right, wrong, line, said) -> None:
    file = written(tmp_path, name)
    text = file.read_text()
    assert right in text
    file.write_text(text.replace(right, wrong, 1))
    f, x0, args = MODELS[name]
    names = ("w[0]", "w[1]", "w[2]") if name == "logistic" else ()
    found = compare(f, x0, args, file, names)
    assert not found
    first = found.differences[0]
    assert said in first.what and "WRONG at x0" in str(found)
    number = next(k for k, one in enumerate(file.read_text().split("\n"), 1) if (line or wrong) in one)
    if line.startswith("return"):
        return  # nothing is assigned there
    assert f"{file}:{number}: " in first.line


FORMS = [
    ("logistic", "return value, gradient", "return gradient, value", "(an array of shape (3,), a number)"),
    ("logistic", "return value, gradient", "return gradient", "an array of shape (3,)"),
    ("logistic", "return value, gradient", "return value, gradient[:2]", "(a number, an array of shape (2,))"),
    ("normal", "return value, gradient", "return value, [1.0, 2.0]", "(a number, [a number, a number])"),
]


@pytest.mark.parametrize(("name", "right", "wrong", "returned"), FORMS)
def test_result_of_another_form_is_told_with_what_is_expected(tmp_path, name, right, wrong, returned) -> None:
    file = written(tmp_path, name)
    text = file.read_text()
    assert right in text
    file.write_text(text.replace(right, wrong, 1))
    first = compare(*MODELS[name], file).differences[0]
    vector = {"logistic": "an array of shape (3,)", "normal": "{'mu': a number, 'log_s': a number}"}[name]
    assert first.function == "value_and_grad"
    assert first.what == f"it returns {returned}, and not (a number, {vector})"


def test_what_autoopt_would_have_wrong_is_no_fault_of_the_module(tmp_path) -> None:
    """Differences of the objective decide, not what is derived."""
    by_hand = {"value_and_grad": lambda w, X, y: (logistic(w, X, y), X.T @ (1 / (1 + np.exp(-X @ w)) - y))}
    found = compare(*MODELS["logistic"], by_hand)
    assert found, str(found)


@pytest.mark.parametrize("name", MODELS)
def test_fit_with_a_module_that_was_edited(tmp_path, name, monkeypatch) -> None:
    f, x0, args = MODELS[name]
    file = written(tmp_path, name)
    text = file.read_text().replace("    value = ", "    sys.CALLS.append(1)\n    value = ", 1)
    file.write_text(text.replace("import numpy as np", "import sys\n\nimport numpy as np", 1))
    calls: list[int] = []
    monkeypatch.setattr(sys, "CALLS", calls, raising=False)
    for method in ("l-bfgs-b", "newton-cg", "trust-exact"):
        expected = autoopt.minimize(f, x0, args, method=method)
        found = autoopt.minimize(f, x0, args, method=method, derivatives=file)
        assert found.success, found.message
        np.testing.assert_allclose(found.x_flat, expected.x_flat, atol=1e-6)
    assert len(calls) > 10  # it is what has run


def test_wrong_module_is_refused_before_the_run(tmp_path) -> None:
    file = written(tmp_path, "logistic")
    file.write_text(file.read_text().replace("X.T @ (np.exp", "1.01 * X.T @ (np.exp"))
    with pytest.raises(VerificationError):
        autoopt.minimize(*MODELS["logistic"], derivatives=file)


def test_what_an_edit_raises_is_told_as_its_own(tmp_path) -> None:
    file = written(tmp_path, "logistic")
    file.write_text(file.read_text().replace("np.exp(z - softplus_z)", "np.exq(z - softplus_z)"))
    with pytest.raises(ModelError, match=r"value_and_grad of .*logistic_derivatives.py raised .*no attribute 'exq'"):
        autoopt.minimize(*MODELS["logistic"], derivatives=file)


def test_branches_that_the_module_does_not_have_are_derived(tmp_path) -> None:
    file = tmp_path / "d.py"
    file.write_text(autoopt.source(branching, np.array([2.0]), (X[:, 0] - 3.0,)))
    found = autoopt.minimize(branching, np.array([2.0]), (X[:, 0] - 3.0,), derivatives=file)
    expected = autoopt.minimize(branching, np.array([-1.0]), (X[:, 0] - 3.0,))
    np.testing.assert_allclose(found.x, expected.x, atol=1e-5)


def test_modules_that_do_not_fit(tmp_path) -> None:
    with pytest.raises(ModelError, match=r"is not there\. Is it logistic_derivatives\.py\?|is not there"):
        Handed(written(tmp_path, "logistic").with_name("logistic_derivative.py"), *MODELS["logistic"])
    with pytest.raises(ModelError, match="no function value_and_grad"):
        Handed({"x": 1}, *MODELS["logistic"])
    with pytest.raises(UsageError, match="takes 2 arguments, and is given 3"):
        Handed({"value_and_grad": lambda w, X: 0}, *MODELS["logistic"])
    with pytest.raises(UsageError, match="takes extra, which the objective does not have"):
        Handed({"value_and_grad": lambda w, X, y, extra: 0}, *MODELS["logistic"])


MODEL = """
import numpy as np

kind = "negative log-likelihood"
x0 = np.zeros(2)
data = (np.array([1.0, 2.0, 4.0, 7.0]),)


def objective(params, y):
    mean, log_sd = params
    return np.sum(0.5 * ((y - mean) / np.exp(log_sd)) ** 2 + log_sd)


print("hello")
"""


def run(*args):
    return CliRunner().invoke(main, [str(arg) for arg in args], prog_name="autoopt")


@pytest.mark.slow
def test_commands(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL)
    shown = run("derive", "model.py")
    assert shown.exit_code == 0 and "hello" in shown.stderr and "def value_and_grad(params, y):" in shown.stdout
    done = run("derive", "model.py", "-o", "d.py", "--order", "2", "--hvp")
    assert done.exit_code == 0, done.output
    text = (tmp_path / "d.py").read_text()
    assert all(f"def {name}(params" in text for name in ("value_and_grad", "grad", "hess", "hvp", "linearize"))
    assert "sys.exit" not in text and "hello" not in text
    checked = run("check", "model.py", "--against", "d.py")
    assert checked.exit_code == 0 and "value_and_grad  agrees to" in checked.stdout
    assert run("check", "model.py").exit_code == 0
    fitted = run("fit", "model.py", "--derivatives", "d.py", "--quiet")
    assert fitted.exit_code == 0 and "3.5" in fitted.stdout
    (tmp_path / "d.py").write_text(re.sub(r"    gradient = ", "    gradient = 1.5 * ", text))
    checked = run("check", "model.py", "--against", "d.py")
    assert checked.exit_code == 4 and "is WRONG at x0" in checked.stdout and "d.py:" in checked.stdout
    assert run("fit", "model.py", "--derivatives", "d.py", "--quiet").exit_code == 4
    assert run("derive", "model.py", "-o", "nowhere/d.py").exit_code == 2
    (tmp_path / "typo.py").write_text(MODEL.replace("np.exp", "np.exq"))
    failed = run("derive", "typo.py")
    assert failed.exit_code == 1 and "typo.py:11" in failed.stderr and "derive.py" not in failed.stderr
    assert run("check", "model.py", "--against", "nothing.py").exit_code == 1


SAID = [
    (
        "    return value, gradient",
        "    return value, 1.01 * gradient",
        VerificationError,
        "gradient that value_and_grad of",
    ),
    (
        "    return value, gradient",
        "    return gradient, value",
        UsageError,
        r"an array of shape \(3,\), not the value and",
    ),
    (
        "    return value, gradient",
        "    return value",
        UsageError,
        "returned a float64, not the value and the gradient",
    ),
    (
        "    return value, gradient",
        "    return [value, gradient, 1]",
        UsageError,
        "returned a list of 3, not the value",
    ),
    (
        "    return value, gradient",
        "    return None, gradient",
        UsageError,
        "a tuple of 2 that begins with None, not the",
    ),
    (
        "    return value, gradient",
        "    return value, gradient[:2]",
        UsageError,
        r"value_and_grad of .* does not fit x0",
    ),
    ("(w, X, y)(direction)", "(w, X, y)(1.001 * direction)", VerificationError, r"Hessian that hvp of .*, times a dir"),
    ("(w, X, y)(direction)", "(w, X, y)(direction)[:2]", UsageError, r"What hvp of .* returned does not fit x0"),
    ("    return hessian", "    return hessian[:2]", UsageError, r"^hess of .* returned shape \(2, 3\), but x0"),
]


@pytest.mark.parametrize(("right", "wrong", "kind", "said"), SAID)
def test_a_wrong_function_of_a_module_is_named_with_its_line(tmp_path, right, wrong, kind, said) -> None:
    name = "hess" if "hessian" in right else "hvp" if "direction" in right else "value_and_grad"
    file = written(tmp_path, "logistic", ("gradient", "hessian" if name == "hess" else "hvp"))
    text = file.read_text()
    if name == "hess":
        before, _, rest = text.rpartition("def hess(")[2].partition("    return ")
        value, _, after = rest.partition("\n\n\n")
        text = (
            f"{text.partition('def hess(')[0]}def hess({before}    hessian = {value}\n    return hessian\n\n\n{after}"
        )
    assert right in text
    file.write_text(text.replace(right, wrong, 1))
    method = {"hess": "trust-exact", "hvp": "trust-krylov", "value_and_grad": "BFGS"}[name]
    with pytest.raises(kind, match=said) as caught:
        autoopt.minimize(*MODELS["logistic"], method=method, derivatives=file)
    whole = str(caught.value)
    assert f"def {name}(" in whole and file.name in whole and "handed.py" not in whole and "jac" not in whole


def test_numbers_of_a_wrong_hessian_differ() -> None:
    f, x0, args = MODELS["logistic"]
    for factor in (1.5, 1 + 1e-5):
        with pytest.raises(VerificationError) as caught:
            autoopt.minimize(
                f, x0, args, method="trust-exact", hess=lambda w, *a, k=factor: k * autoopt.hessian(f)(w, *a)
            )
        numbers = re.findall(r"-?\d+\.\d+", caught.value.happened)
        assert len(numbers) == 2 and numbers[0][: len(numbers[1])] != numbers[1]
