"""Settings of every test: the source cache is a temporary folder, never the user's."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def _source_cache(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("AUTOOPT_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield
    patch.undo()
