"""The source cache: what a later process need not import, what is in the files, and what happens to damaged ones."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

import autoopt
from autoopt.execution import source_cache
from autoopt.parameters import Structure
from autoopt.tape.digest import digest
from autoopt.tracing.trace import trace

SECRET = 0.123456789
X = np.array([0.5, 1.5, 2.5])
KINDS = ("value_and_grad", "hess", "hessp")


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A cache of this test alone, with nothing of it in memory."""
    place = tmp_path / "cache"
    monkeypatch.setenv("AUTOOPT_CACHE", str(place))
    monkeypatch.setattr(source_cache, "_recent", {})
    return place


def forget() -> None:
    """Forget what is in memory, as if the process were new."""
    source_cache._recent.clear()


@pytest.fixture
def derived(monkeypatch) -> list[str]:
    """The keys that are written from now on, one for each derivation."""
    keys, original = [], source_cache.write

    def counted(key, *rest):
        keys.append(key)
        return original(key, *rest)

    monkeypatch.setattr(source_cache, "write", counted)
    return keys


def objective(x, d):
    return np.sum(np.log(1 + np.exp(x * d)))


def gradient(data=None) -> np.ndarray:
    return autoopt.objective(objective, X, np.array([SECRET, 2.0, 3.0]) if data is None else data).grad(X)


EXPECTED = np.array([SECRET, 2.0, 3.0]) / (1 + np.exp(-X * np.array([SECRET, 2.0, 3.0])))


# Later processes ------------------------------------------------------------------------------------------------------

_SCRIPT = """
import sys
import numpy as np
import autoopt

def logistic(w, X, y):
    z = X @ w
    return np.sum(np.log(1 + np.exp(z)) - y * z)

def loop(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 if x[i] < 5 else x[i]
    return total + np.dot(np.sin(np.arange(40.0))[: len(x)], x)

X = np.random.default_rng(0).normal(size=(50, 3))
y = (X[:, 0] > 0) * 1.0
o = autoopt.objective(logistic, np.zeros(3), X, y)
found = [*o.grad(np.ones(3)), *o.hess(np.ones(3)).ravel(), *o.hessp(np.ones(3), np.ones(3))]
found += [*autoopt.grad(loop)(np.arange(6.0)), *autoopt.jacobian(lambda x: np.outer(x, x).ravel())(np.ones(2)).ravel()]
print(" ".join(repr(float(v)) for v in found))
print(" ".join(sorted({"pytensor", "numba", "scipy.optimize", "pandas", "matplotlib"} & set(sys.modules))))
"""


def run_script(folder: Path | str) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT], capture_output=True, text=True, env=os.environ | {"AUTOOPT_CACHE": str(folder)}
    )
    assert done.returncode == 0, done.stderr
    numbers, modules = done.stdout.split("\n")[:2]
    return numbers, modules


@pytest.mark.slow
def test_second_process_imports_no_pytensor_and_finds_the_same(tmp_path) -> None:
    first, second = run_script(tmp_path), run_script(tmp_path)
    assert "pytensor" in first[1].split()
    assert second == (first[0], "")


# The folder -----------------------------------------------------------------------------------------------------------


