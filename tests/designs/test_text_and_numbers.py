"""What of a table is a number, text, missing or something else: as pandas, statsmodels and formulaic have it."""

import datetime
import io
import json

import formulaic
import numpy as np
import pandas as pd
import polars
import pyarrow
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

import autoopt
from autoopt.designs.data import Selection, bound, describe
from autoopt.errors import DataError, UsageError
from autoopt.fitting.other_data import new_data
from autoopt.tables.readers import dataset, load
from autoopt.tables.syntax import Syntax, advice

RNG = np.random.default_rng(28)

CELLS = [
    *("1", "-1.5", "+2", ".5", "5.", "1e3", "1.5E-3", "1,5", "1.500", "1.500,25", "1,500.25", "1_000", "1 000", "0x10"),
    *(" 7 ", "inf", "-Infinity", "١٢", "1e", "e5", "--1", "1,2,3", "1d5", "½", "1'000", "12a", "True"),
]


@pytest.mark.parametrize("syntax", [Syntax(), Syntax(","), Syntax(",", "."), Syntax(".", ","), Syntax(".", "'")])
def test_a_cell_is_a_number_where_pandas_reads_one(syntax):
    for cell in CELLS:
        text = f"x;y\n{cell};1\n"
        read = pd.read_csv(io.StringIO(text), sep=";", decimal=syntax.decimal, thousands=syntax.thousands)["x"][0]
        expected = None if isinstance(read, str | np.bool_) else float(read)
        number = syntax.number(cell)
        assert (number is None) == (expected is None), cell
        assert number is None or np.isclose(number, expected, rtol=1e-15), cell


@pytest.fixture
def file(tmp_path):
    def write(text, name="d.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


GERMAN = "x;y\n1.500;3\n2.000;4\n3.250;6,5\n900;2\n1.234;2,4\n700;1,5\n5.000;10\n4.100;8,3\n"


def test_marks_between_thousands_are_no_decimals_and_are_read_on_request(file):
    path, reading = file(GERMAN), {"delimiter": ";", "decimal": ","}
    with pytest.raises(DataError, match=r"--thousands '\.'.* C\(x\)"):
        autoopt.fit("linear", data=path, formula="y ~ x", reading=reading)
    with pytest.raises(DataError, match=r"such as '1.500': .*--thousands '\.'"):
        load(path, reading).take(["x"])
    fit = autoopt.fit("linear", data=path, formula="y ~ x", reading=reading | {"thousands": "."})
    peer = smf.ols("y ~ x", pd.read_csv(path, sep=";", decimal=",", thousands=".")).fit()
    np.testing.assert_allclose(fit.params, peer.params, rtol=1e-8)
    np.testing.assert_allclose(fit.bse, peer.bse, rtol=1e-8)
    with pytest.raises(UsageError, match="thousands is ','"):
        load(path, reading | {"thousands": ","})


def test_the_value_that_is_wrong_is_named_and_not_a_good_one(file):
    path = file("x;y\n1500,5;3\n2000;4\n900;2\n12a;2,4\n")
    with pytest.raises(DataError) as caught:
        load(path, {"delimiter": ";", "decimal": ","}).take(["x"])
    assert "1 missing or non-numeric value:\n  line 5, column x: '12a' is not a number" in caught.value.happened


def test_other_files_are_read_as_that_of_the_fit(file):
    """Of numbers with marks between thousands alone nothing tells that they are not decimals."""
    given = {"decimal": ",", "thousands": "."}
    fit = autoopt.fit("linear", data=file(GERMAN.replace(";", "\t"), "d.tsv"), formula="y ~ x", reading=given)
    line = np.polyfit([1500, 2000, 3250, 900, 1234, 700, 5000, 4100], [3, 4, 6.5, 2, 2.4, 1.5, 10, 8.3], 1)
    new = file("x\tz\n1.500\t1\n2.250\t2\n", "n.tsv")
    np.testing.assert_allclose(fit.predict(new).mean, np.polyval(line, [1500, 2250]), rtol=1e-8)
    np.testing.assert_allclose(fit.predict(str(new)).mean, np.polyval(line, [1500, 2250]), rtol=1e-8)
    frame = pd.read_csv(new, sep="\t", decimal=",", thousands=".")
    frame.to_parquet(new.with_suffix(".parquet"))  # which is not read in some way
    np.testing.assert_allclose(fit.predict(new.with_suffix(".parquet")).mean, fit.predict(frame).mean)
    frame.to_csv(file("", "n.csv"), index=False, sep=";", decimal=",")
    with pytest.raises(DataError, match="separated by ';'"):
        fit.predict(new.with_suffix(".csv"))
    semicolons = new_data(fit.case, new.with_suffix(".csv"), {"delimiter": ";", "decimal": ","})
    np.testing.assert_allclose(fit.predict(semicolons).mean, fit.predict(frame).mean)
    wide = load(file("x;y\n1;2\n", "w.csv"), {"delimiter": ";"})
    with pytest.raises(DataError, match="separated by ','"):
        load(file("x,y\n1,2\n", "v.csv"), like=wide)
    assert load(file('"x,y"\n1\n', "u.csv")).names == ["x,y"]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["1,5", "20"], "--decimal ','"),
        (["1,100", "900", "2,200.5"], "--thousands ','"),
        (["1.100.000", "900"], "--thousands '.'"),
        (["1 100", "900"], "--thousands ' '"),
        (["0,5", "0,125"], "--decimal ','"),
        (["1,5", "a"], ""),
        (["1-2"], ""),
        ([], ""),
    ],
)
def test_texts_that_look_like_numbers(texts, said):
    assert said in advice(texts) and bool(said) == bool(advice(texts))


