"""Pictures of fits: what they show, that hostile names stay text, and what is said where one cannot be drawn."""

import importlib.util
import io
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from drawn_data import T, X, Y, Z, decay, rng

import autoopt
from autoopt.errors import UsageError
from autoopt.reports import estimators
from autoopt.reports.calibration import binned
from autoopt.reports.fits import subject_of
from autoopt.reports.pictures import PICTURES, able
from autoopt.reports.responses import fitted_values, probabilities_of_one
from autoopt.reports.spectrum import scaled
from autoopt.reports.subject import Probabilities, Subject

HOSTILE = (
    "<script>alert(1)</script>",
    'in$\\frac{$ & "quotes"',
    "line\nbreak of a name that is much too long to be drawn",
)


def logistic_terms(beta, X, y):
    eta = X @ beta
    return np.logaddexp(0, eta) - y * eta


def valley(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


@pytest.fixture(scope="module")
def logistic():
    return autoopt.fit(logistic_terms, np.zeros(3), (X, Y), kind="negative log-likelihood", names=HOSTILE)


@pytest.fixture(scope="module")
def squares():
    return autoopt.fit(decay, {"a": 1.0, "rate": 1.0}, (T, Z), kind="least squares")


@pytest.fixture(scope="module")
def flat():
    return autoopt.fit(lambda p, t, z: z - p[0] * np.exp(p[1] - p[2] * t), np.ones(3), (T, Z), kind="least squares")


@pytest.fixture(scope="module")
def unfinished():
    return autoopt.fit(valley, np.array([-1.2, 1.0]), method="bfgs", options={"maxiter": 4})


HAVE = {
    "logistic": set(PICTURES),
    "squares": set(PICTURES) - {"calibration"},
    "flat": set(PICTURES) - {"calibration", "coefficients"},
    "unfinished": {"convergence", "spectrum"},
}


@pytest.mark.parametrize("name", HAVE)
def test_a_fit_has_the_pictures_that_its_kind_and_state_allow(name, request):
    assert set(able(subject_of(request.getfixturevalue(name)))) == HAVE[name]


@pytest.mark.parametrize("kind", PICTURES)
def test_every_kind_is_drawn_or_refused_with_those_that_can_be(kind, logistic, squares, unfinished):
    for fitted, have in ((logistic, HAVE["logistic"]), (squares, HAVE["squares"]), (unfinished, HAVE["unfinished"])):
        if kind in have:
            figure = fitted.plot(kind)
            figure.savefig(io.BytesIO(), format="svg")
            assert figure.axes and figure.axes[0].get_lines() and PICTURES[kind].description.endswith(".")
            continue
        with pytest.raises(UsageError, match=f"has no picture '{kind}'") as refused:
            fitted.plot(kind)
        assert refused.value.remedy.endswith(f"{', '.join(n for n in PICTURES if n in have)}.")


def test_an_unknown_kind_is_refused_with_a_near_name(squares):
    with pytest.raises(UsageError, match="Did you mean residuals"):
        squares.plot("residual")


def test_pyplot_is_not_used_and_the_figure_is_shown_by_notebooks(squares):
    was_there = "matplotlib.pyplot" in sys.modules
    picture = squares.plot("convergence")._repr_svg_()
    assert ("matplotlib.pyplot" in sys.modules) == was_there and "<svg" in picture


def test_axes_that_are_given_are_drawn_on(squares):
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    assert squares.plot("coefficients", ax=axes) is axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "rate"]
    with pytest.raises(UsageError, match="2 pictures for the axes"):
        squares.plot("profile", ax=axes)
    assert squares.plot("profile", ax=axes, names=["rate"]) is axes


def test_names_are_text_whatever_they_look_like(logistic):
    labels = [label.get_text() for label in logistic.plot("coefficients").axes[0].get_yticklabels()]
    assert labels[0].startswith("<script>") and "$" in labels[1] and "\n" not in labels[2] and "…" in labels[2]
    logistic.plot().savefig(io.BytesIO(), format="svg")


def test_intervals_are_those_of_the_fit(squares):
    lines = squares.plot("coefficients").axes[0].collections[0].get_segments()
    np.testing.assert_allclose([line[:, 0] for line in lines], squares.conf_int())


