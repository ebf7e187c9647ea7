"""Settings of every test: the source cache is a temporary folder, never the user's."""

import signal

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a job that a shell has put into the background
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def _source_cache(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("AUTOOPT_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield
    patch.undo()
