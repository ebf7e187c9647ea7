"""Ground that rules, graph and source stand on: what they need of PyTensor, whichever release it is."""
