"""Fits with parameters held or tied: estimates and standard errors are those of the smaller model."""

import json
import textwrap

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from autoopt import Parameter, Parameters
from autoopt.cli.main import main
from autoopt.errors import ModelError, UsageError
from autoopt.fitting.fit import fit
from autoopt.inference import covariance

NORMAL = """
    import numpy as np
    kind = "negative log-likelihood"
    x0 = {"mean": 0.0, "log_sd": 0.0}
    data = {"y": np.array([1.0, 2.0, 4.0, 7.0])}
    def objective(p, y):
        return np.sum(0.5 * ((y - p["mean"]) / np.exp(p["log_sd"])) ** 2 + p["log_sd"])
"""
COUNTS = """
    import numpy as np
    from autoopt import Parameter, Parameters
    kind = "negative log-likelihood"
    names = ["base", "one", "two"]
    x0 = np.zeros(3)
    def data():
        rng = np.random.default_rng(1)
        X = np.column_stack([np.ones(60), rng.normal(size=(60, 2))])
        return X, rng.poisson(np.exp(X @ [0.5, 0.3, 0.6])).astype(float)
    def objective(beta, X, y):
        eta = X @ beta
        return np.sum(np.exp(eta) - y * eta)
"""
Y = np.array([1.0, 2.0, 4.0, 7.0])


@pytest.fixture
def model(tmp_path):
    def write(text, name="model.py"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return path

    return write


def smaller(matrix):
    """Return estimates and standard errors of the counts with the design X @ matrix, by Fisher scoring."""
    rng = np.random.default_rng(1)
    X = np.column_stack([np.ones(60), rng.normal(size=(60, 2))])
    y = rng.poisson(np.exp(X @ [0.5, 0.3, 0.6])).astype(float)
    Z, beta = X @ matrix, np.zeros(matrix.shape[1])
    for _ in range(40):
        mean = np.exp(Z @ beta)
        beta = beta + np.linalg.solve(Z.T @ (Z * mean[:, None]), Z.T @ (y - mean))
    return beta, np.sqrt(np.diag(covariance(Z.T @ (Z * np.exp(Z @ beta)[:, None]))))


def test_what_is_fixed_has_no_standard_error_and_the_others_that_of_the_smaller_model(model):
    found = fit(model(NORMAL), fixed={"mean": 3.0})
    assert found.status == "converged" and found.params[0] == 3.0
    assert found.params[1] == pytest.approx(np.log(np.mean((Y - 3) ** 2)) / 2)
    assert np.isnan(found.bse[0]) and found.bse[1] == pytest.approx(np.sqrt(1 / 8))
    assert found.notes[0] == "Fixed: mean." and found.to_dict()["bse"][0] is None


def test_fixed_in_the_model_file_and_in_its_place(model):
    path = model(NORMAL + '    fixed = {"mean": 3.0}\n')
    assert fit(path).params[0] == 3.0
    assert fit(path, fixed={"mean": 2.0}).params[0] == 2.0
    assert fit(path, fixed={"log_sd": 0.0}).params.tolist() == pytest.approx([3.5, 0.0])
    by_data = model(NORMAL + '    def fixed(y):\n        return {"mean": np.median(y)}\n', "b.py")
    assert fit(by_data).params[0] == 3.0


@pytest.mark.parametrize("scale", [None, "auto"])
def test_tied_parameters_have_the_standard_errors_of_the_smaller_model(model, scale):
    beta, errors = smaller(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 2.0]]))
    found = fit(model(COUNTS), fixed={"two": "2 * x[1]"}, scale=scale)
    assert found.status == "converged"
    assert np.allclose(found.params, [beta[0], beta[1], 2 * beta[1]], rtol=1e-6)
    assert np.allclose(found.bse, [errors[0], errors[1], 2 * errors[1]], rtol=1e-6)
    assert found.covariance[1, 2] == pytest.approx(2 * errors[1] ** 2, rel=1e-6)


def test_parameters_are_called_by_their_names_in_the_model(model):
    beta, errors = smaller(np.eye(3)[:, :2])
    for fixed in (["two"], "two", {"two": True}, {"two": 0.0}, [2], {"x[2]": True}):
        found = fit(model(COUNTS), fixed=fixed)
        assert np.allclose(found.params, [*beta, 0.0]) and np.allclose(found.bse[:2], errors, rtol=1e-5)