def test_estimates_of_other_units_are_drawn_in_standard_errors():
    y = 3e7 + 1e6 * np.cos(T)
    found = autoopt.fit(lambda p, t, y: y - p[0] - p[1] * t, np.zeros(2), (1e7 * T, y), kind="least squares")
    axes = found.plot("coefficients").axes[0]
    assert "std. error" in axes.get_xlabel()
    segments = axes.collections[0].get_segments()
    np.testing.assert_allclose([s[:, 0] for s in segments], found.conf_int() / found.bse[:, None])


@pytest.mark.parametrize(
    ("params", "bse", "in_errors"),
    [
        ([-1.6, -3.6e-6, -1.4e-3], [0.4, 1.6e-5, 7.8e-3], True),  # small beside the others, not large
        ([-1.6, 0.3, 0.8], [0.4, 0.1, 0.05], False),
        ([500.0, 400.0], [1.0, 0.9], False),  # no narrower than in standard errors
        ([3e7, 0.4], [1e5, 1e-2], True),
    ],
)
def test_no_interval_is_a_dot_where_standard_errors_show_it(params, bse, in_errors):
    from matplotlib.figure import Figure

    params, bse = np.array(params), np.array(bse)
    names = [f"b{k}" for k in range(len(params))]
    axes = Figure().add_subplot()
    subject = Subject("a fit", names, params, bse, np.column_stack([params - 2 * bse, params + 2 * bse]))
    PICTURES["coefficients"].draw(subject, axes, "")
    assert ("std. error" in axes.get_xlabel()) == in_errors
    assert ("in standard errors" in PICTURES["coefficients"].caption(subject)) == in_errors


def test_the_profile_has_the_ends_of_its_interval(squares):
    axes = squares.plot("profile", names=["rate"]).axes[0]
    ends = squares.conf_int(method="profile")[1]
    drawn = [line.get_xdata()[0] for line in axes.get_lines() if line.get_linestyle() == "-"]
    assert all(np.isclose(drawn, end, rtol=1e-12).any() for end in ends)


def test_the_flattest_direction_is_that_of_the_least_eigenvalue(flat):
    _, matrix = subject_of(flat).spectrum
    values, direction = scaled(matrix)
    assert values[0] < 1e-10 and abs(direction[2] / direction[0]) < 1e-6  # a * exp(b): log a + b is all that is known
    assert "not identified" in PICTURES["spectrum"].caption(subject_of(flat))


# What the data explain ------------------------------------------------------------------------------------------------


def test_fitted_values_are_the_response_less_its_residual(squares):
    spread = subject_of(squares).spread
    np.testing.assert_allclose(spread.fitted, squares.params[0] * np.exp(-squares.params[1] * T), rtol=1e-10)
    np.testing.assert_allclose(spread.values, (Z - spread.fitted) / np.sqrt(squares.scale), rtol=1e-8)


FORMS = {
    "response less model": lambda p, t, z: z - p[0] * np.exp(-p[1] * t),
    "model less response": lambda p, t, z: p[0] * np.exp(-p[1] * t) - z,
    "weighted": lambda p, t, z: (z - p[0] * np.exp(-p[1] * t)) / (0.1 + t),
    "a line in t": lambda p, t, z: z - p[0] - p[1] * t,
}


@pytest.mark.parametrize("form", FORMS)
def test_the_response_is_found_in_residuals_of_any_form(form):
    x, residuals = np.array([2.0, 1.3]), FORMS[form]
    found = fitted_values(residuals, lambda by: x * (1 + by), (T, Z), residuals(x, T, Z))
    np.testing.assert_allclose(found, x[0] + x[1] * T if "line" in form else x[0] * np.exp(-x[1] * T), rtol=1e-8)


@pytest.mark.parametrize(
    "residuals",
    [lambda p, t, z: np.log(z + 5) - p[0] * t, lambda p, t, z: z - t - p[0], lambda p, t, z: p[0] * z - p[1]],
    ids=["a function of the response", "two that could be it", "none"],
)
def test_no_response_is_found_where_none_can_be_told(residuals):
    x = np.array([2.0, 1.3])
    assert fitted_values(residuals, lambda by: x * (1 + by), (T, Z), residuals(x, T, Z)) is None


BINARY = {
    "terms": (logistic_terms, "negative log-likelihood", None),
    "terms with weights": (logistic_terms, "negative log-likelihood", np.linspace(0.5, 2, 300)),
    "a log-likelihood": (lambda b, X, y: -logistic_terms(b, X, y), "log-likelihood", None),
    "a sum": (lambda b, X, y: np.sum(np.logaddexp(0, X @ b)) - y @ (X @ b), "negative log-likelihood", None),
}


