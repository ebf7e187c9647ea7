"""The tape: a flat record of what one run of the objective did, and the passes over it. Knows no PyTensor."""

from autoopt.tape.tape import CONSTANT, DATA, PARAMETER, Guard, Leaf, Slot, Step, Tape, fill

__all__ = ["CONSTANT", "DATA", "PARAMETER", "Guard", "Leaf", "Slot", "Step", "Tape", "fill"]
