"""Scipy loads without parts of numpy that nothing here asks for."""

from __future__ import annotations

import subprocess
import sys

LOADED = """
import sys
from mrdtrack.levels import exact_bounds
early = [name for name in ("numpy.f2py", "numpy.testing") if name in sys.modules]
import numpy as np
np.testing.assert_allclose(exact_bounds.special.ndtri(0.5), 0.0)
import numpy.f2py
print(early, np.f2py is numpy.f2py, callable(np.f2py.get_include))
"""


def test_parts_of_numpy_are_left_out_and_can_be_loaded_later() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[] True True"
