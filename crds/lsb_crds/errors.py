"""The one kind of error that a person is meant to read."""


class UserError(Exception):
    """A refusal in one line: what was wrong, where, and what to do about it.

    Commands print it without a traceback and end with `exit_code`.
    """

    exit_code = 1
