"""Model files in several styles, the ways in which one can be wrong, and what a Fit says."""

import textwrap

import numpy as np
import pytest

from autoopt.errors import AutooptError, DataError, ModelError, ObjectiveError, UsageError
from autoopt.fitting.fit import fit

# Normal sample: the mean and log standard deviation have closed forms, and so have their standard errors.
NORMAL = """
    import numpy as np
    kind = "negative log-likelihood"
    x0 = {"mean": 0.0, "log_sd": 0.0}
    def data():
        return {"y": np.array([1.0, 2.0, 4.0, 7.0])}
    def objective(p, y):
        return np.sum(0.5 * ((y - p["mean"]) / np.exp(p["log_sd"])) ** 2 + p["log_sd"])
"""
BOWL = """import numpy as np
CENTRE = 3.0
N = 2
x0 = np.zeros(N)
def objective(x):
    return np.sum((x - CENTRE) ** 2)
"""


@pytest.fixture
def model(tmp_path):
    def write(text, name="model.py"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return path

    return write


def refusal(kind, *args, **kwargs):
    with pytest.raises(kind) as caught:
        fit(*args, **kwargs)
    assert caught.value.remedy or isinstance(caught.value, ObjectiveError) or caught.value.where
    return str(caught.value)


def test_likelihood_has_estimates_and_standard_errors(model):
    y = np.array([1.0, 2.0, 4.0, 7.0])
    found = fit(model(NORMAL), method="trust-exact")
    assert found.status == "converged" and found.names == ("mean", "log_sd")
    np.testing.assert_allclose(found.params, [y.mean(), np.log(y.std())], rtol=1e-6)
    np.testing.assert_allclose(found.bse, [y.std() / 2, np.sqrt(1 / 8)], rtol=1e-5)
    np.testing.assert_allclose(found.pvalues[0], 0.00228, atol=1e-4)
    assert found.conf_int().shape == (2, 2) and "log_sd" in str(found)
    assert found.result.x["mean"] == pytest.approx(3.5)


def test_model_is_run_without_the_future_imports_of_this_library(model):
    text = """
        from dataclasses import dataclass, fields
        import numpy as np

        @dataclass
        class Settings:
            centre: float = 2.0

        settings = Settings(**{field.name: field.type("4") for field in fields(Settings)})
        x0 = np.zeros(2)

        def objective(x):
            return np.sum((x - settings.centre) ** 2)
    """
    assert np.allclose(fit(model(text)).params, 4.0)


def test_data_given_replace_the_models_own(model, tmp_path):
    (tmp_path / "d.csv").write_text("y,other\n1,a\n3,b\n")
    assert fit(model(NORMAL), None, tmp_path / "d.csv").params[0] == pytest.approx(2)
    assert fit(model(NORMAL), None, {"y": [1.0, 5.0]}).params[0] == pytest.approx(3)
    assert fit(model(NORMAL), None, (np.array([2.0, 5.0]),)).params[0] == pytest.approx(3.5)


def test_target_leaves_text_out_and_says_so(model, tmp_path):
    (tmp_path / "d.csv").write_text("y,a,t\n1,1,u\n2,2,v\n4,3,w\n")
    path = model("""
        def objective(b, X, y):
            return ((y - X @ b) ** 2).sum()
        def x0(X):
            return [0.0] * X.shape[1]
    """)
    found = fit(path, None, tmp_path / "d.csv", target="y")
    assert found.params == pytest.approx([17 / 14])
    assert found.notes[0] == "Left out of X, being text: t." and found.notes[1].startswith("No standard errors")
    assert np.isnan(found.bse).all()


def test_settings_reach_what_is_computed_from_them(model):
    found = fit(model(BOWL), settings={"CENTRE": "1.5", "N": "3"})
    np.testing.assert_allclose(found.params, [1.5, 1.5, 1.5], atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"centre": "1"}, "assigns no constant centre. Did you mean CENTRE?"),
        ({"CENTRE": "near"}, "CENTRE in"),
        ({"x0": "1"}, "is of type ndarray"),
        ({"CENTRE": "true"}, "give a number"),
    ],
)
def test_settings_that_fit_no_constant_are_refused(model, settings, said):
    assert said in refusal(UsageError, model(BOWL), settings=settings)


