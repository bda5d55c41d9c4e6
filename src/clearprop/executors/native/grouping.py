"""Which equations are computed together.

A group is one walk over memory: a *nest* computes a chain of elementwise equations and the
reductions between them, a *contraction* computes a matrix product or convolution and, while its
results are still at hand, the elementwise equations that follow; every other primitive is a group
of its own.  Only what one group computes and another reads is ever stored.

Views (reshape, transpose, slice, ...) belong to no group: whoever reads one reads what it shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from clearprop.executors.native.groups import (
    CONTRACTIONS,
    MAPS,
    REDUCTIONS,
    SOURCES,
    Group,
    Read,
    aligned,
)
from clearprop.executors.native.kernels.affine import (
    VIEWS,
    Affine,
    Axis,
    Index,
    contiguous,
    index_of,
    linear,
    seen_through,
)
from clearprop.executors.native.recomputing import recomputed_values
from clearprop.ir.program import Program
from clearprop.ir.types import Shape
from clearprop.ir.value import Equation, Value

_LARGE = 1 << 14  # elements that are worth a walk of their own
_LONGEST_ROW = 1 << 15  # elements; a longer one is summed in parts


class Grouping:
    """The groups of a Program, in an order in which they can run.

    Attributes:
        groups: in order.
        group_of: for each computed value the group it belongs to.
        copied: views that are stored as arrays of their own.
        recomputed: values that their readers compute themselves.
        read_by_line: values that somebody reads in row-major order: they lie like that.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self._given = set(program.inputs)
        self.recomputed = recomputed_values(program)
        wanted: set[Value] = set()
        # A copy that somebody turns out to need is there for all, so it comes before all.
        while True:
            self._start(wanted)
            if self.copied <= wanted:
                break
            wanted = wanted | self.copied

    def _start(self, wanted: set[Value]) -> None:
        """Place all equations, with copies of these views as soon as they are read."""
        self.groups: list[Group] = []
        self.group_of: dict[Value, Group] = {}
        self.copied: set[Value] = set()
        self.read_by_line: set[Value] = set()
        self._wanted, program = wanted, self.program
        for equation in _light_first(program):
            name = equation.primitive.name
            if name in VIEWS | SOURCES or self._result(equation) in self.recomputed:
                continue
            if name in MAPS:
                self._place_map(equation)
            elif name in REDUCTIONS:
                self._place_reduction(equation)
            else:
                self._place_alone(equation)
        for value in program.outputs:
            self._settle_value(value)  # they are read too

    # -- reading --------------------------------------------------------------------

    def is_given(self, value: Value) -> bool:
        """Whether it lies in memory from the start: an input or a constant."""
        return value in self._given or value.equation is None

    def look(self, value: Value, index: Index) -> Read:
        """What a reader of ``value`` at ``index`` loads: no view, unless it is stored as one."""
        while not (self.is_given(value) or value in self.copied):
            if value in self._wanted:
                self._lying(value)
                break
            equation = value.equation
            assert equation is not None
            if equation.primitive.name not in VIEWS:
                break
            below = equation.inputs[0]
            seen = seen_through(equation.primitive.name, equation.params, below.shape, index)
            if seen is None:
                # Only the place in row-major order is known: what is below must lie like that.
                below = self._lying(below)
                self.read_by_line.add(below)
                return Read(below, None, linear(index, contiguous(value.shape)))
            value, index = below, seen
        return Read(value, index)

    def _lying(self, value: Value) -> Value:
        """``value`` as an array that lies in memory row by row, copied if need be."""
        if self.lies(value):
            return value
        axes = tuple(map(Axis, value.shape))
        below = value.equation.inputs if value.equation is not None else ()
        for each in below:  # what it is made of comes first
            self._settle_value(each)
        group = self._append(Group("copy", axes, "the order of its elements must lie in memory"))
        group.index[value] = index_of(axes)
        self._note_below(group, value, group.index[value])
        self.copied.add(value)
        self.group_of[value] = group
        group.stored[value] = None
        return value

    def _settle_value(self, value: Value) -> None:
        self.leaves(value, index_of(tuple(map(Axis, value.shape))))

    def _note_below(self, group: Group, value: Value, index: Index) -> None:
        """Note what computing a stored view or source reads."""
        wanted, self._wanted = self._wanted, self._wanted - {value}
        self._note_reads(group, value, index)
        self._wanted = wanted

    def lies(self, value: Value) -> bool:
        """Whether the value lies in memory in its own shape, as no view does."""
        if self.is_given(value) or value in self.copied:
            return True
        assert value.equation is not None
        is_elsewhere = value.equation.primitive.name in VIEWS | SOURCES
        return not is_elsewhere and value not in self.recomputed

    def operand(self, value: Value) -> Read:
        """A value as one that lies in memory, with the index through its views.

        The read's index is in terms of fresh axes, one for each axis of ``value``.
        """
        axes = tuple(map(Axis, value.shape))
        read = self.look(value, index_of(axes))
        if read.index is not None and not self.lies(read.value):
            # What is shown several times is made once; of what is shown in part, that part.
            if read.value.type.size <= value.type.size:
                return Read(self._lying(read.value), read.index)
        elif read.index is not None:
            return read
        return Read(self._lying(value), index_of(axes))

    # -- placing --------------------------------------------------------------------

    def _append(self, group: Group) -> Group:
        group.position = len(self.groups)
        self.groups.append(group)
        return group

    def _place_map(self, equation: Equation) -> None:
        value = self._result(equation)
        if value is None:
            return
        self._settle(equation)
        for group in self._candidates(equation):
            for index in _places(value.shape, group):
                if self._fits(group, equation, index):
                    self._join(group, equation, value, index)
                    return
        axes = tuple(map(Axis, value.shape))
        group = self._append(Group("nest", axes, "another shape, or it needs what came before"))
        self._join(group, equation, value, index_of(axes))

    def _place_reduction(self, equation: Equation) -> None:
        value = self._result(equation)
        if value is None:
            return
        self._settle(equation)
        (x,) = equation.inputs
        if x.type.size:
            for group in self._candidates(equation):
                if group.kind == "nest" and self._takes_reduction(group, equation, value):
                    return
            axes = tuple(map(Axis, x.shape))
            group = Group("nest", axes, "a reduction over what came before")
            if self._takes_reduction(group, equation, value):
                self._append(group)
                return
        axes = tuple(map(Axis, x.shape))
        group = self._append(Group("reduction", axes, "sums over axes that are not neighbours"))
        group.members.append(equation)
        group.index[value] = tuple(
            Affine.of(axis) for number, axis in enumerate(axes) if number not in _axes(equation)
        )
        group.at[equation] = index_of(axes)
        self._note_reads(group, x, index_of(axes))
        self.group_of[value] = group

    def _place_alone(self, equation: Equation) -> None:
        results = [value for value in self.program.results[equation] if value is not None]
        if not results:
            return
        for value in equation.inputs:
            self.operand(value)  # copies views that cannot be read in place
        name = equation.primitive.name
        kind = "contraction" if name in CONTRACTIONS else name
        shape = equation.types[0].shape if kind == "contraction" else ()
        axes = tuple(map(Axis, shape))
        group = self._append(Group(kind, axes, f"{name} has a loop of its own"))
        group.members.append(equation)
        for value in equation.inputs:
            group.reads[self.operand(value).value] = None
        for value in results:
            self.group_of[value] = group
            if kind == "contraction":
                group.index[value] = index_of(axes)

    def _result(self, equation: Equation) -> Value | None:
        return self.program.results[equation][0]

    def _settle(self, equation: Equation) -> None:
        """Make the copies that reading the equation's inputs element by element needs."""
        for value in equation.inputs:
            for leaf in self.leaves(value, index_of(tuple(map(Axis, value.shape)))):
                if leaf.index is None:
                    self._lying(leaf.value)

    def _candidates(self, equation: Equation) -> Iterator[Group]:
        """Groups that the equation may join, from the first that comes late enough."""
        first, near = -1, set()
        for value in equation.inputs:
            for leaf in self.leaves(value, index_of(tuple(map(Axis, value.shape)))):
                group = self.group_of.get(leaf.value)
                if group is not None:
                    first = max(first, group.position)
                near.add(leaf.value)
        for group in self.groups[max(first, 0) :]:
            if group.kind not in {"nest", "contraction"}:
                continue
            if group.position == first or near & group.reads.keys() or not near:
                yield group

    def leaves(self, value: Value, index: Index) -> list[Read]:
        """What computing an element of ``value`` loads, or takes from a group."""
        found, stack = [], [(value, index)]
        while stack:
            read = self.look(*stack.pop())
            equation = read.value.equation
            if equation is None or self.lies(read.value):
                found.append(read)
            elif read.value in self.recomputed and read.index is not None:
                stack += [(each, read.index) for each in equation.inputs]
            elif equation.primitive.name == "gather":
                x, indices = equation.inputs
                # The table must lie in memory; where in it is known when the code runs.
                found.append(Read(self._table(x), None))
                axis = equation.params["axis"]
                if read.index is None:
                    found.append(read)
                else:
                    stack.append((indices, read.index[axis : axis + len(indices.shape)]))
            elif equation.primitive.name == "dynamic_slice":
                x, *starts = equation.inputs
                found.append(Read(self._table(x), None))
                stack += [(start, ()) for start in starts]
        return found

    def _table(self, value: Value) -> Value:
        """What a gather reads, as something that lies in memory."""
        return self.operand(value).value

    def _fits(self, group: Group, equation: Equation, index: Index) -> bool:
        return all(self._is_known(group, value, index) for value in equation.inputs)

    def _is_known(self, group: Group, value: Value, index: Index) -> bool:
        """Whether the group's loops know an element when they stand at ``index``."""
        for read in self.leaves(value, index):
            owner = self.group_of.get(read.value)
            if owner is group:
                if read.index is None or group.index.get(read.value) != read.index:
                    return False
            elif owner is not None and owner.position >= group.position >= 0:
                return False
        return True

    def _join(self, group: Group, equation: Equation, value: Value, index: Index) -> None:
        group.members.append(equation)
        group.index[value] = group.at[equation] = index
        self.group_of[value] = group
        for each in equation.inputs:
            self._note_reads(group, each, index)

    def _note_reads(self, group: Group, value: Value, index: Index) -> None:
        for read in self.leaves(value, index):
            if self.group_of.get(read.value) is not group:
                group.reads[read.value] = None

    def _takes_reduction(self, group: Group, equation: Equation, value: Value) -> bool:
        """Let a nest compute a reduction over its rows' elements, or over its rows, if it can."""
        (x,) = equation.inputs
        reduced = _axes(equation)
        for index in _places(x.shape, group):
            if not self._is_known(group, x, index):
                continue
            kept = tuple(place for axis, place in enumerate(index) if axis not in reduced)
            gone = [axis for number, place in enumerate(index) if number in reduced
                    for axis, _ in place.terms]  # fmt: skip
            walked = [axis for place in index for axis, _ in place.terms]
            others = [axis for axis in group.axes if axis.extent != 1]
            depth = _depth(gone, group)
            is_long = gone == walked and x.type.size > _LONGEST_ROW
            if (
                walked == others
                and depth is not None
                and not is_long
                and group.lane_axes in {None, depth}
            ):
                if not _keeps_rows(group, depth):
                    continue
                group.lane_axes = depth
                group.members.append(equation)
                group.index[value] = kept
                group.at[equation] = index
                self.group_of[value] = group
                self._note_reads(group, x, index)
                return True
            name = equation.primitive.name
            is_sink = gone and gone == walked[: len(gone)] and name not in {"argmax", "argmin"}
            rows = [axis for axis in group.rows if axis.extent != 1]
            if is_sink and gone in (walked, rows):
                group.sinks.append(equation)
                group.sink_values[value] = None
                group.at[equation] = index
                self.group_of[value] = group
                self._note_reads(group, x, index)
                return True
        return False


