"""From a float to a whole number near it (still a float).

All are constant between their steps: the derivative is zero wherever there is one.
"""

from __future__ import annotations

import numpy as np

from clearprop.ir.value import Value
from clearprop.primitives.elementwise import elementwise


def floor(x: Value) -> Value:
    """The greatest whole number that is not above x."""
    return FLOOR.apply(x)


def ceil(x: Value) -> Value:
    """The least whole number that is not below x."""
    return CEIL.apply(x)


def round_(x: Value) -> Value:
    """The nearest whole number; of two equally near, the even one (``round`` in Programs)."""
    return ROUND.apply(x)


def truncate(x: Value) -> Value:
    """The next whole number towards zero."""
    return TRUNCATE.apply(x)


FLOOR = elementwise("floor", meaning=np.floor, gradient=None, kinds="f")
CEIL = elementwise("ceil", meaning=np.ceil, gradient=None, kinds="f")
ROUND = elementwise("round", meaning=np.rint, gradient=None, kinds="f")
TRUNCATE = elementwise("truncate", meaning=np.trunc, gradient=None, kinds="f")
