"""From LLVM IR to machine code, by LLVM.

Importing this loads LLVM, so ``code`` does it only where something has to be compiled.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache

import llvmlite.binding as llvm

from clearprop.executors.native.llvm.machine import Machine

_numbers = itertools.count()
# Each call of LLVM holds this lock, finalizers' calls too.  A child that is born meanwhile, in
# another thread, would find it taken for ever.
_llvm_lock = llvm.ffi.lib._lock._lock

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_llvm_lock.acquire,
        after_in_parent=_llvm_lock.release,
        after_in_child=_llvm_lock.release,
    )


@cache
def target_machine(machine: Machine) -> llvm.TargetMachine:
    """LLVM's code generator for a machine."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    target = llvm.Target.from_triple(machine.triple)
    # Level 1: the code that is written is explicit already; more costs time and brings nothing.
    return target.create_target_machine(
        cpu=machine.cpu, features=machine.features, opt=1, reloc="pic", codemodel="small"
    )


def object_code(text: str, machine: Machine) -> bytes:
    """Machine code, as an object file, for a module in LLVM IR."""
    with _parsed(text, machine) as module:
        return bytes(target_machine(machine).emit_object(module))


@contextmanager
def _parsed(text: str, machine: Machine) -> Iterator[llvm.ModuleRef]:
    """A module of LLVM, to be compiled while the block runs.

    The pass that chooses what loops count on is left out meanwhile: the writer has chosen, and the
    pass takes half of LLVM's time.  The option holds for the process, and others compile, too.
    """
    target = target_machine(machine)
    module = llvm.parse_assembly(text)
    module.triple = target.triple
    module.data_layout = str(target.target_data)
    llvm.set_option("clearprop", "-disable-lsr=true")
    try:
        yield module
    finally:
        llvm.set_option("clearprop", "-disable-lsr=false")


def assembly(text: str, machine: Machine) -> str:
    """The same as text in the machine's assembly language, to be read."""
    with _parsed(text, machine) as module:
        return str(target_machine(machine).emit_assembly(module))


def linked(image: bytes, names: Sequence[str]) -> tuple[dict[str, int], object]:
    """Where the functions of an object file begin, and what has to live as long as they do."""
    builder = llvm.JITLibraryBuilder().add_object_img(image).add_current_process()
    for name in names:
        builder = builder.export_symbol(name)
    jit = _jit()
    library = builder.link(jit, f"clearprop_{next(_numbers)}")
    # The library keeps the code; the compiler it was linked by must outlive it.
    return {name: int(library[name]) for name in names}, (jit, library)


@lru_cache(maxsize=1)
def _jit() -> llvm.LLJIT:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), opt=1, reloc="pic", jit=True
    )
    return llvm.create_lljit_compiler(target)
