"""The elementary functions of floats by name, and how exact they are.

All are written as polynomials: none calls a library.
"""

from __future__ import annotations

from collections.abc import Callable

from clearprop.executors.native import exponentials, gaussian, powers
from clearprop.executors.native.writer import Operand

FUNCTIONS: dict[str, Callable[..., Operand]] = {
    "exp": exponentials.exp,
    "expm1": exponentials.expm1,
    "log": exponentials.log,
    "log1p": exponentials.log1p,
    "sqrt": exponentials.sqrt,
    "rsqrt": exponentials.rsqrt,
    "power": powers.power,
    "sigmoid": exponentials.sigmoid,
    "sinh": exponentials.sinh,
    "cosh": exponentials.cosh,
    "tanh": exponentials.tanh,
    "arcsinh": exponentials.arcsinh,
    "arccosh": exponentials.arccosh,
    "arctanh": exponentials.arctanh,
    "erf": gaussian.erf,
    "erf_inverse": gaussian.erf_inverse,
}
