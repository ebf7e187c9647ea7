"""A growth curve fitted by least squares, plainly and with an outlier that a robust loss lets be.

The data are Rat43 of NIST's reference sets (dry weight of onion bulbs by time, Ratkowsky 1983), whose parameters and
standard deviations are certified. To run it::

    python examples/growth_curve.py
"""

import numpy as np

import autoopt

TIMES = np.arange(1.0, 16.0)
WEIGHTS = np.array(
    [16.08, 33.83, 65.80, 97.20, 191.55, 326.20, 386.87, 520.53, 590.03, 651.92, 724.93, 699.56, 689.96, 637.56, 717.41]
)
CERTIFIED = np.array([6.9964151270e02, 5.2771253025e00, 7.5962938329e-01, 1.2792483859e00])
DEVIATIONS = np.array([1.6302297817e01, 2.0828735829e00, 1.9566123451e-01, 6.8761936385e-01])


def growth(time, top, shift, rate, shape):
    return top / (1 + np.exp(shift - rate * time)) ** (1 / shape)


best, covariance = autoopt.curve_fit(growth, TIMES, WEIGHTS, p0=[700.0, 5.0, 0.75, 1.3])
deviations = np.sqrt(np.diag(covariance))
for name, value, deviation in zip(["top", "shift", "rate", "shape"], best, deviations, strict=True):
    print(f"{name:>6} = {value:9.4f} +- {deviation:.4f}")
np.testing.assert_allclose(best, CERTIFIED, rtol=1e-9)
np.testing.assert_allclose(deviations, DEVIATIONS, rtol=1e-8)

spoilt = WEIGHTS.copy()
spoilt[12] += 400.0  # somebody hit the wrong key


def residuals(p, weights):
    return growth(TIMES, p["top"], p["shift"], p["rate"], p["shape"]) - weights


start = {"top": 700.0, "shift": 5.0, "rate": 0.75, "shape": 1.3}
plain = autoopt.least_squares(residuals, start, args=(spoilt,))
robust = autoopt.least_squares(residuals, start, args=(spoilt,), loss="cauchy", f_scale=20.0)
print(f"with an outlier: top = {plain.x['top']:.1f}, by a robust loss {robust.x['top']:.1f}; {robust.message}")
assert abs(robust.x["top"] - best[0]) < 30.0 < abs(plain.x["top"] - best[0])
