"""What the documents show is what the library does: the README's example, the page written from its tables."""

import ast
import doctest
import importlib.util
import re
import sys
import textwrap
import tomllib
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, optimize

import autoopt

pytestmark = pytest.mark.whole
ROOT = Path(__file__).parents[1]
_TIMES = np.linspace(0.0, 1.0, 9)


def support():
    """Return docs/support.py, which writes the page of supported functions, as a module."""
    spec = importlib.util.spec_from_file_location("support", ROOT / "docs" / "support.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_support_table_is_up_to_date():
    assert (ROOT / "docs" / "support.rst").read_text(encoding="utf-8") == support().text(), "run python docs/support.py"


PYTHON = {
    integrate.fixed_quad: lambda p: integrate.fixed_quad(lambda t: np.exp(p[0] * t), 0, p[1], n=4)[0],
    integrate.quad_vec: lambda p: integrate.quad_vec(lambda t: np.exp(p[0] * t) * p[1], 0, 1)[0],
    integrate.romb: lambda p: integrate.romb(np.exp(p[0] * _TIMES), dx=1 / 8) * p[1],
    integrate.simpson: lambda p: integrate.simpson(np.exp(p[0] * _TIMES), x=_TIMES) * p[1],
    optimize.root_scalar: lambda p: optimize.root_scalar(lambda z: z**3 + p[0] * z - p[1], bracket=[0, 2]).root,
}


def test_code_that_the_page_says_is_followed_is_in_no_table_and_called_below():
    page = support()
    named = {getattr(importlib.import_module(module), name) for module, names in page.PYTHON.items() for name in names}
    assert named == set(PYTHON)
    assert all(page.text().count(f"``{function.__name__}``") == 1 for function in named)


@pytest.mark.parametrize("function", PYTHON, ids=lambda function: function.__name__)
def test_code_that_the_page_says_is_followed_has_its_derivative(function):
    f, x, h = PYTHON[function], np.array([0.4, 0.7]), 1e-5
    slopes = [(f(x + h * unit) - f(x - h * unit)) / (2 * h) for unit in np.eye(2)]
    np.testing.assert_allclose(autoopt.grad(f)(x), slopes, rtol=1e-7)


PAGES = [("second_order", 10), ("least_squares", 7), ("certificate", 5), ("diagnoses", 5), ("front_door", 7)]
PAGES += [("parameters", 15), ("constraints", 2), ("coming_from", 20), ("own_likelihood", 14), ("loops", 8)]
PAGES += [("estimators", 10), ("mixed_models", 18), ("how_it_works", 3), ("profiles", 12)]
PAGES += [("coming_from_statistics", 14), ("runs", 10), ("reports", 10), ("clusters", 5)]
PAGES += [("inference", 15), ("data", 10), ("derivatives", 10)]
PAGES += [("larger_than_memory", 10)]


@pytest.mark.parametrize(("page", "least"), PAGES)
def test_examples_of_pages_are_what_comes_out(page, least, monkeypatch):
    monkeypatch.chdir(ROOT)
    found = doctest.testfile(str(ROOT / "docs" / f"{page}.rst"), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert found.attempted > least and found.failed == 0


def test_examples_of_the_page_that_looks_inside_are_what_comes_out(tmp_path, monkeypatch):
    """The model stands on the page, as a file of its own."""
    page = ROOT / "docs" / "inside.rst"
    model = re.search(r"in a file model.py::\n\n((?:(?: {4}.*)?\n)+)", page.read_text(encoding="utf-8")).group(1)
    (tmp_path / "model.py").write_text(textwrap.dedent(model).strip() + "\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    found = doctest.testfile(
        str(page), module_relative=False, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    )
    sys.modules.pop("model", None)
    assert found.attempted > 4 and found.failed == 0


_CELL = re.compile(r"``((?:(?:autoopt|objective|str|import)\b|x\[1\] = )[^`]*)`` *$", re.M)
_MOVERS = (ROOT / "docs" / "coming_from.rst").read_text(encoding="utf-8")


def test_each_line_of_the_tables_for_those_who_move_is_run():
    """What the tables' second columns have runs with what the page defines, and gives something."""
    scope = {"x": np.ones(3)}
    for example in doctest.DocTestParser().get_examples(_MOVERS)[:6]:
        exec(example.source, scope)
    cells = _CELL.findall(_MOVERS)
    assert len(cells) > 40
    for cell in cells:
        is_statement = cell.startswith(("import", "x["))
        assert is_statement or eval(cell, scope) is not None, cell
        if is_statement:
            exec(cell, scope)


def test_the_tables_for_those_who_move_have_no_other_code():
    rows = [row for row in _MOVERS.split("\n") if re.match(r"``.*?``.*?  +", row)]
    mapped = [row for row in rows if not _CELL.search(row)]
    words = [re.split(r"  +", row)[-1] for row in mapped]
    assert all(re.match(r"(not needed|a function that|arrays, or a loop|here$|``for``)", word) for word in words), words


def test_readme_example_prints_the_source_that_it_shows(capsys):
    readme = (ROOT / "README.rst").read_text(encoding="utf-8")
    pattern = r"code-block:: python\n\n(.*?)\nThe last line .*?::\n\n(.*?)\n(?=\S)"
    example, shown = re.search(pattern, readme, re.S).groups()
    exec(textwrap.dedent(example), {})
    printed = capsys.readouterr().out
    assert "\nstatus          converged" in printed
    assert textwrap.dedent(shown).strip() in printed


@pytest.mark.parametrize(
    ("page", "begins"), [("docs/equations.rst", "    ts = np."), ("docs/equations.rst", "    import autoopt")]
)
def test_longer_examples_run_as_they_stand(page, begins):
    """What stands there, with the two imports that every example has; the last line is a fit."""
    text = (ROOT / page).read_text(encoding="utf-8")
    example = begins + text.partition(f"::\n\n{begins}")[2]
    example = re.match(r"(?:(?: {4}.*)?\n)+", example).group()
    scope = {"autoopt": autoopt, "np": np}
    exec(textwrap.dedent(example), scope)
    assert scope["fit"].success, scope["fit"].message


def test_example_of_the_first_page_runs(capsys):
    page = (ROOT / "docs" / "index.rst").read_text(encoding="utf-8")
    exec(textwrap.dedent(re.search(r"code-block:: python\n\n(.*?)\n(?=\S)", page, re.S).group(1)), {})
    printed = capsys.readouterr().out
    assert "\nstatus          converged" in printed and "def jacobian(" in printed


# The site -------------------------------------------------------------------------------------------------------------


def test_every_page_is_in_the_index_of_the_site():
    index = (ROOT / "docs" / "index.rst").read_text(encoding="utf-8")
    pages = {file.stem for file in (ROOT / "docs").glob("*.rst")} - {"index"}
    assert pages == set(re.findall(r"^   (\w[\w-]*)$", index, re.M))


def test_pages_point_to_each_other_by_links():
    """A path says nothing to a reader of the site."""
    pages = {file.name: file.read_text(encoding="utf-8") for file in (ROOT / "docs").glob("*.rst")}
    assert {name for name, text in pages.items() if re.search(r"docs/\w+\.rst", text)} <= {"support.rst"}


def test_every_measurement_has_its_command_and_its_day():
    """What docs/measured.py has kept is what pages show."""
    pages = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "docs").glob("*.rst"))
    kept = sorted((ROOT / "docs" / "measured").iterdir())
    assert {file.name for file in kept} == set(re.findall(r"literalinclude:: measured/(\S+)", pages))
    for file in kept:
        head = re.compile(r"\$ python -m benchmarks\.\w+(?: --\w+ \w+)*\n\d{4}-\d\d-\d\d, ")
        assert head.match(file.read_text(encoding="utf-8")), file.name


