"""Is a breast tumour malignant? Logistic regression on five measurements of 569 tumours.

To fit it::

    autoopt fit examples/logistic.py --method newton-cg
"""

from pathlib import Path

import numpy as np

COLUMNS = ["mean_radius", "mean_texture", "mean_smoothness", "mean_compactness", "mean_symmetry"]
FILE = Path(__file__).parent / "data" / "breast_cancer.csv"

kind = "negative log-likelihood"
names = ["intercept", *COLUMNS]


def data():
    """Return X (569, 6), its covariates in standard deviations from their mean, and y (569,)."""
    header = FILE.read_text().split("\n", 1)[0].split(",")
    table = np.loadtxt(FILE, delimiter=",", skiprows=1)
    Z = table[:, [header.index(name) for name in COLUMNS]]
    Z = (Z - Z.mean(axis=0)) / Z.std(axis=0)
    return np.column_stack([np.ones(len(Z)), Z]), table[:, header.index("malignant")]


def objective(beta, X, y):
    """Return minus the log-likelihood: log(1 + exp(eta)) - y * eta, summed over the tumours."""
    eta = X @ beta
    return np.sum(np.logaddexp(0, eta) - y * eta)


x0 = np.zeros(len(names))
