"""Mixed models written as one normal likelihood, against what lme4 says of them (recorded with statsmodels' tests)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import autoopt

results = pytest.importorskip("statsmodels.regression.tests.results.lme_r_results", reason="statsmodels has the data")
FOLDER = Path(results.__file__).parent


def likelihood(p, y, X, products):
    V = np.exp(2 * p["error"]) * np.eye(len(y))
    for k in range(len(products)):
        V = V + np.exp(2 * p["effects"][k]) * products[k]
    r = y - X @ p["b"]
    return 0.5 * (np.linalg.slogdet(V)[1] + r @ np.linalg.solve(V, r) + len(y) * np.log(2 * np.pi))


@pytest.mark.parametrize("case", [0, 3, 6, 9])
@pytest.mark.sampled(4)
def test_independent_random_effects_are_those_of_lme4(case):
    table = pd.read_csv(FOLDER / f"lme{case:02d}.csv")
    y, X = table["endog"].to_numpy(), table.filter(like="exog_fe").to_numpy()
    members = table["groups"].to_numpy()[:, None] == table["groups"].unique()
    effects = table.filter(like="exog_re").to_numpy()
    products = [(members * effects[:, [k]]) @ (members * effects[:, [k]]).T for k in range(effects.shape[1])]
    start = {"b": np.zeros(X.shape[1]), "effects": np.zeros(len(products)), "error": 0.0}
    found = autoopt.fit(likelihood, start, (y, X, np.array(products)), kind="negative log-likelihood")

    def recorded(what):
        return getattr(results, f"{what}_ml_{'irf' if len(products) > 1 else 'drf'}_{case}")

    n = X.shape[1]
    np.testing.assert_allclose(found.params[:n], recorded("coef"), atol=2e-5)
    held = {name: found.result.x[name] for name in ("effects", "error")}  # lme4's errors take the variances as known
    fixed = autoopt.fit(likelihood, start, (y, X, np.array(products)), kind="negative log-likelihood", fixed=held)
    np.testing.assert_allclose(fixed.bse[:n], np.sqrt(np.diag(recorded("vcov"))), rtol=2e-4)
    variances = np.diag(np.reshape(recorded("cov_re"), (len(products),) * 2))
    np.testing.assert_allclose(np.exp(2 * found.params[n:-1]), variances, rtol=1e-3, atol=1e-5)
    assert found.llf == pytest.approx(float(recorded("loglike")[0]), abs=1e-4)