@pytest.mark.parametrize(
    ("cells", "said"),
    [('"1,100"\n"2,200"\n"3,300"\n', "--thousands ','"), ('"1,5"\n"2,25"\n"3,1"\n', "--decimal ','")],
)
def test_text_that_looks_like_numbers_is_no_category_unasked(file, cells, said):
    path = file("y,x\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells.split())))
    with pytest.raises(DataError, match=rf"is text.*\n.*{said}"):
        autoopt.fit("linear", data=path, formula="y ~ x")
    assert len(bound(load(path), ["X", "y"], Selection(formula="y ~ C(x)")).columns) == 3
    with pytest.raises(DataError, match="make numbers of it"):
        autoopt.fit("linear", data=pd.read_csv(path), formula="y ~ x")


# Digits as text, and words -------------------------------------------------------------------------------------------

CODES = pd.DataFrame({"code": RNG.choice(["001", "007", "030", "200"], 80), "x": RNG.normal(size=80)})
CODES["y"] = CODES["x"] + CODES["code"].map({"001": 0, "007": 3, "030": -2, "200": 1}) + RNG.normal(size=80)


def parquet(frame, folder):
    frame.to_parquet(folder / "d.parquet")
    return folder / "d.parquet"


TYPED = {
    "pandas": lambda frame, folder: frame,
    "pandas string": lambda frame, folder: frame.astype({"code": "string"}),
    "pandas Categorical": lambda frame, folder: frame.astype({"code": "category"}),
    "polars": lambda frame, folder: polars.from_pandas(frame),
    "polars Categorical": lambda frame, folder: polars.from_pandas(frame).with_columns(
        polars.col("code").cast(polars.Categorical)
    ),
    "pyarrow": lambda frame, folder: pyarrow.Table.from_pandas(frame),
    "Parquet": parquet,
}


@pytest.mark.parametrize("kind", TYPED)
def test_digits_that_are_text_are_categories(kind, tmp_path):
    given = TYPED[kind](CODES, tmp_path)
    found = bound(dataset(given), ["X", "y"], Selection(formula="y ~ x + code"))
    assert found.columns == list(formulaic.model_matrix("x + code", CODES).columns)
    with pytest.raises(DataError, match=r"text in the column code.*\n.*to_numeric" if "Cat" not in kind else "code"):
        dataset(given).take(["code"])
    assert bound(dataset(given), ["X", "y"], Selection("y")).columns == ["x"]


def test_digits_that_are_text_have_the_estimates_of_statsmodels():
    fit, peer = autoopt.fit("linear", data=CODES, formula="y ~ x + code"), smf.ols("y ~ x + code", CODES).fit()
    np.testing.assert_allclose(fit.params, peer.params[list(fit.names)], rtol=1e-8)
    np.testing.assert_allclose(fit.bse, peer.bse[list(fit.names)], rtol=1e-8)


@pytest.mark.parametrize("word", ["none", "na", "Nan", "nat"])
@pytest.mark.parametrize("missing", ["raise", "drop"])
def test_categories_called_as_what_is_missing_are_text_as_in_pandas(file, word, missing):
    frame = CODES.assign(code=CODES["code"].map({"001": "a", "007": word, "030": "c", "200": None}))
    frame = frame if missing == "drop" else frame.dropna()
    path = file(frame.to_csv(index=False))
    read = pd.read_csv(path)
    assert word in set(read["code"])
    found = bound(load(path), ["X", "y"], Selection(formula="y ~ code", missing=missing))
    expected = formulaic.model_matrix("code", read.dropna())
    assert found.columns == list(expected.columns) and len(found.arguments["y"]) == read["code"].notna().sum()
    np.testing.assert_array_equal(np.sort(found.arguments["X"].sum(axis=0)), np.sort(expected.sum(axis=0)))


def test_words_among_numbers_are_missing(file):
    path = file("y,x\n1,1\n2,na\n3,4\n4,None\n5,inf\n6,7\n")
    with pytest.raises(DataError, match=r"line 3, column x: missing\n  line 5, column x: missing\n  line 6"):
        load(path).take(["x"])
    found = bound(load(path), ["x", "y"], Selection(missing="drop")).arguments
    assert found["x"].tolist() == [1, 4, 7] and found["y"].tolist() == [1, 3, 6]


@pytest.mark.parametrize("formula", ["y ~ m", "y ~ C(m)"])
def test_codes_of_new_rows_are_read_as_those_of_the_fit(file, formula):
    """Types follow from what stands in a file: a column with digits alone would be one of numbers."""
    frame = CODES.assign(m=np.where(CODES["code"] == "200", "x", CODES["code"].str[-1:]))
    frame = frame if formula == "y ~ C(m)" else frame.assign(m=frame["m"].replace("0", "z").replace("1", "w"))
    fit = autoopt.fit("linear", data=file(frame.to_csv(index=False)), formula=formula)
    few = frame[frame["m"].isin(["1", "7"])].head(6)
    predicted = fit.predict(file(few[["m"]].to_csv(index=False), "n.csv")).mean
    np.testing.assert_allclose(predicted, smf.ols(formula, frame).fit().predict(few), rtol=1e-8)


def test_text_stays_text_where_rows_are_left_out(file):
    """Of the rows that are complete all codes are digits, and pandas keeps the type of the whole column."""
    path = file("y,x,m\n" + "1,,a\n" * 9 + "".join(f"{i % 3},{i},{i % 2}\n" for i in range(8)))
    fit = autoopt.fit("linear", data=path, formula="y ~ x + m", missing="drop")
    peer = smf.ols("y ~ x + m", pd.read_csv(path).dropna()).fit()
    assert fit.nobs == peer.nobs == 8 and set(fit.names) == set(peer.params.index) == {"Intercept", "x", "m[T.1]"}
    np.testing.assert_allclose(fit.params, peer.params[list(fit.names)], rtol=1e-8)


def test_codes_that_are_numbers_in_the_fit_and_stand_beside_words_in_new_rows(file):
    found = bound(load(file("y,g\n1,1\n2,2\n3,3\n4,1\n")), ["X", "y"], Selection(formula="y ~ C(g)"))
    with pytest.raises(DataError, match=r"1 row with other categories in the column g.*\n  line 3: 'x'\n"):
        found.encoding.arguments(load(file("g\n1\nx\n2\n", "n.csv")), response=False)
    with pytest.raises(DataError, match=r"line 2: 9\n"):
        found.encoding.arguments(load(file("g\n9\n", "m.csv")), response=False)


# Neither numbers nor text --------------------------------------------------------------------------------------------

ROWS = np.arange(1.0, 9.0)
THINGS = {
    "complex numbers": ROWS + 1j,
    "durations": ROWS.astype("m8[s]"),
    "dates": ROWS.astype("M8[D]"),
    "times": np.array([datetime.time(int(hour)) for hour in ROWS], object),
    "lists or records": pd.Series([{"v": row} for row in ROWS]).to_numpy(),
}


@pytest.mark.parametrize("thing", THINGS)
def test_what_is_no_number_is_called_what_it_is(thing):
    frame = pd.DataFrame({"y": ROWS, "x": THINGS[thing]})
    for data in (frame, *([] if thing == "complex numbers" else [{"y": ROWS, "x": THINGS[thing]}])):
        with pytest.raises(DataError, match=f"has {thing} in the (column|array) x, where numbers are needed"):
            bound(dataset(data), ["x", "y"], Selection())
    with pytest.raises(DataError, match=f"x in the formula 'y ~ x' holds {thing}"):
        bound(dataset(frame), ["X", "y"], Selection(formula="y ~ x"))
    assert thing.removesuffix("s") in str(describe(frame))


@pytest.mark.parametrize("day", ["2020-01-{:02d}", "{}.1.2020", "1/{}/20 12:30"])
def test_text_of_dates_is_no_category_unasked_as_dates_of_frames_are_none(file, day):
    path = file("y,x\n" + "".join(f"{i % 4},{day.format(i)}\n" for i in range(1, 9)))
    with pytest.raises(DataError, match=r"holds dates.*\n.*C\(x\)"):
        bound(load(path), ["X", "y"], Selection(formula="y ~ x"))
    assert len(bound(load(path), ["X", "y"], Selection(formula="y ~ C(x)")).columns) == 8


def test_what_is_masked_is_missing():
    masked = {"x": np.ma.array([1, 2, 3], mask=[False, True, False]), "y": [1.0, 2.0, 3.0]}
    with pytest.raises(DataError, match="array x, index 1: missing"):
        dataset(masked).take(["x"])
    assert bound(dataset(masked), ["x", "y"], Selection(missing="drop")).arguments["y"].tolist() == [1, 3]
    assert dataset({"x": np.ma.array([1, 2])}).take(["x"])["x"].dtype == np.int64


def test_series_with_other_labels_are_not_taken_by_their_places():
    """statsmodels refuses them, too."""
    one, other = pd.Series([1.0, 2.0, 3.0]), pd.Series([1.0, 2.0, 3.0])[::-1]
    with pytest.raises(ValueError, match="not aligned"):
        sm.OLS(other, one)
    with pytest.raises(DataError, match="rows of x and y have different labels"):
        dataset({"x": one, "y": other})
    assert dataset({"x": one, "z": one[:2], "y": other.to_numpy()}).names == ["x", "z", "y"]


def test_two_categories_of_one_name_are_refused(file):
    path = file('{"y": 1, "x": 1}\n{"y": 2, "x": "1"}\n{"y": 3, "x": 2}\n', "d.jsonl")
    with pytest.raises(DataError, match="has 1 as text and as something else in the column x"):
        bound(load(path), ["X", "y"], Selection(formula="y ~ C(x)"))


def test_nested_json_is_refused(file):
    path = file("".join(json.dumps({"y": row, "x": {"v": row}}) + "\n" for row in ROWS), "d.jsonl")
    for formula in ("y ~ x", "y ~ C(x)"):
        with pytest.raises(DataError, match="lists or records"):
            bound(load(path), ["X", "y"], Selection(formula=formula))


def test_complex_arrays_stay_complex(tmp_path):
    x, slope = RNG.normal(size=9) + 1j * RNG.normal(size=9), 2.0 - 0.5j
    y = slope * x + 0.1 * (RNG.normal(size=9) + 1j * RNG.normal(size=9))
    np.savez(tmp_path / "d.npz", x=x, y=y)

    def residuals(p, x, y):
        rest = y - (p["re"] + 1j * p["im"]) * x
        return np.concatenate([rest.real, rest.imag])

    fit = autoopt.fit(residuals, {"re": 0.0, "im": 0.0}, tmp_path / "d.npz", kind="least squares")
    expected = np.vdot(x, y) / np.vdot(x, x)
    np.testing.assert_allclose(fit.params, [expected.real, expected.imag], rtol=1e-8)
    x[3] = np.nan
    with pytest.raises(DataError, match="array x, index 3: missing"):
        dataset({"x": x}).take(["x"])


# Names and calls -----------------------------------------------------------------------------------------------------

MICRO = "dose_\N{MICRO SIGN}g"
DOSES = CODES.assign(**{MICRO: RNG.uniform(1, 5, 80)}, other=RNG.normal(size=80))


def test_columns_have_the_names_of_arguments_in_pythons_normal_form():
    space = {}
    exec(f"def named(b, {MICRO}, y): return y - b * {MICRO}\ndef matrix(b, X, {MICRO}, y): return y - X @ b", space)
    fit = autoopt.fit(space["named"], 0.0, DOSES, kind="least squares")
    np.testing.assert_allclose(fit.params, DOSES[MICRO] @ DOSES["y"] / (DOSES[MICRO] @ DOSES[MICRO]), rtol=1e-8)
    found = bound(dataset(DOSES), ["X", "dose_\N{GREEK SMALL LETTER MU}g", "y"], Selection("y"))
    assert found.columns == ["x", "other"] and found.arguments["X"].shape == (80, 2)
    formula = f"y ~ np.log({MICRO}) + {MICRO}"
    assert bound(dataset(DOSES), ["X", "y"], Selection(formula=formula)).arguments["X"].shape == (80, 3)


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ np.exp(x).clip(0.5)",
        "y ~ np.exp(x).clip(0.5, 2).round(1) + code",
        "y ~ np.exp(x).clip(upper=abs(2)):code",
        "y ~ np.abs(np.exp(x).clip(1) - 3)",
    ],
)
def test_methods_of_calls_are_those_of_statsmodels(formula):
    fit, peer = autoopt.fit("linear", data=CODES, formula=formula), smf.ols(formula, CODES).fit()
    assert set(fit.names) == set(peer.params.index)
    np.testing.assert_allclose(fit.params, peer.params[list(fit.names)], rtol=1e-7)
    np.testing.assert_allclose(fit.bse, peer.bse[list(fit.names)], rtol=1e-7)


def test_what_python_cannot_read_is_told():
    with pytest.raises(UsageError, match=r"Expected: \).\n    y ~ np.exp\(x\).clip\(\n"):
        bound(dataset(CODES), ["X", "y"], Selection(formula="y ~ np.exp(x).clip("))
    with pytest.raises(UsageError, match="cannot be read: invalid syntax"):
        bound(dataset(CODES), ["X", "y"], Selection(formula="y ~ (x + 1).clip(3)"))
