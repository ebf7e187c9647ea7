"""Loops as PyTensor operations, whose derivatives are loops again."""
