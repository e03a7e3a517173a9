"""The kernel contract.

1. **In and out.** A kernel takes tuples of arrays and scalars and returns such a tuple,
   an array or a scalar. No strings, dictionaries, `None` or other Python objects; no
   input or output; no exceptions: the caller has checked. What cannot be computed is
   NaN, or a status code that the caller turns into a sentence.
2. **Arrays** are C-contiguous, writable and of the declared dtype; whoever builds them
   sees to it. A read-only array would compile a second version: after an end-to-end run
   a test asserts `len(kernel.signatures) == 1`.
3. **Pure and deterministic.** A kernel changes nothing but buffers that are named as
   output. Integer counts are summed and floats added in a fixed order. No `fastmath`: a
   likelihood must not depend on the compiler's mood.
4. **One decorator**, `@kernel`, and nothing else, on everything that is compiled. It
   alone chooses numba's options. For threads the bench runs batches in a pool (kernels
   release the GIL) and adds up the counts in order.
5. **Typed.** Strict mypy sees through the decorator, and `py_func` is the plain Python
   form, with `NUMBA_DISABLE_JIT=1` too. Every kernel must give the same answer both
   ways, so integers that may wrap go through `mix_u64`, never through `*` and `+`.
6. **Bounds.** Nothing checks an index inside a kernel. Bytes of a file are walked only
   after `bam_records.check_records` has seen that each record's lengths fit.
7. **Has a twin** among the tests, and a docstring that states shapes and units.

Ragged values are flat arrays with offsets: molecule `i` owns
`values[offsets[i]:offsets[i + 1]]`.

This folder imports numpy, numba (in `_compile` only) and itself. Only then does the
digest that names the cache folder cover everything a kernel is made of.
"""
