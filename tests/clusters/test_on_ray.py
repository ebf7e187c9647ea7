"""Ray: the same digits as processes, a worker that is killed, errors of the text."""

import signal

import numpy as np
import pytest
from cluster_programs import HESSIAN, LOGISTIC, SCORES, VALUE_AND_GRAD, data, mortal

from autoopt.clusters import evaluate, on_ray, parse
from autoopt.clusters.chunks import carried
from autoopt.clusters.on_ray import Ray
from autoopt.clusters.processes import Processes
from autoopt.execution.blocks.plan import RowPass

pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
W = np.linspace(-1.0, 1.0, 5)
ROWS = data(60_000, 5)


@pytest.fixture(scope="module")
def executor():
    with Ray(number=2) as opened:
        yield opened


def told_by_processes(row_pass):
    """Return what a process of this machine gives."""
    with Processes(1) as alone:
        return evaluate(alone, alone.hold(ROWS), LOGISTIC, row_pass, {"w": W})


def equal(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("row_pass", [VALUE_AND_GRAD, HESSIAN, SCORES], ids=lambda row_pass: row_pass.name)
@pytest.mark.parametrize("sends", [True, False])
def test_digits_are_those_of_processes(executor, row_pass, sends, monkeypatch):
    if sends:
        monkeypatch.setattr(on_ray, "LARGEST_SENT", 8)
    table = carried(ROWS, {}) if sends else executor.hold(ROWS)
    given = evaluate(executor, table, LOGISTIC, row_pass, {"w": W})
    assert equal(given, told_by_processes(row_pass))
    assert all(value.flags.writeable for value in given.values() if isinstance(value, np.ndarray))


def test_what_the_text_raises_is_raised_as_it_is(executor):
    text = "import numpy as np\ndef f(X):\n    return {'a': np.linalg.inv(0.0 * X.T @ X)}\n"
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        evaluate(executor, executor.hold(ROWS), text, RowPass("f", (), ("X",), {"a": "sum"}), {})


@pytest.mark.parametrize("sends", [True, False], ids=["sent", "shared"])
def test_a_worker_is_killed_ten_times_of_ten(executor, sends, tmp_path):
    table, expected = carried(ROWS, {}) if sends else executor.hold(ROWS), told_by_processes(VALUE_AND_GRAD)
    for number in range(10):
        token = tmp_path / f"token{number}"
        token.touch()
        given = evaluate(executor, table, *mortal(token, signal.SIGKILL), {"w": W})
        assert not token.exists() and equal(given, expected)


def test_a_connection_of_the_user_stays_open(executor):
    import ray

    with parse("ray") as mine:
        assert equal(evaluate(mine, mine.hold(ROWS), LOGISTIC, HESSIAN, {"w": W}), told_by_processes(HESSIAN))
    assert ray.is_initialized()
