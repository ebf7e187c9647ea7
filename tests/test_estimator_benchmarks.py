"""The tools that `benchmarks.estimator_tables` compares reach the same estimates."""

import numpy as np
import pytest

from benchmarks import estimator_tables

pytest.importorskip("sklearn")
pytest.importorskip("glum")


@pytest.mark.parametrize("kind", ["logistic", "poisson"])
@pytest.mark.filterwarnings("ignore")
@pytest.mark.sampled(2)
def test_tools_reach_the_same_estimates(kind):
    X, y = estimator_tables.data(kind, 400, 3)
    found = {name: np.append(*fit(kind, X, y)) for name, fit in estimator_tables.TOOLS.items()}
    for name in found:
        np.testing.assert_allclose(found[name], found["autoopt"], atol=1e-6, err_msg=name)
