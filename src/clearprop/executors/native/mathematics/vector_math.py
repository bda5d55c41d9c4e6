"""The elementary functions of floats by name, and how exact they are.

All are written as polynomials: none calls a library.
"""

from __future__ import annotations

from collections.abc import Callable

from clearprop.executors.native.llvm.registers import Operand
from clearprop.executors.native.mathematics import circular, exponentials, gaussian, powers

FUNCTIONS: dict[str, Callable[..., Operand]] = {
    "exp": exponentials.exp,
    "expm1": exponentials.expm1,
    "log": exponentials.log,
    "log1p": exponentials.log1p,
    "sqrt": exponentials.sqrt,
    "rsqrt": exponentials.rsqrt,
    "power": powers.power,
    "sigmoid": exponentials.sigmoid,
    "sin": circular.sin,
    "cos": circular.cos,
    "tan": circular.tan,
    "arcsin": circular.arcsin,
    "arccos": circular.arccos,
    "arctan": circular.arctan,
    "arctan2": circular.arctan2,
    "sinh": exponentials.sinh,
    "cosh": exponentials.cosh,
    "tanh": exponentials.tanh,
    "arcsinh": exponentials.arcsinh,
    "arccosh": exponentials.arccosh,
    "arctanh": exponentials.arctanh,
    "erf": gaussian.erf,
    "erf_inverse": gaussian.erf_inverse,
}

# Bounds of the errors of floats and of doubles, in units of the last place of the exact result:
# the greatest that were measured, rounded up, on processors with and without a fused
# multiplication.  Results below the smallest normal number count as 0.
ULP_LIMITS: dict[str, tuple[float, float]] = {
    "exp": (1.5, 1.5),
    "expm1": (2.0, 2.5),
    "log": (1.5, 1.0),
    "log1p": (2.0, 1.5),
    "sqrt": (0.5, 0.5),
    "rsqrt": (1.5, 1.5),
    "power": (1.5, 1.5),
    "sigmoid": (2.5, 2.5),
    "sin": (2.0, 2.5),
    "cos": (2.0, 2.5),
    "tan": (4.0, 4.0),
    "arcsin": (2.0, 2.0),
    "arccos": (1.5, 1.5),
    "arctan": (2.0, 2.0),
    "arctan2": (2.5, 2.5),
    "sinh": (2.5, 2.5),
    "cosh": (2.0, 2.0),
    "tanh": (3.0, 3.0),
    "arcsinh": (2.5, 2.0),
    "arccosh": (3.0, 3.0),
    "arctanh": (2.5, 2.5),
    "erf": (2.5, 1.5),
    "erf_inverse": (3.5, 3.5),
}
