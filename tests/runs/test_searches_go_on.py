"""Searches among several minima go on after kill -9: starts that are done stay done, a population is taken up again."""

from __future__ import annotations

import inspect
import json
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from scipy import optimize

import autoopt
from autoopt.optimize.left import Left
from autoopt.runs import checkpoint, recorder, storing
from autoopt.solvers import starts as several

CHILD = """
import os, signal, numpy as np, autoopt
from autoopt.runs import recorder

recorder._SOONEST = recorder._FIFTIETH = 0.0  # a checkpoint at each iterate
recorder.SHARE = 1e9
seen = []

def killed(*args, **options):
    seen.append(None)
    if len(seen) == {kill}:
        os.kill(os.getpid(), signal.SIGKILL)

{call}
"""


def wells(x):
    return np.sum(x**4 - 8 * x**2 + x) + 0.5 * x[0]


def bumps(x):
    return np.sum(x**2 - 10 * np.cos(2 * np.pi * (x - 0.3)))


FUNCTIONS = "\n".join(["import numpy as np", inspect.getsource(wells), inspect.getsource(bumps)])
BOX = [(-5.0, 5.0)] * 2


def kill(folder, call, at):
    """Begin a call in a process that is killed when its callback is called for the n-th time; return the point."""
    (folder / "functions.py").write_text(FUNCTIONS)
    text = "from functions import wells, bumps\n" + textwrap.dedent(CHILD).format(kill=at, call=call)
    paths = {"PYTHONPATH": ":".join([str(folder), *filter(None, sys.path)])}
    done = subprocess.run([sys.executable, "-c", text], cwd=folder, env=os.environ | paths, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    point = checkpoint.read(folder / "best.json").point
    assert point.state == "running"
    return point


def of_the_child(folder, monkeypatch, name):
    """Return the function as the child has it: a digest is of what a function's module has."""
    monkeypatch.syspath_prepend(folder)
    sys.modules.pop("functions", None)
    return getattr(__import__("functions"), name)


def seen(minima):
    return [([round(float(v), 5) for v in one.x], one.count) for one in minima]


STARTS = (
    "autoopt.minimize(wells, [2.0, 2.0], starts=autoopt.Starts(9, stop_early=False), checkpoint='best.json', {more})"
)


@pytest.mark.slow
def test_starts_that_are_done_stay_done(tmp_path, monkeypatch):
    point = kill(tmp_path, STARTS.format(more="callback=killed"), 40)
    left = point.search
    assert left["name"] == "starts" and 2 <= left["done"] <= 7 and len(left["minima"]) >= 2
    assert (tmp_path / "best.json").stat().st_size < 4000
    run, own = [], several._Search._one
    monkeypatch.setattr(several._Search, "_one", lambda self, x: run.append(x) or own(self, x))
    f, plan = of_the_child(tmp_path, monkeypatch, "wells"), autoopt.Starts(9, stop_early=False)
    found = autoopt.minimize(f, [2.0, 2.0], starts=plan, checkpoint=tmp_path / "best.json")
    assert len(run) == 9 - left["done"] and "9 of 9 starts led to 3 different minima" in found.message
    whole = autoopt.minimize(f, [2.0, 2.0], starts=plan)
    assert seen(found.minima) == seen(whole.minima) and found.fun == pytest.approx(whole.fun, rel=1e-13)
    assert found.success and found.x == pytest.approx(whole.x) and "Gone on from iterate" in found.notes[-1]
    assert checkpoint.read(tmp_path / "best.json").point.search is None, "nothing is left to be done"


@pytest.fixture
def often(monkeypatch):
    """Checkpoints at each iterate."""
    monkeypatch.setattr(recorder, "_SOONEST", 0.0)
    monkeypatch.setattr(recorder, "_FIFTIETH", 0.0)
    monkeypatch.setattr(recorder, "SHARE", 1e9)


def stopping(at):
    """Return a callback that interrupts when it is called for the n-th time."""
    calls = []

    def callback(*args, **more):
        calls.append(None)
        if len(calls) == at:
            raise KeyboardInterrupt

    return callback


def starts_interrupted(file, at, n=9, **more):
    with pytest.raises(KeyboardInterrupt):
        autoopt.minimize(wells, [2.0, 2.0], starts=n, checkpoint=file, callback=stopping(at), **more)
    return checkpoint.read(file).point


def test_the_best_point_of_the_start_that_is_on_is_kept(tmp_path, often):
    """Also where the first start is still on."""
    point = starts_interrupted(tmp_path / "best.json", 3)
    assert point.search["done"] == 0 and point.value < wells(np.array([2.0, 2.0]))
    assert point.search["at"] is not None


def test_other_starts_begin_anew_with_the_best_point_among_them(tmp_path, often):
    file = tmp_path / "best.json"
    point = starts_interrupted(file, 25)
    found = autoopt.minimize(wells, [2.0, 2.0], starts=[[2.5, 2.5], [2.1, 2.4]], checkpoint=file)
    assert point.search["done"] > 0 and found.fun <= point.value and "of 3 starts" in found.message


def test_a_call_without_starts_begins_at_the_best_point(tmp_path, often):
    point = starts_interrupted(tmp_path / "best.json", 25)
    assert autoopt.minimize(wells, [2.0, 2.0], checkpoint=tmp_path / "best.json").fun <= point.value


def test_minima_of_the_first_part_are_those_of_the_result(tmp_path, often):
    """The lowest one was found before, and is run from again."""
    file, starts = tmp_path / "best.json", [[-2.1, -2.1], [2.1, -2.1], [2.2, 2.2], [2.3, 2.3]]
    stop, told = KeyboardInterrupt, []

    def callback(x):
        told.append(x)
        if np.all(x > 0):  # past the two lower ones
            raise stop

    with pytest.raises(KeyboardInterrupt):
        autoopt.minimize(wells, starts[0], starts=starts[1:], checkpoint=file, callback=callback)
    assert checkpoint.read(file).point.search["done"] == 2
    found = autoopt.minimize(wells, starts[0], starts=starts[1:], checkpoint=file)
    assert np.all(found.x < 0) and found.success and found.fun == pytest.approx(min(one.fun for one in found.minima))


# Searches of SciPy ----------------------------------------------------------------------------------------------------


EVOLUTION = "autoopt.differential_evolution(bumps, {box}, seed=1, checkpoint='best.json', callback=killed)"


@pytest.mark.slow
def test_a_population_is_taken_up_again(tmp_path, monkeypatch):
    point = kill(tmp_path, EVOLUTION.format(box=BOX), 12)
    left = point.search
    assert left["name"] == "differential_evolution" and left["done"] == 12
    population = storing.restored(left["population"])
    assert population.shape == (30, 2)
    given, own = {}, optimize.differential_evolution
    monkeypatch.setattr(optimize, "differential_evolution", lambda *a, **o: given.update(o) or own(*a, **o))
    f = of_the_child(tmp_path, monkeypatch, "bumps")
    found = autoopt.differential_evolution(f, BOX, seed=1, maxiter=100, checkpoint=tmp_path / "best.json")
    np.testing.assert_allclose(given["init"], population)
    assert given["maxiter"] == 88 and found.success and found.fun <= point.value
    assert given["rng"].bit_generator.state != np.random.default_rng(1).bit_generator.state


CALLS = {
    "differential_evolution": ({"bounds": BOX, "maxiter": 30}, "maxiter"),
    "dual_annealing": ({"bounds": BOX, "maxiter": 60}, "maxiter"),
    "basinhopping": ({"x0": np.full(2, 3.0), "niter": 12}, "niter"),
}


@pytest.mark.parametrize("name", CALLS)
def test_iterations_of_all_parts_are_counted_together(tmp_path, often, monkeypatch, name):
    options, most = CALLS[name]
    call, file, given, own = getattr(autoopt, name), tmp_path / "best.json", {}, getattr(optimize, name)
    note, stop = Left.noted, stopping(3)

    def noted(self, *iterations, **more):
        note(self, *iterations, **more)
        stop()

    monkeypatch.setattr(Left, "noted", noted)
    with pytest.raises(KeyboardInterrupt):
        call(bumps, seed=1, checkpoint=file, **options)
    monkeypatch.setattr(Left, "noted", note)
    point = checkpoint.read(file).point
    assert point.search["name"] == name and point.search["done"] == 3
    monkeypatch.setattr(optimize, name, lambda *a, **o: given.update(o) or own(*a, **o))
    found = call(bumps, seed=1, checkpoint=file, **options)
    assert given[most] == options[most] - 3 and found.fun <= point.value
    assert checkpoint.read(file).point.search is None
    if name == "basinhopping":
        assert given["T"] == point.search["T"]


def test_a_search_without_local_ones_is_kept_too(tmp_path, often):
    options = {"bounds": BOX, "maxiter": 30, "no_local_search": True}
    with pytest.raises(KeyboardInterrupt):
        autoopt.dual_annealing(bumps, seed=1, checkpoint=tmp_path / "best.json", callback=stopping(2), **options)
    assert checkpoint.read(tmp_path / "best.json").point.iteration == 2


def test_a_checkpoint_of_the_version_before_is_read(tmp_path):
    file = tmp_path / "best.json"
    with pytest.raises(KeyboardInterrupt):
        autoopt.minimize(wells, [2.0, 2.0], checkpoint=file, callback=stopping(2))
    content = json.loads(file.read_text())
    content["point"].pop("search")
    texts = [checkpoint._dumped(content[name]) for name in ("run", "point")]
    head = f'{{"schema":1,\n"sha256":"{checkpoint._digest(*texts)}",\n'
    file.write_text(f'{head}"run":{texts[0]},\n"point":{texts[1]}}}\n')
    assert autoopt.minimize(wells, [2.0, 2.0], checkpoint=file).success
    assert json.loads(file.read_text())["schema"] == 2
