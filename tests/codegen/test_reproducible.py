"""The same model gives the same source every time: nothing is ordered by where it lies in memory."""

from __future__ import annotations

import numpy as np
import pytest

from autoopt.execution import source_cache
from autoopt.objectives.objective import printed

RNG = np.random.default_rng(0)
X, y = RNG.normal(size=(30, 4)), RNG.normal(size=30)
S = X[:5].T @ X[:5]


def network(w):
    hidden = np.tanh(np.tanh(X @ w[:20].reshape(4, 5)) @ w[20:45].reshape(5, 5))
    return np.sum((hidden @ w[45:] - y) ** 2)


def mixture(t):
    weights = np.exp(t[:3]) / np.exp(t[:3]).sum()
    return -np.sum(np.log(np.sum(weights * np.exp(-((y[:, None] - t[3:6]) ** 2) * np.exp(t[6:])), axis=1)))


def graphical(t):
    precision = t.reshape(4, 4) + t.reshape(4, 4).T + 9 * np.eye(4)
    return np.sum(S * precision) - np.linalg.slogdet(precision)[1]


@pytest.mark.slow_for("mixture-9-hessian", "network-50-hessian")
@pytest.mark.parametrize("kind", ["hessian", "hvp_columns"])
@pytest.mark.parametrize("f, size", [(network, 50), (mixture, 9), (graphical, 16)])
@pytest.mark.sampled(3)
def test_source_is_the_same_each_time(f, size, kind, monkeypatch) -> None:
    monkeypatch.setenv("AUTOOPT_CACHE", "off")
    texts, kept = set(), []
    for k in range(4):
        monkeypatch.setattr(source_cache, "_recent", {})
        texts.add(printed(f, np.linspace(-0.3, 0.4, size), derivatives=kind))
        kept += [bytearray(64 + 8 * n) for n in range(50 * k)]  # other places are free the next time
    assert len(texts) == 1