def test_folder_is_the_variables(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("AUTOOPT_CACHE", str(tmp_path / "there"))
    assert source_cache.folder() == tmp_path / "there"


@pytest.mark.parametrize("word", ["off", "OFF", "0", "", "no", "false"])
def test_cache_is_turned_off(word, monkeypatch, tmp_path, derived) -> None:
    monkeypatch.setenv("AUTOOPT_CACHE", word)
    monkeypatch.setattr(source_cache, "_recent", {})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert source_cache.folder() is None
    source_cache.write("key", "text = 1\n")
    forget()
    assert source_cache.read("key") is None and list(tmp_path.rglob("*")) == []


def test_default_folder_is_the_users_cache(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("AUTOOPT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert source_cache.folder() == tmp_path / "autoopt"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert source_cache.folder() == tmp_path / ".cache" / "autoopt"


def test_files_are_readable_by_their_owner_alone(folder) -> None:
    gradient()
    files = list(folder.iterdir())
    assert files and {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0


def test_folder_that_cannot_be_made_is_no_error(monkeypatch, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/autoopt/cache")):
        monkeypatch.setenv("AUTOOPT_CACHE", str(place))
        monkeypatch.setattr(source_cache, "_recent", {})
        np.testing.assert_allclose(gradient(), EXPECTED, rtol=1e-14)
    assert (tmp_path / "file").read_text() == ""


def test_no_file_is_left_half_written(folder, monkeypatch) -> None:
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert gradient().shape == (3,)
    assert [file.name for file in folder.iterdir()] == ["secret"]


# What is kept ---------------------------------------------------------------------------------------------------------


def test_data_are_not_in_the_files(folder) -> None:
    outside = np.array([SECRET, 5.0, 6.0])

    def f(x, d, table):
        return np.sum(x * d * outside) + np.sum(np.log(table["rate"]) * x[0]) + float(table["rate"][1]) * 0

    large = SECRET * np.arange(1.0, 101.0)
    autoopt.grad(f)(X, np.array([SECRET, 2.0, 3.0]), {"rate": large})
    texts = [file.read_bytes() for file in folder.iterdir()]
    assert texts
    for text in texts:
        assert b"0.123456" not in text and np.float64(SECRET).tobytes() not in text


def test_second_objective_of_the_same_kind_is_not_derived(folder, derived) -> None:
    gradient()
    np.testing.assert_allclose(gradient(np.ones(3)), 1 / (1 + np.exp(-X)), rtol=1e-14)
    forget()
    np.testing.assert_allclose(gradient(), EXPECTED, rtol=1e-14)
    assert len(derived) == 1


def key(f, x0=X, *args, kind="value_and_grad") -> str:
    structure = Structure.of(x0)
    return digest(trace(f, structure, structure.flatten(x0), args).tape, kind, source_cache.version())


def weighted(constant):
    return lambda x, d: np.sum(x * d) * constant


def with_array(values):
    return lambda x, d: np.sum(x * d) + np.sum(np.array(values)) * x[0]


D = np.array([1.0, 2.0, 3.0])
PAIRS = {
    "constant": (weighted(2.0), weighted(3.0)),
    "constant by a last digit": (weighted(2.0), weighted(np.nextafter(2.0, 3.0))),
    "type of a constant": (weighted(2), weighted(2.0)),
    "sign of zero": (weighted(0.0), weighted(-0.0)),
    "entry of an array": (with_array([1.0, 2.0]), with_array([1.0, 2.0 + 1e-15])),
    "shape of an array": (with_array([[1.0, 2.0]]), with_array([1.0, 2.0])),
    "function": (lambda x, d: np.sum(np.sin(x) * d), lambda x, d: np.sum(np.cos(x) * d)),
    "axis": (lambda x, d: np.sum(np.outer(x, d).sum(0) * d), lambda x, d: np.sum(np.outer(x, d).sum(1) * d)),
    "index": (lambda x, d: np.sum(x * d[0]), lambda x, d: np.sum(x * d[1])),
    "slice": (lambda x, d: np.sum(x[:2]) * d[0], lambda x, d: np.sum(x[1:]) * d[0]),
    "order of operands": (lambda x, d: np.sum(x - d), lambda x, d: np.sum(d - x)),
    "operand": (lambda x, d: np.sum(x * x * d), lambda x, d: np.sum(x * d * d)),
    "branch": (lambda x, d: x[0] if x[0] > 0 else d[0], lambda x, d: x[0] if x[0] < 9 else d[0]),
    "dtype": (lambda x, d: np.sum(x * d.astype(int)), lambda x, d: np.sum(x * d.astype(float))),
    "position written": (
        lambda x, d: np.sum(np.where(np.arange(3) == 0, x, d)),
        lambda x, d: np.sum(np.where(np.arange(3) == 1, x, d)),
    ),
    "string option": (
        lambda x, d: np.sum(np.outer(x, d).reshape(9, order="C") * np.arange(9)),
        lambda x, d: np.sum(np.outer(x, d).reshape(9, order="F") * np.arange(9)),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_what_the_code_depends_on_gives_another_key(name) -> None:
    first, second = PAIRS[name]
    assert key(first, X, D) != key(second, X, D)
    assert key(first, X, D) == key(first, X, D)


def test_shapes_kinds_and_names_give_other_keys() -> None:
    f = lambda x, d: np.sum(x) * np.sum(d)  # noqa: E731
    renamed = lambda x, e: np.sum(x) * np.sum(e)  # noqa: E731
    keys = [key(f, X, D), key(f, np.ones(4), D), key(f, X, np.ones(4)), key(f, X, D.astype(int)), key(f, X, 2.0)]
    keys += [key(f, X, D, kind="hess"), key(renamed, X, D), key(f, X, D[None, :])]
    assert len(set(keys)) == len(keys)


def test_changed_data_give_the_same_key() -> None:
    f = lambda x, d, k: np.sum(x * np.log(d)) * k + d.max() * x[0]  # noqa: E731
    assert key(f, X, D, 2.0) == key(f, 2 * X, D + 1, 3.0)


def test_version_is_part_of_the_key(folder, derived, monkeypatch) -> None:
    gradient()
    monkeypatch.setattr(source_cache, "version", lambda: "another release")
    gradient()
    assert len(set(derived)) == 2


def test_large_constants_that_differ_do_not_share_results(folder) -> None:
    for shift in (0.0, 1.0):
        forget()
        f = lambda x, shift=shift: np.sum(x[0] * np.sin(np.arange(50.0) + shift))  # noqa: E731
        expected = np.sin(np.arange(50.0) + shift).sum()
        np.testing.assert_allclose(autoopt.grad(f)(X), [expected, 0.0, 0.0], rtol=1e-12)


# Damage ---------------------------------------------------------------------------------------------------------------


def truncated(text: str) -> str:
    return text[: len(text) // 2]


def emptied(text: str) -> str:
    return ""


def without_its_last_line(text: str) -> str:
    return text.rstrip("\n").rsplit("\n", 1)[0] + "\n"


def of_another_key(text: str) -> str:
    return text.rstrip("\n")[:-4] + "0000\n"


def with_a_line_changed(text: str) -> str:
    lines = text.split("\n")
    (place,) = (i for i, line in enumerate(lines) if line.startswith("    return ") and "gradient" in line)
    return "\n".join([*lines[:place], "    gradient = gradient + 1.0", *lines[place:]])


def with_a_line_garbled(text: str) -> str:
    return text.replace("import numpy as np", "import numpy as )(", 1)


DAMAGES = [truncated, emptied, without_its_last_line, of_another_key]
DAMAGES += [with_a_line_changed, with_a_line_garbled]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_entry_is_ignored_and_rewritten(damage, folder, derived) -> None:
    gradient()
    (file,) = folder.glob("*.py")
    good = file.read_text()
    file.write_text(damage(good))
    assert file.read_text() != good
    forget()
    np.testing.assert_allclose(gradient(), EXPECTED, rtol=1e-14)
    assert len(derived) == 2 and file.read_text() == good


def test_entry_that_is_not_text_is_ignored(folder, derived) -> None:
    gradient()
    (file,) = folder.glob("*.py")
    file.write_bytes(b"\xff\xfe\x00" + os.urandom(100))
    forget()
    np.testing.assert_allclose(gradient(), EXPECTED, rtol=1e-14)


def test_entry_that_is_a_folder_is_ignored(folder) -> None:
    gradient()
    (file,) = folder.glob("*.py")
    file.unlink()
    file.mkdir()
    forget()
    np.testing.assert_allclose(gradient(), EXPECTED, rtol=1e-14)


# Several at once ------------------------------------------------------------------------------------------------------

_WRITER = r"""
from autoopt.execution import source_cache
for k in range(300):
    source_cache.write("key", f"text = {k}\n" * (k % 50 + 1))
print("done")
"""


@pytest.mark.slow
def test_concurrent_writers_leave_whole_entries(folder) -> None:
    environment = os.environ | {"AUTOOPT_CACHE": str(folder)}
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER], env=environment, stdout=subprocess.PIPE) for _ in range(2)
    ]
    seen = 0
    while any(writer.poll() is None for writer in writers):
        forget()
        text = source_cache.read("key")
        seen += text is not None
        assert text is None or len({line for line in text.split("\n") if line.startswith("text")}) == 1
        assert text is not None or not seen, "an entry was gone for a moment"
    assert [writer.communicate()[0].strip() for writer in writers] == [b"done", b"done"]
    assert seen and {file.name for file in folder.iterdir()} == {"key.py", "secret"}


def test_threads_share_the_cache(folder) -> None:
    found: list = []

    def work():
        for k in range(60):
            source_cache.write(f"key{k % 7}", f"text = {k % 7}\n")
            found.append(source_cache.read(f"key{k % 7}").startswith(f"text = {k % 7}\n"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 240 and all(found)


def test_memory_is_bounded(folder, monkeypatch) -> None:
    monkeypatch.setattr(source_cache, "_RECENT", 5)
    for k in range(20):
        source_cache.write(f"key{k}", "text\n")
    assert len(source_cache._recent) <= 5 and source_cache.read("key0").startswith("text\n")


# Refusals -------------------------------------------------------------------------------------------------------------


def refused_once(monkeypatch, refused: str = "hess") -> list[str]:
    """Let the derivation of one kind fail at the objective's last step, and count the derivations."""
    from autoopt.errors import UnsupportedFunctionError
    from autoopt.graph import derive as module

    counted, derive = [], module.derive

    def failing(built, kind, *rest):
        counted.append(kind)
        if kind == refused:
            step = built.tape.steps[built.tape.output]
            raise UnsupportedFunctionError("There is no stacked form.", step.location, "take it by columns.")
        return derive(built, kind, *rest)

    monkeypatch.setattr(module, "derive", failing)
    return counted


def test_failed_derivation_is_remembered(folder, monkeypatch) -> None:
    def f(x):
        return np.sum(np.exp(x) * x)

    kinds = refused_once(monkeypatch)
    expected = np.diag(np.exp(X) * (X + 2))
    for _ in range(3):  # each with an objective of its own
        np.testing.assert_allclose(autoopt.objective(f, X).hess(X), expected, rtol=1e-12)
        assert kinds.count("hess") == 1
    forget()
    np.testing.assert_allclose(autoopt.objective(f, X).hess(X), expected, rtol=1e-12)
    assert kinds == ["hess", "hessp"]  # the products are what the cache has of it


def test_remembered_refusal_names_the_lines_of_the_function_that_is_asked_for(folder, monkeypatch) -> None:
    from autoopt.errors import UnsupportedFunctionError
    from autoopt.execution.engines import module_source
    from autoopt.tape.batching.batching import vectorise

    def one(x):
        return np.sum(np.exp(x) * x)

    def other(x):
        y = np.exp(x)
        y = y * x
        return np.sum(y)

    kinds = refused_once(monkeypatch, "hessp")
    places = []
    for f in (one, other):
        tape = vectorise(trace(f, Structure.of(X), X, ()).tape)
        with pytest.raises(UnsupportedFunctionError, match="no stacked form") as caught:
            module_source(tape, "hessp", "")
        assert caught.value.remedy == "take it by columns."
        places.append(caught.value.where[0].line)
    first = one.__code__.co_firstlineno
    assert kinds == ["hessp"] and places == [first + 1, other.__code__.co_firstlineno + 3]


_REFUSED = """
import sys
import numpy as np, autoopt
from scipy.linalg import solve_toeplitz
f = lambda p: np.sum(solve_toeplitz(np.append(p + 5, 1.0), np.ones(4)))
print(repr(float(autoopt.hessian(f)(np.array([0.3, -1.0, -2.0])).sum())), "pytensor" in sys.modules)
"""


@pytest.mark.slow
def test_refused_hessian_imports_no_pytensor_in_a_later_process(tmp_path) -> None:
    environment = os.environ | {"AUTOOPT_CACHE": str(tmp_path)}
    command = [sys.executable, "-c", _REFUSED]
    runs = [subprocess.run(command, capture_output=True, text=True, env=environment).stdout.split() for _ in range(2)]
    assert runs[0] == [runs[1][0], "True"] and runs[1][1] == "False"


class Kept:
    """An objective whose arrays, being attributes, are constants: code may have numbers that are computed from them."""

    def __init__(self, positions, weights):
        self.positions, self.weights = positions, weights

    def __call__(self, x):
        weights = np.concatenate([self.weights, np.zeros(3)])
        parts = np.sum(x[:3] * weights[2:5]) + x[1] * np.max(weights) + np.sum(weights) * x[0]
        return np.sum(x[self.positions] * np.arange(40.0)) + parts


def test_numbers_computed_from_constants_are_those_of_each_objective(folder) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=40)
    for positions in (np.arange(40), rng.permutation(40), np.arange(40)[::-1], np.arange(40)):
        f = Kept(positions, rng.normal(size=40))
        value, gradient = autoopt.objective(f, np.zeros(40)).value_and_grad(x)
        assert value == pytest.approx(f(x))
        assert gradient == pytest.approx([f(unit) for unit in np.eye(40)])  # it is linear


def test_masks_are_those_of_each_path(folder) -> None:
    weights = np.linspace(0.1, 1.0, 40)

    def f(x):
        positive = x > 0
        return np.sum(positive) * np.sum(x**2) + len(x[positive]) + np.sum(weights[positive] * x[positive])

    rng = np.random.default_rng(0)
    objective = autoopt.objective(f, rng.normal(size=40))
    for x in rng.normal(size=(4, 40)):
        for _ in range(2):
            value, gradient = objective.value_and_grad(x)
            assert value == pytest.approx(f(x))
            assert gradient == pytest.approx(np.sum(x > 0) * 2 * x + weights * (x > 0))
    assert len(objective.dispatch.paths) == 5


def test_what_is_computed_of_long_constants_is_part_of_the_code():
    """A sum of a list is a number in the source: other lists, of the same length, are another source."""

    def loss(x, numbers):
        return np.sum(np.array(numbers)) * x[0] ** 2 + np.max(np.array(numbers)[3:5]) * x[0]

    for scale in (1.0, 3.0, -2.0, 0.0):
        numbers = [scale * k for k in range(40)]
        value, (slope,) = autoopt.value_and_grad(loss)(np.array([1.5]), numbers)
        assert value == pytest.approx(scale * 780 * 2.25 + max(numbers[3:5]) * 1.5)
        assert slope == pytest.approx(scale * 780 * 3.0 + max(numbers[3:5]))


@pytest.mark.parametrize("package", ["scipy", "pytensor", "numpy"])
def test_release_in_the_key_is_that_of_the_metadata(package) -> None:
    assert source_cache.release(package) == metadata.version(package)


def test_release_that_no_folder_tells_is_that_of_the_metadata(monkeypatch) -> None:
    monkeypatch.setattr(source_cache, "find_spec", lambda package: None)
    assert source_cache.release("scipy") == metadata.version("scipy")
