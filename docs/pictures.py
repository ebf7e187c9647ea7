"""Write the pictures of the documents: `python docs/pictures.py`, with the extra `plot`.

They are those of a fit to the data of an example, drawn by `Fit.plot`.
"""

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

COLUMNS = ["mean_texture", "mean_smoothness", "mean_area"]


def terms(beta, X, y):
    """Minus the log-likelihood of each row of a logistic regression."""
    eta = X @ beta
    return np.logaddexp(0, eta) - y * eta


def fitted():
    """Return a logistic regression of whether tumours are malignant."""
    import autoopt

    data = np.genfromtxt(ROOT / "examples" / "data" / "breast_cancer.csv", delimiter=",", names=True)
    X = np.column_stack([data[name] for name in COLUMNS])
    X = np.column_stack([np.ones(len(X)), (X - X.mean(0)) / X.std(0)])
    start, names = np.zeros(len(COLUMNS) + 1), ["intercept", *COLUMNS]
    return autoopt.fit(
        terms, start, (X, data["malignant"]), "bfgs", kind="negative log-likelihood", names=names, verify="start"
    )


def write(folder):
    """Write fit.png: four pictures of the fit."""
    from autoopt.reports.figures import figure

    fit = fitted()
    page, (above, beside, below, last) = figure([2.3] * 4)
    fit.plot("coefficients", ax=above)
    fit.plot("profile", ax=beside, names=["mean_smoothness"])
    fit.plot("convergence", ax=below)
    fit.plot("calibration", ax=last)
    page.savefig(folder / "fit.png", dpi=96, facecolor="white", metadata={"Software": None})


if __name__ == "__main__":
    write(Path(__file__).parent / "images")
