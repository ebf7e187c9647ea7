"""What rounding has left of standard errors is said."""

import numpy as np
import pytest

import autoopt
from autoopt.inference import digits_of_errors


def terms(params, X, y):
    eta = params[0] + X @ params[1:]
    return np.logaddexp(0, eta) - y * eta


@pytest.mark.parametrize(("far", "said"), [(0.0, False), (1e3, False), (1e5, True)])
def test_few_digits_of_standard_errors_are_said(far, said):
    rng = np.random.default_rng(0)
    near = np.round(rng.normal(size=(200, 1)) * 2**16) / 2**16
    y = (rng.random(200) < 1 / (1 + np.exp(-near[:, 0]))).astype(float)
    start = np.array([-far, 1.0])
    fitted = autoopt.fit(terms, start, (near + far, y), kind="negative log-likelihood", names=["a", "slope"])
    notes = [text for text in fitted.notes if "digits" in text]
    assert bool(notes) is said and all("about 5 digits: along a" in text for text in notes)


def test_digits_are_those_that_are_left():
    assert digits_of_errors(np.eye(2)) == pytest.approx(15.65, abs=0.1)
    assert digits_of_errors(np.array([[1.0, 1 - 1e-10], [1 - 1e-10, 1.0]])) == pytest.approx(5.65, abs=0.1)
    assert digits_of_errors(np.diag([1.0, 1e-20])) > 15  # units are no matter
