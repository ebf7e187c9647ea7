"""Gradients in the structure of the parameters: what is flat for a vector alone is not made flat; nothing is lost."""

from __future__ import annotations

import numpy as np
import pytest

from autoopt.exporting.vectors import structured
from autoopt.parameters import Structure

STRUCTURE = Structure.of({"W": np.ones((2, 3)), "b": 1.0})


@pytest.mark.parametrize(
    ("lines", "matrix"),
    [
        (["g = np.concatenate([(X.T @ r).reshape(6), [total]])"], "X.T @ r"),
        (["part = (X.T @ r).reshape(6)", "g = np.concatenate([part, [total]])"], "X.T @ r"),
        (["part = S.sum(axis=0).T.reshape(6)", "g = np.concatenate([part, [total]])"], "S.sum(axis=0).T.reshape(2, 3)"),
        (["part = G.ravel()", "g = np.concatenate([part, [total]])"], "G.reshape(2, 3)"),
        (["part = (a).T + (b).reshape(6)", "g = np.concatenate([part, [total]])"], "part.reshape(2, 3)"),
        (["part = X @ r", "g = np.concatenate([part, [total]])"], "part.reshape(2, 3)"),
        (["part = S.T.reshape(6)", "v = part @ part", "g = np.concatenate([part, [total]])"], "part.reshape(2, 3)"),
        (["g = np.concatenate([S.T.reshape(6), [total]])"], "S.T.reshape(2, 3)"),
    ],
)
def test_a_matrix_among_the_parameters(lines, matrix):
    kept, text = structured(lines, "g", STRUCTURE)
    assert text == f'{{"W": {matrix}, "b": total}}'
    assert any(line.startswith("part = ") for line in kept) == matrix.startswith("part"), "what is read is set"


def test_what_is_no_such_vector_is_left_alone():
    assert structured(["g = X.T @ r"], "g", STRUCTURE) is None
    assert structured(["g = np.concatenate([u, v, [w]])"], "g", STRUCTURE) is None