def test_title_of_the_site_has_the_version():
    scope = {"__file__": str(ROOT / "docs" / "conf.py")}
    pytest.importorskip("sphinx")
    exec((ROOT / "docs" / "conf.py").read_text(encoding="utf-8"), scope)
    assert scope["html_title"] == f"autoopt {autoopt.__version__}"


def test_every_public_name_has_its_reference():
    reference = (ROOT / "docs" / "reference.rst").read_text(encoding="utf-8")
    described = set(re.findall(r"^\.\. auto\w+:: (?:autoopt\.)?([\w.]+)", reference, re.M))
    models = {f"models.{row.estimator.__name__}" for row in autoopt.models.MODELS.values()}
    assert (set(autoopt.__all__) - {"models"}) | models <= described


_TABLE = re.compile(r"^(=+(?: +=+)+)\n((?:.*\n)+?)\1\n(?:\n|$)", re.M)


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.rst")), ids=lambda path: path.name)
def test_cells_of_tables_end_where_their_columns_do(path):
    """Sphinx refuses a table with text between its columns."""
    for border, rows in _TABLE.findall(path.read_text(encoding="utf-8") + "\n"):
        margins = [k for k, mark in enumerate(border) if mark == " "]
        for row in rows.split("\n"):
            assert row == border or all(row[k : k + 1] in ("", " ") for k in margins), row


