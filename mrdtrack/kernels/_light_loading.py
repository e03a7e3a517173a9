"""Load cached kernels without what only compiling needs.

Each way round numba's own is taken for the time of one load, under numba's lock, and
given up where a later numba has other parts.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from types import ModuleType, SimpleNamespace
from typing import Any, Final

WHOLE_KERNELS: Final = {(0, 68)}
"""Versions of numba whose machine code holds what is compiled of the runtime."""


def load_lightly(compiled: Any) -> None:
    """Let a cached kernel be loaded without all that only compiling needs.

    A kernel that must be compiled loads the rest then.
    """
    load = compiled._cache.load_overload

    def load_machine_code(signature: Any, context: Any) -> Any:
        with _machine_code_alone(context):
            return load(signature, context)

    compiled._cache.load_overload = load_machine_code


@contextmanager
def _machine_code_alone(context: Any) -> Iterator[None]:
    """Let numba leave out four things.

    Before it looks into the cache it loads everything it knows of Python and numpy,
    0.2 s; machine code needs but the runtime that counts owners of arrays, and holds
    itself what numba would compile of that, 0.02 s. It imports every module that a
    function in the kernel comes from, 0.15 s, for globals that only interpreted code
    would ask for. And it reads the kernel once more as bitcode, to be compiled into
    others, 0.06 s for all.
    """
    environment: Any = importlib.import_module("numba.core.environment")
    codegen = context.codegen()
    context.refresh = partial(_give_runtime, context)
    environment.importlib = SimpleNamespace(import_module=_loaded_module)
    codegen.unserialize_library = partial(_read_library, codegen)
    try:
        yield
    finally:
        del context.refresh, codegen.unserialize_library
        environment.importlib = importlib


def _give_runtime(context: Any) -> None:
    """Make ready what machine code needs of the runtime that it does not hold."""
    numba: Any = importlib.import_module("numba")
    if numba.version_info.short in WHOLE_KERNELS:
        _name_helpers()
    else:
        runtime: Any = importlib.import_module("numba.core.runtime")
        runtime.rtsys.initialize(context)


@cache
def _name_helpers() -> None:
    """Tell LLVM where the functions stand that numba's runtime has in C."""
    runtime: Any = importlib.import_module("numba.core.runtime._nrt_python")
    llvm: Any = importlib.import_module("llvmlite.binding")
    for name, address in runtime.c_helpers.items():
        llvm.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)


def _loaded_module(name: str) -> ModuleType:
    """Give a module if it has been imported, else an empty one."""
    return sys.modules.get(name) or ModuleType(name)


def _read_library(codegen: Any, state: tuple[str, str, Any]) -> Any:
    """Make a cached library ready to run."""
    try:
        return _read_object_code(codegen, *state)
    except (AttributeError, TypeError, ValueError):
        return type(codegen).unserialize_library(codegen, state)


def _read_object_code(codegen: Any, name: str, kind: str, data: Any) -> Any:
    """Take the object code of a library, and its bitcode only when it is asked for."""
    if kind != "object":
        raise ValueError(kind)
    object_code, bitcode = data
    library = codegen.create_library(name)
    library.get_pointer_to_function = codegen._engine.get_function_address
    library._get_module_for_linking = partial(_read_bitcode, library, bitcode)
    library.enable_object_caching()
    library._set_compiled_object(object_code)
    library._finalize_final_module()
    return library


def _read_bitcode(library: Any, bitcode: bytes) -> Any:
    """Give a library as what can be compiled into a kernel."""
    if library._shared_module is None:
        llvm: Any = importlib.import_module("llvmlite.binding")
        library._shared_module = llvm.parse_bitcode(bitcode)
        library.codegen._engine._load_defined_symbols(library._shared_module)
    return library._shared_module
