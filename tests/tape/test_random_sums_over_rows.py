"""Random objectives of operations on rows: where terms are recognised each is that of its row, or it is refused."""

import numpy as np
import pytest

from autoopt.errors import AutooptError
from autoopt.objectives.by_row import terms_by_row

ROWS = 6
FREE = ("b[0]", "b[1]", "b[2]", "np.sum(b)", "np.exp(b[0] * 0.1)", "(b @ b)", "2.0", "len(y)")
LEAVES = ("y", "t", "X[:, 0]", "(X @ b)", "b[g]", "X.T[1]")
OF_ROWS = (
    "({r} + {r})", "({r} * {r})", "({r} - {f})", "np.tanh({r})", "np.where({r} > 0.2, {r}, {f})", "({r})[::-1]",
    "np.sum(X * {r}[:, None], axis=1)", "np.stack([{r}, {r}], axis=1).max(axis=1)", "np.roll({r}, 1)", "np.sort({r})",
    "({r})[np.argsort(t)]", "np.cumsum({r})", "({r} * {r})", "({r} + {f})",
)  # fmt: skip
SUMS = (
    "np.sum({r})", "({r}).mean()", "({r} @ {r})", "np.dot({r}, {r})", "np.sum(({r})[y == 1])", "((X.T @ {r}) @ b)",
    "np.einsum('i,ij,j->', {r}, X, b)", "np.sum(({r})[:3])", "np.sum(X * {r}[:, None])",
)  # fmt: skip
OF_SUMS = ("({s} + {s})", "({s} - {s})", "({s} * {f})", "({s} / 3.0)", "({s} + {f})", "np.sum((X.T @ {r}) * b + {s})")


def written(rng, kinds, depth):
    """Return the text of an expression: `kinds` are those of a leaf and of what is made of others."""
    leaves, made = kinds
    pattern = str(rng.choice(made if depth and rng.random() < 0.7 else leaves))
    while "{" in pattern:
        place = pattern.index("{")
        inner = {"r": (LEAVES, OF_ROWS), "s": (SUMS, OF_SUMS), "f": (FREE, FREE)}[pattern[place + 1]]
        pattern = pattern[:place] + written(rng, inner, max(depth - 1, 0)) + pattern[place + 3 :]
    return pattern


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_terms_are_those_of_their_rows_or_refused(seed):
    rng = np.random.default_rng(seed)
    recognised = 0
    for _ in range(25):
        text = written(rng, (SUMS, OF_SUMS), 3)
        objective = eval(f"lambda b, X, y, t, g: {text}", {"np": np})
        b, X, t = rng.normal(size=3), rng.normal(size=(ROWS, 3)), rng.exponential(size=ROWS)
        y, g, k = np.array([1, 0, 1, 1, 0, 1]), rng.integers(0, 3, ROWS), int(rng.integers(1, ROWS))
        others = [np.array(one) for one in (X, y, t, g)]
        for array, value in zip(others, (X[k] + 0.7, 1 - y[k], 1.3 * t[k], (g[k] + 1) % 3), strict=True):
            array[k] = value
        try:
            terms = terms_by_row(objective, b, (X, y, t, g), rows=ROWS).value(b)
            moved = terms_by_row(objective, b, tuple(others), rows=ROWS).value(b)
        except AutooptError:
            continue
        recognised += 1
        value, change = objective(b, X, y, t, g), objective(b, *others) - objective(b, X, y, t, g)
        size = 1e-9 * (1 + np.abs(terms).sum() + np.abs(moved).sum())
        assert abs(terms.sum() - value) < size, text
        np.testing.assert_allclose(moved - terms, np.where(np.arange(ROWS) == k, change, 0.0), atol=size, err_msg=text)
    assert recognised > 5
