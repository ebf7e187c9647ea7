"""The module that a person hands on: printed derivatives under the objective's own signature, which test themselves."""
