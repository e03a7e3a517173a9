"""The cache serves no stale code, needs no home, and never stops a run."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.kernels import _compile
from mrdtrack.kernels._compile import (
    bare,
    find_cache_folder,
    jit_is_disabled,
    kernel,
    mix_u64,
    read_f32,
    read_i32,
    read_i64,
    read_u8,
    read_u16,
    read_u32,
    read_u64,
    source_digest,
)

CALLER = """
from typing import NamedTuple
import numpy as np
from trial.kernels._compile import kernel
from trial.kernels.callee import Pair, add

@kernel
def ask(pair: Pair) -> int:
    return add(pair.left[0], 1)

print(ask(Pair(np.array([5]), np.array([-5]))))
"""
CALLEE = """
from typing import NamedTuple
import numpy as np
from numpy.typing import NDArray
from trial.kernels._compile import kernel

class Pair(NamedTuple):
    left: NDArray[np.int64]
    right: NDArray[np.int64]

@kernel
def add(a: int, b: int) -> int:
    return a + b
"""


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    """A package with `_compile` and two kernels, one of which calls the other."""
    folder = tmp_path / "trial" / "kernels"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "__init__.py").touch()
    source = Path(_compile.__file__)
    shutil.copy(source, folder / "_compile.py")
    (folder / "callee.py").write_text(CALLEE)
    (folder / "caller.py").write_text(CALLER)
    return folder


def run_trial(folder: Path, then: str = "", **environment: str) -> str:
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in {"NUMBA_DISABLE_JIT", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR"}
    }
    kept["PYTHONDONTWRITEBYTECODE"] = "1"  # it hides an edit in the same second
    root = folder.parents[1]
    done = subprocess.run(
        [sys.executable, "-c", f"from trial.kernels import caller\n{then}"],
        env=kept | {"NUMBA_CACHE_DIR": str(root / "cache")} | environment,
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not done.stderr
    return done.stdout.split()[0]


def cached_kernels(folder: Path) -> list[Path]:
    return sorted((folder.parents[1] / "cache").rglob("*.nbi"))


def test_an_edit_in_another_file_is_seen(trial: Path) -> None:
    assert run_trial(trial) == "6"
    assert cached_kernels(trial)
    (trial / "callee.py").write_text(CALLEE.replace("a + b", "a + 1000 * b"))
    assert run_trial(trial) == "1005"


def test_another_order_of_fields_is_seen(trial: Path) -> None:
    assert run_trial(trial) == "6"
    swapped = CALLEE.replace("left:", "other:").replace("right:", "left:")
    (trial / "callee.py").write_text(swapped.replace("other:", "right:"))
    assert run_trial(trial) == "-4"


def test_another_compile_option_makes_another_cache(trial: Path) -> None:
    assert run_trial(trial) == "6"
    before = cached_kernels(trial)
    source = (trial / "_compile.py").read_text()
    changed = source.replace('error_model="numpy"', 'error_model="python"')
    assert changed != source
    (trial / "_compile.py").write_text(changed)
    assert run_trial(trial) == "6"
    assert len(cached_kernels(trial)) == 2 * len(before)


def test_the_second_run_compiles_nothing(trial: Path) -> None:
    run_trial(trial)
    stamps = [path.stat().st_mtime_ns for path in cached_kernels(trial)]
    run_trial(trial)
    assert [path.stat().st_mtime_ns for path in cached_kernels(trial)] == stamps


def test_a_run_without_a_place_for_the_cache(trial: Path) -> None:
    blocked = trial / "file"
    blocked.touch()
    assert run_trial(trial, NUMBA_CACHE_DIR=str(blocked)) == "6"
    assert not cached_kernels(trial)


def test_a_run_without_a_home(trial: Path) -> None:
    missing = "/nonexistent/home"
    assert run_trial(trial, NUMBA_CACHE_DIR="", HOME=missing) == "6"


def test_plain_python_on_request(trial: Path) -> None:
    assert run_trial(trial, NUMBA_DISABLE_JIT="1") == "6"
    assert not cached_kernels(trial)


def test_a_kernel_that_cannot_be_stored_runs(trial: Path) -> None:
    limited = CALLER.replace(
        "import numpy as np",
        "import numpy as np, resource, signal\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))",
        1,
    )
    (trial / "caller.py").write_text(limited)
    assert run_trial(trial) == "6"


HEAVY = "{'scipy', 'coverage', 'yaml', 'numba.np.linalg', 'numba.typed.typeddict'}"


def test_a_cached_kernel_loads_nothing_that_only_compiling_needs(trial: Path) -> None:
    told = "import os, sys\nif 'AGAIN' in os.environ:\n"
    told += f"    assert not {HEAVY} & set(sys.modules)\n"
    (trial / "caller.py").write_text(CALLER + told)
    assert run_trial(trial) == "6"
    assert run_trial(trial, AGAIN="1") == "6"


def forget(trial: Path, name: str) -> None:
    for path in (trial.parents[1] / "cache").rglob(f"{name}*"):
        path.unlink()


def test_a_cached_kernel_prepares_none_that_it_was_compiled_with(trial: Path) -> None:
    told = "import os\nfrom trial.kernels.callee import add\n"
    told += "assert (add._compiled is None) == ('AGAIN' in os.environ)\n"
    (trial / "caller.py").write_text(CALLER + told)
    assert run_trial(trial) == "6"
    assert run_trial(trial, AGAIN="1") == "6"


@pytest.mark.parametrize("called_before", ["", "add(1, 2)\n"])
def test_a_kernel_is_compiled_with_a_cached_one(
    trial: Path, called_before: str
) -> None:
    callee = CALLEE.replace("return a + b", "return np.array([a, b]).sum()")
    (trial / "callee.py").write_text(callee)
    source = CALLER.replace("print(", called_before + "print(")
    (trial / "caller.py").write_text(source)
    assert run_trial(trial) == "6"
    kept = {path: path.stat().st_mtime_ns for path in cached_kernels(trial)}
    forget(trial, "caller.ask")
    assert len(cached_kernels(trial)) == 1
    assert run_trial(trial) == "6"
    assert len(cached_kernels(trial)) == 2
    (unchanged,) = (p for p, n in kept.items() if p.stat().st_mtime_ns == n)
    assert unchanged.name.startswith("callee.add")


OTHER_NUMBA = """
import os
from mrdtrack.kernels import _light_loading

