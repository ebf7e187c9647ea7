"""What is imported where: nothing heavy by `import autoopt`, heavy packages in their rooms, nothing from above."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import autoopt

pytestmark = pytest.mark.whole
ROOT = Path(autoopt.__file__).parent
CLI = ROOT.parent / "cli"
HEAVY = (
    "pytensor",
    "numba",
    "pandas",
    "matplotlib",
    "scipy.optimize",
    "scipy.stats",
    "sklearn",
    "click",
    "rich",
    "jax",
)
FILES = sorted(ROOT.rglob("*.py"))
OPTIONAL = {"pandas", "polars", "matplotlib", "pyarrow", "jax", "dask", "sklearn", "formulaic", "jinja2", "ipyopt"}
OPTIONAL |= {"distributed", "ray"}


def loaded(statement: str, modules: tuple[str, ...] = HEAVY) -> set[str]:
    """Return those of the modules that a fresh process has after `statement`."""
    code = f"import sys\n{statement}\nprint(*(name for name in {modules!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_import_is_light() -> None:
    assert loaded("import autoopt") == set()


def test_commands_start_without_formulas() -> None:
    late = ("autoopt.closed_form.latex", "scipy.special", "autoopt.cli.fit", "autoopt.cli.doctor", "pandas", "rich")
    assert loaded("import autoopt.cli.main; autoopt.cli.main.usages()", late) == set()


def test_objective_and_models_are_light_until_used() -> None:
    statement = "import autoopt; o = autoopt.objective(lambda x: x @ x, [1.0, 2.0] and __import__('numpy').ones(2))"
    assert loaded(statement) == set()


def test_star_import_gives_the_public_names() -> None:
    assert loaded("from autoopt import *\nassert callable(grad) and callable(minimize)\nhessian; Objective") <= {
        "scipy.optimize"
    }


def test_import_changes_no_settings() -> None:
    code = (
        "import warnings, logging, numpy as np\n"
        "def settings():\n"
        "    random, printing = np.random.get_state()[1].tolist(), np.get_printoptions()\n"
        "    return list(warnings.filters), list(logging.getLogger().handlers), random, printing, np.geterr()\n"
        "before = settings()\nimport autoopt\nassert settings() == before\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_configuration_of_pytensor_stays_the_users() -> None:
    import pytensor

    names = ("floatX", "mode", "cxx", "optimizer", "linker", "traceback__limit", "openmp")
    before = {name: getattr(pytensor.config, name) for name in names}
    objective = autoopt.objective(lambda x: np.log(x).sum() * np.exp(x[0]), np.ones(3))
    objective.grad(np.ones(3)), objective.hess(np.ones(3))
    assert before == {name: getattr(pytensor.config, name) for name in names}


# Public names ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", autoopt.__all__)
def test_public_name_is_there_in_a_fresh_process(name) -> None:
    found = getattr(autoopt, name)
    assert found is not None and (inspect.ismodule(found) or found.__doc__)


def test_public_names_are_sorted_and_unknown_ones_refused() -> None:
    assert sorted(autoopt.__all__) == autoopt.__all__
    with pytest.raises(AttributeError, match="module 'autoopt' has no attribute 'foo'"):
        autoopt.foo  # noqa: B018


def test_rooms_are_imported_when_they_are_asked_for() -> None:
    code = "import autoopt; autoopt.clusters.spread, autoopt.errors.DataError, autoopt.designs, autoopt.models"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "before",
    [
        "import autoopt, autoopt.codegen, autoopt.fitting, autoopt.check",
        "import autoopt.minimize, autoopt.batches.layout, autoopt.check",
        "from autoopt.batches import layout; import autoopt",
    ],
)
def test_public_names_are_functions_whatever_was_imported_before(before) -> None:
    code = f"""{before}
from types import ModuleType
found = [name for name in autoopt.__all__ if isinstance(getattr(autoopt, name), ModuleType)]
assert found == ["models"], found
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_estimators_load_no_tracing() -> None:
    code = (
        "import sys; from autoopt.models import LogisticRegression as Model; Model().fit([[0.], [1.], [2.]], [0, 1, 0])"
    )
    code += "; print([name for name in ('autoopt.tracing', 'autoopt.solvers', 'pytensor') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr


def public_functions() -> Iterator[tuple[str, object]]:
    for name in autoopt.__all__:
        found = vars(autoopt).get(name) if name != "source" else None
        found = found if callable(found) else getattr(autoopt, name)
        if callable(found):
            yield name, found
    for name in autoopt.models.__all__:
        if inspect.isclass(getattr(autoopt.models, name)):
            yield f"models.{name}", getattr(autoopt.models, name)


@pytest.mark.parametrize("name", [name for name, _ in public_functions()])
def test_public_function_is_annotated(name) -> None:
    found = dict(public_functions())[name]
    function = found.__init__ if inspect.isclass(found) else found
    signature = inspect.signature(function)
    bare = [
        p.name
        for p in signature.parameters.values()
        if p.annotation is p.empty and p.name not in ("self", "args", "kwargs")
    ]
    assert bare == [] and (inspect.isclass(found) or signature.return_annotation is not signature.empty)


