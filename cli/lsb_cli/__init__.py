"""The command `lsb`: wiring only."""
