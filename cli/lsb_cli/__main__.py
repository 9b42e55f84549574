"""`python -m lsb_cli` is the command `lsb`; that is how the server starts its child processes."""

from lsb_cli.main import run

run()
