"""A network of two layers, its weights in a dictionary."""

import numpy as np


def objective(params, X, y):
    hidden = np.tanh(X @ params["W1"] + params["b1"])
    output = hidden @ params["W2"] + params["b2"]
    return np.mean((output - y) ** 2)


def value_and_grad(params, X, y):
    hidden = np.tanh(X @ params["W1"] + params["b1"])
    residual = hidden @ params["W2"] + params["b2"] - y
    value = np.mean(residual**2)
    slope = 2 / residual.size * residual
    by_hidden = (slope @ params["W2"].T) * (1 - hidden**2)
    gradient = {"W1": X.T @ by_hidden, "b1": by_hidden.sum(axis=0)}
    gradient |= {"W2": hidden.T @ slope, "b2": slope.sum(axis=0)}
    return value, gradient


def start(rng):
    X = rng.normal(size=(2000, 10))
    y = np.column_stack([np.sin(X[:, 0]), X[:, 1] * X[:, 2]])
    W1, W2 = rng.normal(scale=0.3, size=(10, 32)), rng.normal(scale=0.2, size=(32, 2))
    return {"W1": W1, "b1": np.zeros(32), "W2": W2, "b2": np.zeros(2)}, (X, y)