def test_module_like_objects_are_models():
    class Model:
        x0 = np.zeros(2)

        @staticmethod
        def objective(x):
            return np.sum((x - 1) ** 2)

    np.testing.assert_allclose(fit(Model).params, 1)
    assert "model file only" in refusal(UsageError, Model, settings={"a": 1})


def test_model_imports_what_lies_beside_it(model):
    model("CENTRE = 2.0", "beside.py")
    path = model("import beside\nx0 = [0.0]\ndef objective(x):\n    return ((x - beside.CENTRE) ** 2).sum()\n")
    np.testing.assert_allclose(fit(path).params, 2)


def test_models_in_two_folders_import_what_lies_beside_each_as_it_is_now(tmp_path):
    text = "from helper import CENTRE\nx0 = [0.0]\ndef objective(x):\n    return ((x - CENTRE) ** 2).sum()\n"
    for name, centre in (("one", "2.0"), ("two", "3.5"), ("one", "2.0"), ("one", "-10.25")):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "model.py").write_text(text)
        (tmp_path / name / "helper.py").write_text(f"CENTRE = {centre}\n")
        found = fit(tmp_path / name / "model.py")
        np.testing.assert_allclose(found.params, float(centre))


def test_bounds_and_names_of_the_model_are_used(model):
    found = fit(model(NORMAL + '    bounds = {"mean": (None, 2.0)}\n    names = ["m", "s"]\n'))
    assert found.names == ("m", "s") and found.params[0] == pytest.approx(2)
    assert "m is at a bound: the standard errors of the others take" in found.notes[0]
    assert np.isnan(found.bse[0]) and found.bse[1] == pytest.approx(8**-0.5)  # 2 n at a given mean
    assert "2.5 %" in str(found) and found.to_dict()["bse"][0] is None


def test_a_constraint_in_place_of_the_constraints_is_refused_by_name(model):
    path = model("x0 = [1.0, 2.0]\ndef objective(w):\n    return w @ w\ndef constraints(w):\n    return w[0] - 1\n")
    assert refusal(ModelError, path) == (
        f"The function constraints of {path} takes w, but is given the data, of which there are none.\n"
        f"  {path}:4\n    def constraints(w):\n"
        "To fix this: write constraints as a value, or as a function of the data; "
        'a function of the parameters goes into a constraint: {"type": "ineq", "fun": ...}.'
    )


def test_constraints_of_the_model_are_used(model):
    path = model("""
        x0 = [1.0, 2.0]
        def objective(w):
            return w @ w
        constraints = {"type": "ineq", "fun": lambda w: w[0] - 1}
    """)
    np.testing.assert_allclose(fit(path).params, [1, 0], atol=1e-6)


def test_not_identified_is_a_status_with_the_direction(model):
    path = model("""
        kind = "negative log-likelihood"
        x0 = [0.0, 0.0]
        def objective(x):
            return (x[0] + x[1] - 1) ** 2
    """)
    found = fit(path, method="bfgs")
    assert found.status == "not identified" and "x[0] - x[1]" in str(found.problem)
    assert found.covariance is None and "x[0] - x[1]" in found.summary()


def test_missing_names_are_told_with_near_ones(model):
    said = refusal(ModelError, model("def Objective(x):\n    return x\nX0 = 1.0\n"))
    assert (
        "defines no objective and no x0" in said and "Is Objective meant to be objective? Is X0 meant to be x0?" in said
    )
    assert "It has Objective, X0." in said


def test_missing_model_file_suggests_a_near_name(model):
    path = model(BOWL, "bowl.py")
    assert "Did you mean bowl.py?" in refusal(ModelError, path.with_name("bowls.py"))


def test_misspelt_option_is_noted(model):
    assert "defines bound, which is not used. Did you mean bounds?" in fit(model(BOWL + "bound = 1\n")).notes[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x0 = 1\nobjective = 3\n", "is no function of the parameters"),
        ("x0 = 1\ndef objective():\n    return 1\n", "is no function of the parameters"),
        (
            BOWL + "kind = 'negative loglikelihood'\n",
            "write one of negative log-likelihood, log-likelihood",
        ),
        (BOWL + "method = 3\n", "method in"),
        (BOWL + "names = ['a']\n", "1 names, and x0 has 2 entries"),
        (BOWL + "bounds = [(1, 2)]\n", "bounds has 1 pairs, but x0 has 2"),
        (BOWL + "data = (1, 2)\n", "takes the data none; it is given 2 values"),
        (BOWL.replace("(x)", "(x, y)"), "takes the data y, and there are none"),
        (BOWL.replace("(x)", "(x, *d)") + "data = {'y': 1}\n", "named data cannot be bound"),
        ("x0 = 'a'\ndef objective(x):\n    return x\n", "not real numbers"),
    ],
)
def test_models_of_another_form_are_refused(model, text, said):
    assert said in refusal(ModelError, model(text))


