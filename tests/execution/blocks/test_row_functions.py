"""Functions written at random, divided by rows: a slice of the long run in `tests/properties/row_functions.py`."""

import row_functions


def test_functions_at_random_give_by_blocks_what_whole_arrays_give():
    outcomes = [row_functions.check(seed) for seed in range(25)]
    assert outcomes.count("same") > 12 and "refused" in outcomes
