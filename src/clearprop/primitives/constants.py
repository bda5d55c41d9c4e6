"""Numbers that gradient rules and ops write beside a value."""

from __future__ import annotations

import numpy as np

from clearprop.ir.value import Value
from clearprop.primitives.spread import everywhere


def scalar_like(number: float | int | bool, like: Value) -> Value:
    """``number`` as one leaf of the class and element type of ``like``.

    Shapes:
        like: any  ->  ()
    """
    return type(like.as_input()).leaf(np.asarray(number, like.dtype))


def constant_like(number: float | int | bool, like: Value) -> Value:
    """``number`` in the type of ``like``: one leaf, spread to its shape.

    Shapes:
        like: S  ->  S
    """
    array = everywhere(np.asarray(number, like.dtype), like.shape)
    return type(like.as_input()).leaf(array)


def zeros_like(like: Value) -> Value:
    """Zeros (False) in the type of ``like``.

    Shapes:
        like: S  ->  S
    """
    return constant_like(0, like)
