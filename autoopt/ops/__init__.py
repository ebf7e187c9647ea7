"""PyTensor operations of our own: functions that it lacks, or differentiates in a way that will not do.

The ground on which rules, graph and codegen stand. `operands` and `patterns` are what these ask of variables before and
after they are operands; `releases` is the one file that knows that PyTensor has releases.
"""
