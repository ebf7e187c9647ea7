"""What a run reads outside of the objective and what it leaves there."""
