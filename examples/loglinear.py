"""What makes people see a doctor? Poisson regression with log link and exposure, 20190 person-years of the RAND study.

    autoopt fit examples/loglinear.py --method newton-cg

People with the same covariates have the same rate, and a sum of Poisson counts is Poisson: the 20190 rows collapse to
2760 groups, each with its visits and the person-years it was exposed. The estimates are exactly those of the full rows.
"""

from pathlib import Path

import numpy as np
from scipy.special import gammaln

FILE = Path(__file__).parent / "data" / "rand_health.csv"

kind = "negative log-likelihood"
names = ["intercept", "lncoins", "idp", "lpi", "fmde", "physlm", "disea", "hlthg", "hlthf", "hlthp"]


def data():
    """Return X (2760, 10), the visits (2760,) and the person-years (2760,) of each group."""
    table = np.loadtxt(FILE, delimiter=",", skiprows=1)
    covariates, group, years = np.unique(table[:, 1:], axis=0, return_inverse=True, return_counts=True)
    visits = np.bincount(group, weights=table[:, 0])
    return np.column_stack([np.ones(len(covariates)), covariates]), visits, years.astype(float)


def objective(beta, X, visits, years):
    """Return minus the log-likelihood of visits ~ Poisson(years * exp(X @ beta))."""
    eta = X @ beta + np.log(years)
    return np.sum(np.exp(eta) - visits * eta + gammaln(visits + 1))


def x0(X, visits, years):
    """Start from one common rate."""
    beta = np.zeros(X.shape[1])
    beta[0] = np.log(visits.sum() / years.sum())
    return beta
