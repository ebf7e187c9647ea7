"""Formulas: the design matrix and its names against statsmodels, what is told, and all that can be wrong with one."""

import numpy as np
import pandas as pd
import polars
import pyarrow
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

import autoopt
from autoopt.designs.data import Selection, bound
from autoopt.errors import AutooptError, DataError, UsageError
from autoopt.tables.readers import dataset, load

RNG = np.random.default_rng(16)
FRAME = pd.DataFrame(
    {
        "bought": RNG.integers(0, 2, 90),
        "age": RNG.normal(40, 9, 90).round(1),
        "region": RNG.choice(["north", "south", "west"], 90),
        "kids": RNG.integers(0, 4, 90),
        "body mass": RNG.normal(25, 3, 90).round(2),
        "answer": RNG.choice(["no", "yes"], 90),
    }
)


def losses(b, X, y):
    eta = X @ b
    return np.logaddexp(0, eta) - y * eta


def of(formula, data=FRAME, names=("X", "y"), **others):
    return bound(dataset(data), list(names), Selection(formula=formula, **others))


def message(raised, call, *args, **others):
    with pytest.raises(raised) as caught:
        call(*args, **others)
    assert caught.value.remedy
    return caught.value.happened


@pytest.mark.parametrize(
    ("formula", "theirs"),
    [
        ("bought ~ age + C(region)", None),
        ("bought ~ age * region", None),
        ("bought ~ 0 + region + age", None),
        ("bought ~ C(kids) + np.log(age)", None),
        ("bought ~ age + I(age ** 2)", None),
        ("bought ~ region + `body mass`", "bought ~ region + Q('body mass')"),
        ("bought ~ center(age) + C(region, contr.sum)", "bought ~ center(age) + C(region, Sum)"),
    ],
)
def test_estimates_and_errors_are_those_of_statsmodels(formula, theirs):
    fit = autoopt.fit(losses, data=FRAME, formula=formula, kind="negative log-likelihood", method="trust-region")
    peer = smf.glm(theirs or formula, FRAME, family=sm.families.Binomial()).fit(tol=1e-12)
    order = np.argsort(fit.params)  # the two put terms in orders of their own
    theirs = np.argsort(peer.params.to_numpy())
    np.testing.assert_allclose(fit.params[order], peer.params.to_numpy()[theirs], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(fit.bse[order], peer.bse.to_numpy()[theirs], rtol=1e-5)


def test_parameters_have_the_names_of_the_columns():
    fit = autoopt.fit(losses, data=FRAME, formula="bought ~ age + C(region)", kind="negative log-likelihood")
    assert fit.names == ("Intercept", "age", "C(region)[T.south]", "C(region)[T.west]")
    assert "C(region) has 3 categories: north, south, west; the reference is north." in fit.notes


def test_x0_may_have_more_than_the_columns():
    def objective(p, X, y):
        return np.sum((y - X @ p["b"]) ** 2) * np.exp(-p["s"]) + p["s"] * len(y)

    def x0(X, y):
        return {"b": np.zeros(X.shape[1]), "s": 0.0}

    fit = autoopt.fit(objective, x0, FRAME, formula="age ~ kids")
    assert fit.names == ("b[Intercept]", "b[kids]", "s")


def test_arguments_between_and_without_a_response_are_columns():
    found = of("bought ~ age", names=["X", "kids", "y"]).arguments
    assert list(found) == ["X", "kids", "y"] and found["kids"].tolist() == FRAME["kids"].tolist()
    found = of("~ age", names=["X", "kids", "bought"]).arguments
    assert list(found) == ["X", "kids", "bought"] and found["X"].shape == (90, 2)


def test_text_response_is_numbers_and_said():
    found = of("answer ~ age")
    assert found.arguments["y"].tolist() == (FRAME["answer"] == "yes").astype(int).tolist()
    assert found.notes == ("answer is taken as numbers: 0 no, 1 yes.",)
    assert of("C(kids) ~ age").notes == ("kids is taken as numbers: 0 0, 1 1, 2 2, 3 3.",)


def test_transformed_response_and_target():
    np.testing.assert_allclose(of("np.log(age) ~ kids").arguments["y"], np.log(FRAME["age"]))
    assert of("~ kids", target="age").arguments["y"].tolist() == FRAME["age"].tolist()


def test_columns_are_categories_on_request():
    found = of("bought ~ kids", categories=("kids",))
    assert found.columns == ["Intercept", "kids[T.1]", "kids[T.2]", "kids[T.3]"]
    ordered = FRAME.assign(region=pd.Categorical(FRAME["region"], ["west", "south", "north"]))
    assert of("bought ~ region", ordered).columns == ["Intercept", "region[T.south]", "region[T.north]"]


def test_other_data_are_encoded_as_those_of_the_fit():
    found = of("bought ~ center(age) + region + bs(kids, df=4)")
    few = FRAME.iloc[[3, 8]]
    again = found.encoding.arguments(dataset(few.drop(columns="bought")), response=False)
    np.testing.assert_allclose(again["X"], found.arguments["X"][[3, 8]])
    said = message(DataError, found.encoding.arguments, dataset(few.assign(region=["west", "east"])))
    assert "1 row with other categories in the column region" in said and "row 1: 'east'" in said
    fresh = found.encoding.learned(dataset(FRAME))
    np.testing.assert_allclose(fresh.arguments(dataset(few))["X"], found.arguments["X"][[3, 8]])
    both = of("bought ~ kids + C(kids)").encoding  # a number and a category
    assert "categories that the fit did not know" in message(DataError, both.arguments, dataset(FRAME.assign(kids=9)))


def test_lines_are_those_of_the_file_when_rows_before_are_left_out(tmp_path):
    (tmp_path / "d.csv").write_text("y,age\n1,30\n0,\n1,50\n0,0\n")
    said = message(DataError, of, "y ~ np.log(age)", load(tmp_path / "d.csv"), missing="drop")
    assert "not finite in 1 row" in said and "line 5: -inf" in said


def test_rows_that_lack_a_value_are_left_out_and_told(tmp_path):
    gaps = FRAME.copy()
    gaps.loc[[2, 5], "age"], gaps.loc[7, "region"], gaps.loc[11, "kids"] = np.nan, None, np.nan
    gaps.to_csv(tmp_path / "d.csv", index=False)
    said = message(DataError, of, "bought ~ age", load(tmp_path / "d.csv"))
    assert "2 missing" in said and "line 4, column age: missing" in said
    found = of("bought ~ age + region", load(tmp_path / "d.csv"), missing="drop")
    whole = of("bought ~ age + region", FRAME.drop([2, 5, 7]))
    np.testing.assert_array_equal(found.arguments["X"], whole.arguments["X"])
    assert found.notes[0] == (
        "3 of 90 rows are left out, having missing or infinite values in age, region: line 4, line 7, line 9."
    )


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_a_function_of_a_frame_takes_it_whole_and_without_the_rows_that_lack_a_value(library):
    gaps = FRAME.assign(age=FRAME["age"].where(FRAME.index != 3))
    given = {"pandas": gaps, "polars": polars.from_pandas(gaps), "pyarrow": pyarrow.Table.from_pandas(gaps)}[library]
    taken = bound(dataset(given), ["table"], Selection(), given=given).arguments["table"]
    assert taken is given
    taken = bound(dataset(given), ["table"], Selection(missing="drop"), given=given).arguments["table"]
    assert type(taken) is type(given) and len(taken) == 89
    assert "called ages. Did you mean age?" in message(
        DataError, bound, dataset(given), ["ages"], Selection(), given=given
    )


def test_weights_and_groups_lose_the_same_rows():
    gaps, weights, groups = FRAME.copy(), RNG.uniform(1, 2, 90), np.arange(90) // 3
    gaps.loc[[2, 50], "age"] = [np.nan, np.inf]
    call = {"formula": "bought ~ age", "missing": "drop", "kind": "negative log-likelihood"}
    fit = autoopt.fit(losses, data=gaps, weights=weights, groups=groups, **call)
    named = autoopt.fit(losses, data=gaps.assign(w=weights, g=groups), weights="w", groups="g", **call)
    kept = FRAME.drop([2, 50]).index
    clean = autoopt.fit(
        losses,
        data=FRAME.loc[kept],
        formula="bought ~ age",
        kind=call["kind"],
        weights=weights[kept],
        groups=groups[kept],
    )
    for other in (fit, named):
        np.testing.assert_allclose(other.params, clean.params, rtol=1e-8)
        np.testing.assert_allclose(other.bse, clean.bse, rtol=1e-8)
        assert other.nobs == 88


@pytest.mark.parametrize(
    ("formula", "kind", "said"),
    [
        ("bought ~ agee", DataError, "speaks of agee, which is no column. Did you mean age?"),
        ("bought ~ C(regio)", DataError, "speaks of regio, which is no column. Did you mean region?"),
        ("bougt ~ age", DataError, "speaks of bougt, which is no column. Did you mean bought?"),
        ("bought ~ bs(agge, df=4)", DataError, "speaks of agge, which is no column. Did you mean age?"),
        ("bought ~ scal(age)", UsageError, "calls scal, which formulas do not know. Did you mean scale?"),
        (
            "bought ~ age +",
            UsageError,
            "insufficient arguments and/or is misplaced.\n    bought ~ age +\n" + 17 * " " + "^",
        ),
        ("bought ~ (age", UsageError, "cannot be read"),
        ("bought ~ age | kids", UsageError, "has several parts"),
        ("bought + kids ~ age", DataError, "has 2 columns: bought, kids"),
        ("bought ~ 0", DataError, "leaves no column"),
        ("bought ~ np.log(kids)", DataError, "np.log(kids) is not finite in"),
        ("bought ~ np.log(region)", DataError, "cannot be evaluated"),
        ("bought ~ max(age)", DataError, "cannot be evaluated"),
        ("bought ~ agee.mean() + age", DataError, "speaks of agee, which is no column. Did you mean age?"),
        ("bought ~ age + bought", DataError, "has bought on both sides"),
        (" ", UsageError, "is empty"),
    ],
)
def test_what_is_wrong_with_a_formula_is_told(formula, kind, said):
    assert said in message(kind, of, formula)


@pytest.mark.parametrize(
    ("call", "meant"),
    [
        ({"target": "bougt"}, "bought"),
        ({"formula": "bought ~ agee"}, "age"),
        ({"formula": "bought ~ age", "weights": "kidss"}, "kids"),
        ({"formula": "bought ~ age", "groups": "regoin"}, "region"),
        ({"formula": "bought ~ age", "categories": ["kid"]}, "kids"),
        ({"formula": "bought ~ age", "missing": "dorp"}, "drop"),
    ],
)
def test_every_misspelt_name_gets_a_near_one(call, meant):
    said = message(AutooptError, autoopt.fit, losses, None, FRAME, kind="negative log-likelihood", **call)
    assert f"Did you mean {meant}?" in said

    def named(b, agge, bought):
        return b * agge - bought

    said = message(DataError, autoopt.fit, named, 0.0, FRAME, kind="least squares")
    assert "called agge. Did you mean age?" in said
    between = bound, dataset(FRAME), ["X", "kidz", "y"]
    assert "no column kidz. Did you mean kids?" in message(DataError, *between, Selection(formula="bought ~ age"))
    assert "no column kidz. Did you mean kids?" in message(DataError, *between, Selection("bought"))


def test_columns_that_formulas_cannot_take():
    odd = FRAME.assign(day=pd.date_range("2020-01-01", periods=90), C=1.0, town="Ulm")
    assert "day in the formula 'bought ~ day' holds dates" in message(DataError, of, "bought ~ day", odd)
    assert len(of("bought ~ C(day)", odd.drop(columns="C")).columns) == 90
    assert "calls C, which is also a column" in message(UsageError, of, "bought ~ C(region)", odd)
    assert of("bought ~ age + town", odd).notes == ("town has 1 category, Ulm, and no column of its own.",)
    assert "has columns and no rows" in message(DataError, of, "bought ~ age", FRAME.iloc[:0])


def test_categories_that_nobody_uses_are_told():
    said = message(UsageError, of, "bought ~ age", categories=("region",))
    assert said == "region in categories is no column that is used: those are age, bought."
    assert "reading= says how a file is read" in message(
        UsageError, autoopt.fit, losses, 0.0, (1.0, 2.0), reading={"decimal": ","}
    )


def test_formulas_need_a_table_and_arguments():
    assert "is no table" in message(DataError, of, "y ~ x", {"x": [1, 2], "y": [1, 2]})
    assert "needs 2 at least" in message(DataError, of, "bought ~ age", names=["X"])
    assert "there is a target" in message(UsageError, of, "bought ~ age", target="age")
    assert "no data" in message(UsageError, autoopt.fit, losses, formula="y ~ x")
    assert "needs data with names" in message(UsageError, autoopt.fit, losses, 0.0, (1.0, 2.0), formula="y ~ x")


def test_numbers_with_a_word_among_them_are_no_categories(tmp_path):
    (tmp_path / "d.csv").write_text("y,age\n1,30\n0,4o\n1,50\n0,20\n")
    said = message(DataError, of, "y ~ age", load(tmp_path / "d.csv"))
    assert "line 3, column age: '4o' is not a number" in said


def test_a_model_file_needs_no_start(tmp_path):
    (tmp_path / "m.py").write_text("import numpy as np\ndef objective(b, X, y):\n    return np.sum((y - X @ b) ** 2)\n")
    fit = autoopt.fit(tmp_path / "m.py", data=FRAME, formula="age ~ kids")
    expected = np.polyfit(FRAME["kids"], FRAME["age"], 1)[::-1]
    np.testing.assert_allclose(fit.params, expected, rtol=1e-6)
    with pytest.raises(AutooptError, match="defines no x0"):
        autoopt.fit(tmp_path / "m.py", data={"X": np.ones((2, 1)), "y": np.ones(2)})


# Models by name -------------------------------------------------------------------------------------------------------

COUNTS = FRAME.assign(visits=RNG.negative_binomial(2, 0.4, 90), cost=RNG.gamma(2.0, 3.0, 90))


@pytest.mark.parametrize(
    ("name", "formula", "peer"),
    [
        ("logistic", "bought ~ age + C(region)", smf.logit),
        ("loglinear", "visits ~ age + C(region)", smf.poisson),
        ("negative-binomial", "visits ~ age + C(region)", smf.negativebinomial),
        ("linear", "cost ~ age + C(region)", smf.ols),
    ],
)
def test_models_by_name_are_those_of_statsmodels(name, formula, peer):
    fit = autoopt.fit(name, data=COUNTS, formula=formula)
    options = {} if peer is smf.ols else {"disp": 0, "maxiter": 500}
    options |= {"method": "newton", "tol": 1e-14} if peer in (smf.logit, smf.poisson) else {}
    close = 2e-4 if peer is smf.negativebinomial else 1e-6  # which stops early
    other = peer(formula, COUNTS).fit(**options)
    theirs = {key.replace("alpha", "dispersion"): i for i, key in enumerate(other.params.index)}
    places = [theirs[key] for key in fit.names]
    np.testing.assert_allclose(fit.params, other.params.to_numpy()[places], rtol=close, atol=1e-8)
    np.testing.assert_allclose(fit.bse, other.bse.to_numpy()[places], rtol=max(close, 1e-5))
    np.testing.assert_allclose(fit.llf, other.llf, rtol=1e-8)
    new = COUNTS.iloc[:5]
    np.testing.assert_allclose(fit.predict(new).mean, other.predict(new), rtol=close)


def test_models_by_name_take_text_with_two_values_and_say_so():
    fit = autoopt.fit("logistic", data=FRAME, formula="answer ~ age")
    assert "answer is taken as numbers: 0 no, 1 yes." in fit.notes and fit.names == ("Intercept", "age")


@pytest.mark.parametrize(
    ("name", "call", "kind", "said"),
    [
        ("logistc", {"formula": "bought ~ age"}, AutooptError, "no model logistc. Did you mean logistic"),
        ("logistic", {}, AutooptError, "takes the data X, y"),
        (
            "logistic",
            {"formula": "kids ~ age"},
            DataError,
            "is 0 or 1, or a category; The data frame has others",
        ),
        ("logistic", {"formula": "kids ~ age"}, DataError, "has others in"),
        ("gamma", {"formula": "kids ~ age"}, DataError, "is positive"),
    ],
)
def test_models_by_name_refuse_what_is_not_theirs(name, call, kind, said):
    assert said in message(kind, autoopt.fit, name, data=FRAME, **call)


@pytest.mark.parametrize("model", ["logistic", losses])
def test_an_interrupted_fit_of_a_formula_goes_on_to_the_same_answer(model, tmp_path):
    FRAME.assign(age=FRAME["age"].where(FRAME.index != 3)).to_csv(tmp_path / "d.csv", index=False, sep=";")
    call = {"formula": "bought ~ age + region", "missing": "drop", "reading": {"delimiter": ";"}, "method": "bfgs"}
    call |= {} if model == "logistic" else {"kind": "negative log-likelihood"}
    told = []

    def stop(event):
        told.append(event)
        if len(told) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        autoopt.fit(model, data=tmp_path / "d.csv", run_dir=tmp_path / "run", progress=stop, **call)
    again = autoopt.resume(tmp_path / "run", *([] if model == "logistic" else [model]))
    whole = autoopt.fit(model, data=tmp_path / "d.csv", **call)
    np.testing.assert_allclose(again.params, whole.params, rtol=1e-6)
    assert again.names == whole.names and again.nobs == 89
