"""The layout of summaries: digits, probabilities, columns, notes."""

import numpy as np
import pytest

from autoopt.summaries import WIDTH, Coefficients, Summary, digits, probability


def coefficients(names, states=(), use_t=False):
    n = len(names)
    estimates, errors = np.linspace(-1.0, 2.0, n), np.full(n, 0.0123456)
    ends = np.column_stack([estimates - 0.02, estimates + 0.02])
    return Coefficients(names, estimates, errors, estimates / errors, np.full(n, 0.02), ends, 0.9, use_t, states)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (1.23456789, 0.0456789, "1.23457"),
        (0.0456789, 0.0456789, "0.04568"),
        (-123456.7, 98.7654, "-123456.70"),
        (1.5e-7, 3.2e-9, "1.50000e-07"),
        (4.2e9, 3.1e5, "4.2000000e+09"),
        (np.inf, 1.0, "inf"),
        (2.0, 0.0, "2"),
        (2.0, np.nan, "2"),
        (np.nan, np.nan, "-"),
    ],
)
def test_estimates_have_the_digits_of_their_errors(value, error, text):
    assert digits(value, error) == text


def test_no_probability_is_zero():
    assert [probability(p) for p in (1.0, 0.5, 1e-4, 9e-5, 1e-16, 9e-17, 0.0, np.nan)] == [
        "1.0000", "0.5000", "0.0001", "9.0e-05", "1.0e-16", "<1e-16", "<1e-16", "-",
    ]  # fmt: skip


def test_lines_of_usual_names_fit_into_a_terminal():
    names = ["intercept", "C(region)[T.south]", "log sd"]
    facts = [("observations", "123456"), ("log-likelihood", "-123456.7891"), ("AIC", "12.5")]
    note = "Left out: " + " ".join(f"column{k}" for k in range(40))
    lines = [("status", "converged: " + "so it is said " * 12), ("covariance", "robust (sandwich, HC0)")]
    text = str(Summary("model.py: negative log-likelihood", facts, lines, coefficients(names), [note]))
    assert max(map(len, text.splitlines())) == WIDTH
    assert all(f"\n{name} " in text for name in names) and " 5 %" in text and "95 %" in text
    assert [line[:16].strip() for line in text.splitlines()[3:9]] == [
        "observations", "log-likelihood", "status", "", "", "covariance",
    ]  # fmt: skip


NAMES = ["a", "C(region)[T.south]:C(age)[T.young]", "x" * 100]


@pytest.mark.parametrize("states", [(), ["", "at a bound", "fixed"]])
@pytest.mark.parametrize("size", [1.0, 1e-7, 123456.0, 3e15])
def test_lines_of_long_names_and_numbers_fit_all_the_same(size, states):
    plain = coefficients(NAMES, states)
    estimates, errors = -plain.estimates * size, np.array([1e-3, 1.0, 1e-9]) * size
    ends = np.column_stack([estimates - errors, estimates + errors])
    table = Coefficients(NAMES, estimates, errors, estimates / errors, plain.pvalues * 1e-9, ends, 0.99, True, states)
    for shown in (table, [["", "estimate"], *([name, "1.5"] for name in NAMES)]):
        title = "/a/folder/whose/name/has/no/space/at/which/it/could/be/folded/and/is/longer/than/a/line.py: fit"
        lines = str(Summary(title, table=shown)).splitlines()
        assert max(map(len, lines)) == WIDTH and title == "".join(lines[1:3])
        names = [line for line in lines if line.startswith(("a ", NAMES[1], "xxxx"))]
        assert "".join(names).replace(" ", "").count("x") == 100 and any(NAMES[1] in name for name in names)
    widths = {len(line.rstrip()) for line in lines[-5:-1] if line[:1] == " "}
    assert len(widths) == 1


def test_combinations_and_code_in_notes_are_not_wrapped():
    long = "  a - " + " - ".join(f"{k}.5 * parameter{k}" for k in range(12))
    text = str(Summary("model", notes=[f"The objective does not rise along\n{long}\nTo fix this: fix one."]))
    assert long in text.splitlines()


def test_parameters_without_errors_say_why():
    table = coefficients(["a", "b"], states=["", "fixed"], use_t=True)
    head, _, row = str(Summary("model", table=table)).splitlines()[3:6]
    assert "P>|t|" in head and row.split()[:3] == ["b", "2.00000", "fixed"]


def test_many_parameters_are_cut():
    text = str(Summary("model", table=coefficients([f"p{k}" for k in range(100)]), more="params has all"))
    assert "... and 40 more; params has all" in text and "p59 " in text and "p60 " not in text
