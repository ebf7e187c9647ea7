"""What an objective reads outside by ways that no name shows: memory, files, modules, builtins, opaque objects."""

from __future__ import annotations

import array
import builtins
import collections
import configparser
import contextvars
import ctypes
import glob
import gzip
import io
import json
import math
import mmap
import os
import pathlib
import pickle
import sqlite3
import string
import subprocess
import sys
import threading
import types
import weakref

import numpy as np
import pandas as pd
import pytest

import autoopt
from autoopt.errors import TracingError

X = np.array([1.5, 0.5])
P = np.array([1.0, -2.0])
SLOPE = np.array([2 * X[0] + X[1], X[0]])
PRODUCT = np.array([2 * P[0] + P[1], P[0]])

CASES = {}
FILES = {}


def quadratic(k, x):
    return k * (x[0] ** 2 + x[0] * x[1])


def case(make):
    CASES[make.__name__] = make
    return make


DATABASES = []


def database():
    """Return a database that holds the number 2, and is closed after the test."""
    base = sqlite3.connect(":memory:")
    base.execute("create table held(k)")
    base.execute("insert into held values (2.0)")
    DATABASES.append(base)
    return base


def attribute(owner, name="k"):
    return lambda k: setattr(owner, name, k)


def item(owner, key):
    return lambda k: owner.__setitem__(key, k)


@case
def view_of_memory():
    held = np.arange(6.0)
    seen = memoryview(held)[::2]
    return lambda x: quadratic(seen[1], x), item(held, 2)


@case
def view_of_memory_in_a_namespace():
    held = types.SimpleNamespace(seen=memoryview(np.array([2.0])))
    return lambda x: quadratic(held.seen[0], x), lambda k: setattr(held, "seen", memoryview(np.array([k])))


@case
def buffer_of_another_kind():
    held = array.array("d", [2.0])
    seen = np.frombuffer(held)
    return lambda x: quadratic(seen[0], x), item(held, 0)


@case
def mapped_memory():
    held = mmap.mmap(-1, 8)

    def change(k):
        held[:8] = np.array([k]).tobytes()

    return lambda x: quadratic(np.frombuffer(held[:8])[0], x), change


@case
def number_of_c():
    held = ctypes.c_double(2.0)
    return lambda x: quadratic(held.value, x), attribute(held, "value")


@case
def numbers_of_c_behind_a_pointer():
    held = (ctypes.c_double * 2)(2.0, 3.0)
    pointer = ctypes.cast(held, ctypes.POINTER(ctypes.c_double))
    return lambda x: quadratic(pointer.contents.value, x), item(held, 0)


@case
def structure_of_c():
    class Numbers(ctypes.Structure):
        _fields_ = (("k", ctypes.c_double),)

    held = Numbers(2.0)
    return lambda x: quadratic(held.k, x), attribute(held)


@case
def record_of_numpy():
    table = np.array([(2.0,)], dtype=[("k", float)])
    held = table[0]
    return lambda x: quadratic(held["k"], x), lambda k: table["k"].__setitem__(0, k)


@case
def context_variable():
    held = contextvars.ContextVar("held", default=2.0)
    return lambda x: quadratic(held.get(), x), held.set


@case
def context_variable_with_a_default_of_the_call():
    held = contextvars.ContextVar("held")
    return lambda x: quadratic(held.get(2.0), x), held.set


@case
def dictionary_in_a_context_variable():
    held = contextvars.ContextVar("held", default={"k": 2.0})  # noqa: B039
    return lambda x: quadratic(held.get()["k"], x), lambda k: held.get().update(k=k)


@case
def attributes_of_a_frame():
    table = pd.DataFrame({"a": [1.0]})
    table.attrs["k"] = 2.0
    return lambda x: quadratic(table.attrs["k"], x), item(table.attrs, "k")


@case
def name_of_a_series():
    column = pd.Series([1.0], name=2.0)
    return lambda x: quadratic(column.name, x), attribute(column, "name")


@case
def attribute_of_an_array():
    class Weighted(np.ndarray):
        pass

    held = np.array([1.0]).view(Weighted)
    held.k = 2.0
    return lambda x: quadratic(held.k * held[0], x), attribute(held)


@case
def name_in_numpy():
    return lambda x: quadratic(np.my_k, x), attribute(np, "my_k")


@case
def name_in_numpy_that_is_missing():
    return lambda x: quadratic(getattr(np, "my_late", 2.0), x), attribute(np, "my_late")


@case
def function_in_numpy():
    np.my_f = lambda: 2.0
    return lambda x: quadratic(np.my_f(), x), lambda k: setattr(np, "my_f", lambda: k)


@case
def name_in_the_standard_library():
    return lambda x: quadratic(string.my_k, x), attribute(string, "my_k")


