"""How sure is a curve of six points? Intervals by standard errors and by the profile of the sum of squares.

Biochemical oxygen demand over seven days (Bates and Watts 1988, A1.4; BOD in R), which grows towards a limit. To run
it::

    python examples/oxygen.py
"""

import numpy as np

import autoopt

days = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 7.0])
demand = np.array([8.3, 10.3, 19.0, 16.0, 15.6, 19.8])  # mg/l


def growth(p, days):
    """Return the demand after some days: it grows towards `limit`, by `rate` of what is left a day."""
    return p["limit"] * (1 - np.exp(-p["rate"] * days))


def residuals(p, days, demand):
    return demand - growth(p, days)


def fitted():
    """Return the fit."""
    return autoopt.fit(residuals, {"limit": 20.0, "rate": 0.5}, (days, demand), kind="least squares")


if __name__ == "__main__":
    fit = fitted()
    wald, profile = fit.conf_int(), fit.conf_int(method="profile")
    for name, value, error, low, high in zip(fit.names, fit.params, fit.bse, wald, profile, strict=True):
        print(f"{name}: {value:.4f} +- {error:.4f}; intervals {low.round(3)}, by the profile {high.round(3)}")
    later = fit.predict({"days": np.array([7.0, 14.0])}, of=growth)
    print("demand after 7 and 14 days:", later.mean.round(2), "+-", later.se.round(2))
