"""A Gaussian process: length, amplitude and noise by maximum likelihood, with standard errors from the exact Hessian.

The three are positive; what is fitted are their logarithms. To run it::

    python examples/gaussian_process.py
"""

import numpy as np
from scipy import linalg

import autoopt


def covariance(theta, s, t):
    """Return the covariances of the process at the places s and t."""
    return np.exp(2 * theta["amplitude"] - 0.5 * ((s[:, np.newaxis] - t) / np.exp(theta["length"])) ** 2)


def negative_log_likelihood(theta, t, y):
    """Return minus the log-likelihood of observations with independent noise, by a Cholesky factorisation."""
    K = covariance(theta, t, t) + np.exp(2 * theta["noise"]) * np.eye(len(t))
    L = np.linalg.cholesky(K)
    z = linalg.solve_triangular(L, y, lower=True)
    return 0.5 * z @ z + np.sum(np.log(np.diag(L))) + 0.5 * len(y) * np.log(2 * np.pi)


def information(theta, t, y):
    """Return the Hessian by the formula of the textbooks, with all derivatives of K by hand.

    For K with derivatives K_a, K_ab and alpha = K^-1 y it is tr(K^-1 K_ab - K^-1 K_a K^-1 K_b) / 2
    + alpha' K_a K^-1 K_b alpha - alpha' K_ab alpha / 2 (Rasmussen and Williams 2006, section 5.4).
    """
    smooth, noise = covariance(theta, t, t), np.exp(2 * theta["noise"]) * np.eye(len(t))
    D = ((t[:, np.newaxis] - t) / np.exp(theta["length"])) ** 2
    first = [D * smooth, 2 * smooth, 2 * noise]
    zero = np.zeros_like(smooth)
    second = [
        [D * (D - 2) * smooth, 2 * D * smooth, zero],
        [2 * D * smooth, 4 * smooth, zero],
        [zero, zero, 4 * noise],
    ]
    inverse = np.linalg.inv(smooth + noise)
    alpha = inverse @ y
    H = np.empty((3, 3))
    for a in range(3):
        for b in range(3):
            H[a, b] = 0.5 * np.trace(inverse @ second[a][b] - inverse @ first[a] @ inverse @ first[b])
            H[a, b] += alpha @ first[a] @ inverse @ first[b] @ alpha - 0.5 * alpha @ second[a][b] @ alpha
    return H


def main():
    rng = np.random.default_rng(3)
    t = np.sort(rng.uniform(0, 10, size=120))
    true = {"length": np.log(0.8), "amplitude": np.log(1.5), "noise": np.log(0.2)}
    y = rng.multivariate_normal(np.zeros(len(t)), covariance(true, t, t) + 0.2**2 * np.eye(len(t)))

    x0 = {"length": 0.0, "amplitude": 0.0, "noise": -1.0}
    result = autoopt.minimize(negative_log_likelihood, x0, (t, y), method="trust-exact", options={"gtol": 1e-8})
    assert result.success

    # The Hessian is a nest as the parameters are; as a matrix it is that of the flat vector, in the same order.
    nest = autoopt.hessian(negative_log_likelihood)(result.x, t, y)
    H = np.array([[nest[row][column] for column in x0] for row in x0])
    np.testing.assert_allclose(H, information(result.x, t, y), rtol=1e-6, atol=1e-6)

    errors = np.sqrt(np.diag(np.linalg.inv(H)))
    for name, error in zip(x0, errors, strict=True):
        low, middle, high = np.exp(result.x[name] + error * np.array([-1.96, 0, 1.96]))
        print(f"{name:9}  {middle:.3f}, in [{low:.3f}, {high:.3f}] with 95 %; true {np.exp(true[name]):.3f}")
        assert abs(result.x[name] - true[name]) < 4 * error

    # Predictions between the observations, with the standard deviation of the process given all of them.
    new = np.linspace(0, 10, 6)
    K = covariance(result.x, t, t) + np.exp(2 * result.x["noise"]) * np.eye(len(t))
    between = covariance(result.x, new, t)
    mean = between @ np.linalg.solve(K, y)
    variance = np.diag(covariance(result.x, new, new) - between @ np.linalg.solve(K, between.T))
    for place, value, deviation in zip(new, mean, np.sqrt(variance), strict=True):
        print(f"t = {place:4.1f}: {value:6.3f} +- {deviation:.3f}")


if __name__ == "__main__":
    main()
