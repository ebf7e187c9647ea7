"""GARCH(1, 1) as one writes it, a loop over the days: how yesterday's shock moves today's variance, 1500 days.

To run it::

    python examples/garch.py
"""

import numpy as np

import autoopt

TRUE = {"omega": 0.05, "alpha": 0.12, "beta": 0.83}


def simulate(rng, days=1500):
    """Return the returns of some days, whose variances follow the model."""
    returns, h = np.empty(days), 1.0
    for day in range(days):
        returns[day] = np.sqrt(h) * rng.normal()
        h = TRUE["omega"] + TRUE["alpha"] * returns[day] ** 2 + TRUE["beta"] * h
    return returns


def variances(p, returns):
    """Return the variance of each day, given the days before it."""
    h, found = np.mean(returns**2), []
    for r in returns:
        found.append(h)
        h = p["omega"] + p["alpha"] * r**2 + p["beta"] * h
    return np.array(found)


def terms(p, returns):
    """Return minus the log-likelihood of each day."""
    h = variances(p, returns)
    return 0.5 * (np.log(2 * np.pi * h) + returns**2 / h)


def fitted(returns):
    """Return the fit with standard errors that hold for returns that are not normal, too."""
    start = {"omega": 0.1, "alpha": 0.1, "beta": 0.7}
    limits = {"omega": (1e-8, None), "alpha": (0.0, 1.0), "beta": (0.0, 1.0)}
    return autoopt.fit(terms, start, (returns,), kind="negative log-likelihood", bounds=limits, covariance="robust")


if __name__ == "__main__":
    fit = fitted(simulate(np.random.default_rng(1)))
    for name, value, error in zip(fit.names, fit.params, fit.bse, strict=True):
        print(f"{name}  {value:.4f} +- {error:.4f}, true {TRUE[name]:.2f}")
    level = fit.delta(lambda p: np.sqrt(p["omega"] / (1 - p["alpha"] - p["beta"])), names=["standard deviation"])
    print(level)
