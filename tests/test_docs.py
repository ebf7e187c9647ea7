"""The pages of docs/ that are written from the library's tables are up to date."""

import importlib.util
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def test_support_table_is_up_to_date():
    spec = importlib.util.spec_from_file_location("support", DOCS / "support.py")
    support = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(support)
    assert (DOCS / "support.rst").read_text(encoding="utf-8") == support.text(), "run python docs/support.py"
