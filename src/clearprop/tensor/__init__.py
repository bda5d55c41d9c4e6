"""The user's Tensor: a node of the computational graph with operators and numbers."""

from clearprop.tensor.parameter import Parameter, parameter
from clearprop.tensor.tensor import Tensor, tensor

__all__ = ["Parameter", "Tensor", "parameter", "tensor"]
