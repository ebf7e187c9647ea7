"""Whole derivatives as text: equal to PyTensor's evaluation, and what a person would write."""

import inspect

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode, optdb
from pytensor.gradient import jacobian
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from pytensor.tensor import linalg as la

import autoopt
from autoopt.codegen.listing import list_function
from autoopt.codegen.printers.writer import Check
from autoopt.objectives.objective import printed
from autoopt.parameters import Structure
from autoopt.tape.assignments import assigned_name
from autoopt.tracing.trace import trace

QUERY = RewriteDatabaseQuery(
    include=["fast_run"],
    exclude=["inplace", "fusion", "BlasOpt", "add_mul_fusion", "local_pow_to_nested_squaring", "scan", "cxx_only"],
)
RANDOM = np.random.default_rng(7)


def rewritten(inputs, outputs):
    """The rewritten graph as (inputs, outputs)."""
    graph = FunctionGraph(inputs, outputs, clone=True)
    optdb.query(QUERY).rewrite(graph)
    for old, new in zip(inputs, graph.inputs, strict=True):
        new.name = old.name
    return graph.inputs, graph.outputs


def derivatives(build, arrays, second=True):
    """Inputs, value, gradient, Hessian and Hessian-vector product in the first argument."""
    names = "xAybc"
    inputs = [pt.tensor(n, dtype=a.dtype, shape=(None,) * a.ndim) for n, a in zip(names, arrays, strict=False)]
    inputs, (value,) = rewritten(inputs, [build(*inputs)])
    x, direction = inputs[0], pt.vector("p")
    gradient = pytensor.grad(value, x)
    hessian = jacobian(gradient, x, vectorize=True) if second else None
    product = pytensor.grad((gradient * direction).sum(), x)
    return inputs, direction, value, gradient, hessian, product


def run(listing, *arrays):
    scope = {name: eval(text, {"np": np}) for name, text in listing.constants.items()}
    exec("\n".join(sorted(listing.imports)) + "\n" + listing.text, scope)
    with np.errstate(all="ignore"):
        return scope[listing.name](*arrays)


def listed(name, inputs, outputs, **options):
    inputs, outputs = rewritten(inputs, outputs)
    return list_function(name, [(v, v.name) for v in inputs], outputs, **options)


def logistic(w, X, y):
    z = X @ w
    return (pt.log(1 + pt.exp(z)) - y * z).sum()


def poisson(w, X, y):
    eta = X @ w
    return (pt.exp(eta) - y * eta + pt.gammaln(y + 1)).sum()


def softmax_regression(w, X, labels):
    logits = X @ w.reshape((3, 2))
    return -pt.special.log_softmax(logits, axis=1)[pt.arange(labels.shape[0]), labels].sum()


def network(theta, X, y):
    hidden = pt.tanh(X @ theta[:6].reshape((3, 2)) + theta[6:8])
    return ((hidden @ theta[8:10] + theta[10] - y) ** 2).mean()


def gaussian_process(theta, X, y):
    squares = ((X[:, None, :] - X[None, :, :]) ** 2).sum(axis=-1)
    K = pt.exp(theta[0]) * pt.exp(-squares * pt.exp(theta[1])) + pt.exp(theta[2]) * pt.eye(X.shape[0])
    L = la.cholesky(K)
    alpha = la.solve_triangular(L, y, lower=True)
    return 0.5 * (alpha**2).sum() + pt.log(pt.diag(L)).sum()


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


X = RANDOM.normal(size=(12, 3))
MODELS = {
    "logistic": (logistic, RANDOM.normal(size=3), X, (RANDOM.random(12) < 0.5) * 1.0),
    "logistic, far out": (logistic, RANDOM.normal(size=3) * 800, X, (RANDOM.random(12) < 0.5) * 1.0),
    "poisson": (poisson, RANDOM.normal(size=3), X, RANDOM.poisson(2, 12) * 1.0),
    "softmax": (softmax_regression, RANDOM.normal(size=6), X, RANDOM.integers(0, 2, 12)),
    "network": (network, RANDOM.normal(size=11), X, RANDOM.normal(size=12)),
    "gaussian process": (gaussian_process, RANDOM.normal(size=3), X, RANDOM.normal(size=12)),
    "rosenbrock": (rosenbrock, RANDOM.normal(size=6)),
}


