"""Codes of bases against the letters of the SAM specification."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.kernels._compile import bare, kernel
from mrdtrack.kernels.arrays import Bytes
from mrdtrack.kernels.bases import decode_bases, make_codes, read_base
from tests.naive import NIBBLES


@kernel
def decoded(data: Bytes, sequence: int, n: int, codes: Bytes) -> None:
    decode_bases(bare(data), sequence, n, bare(codes))


@given(st.binary(min_size=1, max_size=200), st.integers(0, 9), st.booleans())
def test_bases_are_decoded_whatever_their_number(
    letters: bytes, before: int, odd: bool
) -> None:
    n = 2 * len(letters) - odd
    qualities = bytes([255]) * n
    data = np.frombuffer(bytes(before) + letters + qualities, np.uint8).copy()
    text = [NIBBLES[half] for byte in letters for half in (byte >> 4, byte & 15)][:n]
    expected = ["ACGT".find(letter) % 5 for letter in text]
    for run in (decoded, decode_bases.py_func):
        codes = make_codes(n)
        codes[:] = 9
        run(data, before, n, codes)
        assert codes[:n].tolist() == expected
        assert (codes[2 * n :] == 9).all()
        assert (codes[n + 63 :] == 9).all()
    assert [read_base(data, before, i) for i in range(n)] == expected


@pytest.mark.parametrize("n", [63, 64, 65, 128, 129, 150])
def test_no_byte_beyond_the_record_is_looked_at(n: int) -> None:
    """The last record of a chunk ends with the qualities: nothing lies behind."""
    data = np.full((n + 1) // 2 + n, 0x11, np.uint8)
    codes = make_codes(n)
    decode_bases.py_func(data, 0, n, codes)  # would raise an IndexError
    assert codes[:n].tolist() == [0] * n
