"""The stages of a nest: which part of a row's work has to wait for which of its reductions."""

from __future__ import annotations

from collections.abc import Sequence

from clearprop.executors.native.grouping import Grouping
from clearprop.executors.native.groups import REDUCTIONS, Group
from clearprop.executors.native.kernels.affine import Axis, Index
from clearprop.ir.value import Equation, Value


class Stages:
    """What each walk over a row computes.

    The first walk computes what needs no reduction of the row, the second what needs those that
    the first has finished, and so on.

    Args:
        grouping: tells what shows through views.
        group: the nest.
        lane_axes: the axes that make up a row.
        stores: values that the nest puts into memory.
        saves: whether a row is short enough to be left on the stack for the next walk; otherwise
            the next walk computes it once more.

    Attributes:
        count: how many walks there are.
    """

    def __init__(
        self,
        grouping: Grouping,
        group: Group,
        lane_axes: set[Axis],
        stores: Sequence[Value],
        *,
        saves: bool,
    ) -> None:
        self._group, self._lane_axes = group, lane_axes
        self._stores = [value for value in stores if value in group.index]
        result = {value.equation: value for value in group.index}
        self._value = {equation: result[equation] for equation in group.members}
        self._equation = {value: equation for equation, value in self._value.items()}
        self._uses = {
            equation: [
                read.value
                for each in equation.inputs
                for read in grouping.leaves(each, group.at[equation])
                if read.value in self._equation
            ]
            for equation in [*group.members, *group.sinks]
        }
        self._stage: dict[Value, int] = {}
        for equation, value in self._value.items():
            before = self._last(self._uses[equation])
            self._stage[value] = before + (equation.primitive.name in REDUCTIONS)
        self.count = 1 + max([*self._stage.values(), 0])
        self._saved = self._crossing() if saves else set()

    def has_lanes(self, value: Value) -> bool:
        """Whether the value differs from lane to lane."""
        return self.varies(self._group.index[value])

    def varies(self, index: Index) -> bool:
        """Whether an index differs from lane to lane."""
        return any(axis in self._lane_axes for place in index for axis, _ in place.terms)

    def result(self, equation: Equation) -> Value:
        """The value that a member computes."""
        return self._value[equation]

    def stage_of(self, value: Value) -> int:
        """In which walk a value is there (0 for what the nest only reads)."""
        return self._stage.get(value, 0)

    def sink_stage(self, sink: Equation) -> int:
        """In which walk a sink takes in its numbers."""
        return self._last(self._uses[sink])

    def row_members(self, stage: int) -> list[Equation]:
        """What is computed for the row as a whole before a walk."""
        return [
            equation
            for equation, value in self._value.items()
            if equation.primitive.name not in REDUCTIONS
            and not self.has_lanes(value)
            and self._stage[value] == stage
        ]

    def reductions(self, stage: int) -> list[Equation]:
        """The reductions over the row that a walk finishes."""
        return [
            equation
            for equation, value in self._value.items()
            if equation.primitive.name in REDUCTIONS and self._stage[value] == stage + 1
        ]

    def saved(self, stage: int) -> list[Value]:
        """What a walk leaves on the stack for later ones."""
        return [value for value in self._value.values()
                if value in self._saved and self._stage[value] == stage]  # fmt: skip

    def loaded(self, stage: int) -> list[Value]:
        """What a walk finds on the stack."""
        return [value for value in self._needed(stage)
                if value in self._saved and self._stage[value] < stage]  # fmt: skip

    def lane_members(self, stage: int) -> list[Equation]:
        """What a walk computes for every lane, in order."""
        needed = self._needed(stage)
        return [
            equation
            for equation, value in self._value.items()
            if value in needed
            and self.has_lanes(value)
            and not (value in self._saved and self._stage[value] < stage)
        ]

    def _last(self, values: Sequence[Value]) -> int:
        return max((self._stage.get(value, 0) for value in values), default=0)

    def _targets(self, stage: int) -> list[Value]:
        """What a walk has to have computed at its end."""
        found = [use for equation in self.reductions(stage) for use in self._uses[equation]]
        found += [value for value in self._stores if self._stage.get(value, 0) == stage]
        for sink in self._group.sinks:
            if self.sink_stage(sink) == stage:
                found += self._uses[sink]
        return found + self.saved(stage)

    def _needed(self, stage: int) -> set[Value]:
        """Values for every lane that a walk computes or finds."""
        needed: set[Value] = set()
        stack = self._targets(stage)
        while stack:
            value = stack.pop()
            if value in needed or not self.has_lanes(value):
                continue
            needed.add(value)
            equation = self._equation.get(value)  # None: somebody else computes it
            if equation and not (value in self._saved and self._stage[value] < stage):
                stack += self._uses[equation]
        return needed

    def _crossing(self) -> set[Value]:
        """Values for every lane that are read in a later walk than the one that computes them."""
        crossing = set()
        for equation, uses in self._uses.items():
            if equation in self._value:
                stage = self._stage[self._value[equation]]
                stage -= equation.primitive.name in REDUCTIONS
            else:
                stage = self.sink_stage(equation)
            for use in uses:
                if self._stage[use] < stage and self.has_lanes(use):
                    crossing.add(use)
        return crossing
