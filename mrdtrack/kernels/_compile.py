"""Turn plain functions into kernels: the only importer of numba.

Numba judges a cached kernel by the source file of that kernel alone; what it calls in
other files, compile options and the order of tuple fields count for nothing. After an
upgrade it would go on serving the old machine code. So the cache lives in a folder
named by a digest of every source file of this package: any change is a new folder.

Loads from raw bytes (`read_i32` and its neighbours) are compiled to one machine
instruction each, without a bounds check, and run as plain Python just as well.
"""

from __future__ import annotations

import hashlib
import logging
import os
import struct
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, cast

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

MASK_64 = 0xFFFFFFFFFFFFFFFF
MIX_MULTIPLIER = 0x9E3779B97F4A7C15


class Kernel(Protocol[P, R_co]):
    """A compiled function; `py_func` is its plain Python form."""

    @property
    def py_func(self) -> Callable[P, R_co]:
        """The function as written."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Run it."""


def jit_is_disabled() -> bool:
    """Say whether NUMBA_DISABLE_JIT asks for plain Python."""
    return os.environ.get("NUMBA_DISABLE_JIT", "0") not in {"", "0"}


def source_digest(folder: Path) -> str:
    """Digest name and bytes of every Python file below `folder`: 16 hex digits."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _cache_base() -> Path:
    """Choose where caches live; `RuntimeError` when there is no home."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return Path(chosen)
    shared = os.environ.get("XDG_CACHE_HOME")
    return Path(shared) if shared else Path.home() / ".cache"


def find_cache_folder(sources: Path) -> Path | None:
    """Make the digest-named cache folder; None where nothing can be written."""
    try:
        folder = _cache_base().absolute() / "mrdtrack" / source_digest(sources)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"\0")
    except (OSError, RuntimeError, ValueError) as error:
        _log.debug("kernels are compiled without a cache: %s", error)
        return None
    return folder


def is_warm() -> bool:
    """Say whether the kernels need no compiling: cached before, or plain Python."""
    if jit_is_disabled():
        return True
    return CACHE_FOLDER is not None and any(CACHE_FOLDER.rglob("*.nbi"))


def _forgive_full_disk(compiled: Any) -> None:
    """Let a kernel that cannot be stored run all the same."""
    save = compiled._cache.save_overload

    def save_if_possible(signature: Any, data: Any) -> None:
        try:
            save(signature, data)
        except OSError as error:
            _log.debug("a kernel could not be cached: %s", error)

    compiled._cache.save_overload = save_if_possible


def kernel(function: Callable[P, R]) -> Kernel[P, R]:
    """Compile a function on its first call; see the contract in `kernels`."""
    if jit_is_disabled():
        cast("Any", function).py_func = function
        return cast("Kernel[P, R]", function)
    cached = CACHE_FOLDER is not None
    compiled = numba.njit(nogil=True, error_model="numpy", cache=cached)(function)
    if cached:
        _forgive_full_disk(compiled)
    return cast("Kernel[P, R]", compiled)


def read_u8(data: NDArray[np.uint8], offset: int) -> int:
    """Load one byte."""
    return int(data[offset])


def read_u16(data: NDArray[np.uint8], offset: int) -> int:
    """Load two bytes, little end first."""
    return int.from_bytes(data[offset : offset + 2].tobytes(), "little")


def read_i32(data: NDArray[np.uint8], offset: int) -> int:
    """Load four bytes, little end first, signed."""
    return int.from_bytes(data[offset : offset + 4].tobytes(), "little", signed=True)


def read_u32(data: NDArray[np.uint8], offset: int) -> int:
    """Load four bytes, little end first."""
    return int.from_bytes(data[offset : offset + 4].tobytes(), "little")


def read_i64(data: NDArray[np.uint8], offset: int) -> int:
    """Load eight bytes, little end first, signed."""
    return int.from_bytes(data[offset : offset + 8].tobytes(), "little", signed=True)


def read_u64(data: NDArray[np.uint8], offset: int) -> int:
    """Load eight bytes, little end first."""
    return int.from_bytes(data[offset : offset + 8].tobytes(), "little")


