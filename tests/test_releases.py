"""What differs between releases of PyTensor is known in one file; packaging and documents name the releases tested."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.tensor.basic import Join, Split
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.sort import ArgSortOp, SortOp

import autoopt
from autoopt.ops.releases import GATHERS, SCATTERS, IfElse, axis_of, ifelse, infers_shape, operands_of, thawed

pytestmark = pytest.mark.whole
ROOT = Path(__file__).parents[1]
PACKAGE = Path(autoopt.__file__).parent
X, M = pt.vector("x"), pt.matrix("M")


def node(variable) -> Apply:
    return variable.owner


NODES = {
    "join": (node(pt.concatenate([M, M], axis=1)), Join, 1, [M, M]),
    "join from behind": (node(pt.concatenate([M, M], axis=-1)), Join, 1, [M, M]),
    "split": (node(pt.split(M, [1, 2], axis=0)[0]), Split, 0, [M]),
    "sort": (node(pt.sort(M, axis=-1)), SortOp, 1, [M]),
    "argsort": (node(pt.argsort(M, axis=0)), ArgSortOp, 0, [M]),
}


@pytest.mark.parametrize("case", NODES.values(), ids=NODES)
def test_axis_is_found_wherever_the_release_keeps_it(case) -> None:
    found, kind, axis, operands = case
    assert isinstance(found.op, kind) and axis_of(found) == axis
    assert operands_of(found)[: len(operands)] == operands


def test_axis_of_a_stack_is_that_of_the_whole() -> None:
    stacked = pytensor.graph.replace.vectorize_graph(pt.concatenate([X, X * 2]), {X: M})
    joins = [v.owner for v in pytensor.graph.traversal.ancestors([stacked]) if v.owner and is_join(v.owner.op)]
    assert [axis_of(join) for join in joins] == [1]


def is_join(op: Op) -> bool:
    return isinstance(op.core_op if isinstance(op, Blockwise) else op, Join)


def test_positions_are_read_and_written_by_known_operations() -> None:
    index = pt.lvector()
    assert isinstance(X[index].owner.op, GATHERS) and isinstance(X[index].inc(1.0).owner.op, SCATTERS)
    assert isinstance(ifelse(X.sum() > 0, X, X * 2).owner.op, IfElse)


class Doubled(Op):
    __props__ = ()

    def make_node(self, x):
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, outputs):
        outputs[0][0] = 2 * inputs[0]

    @infers_shape
    def infer_shape(self, node, shapes):
        return [shapes[0]]


def test_shape_is_inferred_in_every_release() -> None:
    length = pt.lscalar()
    [[found]] = pytensor.compile.builders.infer_shape([Doubled()(X)], [X], [[length]])
    made_of = set(pytensor.graph.traversal.ancestors([found]))
    assert length in made_of and X not in made_of


def test_graph_inside_an_operation_may_be_used_outside() -> None:
    whole = pytensor.compile.builders.OpFromGraph([X], [pt.exp(X).sum()])(M[0])
    inside = thawed(whole.owner.op.fgraph)
    copied = pytensor.graph.replace.clone_replace(inside.outputs, {inside.inputs[0]: X})
    assert copied[0].eval({X: np.zeros(3)}) == 3.0


def test_no_other_file_asks_for_a_release() -> None:
    asking = re.compile(r"(pytensor|np|numpy|scipy|sys)\.(__version__|version_info)|AdvancedSubtensor1|GammaU")
    users = {str(file.relative_to(PACKAGE)) for file in PACKAGE.rglob("*.py") if asking.search(file.read_text())}
    assert users <= {
        "ops/releases.py",
        "execution/source_cache.py",
    }  # the cache's key names releases, and decides nothing by them


def test_packaging_names_tested_ends_of_every_requirement() -> None:
    text = (ROOT / "setup.py").read_text(encoding="utf-8") if (ROOT / "setup.py").exists() else None
    if text is None:  # the tests run beside an installed wheel
        required = [r for r in metadata.requires("autoopt") if "extra" not in r]
    else:
        call = next(n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.keyword) and n.arg == "install_requires")
        required = ast.literal_eval(call.value)
    assert len(required) == 9
    for requirement in required:
        assert ">=" in requirement and "<" in requirement.replace("<=", ""), requirement


def test_every_folder_with_code_is_a_package_that_is_installed() -> None:
    bare = {file.parent for file in PACKAGE.rglob("*.py") if not (file.parent / "__init__.py").exists()}
    assert bare == set()  # find_packages in setup.py would leave such a folder out of the wheel
    assert (PACKAGE / "py.typed").exists()


def test_installed_releases_are_within_what_is_required() -> None:
    from packaging.requirements import Requirement

    for text in metadata.requires("autoopt"):
        requirement = Requirement(text)
        if requirement.marker is None:
            assert requirement.specifier.contains(metadata.version(requirement.name), prereleases=True), text


@pytest.mark.skipif(not (ROOT / ".ci").exists(), reason="beside an installed wheel there is no checkout")
def test_pythons_that_are_found_run_and_are_of_different_releases() -> None:
    found = subprocess.run([ROOT / ".ci" / "pythons"], capture_output=True, text=True, check=True).stdout.split()
    code = "import sys; print(sys.version_info[:2])"
    releases = [subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip() for python in found]
    assert len(set(releases)) == len(releases) > 0 and all(releases)
    assert str(sys.version_info[:2]) in releases


@pytest.mark.slow
def test_every_module_is_imported_without_a_warning() -> None:
    files = [file for file in PACKAGE.rglob("*.py") if file.stem != "__main__"]  # which runs the command
    names = [".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts) for file in files]
    code = "import importlib\nfor name in {!r}:\n    importlib.import_module(name.removesuffix('.__init__'))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code.format(names)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert importlib.import_module("autoopt.ops.releases")
