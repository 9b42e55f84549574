"""How a step says that the demonstration cannot go on."""


class DemoError(Exception):
    """One line: what did not happen, and where to look."""
