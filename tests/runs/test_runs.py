"""Runs that are kept: what is written, how a run goes on, and what it is refused for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import autoopt
import autoopt.fitting.fitted
from autoopt.errors import RunError, RunWarning, UsageError
from autoopt.runs import checkpoint, identity, storing
from autoopt.runs.checkpoint import Point, Writer
from autoopt.runs.recorder import Recorder

_RNG = np.random.default_rng(3)
X = _RNG.normal(size=(80, 3))
Y = (_RNG.random(80) < 1 / (1 + np.exp(-X @ [1.0, -1.0, 0.5]))).astype(float)


def nll(beta, X, y):
    z = X @ beta
    return np.sum(np.logaddexp(0.0, z) - y * z)


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def residuals(p, t, y):
    return y - p[0] * np.exp(-p[1] * t)


T = np.linspace(0.0, 2.0, 20)
SEEN = 3.0 * np.exp(-1.3 * T) + 0.05 * np.sin(40 * T)


def stopping(after):
    """Return a progress that interrupts a run at an iterate, as Ctrl-C would."""

    def progress(event):
        if getattr(event, "iteration", 0) >= after:
            raise KeyboardInterrupt

    return progress


def interrupted(*args, after=3, **options):
    with pytest.raises(KeyboardInterrupt) as stop:
        autoopt.fit(*args, progress=stopping(after), **options)
    return stop.value


class Within:
    """Minimised within a circle."""

    objective, x0 = staticmethod(rosenbrock), (-1.2, 1.0)
    constraints = {"type": "ineq", "fun": lambda x: 1.5 - x[0] ** 2 - x[1] ** 2}  # noqa: RUF012 - as users write it


CASES = {
    "constraints": ((Within,), {"method": "slsqp"}),
    "a likelihood": ((nll, np.zeros(3), (X, Y)), {"kind": "negative log-likelihood", "method": "bfgs"}),
    "residuals": ((residuals, [1.0, 1.0], (T, SEEN)), {"kind": "least squares"}),
    "a valley": ((rosenbrock, [-1.2, 1.0]), {"method": "l-bfgs-b"}),
    "a fixed parameter": ((nll, np.zeros(3), (X, Y)), {"fixed": {"x[1]": -1.0}, "method": "bfgs"}),
    "bounds": ((rosenbrock, [-1.2, 1.0]), {"method": "l-bfgs-b", "bounds": [(-2.0, 0.5), (-2.0, 2.0)]}),
    "values alone": ((rosenbrock, [-1.2, 1.0]), {"method": "nelder-mead"}),
    "products": ((rosenbrock, [-1.2, 1.0]), {"method": "newton-cg"}),
    "a dict": ((lambda p: rosenbrock([p["a"], p["b"]]), {"a": -1.2, "b": 1.0}), {"method": "bfgs"}),
}


@pytest.mark.slow_for("constraints")
@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", CASES)
def test_a_run_that_was_interrupted_goes_on_to_the_same_answer(name, tmp_path):
    (function, *given), options = CASES[name]
    whole = autoopt.fit(function, *given, **options)
    stop = interrupted(function, *given, run_dir=tmp_path / "run", **options)
    told = json.loads((tmp_path / "run" / "result.json").read_text())
    assert told["status"] == told["run"]["state"] == "interrupted" and told["params"] == list(stop.fit.params)
    found = autoopt.resume(tmp_path / "run", function)
    np.testing.assert_allclose(found.params, whole.params, rtol=1e-6)
    np.testing.assert_allclose(found.result.fun, whole.result.fun, rtol=1e-13, atol=1e-13)
    assert found.status == "converged" and "Gone on from iterate" in found.notes[-1]
    assert json.loads((tmp_path / "run" / "result.json").read_text())["status"] == "converged"


def test_the_history_has_a_line_for_each_iterate_of_all_parts(tmp_path):
    interrupted(rosenbrock, [-1.2, 1.0], method="bfgs", run_dir=tmp_path, after=5)
    before = list(checkpoint.lines(tmp_path / "history.jsonl"))
    with (tmp_path / "history.jsonl").open("a") as file:
        file.write('{"iteration": 6, "val')  # as a kill leaves it
    autoopt.resume(tmp_path, rosenbrock)
    lines = list(checkpoint.lines(tmp_path / "history.jsonl"))
    assert lines[: len(before)] == before and len(lines) > len(before) + 5
    assert [line["iteration"] for line in lines] == list(range(1, len(lines) + 1))
    assert lines[len(before)]["value"] < min(line["value"] for line in before[:-1]), "it has begun anew"
    assert set(lines[0]) == {"iteration", "value", "gradient_norm", "seconds", "phase"}
    assert lines[-1]["value"] < 1e-15 and (np.diff([line["seconds"] for line in lines]) >= 0).all()


MODEL = """
import numpy as np
from beside import size
x0 = [0.0]
data = "d.csv"
kind = "negative log-likelihood"
def objective(mu, y):
    return size * np.sum((y - mu[0]) ** 2)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A model file with its data, and a module that it imports."""
    (tmp_path / "model.py").write_text(textwrap.dedent(MODEL))
    (tmp_path / "beside.py").write_text("size = 0.5\n")
    (tmp_path / "d.csv").write_text("y\n1.0\n2.0\n4.5\n")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.modules.pop("beside", None)


def changed(file, old, new):
    def change(folder):
        path = folder / file
        path.write_text(path.read_text().replace(old, new))

    return change


def of_another_version(folder):
    written = checkpoint.read(folder / "run" / "checkpoint.json")
    written.run["identity"]["versions"]["scipy"] = "0.1"
    Writer(folder / "run" / "checkpoint.json", written.run).write(written.point)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (changed("model.py", "np.sum", "0.0 + np.sum"), "the model .*model.py has changed"),
        (changed("beside.py", "0.5", "0.50"), "the model .*model.py has changed"),
        (changed("d.csv", "4.5", "4.6"), "the data have changed"),
        (of_another_version, "scipy was 0.1 and is"),
    ],
)
def test_what_has_changed_is_named(folder, change, said):
    interrupted("model.py", run_dir="run", after=1)
    change(folder)
    with pytest.raises(RunError, match=said) as refusal:
        autoopt.resume("run")
    assert "force=True" in str(refusal.value)
    assert checkpoint.read(folder / "run" / "checkpoint.json").point.state == "interrupted"
    assert autoopt.resume("run", force=True).status == "converged"


SCRIPT = """
import autoopt

