"""Values and equations: the nodes of the computational graph."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self
from weakref import ref

import numpy as np

from clearprop.dtypes import DType
from clearprop.errors import TraceError
from clearprop.ir.place import NOWHERE, Place
from clearprop.ir.types import Shape, TensorType

if TYPE_CHECKING:
    from clearprop.ir.primitive import Primitive

Array = np.ndarray[Any, Any]


def repeats_one(array: Array) -> bool:
    """Whether several elements are one number in memory, as those of a broadcast number are."""
    return array.size > 1 and all(
        stride == 0 or length == 1
        for stride, length in zip(array.strides, array.shape, strict=True)
    )


class Equation:
    """``primitive(*inputs, **params)``: how one or more values come about.

    An equation does not hold the values it gives (they hold it), so that a graph nobody looks
    at any more is freed at once.

    Attributes:
        primitive: the word of the language that is applied.
        inputs: the values it is applied to.
        params: its fixed arguments: numbers, text, tuples, dtypes, Programs.
        types: the type of each value that comes out.
        place: the user's line and layer that wrote it.
    """

    __slots__ = ("_alive", "inputs", "params", "place", "primitive", "types")

    def __init__(
        self,
        primitive: Primitive,
        inputs: tuple[Value, ...],
        params: Mapping[str, Any],
        types: tuple[TensorType, ...],
        place: Place = NOWHERE,
    ) -> None:
        self.primitive, self.inputs, self.params = primitive, inputs, params
        self.types, self.place = types, place
        self._alive: tuple[ref[Value], ...] = ()

    def remember(self, results: Sequence[Value]) -> None:
        """Know the values that were made of this equation, for as long as they live."""
        self._alive = tuple(map(ref, results))

    def result(self, index: int) -> Value:
        """The value with this index: the one that exists, or else a new one."""
        if index < len(self._alive):
            value = self._alive[index]()
            if value is not None:
                return value
        return Value(self.types[index], equation=self, index=index)


class Value:
    """One array of the computational graph: a leaf, a placeholder, or a result.

    A leaf holds its numbers in ``array``; a placeholder has neither numbers nor an equation, its
    numbers come from a caller; a result has the equation it comes from.

    Attributes:
        type: shape and element type, known from the start.
        equation: where it comes from; None for leaves and placeholders.
        index: which of the equation's results it is.
        array: its numbers, when they are known.
        name: what people call it, or "".
    """

    __slots__ = ("__weakref__", "array", "equation", "index", "name", "type")

    def __init__(
        self,
        type_: TensorType,
        *,
        array: Array | None = None,
        equation: Equation | None = None,
        index: int = 0,
        name: str = "",
    ) -> None:
        self.type, self.array, self.equation = type_, array, equation
        self.index, self.name = index, name

    @classmethod
    def leaf(cls, array: Array, name: str = "") -> Value:
        """A value that holds ``array`` (which nobody may change any more)."""
        return cls(TensorType.of(array), array=array, name=name)

    @classmethod
    def results(cls, equation: Equation) -> tuple[Self, ...]:
        """The values that ``equation`` gives."""
        return tuple([
            cls(type_, equation=equation, index=index) for index, type_ in enumerate(equation.types)
        ])

    def as_input(self) -> Value:
        """What an equation that is applied to this value holds: the value itself.

        A parameter answers with the leaf of its present numbers, so that equations written
        before a parameter changes keep the numbers they were written with.
        """
        return self

    @property
    def shape(self) -> Shape:
        """Length of each axis."""
        return self.type.shape

    @property
    def dtype(self) -> DType:
        """Element type."""
        return self.type.dtype

    @property
    def is_placeholder(self) -> bool:
        """Whether the numbers are to come from a caller."""
        return self.equation is None and self.array is None

    @property
    def is_constant(self) -> bool:
        """Whether it is a leaf that nothing learns by: only its numbers count."""
        return self.array is not None and self.equation is None

    def __bool__(self) -> bool:
        raise TraceError(
            "Deciding by a value that has no numbers yet",
            found=f"a value of type {self.type}",
            needed="a number",
            try_="choose with where(condition, a, b) inside the computation",
        )

    def __repr__(self) -> str:
        source = f" = {self.equation.primitive.name}" if self.equation else ""
        return f"<{type(self).__name__} {self.name}{':' if self.name else ''} {self.type}{source}>"


class Symbolic(ABC):
    """A stand-in for a batch of unknown size, which records what is called on it.

    It is no Value: it has neither numbers nor a whole shape.  Public operations that meet one
    write their own call down (a functional model replays it on real batches) and do not run.
    """

    @abstractmethod
    def record(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Write the call ``function(*args, **kwargs)`` down; returns its symbolic result."""


_leaf_classes: list[type[Value]] = [Value]


def set_leaf_class(class_: type[Value]) -> None:
    """Choose the class of leaves that are made from plain numbers alone."""
    _leaf_classes[0] = class_


def leaf_class() -> type[Value]:
    """The class of leaves that are made from plain numbers alone: Value until a room above says."""
    return _leaf_classes[0]
