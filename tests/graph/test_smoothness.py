"""Ties of largest entries count where a derivative depends on how they are shared out, and nowhere else."""

import numpy as np
import pytest
from scipy.special import softmax

import autoopt
from autoopt.objectives import one_sided

X = np.random.default_rng(0).normal(size=(40, 3))
LABELS = np.arange(40) % 4
ZERO = np.zeros(12)


def by_hand(x, X, labels):
    eta = X @ x.reshape(3, 4)
    eta = eta - np.max(eta, axis=1, keepdims=True)
    log_p = eta[np.arange(len(labels)), labels] - np.log(np.sum(np.exp(eta), axis=1))
    return -np.sum(log_p)


def with_its_largest_added(x, X, labels):
    eta = X @ x.reshape(3, 4)
    largest = eta.max(axis=1)
    return np.sum(largest + np.log(np.exp(eta - largest[:, None]).sum(axis=1)) - eta[np.arange(len(labels)), labels])


def largest_squared(x, X, labels):
    eta = X @ x.reshape(3, 4)
    return np.sum((eta.max(axis=1) - 1) ** 2)


def smallest_left(x, X, labels):
    eta = X @ x.reshape(3, 4)
    return np.sum(np.log(np.sum(np.exp(eta - eta.max(axis=1, keepdims=True)), axis=1))) - eta.min()


def at_the_largest(x, X, labels):
    eta = X @ x.reshape(3, 4)
    return np.sum(eta[np.arange(len(labels)), np.argmax(eta, axis=1)] ** 2 + eta[:, 0] ** 2)


@pytest.fixture
def settlings(monkeypatch):
    """How often both sides of a point are looked at."""
    found, settled = [], one_sided.settled

    def noted(*args):
        found.append(args[2])
        return settled(*args)

    monkeypatch.setattr(one_sided, "settled", noted)
    return found


@pytest.mark.parametrize("f", [by_hand, with_its_largest_added])
def test_ties_that_cancel_are_not_looked_at(f, settlings):
    objective = autoopt.objective(f, ZERO, X, LABELS)
    p = softmax(X @ ZERO.reshape(3, 4), axis=1)
    value, gradient = objective.value_and_grad(ZERO)
    assert value == pytest.approx(40 * np.log(4), rel=1e-14)
    np.testing.assert_allclose(gradient, (X.T @ (p - np.eye(4)[LABELS])).ravel(), rtol=1e-12, atol=1e-14)
    blocks = np.einsum("ni,nj,nk,kl->nikjl", X, X, p, np.eye(4)) - np.einsum("ni,nj,nk,nl->nikjl", X, X, p, p)
    np.testing.assert_allclose(objective.hess(ZERO), blocks.sum(0).reshape(12, 12), rtol=1e-11, atol=1e-13)
    assert settlings == []


@pytest.mark.parametrize("f", [largest_squared, smallest_left, at_the_largest])
def test_ties_that_remain_are_looked_at(f, settlings):
    objective = autoopt.objective(f, ZERO, X, LABELS)
    objective.value_and_grad(ZERO)
    assert settlings and objective.meets_kinks(ZERO)