def fail(*_):
    raise AttributeError("another numba has no such part")

_light_loading._read_object_code = fail
"""


def test_another_numba_loads_cached_kernels_as_it_does_itself(trial: Path) -> None:
    told = "hits = sum(ask.stats.cache_hits.values())\n"
    told += "assert hits == ('AGAIN' in os.environ)\n"
    (trial / "caller.py").write_text(OTHER_NUMBA + CALLER + told)
    assert run_trial(trial) == "6"
    assert run_trial(trial, AGAIN="1") == "6"


OLDER_NUMBA = """
from mrdtrack.kernels import _light_loading

_light_loading.WHOLE_KERNELS = set()
"""

RUNTIME = """
import os
from numba.core.runtime import rtsys

assert rtsys._init == ("COMPILED" in os.environ)
"""


def test_cached_kernels_need_no_runtime_compiled(trial: Path) -> None:
    (trial / "caller.py").write_text(CALLER + RUNTIME)
    assert run_trial(trial, COMPILED="1") == "6"
    assert run_trial(trial) == "6"


def test_another_numba_compiles_its_runtime_at_every_start(trial: Path) -> None:
    (trial / "caller.py").write_text(OLDER_NUMBA + CALLER + RUNTIME)
    assert run_trial(trial, COMPILED="1") == "6"
    assert run_trial(trial, COMPILED="1") == "6"


THREADS = """
from concurrent.futures import ThreadPoolExecutor

def ask_in_threads():
    with ThreadPoolExecutor(4) as pool:
        pair = Pair(np.array([5]), np.array([-5]))
        told = set(pool.map(ask, [pair] * 8))
        prepared = set(pool.map(lambda _: id(ask.compiled), range(8)))
    assert len(prepared) == 1
    print(*told)
