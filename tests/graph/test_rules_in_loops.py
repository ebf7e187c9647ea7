"""What a recurrence's body calls finds its rule, whatever the process has loaded before."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import numpy as np
from scipy.special import logsumexp
from autoopt.objectives.objective import printed
import autoopt, re

y = np.sin(np.arange(40.0))

def forward(p):
    alpha = np.sin(p[:2])
    for t in range(1, len(y)):
        alpha = logsumexp(alpha[:, None] + np.log(0.5 + np.array([[p[2], -p[2]], [-p[2], p[2]]])), axis=0)
        alpha = alpha - 0.5 * (y[t] - p[:2]) ** 2
    return -logsumexp(alpha)

x = np.array([-0.4, 0.6, 0.2])
text = printed(forward, x)
assert re.search(r"^ +for ", text, re.M), text
value, gradient = autoopt.objective(forward, x).value_and_grad(x)
for k, step in enumerate(1e-6 * np.eye(3)):
    assert abs(gradient[k] - (forward(x + step) - forward(x - step)) / 2e-6) < 1e-6
"""


@pytest.mark.slow
def test_a_function_of_scipy_that_only_a_loop_calls_keeps_the_loop(tmp_path) -> None:
    environment = {**os.environ, "AUTOOPT_CACHE": str(tmp_path)}
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, env=environment, timeout=120)
