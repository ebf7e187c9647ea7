"""A Gaussian process: length, amplitude and noise by maximum likelihood, with standard errors from the exact Hessian.

The three are positive; what is fitted are their logarithms. To run it::

    python examples/gaussian_process.py
"""

import numpy as np
from scipy import linalg

import autoopt

TRUE = {"length": np.log(0.8), "amplitude": np.log(1.5), "noise": np.log(0.2)}
START = {"length": 0.0, "amplitude": 0.0, "noise": -1.0}


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


def data():
    """Return 120 places and what was observed there, of a process that is known."""
    rng = np.random.default_rng(3)
    t = np.sort(rng.uniform(0, 10, size=120))
    return t, rng.multivariate_normal(np.zeros(len(t)), covariance(TRUE, t, t) + 0.2**2 * np.eye(len(t)))


def fitted(t, y):
    """Return the logarithms of length, amplitude and noise, of the greatest likelihood."""
    result = autoopt.minimize(negative_log_likelihood, START, (t, y), method="trust-exact", options={"gtol": 1e-8})
    assert result.success
    return result.x


def predicted(theta, t, y, new):
    """Return mean and standard deviation of the process at new places, given the observations."""
    K = covariance(theta, t, t) + np.exp(2 * theta["noise"]) * np.eye(len(t))
    between = covariance(theta, new, t)
    variance = np.diag(covariance(theta, new, new) - between @ np.linalg.solve(K, between.T))
    return between @ np.linalg.solve(K, y), np.sqrt(variance)


def main():
    t, y = data()
    theta = fitted(t, y)

    # The Hessian is a nest as the parameters are; as a matrix it is that of the flat vector, in the same order.
    nest = autoopt.hessian(negative_log_likelihood)(theta, t, y)
    H = np.array([[nest[row][column] for column in START] for row in START])
    np.testing.assert_allclose(H, information(theta, t, y), rtol=1e-6, atol=1e-6)

    errors = np.sqrt(np.diag(np.linalg.inv(H)))
    for name, error in zip(START, errors, strict=True):
        low, middle, high = np.exp(theta[name] + error * np.array([-1.96, 0, 1.96]))
        print(f"{name:9}  {middle:.3f}, in [{low:.3f}, {high:.3f}] with 95 %; true {np.exp(TRUE[name]):.3f}")
        assert abs(theta[name] - TRUE[name]) < 4 * error

    # Predictions between the observations, with the standard deviation of the process given all of them.
    new = np.linspace(0, 10, 6)
    for place, value, deviation in zip(new, *predicted(theta, t, y, new), strict=True):
        print(f"t = {place:4.1f}: {value:6.3f} +- {deviation:.3f}")


if __name__ == "__main__":
    main()
