"""Three graphical models and their Hessians: a dense one, a sparse one, and one that is a covariance.

To run it::

    python examples/graphical_model.py
"""

from itertools import product

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spsolve
from scipy.special import logsumexp

import autoopt

# A Gaussian graphical model: variables that have nothing to say to each other have a zero in the precision matrix.


def gaussian(theta, S):
    """Return -log det Theta + trace(S Theta); theta is the upper triangle of Theta, which must be positive definite."""
    d = len(S)
    Theta = np.zeros((d, d))
    Theta[np.triu_indices(d)] = theta
    Theta = Theta + np.triu(Theta, 1).T
    if np.linalg.eigvalsh(Theta)[0] <= 0:
        return np.inf
    return np.sum(S * Theta) - np.linalg.slogdet(Theta)[1]


def precision_of_a_chain(rng, d=8, n=2000):
    """Estimate the precision matrix of a chain of d variables, with the standard error of each entry."""
    true = 1.5 * np.eye(d) - 0.6 * (np.eye(d, k=1) + np.eye(d, k=-1))
    Z = rng.multivariate_normal(np.zeros(d), np.linalg.inv(true), size=n)
    S = Z.T @ Z / n
    rows, columns = np.triu_indices(d)
    result = autoopt.minimize(gaussian, np.eye(d)[rows, columns], (S,), method="trust-exact", options={"gtol": 1e-10})
    H = autoopt.hessian(gaussian)(result.x, S)
    errors = np.sqrt(2 / n * np.diag(np.linalg.inv(H)))  # minus the log-likelihood is n / 2 times this objective
    # Known by formula: the estimate is the inverse of S, and its variances are those of a Wishart matrix.
    Theta = np.linalg.inv(S)
    np.testing.assert_allclose(result.x, Theta[rows, columns], atol=1e-8)
    expected = np.sqrt((Theta[rows, rows] * Theta[columns, columns] + Theta[rows, columns] ** 2) / n)
    np.testing.assert_allclose(errors, expected, rtol=1e-6)
    far = np.abs(result.x) > 3.5 * errors
    print("edges found:", [(int(i), int(j)) for i, j in zip(rows[far], columns[far], strict=True) if i < j])


# An Ising model on a grid, a field at each site and a coupling on each edge, by its pseudo-likelihood.


def ising(parameters, spins):
    """Return minus the mean log-probability of each spin given its neighbours; `spins` has shape (samples, L, L)."""
    force = np.zeros(spins.shape) + parameters["field"]
    across, down = parameters["across"], parameters["down"]
    force[:, :, 1:] += across * spins[:, :, :-1]
    force[:, :, :-1] += across * spins[:, :, 1:]
    force[:, 1:] += down * spins[:, :-1]
    force[:, :-1] += down * spins[:, 1:]
    return np.sum(np.logaddexp(0, -2 * spins * force)) / len(spins) + 0.05 * sum(
        np.sum(part**2) for part in parameters.values()
    )


def spins_on_a_grid(rng, L, samples, coupling=0.3, sweeps=30):
    """Draw by Gibbs sampling: first the black squares of the board, then the white ones."""
    spins = rng.choice([-1.0, 1.0], size=(samples, L, L))
    black = np.indices((L, L)).sum(axis=0) % 2
    for colour in np.tile([0, 1], sweeps):
        padded = np.pad(spins, ((0, 0), (1, 1), (1, 1)))
        around = padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1] + padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:]
        drawn = np.where(rng.logistic(size=spins.shape) < 2 * coupling * around, 1.0, -1.0)
        spins = np.where(black == colour, drawn, spins)
    return spins


def grid_by_newton(rng, L=30, samples=200):
    """Fit the fields and couplings by Newton's method: each step solves with a sparse Hessian."""
    spins = spins_on_a_grid(rng, L, samples)
    x0 = {"field": np.zeros((L, L)), "across": np.zeros((L, L - 1)), "down": np.zeros((L - 1, L))}
    objective = autoopt.objective(ising, x0, spins)
    x = objective.structure.flatten(x0)
    for _ in range(8):
        H = objective.hess(x, sparse=True)
        x = x - spsolve(H.tocsc(), objective.grad(x))
    assert sparse.issparse(H)
    assert np.max(np.abs(objective.grad(x))) < 1e-10
    assert H.nnz <= 9 * x.size  # a coupling shares its sites with two fields and six other couplings
    p = rng.normal(size=x.size)  # the plain function, along a line
    ahead, here, behind = (objective.original(x + t * p) for t in (1e-3, 0.0, -1e-3))
    assert abs(p @ (H @ p) - (ahead - 2 * here + behind) / 1e-6) < 1e-5 * (p @ (H @ p))
    couplings = x[L * L :]
    assert abs(couplings.mean() - 0.3) < 0.05
    print(f"Ising grid: {x.size} parameters, {H.nnz} entries of the Hessian, mean coupling {couplings.mean():.3f}")


# A conditional random field: a chain of labels, given scores of each label at each place.


def log_partition(weights, scores):
    """Return the logarithm of the sum over all chains of labels, by the forward recursion."""
    forward = weights["bias"] + scores[0]
    for score in scores[1:]:
        forward = logsumexp(forward[:, np.newaxis] + weights["transition"], axis=0) + weights["bias"] + score
    return logsumexp(forward)


def chain_of_labels(rng, labels=3, places=6):
    """Show that the Hessian of the logarithm of the partition function is the covariance of the features."""
    weights = {"bias": rng.normal(size=labels), "transition": rng.normal(size=(labels, labels))}
    scores = rng.normal(size=(places, labels))
    objective = autoopt.objective(log_partition, weights, scores)
    features, energies = [], []
    for chain in product(range(labels), repeat=places):
        counts = np.zeros((labels, labels))
        np.add.at(counts, (chain[:-1], chain[1:]), 1)
        features.append(np.concatenate([np.bincount(chain, minlength=labels), counts.ravel()]))
        energies.append(features[-1] @ objective.structure.flatten(weights) + scores[np.arange(places), chain].sum())
    probabilities = np.exp(energies - logsumexp(energies))
    covariance = np.cov(np.transpose(features), aweights=probabilities, ddof=0)
    found = objective.hess(weights)
    np.testing.assert_allclose(found, covariance, rtol=1e-9, atol=1e-11)
    print(f"random field: the Hessian is the covariance over all {len(features)} chains")


if __name__ == "__main__":
    generator = np.random.default_rng(2)
    precision_of_a_chain(generator)
    chain_of_labels(generator)
    grid_by_newton(generator)