def test_missing_column_of_the_models_own_file(model, tmp_path):
    (tmp_path / "d.csv").write_text("a\n1\n")
    assert "Nothing there is called y" in refusal(DataError, model(NORMAL), None, tmp_path / "d.csv")


def test_syntax_error_shows_line_and_caret(model):
    said = refusal(ModelError, model("x0 = 1\ndef objective(x:\n    return x\n"))
    assert "model.py is not valid Python" in said
    assert "model.py:2\n    def objective(x:\n                 ^" in said


def test_exception_while_the_model_runs_is_shown_as_the_users(model):
    said = refusal(ModelError, model("def start():\n    return 1 / 0\nx0 = start()\n"))
    assert "raised ZeroDivisionError: division by zero" in said
    assert "model.py:3\n    x0 = start()\n         ^^^^^^^" in said and "model.py:2" in said
    assert "autoopt/" not in said.replace("\\", "/") and "importlib" not in said


@pytest.mark.parametrize("name", ["data", "x0"])
def test_exception_in_a_function_of_the_model_is_named(model, name):
    text = BOWL.replace("x0 = np.zeros(N)", "x0 = [1.0]") + f"def {name}():\n    raise KeyError('k')\n"
    said = refusal(ModelError, model(text))
    assert f"The function {name} of" in said and "raised KeyError: 'k'" in said and "model.py:8" in said


def test_exit_and_missing_imports_are_the_models(model):
    assert "SystemExit: 3" in refusal(ModelError, model("import sys\nsys.exit(3)\n"))
    assert "No module named 'not_there'" in refusal(ModelError, model("import not_there\n"))


def test_exception_in_the_objective_is_shown_with_its_line(model):
    said = refusal(ObjectiveError, model("x0 = [1.0]\ndef objective(x):\n    return {}['gone'] + x[0]\n"))
    assert "KeyError: 'gone'" in said and "model.py:3" in said


def test_shape_mismatch_shows_the_shapes_and_the_line(model):
    path = model("""
        import numpy as np
        x0 = {"w": np.zeros(3)}
        data = (np.ones((5, 2)),)
        def objective(p, X):
            return np.sum((X @ p["w"]) ** 2)
    """)
    said = refusal(ObjectiveError, path)
    assert "The shapes there: X (5, 2), p['w'] (3,)." in said
    assert 'model.py:6\n    return np.sum((X @ p["w"]) ** 2)\n                   ^^^^^^^^^^' in said


def test_exception_of_autoopt_is_not_blamed_on_the_model(model, monkeypatch):
    path = model("""
        from autoopt.errors import display_path
        x0 = [1.0]
        def objective(x):
            display_path(None)
            return (x ** 2).sum()
    """)
    said = refusal(AutooptError, path)
    assert "autoopt itself failed at this line" in said and "model.py:5" in said
    monkeypatch.setattr("autoopt.solvers.run_in_sizes", None)
    with pytest.raises(TypeError, match="not callable"):
        fit(model(BOWL))


def test_star_imports_are_not_taken_for_misspelt_options(model):
    assert fit(model("from numpy import *\nx0 = [1.0]\ndef objective(x):\n    return sum(x * x)\n")).notes == ()


def test_dictionary_holds_only_what_json_can(model):
    import json

    found = fit(model(BOWL), options={"maxiter": 1}, method="cg")
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["status"] == "converged" or told["success"] is False
    assert told["names"] == ["x[0]", "x[1]"] and told["bse"] is None


REGRESSION = """
    import numpy as np
    kind = "negative log-likelihood"
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 3))
    y = X @ np.array([1.0, -0.2, 2.0]) + rng.normal(size=60)
    x0 = np.zeros(3)
    def objective(b):
        return 0.5 * np.sum((y - X @ b) ** 2)
    bounds = [(None, None), (0.0, None), (None, None)]
"""


