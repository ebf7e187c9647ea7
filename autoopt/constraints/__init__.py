"""Constraints as functions like any other: values, derived Jacobians, second derivatives of the Lagrangian."""
