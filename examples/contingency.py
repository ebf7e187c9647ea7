"""Did Berkeley favour men? A log-linear model of the 2 x 2 x 6 table of admissions in 1973.

    autoopt fit examples/contingency.py --method newton-cg

All two-way interactions, no three-way one: `female:admitted` is the log odds ratio of admission, women against men,
the same in every department. It is near zero, although 45 % of the men and only 30 % of the women got in.
"""

from pathlib import Path

import numpy as np
from scipy.special import gammaln

FILE = Path(__file__).parent / "data" / "berkeley_admissions.csv"

kind = "negative log-likelihood"


def data():
    """Return the counts, shape (6, 2, 2): department, gender (male, female), admitted (no, yes)."""
    counts = np.loadtxt(FILE, delimiter=",", skiprows=1, usecols=3).reshape(6, 2, 2)
    return (counts[:, :, ::-1],)  # the file has the admitted first


def objective(params, counts):
    """Return minus the log-likelihood of independent Poisson counts, a term for each of the 24 cells."""
    female = np.array([[0.0], [1.0]])
    admitted = np.array([0.0, 1.0])

    def by_department(effect):
        """Department A is the reference, with effect 0."""
        return np.concatenate([np.zeros(1), effect])[:, np.newaxis, np.newaxis]

    log_mean = (
        params["intercept"]
        + params["female"] * female
        + params["admitted"] * admitted
        + params["female:admitted"] * female * admitted
        + by_department(params["department"])
        + by_department(params["department:female"]) * female
        + by_department(params["department:admitted"]) * admitted
    )
    return (np.exp(log_mean) - counts * log_mean + gammaln(counts + 1)).ravel()


def x0(counts):
    """Start from equal counts."""
    return {
        "intercept": np.log(counts.mean()),
        "female": 0.0,
        "admitted": 0.0,
        "female:admitted": 0.0,
        "department": np.zeros(5),
        "department:female": np.zeros(5),
        "department:admitted": np.zeros(5),
    }