_BRIEF = {"value_and_grad", "hvp", "hessian", "jacobian", "objective"}
"""Functions whose one parameter is `grad`'s, to which their docstrings refer or which they show."""


@pytest.mark.parametrize("name", [name for name, _ in public_functions()])
def test_public_function_has_its_parameters_documented(name) -> None:
    found = dict(public_functions())[name]
    text = inspect.getdoc(found)
    assert text and text.split("\n")[0].rstrip().endswith((".", "`")), "the first line is a sentence"
    if name in _BRIEF or (inspect.isclass(found) and issubclass(found, Exception)):
        return
    assert "Parameters\n---" in text
    assert inspect.isclass(found) or "Returns\n---" in text or name == "source"


@functools.cache
def tree(file: Path) -> ast.Module:
    """Return the text of a file, parsed once for all who look at it."""
    return ast.parse(file.read_text())


def test_modules_say_what_they_hold() -> None:
    assert [str(file.relative_to(ROOT)) for file in FILES if not ast.get_docstring(tree(file))] == []


# Who imports what -----------------------------------------------------------------------------------------------------


@functools.cache
def imports(file: Path) -> list[tuple[str, bool]]:
    """Return the modules that a file imports, and whether it does so when it is imported itself."""

    def walk(node: ast.AST, at_import: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from ((alias.name, at_import) for alias in child.names)
            elif isinstance(child, ast.ImportFrom) and not child.level:
                yield from ((f"{child.module}.{alias.name}", at_import) for alias in child.names)
            elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            else:
                inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                yield from walk(child, at_import and not inside)

    return list(walk(tree(file), True))


def users(package: str, only_at_import: bool = False, but: str = "nothing") -> set[str]:
    """Return the files of autoopt that import `package`, relative to the package; modules of it but for one."""
    found = set()
    for file in FILES:
        for name, at_import in imports(file):
            is_of_package = name == package or name.startswith(package + ".")
            if is_of_package and not name.startswith(but) and (at_import or not only_at_import):
                found.add(str(file.relative_to(ROOT)))
    return found


def rooms(files: set[str]) -> set[str]:
    return {file.split("/")[0] for file in files}


def test_the_walk_sees_imports() -> None:
    assert "objectives/exports.py" in users("autoopt.execution.engines") and "rules/table.py" in users("numpy")
    assert "execution/engines.py" in users("pytensor") and "execution/engines.py" not in users(
        "pytensor", only_at_import=True
    )


def test_pytensor_is_imported_in_its_rooms_only() -> None:
    assert rooms(users("pytensor", only_at_import=True)) <= {"ops", "rules", "graph", "codegen"}
    assert rooms(users("pytensor")) <= {"ops", "rules", "graph", "codegen", "execution"}


def test_rooms_with_pytensor_are_entered_inside_functions_only() -> None:
    """The table of the kinds of derivative does without PyTensor."""
    for room in ("ops", "rules", "graph", "codegen"):
        outside = {
            file
            for file in users(f"autoopt.{room}", only_at_import=True, but="autoopt.graph.kinds")
            if not file.startswith(("ops/", "rules/", "graph/", "codegen/"))
        }
        assert outside == set(), room


def test_scipys_optimisers_are_imported_in_solvers_only() -> None:
    """Its containers of limits and results too are taken inside functions elsewhere."""
    others = users("scipy.optimize", only_at_import=True) - {"tracing/formulas/roots.py"}  # loaded by the user's call
    assert rooms(others) <= {"solvers"}


def test_numba_is_pytensors_affair() -> None:
    assert users("numba", only_at_import=True) == set()


def test_click_is_imported_in_the_command_line_only() -> None:
    assert users("click") == users("rich") == set()
    assert any(name.startswith("click") for file in CLI.glob("*.py") for name, _ in imports(file))


def test_optional_packages_are_imported_inside_functions() -> None:
    for package in OPTIONAL:
        assert users(package, only_at_import=True) == set(), package


def test_command_line_uses_public_names() -> None:
    for file in CLI.glob("*.py"):
        for name, _ in imports(file):
            if name.startswith("autoopt.") and not name.startswith("autoopt.cli"):
                assert not any(part.startswith("_") for part in name.split(".")), f"{file.name}: {name}"


# The order of the rooms -----------------------------------------------------------------------------------------------

ORDER = (
    "version errors atomic",
    "extras wording origin stages layout summaries",
    "parameters differences inference roots tables users_code",
    "batches",
    *("tape", "tape.loops tape.searches", "tape.nests", "tape.batching", "tape.sparsity", "tape.rows"),
    *("ops", "rules"),
    *("graph.rewrites", "graph.loops", "graph.nests", "graph.parts", "graph.tangents", "graph.indexed", "graph.idioms"),
    "graph",
    *(
        "codegen.code",
        "codegen.structures codegen.repetitions codegen.windows",
        "codegen.constants",
        "codegen.printers",
        "codegen",
    ),
    *("execution.modules", "execution.native", "execution.tiering", "execution.blocks", "execution"),
    *("tracing.recording", "tracing.outside", "tracing.standins.table tracing.standins.followed", "tracing.arrays"),
    *("tracing.complex", "tracing.standins", "tracing.formulas tracing.frames tracing.stats"),
    *("tracing.naming", "tracing.expressions", "tracing.instrument", "tracing.trace", "tracing"),
    "inspection",
    "clusters",
    "objectives",
    "verification",
    "decorators",
    "exporting",
    "closed_form",
    "constraints",
    "variables",
    "solvers",
    "check",
    "check_constraints",
    "check_given",
    "diagnosis",
    "runs",
    "minimize",
    "optimize",
    "reports",
    "designs",
    "models fitting profiles",
    "proposals",
    "doctor",
    "autoopt",  # the public names
    "cli",
    "__main__",
)
"""Rooms and files from the ground up. A file belongs to the longest name it begins with, and imports none above."""

LEVELS = {name: level for level, names in enumerate(ORDER) for name in names.split()}

CLIMBING: dict[tuple[str, str], str] = {}
"""Arrows against the order that are right, (from, to), and why."""


def module_of(file: Path, above: Path = ROOT.parent) -> str:
    """Return the name of a file's module, without the package's own."""
    parts = file.relative_to(above).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__").removeprefix("autoopt.")


MODULES = {module_of(file): file for file in FILES} | {module_of(file): file for file in CLI.glob("*.py")}


def level(module: str) -> int:
    parts = module.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next(LEVELS[name] for name in names if name in LEVELS)


@functools.cache
def arrows() -> dict[str, set[str]]:
    """Return which modules each module imports, inside functions and for annotations alone, too."""
    found: dict[str, set[str]] = {}
    for module, file in MODULES.items():
        found[module] = set()
        for node in ast.walk(tree(file)):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            for name in names:
                if name.split(".")[0] == "autoopt":
                    inner = name.removeprefix("autoopt.")
                    found[module].add(inner if inner in MODULES else inner.rpartition(".")[0] or "autoopt")
        found[module] = {name if name in MODULES else "autoopt" for name in found[module]} - {module}
    return found


def test_every_file_has_its_place_in_the_order() -> None:
    assert [module for module in MODULES if module.split(".")[0] not in " ".join(ORDER).split()] == []


def test_no_import_climbs() -> None:
    climbing = {(one, other) for one, others in arrows().items() for other in others if level(one) < level(other)}
    assert sorted(climbing - set(CLIMBING)) == []
    assert sorted(set(CLIMBING) - climbing) == [], "no such import any more"


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Return the sets of modules that reach one another."""
    reached: dict[str, set[str]] = {}
    for start in graph:
        seen, ahead = set(), [start]
        while ahead:
            for other in graph[ahead.pop()] - seen:
                seen.add(other)
                ahead.append(other)
        reached[start] = seen
    return [{b for b in reached[a] if a in reached[b]} for a in graph if a in reached[a]]


def test_a_circle_is_seen() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [{"b", "c"}, {"b", "c"}]


def test_no_circle_among_files() -> None:
    around = {frozenset(circle) for circle in circles(arrows())}
    assert [sorted(circle) for circle in around] == []


BY_NAME = (
    "decorators",
    "rules",
    "execution.eager.shipped",
    "execution.eager.shipping",
    "tracing.formulas",
    "tracing.frames",
    "exporting.module",
    "closed_form.latex",
    "fitting.estimator",
    "fitting.fit",
    "fitting.resuming",
    "optimize.curve_fit",
    "optimize.global_search",
    "optimize.least_squares",
    "optimize.roots",
    "optimize.scalar",
    "optimize.scalar_roots",
    "models",
    "cli",
    "__main__",
)
"""Rooms and files that are imported by their names, when they are needed; their own tests see what is forgotten."""


def test_no_file_is_left_out_of_its_table() -> None:
    """A printer, stand-in or solver in a file that nothing imports would never be used."""
    imported = {other for others in arrows().values() for other in others}
    rooms = {module for module, file in MODULES.items() if file.name == "__init__.py"}
    loose = {module for module in MODULES if module not in imported | rooms}
    assert (
        sorted(module for module in loose if not f"{module}.".startswith(tuple(f"{name}." for name in BY_NAME))) == []
    )


def test_modules_import_by_themselves() -> None:
    names = [name if name == "autoopt" else f"autoopt.{name}" for name in map(module_of, FILES)]
    assert [name for name in names if importlib.import_module(name).__name__ != name] == []


def test_no_star_imports() -> None:
    assert [str(file) for file in FILES for name, _ in imports(file) if name.endswith(".*")] == []