@pytest.mark.parametrize("form", BINARY)
def test_probabilities_are_those_of_the_model(form):
    objective, kind, weights = BINARY[form]
    found = autoopt.fit(objective, np.zeros(3), (X, Y), kind=kind, weights=weights)
    chances = subject_of(found).chances
    np.testing.assert_allclose(chances.predicted, 1 / (1 + np.exp(-X @ found.params)), rtol=1e-9)
    assert (chances.observed == Y).all()


def test_an_estimator_is_drawn_with_its_data_and_without():
    model = autoopt.models.LogisticRegression().fit(X[:, 1:], Y)
    assert [axes.get_xlabel().partition(",")[0] for axes in model.plot().axes] == ["estimate", "number"]
    assert len(model.plot(X=X[:, 1:], y=Y).axes) == 5
    terms = subject_of(autoopt.fit(logistic_terms, np.zeros(3), (X, Y), kind="negative log-likelihood"))
    own = estimators.subject_of(model, X[:, 1:], Y)
    np.testing.assert_allclose(own.chances.predicted, terms.chances.predicted, rtol=1e-8)
    np.testing.assert_allclose(own.spread.values, terms.spread.values, rtol=1e-7)
    np.testing.assert_allclose(own.spectrum[1], terms.spectrum[1], rtol=1e-6)
    with pytest.raises(UsageError, match="'residuals', as its residuals are not known"):
        model.plot("residuals")


COUNTS = np.random.default_rng(3).poisson(np.exp(X @ [0.5, 0.3, -0.2]))
TIMES = np.random.default_rng(4).gamma(3.0, np.exp(X @ [0.5, 0.3, -0.2]) / 3)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("model", "y"), [("LogLinearRegression", COUNTS), ("GammaRegression", TIMES)])
def test_deviance_residuals_of_an_estimator_are_those_of_statsmodels(model, y):
    import statsmodels.api as sm

    family = sm.families.Poisson() if y is COUNTS else sm.families.Gamma(sm.families.links.Log())
    peer = sm.GLM(y, X, family).fit(tol=1e-12)
    own = estimators.subject_of(getattr(autoopt.models, model)().fit(X[:, 1:], y), X[:, 1:], y).spread
    np.testing.assert_allclose(own.values, peer.resid_deviance, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(own.fitted, peer.fittedvalues, rtol=1e-6)


def test_a_count_of_0_and_1_has_no_probability_of_1():
    counts = np.minimum(Y, 1)
    terms = lambda b, X, y: np.exp(X @ b) - y * (X @ b)  # noqa: E731
    b = np.array([-1.0, 0.2, 0.1])
    assert probabilities_of_one(terms, b, (X, counts)) is None


def test_bins_of_calibration_are_shares_with_wilsons_intervals():
    from statsmodels.stats.proportion import proportion_confint

    chances = Probabilities(rng.random(200), (rng.random(200) < 0.4).astype(float))
    predicted, observed, ends, counts = binned(chances, 0.9)
    assert counts.sum() == 200 and (np.diff(predicted) > 0).all()
    peers = [proportion_confint(round(s * n), n, 0.1, "wilson") for s, n in zip(observed, counts, strict=True)]
    np.testing.assert_allclose(ends, peers, rtol=1e-10, atol=1e-12)


def test_normal_residuals_lie_on_the_line():
    from autoopt.reports.figures import figure
    from autoopt.reports.spread import quantiles

    values = rng.normal(size=4000)
    subject = SimpleNamespace(spread=SimpleNamespace(values=values, fitted=None, called="residual"))
    _, (axes,) = figure([3.0])
    quantiles.draw(subject, axes, "")
    x, y = axes.get_lines()[1].get_data()
    assert len(x) <= 1200 and np.abs(x - y)[np.abs(x) < 2].max() < 0.15 and y.max() == values.max()


@pytest.mark.slow
def test_the_pictures_of_the_documents_are_written_by_their_script(tmp_path):
    path = Path(__file__).parents[2] / "docs" / "pictures.py"
    spec = importlib.util.spec_from_file_location("pictures", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.write(tmp_path)
    kept = {file.name: file.stat().st_size for file in (path.parent / "images").iterdir()}
    assert {file.name for file in tmp_path.iterdir()} == set(kept) and max(kept.values()) < 60_000
