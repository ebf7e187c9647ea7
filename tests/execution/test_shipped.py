"""The derivatives of steps that ship with the package: as they would be derived now, and right."""

from __future__ import annotations

import numpy as np
import pytest

from autoopt.execution.eager import shipped
from autoopt.execution.eager.derivatives import kind_text
from autoopt.execution.eager.shipping import FOLDER, common_steps, written
from autoopt.tape.tape import call

COMMON = list(common_steps())


def test_each_is_there_once():
    keys = [kind_text(common.step, common.operands) for common in COMMON]
    assert len(set(keys)) == len(keys) == len(shipped.index.FILES)
    assert {f"{file}.py" for file in shipped.index.FILES.values()} | {"index.py", "__init__.py"} == {
        path.name for path in FOLDER.glob("*.py")
    }


@pytest.mark.slow
def test_the_files_are_as_they_would_be_written():
    texts = written()
    assert {name: (FOLDER / name).read_text(encoding="utf-8") for name in texts} == texts


def operand(role, random):
    if role.kind == "fixed":
        return role.value
    values = random.uniform(0.3, 0.9, tuple(3 if length is None else length for length in role.shape))
    values = values + np.eye(3) if values.ndim == 2 else values
    return values > 0.5 if role.dtype == "bool" else values


@pytest.mark.parametrize("common", COMMON, ids=lambda common: kind_text(common.step, common.operands))
def test_against_differences(common):
    """Pulled and pushed, the same slope; and how the pullback changes, by differences of it."""
    random = np.random.default_rng(0)
    step, values = common.step, [operand(role, random) for role in common.operands]
    found = shipped.find(kind_text(step, common.operands))
    varying = [k for k, role in enumerate(common.operands) if role.kind == "varies"]
    tangents = [random.normal(size=np.shape(values[k])) for k in varying]

    def results(h):
        moved = list(values)
        for k, tangent in zip(varying, tangents, strict=True):
            moved[k] = values[k] + h * tangent
        if step.operation is np.linalg.cholesky:
            moved = [moved[0] @ moved[0].T] if h is None else moved
        made = call(step, moved)
        return moved, [np.asarray(r) for r in (made if isinstance(made, tuple) else (made,))]

    _, made = results(0.0)
    cotangents = [random.normal(size=r.shape) for r in made]
    read = [value for value, role in zip(values, common.operands, strict=True) if role.kind != "fixed"]

    def tupled(parts):
        return parts if isinstance(parts, tuple) else (parts,)

    def pulled(h):
        others, at = results(h)
        given = [value for value, role in zip(others, common.operands, strict=True) if role.kind != "fixed"]
        parts = tupled(found["pull"](*cotangents, *at, *given))
        return [np.zeros(np.shape(values[k])) if p is None else p for k, p in zip(varying, parts, strict=True)]

    pushed = [
        np.zeros(r.shape) if p is None else p
        for p, r in zip(tupled(found["push"](*made, *read, *tangents)), made, strict=True)
    ]
    h = 1e-5
    for one, up, down in zip(pushed, results(h)[1], results(-h)[1], strict=True):
        np.testing.assert_allclose(np.broadcast_to(one, up.shape), (up - down) / (2 * h), rtol=1e-6, atol=1e-7)
    along = sum(np.sum(c * p) for c, p in zip(cotangents, pushed, strict=True))
    assert sum(np.sum(t * p) for t, p in zip(tangents, pulled(0.0), strict=True)) == pytest.approx(along, rel=1e-10)
    changes = tupled(found["second"](*cotangents, *made, *read, *tangents))
    for k, change, up, down in zip(varying, changes, pulled(h), pulled(-h), strict=True):
        change = np.zeros(np.shape(values[k])) if change is None else change
        np.testing.assert_allclose(change, (up - down) / (2 * h), rtol=1e-5, atol=1e-6)
