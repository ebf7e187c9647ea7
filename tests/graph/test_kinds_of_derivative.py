"""Every row of KINDS: against differences of the plain function, the other rows, the other engines and the eager run.

A kind that is added is tested here by what its row says: how often it is differentiated, of what, along which
direction.
"""

from __future__ import annotations

import ast

import numpy as np
import pytest
from complex_steps import complex_step, jacobian

from autoopt.execution.eager.sweeps import Sweeps
from autoopt.execution.engines import ENGINES, compiled
from autoopt.graph.derive import DERIVATIONS
from autoopt.graph.kinds import KINDS, PAIRS, PUBLIC, Kind
from autoopt.objectives.objective import printed
from autoopt.parameters import Structure
from autoopt.tape.tape import Tape
from autoopt.tracing.trace import trace

X = np.array([[1.0, 0.3], [1.0, -0.8], [1.0, 1.9]])
START = np.array([0.2, 0.4])
POINTS = (np.array([0.3, 0.7]), np.array([-0.6, 1.2]))


def residuals(b):
    return np.exp(X @ b * 0.3) * b[1] - np.array([0.5, 0.1, 0.9])


def scalar(b):
    return np.sum(np.log1p(np.exp(X @ b))) + b[0] * b[1] ** 2


def tape_of(kind: Kind) -> Tape:
    f = residuals if kind.of_array else scalar
    return trace(f, Structure.of(START), START, (), scalar=not kind.of_array).tape


def direction_of(kind: Kind) -> tuple[np.ndarray, ...]:
    """Return the direction, or directions, that a kind takes: of the parameters, or of the results for rows."""
    if not kind.directed:
        return ()
    if kind.singly:
        directions = np.array([[0.4, -1.3, 0.0], [-0.9, 0.5, 0.0], [0.2, 0.7, 0.0]])
        return (directions if is_pullback(kind) else directions[:2],)
    return (np.array([0.4, -0.9, 0.2]) if is_pullback(kind) else np.array([0.4, -0.9]),)


def is_pullback(kind: Kind) -> bool:
    return (kind.singly or kind.name) in {other.rows for other in KINDS.values()}


def expected(kind: Kind, x: np.ndarray, *direction: np.ndarray) -> np.ndarray:
    """Return the derivative by steps into the complex plane and differences of these."""
    if kind.of_array:
        full = jacobian(residuals, x)
    elif kind.order < 2:
        full = complex_step(scalar, x) if kind.order else np.asarray(scalar(x))
    else:
        steps = 1e-4 * np.eye(x.size)
        slope = [[complex_step(scalar, x + k * step) for step in steps] for k in (-2, -1, 1, 2)]
        full = (np.array(slope[0]) - 8 * np.array(slope[1]) + 8 * np.array(slope[2]) - np.array(slope[3])) / 12e-4
    if not direction:
        return full
    return full.T @ direction[0] if is_pullback(kind) else full @ direction[0]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.slow
def test_kind_against_differences(kind, engine) -> None:
    tape, direction = tape_of(kind), direction_of(kind)
    code = compiled(ENGINES[engine], tape, kind.name, "title")
    tolerance = 1e-8 if kind.order == 2 else 1e-11
    for x in POINTS:
        outcome = code.run(x, *direction)
        found = kind.derivative(outcome)
        np.testing.assert_allclose(found, expected(kind, x, *direction), rtol=tolerance, atol=tolerance)
        if kind.valued:
            np.testing.assert_allclose(kind.value(outcome), scalar(x), rtol=1e-14)


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.eager], ids=lambda kind: kind.name)
def test_kind_step_by_step_is_the_compiled_one(kind) -> None:
    tape, direction = tape_of(kind), direction_of(kind)
    code = compiled(ENGINES["numpy"], tape, kind.name, "title")
    for x in POINTS:
        found = Sweeps(tape).at(x).derivative(kind.name, *direction)
        np.testing.assert_allclose(found, kind.derivative(code.run(x, *direction)), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.columns], ids=lambda kind: kind.name)
def test_kind_is_its_columns_and_its_rows(kind) -> None:
    tape, x = tape_of(kind), POINTS[0]
    whole = kind.derivative(compiled(ENGINES["numpy"], tape, kind.name, "title").run(x))
    for name, parts in ((kind.columns, whole.T), (kind.rows, whole)):
        if name is not None:
            assert KINDS[name].directed
            product = compiled(ENGINES["numpy"], tape, name, "title")
            np.testing.assert_allclose(
                [product.run(x, unit) for unit in np.eye(len(parts))], parts, rtol=1e-12, atol=1e-14
            )


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.singly], ids=lambda kind: kind.name)
def test_kind_of_many_directions_takes_any_number(kind) -> None:
    tape, x = tape_of(kind), POINTS[0]
    code = compiled(ENGINES["numpy"], tape, kind.name, "title")
    single = compiled(ENGINES["numpy"], tape, kind.singly, "title")
    for count in (0, 1, 2, 5):
        (some,) = direction_of(kind)
        directions = np.random.default_rng(count).normal(size=(len(some), count))
        parts = [single.run(x, direction) for direction in directions.T]
        found = code.run(x, directions)
        assert found.shape[1] == count
        np.testing.assert_allclose(found.T, np.array(parts).reshape(found.T.shape), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_printed_functions_are_those_of_the_row(kind) -> None:
    text = compiled(ENGINES["numpy"], tape_of(kind), kind.name, "title").text
    printed = [part.name for part in ast.parse(text).body if isinstance(part, ast.FunctionDef)]
    own = [name for name in kind.functions if name in printed]  # after the functions that they call
    assert printed[len(printed) - len(own) :] == own and kind.name in own


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name_gives_the_source_of_its_kind(name) -> None:
    assert f"\ndef {PUBLIC[name].name}(" in printed(scalar, START, derivatives=name)


def test_every_kind_has_a_derivation_and_no_other() -> None:
    assert DERIVATIONS.keys() == KINDS.keys()
    assert {kind.name for kind in KINDS.values() if len(kind.returns) == 2} == PAIRS


def test_parts_of_an_outcome() -> None:
    pair, single = KINDS["value_and_grad"], KINDS["hess"]
    assert pair.value((1.0, 2.0)) == 1.0 and pair.derivative((1.0, 2.0)) == 2.0
    assert pair.with_derivative((1.0, 2.0), 3.0) == (1.0, 3.0) and single.with_derivative(1.0, 3.0) == 3.0
    assert pair.valued and not single.valued and KINDS["value"].valued
