"""Which worker has which chunk: neighbours together, evenly, and what becomes of workers that go, come or are slow."""

from collections import Counter

import pytest

from autoopt.clusters.chunks import Chunk, Table
from autoopt.clusters.homes import Homes


def table(count):
    return Table(tuple(Chunk(number, number + 1, ()) for number in range(count)))


def had(runs):
    """Return how many chunks each worker has, once they are seen to be in order and whole."""
    assert [run.first for run in runs][1:] == [run.last for run in runs][:-1]
    return Counter({run.worker: 0 for run in runs}) + Counter(
        {
            worker: sum(run.last - run.first for run in runs if run.worker == worker)
            for worker in {r.worker for r in runs}
        }
    )


@pytest.mark.parametrize(("count", "workers", "most"), [(32, "ab", 16), (32, "abc", 11), (2, "abc", 1), (7, "a", 7)])
def test_chunks_are_divided_evenly_among_neighbours(count, workers, most):
    runs = Homes().runs(table(count), workers)
    assert max(had(runs).values()) == most and len(runs) == min(count, len(workers))


def test_what_a_worker_had_that_is_gone_is_given_to_one_that_came_or_to_all():
    homes, rows = Homes(), table(12)
    homes.runs(rows, "abc")
    assert had(homes.runs(rows, "adc")) == {"a": 4, "d": 4, "c": 4}
    assert had(homes.runs(rows, "ac")) == {"a": 6, "c": 6}


def test_a_worker_that_comes_later_gets_some():
    homes, rows = Homes(), table(12)
    homes.runs(rows, "a")
    assert had(homes.runs(rows, "ab")) == {"a": 6, "b": 6}
    assert homes.runs(rows, "ab") == homes.runs(rows, "ba")


def test_what_a_slow_worker_had_is_divided_among_the_others():
    homes, rows = Homes(), table(12)
    slow = homes.runs(rows, "abc")[1]
    assert [(run.first, run.last, run.worker) for run in homes.move(slow, "ac")] == [(4, 6, "a"), (6, 8, "c")]
    assert had(homes.runs(rows, "ac")) == {"a": 6, "c": 6}


def test_tables_are_forgotten_when_they_are_gone():
    homes, rows = Homes(), table(3)
    homes.runs(rows, "a")
    assert rows in homes
    del rows
    assert not homes._of