@pytest.mark.slow_for("softmax")
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.sampled(3)
def test_all_derivatives_equal_pytensors(name):
    build, *arrays = MODELS[name]
    second = name != "gaussian process"  # whose Hessian takes PyTensor a minute
    inputs, direction, *outputs = derivatives(build, arrays, second)
    values = [*arrays, RANDOM.normal(size=arrays[0].size)]
    with pytensor.config.change_flags(cxx="", linker="py"), np.errstate(all="ignore"):  # numba compiles for seconds
        wanted = [output for output in outputs if output is not None]
        expected = pytensor.function([*inputs, direction], wanted, mode=Mode("py", None))(*values)
    found = [*run(listed("value_and_grad", inputs, outputs[:2]), *arrays)]
    found += [run(listed("hess", inputs, [outputs[2]]), *arrays)] if second else []
    found += [run(listed("hessp", [*inputs, direction], [outputs[3]]), *values)]
    for value, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, right, rtol=1e-9, atol=1e-10)
        assert np.ndim(value) == 0 or value.flags.writeable


def text_of(build, arrays, names="wXy", **options):
    inputs, _, value, gradient, hessian, _ = derivatives(build, arrays)
    for variable, name in zip(inputs, names, strict=False):
        variable.name = name
    return (
        listed("value_and_grad", inputs, [value, gradient], **options).text,
        listed("hess", inputs, [hessian], **options).text,
    )


def test_logistic_regression_reads_as_a_person_would_write_it():
    first, second = text_of(*[MODELS["logistic"][0], MODELS["logistic"][1:]])
    expected = """\
def value_and_grad(w, X, y):
    Xw = X @ w
    softplus_Xw = np.maximum(Xw, 0.0) + np.log1p(np.exp(-np.abs(Xw)))
    value = softplus_Xw.sum() - y @ Xw
    gradient = X.T @ (np.exp(Xw - softplus_Xw) - y)
    return value, gradient"""
    assert first == expected
    expected = """\
def hess(w, X, y):
    sigmoid = scipy.special.expit(X @ w)
    return (sigmoid * (1.0 - sigmoid) * X.T) @ X"""
    assert second == expected


def test_rosenbrock_reads_as_a_person_would_write_it():
    first, _ = text_of(rosenbrock, MODELS["rosenbrock"][1:], "x", docstring="Value and gradient.")
    expected = '''\
def value_and_grad(x):
    """Value and gradient."""
    x_head = x[:-1]
    difference = 1.0 - x_head
    difference2 = x[1:] - x_head**2
    value = (100.0 * difference2**2 + difference**2).sum()
    gradient = np.zeros(x.shape[0])
    gradient[1:] += 200.0 * difference2
    gradient[:-1] += -400.0 * difference2 * x_head - 2.0 * difference
    return value, gradient'''
    assert first == expected


def test_names_and_comments_of_the_user_appear_where_the_values_are_made():
    x, y = pt.vectors("x", "y")
    z = x - y
    value = pt.exp(z).sum() + (z * z).sum()
    comments = {z: "z = x - y", value: "return exp(z).sum() + (z * z).sum()"}
    listing = list_function("f", [(x, "x"), (y, "y")], [value], names={z: "z"}, comments=comments)
    expected = """\
def f(x, y):
    # z = x - y
    z = x - y
    # return exp(z).sum() + (z * z).sum()
    return np.exp(z).sum() + z @ z"""
    assert listing.text == expected
    assert listing.imports == {"import numpy as np"}


def test_checks_come_first_and_in_order():
    x = pt.vector("x")
    total = x.sum()
    checks = [(total > 0, Check("bool({}) is not True", "ValueError(0)", frozenset({"A"}))),
              (x[0] > total, Check("bool({}) is not False", "ValueError(1)", frozenset({"B"})))]  # fmt: skip
    listing = list_function("f", [(x, "x")], [pt.exp(total)], checks=checks)
    expected = """\
def f(x):
    total_x = x.sum()
    if bool(total_x > 0) is not True:
        raise ValueError(0)
    if bool(x[0] > total_x) is not False:
        raise ValueError(1)
    return np.exp(total_x)"""
    assert listing.text == expected
    assert listing.needs == {"A", "B"}


