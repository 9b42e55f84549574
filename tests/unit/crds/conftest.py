"""The table of good and bad manifests, a test for each row."""

import pytest
from manifest_table import table


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `row` once for each row, one that takes `good_row` for the good ones."""
    for fixture, rows in (("row", table()), ("good_row", [row for row in table() if not row.path])):
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, rows, ids=[row.name for row in rows])
