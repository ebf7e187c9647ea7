"""Settings of every test: the source cache is a temporary folder, never the user's, and so is PyTensor's of numba code.

The processes of `pytest -n` share the source cache, so that what one has derived is there for the others. The folder
of numba code is each one's own, as they would overwrite one another's files: numba counts the signatures of a function
in an index that each of them reads at the start.
"""

import gc
import os
import signal
import sys
import tempfile
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE / room) for room in ("", "cases", "properties")]  # what tests share

_NUMBA = tempfile.TemporaryDirectory(prefix="autoopt-numba-")  # removed when the process ends
_FLAGS = (os.environ.get("PYTENSOR_FLAGS"), f"base_compiledir={_NUMBA.name}")
os.environ["PYTENSOR_FLAGS"] = ",".join(filter(None, _FLAGS))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a job that a shell has put into the background
    signal.signal(signal.SIGINT, signal.default_int_handler)


import slices  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slice", metavar="K/N", help="run part K of N of the tests that are selected")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    slices.mark_sampled(items, set(config.invocation_params.args))
    _leave_out_missing_methods(items)
    if config.getoption("slice"):
        items[:], others = slices.part(items, config.getoption("slice"))
        config.hook.pytest_deselected(items=others)


def _leave_out_missing_methods(items: list[pytest.Item]) -> None:
    """Skip what runs a method of the table whose package is not there: not every Python has it."""
    from autoopt.solvers import SOLVERS

    missing = {name: row.needs[0] for name, row in SOLVERS.items() if not row.is_installed}
    for item in items if missing else []:
        parameters = getattr(getattr(item, "callspec", None), "params", {}).values()
        for name in missing.keys() & {value for value in parameters if isinstance(value, str)}:
            item.add_marker(pytest.mark.skip(reason=f"{missing[name]} is not installed"))


def pytest_collection_finish() -> None:
    """Leave out of garbage collection the thousands of tests, which stay until the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def patient(monkeypatch):
    """Whatever is asked for is derived at once, however long that takes."""
    from autoopt.execution import ladder

    monkeypatch.setattr(ladder, "PATIENCE", float("inf"))


@pytest.fixture
def too_long(monkeypatch):
    """Tapes of more than five steps are not derived."""
    monkeypatch.setattr("autoopt.tape.loops.irregular.MOST", 5)
    monkeypatch.setattr("autoopt.execution.ladder.MOST", 5)


@pytest.fixture(autouse=True)
def _nothing_is_known():
    """What one test has found out of a function is not there in the next one, which may have changed the library."""
    yield
    retained = sys.modules.get("autoopt.objectives.retained")
    if retained is not None:
        retained.forget()


@pytest.fixture(autouse=True, scope="session")
def _source_cache(tmp_path_factory):
    own = tmp_path_factory.getbasetemp()  # with `-n`, a folder of this process within that of the run
    folder = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    patch = pytest.MonkeyPatch()
    patch.setenv("AUTOOPT_CACHE", str(folder / "cache"))
    yield
    patch.undo()
