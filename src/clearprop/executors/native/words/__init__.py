"""Primitives with kernels of their own: windows, sorting, scattering, running sums ..."""
