"""Searches that a user writes by hand: loops that narrow an interval by decisions, and the equations behind them."""
