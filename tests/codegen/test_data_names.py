"""What the data alone decide is called after the operation and the data, as a person would."""

import numpy as np
import pytest
from scipy.special import gammaln

import autoopt

RNG = np.random.default_rng(0)
Y = np.abs(RNG.normal(size=20)) + 0.1
GROUP = np.arange(20) % 3


def chosen_by_mask(p, y):
    return np.sum(np.exp(p[0] * y[y > 0.3])) + p[1] ** 2


NAMES = {
    "y_squared": lambda p, y: np.sum(np.exp(p[0] * y**2)) + p[1] ** 2,
    "log_y": lambda p, y: np.sum(np.exp(p[0] * np.log(y))) + p[1] ** 2,
    "gammaln_y": lambda p, y: np.sum(np.exp(p[0] * gammaln(y + 1))) + p[1] ** 2,
    "y_tail": lambda p, y: np.sum(np.exp(p[0] * y[5:])) + p[1] ** 2,
    "y_head": lambda p, y: np.sum(np.exp(p[0] * y[:-5])) + p[1] ** 2,
    "y_middle": lambda p, y: np.sum(np.exp(p[0] * y[2:-5])) + p[1] ** 2,
    "tanh_y": lambda p, y: np.sum(np.exp(p * np.tanh(y[:, None]))),
    "y_sorted": lambda p, y: np.sum(np.cumsum(np.exp(p[0] * y[np.argsort(-y)])) ** p[1]),
    "y_chosen": chosen_by_mask,
    "places": lambda p, y: np.sum(np.exp(p[0] * y)[np.nonzero(GROUP == 1)[0]]) + p[1] ** 2,
    "identity": lambda p, y: np.linalg.slogdet(np.eye(20) * np.exp(p[0]) + y[:, None] * y * p[1] ** 2)[1],
}


@pytest.mark.parametrize("name", NAMES)
def test_data_are_called_after_what_they_are(name) -> None:
    objective = autoopt.Objective(NAMES[name], np.array([0.3, 0.2]), (Y,))
    text = objective.source()
    assert f"    {name} = " in text and "prepared" not in text
    scope: dict = {}
    exec(text, scope)  # and it runs


def test_names_of_the_users_come_first() -> None:
    def f(p, y):
        log_y = p[0] * y
        return np.sum(np.exp(log_y * np.log(y))) + p[1] ** 2

    text = autoopt.Objective(f, np.array([0.3, 0.2]), (Y,)).source()
    assert "log_y_2 = np.log(y)" in text and " log_y = np.log" not in text