def test_names_never_collide():
    exp, np_, total = pt.vector("a"), pt.vector("b"), pt.vector("c")
    value = (pt.exp(exp) + np_) * total
    listing = list_function(
        "f", [(exp, "exp_z"), (np_, "z"), (total, "total")], [value.sum(), value * value.sum()],
        names={value: "np", value.sum(): "lambda"},
    )  # fmt: skip
    arrays = RANDOM.normal(size=(3, 4))
    right = (np.exp(arrays[0]) + arrays[1]) * arrays[2]
    found = run(listing, *arrays)
    np.testing.assert_allclose(found[0], right.sum())
    np.testing.assert_allclose(found[1], right * right.sum())


def test_results_are_never_views_of_arguments_or_of_each_other():
    x, A = pt.vector("x"), pt.matrix("A")
    doubled = 2 * x
    outputs = [x, A.T, x[1:], x.reshape((2, 2)), doubled, doubled, doubled[1:], pt.alloc(x, 2, 4), pt.diag(A)]
    found = run(list_function("f", [(x, "x"), (A, "A")], outputs), a := np.arange(4.0), b := np.ones((4, 4)))
    for i, value in enumerate(found):
        assert value.flags.writeable
        assert not any(np.shares_memory(value, other) for other in (a, b, *found[:i]))


def test_arrays_read_elsewhere_are_not_written_into():
    x = pt.vector("x")
    doubled = 2 * x
    written = doubled[1:].inc(1.0)
    again = written[:2].set(0.0)
    outputs = [doubled.sum(), written, again, x[:1].set(5.0)]
    found = run(list_function("f", [(x, "x")], outputs), a := np.arange(4.0))
    np.testing.assert_array_equal(found[1], [0, 3, 5, 7])
    np.testing.assert_array_equal(found[2], [0, 0, 5, 7])
    np.testing.assert_array_equal(found[3], [5, 1, 2, 3])
    np.testing.assert_array_equal(a, np.arange(4.0))


def test_an_array_read_elsewhere_is_not_written_into_through_a_view():
    x = pt.vector("x")
    doubled = 2 * x
    table = doubled.reshape((2, 2))
    diagonal = pt.diag(pt.outer(x, x))[:1].set(9.0)
    outputs = [table[0].set(0.0), doubled * 3, pt.exp(x)[::-1][:1].set(0.0), diagonal]
    found = run(list_function("f", [(x, "x")], outputs), np.arange(4.0))
    np.testing.assert_array_equal(found[0], [[0, 0], [4, 6]])
    np.testing.assert_array_equal(found[1], [0, 6, 12, 18])
    np.testing.assert_allclose(found[2], [0, *np.exp([2.0, 1.0, 0.0])])
    np.testing.assert_array_equal(found[3], [9, 1, 4, 9])


def test_no_line_is_too_long_and_no_work_is_repeated():
    x = pt.vector("x")
    value = x
    for k in range(1, 40):
        value = pt.sin(value * k) + pt.cos(value)
    text = list_function("f", [(x, "x")], [value.sum()]).text
    assert max(map(len, text.splitlines())) <= 120
    assert text.count("np.sin") == 39


def test_array_constants_are_handed_out_by_name():
    x = pt.vector("x")
    table = RANDOM.normal(size=40)
    listing = list_function("f", [(x, "x")], [(x * table).sum() + (x + np.ones(40)).sum()])
    assert [text[:9] for text in listing.constants.values()] == ["np.array("]
    assert "np.full((40,), 1.0)" in listing.text
    np.testing.assert_allclose(run(listing, x0 := np.arange(40.0)), (x0 * table).sum() + (x0 + 1).sum())


# Names of data --------------------------------------------------------------------------------------------------------

DATA = {"A": np.arange(40.0).reshape(20, 2), "b": [np.arange(20.0) + 0.5]}


