"""What a group of equations is, and where its readers find what they read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from clearprop.executors.native.kernels.affine import (
    Affine,
    Axis,
    Index,
)
from clearprop.executors.native.mathematics.elementwise import WRITERS
from clearprop.ir.types import Shape
from clearprop.ir.value import Equation, Value

MAPS = frozenset(WRITERS) | {"cast"}
REDUCTIONS = frozenset({
    "reduce_sum",
    "reduce_prod",
    "reduce_max",
    "reduce_min",
    "argmax",
    "argmin",
})
CONTRACTIONS = frozenset({
    "dot_general",
    "convolution",
    "convolution_input_gradient",
    "convolution_kernel_gradient",
})
# Computed wherever they are read: they only say where numbers lie.
SOURCES = frozenset({"iota", "gather", "dynamic_slice"})


@dataclass(frozen=True, slots=True)
class Read:
    """Where a reader finds an element.

    Attributes:
        value: what is read: no view.
        index: where in it; None where only the place in row-major order is known.
        line: the place in row-major order, where ``index`` is None; None too where even that is
            known only when the code runs.
    """

    value: Value
    index: Index | None
    line: Affine | None = None


@dataclass(eq=False)
class Group:
    """Equations that are computed together.

    Attributes:
        kind: "nest", "contraction", "reduction", "copy", or the name of a primitive.
        axes: over which it loops, one for each axis of what it computes.
        reason: why it is a group of its own.
        members: its equations in order.
        index: at which element of each value the loops stand.
        at: at which element of its inputs each equation reads.
        lane_axes: how many of the last axes the reductions inside of rows run over.
        sinks: reductions over all rows: known when the group has ended.
        reads: values of other groups, inputs and constants that it loads.
        sink_values: what the sinks give.
        stored: values that others read.
        position: its place in the order of groups.
    """

    kind: str
    axes: tuple[Axis, ...]
    reason: str
    members: list[Equation] = field(default_factory=list)
    index: dict[Value, Index] = field(default_factory=dict)
    at: dict[Equation, Index] = field(default_factory=dict)
    lane_axes: int | None = None
    sinks: list[Equation] = field(default_factory=list)
    sink_values: dict[Value, None] = field(default_factory=dict)
    reads: dict[Value, None] = field(default_factory=dict)
    stored: dict[Value, None] = field(default_factory=dict)
    position: int = -1

    @property
    def rows(self) -> tuple[Axis, ...]:
        """The axes in front of those that reductions inside of rows run over."""
        return self.axes[: len(self.axes) - self.row_depth]

    @property
    def row_depth(self) -> int:
        """How many axes make up a row."""
        return min(1, len(self.axes)) if self.lane_axes is None else self.lane_axes


def wide(shape: Sequence[int]) -> list[int]:
    """The lengths that are not 1."""
    return [size for size in shape if size != 1]


def aligned(shape: Shape, axes: Sequence[Axis]) -> Index | None:
    """The index of an array of this shape when loops over ``axes`` walk over all of it, in order.

    Axes of length 1 count for nothing.  None where the shapes differ.
    """
    if wide(shape) != [axis.extent for axis in axes if axis.extent != 1]:
        return None
    walking = iter([axis for axis in axes if axis.extent != 1])
    return tuple(Affine() if size == 1 else Affine.of(next(walking)) for size in shape)
