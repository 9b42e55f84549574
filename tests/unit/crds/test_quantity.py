"""Quantities are compared as numbers."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsb_crds.quantity import quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"),
        ("1.", "1"),
        (".5", "0.5"),
        ("500m", "0.5"),
        ("250u", "0.00025"),
        ("3n", "0.000000003"),
        ("2k", "2000"),
        ("1M", "1000000"),
        ("1Mi", "1048576"),
        ("1.5Gi", "1610612736"),
        ("1e3", "1000"),
        ("12E-1", "1.2"),
        ("1E", "1000000000000000000"),
        ("1Ei", "1152921504606846976"),
    ],
)
def test_quantity(text: str, number: str) -> None:
    assert quantity(text) == Decimal(number)


@given(st.integers(0, 10**12), st.sampled_from("KMGTPE"))
def test_a_binary_unit_is_1024_of_the_one_below(amount: int, unit: str) -> None:
    below = {"K": "", "M": "Ki", "G": "Mi", "T": "Gi", "P": "Ti", "E": "Pi"}[unit]
    assert quantity(f"{amount}{unit}i") == quantity(f"{amount * 1024}{below}")
