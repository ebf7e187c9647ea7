"""Printed functions divided by rows: the same results by blocks of any size, in any number of threads."""

import os

import numpy as np
import pytest
from row_programs import BY_ROWS, MIXING, started

import autoopt
from autoopt.execution.blocks.compiled import compile_passes
from autoopt.execution.blocks.loops import with_loop
from autoopt.execution.blocks.row_functions import shared
from autoopt.execution.blocks.running import Blocks, planned
from autoopt.execution.blocks.sums import Pairs
from autoopt.execution.blocks.threads import pool
from autoopt.execution.blocks.values import NotInBlocks
from autoopt.execution.tiering import agree

KINDS = ("value", "value_and_grad", "hess", "hessp")


def functions(objective, x, kind):
    """Yield the functions of one kind that read rows, with their operands."""
    compiled = objective.dispatch.paths[0].compiled[kind]
    if hasattr(compiled, "derive"):
        compiled.derive()
        compiled = compiled.current
    known = dict(compiled.inputs.of(compiled._bound))
    namespace = compiled.namespace
    if "prepare" in namespace:
        prepare = namespace["prepare"]
        known |= prepare(*(known[name] for name in names_of(prepare)))
    known[compiled.tape.steps[0].template.name] = x
    for name in ("linearize", kind):
        if name in namespace:
            function = getattr(namespace[name], "function", namespace[name])
            operands = [known.get(one, np.ones_like(x)) for one in names_of(function)]
            yield function, operands
            if name == "linearize":
                known |= function(*operands)


def names_of(function):
    return function.__code__.co_varnames[: function.__code__.co_argcount]


def evaluated(f, x0, args):
    objective = autoopt.objective(f, x0, *args)
    objective.value(x0), objective.value_and_grad(x0)
    objective.hess(x0), objective.hessp(x0, np.ones_like(x0))
    return objective, np.ravel(x0).astype(float)


@pytest.mark.parametrize("name", BY_ROWS)
def test_blocks_give_what_whole_arrays_give(name):
    objective, x = evaluated(*started(BY_ROWS[name]))
    divided = 0
    for kind in KINDS:
        for function, operands in functions(objective, x, kind):
            try:
                plan = planned(function, operands)
            except NotInBlocks as problem:
                assert problem.reason in ("few rows", "it does nothing with rows"), (kind, problem.reason, problem.line)
                continue
            whole = function(*operands)
            for threads, size in ((1, 2**13), (2, 2**11), (3, 2**15)):
                blocks = Blocks(plan, shared(function), threads)
                blocks.size = size
                assert agree(whole, blocks(*operands)), (kind, threads)
            divided += 1
    assert divided >= 2


@pytest.mark.parametrize("name", MIXING)
def test_what_mixes_rows_is_refused_with_the_line(name):
    objective, x = evaluated(*started(MIXING[name]))
    for function, operands in functions(objective, x, "value_and_grad"):
        with pytest.raises(NotInBlocks) as caught:
            planned(function, operands)
        assert caught.value.reason and caught.value.line


def test_sums_do_not_depend_on_threads_to_the_last_bit():
    objective, x = evaluated(*started(BY_ROWS["logistic"], rows=20_000))
    ((function, operands),) = functions(objective, x, "value_and_grad")
    plan = planned(function, operands)
    found = []
    for threads in (1, 2, 3, 7):
        blocks = Blocks(plan, shared(function), threads)
        blocks.size = 2**12
        value, gradient = blocks(*operands)
        found.append((value, *gradient))
    assert len(set(found)) == 1


def test_block_size_changes_sums_by_rounding_alone():
    objective, x = evaluated(*started(BY_ROWS["softmax"], rows=50_000))
    ((function, operands),) = functions(objective, x, "value_and_grad")
    blocks = Blocks(planned(function, operands), shared(function), 1)
    whole, _ = function(*operands)
    for size in (2**12, 2**14, 2**17, 2**20):
        blocks.size = size
        assert blocks(*operands)[0] == pytest.approx(whole, rel=1e-14)


def test_an_exception_of_a_pass_in_another_thread_comes_up():
    objective, x = evaluated(*started(BY_ROWS["logistic"]))
    ((function, operands),) = functions(objective, x, "value_and_grad")
    blocks = Blocks(planned(function, operands), shared(function), 2)
    blocks.size = 2**11

    def fails(*operands):
        raise FloatingPointError("of a pass")

    blocks.functions["pass_1"] = fails
    with pytest.raises(FloatingPointError, match="of a pass"):
        blocks(*operands)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13])
def test_pairs_are_combined_in_one_order_whatever_comes_first(count):
    rng = np.random.default_rng(0)
    values = [{"total": value, "top": value} for value in rng.normal(size=count)]
    found = set()
    for seed in range(6):
        pairs = Pairs({"total": "sum", "top": "max"})
        for k in np.random.default_rng(seed).permutation(count):
            pairs.add(int(k), values[k])
        whole = pairs.whole()
        found.add((whole["total"], whole["top"]))
    assert len(found) == 1
    ((total, top),) = found
    assert total == pytest.approx(sum(one["total"] for one in values)) and top == max(one["top"] for one in values)