def test_a_table_is_a_start_and_has_standard_errors(model):
    text = COUNTS.replace(
        "x0 = np.zeros(3)",
        'x0 = Parameters(base=0.0, one=Parameter(0.5, lower=0), two=Parameter(1.0, transform="log"))',
    )
    text = text.replace("eta = X @ beta", 'eta = X @ np.array([beta["base"], beta["one"], beta["two"]])')
    beta, errors = smaller(np.eye(3))
    found = fit(model(text))
    assert found.status == "converged" and np.allclose(found.params, beta, rtol=1e-6)
    assert np.allclose(found.bse, errors, rtol=1e-5)
    assert found.result.params["two"].stderr == pytest.approx(errors[2], rel=1e-5)
    assert "std. error" in repr(found.result.params)


def test_a_flat_direction_that_is_held_is_identified(model):
    twice = COUNTS.replace("eta = X @ beta", "eta = X @ beta + X[:, 1] * 0 + X[:, 2] * (beta[1] - beta[1])")
    twice = twice.replace("X @ beta", "beta[0] + (beta[1] + beta[2]) * X[:, 1]")
    assert fit(model(twice)).status == "not identified"
    held = fit(model(twice, "held.py"), fixed={"two": 0.0})
    assert held.status == "converged" and np.isnan(held.bse[2]) and np.isfinite(held.bse[:2]).all()


def test_mistakes_are_the_models_or_the_callers(model):
    with pytest.raises(ModelError, match="fixed: there is no parameter 'median'"):
        fit(model(NORMAL + '    fixed = ["median"]\n'))
    with pytest.raises(UsageError, match="fixed: there is no parameter 'median'"):
        fit(model(NORMAL), fixed=["median"])
    frame = pd.DataFrame({"age": [1.0, 2.0, 4.0, 3.0], "y": [0, 1, 1, 0]})
    for fixed in ({"agee": 2.0}, ["agee"], "agee"):  # the model's names, and not x[0], x[1]
        with pytest.raises(UsageError, match=r"no parameter 'agee'. Did you mean age\?") as caught:
            fit("linear", data=frame, formula="y ~ age", fixed=fixed)
        assert caught.value.remedy == "use one of Intercept, age."
    assert fit("linear", data=frame, formula="y ~ age", fixed={"x[1]": 2.0}).params[1] == 2.0


@pytest.mark.parametrize(
    ("options", "mean"),
    [
        (["--fix", "mean=3"], 3.0),
        (["--fix", "mean"], 0.0),
        (["--fix", "mean = 2 * log_sd"], None),
        (["--scale", "auto"], 3.5),
    ],
)
def test_command_line_holds_ties_and_scales(model, options, mean):
    outcome = CliRunner().invoke(main, ["fit", str(model(NORMAL)), "--quiet", "--json", *options])
    assert outcome.exit_code == 0, outcome.output
    facts = json.loads(outcome.stdout)
    assert facts["params"][0] == pytest.approx(2 * facts["params"][1] if mean is None else mean, abs=1e-6)


def test_intervals_of_what_has_a_transform_stay_in_its_range():
    y = np.array([0.1, 2.5, 0.4])

    def exponential(p, y):
        return np.log(p["mean"]) + y / p["mean"]

    start = Parameters(mean=Parameter(1.0, lower=0.1, transform="log"))
    fitted = fit(exponential, start, (y,), kind="negative log-likelihood")
    plain = fit(exponential, {"mean": 1.0}, (y,), kind="negative log-likelihood")
    np.testing.assert_allclose(fitted.bse, plain.bse, rtol=1e-6)
    half = 1.959963984540054 * fitted.bse / (1.0 - 0.1)
    np.testing.assert_allclose(fitted.conf_int()[0], 0.1 + 0.9 * np.exp([-half[0], half[0]]), rtol=1e-6)
    assert plain.conf_int()[0, 0] < 0 and not plain.free_scale().names
    held = fit(exponential, start, (y,), kind="negative log-likelihood", names=["mu"])
    assert held.free_scale().names == ("log(mu)",)