def _axes(equation: Equation) -> tuple[int, ...]:
    params = equation.params
    return params["axes"] if "axes" in params else (params["axis"],)


def _places(shape: Shape, group: Group) -> Iterator[Index]:
    """Where a value of this shape may be computed in the loops of a group."""
    if 0 not in shape and any(axis.extent == 0 for axis in group.axes):
        return  # loops over nothing compute nothing
    index = aligned(shape, group.axes)
    if index is not None:
        yield index
    if group.kind == "nest" and group.row_depth:
        index = aligned(shape, group.rows)
        if index is not None:
            yield index


def _depth(gone: list[Axis], group: Group) -> int | None:
    """How many of the group's last axes these are; None if they are others."""
    if not gone:
        return None
    depth = len(group.axes) - group.axes.index(gone[0])
    return depth if [a for a in group.axes[-depth:] if a.extent != 1] == gone else None


def _keeps_rows(group: Group, depth: int) -> bool:
    """Whether what the group computes for rows stays so when ``depth`` axes make up a row."""
    if group.lane_axes == depth:
        return True
    lanes = set(group.axes[len(group.axes) - depth :])
    everything = [axis for axis in group.axes if axis.extent != 1]
    for index in group.index.values():
        walked = [axis for place in index for axis, _ in place.terms]
        if walked != everything and lanes & set(walked):
            return False
    return not group.sinks