"""


def test_threads_that_call_a_kernel_first_prepare_it_once(trial: Path) -> None:
    source = CALLER[: CALLER.index("print(")] + THREADS
    (trial / "caller.py").write_text(source)
    assert run_trial(trial, "caller.ask_in_threads()") == "6"
    assert run_trial(trial, "caller.ask_in_threads()") == "6"


def test_packages_that_numba_must_not_import_are_not_hidden(trial: Path) -> None:
    there = CALLER + "import scipy.linalg, coverage, yaml\n"
    (trial / "caller.py").write_text(there)
    assert run_trial(trial) == "6"
    already = "import scipy, coverage, yaml\n" + CALLER
    (trial / "caller.py").write_text(already + "assert scipy.linalg\n")
    assert run_trial(trial) == "6"


def test_the_digest_covers_names_bytes_and_subfolders(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    digests = {source_digest(tmp_path)}
    (tmp_path / "a.py").write_text("x = 2")
    digests.add(source_digest(tmp_path))
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    digests.add(source_digest(tmp_path))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c.py").touch()
    digests.add(source_digest(tmp_path))
    (tmp_path / "notes.txt").touch()
    assert source_digest(tmp_path) in digests
    assert len(digests) == 4
    assert all(len(digest) == 16 for digest in digests)


def test_the_users_choice_of_place_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shared"))
    digest = source_digest(tmp_path)
    assert find_cache_folder(tmp_path) == tmp_path / "own" / "mrdtrack" / digest
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    assert find_cache_folder(tmp_path) == tmp_path / "shared" / "mrdtrack" / digest
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    expected = tmp_path / "home" / ".cache" / "mrdtrack" / digest
    assert find_cache_folder(tmp_path) == expected


def no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


def test_no_home_at_all_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert find_cache_folder(tmp_path) is None


def test_warmth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert jit_is_disabled()
    assert _compile.is_warm()
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "0")
    assert not jit_is_disabled()
    monkeypatch.setattr(_compile, "CACHE_FOLDER", None)
    assert not _compile.is_warm()
    monkeypatch.setattr(_compile, "CACHE_FOLDER", tmp_path)
    assert not _compile.is_warm()
    (tmp_path / "kernel.nbi").touch()
    assert _compile.is_warm()


@kernel
def load_all(
    data: np.ndarray[tuple[int], np.dtype[np.uint8]], offset: int
) -> tuple[int, int, int, int, int, float]:
    """Load the bytes at an offset in every way."""
    raw = bare(data)
    return (
        read_u8(data, offset),
        read_u16(raw, offset),
        read_i32(raw, offset),
        read_u32(data, offset),
        read_i64(raw, offset),
        read_f32(raw, offset),
    )


@kernel
def load_and_mix(
    data: np.ndarray[tuple[int], np.dtype[np.uint8]], offset: int, state: int
) -> int:
    """Load eight bytes and stir them into a state."""
    return mix_u64(mix_u64(state, read_u64(bare(data), offset)), 1)


@given(st.binary(min_size=8, max_size=8), st.integers(0, 3), st.integers(0, 1 << 40))
def test_loads_are_those_of_struct(eight: bytes, offset: int, state: int) -> None:
    data = np.frombuffer(bytearray(offset + 8), dtype=np.uint8).copy()
    data[offset:] = np.frombuffer(eight, dtype=np.uint8)
    expected = tuple(
        struct.unpack_from(f"<{code}", eight)[0] for code in ("B", "H", "i", "I", "q")
    )
    (number,) = struct.unpack_from("<f", eight)
    for run in (load_all, load_all.py_func):
        *integers, real = run(data, offset)
        assert tuple(integers) == expected
        assert real == number or (np.isnan(real) and np.isnan(number))
    mixed = load_and_mix(data, offset, state)
    assert int(mixed) == load_and_mix.py_func(data, offset, state)


def test_mixing_changes_half_the_bits() -> None:
    generator = np.random.default_rng(7)
    changed = []
    for word in generator.integers(0, 1 << 62, 200):
        for bit in range(0, 64, 7):
            one = mix_u64(mix_u64(mix_u64(5, int(word)), 1), 2)
            other = mix_u64(mix_u64(mix_u64(5, int(word) ^ (1 << bit)), 1), 2)
            changed.append((one ^ other).bit_count())
    assert 30 < np.mean(changed) < 34
    assert min(changed) > 8
