"""Loops around statements that write in place as PyTensor operations, whose pullbacks are such loops, backwards."""
