"""PyTensor graph -> NumPy source. Knows no tape but for the calls that are printed from it, no objective, no solver."""