def interrupt(progress):
    raise KeyboardInterrupt

autoopt.fit("model.py", run_dir="run", progress=interrupt)
"""


def test_a_script_beside_the_model_is_no_part_of_it(folder):
    (folder / "script.py").write_text(SCRIPT)
    ended = subprocess.run([sys.executable, "script.py"], capture_output=True, text=True)
    assert ended.returncode and "Interrupted" in ended.stderr
    assert autoopt.resume("run").status == "converged"


def test_what_a_run_depends_on_is_known_after_it_was_interrupted_again(folder, monkeypatch):
    def interrupt(*args, **options):
        raise KeyboardInterrupt

    interrupted("model.py", run_dir="run", after=1)
    monkeypatch.setattr("autoopt.fitting.modelfile.load", interrupt)
    with pytest.raises(KeyboardInterrupt):
        autoopt.resume("run")
    monkeypatch.undo()
    os.chdir(folder)
    changed("d.csv", "4.5", "4.6")(folder)
    with pytest.raises(RunError, match="the data have changed"):
        autoopt.resume("run")


def test_a_run_goes_on_from_another_folder(folder, monkeypatch):
    interrupted("model.py", data="d.csv", run_dir="run", after=1)
    (folder / "other").mkdir()
    monkeypatch.chdir(folder / "other")
    assert autoopt.resume("../run").params == pytest.approx([2.5])


def test_a_run_that_has_ended_is_shown(tmp_path):
    autoopt.fit(rosenbrock, [-1.2, 1.0], run_dir=tmp_path)
    for again in (False, True):
        with pytest.raises(RunError, match=r"(?s)has ended; its result is in .*status +converged"):
            autoopt.fit(rosenbrock, [-1.2, 1.0], run_dir=tmp_path, resume=again)
    assert autoopt.resume(tmp_path, rosenbrock, force=True).status == "converged"


def test_a_limit_of_iterations_is_lifted(tmp_path):
    short = autoopt.fit(rosenbrock, [-1.2, 1.0], method="bfgs", options={"maxiter": 4}, run_dir=tmp_path)
    assert short.status == "not converged"
    found = autoopt.resume(tmp_path, rosenbrock, force=True, options={"maxiter": 400})
    assert found.status == "converged" and found.params == pytest.approx([1.0, 1.0])


def test_what_a_kill_has_left_half_written_is_removed(tmp_path):
    interrupted(rosenbrock, [-1.2, 1.0], run_dir=tmp_path)
    for name in (".checkpoint.json.123", ".result.json.123"):
        (tmp_path / name).write_text("{")
    autoopt.resume(tmp_path, rosenbrock)
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_directory_with_a_run_is_not_begun_anew(tmp_path):
    interrupted(rosenbrock, [-1.2, 1.0], run_dir=tmp_path)
    with pytest.raises(RunError, match="holds a run already, which was interrupted"):
        autoopt.fit(rosenbrock, [-1.2, 1.0], run_dir=tmp_path)
    assert autoopt.fit(rosenbrock, [-1.2, 1.0], run_dir=tmp_path, resume=True).status == "converged"


def test_a_fit_that_could_not_be_opened_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine").mkdir()
    for place in ("run", "mine"):
        with pytest.raises(autoopt.AutooptError, match="logistic"):
            autoopt.fit("logistc", run_dir=place)
        with pytest.raises(autoopt.AutooptError, match="no data file"):
            autoopt.fit(lambda p, x: np.sum((p - x) ** 2), [0.0], "none.csv", run_dir=place)
    with pytest.raises(autoopt.AutooptError):
        autoopt.fit("logistc", checkpoint="file.json")
    assert not Path("run").exists() and {file.name for file in Path("mine").iterdir()} <= {"lock"}
    assert not Path("file.json").exists()


@pytest.mark.parametrize("name", ["result.json", "report.html", "history.jsonl"])
def test_files_of_a_folder_that_is_no_run_are_not_written_over(tmp_path, name):
    own = tmp_path / name
    own.write_text("mine")
    with pytest.raises(RunError, match=f"directory of no run, and has {name}"):
        autoopt.fit(lambda x: (x - 1) ** 2, 0.0, run_dir=tmp_path)
    assert own.read_text() == "mine" and [file.name for file in tmp_path.iterdir()] == [name]


def test_a_run_that_failed_before_it_had_a_point_is_not_in_the_way(tmp_path):
    def failing(x):
        raise ValueError("of the user's own")

    with pytest.raises(autoopt.AutooptError, match="of the user's own"):
        autoopt.fit(failing, [-1.2, 1.0], run_dir=tmp_path)
    assert "of the user's own" in json.loads((tmp_path / "result.json").read_text())["error"]
    assert autoopt.fit(rosenbrock, [-1.2, 1.0], run_dir=tmp_path).status == "converged"
    told = json.loads((tmp_path / "result.json").read_text())
    assert told["run"]["parts"] == 1 and told["error"] is None
    with pytest.raises(RunError, match="has ended"):
        autoopt.fit(rosenbrock, [-1.2, 1.0], run_dir=tmp_path)


def test_one_process_at_a_time(tmp_path):
    said = []

    def progress(event):
        if not said:
            with pytest.raises(RunError) as refusal:
                autoopt.fit(rosenbrock, [-1.2, 1.0], run_dir=tmp_path, resume=True)
            said.append(str(refusal.value))

    autoopt.fit(rosenbrock, [-1.2, 1.0], run_dir=tmp_path, progress=progress)
    assert f"Another process is at work on the run {tmp_path}: process {os.getpid()} on" in said[0]


# Damage ---------------------------------------------------------------------------------------------------------------


def cut(text):
    return text[: len(text) // 2]


def empty(text):
    return ""


def one_digit(text):
    return text.replace('"iteration":', '"iteration":9')


def other_json(text):
    return "[1, 2]"


@pytest.mark.sampled(2)
@pytest.mark.parametrize("damage", [cut, empty, one_digit, other_json])
def test_a_damaged_checkpoint_has_one_before_it(tmp_path, damage):
    interrupted(rosenbrock, [-1.2, 1.0], method="bfgs", run_dir=tmp_path, after=6)
    file = tmp_path / "checkpoint.json"
    file.write_text(damage(file.read_text()))
    found = autoopt.resume(tmp_path, rosenbrock)
    assert found.params == pytest.approx([1.0, 1.0]) and "the checkpoint before it was used" in found.notes[-1]
    for one in (file, checkpoint.previous(file)):
        one.write_text(damage(one.read_text()))
    with pytest.raises(RunError, match=r"checkpoint.json is damaged .*; .*checkpoint.previous.json is damaged"):
        autoopt.resume(tmp_path, rosenbrock)


def test_a_checkpoint_of_another_kind_is_refused(tmp_path):
    (tmp_path / "checkpoint.json").write_text('{"schema": 7}')
    with pytest.raises(RunError, match="of the kind 7; this version of autoopt knows 1 and 2"):
        autoopt.resume(tmp_path)


def test_where_there_is_no_run(tmp_path):
    with pytest.raises(RunError, match="holds no run"):
        autoopt.resume(tmp_path)
    with pytest.raises(RunError, match="is not there"):
        autoopt.resume(tmp_path / "nowhere")


def test_numbers_keep_their_last_bit(tmp_path):
    x = [*np.random.default_rng(0).normal(size=50) * 10.0 ** np.arange(-25, 25), 5e-324, 1.7976931348623157e308, -0.0]
    Writer(tmp_path / "c.json", {}).write(Point(x=[float(v) for v in x], value=0.1 + 0.2))
    point = checkpoint.read(tmp_path / "c.json").point
    assert np.array(point.x).tobytes() == np.array(x).tobytes() and point.value == 0.1 + 0.2


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 3, 0.1, float("inf"), "a", Path("/a/b"), [1, "b"], (1, (2.0,)), {"a", "b"}),
        *({"a": [1]}, {1: (2, None)}, {"array": 1, "path": "b"}),
    ],
)
def test_arguments_come_back(value):
    assert storing.restored(json.loads(json.dumps(storing.stored(value)))) == value


def test_arrays_come_back():
    for array in (X, np.arange(3), np.array(2.5), np.zeros((0, 2)), np.array([True]), np.float32([0.1])):
        back = storing.restored(json.loads(json.dumps(storing.stored(array))))
        assert back.dtype == array.dtype and back.shape == array.shape and np.array_equal(back, array)
    for value in (np.zeros(200_000), nll, object(), np.array([object()])):
        with pytest.raises(storing.NotStorable):
            storing.stored(value)


FACTOR = 2.0


def helper(x):
    return FACTOR * x


def calling(x):
    return np.sum(helper(x))


def test_a_digest_is_of_what_a_function_reads_of_its_module(monkeypatch):
    before = identity.digest(calling)
    assert identity.digest(calling) == before
    monkeypatch.setitem(globals(), "FACTOR", 3.0)
    assert identity.digest(calling) != before
    monkeypatch.undo()
    monkeypatch.setattr(helper, "__code__", (lambda x: x * FACTOR).__code__)
    assert identity.digest(calling) != before


def closure(number):
    return lambda x: x * number


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (closure(1.0), closure(1.0), True),
        (closure(1.0), closure(2.0), False),
        (lambda x: x + 1, lambda x: x + 2, False),
        (np.arange(3), np.arange(3), True),
        (np.arange(3), np.arange(3.0), False),
        (np.zeros((2, 3)), np.zeros((3, 2)), False),
        ({"a": X}, {"a": X + 0.0}, True),
        ({"a": X}, {"b": X}, False),
        ((1, 2), (1, 3), False),
    ],
)
def test_digests_differ_where_values_do(one, other, same):
    assert (identity.digest(one) == identity.digest(other)) == same


# Disks that are full, places that cannot be written -------------------------------------------------------------------


def refusing(number):
    def refuse(*args, **options):
        raise OSError(number, os.strerror(number))

    return refuse


def test_a_full_disk_is_told_before_anything_is_computed(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", refusing(28))
    with pytest.raises(RunError, match=r"cannot be kept in .*: No space left on device. Nothing has been computed yet"):
        autoopt.fit(lambda x: 1 / 0, [1.0], run_dir=tmp_path)


def test_a_disk_that_fills_up_does_not_end_the_run(tmp_path, monkeypatch):
    def progress(event):
        monkeypatch.setattr("autoopt.atomic.write", refusing(28))

    with pytest.warns(RunWarning, match="The run goes on, but cannot be kept in .*: No space left") as told:
        found = autoopt.fit(rosenbrock, [-1.2, 1.0], run_dir=tmp_path, progress=progress)
    assert found.status == "converged" and len(told) == 1
    assert "does not hold this result" in found.notes[-1]
    monkeypatch.undo()
    assert autoopt.resume(tmp_path, rosenbrock).status == "converged" and (tmp_path / "result.json").exists()


def test_a_result_that_cannot_be_put_into_words_is_returned_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(autoopt.fitting.fitted.Fit, "to_dict", lambda self: {"value": float("nan")})
    with pytest.warns(RunWarning, match="could not be put into words"):
        found = autoopt.fit(rosenbrock, [-1.2, 1.0], run_dir=tmp_path)
    assert found.status == "converged" and checkpoint.read(tmp_path / "checkpoint.json").point.state == "failed"
    monkeypatch.undo()
    assert autoopt.resume(tmp_path, rosenbrock).params == pytest.approx(found.params)


@pytest.mark.parametrize("place", ["file/run", "/proc/nowhere/run"])
def test_a_place_that_cannot_be_written_is_told(tmp_path, place, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be kept in"):
        autoopt.fit(rosenbrock, [-1.2, 1.0], run_dir=place)


# One file -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", [autoopt.minimize, autoopt.least_squares])
def test_a_call_goes_on_from_its_file(tmp_path, call):
    of_residuals = call is autoopt.least_squares
    given, args = ((residuals, [1.0, 1.0]), (T, SEEN)) if of_residuals else ((nll, np.zeros(3)), (X, Y))
    whole, file = call(*given, args=args), tmp_path / "best.json"
    with pytest.raises(KeyboardInterrupt):
        call(*given, args=args, checkpoint=file, progress=stopping(3))
    point = checkpoint.read(file).point
    assert point.state == "interrupted" and point.iteration == 3
    found = call(*given, args=args, checkpoint=file)
    np.testing.assert_allclose(found.x, whole.x, rtol=1e-6)
    assert checkpoint.read(file).point.state == "ended"
    with pytest.raises(RunError, match="the data have changed"):
        call(*given, args=(args[0], args[1] + 1.0), checkpoint=file)


def test_several_starts_keep_the_best_point(tmp_path):
    file = tmp_path / "best.json"

    def f(x):
        return np.sum(x**4 - 8 * x**2 + x)

    with pytest.raises(KeyboardInterrupt):
        autoopt.minimize(f, [2.0, 2.0], starts=6, checkpoint=file, progress=stopping(9))
    point = checkpoint.read(file).point
    found = autoopt.minimize(f, [2.0, 2.0], starts=6, checkpoint=file)
    assert found.fun <= point.value and found.success


def bumps(x):
    return np.sum(x**2 - 10 * np.cos(2 * np.pi * (x - 0.3)))


BOX = [(-5.0, 5.0)] * 3
SEARCHES = {
    "differential_evolution": {"bounds": BOX, "maxiter": 40},
    "dual_annealing": {"bounds": BOX, "maxiter": 60},
    "basinhopping": {"x0": np.full(3, 3.0), "niter": 12},
}


@pytest.mark.parametrize("search", SEARCHES)
def test_a_global_search_keeps_its_best_point(tmp_path, search, monkeypatch):
    file, note = tmp_path / "best.json", Recorder.__call__

    def stop(self, problem):
        note(self, problem)
        if self.point.iteration == (1 if search == "dual_annealing" else 3):
            raise KeyboardInterrupt

    monkeypatch.setattr(Recorder, "__call__", stop)
    with pytest.raises(KeyboardInterrupt):
        getattr(autoopt, search)(bumps, seed=1, checkpoint=file, **SEARCHES[search])
    monkeypatch.undo()
    point = checkpoint.read(file).point
    assert point.state == "interrupted" and point.value == pytest.approx(bumps(np.array(point.x)))
    again = SEARCHES[search] | ({"niter": 0} if search == "basinhopping" else {"maxiter": 1})
    assert getattr(autoopt, search)(bumps, seed=2, checkpoint=file, **again).fun <= point.value


def test_an_empty_place_is_refused():
    for name in ("run_dir", "checkpoint"):
        with pytest.raises(UsageError, match=f"{name} is an empty text"):
            autoopt.fit(lambda x: x**2, 0.0, **{name: ""})


def test_resume_needs_a_directory_and_one_place():
    with pytest.raises(autoopt.AutooptError, match="no run_dir"):
        autoopt.fit(rosenbrock, [0.0, 1.0], resume=True)
    with pytest.raises(autoopt.AutooptError, match="run_dir and checkpoint"):
        autoopt.fit(rosenbrock, [0.0, 1.0], run_dir="a", checkpoint="b")
