"""Penalties on weights and activities: ``cp.regularizers``."""

from clearprop.regularizers.names import get
from clearprop.regularizers.regularizers import L1, L1L2, L2, OrthogonalRegularizer, Regularizer

__all__ = ["L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer", "get"]