# Paths, words, fragments ----------------------------------------------------------------------------------------------

DOCUMENTS = [ROOT / name for name in ("README.rst", "CONTRIBUTING.rst", "benchmarks/README.rst", "changes/README.rst")]
DOCUMENTS += sorted((ROOT / "docs").glob("*.rst"))
_BORDER = re.compile(r"^ *=+( +=+)+$", re.M)


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path.parent.name != "benchmarks"], ids=lambda p: p.name)
def test_lines_are_as_long_as_those_of_code(path):
    """Tables alone may be wider than a window: the sources are read as they stand."""
    blocks = path.read_text(encoding="utf-8").split("\n\n")
    lines = [line for block in blocks if not _BORDER.search(block) for line in block.split("\n")]
    assert not [line for line in lines if len(line) > 120]


_FOLDERS = ("autoopt", "benchmarks", "changes", "cli", "docs", "examples", "tests")
FILES = {str(file.relative_to(ROOT)) for folder in _FOLDERS for file in (ROOT / folder).rglob("*") if file.is_file()}
FILES |= {file.name for file in ROOT.iterdir() if file.is_file()} | {f".ci/{file.name}" for file in ROOT.glob(".ci/*")}


def is_there(path):
    """Whether a path, from the root or from the room that is spoken of, is that of a file or of a folder with files."""
    is_file = any(f"/{file}".endswith(f"/{path}") for file in FILES)
    return is_file or any(f"/{path.rstrip('/')}/" in f"/{file}" for file in FILES)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_paths_of_documents_are_there(document):
    text = document.read_text(encoding="utf-8")
    paths = set(re.findall(r"``((?:[\w.-]+/)*[\w.-]+\.py|(?:[\w.-]+/)+)``", text))
    paths |= set(re.findall(rf"(?<![\w/.<-])(?:{'|'.join(_FOLDERS)})/[\w./-]*[\w/]", text))
    assert sorted(path for path in paths if not is_there(path)) == []


def test_a_path_that_is_not_there_is_noticed():
    assert is_there("tape/tape.py") and is_there("tests/codegen/") and is_there("setup.py")
    assert not is_there("ape.py") and not is_there("source/printers.py") and not is_there("attic/")


def test_glossary_is_sorted_and_each_word_has_its_file_in_two_lines():
    text = (ROOT / "docs" / "glossary.rst").read_text(encoding="utf-8")
    entries = re.findall(r"^(\S.*)\n((?:    .*\n)+)", text, re.M)
    words = [word for word, _ in entries]
    assert words == sorted(words, key=str.lower) and len(words) > 30
    for word, meaning in entries:
        assert meaning.count("\n") <= 2, word
        assert any((ROOT / "autoopt" / path).exists() for path in re.findall(r"``([\w./]+)``", meaning)), word


def test_every_fragment_of_the_changelog_is_named_for_its_issue_and_group():
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["towncrier"]["type"]
    name = re.compile(rf"\d+\.({'|'.join(group['directory'] for group in groups)})(\.\d+)?\.rst")
    fragments = [file for file in (ROOT / "changes").iterdir() if file.name != "README.rst"]
    assert [file.name for file in fragments if not name.fullmatch(file.name)] == []
    for file in fragments:
        text = file.read_text(encoding="utf-8")
        assert text.strip().endswith(".") and not text.startswith(("-", "*")), file.name


def test_architecture_lists_the_rooms_in_the_order_that_is_tested():
    tree = ast.parse((ROOT / "tests" / "test_imports.py").read_text(encoding="utf-8"))
    order = next(node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "ORDER")
    lines = eval(compile(ast.Expression(order), "ORDER", "eval"))
    levels = {room: level for level, rooms in enumerate(lines) for room in rooms.split() if "." not in room}
    text = (ROOT / "docs" / "architecture.rst").read_text(encoding="utf-8")
    listed = re.findall(r"^``(\w+)(?:\.py|/)`` ", text.partition("\nErrors\n")[0], re.M)
    assert set(listed) == set(levels) - {"autoopt"}
    assert [levels[room] for room in listed] == sorted(levels[room] for room in listed)
