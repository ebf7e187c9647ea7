"""`python -m autoopt.cli` is `autoopt`."""

from autoopt.cli.main import main

main(prog_name="autoopt")
