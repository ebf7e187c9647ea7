"""PyTensor's rewrites as they are used here, and ours."""