@case
def name_in_math():
    return lambda x: quadratic(math.my_k, x), attribute(math, "my_k")


@case
def name_imported_inside():
    def function(x):
        from string import my_k

        return quadratic(my_k, x)

    return function, attribute(string, "my_k")


@case
def names_that_a_module_looks_up():
    held, module = {"k": 2.0}, types.ModuleType("module")
    module.__getattr__ = lambda name: held[name]
    return lambda x: quadratic(module.k, x), item(held, "k")


@case
def arguments_of_the_process():
    return lambda x: quadratic(float(sys.argv[-1]), x), lambda k: setattr(sys, "argv", ["a", str(k)])


@case
def name_in_builtins():
    return lambda x: quadratic(MY_K, x), attribute(builtins, "MY_K")  # noqa: F821


@case
def list_in_builtins():
    builtins.MY_L = [2.0]
    return lambda x: quadratic(MY_L[0], x), item(builtins.MY_L, 0)  # noqa: F821


@case
def environment_under_another_name():
    read = os.getenv
    return lambda x: quadratic(float(read("AUTOOPT_TESTED")), x), lambda k: os.environ.update(AUTOOPT_TESTED=str(k))


@case
def weak_reference():
    class Owner:
        k = 2.0

    held = Owner()
    reference = weakref.ref(held)
    return lambda x: quadratic(reference().k, x), attribute(held)


@case
def values_of_a_dictionary():
    held = {"k": 2.0}
    values = held.values()
    return lambda x: quadratic(sum(values), x), item(held, "k")


@case
def method_of_a_dictionary():
    held = {"k": 2.0}
    read = held.get
    return lambda x: quadratic(read("k"), x), item(held, "k")


@case
def method_of_an_array():
    held = np.array([2.0])
    total = held.sum
    return lambda x: quadratic(total(), x), item(held, 0)


@case
def factory_of_a_dictionary():
    held = collections.defaultdict(lambda: 2.0)

    def change(k):
        held.clear()
        held.default_factory = lambda: k

    return lambda x: quadratic(held["k"], x), change


@case
def values_of_this_thread():
    held = threading.local()
    held.k = 2.0
    return lambda x: quadratic(held.k, x), attribute(held)


@case
def text_that_is_read_as_a_file():
    held = io.StringIO()
    return lambda x: quadratic(float(held.getvalue()), x), lambda k: (held.seek(0), held.truncate(), held.write(str(k)))


@case
def what_a_function_is_called():
    def named():
        pass

    return lambda x: quadratic(float(named.__name__), x), lambda k: setattr(named, "__name__", str(k))


@case
def options_of_pandas():
    pd.set_option("display.max_rows", 2)
    return lambda x: quadratic(pd.options.display.max_rows, x), lambda k: pd.set_option("display.max_rows", int(k))


@case
def object_that_nobody_can_look_into():
    base = database()
    read = "select k from held"
    return lambda x: quadratic(base.execute(read).fetchone()[0], x), lambda k: base.execute(f"update held set k = {k}")


@case
def attribute_dictionary():
    held = AttributeDictionary(inner=AttributeDictionary(k=2.0))
    return lambda x: quadratic(held.inner.k, x), attribute(held.inner)


class AttributeDictionary(dict):
    __getattr__ = dict.__getitem__
    __setattr__ = dict.__setitem__


def file(write):
    """Register a function that reads a number from a file that `write(path, k)` makes."""

    def register(read):
        FILES[read.__name__] = write, read
        return read

    return register


def text(path, k):
    path.write_text(str(k))


def folder(path, k):
    path.mkdir(exist_ok=True)
    for name in path.iterdir():
        name.unlink()
    for number in range(int(k)):
        (path / str(number)).touch()


def there(path, k):
    path.touch() if k == 5.0 else path.unlink(missing_ok=True)


@file(lambda path, k: np.save(path.open("wb"), np.array([k])))
def array_file(path):
    return np.load(path)[0]


@file(text)
def opened(path):
    return float(open(path).read())


@file(lambda path, k: path.write_text(json.dumps({"k": k})))
def json_file(path):
    with open(path) as opened_file:
        return json.load(opened_file)["k"]


@file(text)
def loadtxt(path):
    return float(np.loadtxt(path))


@file(lambda path, k: np.array([k]).tofile(path))
def fromfile(path):
    return np.fromfile(path)[0]


@file(lambda path, k: np.array([k]).tofile(path))
def mapped(path):
    return np.memmap(path, dtype=float, mode="r")[0]


@file(lambda path, k: path.write_text(f"k\n{k}\n"))
def read_csv(path):
    return pd.read_csv(path)["k"][0]


@file(lambda path, k: path.write_bytes(pickle.dumps(k)))
def pickled(path):
    with path.open("rb") as opened_file:
        return pickle.load(opened_file)


