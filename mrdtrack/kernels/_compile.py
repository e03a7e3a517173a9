"""Turn plain functions into kernels: the only importer of numba.

Numba judges a cached kernel by the source file of that kernel alone; what it calls in
other files, compile options and the order of tuple fields count for nothing. After an
upgrade it would go on serving the old machine code. So the cache lives in a folder
named by a digest of every source file of this package: any change is a new folder.

Loads from raw bytes (`read_i32` and its neighbours) are compiled to one machine
instruction each, without a bounds check, and run as plain Python just as well. An array
handed from one compiled function to another has its owners counted at each call, which
costs more than the work: `bare` gives what is handed on instead.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import logging
import os
import struct
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, cast

from mrdtrack.kernels._light_loading import load_lightly

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
A = TypeVar("A", bound="NDArray[Any] | tuple[Any, ...]")

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


class _LazyKernel:
    """A kernel that numba hears of when it is called, or compiled into another.

    Most are only ever called by others, and in those that are cached they are compiled
    already: to prepare all of them for numba would take 0.04 s.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.py_func = function
        self._compiled: Any = None
        update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.compiled(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.compiled, name)

    @property
    def compiled(self) -> Any:
        """What numba makes of it; one, whatever thread asks first."""
        if self._compiled is None:
            with compiler_lock:
                if self._compiled is None:
                    self._compiled = _compiled(self.py_func)
        return self._compiled


def _compiled(function: Callable[..., Any]) -> Any:
    """Let numba compile a function on its first call."""
    cached = CACHE_FOLDER is not None
    compiled = numba.njit(nogil=True, error_model="numpy", cache=cached)(function)
    if cached:
        _forgive_full_disk(compiled)
        load_lightly(compiled)
    return compiled


def kernel(function: Callable[P, R]) -> Kernel[P, R]:
    """Compile a function on its first call; see the contract in `kernels`."""
    if jit_is_disabled():
        cast("Any", function).py_func = function
        return cast("Kernel[P, R]", function)
    return cast("Kernel[P, R]", _LazyKernel(function))


def bare(values: A) -> A:
    """Give a flat array, or a tuple of them, as what kernels hand to one another.

    Compiled it is a bare pointer, or a tuple of them, else the argument itself. Only
    arguments of the kernel may be bared: an array made inside it is freed when nothing
    but the pointer is left.
    """
    return values


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


def _first_byte(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """Give the pointer to byte `offset` of an array or of what `bare` gives."""
    kind, value = signature.args[0], args[0]
    if isinstance(kind, types.Array):
        value = context.make_array(kind)(context, builder, value).data
    offset = context.cast(builder, args[1], signature.args[1], types.int64)
    return builder.gep(value, [offset])


def _lower(function: Callable[..., Any], result: Any, code: Any, *kinds: Any) -> None:
    """Teach numba a function: its result type and its machine code."""

    def give_type(_context: Any) -> Any:
        def give_result(*args: Any) -> Any:
            pairs = zip(args, kinds, strict=True)
            return result if all(isinstance(*pair) for pair in pairs) else None

        typer: Any = give_result
        typer.__signature__ = inspect.signature(function)
        return typer

    extending.type_callable(function)(give_type)
    extending.lower_builtin(function, *kinds)(code)


def _lower_load(function: Callable[..., Any], word: Any, result: Any) -> None:
    """Compile a `read_*` to one load of `word` bits, widened to its result."""

    def load(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        start = _first_byte(context, builder, signature, args)
        address = builder.bitcast(start, context.get_value_type(word).as_pointer())
        value = builder.load(address, align=1)
        return context.cast(builder, value, word, result)

    for kind in (types.Array, types.CPointer):
        _lower(function, result, load, kind, types.Integer)


def _lower_mix() -> None:
    """Compile `mix_u64` to a xor, a multiplication and a fold."""

    def mix(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        state, word = (
            context.cast(builder, value, kind, types.uint64)
            for value, kind in zip(args, signature.args, strict=True)
        )
        multiplier = ir.Constant(ir.IntType(64), MIX_MULTIPLIER)
        product = builder.mul(builder.xor(state, word), multiplier)
        half = ir.Constant(ir.IntType(64), 32)
        return builder.xor(product, builder.lshr(product, half))

    _lower(mix_u64, types.uint64, mix, types.Integer, types.Integer)


def _bare_type(kind: Any) -> Any:
    """Give the type of what `bare` gives for an argument of this type."""
    if isinstance(kind, types.Array):
        return types.CPointer(kind.dtype)
    if isinstance(kind, types.BaseNamedTuple):
        parts = [_bare_type(part) for part in kind.types]
        same = all(part == parts[0] for part in parts)
        if same:
            return types.NamedUniTuple(parts[0], len(parts), kind.instance_class)
        return types.NamedTuple(parts, kind.instance_class)
    return kind


def _bare_value(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """Give the pointer inside an array, and those inside a tuple of arrays."""
    if isinstance(kind, types.Array):
        return context.make_array(kind)(context, builder, value).data
    if isinstance(kind, types.BaseNamedTuple):
        parts = [
            _bare_value(context, builder, part, builder.extract_value(value, index))
            for index, part in enumerate(kind.types)
        ]
        return context.make_tuple(builder, _bare_type(kind), parts)
    return value


def _lower_bare() -> None:
    """Compile `bare` to the pointers inside arrays."""
    of_tuples_too = (types.Array, types.BaseNamedTuple)

    def give_type(_context: Any) -> Any:
        def give_result(values: Any) -> Any:
            return _bare_type(values) if isinstance(values, of_tuples_too) else None

        return give_result

    def give_pointers(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _bare_value(context, builder, signature.args[0], args[0])

    extending.type_callable(bare)(give_type)
    for kind in of_tuples_too:
        extending.lower_builtin(bare, kind)(give_pointers)


def _lower_all() -> None:
    """Teach numba every function of this module."""
    _lower_load(read_u8, types.uint8, types.int64)
    _lower_load(read_u16, types.uint16, types.int64)
    _lower_load(read_i32, types.int32, types.int64)
    _lower_load(read_u32, types.uint32, types.int64)
    _lower_load(read_i64, types.int64, types.int64)
    _lower_load(read_u64, types.uint64, types.uint64)
    _lower_load(read_f32, types.float32, types.float64)
    _lower_mix()
    _lower_bare()


@contextmanager
def _without(*names: str) -> Iterator[None]:
    """Make optional packages seem absent, unless they have been imported already.

    Numba imports them to see whether they are there: scipy for BLAS, which no kernel
    calls, yaml for a file of settings.
    """
    hidden = [name for name in names if name not in sys.modules]
    modules: dict[str, Any] = sys.modules
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            modules.pop(name, None)


CACHE_FOLDER: Path | None = None

if not jit_is_disabled():
    with _without("coverage", "scipy", "yaml"):
        import numba
    compiler_lock: Any = importlib.import_module(
        "numba.core.compiler_lock"
    ).global_compiler_lock
    types: Any = importlib.import_module("numba.types")
    extending: Any = importlib.import_module("numba.extending")
    ir: Any = importlib.import_module("llvmlite.ir")

    CACHE_FOLDER = find_cache_folder(Path(__file__).parent)
    if CACHE_FOLDER is not None:
        cast("Any", numba.config).CACHE_DIR = str(CACHE_FOLDER)
    _lower_all()
