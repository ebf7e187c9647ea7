"""Small equivalences that turn what PyTensor's rewriting leaves behind into what a person would write."""
