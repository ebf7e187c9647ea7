"""Every function that has a handler for complex values is called by a test; here those are that no other file has."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from plainly import Cases, check

from autoopt.tape.names import qualified
from autoopt.tracing.complex.array import FUNCTIONS

case = Cases()
W = np.array([1.0, -2.0, 0.5])


def z(x):
    return np.array([x[0] + 1j * x[1], x[0] * x[1] - 2j * x[0], 1.5 + 1j * x[1] ** 2])


def Z(x):
    return np.outer(z(x), [1.0, 2j, x[0]])


def weighed(value):
    """A real number in which every entry has a weight of its own."""
    parts = np.reshape(value, -1)
    weights = np.sin(1.0 + np.arange(parts.size))
    return np.sum(np.real(parts) * weights + np.imag(parts) ** 2 * weights[::-1])


@case
def moved(x):
    a = weighed(np.transpose(Z(x))) + weighed(np.swapaxes(Z(x), 0, 1)) + weighed(np.moveaxis(Z(x), 0, 1))
    b = weighed(np.flip(z(x))) + weighed(np.flipud(Z(x))) + weighed(np.fliplr(Z(x))) + weighed(np.roll(z(x), 1))
    return a + b + weighed(np.matrix_transpose(Z(x)))


@case
def shaped(x):
    a = weighed(np.squeeze(np.expand_dims(z(x), 0))) + weighed(np.atleast_1d(z(x)[0])) + weighed(np.atleast_2d(z(x)))
    b = weighed(np.broadcast_to(z(x), (2, 3))) + weighed(np.repeat(z(x), 2)) + weighed(np.tile(z(x), 2))
    return (a + b) * np.size(Z(x)) / np.ndim(Z(x)) / np.shape(Z(x))[0]


@case
def parts_of_matrices(x):
    a = weighed(np.diagonal(Z(x))) + weighed(np.diag(z(x))) + weighed(np.tril(Z(x))) + weighed(np.triu(Z(x)))
    return a + weighed(np.take(z(x), [2, 0])) + weighed(np.cumsum(z(x))) + weighed(np.diff(z(x)))


@case
def joined(x):
    pair = [z(x), 1j * z(x)]
    return sum(weighed(join(pair)) for join in (np.vstack, np.hstack, np.dstack, np.column_stack))


@case
def products(x):
    a = weighed(np.inner(z(x), z(x))) + weighed(np.convolve(z(x), W)) + weighed(np.kron(z(x), z(x)))
    b = weighed(np.linalg.inv(Z(x) + np.eye(3))) + weighed(np.linalg.tensordot(Z(x), Z(x), axes=1))
    return a + b + weighed(np.polyval(z(x), 0.5j))


@case
def like_others(x):
    filled = np.empty_like(z(x))
    filled[:] = z(x)
    return weighed(np.zeros_like(z(x)) + z(x)) + weighed(np.ones_like(z(x)) * z(x)) + weighed(filled)


@case
def asked(x):
    if np.iscomplexobj(z(x)) and not np.isrealobj(z(x)):
        return weighed(np.where(np.isreal(z(x)), 1.0, z(x))) + weighed(np.real_if_close(z(x))[np.iscomplex(z(x))])
    return 0.0


@case
def transformed(x):
    a = weighed(np.fft.fftn(Z(x))) + weighed(np.fft.ifftn(Z(x))) + weighed(np.fft.irfftn(Z(x)))
    return a + weighed(np.fft.rfftn(np.real(Z(x)))) + weighed(np.sort_complex(z(x)))


@pytest.mark.parametrize("f", case, ids=lambda f: f.__name__)
def test_functions_of_complex_values_in_every_room(f) -> None:
    check(f, product=False)


def test_every_function_with_a_handler_is_called_in_a_test() -> None:
    text = "\n".join(file.read_text() for file in Path(__file__).parent.glob("*.py"))
    names = {qualified(function) for function in FUNCTIONS}
    called = {name for name in names if re.search(rf"{re.escape(name)}\b", text)}
    methods = {name for name in names if re.search(rf"\.{name.rpartition('.')[2]}\(", text)}
    assert sorted(names - called - methods) == []