def _light_first(program: Program) -> list[Equation]:
    """The equations, with each long one after all short ones that do not need it.

    So what follows a contraction finds everything else that it reads computed already, and can
    be computed with it; and a walk over a large array finds all the few numbers that it needs.
    Of the long ones those come first that could begin first: what they read was made lately, and
    is done with soon.
    """
    waiting = dict.fromkeys(program.equations, 0)
    readers: dict[Equation, list[Equation]] = {equation: [] for equation in waiting}
    for equation in program.equations:
        for source in {value.equation for value in equation.inputs if value.equation in waiting}:
            assert source is not None
            waiting[equation] += 1
            readers[source].append(equation)
    number = {equation: place for place, equation in enumerate(program.equations)}
    ready: list[tuple[int, int, int, Equation]] = []
    ordered: list[Equation] = []
    begun = 0  # contractions and other long ones so far

    def note(equation: Equation) -> None:
        name = equation.primitive.name
        is_light = name in MAPS | REDUCTIONS | VIEWS | SOURCES
        size = max((type_.size for type_ in equation.types), default=0)
        weight = 2 if not is_light else 1 if size >= _LARGE else 0
        heappush(ready, (weight, 0 if is_light else begun, number[equation], equation))

    for equation, count in waiting.items():
        if not count:
            note(equation)
    while ready:
        weight, _, _, equation = heappop(ready)
        begun += weight == 2
        ordered.append(equation)
        for reader in readers[equation]:
            waiting[reader] -= 1
            if not waiting[reader]:
                note(reader)
    return ordered
