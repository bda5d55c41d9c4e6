"""Glass: what a graph holds, made visible with value and gradient at every gate."""

from clearprop.glass.graph import GraphPicture, show

__all__ = ["GraphPicture", "show"]
