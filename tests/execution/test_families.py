"""Source for other lengths of the data: the text is that of a derivation for these lengths, to the last character."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import special, stats

import autoopt
from autoopt import differences
from autoopt.codegen.module import write_module
from autoopt.execution import families, source_cache
from autoopt.execution.engines import module_source
from autoopt.execution.families import Family, parts
from autoopt.execution.forms import forms, number
from autoopt.graph import derive as derivation
from autoopt.graph.derive import derive
from autoopt.graph.stabilisation import stabilised
from autoopt.parameters import Structure
from autoopt.tape.batching.batching import vectorise
from autoopt.tape.kinks import counted
from autoopt.tape.skeleton import skeleton
from autoopt.tracing.trace import trace

RNG = np.random.default_rng(5)
X0 = np.array([0.1, 0.2, -0.3])


@pytest.fixture(autouse=True)
def _cold(tmp_path, monkeypatch):
    """A cache of each test alone."""
    monkeypatch.setenv("AUTOOPT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(source_cache, "_recent", {})


def regression(n):
    return RNG.normal(size=(n, 3)), RNG.normal(size=n)


def mean_square(b, X, y):
    return np.mean((y - X @ b) ** 2)


def normal(b, X, y):
    n = len(y)
    return 0.5 * n * np.log(2 * np.pi) + n * b[0] + 0.5 * np.sum((y - X @ b) ** 2) * np.exp(-2 * b[0]) + np.log(n)


def normal_of_scipy(b, X, y):
    return -np.sum(stats.norm.logpdf(y, X @ b, np.exp(b[0])))


def variance(b, X, y):
    return np.log(np.var(y - X @ b, ddof=1))


def rows(b, X, y):
    total = 0.0
    for i in range(len(y)):
        total += np.log1p((y[i] - X[i] @ b) ** 2)
    return total / len(y)


def garch(b, X, y):
    omega, alpha, beta = np.exp(b)
    h, total = 1.0, 0.0
    for t in range(len(y)):
        total += np.log(h) + y[t] ** 2 / h
        h = omega + alpha * y[t] ** 2 + beta * h
    return 0.5 * total


def halves(b, X, y):
    k = len(y) // 2
    return np.mean((y[:k] - b[0]) ** 2) + np.sum(np.exp(b[1] * y[k:])) + b[2] ** 2


def ends(b, X, y):
    level = np.full(len(y), b[0])
    level[0], level[-1] = b[1], b[2]
    return np.sum((y - level) ** 2)


def shares(b, X, y):
    z = X @ b
    return special.logsumexp(z) - np.sum(np.exp(z - z.max()) * y) / np.sqrt(len(y) - 1)


def trended(b, X, y):
    n = len(y)
    t = np.arange(n)
    return np.mean((y - b[0] - b[1] * t / n - np.polyval(b, np.linspace(0, 1, n)) * np.sin(np.sqrt(t))) ** 2)


def process(b, X, y):
    distance = X[:, None, 0] - X[None, :, 0]
    covariance = np.exp(b[0] - distance**2) + np.exp(b[1]) * np.eye(len(y))
    return 0.5 * y @ np.linalg.solve(covariance, y) + 0.5 * np.linalg.slogdet(covariance)[1]


MODELS = (mean_square, normal, normal_of_scipy, variance, rows, garch, halves, ends, shares, trended, process)


def tape_of(f, args, x0=X0):
    structure = Structure.of(x0)
    return counted(vectorise(trace(f, structure, structure.flatten(x0), args).tape))


def derived(tape, kind="value_and_grad"):
    graph = stabilised(tape)
    return write_module(graph, derive(graph, kind), "title")


def learned(f, data, lengths, kind="value_and_grad"):
    """Derive for some lengths."""
    for n in lengths:
        module_source(tape_of(f, data(n)), kind, "title")


def predicted(f, args, kind="value_and_grad"):
    """Return the text for other data, None if it is to be derived."""
    family = Family.of(tape_of(f, args), kind)
    return None if family is None else family.text()


# The text is that of a derivation -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["value_and_grad", "hessp"])
@pytest.mark.parametrize("f", MODELS, ids=lambda f: f.__name__)
@pytest.mark.sampled(8)
def test_the_text_for_a_fourth_length_is_that_of_a_derivation(f, kind):
    lengths = 2 * np.random.default_rng(len(f.__name__)).permutation(np.arange(20, 90))[:3]
    learned(f, regression, lengths, kind)
    for n in (38, 130 if f is process else 1310):
        args = regression(n)
        assert predicted(f, args, kind) == derived(tape_of(f, args), kind)


def smoothed(r, b):
    level, total = 0.0, 0.0
    for t in range(len(r)):
        total += (r[t] - level) ** 2
        level = level + np.tanh(b[0]) * (r[t] - level)
    return total


TERMS = (
    lambda r, b: np.sum(r**2),
    lambda r, b: np.mean(np.log1p(r**2)),
    lambda r, b: np.std(r) + np.var(r, ddof=1),
    lambda r, b: special.logsumexp(r * b[0]),
    lambda r, b: np.sum(np.diff(r) ** 2) / r.size,
    lambda r, b: np.mean(np.cumsum(r) ** 2),
    lambda r, b: r[1:] @ r[:-1] + r[-1],
    lambda r, b: np.sum(np.exp(0.1 * r[len(r) // 2 :])),
    lambda r, b: np.sum(np.sqrt(np.concatenate([r**2, [b[1] ** 2]]) + 1)),
    lambda r, b: np.sum((r[:, None] - np.outer(r, b)) ** 2) / len(r) ** 2,
    smoothed,
)
FACTORS = (
    lambda n: 1.0,
    lambda n: n,
    lambda n: 1 / n,
    lambda n: 0.5 * n * np.log(2 * np.pi),
    lambda n: np.log(n),
    lambda n: 1 / np.sqrt(n - 1),
    lambda n: n - 3,
    lambda n: 0.3,
)


def drawn(case):
    """Return a random model: a sum of statistics of residuals, scaled by numbers that depend on the number of rows."""
    rng = np.random.default_rng(case)
    terms = rng.choice(len(TERMS), 3, replace=False)
    factors = rng.choice(len(FACTORS), 3)

    def model(b, X, y):
        r = y - X @ b
        return sum(FACTORS[k](len(y)) * TERMS[j](r, b) for j, k in zip(terms, factors, strict=True))

    return model, rng


@pytest.mark.slow
@pytest.mark.parametrize("case", range(24))
@pytest.mark.sampled(6)
def test_the_text_of_a_random_model_is_that_of_a_derivation(case):
    """But for the last bit of numbers that are rounded in an order of their own."""
    f, rng = drawn(case)
    known = 0
    for n in rng.integers(20, 90, size=7):
        args = regression(int(n))
        text = predicted(f, args)
        if text is None:
            learned(f, regression, [int(n)])
        else:
            known += 1
            (pieces, row, _), (same_pieces, same_row, _) = parts(text), parts(derived(tape_of(f, args)))
            assert pieces == same_pieces
            assert np.allclose(row, same_row, rtol=1e-15, atol=0)
    assert known or case in ROUNDED


ROUNDED = (2, 14)
"""The models in whose sources some number is no simple function of those of the tape: (n - 3) / (n - 1)."""


def panel(b, Y, Z):
    residual = Y - b[0] - b[1] * Z
    return np.mean(residual**2) + np.sum(residual.sum(axis=1) ** 2) / Y.size + b[2] ** 2


def test_panels_of_fixed_width():
    def data(n):
        return RNG.normal(size=(n, 25)), RNG.normal(size=(n, 25))

    learned(panel, data, (30, 70, 48))
    args = data(61)
    assert predicted(panel, args) == derived(tape_of(panel, args))
    assert predicted(panel, tuple(part[:, :24] for part in args)) is None  # that number has never changed


def two_samples(b, u, v):
    return np.mean((u - b[0]) ** 2) * np.exp(b[2]) + np.mean(np.log1p((v - b[1]) ** 2)) - len(v)


def test_two_lengths_are_told_apart():
    def data(lengths):
        n, m = lengths
        return RNG.normal(size=n), RNG.normal(size=m)

    learned(two_samples, data, ((30, 32), (40, 42), (50, 52)))
    assert predicted(two_samples, data((60, 62))) is not None
    assert predicted(two_samples, data((60, 67))) is None  # so far the one has always been 2 more than the other
    learned(two_samples, data, ((60, 67),))
    args = data((90, 94))
    assert predicted(two_samples, args) == derived(tape_of(two_samples, args))
    args = data((93, 80))
    assert predicted(two_samples, args) is None  # the other way round has not been seen
    learned(two_samples, data, ((93, 80),))
    args = data((77, 60))
    assert predicted(two_samples, args) == derived(tape_of(two_samples, args))


# Where a text may be another one, it is derived -----------------------------------------------------------------------


def wide(b, X, y):
    return np.mean((y - X @ b) ** 2) + np.sum(b) / 40


def test_lengths_that_become_equal_by_chance_are_derived():
    def data(n):
        return RNG.normal(size=(n, 20)), RNG.normal(size=n)

    x0 = np.zeros(20)
    for n in (30, 57, 34):
        module_source(tape_of(wide, data(n), x0), "value_and_grad", "title")
    for n, is_known in ((33, True), (40, False), (41, True), (20, False), (19, False)):
        family = Family.of(tape_of(wide, data(n), x0), "value_and_grad")
        assert (family.text() is not None) == is_known, n


def test_a_number_that_equals_the_length_of_the_first_data_stays_what_it_is():
    def f(b, X, y):
        return np.sum((y - X @ b) ** 2) / len(y) + 50.0 * np.sum(b**2)

    learned(f, regression, (50, 60, 70))
    text = predicted(f, regression(55))
    assert text == derived(tape_of(f, regression(55)))
    assert "50.0" in text
    assert "100.0" in text
    assert predicted(f, regression(45)) is None  # the length has never been the lesser one


def test_small_lengths_are_of_other_families():
    learned(mean_square, regression, (30, 40, 50))
    assert predicted(mean_square, regression(10)) is None
    keys = {skeleton(tape_of(mean_square, regression(n))).key for n in (10, 12, 17, 400)}
    assert len(keys) == 3


def test_arrays_so_large_that_memory_decides_are_derived(monkeypatch):
    learned(mean_square, regression, (30, 40, 50))
    assert predicted(mean_square, regression(2000)) is not None
    monkeypatch.setattr(families, "LARGE", 3000)
    assert predicted(mean_square, regression(2000)) is None


@pytest.mark.parametrize(
    "f",
    [
        lambda b, X, y: np.median(y - X @ b),
        lambda b, X, y: np.quantile(y - X @ b, 0.01),
        lambda b, X, y: np.prod(1 + 0.1 * (y - X @ b)),
        lambda b, X, y: np.sum(np.abs(np.fft.rfft(y - X @ b)) ** 2),
        lambda b, X, y: np.sum(np.convolve(X @ b, y, "same")),
        lambda b, X, y: np.sum(b[np.arange(len(y)) * 7 % 3] * y),
    ],
    ids=["median", "quantile", "prod", "fft", "convolve", "positions"],
)
def test_operations_that_round_lengths_have_no_family(f):
    assert skeleton(tape_of(f, regression(40))) is None


def test_exponents_are_no_lengths():
    def f(b, X, y):
        return np.sum((y - b[0]) ** len(y)) + np.sum(b**2)

    keys = {skeleton(tape_of(f, (None, np.full(n, 0.5)))).key for n in (20, 22, 24)}
    assert len(keys) == 3


def test_positions_in_a_row_are_no_family_of_positions_that_are_not():
    def f(b, x, k):
        return np.sum((x * b[0])[[0, k // 2, k]]) + b[1]

    keys = {skeleton(tape_of(lambda b, x, k=k: f(b, x, k), (RNG.normal(size=200),))).key for k in (40, 60, 80)}
    assert len(keys) == 3


def test_a_text_that_changes_otherwise_begins_anew(monkeypatch):
    learned(mean_square, regression, (30, 40, 50))
    family = Family.of(tape_of(mean_square, regression(60)), "value_and_grad")
    family.learn(derived(tape_of(mean_square, regression(60))).replace("X @ b", "np.dot(X, b)"))
    assert predicted(mean_square, regression(70)) is None
    kept = Family.of(tape_of(mean_square, regression(70)), "value_and_grad")
    assert [set(tape) for tape in kept.tapes] == [{60}]


def test_a_number_of_unknown_form_is_derived_each_time():
    learned(mean_square, regression, (30, 40, 50))
    family = Family.of(tape_of(mean_square, regression(60)), "value_and_grad")
    family.learn(derived(tape_of(mean_square, regression(60))).replace(repr(1 / 60), "0.7"))
    assert predicted(mean_square, regression(70)) is None


# What it is for -------------------------------------------------------------------------------------------------------


def test_a_fourth_length_needs_no_derivation(monkeypatch):
    for n in (30, 70, 41):
        autoopt.grad(garch)(X0, *regression(n))

    def refused(*_):
        raise AssertionError("derived once more")

    monkeypatch.setattr(derivation, "derive", refused)
    args = regression(200)
    expected, error = differences.gradient(lambda b: garch(b, *args), X0)
    assert np.allclose(autoopt.grad(garch)(X0, *args), expected, rtol=1e-8, atol=2 * error.max())
    with pytest.raises(AssertionError, match="derived once more"):
        autoopt.grad(garch)(X0, *regression(10))


@pytest.mark.slow
def test_second_derivatives_of_a_fourth_length():
    def f(b, X, y):
        return np.mean(np.exp(0.1 * (y - X @ b))) + np.log(len(y)) * np.sum(b**4)

    for n in (30, 70, 41):
        autoopt.hessian(f)(X0, *regression(n))
    args = regression(55)
    expected, error = differences.hessian(lambda b: autoopt.grad(f)(b, *args), X0)
    assert np.allclose(autoopt.hessian(f)(X0, *args), expected, rtol=1e-8, atol=2 * error.max())


def test_families_are_read_by_later_processes(monkeypatch):
    learned(rows, regression, (30, 40, 50))
    monkeypatch.setattr(source_cache, "_recent", {})
    args = regression(60)
    assert predicted(rows, args) == derived(tape_of(rows, args))


def test_the_cache_holds_no_data():
    secret = 0.123456789

    def f(b, y):
        return np.mean((y - b[0]) ** 2) + np.sum(b**2)

    learned(f, lambda n: (np.full(n, secret),), (30, 40, 50))
    kept = [file.read_text() for file in source_cache.folder().glob("*.py")]
    assert not any(str(secret) in text for text in kept)
    assert any(text.startswith("# family: ") for text in kept)


# Forms ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda n: n,
        lambda n: 3 * n - 2,
        lambda n: n * n,
        lambda n: 1 / n,
        lambda n: 0.5 / (n - 1),
        lambda n: 2 * (1 / (3 * n)),
        lambda n: 0.5 * n * float(np.log(2 * np.pi)),
        lambda n: float(np.log(n)),
        lambda n: 1 / float(np.sqrt(n)),
        lambda n: 2.0,
    ],
)
def test_a_form_is_found_and_holds(function):
    lengths = (20, 33, 57)
    found = forms([function(n) for n in lengths], [[n] for n in lengths], [0])
    assert found
    assert {number(json.loads(json.dumps(form)), [101]) for form in found} <= {
        function(101),
        np.nextafter(function(101), 0),
        np.nextafter(function(101), 1000),
    }


@pytest.mark.parametrize("function", [lambda n: n // 2, lambda n: n % 3, lambda n: 0.5 + np.sin(n), lambda n: 0.37 * n])
def test_what_is_no_form_is_none(function):
    lengths = (20, 33, 57)
    assert not forms([function(n) for n in lengths], [[n] for n in lengths], [0])