def read_f32(data: NDArray[np.uint8], offset: int) -> float:
    """Load four bytes as a floating-point number."""
    return float(struct.unpack("<f", data[offset : offset + 4].tobytes())[0])


def mix_u64(state: int, word: int) -> int:
    """Stir a 64-bit word into a 64-bit state: xor, odd multiplication, fold.

    The step of a multiplicative hash (Knuth, The Art of Computer Programming 3, 6.4),
    with the high half folded down so that every bit reaches the low ones.
    """
    product = ((state ^ word) * MIX_MULTIPLIER) & MASK_64
    return product ^ (product >> 32)


def _lower_load(function: Callable[..., int], bits: int, *, signed: bool) -> None:
    """Compile a `read_*` to one load; 64-bit results, unsigned for `read_u64` only."""
    result = types.uint64 if bits == 64 and not signed else types.int64

    def type_load(_context: Any) -> Any:
        def typer(data: Any, offset: Any) -> Any:
            if isinstance(data, types.Array) and isinstance(offset, types.Integer):
                return result
            return None

        return typer

    def lower_load(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        offset = context.cast(builder, args[1], signature.args[1], types.int64)
        start = builder.gep(array.data, [offset])
        word = builder.bitcast(start, ir.IntType(bits).as_pointer())
        value = builder.load(word, align=1)
        if bits == 64:
            return value
        widen = builder.sext if signed else builder.zext
        return widen(value, ir.IntType(64))

    extending.type_callable(function)(type_load)
    extending.lower_builtin(function, types.Array, types.Integer)(lower_load)


def _lower_float() -> None:
    """Compile `read_f32` to one load."""

    def type_load(_context: Any) -> Any:
        def typer(data: Any, offset: Any) -> Any:
            if isinstance(data, types.Array) and isinstance(offset, types.Integer):
                return types.float64
            return None

        return typer

    def lower_load(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        offset = context.cast(builder, args[1], signature.args[1], types.int64)
        start = builder.gep(array.data, [offset])
        word = builder.bitcast(start, ir.FloatType().as_pointer())
        return builder.fpext(builder.load(word, align=1), ir.DoubleType())

    extending.type_callable(read_f32)(type_load)
    extending.lower_builtin(read_f32, types.Array, types.Integer)(lower_load)


def _lower_mix() -> None:
    """Compile `mix_u64` to a xor, a multiplication and a fold."""

    def type_mix(_context: Any) -> Any:
        def typer(state: Any, word: Any) -> Any:
            if isinstance(state, types.Integer) and isinstance(word, types.Integer):
                return types.uint64
            return None

        return typer

    def lower_mix(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        state, word = (
            context.cast(builder, value, kind, types.uint64)
            for value, kind in zip(args, signature.args, strict=True)
        )
        multiplier = ir.Constant(ir.IntType(64), MIX_MULTIPLIER)
        product = builder.mul(builder.xor(state, word), multiplier)
        half = ir.Constant(ir.IntType(64), 32)
        return builder.xor(product, builder.lshr(product, half))

    extending.type_callable(mix_u64)(type_mix)
    extending.lower_builtin(mix_u64, types.Integer, types.Integer)(lower_mix)


CACHE_FOLDER: Path | None = None

if not jit_is_disabled():
    import numba
    from numba import types

    extending: Any = import_module("numba.extending")
    ir: Any = import_module("llvmlite.ir")

    CACHE_FOLDER = find_cache_folder(Path(__file__).parent)
    if CACHE_FOLDER is not None:
        cast("Any", numba.config).CACHE_DIR = str(CACHE_FOLDER)
    _lower_load(read_u8, 8, signed=False)
    _lower_load(read_u16, 16, signed=False)
    _lower_load(read_i32, 32, signed=True)
    _lower_load(read_u32, 32, signed=False)
    _lower_load(read_i64, 64, signed=True)
    _lower_load(read_u64, 64, signed=False)
    _lower_float()
    _lower_mix()
