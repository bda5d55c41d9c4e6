"""Functions of functions: derivatives, loops, choices and machine code of what the user wrote."""

from clearprop.functions.branching import branch, cond
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
    "branch",
    "check_gradients",
    "compile",
    "cond",
    "grad",
    "hessian",
    "jacobian",
    "scan",
    "value_and_grad",
]
