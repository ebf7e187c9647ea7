"""Reports are drawn in the tests that look at them: each takes a second."""

import pytest


@pytest.fixture(autouse=True)
def no_report(monkeypatch):
    monkeypatch.setattr("autoopt.fitting.keeping._report", lambda fitted, path: None)