@pytest.mark.parametrize("name", ["softmax", "normalised over rows", "groups"])
def test_the_loop_that_can_be_read_gives_what_whole_arrays_give(name):
    objective, x = evaluated(*started(BY_ROWS[name]))
    for kind in ("value_and_grad", "hessp"):
        for function, operands in functions(objective, x, kind):
            try:
                text = with_loop(planned(function, operands), 700)
            except NotInBlocks:
                continue
            namespace = {}
            exec(compile(text, "<loop>", "exec"), namespace)
            assert agree(function(*operands), namespace[function.__name__](*operands)), kind


def test_groups_that_are_the_numbers_of_the_rows_at_first_may_be_others_later():
    def f(p, y, g):
        return np.sum((y - p[g % 3]) ** 2 * y[g])

    rows = 200_000
    y, g = np.random.default_rng(0).normal(size=rows), np.arange(rows)
    objective = autoopt.objective(f, np.zeros(3), y, g)
    for _ in range(30):
        objective.value_and_grad(np.ones(3))
    other = g[::-1].copy()
    objective.rebind((y, other))
    assert objective.value(np.ones(3)) == pytest.approx(f(np.ones(3), y, other), rel=1e-12)
    _, gradient = objective.value_and_grad(np.ones(3))
    expected = autoopt.objective(f, np.zeros(3), y, other).grad(np.ones(3))
    np.testing.assert_allclose(gradient, expected, rtol=1e-10)


def test_functions_run_over_blocks_once_they_have_cost_enough_and_follow_other_data():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60_000, 6)), rng.normal(size=60_000)

    def f(w, X, y):
        return np.sum(np.log1p(np.exp(X @ w)) - y * (X @ w))

    objective = autoopt.objective(f, np.zeros(6), X, y)
    for _ in range(60):
        objective.value_and_grad(np.ones(6))
    state = objective.dispatch.paths[0].compiled["value_and_grad"].namespace["value_and_grad"]
    assert state.blocks is not None or "faster" in state.reason
    for data in ((X[::-1].copy(), y), (X[:50_000], y[:50_000]), (np.rint(X), np.rint(y))):
        other = autoopt.objective(f, np.zeros(6), *data)
        assert objective.rebind(data) or len(data[1]) < 60_000
        if len(data[1]) == 60_000:
            np.testing.assert_allclose(objective.grad(np.ones(6)), other.grad(np.ones(6)), rtol=1e-10)


def test_data_of_another_kind_are_run_by_the_text():
    objective, x = evaluated(*started(BY_ROWS["logistic"], rows=20_000))
    ((function, operands),) = functions(objective, x, "value_and_grad")
    blocks = Blocks(planned(function, operands), shared(function))
    compile_passes(blocks, tuple(operands))
    whole = [np.rint(value).astype(np.int32) if np.ndim(value) == 2 else value for value in operands]
    assert agree(function(*whole), blocks(*whole))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks on this system")
def test_a_forked_process_has_threads_of_its_own():
    assert pool(1).submit(int, 1).result() == 1
    child = os.fork()
    if not child:
        os._exit(0 if pool(1).submit(int, 2).result(timeout=20) == 2 else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_another_branch_is_followed_where_functions_run_over_blocks():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60_000, 5)), rng.normal(size=60_000)

    def f(w, X, y):
        r = y - X @ w
        return np.sum(r**2) if w[0] > 0.5 else np.sum(np.abs(r) ** 3)

    objective = autoopt.objective(f, np.zeros(5), X, y)
    for k in range(80):
        objective.value_and_grad(np.full(5, 1e-3 * k))
    state = objective.dispatch.paths[0].compiled["value_and_grad"].namespace["value_and_grad"]
    assert state.blocks is not None or "faster" in state.reason
    for x in (np.ones(5), np.zeros(5), np.ones(5)):
        value, gradient = objective.value_and_grad(x)
        assert value == pytest.approx(f(x, X, y), rel=1e-12)
        np.testing.assert_allclose(gradient, autoopt.objective(f, x, X, y).grad(x), rtol=1e-9)


def test_blocks_raise_the_exceptions_of_the_module_that_they_stand_in_for():
    def f(w, X):
        z = X @ w
        return np.sum(z) if w[0] > 0 else np.sum(z**2)

    x = np.full(3, 0.5)
    objective = autoopt.objective(f, x, np.ones((3000, 3)))
    objective.value_and_grad(x)
    ((function, operands),) = functions(objective, x, "value_and_grad")
    blocks = Blocks(planned(function, operands), shared(function))
    with pytest.raises(function.__globals__["PathChanged"]):
        blocks(-x, *operands[1:])


def test_kinks_are_counted_over_all_blocks():
    rng = np.random.default_rng(0)
    X, y = rng.integers(-3, 4, size=(60_000, 5)).astype(float), rng.integers(0, 2, 60_000) * 1.0
    objective = autoopt.objective(lambda w, X, y: np.sum(np.abs(y - X @ w)), np.full(5, 0.1), X, y)
    for k in range(100):
        objective.value_and_grad(np.full(5, 0.1) + 1e-4 * k)
    state = objective.dispatch.paths[0].compiled["value_and_grad"].namespace["value_and_grad"]
    assert state.blocks is not None or "faster" in state.reason
    for w in (np.zeros(5), np.ones(5), np.eye(5)[0], np.full(5, 800.0), np.full(5, -800.0), np.full(5, 0.25)):
        value, gradient = objective.value_and_grad(w)
        assert value == pytest.approx(np.sum(np.abs(y - X @ w)), rel=1e-13)
        np.testing.assert_allclose(gradient, -X.T @ np.sign(y - X @ w), atol=1e-9)
