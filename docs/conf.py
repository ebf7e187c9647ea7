"""How Sphinx builds the site: `sphinx-build -W -b html docs build/site`, with the packages of the extra `docs`."""

import re
import sys
from pathlib import Path

from sphinx.domains.python import PyObject

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

project = "autoopt"
author = "the developers of autoopt"
copyright = author
release = re.search(
    r'^__version__ = "(.+)"', (ROOT / "autoopt" / "version.py").read_text(encoding="utf-8"), re.M
).group(1)

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
exclude_patterns = ["build"]
html_theme = "furo"
html_title = f"autoopt {release}"
html_static_path = []

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
nitpicky = False
suppress_warnings = ["ref.python"]  # what several classes call alike, such as pvalues, is no link
default_role = "code"

_CODE = re.compile(r"(``.+?``|`.+?`)")
_ALONE = re.compile(r"(?<![\w*])(\*{1,2})(?=\w)(?![^*]*\w\1(?!\w))")  # of *args, not of *emphasis*


def escape_signatures(app, what, name, obj, options, lines):
    """Have `fun(params, *args)` and `|f(x0)|` stand in docstrings as they are meant: Python, not markup."""
    for k, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            parts = _CODE.split(line)
            parts[::2] = [_ALONE.sub(r"\\\1", part).replace("|", r"\|") for part in parts[::2]]
            lines[k] = "".join(parts)


def setup(app):
    for field in PyObject.doc_field_types:
        if field.name == "variable":
            field.rolename = None  # attributes that several classes have, as `pvalues`, are no links to one of them
    app.connect("autodoc-process-docstring", escape_signatures, priority=100)  # before napoleon
