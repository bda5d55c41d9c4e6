"""Functions of functions: derivatives, loops and machine code of what the user wrote."""

from clearprop.functions.check import GradientReport, check_gradients
from clearprop.functions.compiled import (
    CompiledFunction,
    compile,  # noqa: A004 -- JAX's and Keras's word
)
from clearprop.functions.derivatives import grad, hessian, jacobian, value_and_grad
from clearprop.functions.loop import scan

__all__ = [
    "CompiledFunction",
    "GradientReport",
    "check_gradients",
    "compile",
    "grad",
    "hessian",
    "jacobian",
    "scan",
    "value_and_grad",
]
