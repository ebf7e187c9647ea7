"""What the documents show is what the library does: the README's example, the page written from its tables."""

import importlib.util
import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_support_table_is_up_to_date():
    spec = importlib.util.spec_from_file_location("support", ROOT / "docs" / "support.py")
    support = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(support)
    assert (ROOT / "docs" / "support.rst").read_text(encoding="utf-8") == support.text(), "run python docs/support.py"


def test_readme_example_prints_the_source_that_it_shows(capsys):
    readme = (ROOT / "README.rst").read_text(encoding="utf-8")
    pattern = r"code-block:: python\n\n(.*?)\nThe last line .*?::\n\n(.*?)\n(?=\S)"
    example, shown = re.search(pattern, readme, re.S).groups()
    exec(textwrap.dedent(example), {})
    printed = capsys.readouterr().out
    assert " True\n" in printed
    assert textwrap.dedent(shown).strip() in printed
