"""Writing kernels: nests of elementwise equations and reductions, and contractions."""
