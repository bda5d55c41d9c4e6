"""Writing LLVM IR for a processor, and making machine code of it."""
