"""Settings of every test: the source cache is a temporary folder, never the user's, and so is PyTensor's of numba code.

Processes that share the latter, as those of `pytest -n` would, overwrite one another's files: numba counts the
signatures of a function in an index that each of them reads at the start.
"""

import os
import signal
import sys
import tempfile
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE / room) for room in ("", "cases", "properties", "tape", "rules")]  # what tests share

_NUMBA = tempfile.TemporaryDirectory(prefix="autoopt-numba-")  # removed when the process ends
_FLAGS = (os.environ.get("PYTENSOR_FLAGS"), f"base_compiledir={_NUMBA.name}")
os.environ["PYTENSOR_FLAGS"] = ",".join(filter(None, _FLAGS))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a job that a shell has put into the background
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def _source_cache(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("AUTOOPT_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield
    patch.undo()
