"""What stands before the statements of exported functions."""

import pytest

from autoopt.exporting.prelude import read_together


@pytest.mark.parametrize(
    "lines, expected",
    [
        (["beta = p[:10]", "a = p[10]"], ["beta, a = p[:10], p[10]"]),
        (["a = p[0]", "b = np.exp(a)", "c = p[1]"], ["a = p[0]", "b = np.exp(a)", "c = p[1]"]),
        (["a = p[0]", "b = q[1]", "c = q[-1]"], ["a = p[0]", "b, c = q[1], q[-1]"]),
        (["p = p[1:]", "a = p[0]"], ["p = p[1:]", "a = p[0]"]),
        (["a = p[0]", "p = p[1:]", "b = p[0]"], ["a = p[0]", "p = p[1:]", "b = p[0]"]),
        (["a = p[k]", "b = p[0]"], ["a = p[k]", "b = p[0]"]),
    ],
)
def test_parts_of_one_array_are_read_together(lines, expected) -> None:
    assert read_together(lines) == expected


def test_what_is_read_together_fits_a_line() -> None:
    lines = read_together([f"coefficient_{k} = parameters[{k}]" for k in range(9)])
    assert 1 < len(lines) < 9
    assert max(map(len, lines)) <= 90