class Held:
    """Data as attributes."""

    def __init__(self):
        self.A, self.parts = DATA["A"], {"b": DATA["b"][0]}

    def loss(self, w):
        return np.sum((self.A @ w - self.parts["b"]) ** 2)


def of_global(w):
    return np.sum((DATA["A"] @ w - DATA["b"][0]) ** 2)


@pytest.mark.parametrize(
    "function, args, names",
    [
        (lambda w, data: np.sum((data[0] @ w - data[1]) ** 2), ([DATA["A"], DATA["b"][0]],), "data_0, data_1"),
        (lambda w, data: np.sum((data["A"] @ w - data["b"][0]) ** 2), (DATA,), "data_A, data_b_0"),
        (lambda w, data: np.sum((data.A @ w - data.parts["b"]) ** 2), (Held(),), "data_A, data_parts_b"),
        (of_global, (), "DATA_A, DATA_b_0"),
        (Held().loss, (), "A, parts_b"),
    ],
    ids=["list", "dict", "object", "global", "method"],
)
def test_structured_data_keep_the_users_names(function, args, names):
    w = np.array([0.5, -0.3])
    text = printed(function, w, args)
    assert f"def value_and_grad(w, {names}):" in text
    expected = autoopt.Objective(function, w, args)
    assert expected.value(w) == pytest.approx(function(w, *args))


def test_numbers_that_the_objective_computes_are_in_the_exported_module():
    def f(p, y):
        noise = np.random.default_rng(7).normal(size=20)
        table = np.random.default_rng(9).normal(size=(20, 2))
        places = np.random.default_rng(8).integers(0, 20, size=20)
        return ((y - p[0] * noise - table @ p)[places] ** 2).sum()

    y, x = np.arange(20.0), np.array([0.3, -0.2])
    module: dict = {}
    exec(printed(f, x, (y,)), module)
    known = {"p": x, "y": y}
    if "prepare" in module:
        known |= module["prepare"](*(known[name] for name in inspect.signature(module["prepare"]).parameters))
    evaluate = module["value_and_grad"]
    value, gradient = evaluate(*(known[name] for name in inspect.signature(evaluate).parameters))
    objective = autoopt.objective(f, x, y)
    assert (value, gradient.tolist()) == (objective.value(x), objective.grad(x).tolist())
    exec(printed(f, x, (y,), "hvp"), module)
    assert not any("constant_" in name for name in inspect.signature(module["hessp"]).parameters)


def test_long_arrays_that_the_objective_computes_are_arguments_with_a_word_on_them():
    text = printed(lambda x: np.sum((np.random.default_rng(0).normal(size=9000) * x[0] - x[1]) ** 2), np.ones(2))
    assert "# constant_1: an array of shape (9000,) that the objective computes." in text
    assert "def value_and_grad(x, constant_1):" in text


def test_unpacked_parameters_have_the_names_of_their_positions() -> None:
    def objective(p):
        mu, sigma, phi = p
        return mu * np.exp(sigma) + np.sin(phi) * mu

    text = printed(objective, np.ones(3))
    assert {"mu = p[0]", "sigma = p[1]", "phi = p[2]"} >= {line.strip() for line in text.split("\n") if " = p[" in line}
    assert "mu = p[0]" in text


def test_variables_of_a_step_are_read_from_the_code() -> None:
    def objective(p):
        a, b = p[:2]
        c = np.exp(a) * b
        d = e = c + p[2]
        return d * e

    variables = [assigned_name(step) for step in trace(objective, Structure.of(np.ones(3)), np.ones(3), ()).tape.steps]
    assert [name for name in variables if name] == ["a", "b", "c", "d"]


def test_names_do_not_depend_on_how_often_the_objective_has_run():
    """Python puts faster instructions in the place of those that have run often, and others into their gaps."""

    def objective(x):
        middle = x[1:3]
        first = np.exp(x[:2])
        total = np.sum(middle * first)
        return total**2

    structure, x = Structure.of(np.ones(4)), np.ones(4)
    seen = {
        tuple(assigned_name(step) for step in trace(objective, structure, x, ()).tape.steps if step.operation)
        for _ in range(30)
    }
    assert len(seen) == 1
    assert {"middle", "first", "total"} <= set(*seen)
