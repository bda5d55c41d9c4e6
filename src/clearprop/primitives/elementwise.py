"""How a primitive that acts on each element alone is declared.

All its inputs have exactly one type, S -> S: broadcasting and promotion happen one floor up, in
``ops``, as equations of their own, so no rule has to undo them.
"""

from __future__ import annotations

from collections.abc import Callable

from clearprop.dtypes import DType
from clearprop.ir.primitive import Gradients, Primitive, one_flop_per_element
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array
from clearprop.primitives.checks import needs_kind, one_type


def elementwise(
    name: str,
    *,
    meaning: Callable[..., Array],
    gradient: Callable[..., Gradients] | None,
    kinds: str = "iuf",
    gives: DType | None = None,
) -> Primitive:
    """A primitive on inputs of one type.

    Args:
        name: how it is called.
        meaning: the definition, in NumPy.
        gradient: its gradient rule; None where the derivative is zero or does not exist.
        kinds: which elements it takes: b(ool), i(nteger), u(nsigned), f(loat).
        gives: the element type that comes out; None means that of the inputs.
    """

    def infer(*types: TensorType) -> TensorType:
        type_ = needs_kind(name, one_type(name, *types), kinds)
        return type_ if gives is None else TensorType(type_.shape, gives)

    return Primitive(
        name, infer=infer, meaning=meaning, gradient=gradient, flops=one_flop_per_element
    )
