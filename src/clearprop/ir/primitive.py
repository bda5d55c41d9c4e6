"""How a word of the language is declared, and how equations are written down.

A primitive is one record of plain functions:

    infer     (*input types, **params)  -> type, or a tuple of types (checked before anything runs)
    meaning   (*arrays, **params)       -> array, or a tuple of arrays (this *is* the definition)
    gradient  (d_output, output, *inputs, **params) -> d_inputs, one for each input
                                           (written in primitives: it can be differentiated again)
    flops     (*input types, **params)  -> whole number, for the reports

A *control* primitive holds Programs in its params (``scan``, ``branch``).  Its gradient is
``(differentiate, wanted, d_outputs, outputs, *inputs, **params)``: it is handed the gradient pass
for the Programs inside, and which inputs need a derivative at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from clearprop.errors import ClearPropError
from clearprop.ir.place import here
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Equation, Value

Gradients = tuple[Value | None, ...]  # one per input; None: no derivative
REGISTRY: dict[str, Primitive] = {}


@dataclass(frozen=True, eq=False)
class Primitive:
    """One word of ClearProp's language.

    Attributes:
        name: how it is printed, stored and looked up.
        infer: the types that come out, from the types that go in.
        meaning: the definition, in NumPy.
        gradient: the derivative by each input; None where the output never has one.
        flops: how many arithmetic operations it takes.
        multiple: whether it gives a tuple of values; its gradient then takes tuples
            ``(d_outputs, outputs, *inputs)`` too.
        control: whether its params hold Programs.
        overwrite: the meaning for a first input that nobody else will read: it may write into
            that array and return it.
    """

    name: str
    infer: Callable[..., TensorType | tuple[TensorType, ...]]
    meaning: Callable[..., Array | tuple[Array, ...]]
    gradient: Callable[..., Gradients] | None
    flops: Callable[..., int]
    multiple: bool = False
    control: bool = False
    overwrite: Callable[..., Array] | None = None

    def __post_init__(self) -> None:
        if self.name in REGISTRY:
            raise TypeError(f"two primitives are called {self.name!r}")
        REGISTRY[self.name] = self

    def __repr__(self) -> str:
        return self.name

    def apply(self, *inputs: Value, **params: Any) -> Value:
        """Write ``name(*inputs, **params)`` down and return its one result."""
        return self.apply_all(*inputs, **params)[0]

    def apply_all(
        self, *inputs: Value, like: Value | None = None, **params: Any
    ) -> tuple[Value, ...]:
        """Write ``name(*inputs, **params)`` down and return all its results.

        The results are of the most special class among the inputs, so that what is written
        with Values serves every class of values.

        Args:
            inputs: what the primitive is applied to.
            like: for a primitive without inputs, a value of the class that the results take.
            params: the primitive's fixed arguments.
        """
        place = here()
        inputs = tuple([value.as_input() for value in inputs])
        try:
            types = self.infer(*[value.type for value in inputs], **params)
        except ClearPropError as error:
            error.at = error.at or str(place)
            raise
        if isinstance(types, TensorType):
            types = (types,)
        equation = Equation(self, inputs, MappingProxyType(params), types, place)
        results = _class_of(inputs if like is None else (like.as_input(),)).results(equation)
        if self.multiple:
            equation.remember(results)
        return results


def _class_of(values: tuple[Value, ...]) -> type[Value]:
    chosen: type[Value] = Value
    for value in values:
        if type(value) is not chosen and issubclass(type(value), chosen):
            chosen = type(value)
    return chosen


def one_flop_per_element(*types: TensorType, **_: object) -> int:
    """The cost of an ordinary elementwise primitive."""
    return types[0].size


def no_flops(*_: TensorType, **__: object) -> int:
    """The cost of moving numbers about."""
    return 0
