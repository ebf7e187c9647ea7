"""`python -m autoopt` is `autoopt`."""

from autoopt.cli.main import main

if __name__ == "__main__":
    main(prog_name="autoopt")
