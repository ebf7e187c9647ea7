"""What autoopt says of objectives that it cannot follow, word by word."""

from __future__ import annotations

import numpy as np

from autoopt.errors import (
    ObjectiveError,
    TracingError,
    UnsupportedFunctionError,
)

NUMPY = "To fix this: write the calculation with NumPy functions, or pass jac='finite-difference'."
OTHERS = "To fix this: write it with other NumPy functions, or pass jac='finite-difference'."
LOST = "A value that depends on the parameters is turned into {}, which would lose its derivative."


# body, data, kind, message
MESSAGES: dict[str, tuple[str, tuple, type, str]] = {
    "function without a rule": (
        "return np.sum(x) + 3.0 * np.lexsort((x, x))[0]",
        (),
        UnsupportedFunctionError,
        f"""\
The objective calls np.lexsort, which autoopt cannot differentiate.
  model.py:7
    return np.sum(x) + 3.0 * np.lexsort((x, x))[0]
                             ^^^^^^^^^^^^^^^^^^
{OTHERS}""",
    ),
    "two functions without rules": (
        "z = np.sum(np.spacing(x))\nreturn z + np.sum(np.lexsort((x, x)))",
        (),
        UnsupportedFunctionError,
        f"""\
The objective calls np.spacing, np.lexsort, which autoopt cannot differentiate.
  model.py:7
    z = np.sum(np.spacing(x))
               ^^^^^^^^^^^^^
  model.py:8
    return z + np.sum(np.lexsort((x, x)))
                      ^^^^^^^^^^^^^^^^^^
{OTHERS}""",
    ),
    "function in a helper": (
        "def inner(z):\n    return np.spacing(z).sum()\nreturn inner(2.0 * x)",
        (),
        UnsupportedFunctionError,
        f"""\
The objective calls np.spacing, which autoopt cannot differentiate.
  model.py:8
    return np.spacing(z).sum()
           ^^^^^^^^^^^^^
{OTHERS}""",
    ),
    "option without a rule": (
        "return np.sum(x, dtype=np.float32)",
        (),
        UnsupportedFunctionError,
        """\
The objective calls np.sum with dtype=float32, which autoopt cannot differentiate.
  model.py:7
    return np.sum(x, dtype=np.float32)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^
To fix this: leave out dtype=""",
    ),
    "array of records": (
        "a = np.zeros(3, dtype=[('u', float)])\na['u'] = x\nreturn a['u'].sum()",
        (),
        UnsupportedFunctionError,
        """\
The objective uses an array of records, which autoopt cannot differentiate.
  model.py:8
    a['u'] = x
    ^^^^^^
To fix this: keep each field in an array of its own""",
    ),
    "array of objects": (
        "a = np.empty(1, dtype=object)\na[0] = x\nreturn a[0].sum()",
        (),
        UnsupportedFunctionError,
        """\
The objective uses an array of objects, which autoopt cannot differentiate.
  model.py:8
    a[0] = x
    ^^^^
To fix this: use a list""",
    ),
    "data of objects": (
        "return np.sum((data[0] @ x - 1)**2)",
        (np.array([[1.0, 2.0, 3.0]], dtype=object),),
        TracingError,
        """\
The objective calculates with an array of objects: this is not followed.
  model.py:7
    return np.sum((data[0] @ x - 1)**2)
                   ^^^^^^^^^^^
To fix this: make it an array of numbers before the fit: .astype(float).""",
    ),
    "attribute without a rule": (
        "return x.ctypes.data * x.sum()",
        (),
        UnsupportedFunctionError,
        """\
The objective uses .ctypes of an array, which autoopt cannot differentiate.
  model.py:7
    return x.ctypes.data * x.sum()
           ^^^^^^^^
To fix this: use the NumPy function that does the same, or pass jac='finite-difference'.""",
    ),
    "where without out": (
        "return np.log(x, where=x > 1).sum()",
        (),
        UnsupportedFunctionError,
        """\
np.log is called with where= but without out=, so some entries are whatever memory held.
  model.py:7
    return np.log(x, where=x > 1).sum()
           ^^^^^^^^^^^^^^^^^^^^^^
To fix this: give out= an array, or use np.where.""",
    ),
    "r_ with a string": (
        "return np.r_['0,2', x, x].sum()",
        (),
        TracingError,
        """\
np.r_ with a string is not followed.
  model.py:7
    return np.r_['0,2', x, x].sum()
           ^^^^^^^^^^^^^^^^^^
To fix this: use np.concatenate.""",
    ),
    "float in a library": (
        "return math.ulp(x[0]) + x.sum()",
        (),
        TracingError,
        f"""\
{LOST.format("a Python float")}
  model.py:7
    return math.ulp(x[0]) + x.sum()
           ^^^^^^^^^^^^^^
{NUMPY}""",
    ),
    "array in a library": (
        "return next(iter(np.broadcast(x, 1.0)))[0]",
        (),
        TracingError,
        f"""\
{LOST.format("an array")}
  model.py:7
    return next(iter(np.broadcast(x, 1.0)))[0]
                     ^^^^^^^^^^^^^^^^^^^^
{NUMPY}""",
    ),
    "complex number": (
        "return float(complex(x[0], 1.0))",
        (),
        TracingError,
        """\
A complex value that depends on the parameters is turned into a Python float.
  model.py:7
    return float(complex(x[0], 1.0))
           ^^^^^^^^^^^^^^^^^^^^^^^^^
To fix this: take its real part, its imaginary part or its absolute value first.""",
    ),
    "set member": (
        "return len({x[0], x[1]}) * x.sum()",
        (),
        TracingError,
        f"""\
{LOST.format("a dictionary key or set member")}
  model.py:7
    return len({{x[0], x[1]}}) * x.sum()
               ^^^^^^^^^^^^
{NUMPY}""",
    ),
    "bytes": (
        "return np.frombuffer(x.tobytes()).sum()",
        (),
        TracingError,
        f"""\
{LOST.format("bytes")}
  model.py:7
    return np.frombuffer(x.tobytes()).sum()
                         ^^^^^^^^^^^
{NUMPY}""",
    ),
    "data written into": (
        "data[0][0] = x[0]\nreturn data[0].sum()",
        (np.ones(3),),
        TracingError,
        """\
The objective changes its data argument 'data_1' in place, so every call would see other data.
  model.py:7
    data[0][0] = x[0]
    ^^^^^^^^^^
To fix this: work on a copy, as in data_1 = data_1.copy().""",
    ),
    "outside array written into": (
        "W[0] = x[0]\nreturn W.sum()",
        (),
        TracingError,
        """\
The objective reads entries of 'W', made outside of it, that this call has not written.
  model.py:8
    return W.sum()
           ^^^^^^^
To fix this: make the array inside the objective, or write all of it there before it is read.""",
    ),
    "out of an outside array": (
        "np.exp(x, out=data[0][0])\nreturn data[0][0].sum() + data[0][1].sum()",
        ([np.ones(3, dtype=np.float16), np.ones(3)],),
        TracingError,
        """\
The objective writes a traced value into an array made outside of it (out=).
  model.py:7
    np.exp(x, out=data[0][0])
    ^^^^^^^^^^^^^^^^^^^^^^^^^
To fix this: make the array inside the objective, or leave out= away.""",
    ),
    "added to an outside array": (
        "np.add.at(data[0][0], [0, 1, 1], x)\nreturn data[0][0].sum()",
        ([np.ones(3)],),
        TracingError,
        """\
The objective writes into an array, made outside of it, after it has read what was there.
  model.py:7
    np.add.at(data[0][0], [0, 1, 1], x)
    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
To fix this: make the array inside the objective, or write all of it there before it is read.""",
    ),
    "function that returns an object": (
        "from scipy.interpolate import make_smoothing_spline\nt = np.arange(6.0)\n"
        "return make_smoothing_spline(t, np.append(x, x))(2.5)",
        (),
        UnsupportedFunctionError,
        f"""\
The objective calls scipy.interpolate.make_smoothing_spline with values that depend on the parameters; the \
BSpline that it returns is not followed.
  model.py:9
    return make_smoothing_spline(t, np.append(x, x))(2.5)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
{NUMPY}""",
    ),
    "array returned": (
        "return x * 2.0",
        (),
        ObjectiveError,
        """\
The objective returned an array of shape (3,), not a scalar.
  model.py:6
    def objective(x, *data):
To fix this: return one number, for example np.sum(...) or .mean() of it.""",
    ),
    "nothing returned": (
        "x.sum()",
        (),
        ObjectiveError,
        """\
The objective returned nothing (None), not a number.
  model.py:6
    def objective(x, *data):
To fix this: return one scalar, such as a sum over the data.""",
    ),
    "text returned": (
        "return 'a'",
        (),
        ObjectiveError,
        """\
The objective returned a str, not a number.
  model.py:6
    def objective(x, *data):
To fix this: return one scalar, such as a sum over the data.""",
    ),
    "runs, but not while traced": (
        "return 2.0 * memoryview(x)[0]",
        (),
        TracingError,
        """\
The objective runs, but not while it is traced: TypeError: memoryview: a bytes-like object is required, not \
'TracedArray'
  model.py:7
    return 2.0 * memoryview(x)[0]
                 ^^^^^^^^^^^^^
To fix this: write the line with NumPy functions, or pass jac='finite-difference'.""",
    ),
}
