"""The vectorised tape against the unrolled one: a slice of the corpus and of the random loops, to second order.

All of them: `PYTHONPATH=tests python tests/properties/long_loops.py --corpus --cases 2000 --derivatives 100`.
"""

from __future__ import annotations

from dataclasses import replace

import long_loops
import numpy as np
import pytest
from corpus import CASES
from long_loops import Apart, check_case, check_text, compare_tapes
from loop_texts import write

from autoopt.objectives.objective import Objective
from autoopt.tape.batching.batching import vectorise
from autoopt.tape.tape import Tape


def cases(first: int) -> list:
    return [pytest.param(case, id=case.name) for case in CASES[first::11] if not case.xfail]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", cases(0))
@pytest.mark.sampled(7)
def test_corpus_has_the_derivatives_of_the_unrolled_tape(case) -> None:
    check_case(case)


@pytest.mark.parametrize("seed", range(0, 60, 10))
@pytest.mark.sampled(4)
def test_random_loops_have_the_value_and_the_guards_of_the_unrolled_tape(seed) -> None:
    for k in range(10):
        check_text(write(seed + k), second_order=False)


@pytest.mark.slow_for("101")
@pytest.mark.parametrize("seed", range(100, 102))
@pytest.mark.sampled(2)
def test_random_loops_have_the_derivatives_of_the_unrolled_tape(seed) -> None:
    check_text(write(seed, most=18), second_order=True)


def tape_of(seed: int) -> tuple[Tape, np.ndarray]:
    text = write(seed)
    return Objective(text.function(), text.x, text.args).dispatch.paths[0].trace.tape, text.x


def test_a_number_wrong_by_a_millionth_is_noticed(monkeypatch) -> None:
    tape, x = tape_of(1)

    def wrong(tape: Tape) -> Tape:
        short = vectorise(tape)
        return replace(
            short, values={k: v * (1 + 1e-6) if np.asarray(v).dtype == float else v for k, v in short.values.items()}
        )

    compare_tapes(tape, [x])
    monkeypatch.setattr(long_loops, "vectorise", wrong)
    with pytest.raises(Apart, match="value"):
        compare_tapes(tape, [x])


def test_a_guard_that_is_lost_is_noticed(monkeypatch) -> None:
    tape, x = tape_of(9)
    points = [x, -x, x[::-1]]
    assert tape.guards
    compare_tapes(tape, points)
    monkeypatch.setattr(long_loops, "vectorise", lambda tape: replace(vectorise(tape), guards=[]))
    with pytest.raises(Apart, match="guards"):
        compare_tapes(tape, points)


def test_a_question_that_a_loop_repeats_is_asked_once() -> None:
    def f(x):
        total = 0.0
        for i in range(30):
            total += x[i] ** 2 if x[0] > 0 else x[i]
        return total

    objective = Objective(f, np.ones(30))
    assert len(vectorise(objective.dispatch.paths[0].trace.tape).guards) == 1
    assert objective.value(-np.ones(30)) == -30
