"""How long is waited for what must come: nothing is proved by speed, and the machine may be crowded."""

PATIENCE = 600.0
"""Seconds; the timeout of a whole test is longer (pyproject.toml)."""