def test_one_bound_does_not_cost_the_other_standard_errors(model):
    found = fit(model(REGRESSION))
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 3))[:, [0, 2]]
    expected = np.sqrt(np.diag(np.linalg.inv(X.T @ X)))
    assert found.status == "converged" and found.params[1] == 0
    assert found.bse[[0, 2]] == pytest.approx(expected) and np.isnan(found.bse[1])
    assert np.isnan(found.covariance[1]).all() and np.isnan(found.conf_int()[1]).all()
    assert found.gradient_norm < 1e-5 and "b[1] is at a bound" in str(found)


def test_all_at_bounds_have_no_standard_errors(model):
    found = fit(model(REGRESSION.replace("[(None, None), (0.0, None), (None, None)]", "[(-0.1, 0.1)] * 3")))
    assert found.covariance is None and "b[0], b[1], b[2] are at a bound" in found.notes[0]


SEPARATED = """
    import numpy as np
    kind = "negative log-likelihood"
    names = ["intercept", "dose"]
    x0 = np.zeros(2)
    dose = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    y = np.array([0, 0, 0, 1, 1, 1.0])
    def objective(b):
        z = b[0] + b[1] * dose
        return np.sum(np.logaddexp(0, z) - y * z)
"""
QUASI = SEPARATED.replace("[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]", "[0.0, 1.0, 2.0, 2.0, 4.0, 5.0]")
ONE = SEPARATED.replace("b[0] + b[1] * dose", "b[0] * (dose - 2.5)").replace("zeros(2)", "zeros(1)")


@pytest.mark.parametrize("method", ["newton-cg", "l-bfgs-b", "bfgs", "trust-exact"])
@pytest.mark.parametrize("text", [SEPARATED, QUASI, ONE.replace('["intercept", "dose"]', '["dose"]')])
def test_separation_is_explained(model, text, method):
    found = fit(model(text), method=method)
    assert found.status in ("not identified", "not converged")
    assert np.isnan(found.bse).all()
    assert "dose" in str(found) and "separate" in str(found)


def test_regular_and_flat_likelihoods_are_not_called_endless(model):
    assert fit(model(NORMAL)).status == "converged"
    flat = REGRESSION.replace("X @ b)", "X[:, 0] * (b[0] + b[1]) - b[2])").replace("bounds", "unused")
    found = fit(model(flat))
    assert found.status == "not identified" and "no maximum" not in str(found)


TABLE = "age,height,outcome\n1.0,2.0,3.0\n2.0,1.0,3.5\n3.0,2.5,1.0\n4.0,0.5,6.0\n"
LINEAR = """
    import numpy as np
    x0 = {start}
    def objective(p, X, y):
        return np.sum((y - X @ {weights} - {intercept}) ** 2)
"""


@pytest.mark.parametrize(
    ("start", "weights", "intercept", "names"),
    [
        ("np.zeros(2)", "p", "0", ("age", "height")),
        ('{"b": np.zeros(2), "a": 0.0}', 'p["b"]', 'p["a"]', ("b[age]", "b[height]", "a")),
        ("np.zeros(3)", "p[:2]", "p[2]", ("p[0]", "p[1]", "p[2]")),
        ('{"b": np.zeros(2), "c": np.zeros(2)}', '(p["b"] + p["c"])', "0", ("b[0]", "b[1]", "c[0]", "c[1]")),
    ],
)
def test_parameters_are_named_by_the_columns_of_a_target(model, tmp_path, start, weights, intercept, names):
    (tmp_path / "t.csv").write_text(TABLE)
    text = LINEAR.format(start=start, weights=weights, intercept=intercept)
    assert fit(model(text), None, tmp_path / "t.csv", target="outcome").names == names


def test_misspelt_target_is_told_as_such(model, tmp_path):
    (tmp_path / "t.csv").write_text("X,y,z\n1.0,2.0,3.0\n2.0,1.0,3.5\n")
    path = model(LINEAR.format(start="np.zeros(1)", weights="p", intercept="0"))
    said = refusal(DataError, path, None, tmp_path / "t.csv", target="Y")
    assert "has no column Y. Did you mean y?" in said and "either" not in said


