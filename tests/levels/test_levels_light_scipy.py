"""The functions of scipy load without the rest of it, which can still be loaded."""

from __future__ import annotations

import subprocess
import sys

LIGHT = """
import sys
from mrdtrack.levels.light_scipy import special
rest = ("scipy.special", "scipy._lib._array_api", "numpy.f2py", "numpy.testing")
early = [name for name in rest if name in sys.modules]
assert abs(special.ndtri(0.975) - 1.959964) < 1e-6
import scipy.special
print(early, scipy.special.ndtri is special.ndtri, scipy.special.logsumexp([0.0]))
"""

WHOLE = """
import scipy.special
from mrdtrack.levels.light_scipy import special
print(special is scipy.special)
"""

ELSEWHERE = """
from mrdtrack.levels import light_scipy
light_scipy._FUNCTIONS = "_elsewhere"
print(light_scipy._load().__name__)
"""


def said(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_rest_is_left_out_and_can_be_loaded_later() -> None:
    assert said(LIGHT) == "[] True 0.0"


def test_what_has_been_loaded_whole_is_used() -> None:
    assert said(WHOLE) == "True"


def test_all_is_loaded_where_the_functions_are_not_found() -> None:
    assert said(ELSEWHERE) == "scipy.special"
