"""The tape: a flat record of what one run of the objective did, and the passes over it. Knows no PyTensor.

A pass takes a tape and returns one of the same value, the tape itself if there is nothing to do: so each can be left
out, and is tested by running both. The order in which a record goes through them:

    simplify.without_empty, live      what nobody needs is dropped
    searches.roots.followed           what a search by decisions has found becomes the root of an equation
    loops.until.conditional           a loop that ends on a condition becomes one step
    batching.batching.vectorise       flatten, loops.detection.recurrences, classes, batches, loops.checkpoints
    kinks.counted                     a guard that no kink is met
"""

from autoopt.tape.tape import CONSTANT, DATA, PARAMETER, Guard, Leaf, Slot, Step, Tape, fill

__all__ = ["CONSTANT", "DATA", "PARAMETER", "Guard", "Leaf", "Slot", "Step", "Tape", "fill"]
