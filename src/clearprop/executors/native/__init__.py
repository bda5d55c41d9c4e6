"""The native executor: Programs as machine code, written by a compiler in Python on LLVM."""