@file(text)
def read_text(path):
    return float(pathlib.Path(path).read_text())


@file(text)
def read_by_the_system(path):
    number = os.open(path, os.O_RDONLY)
    try:
        return float(os.read(number, 10))
    finally:
        os.close(number)


@file(lambda path, k: path.write_bytes(gzip.compress(str(k).encode())))
def compressed(path):
    with gzip.open(path, "rt") as opened_file:
        return float(opened_file.read())


@file(lambda path, k: path.write_text(f"[a]\nk = {k}"))
def configuration(path):
    parser = configparser.ConfigParser()
    parser.read(path)
    return parser.getfloat("a", "k")


@file(lambda path, k: path.write_text(str(k)) if k == 5.0 else path.unlink(missing_ok=True))
def file_that_is_missing(path):
    try:
        return float(path.read_text())
    except FileNotFoundError:
        return 2.0


@file(there)
def whether_there_is_a_file(path):
    return 5.0 if os.path.exists(path) else 2.0


@file(folder)
def files_in_a_folder(path):
    return float(len(glob.glob(f"{path}/*")))


FORMS = {
    "objective": lambda f: autoopt.objective(f, X).value_and_grad,
    "functional": autoopt.value_and_grad,
    "product": lambda f: product(autoopt.objective(f, X)),
}


def product(objective):
    return lambda x: (None, objective.hessp(x, P))


def require_changes_seen(function, change):
    change(2.0)
    forms = {name: form(function) for name, form in FORMS.items()}
    for k in (2.0, 5.0, 2.0):
        change(k)
        assert function(X) == pytest.approx(quadratic(k, X)), "the case itself"
        for name, form in forms.items():
            value, slope = form(X)
            assert value is None or value == pytest.approx(quadratic(k, X)), name
            np.testing.assert_allclose(slope, k * (PRODUCT if name == "product" else SLOPE), err_msg=name)


@pytest.fixture
def as_before():
    arguments, rows = sys.argv, pd.get_option("display.max_rows")
    yield
    sys.argv = arguments
    pd.set_option("display.max_rows", rows)
    os.environ.pop("AUTOOPT_TESTED", None)
    for place, name in [(np, "my_k"), (np, "my_late"), (np, "my_f"), (math, "my_k"), (string, "my_k")]:
        vars(place).pop(name, None)
    for name in ("MY_K", "MY_L"):
        vars(builtins).pop(name, None)
    while DATABASES:
        DATABASES.pop().close()


@pytest.mark.parametrize("name", CASES)
def test_a_change_outside_is_seen(name, as_before):
    require_changes_seen(*CASES[name]())


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_written_anew_is_read_anew(name, tmp_path):
    write, read = FILES[name]
    path = tmp_path / "held"
    require_changes_seen(lambda x: quadratic(read(path), x), lambda k: write(path, k))


def test_a_file_that_does_not_change_is_read_once(tmp_path):
    path = tmp_path / "held"
    path.write_text("2.0")
    counted = []

    def function(x):
        counted.append(1)
        return quadratic(float(path.read_text()), x)

    objective = autoopt.objective(function, X)
    for k in range(4):
        objective.value_and_grad(X + k)
    assert len(counted) == 1 and objective.is_complete


def test_values_at_zeros_do_not_hide_a_change(as_before):
    """At zeros the value of a multiple is 0 whatever the factor: values beside tell."""
    base = database()
    objective = autoopt.objective(lambda x: base.execute("select k from held").fetchone()[0] * x[0] + x[1] ** 2, X)
    np.testing.assert_allclose(objective.grad(np.zeros(2)), [2.0, 0.0])
    base.execute("update held set k = 5.0")
    np.testing.assert_allclose(objective.grad(np.zeros(2)), [5.0, 0.0])


def test_numpys_error_modes_are_not_asked_for():
    with pytest.raises(TracingError, match=r"np\.geterr") as caught:
        autoopt.grad(lambda x: quadratic(2.0 if np.geterr()["over"] == "warn" else 5.0, x))(X)
    assert caught.value.where[0].file == __file__ and "outside of the objective" in caught.value.remedy


@pytest.mark.slow
def test_an_objective_that_reads_no_file_sets_no_hook():
    """Hooks stay for good, and cost at each look at a function's code."""
    code = (
        "import numpy as np, autoopt; from autoopt.tracing.outside import files\n"
        "autoopt.grad(eval('lambda x: np.sum(np.exp(x))'))(np.ones(2))\n"
        "assert files._hooked == []\n"
        "autoopt.grad(eval('lambda x: float(open(__file__).read() != \"\") * np.sum(x**2)',"
        f" {{'np': np, '__file__': {__file__!r}}}))(np.ones(2))\n"
        "assert files._hooked == [True]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
