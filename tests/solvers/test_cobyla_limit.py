"""COBYLA without constraints creeps along valleys: at its own limit Newton's steps lead on, at the user's none do."""

import numpy as np
import pytest

import autoopt


def chain(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@pytest.mark.parametrize("size", [2, 4, 6])
def test_valleys_are_followed_to_their_ends(size):
    r = autoopt.minimize(chain, np.resize([-1.2, 1.0], size), method="cobyla")
    assert r.success, r.message
    assert r.nfev < 1500
    assert np.max(np.abs(autoopt.grad(chain)(r.x))) < 1e-5
    assert np.min(np.linalg.eigvalsh(autoopt.hessian(chain)(r.x))) > 0


def test_the_users_limit_is_one():
    r = autoopt.minimize(chain, [-1.2, 1.0], method="cobyla", options={"maxiter": 100})
    assert not r.success and r.nfev < 150