def test_seconds_of_the_parts_sum_to_the_total_and_standard_errors_are_one(model):
    events = []
    found = fit(model(NORMAL), progress=events.append)
    timings = dict(found.result.timings)
    total = timings.pop("total")
    assert sum(timings.values()) == pytest.approx(total) and timings["standard errors"] > 0
    assert events[-1].stage == "standard errors" and "standard errors ..." in str(events[-1])


def test_interruption_while_standard_errors_are_computed_keeps_the_fit(model, monkeypatch):
    from autoopt.objectives.objective import Objective

    def interrupt(self, x, sparse=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(Objective, "hess", interrupt)
    with pytest.raises(KeyboardInterrupt) as caught:
        fit(model(NORMAL), method="bfgs")
    found = caught.value.fit
    assert found.status == "interrupted" and found.result.success and found.params[0] == pytest.approx(3.5)
    assert "No standard errors: interrupted" in found.notes[-1] and "standard errors" in found.result.timings


def test_second_derivatives_that_fail_cost_the_standard_errors_alone(model, monkeypatch):
    from autoopt.objectives.objective import Objective

    def fail(self, x, sparse=None):
        raise RuntimeError("no second derivatives today")

    monkeypatch.setattr(Objective, "hess", fail)
    found = fit(model(NORMAL), method="bfgs")
    assert found.status == "converged" and "no second derivatives today" in found.notes[-1]


def test_error_in_the_middle_keeps_the_best_point(model):
    text = """
        x0 = [3.0, 4.0]
        def objective(x):
            if x[0] < 2.5:
                return undefined
            return (x ** 2).sum()
    """
    with pytest.raises(ObjectiveError) as caught:
        fit(model(text), method="cg")
    assert caught.value.__cause__.fit.params[0] >= 2.5


@pytest.mark.parametrize(
    ("line", "meant"),
    [("weigths * x", "weights"), ("np.squre(x)", "square"), ("summ(x)", "sum"), ("centr + x", "centre")],
)
def test_misspelt_name_has_pythons_hint(model, line, meant):
    text = f"""
        import numpy as np
        weights = 2.0
        x0 = [0.0]
        def objective(x):
            centre = 1.0
            return np.sum({line}) + centre
    """
    assert f"Did you mean {meant!r}" in refusal(ObjectiveError, model(text)).replace(": '", " '")


def test_probabilities_below_the_range_of_numbers_are_not_printed_as_zero(model):
    text = NORMAL.replace("[1.0, 2.0, 4.0, 7.0]", "1e3 + 1e-3 * np.arange(4.0)").replace('"mean": 0.0', '"mean": 999.0')
    found = fit(model(text.replace('"log_sd": 0.0', '"log_sd": -5.0')))
    assert found.pvalues[0] == 0 and "<1e-16" in str(found)


@pytest.mark.parametrize(("method", "word"), [("newton-cg", "Hessian-vector products"), ("trust-exact", "Hessians")])
def test_products_are_called_products(model, method, word):
    line = " ".join(str(fit(model(BOWL), method=method)).split())
    assert word in line and ("Hessians" in line) == (word == "Hessians")


def test_messages_of_a_converged_run_do_not_doubt_it(model):
    text = """
        import numpy as np
        rng = np.random.default_rng(0)
        X = rng.normal(size=(500, 5)) * [1, 10, 100, 1, 1]
        y = X @ np.arange(5.0) + rng.normal(size=500)
        x0 = np.zeros(5)
        def objective(w):
            return 1e7 + np.sum((y - X @ w) ** 2)
    """
    found = fit(model(text), method="bfgs")
    assert found.status == "converged" and found.result.status == 0 and "not necessarily achieved" not in str(found)


def test_what_the_objective_raises_keeps_its_kind_and_text_beside_shapes_and_notes(model):
    path = model("""
        import numpy as np
        x0 = np.zeros(2)
        data = {"df": np.ones((3, 2)), "lam": 0.5}
        def objective(p, df, lam):
            return np.sum((df["y"] - p[0]) ** 2) + lam * p[1] ** 2
    """)
    said = refusal(ObjectiveError, path)
    assert "raised IndexError: only integers, slices" in said and said.count("The shapes there: df (3, 2).") == 1
    path = model("""
        x0 = [1.0]
        def objective(x):
            error = KeyError("k")
            error.add_note("first\\nsecond")
            raise error
    """)
    assert "raised KeyError: 'k'" in refusal(ObjectiveError, path)
