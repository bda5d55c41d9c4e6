"""Computing elements: the part of a kernel that is inside of its loops.

``Elements`` knows at which element of each value the loops stand and writes what computes or
loads it.  A number that does not change from lane to lane stays a single number until it meets a
vector; what does not change from round to round is written before the loop (by the writer).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clearprop.dtypes import BOOL, I64, DType
from clearprop.executors.native.grouping import Grouping
from clearprop.executors.native.groups import Read
from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels.affine import (
    VIEWS,
    Affine,
    Axis,
    Index,
    contiguous,
    linear,
    seen_through,
)
from clearprop.executors.native.kernels.pointers import Pointers
from clearprop.executors.native.llvm.machine import LINE_BYTES
from clearprop.executors.native.llvm.registers import (
    Operand,
    constant,
    constant_vector,
    integer,
    vector_type,
)
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.mathematics.elementwise import (
    WRITERS,
    element_type,
    memory_type,
    write_cast,
)
from clearprop.ir.value import Equation, Value

BY_MEMORY = 1  # byte, after that which is set: whether what threads exchange passes the caches
_BYTES_AHEAD = 512  # of a load: about what is read while memory beyond the second cache answers


@dataclass(frozen=True, slots=True)
class Lanes:
    """The lanes that one instruction works on.

    Attributes:
        axis: the loop whose indices stand side by side; None for single numbers.
        width: how many lanes a vector has.
        count: how many of them are in use, the first ones.
        beside: a short loop inside whose rounds are written one after the other.
    """

    axis: Axis | None
    width: int = 1
    count: int = 1
    beside: Axis | None = None


class Elements:
    """Writes the elements of values where a kernel's loops stand.

    Args:
        function: the kernel that is being written.
        grouping: tells what shows through views.
        pointers: the kernel's memory.
        flag: address of a byte that is set when an index lies outside.
    """

    def __init__(
        self, function: Function, grouping: Grouping, pointers: Pointers, flag: Operand
    ) -> None:
        self.function, self.grouping, self.pointers = function, grouping, pointers
        self.lanes = Lanes(None)
        self.far_bytes: int | None = None  # arrays longer than this are asked for ahead
        self._flag = flag
        self._known: dict[tuple[Value, Index, object], Operand] = {}

    # -- what is known -----------------------------------------------------------------

    def set(self, value: Value, index: Index, operand: Operand) -> None:
        """The element of ``value`` at ``index`` has been computed."""
        self._known[value, index, self._place(index)] = operand

    def forget(self) -> None:
        """What was known holds no longer: another row begins."""
        self._known.clear()

    def forget_lanes(self) -> None:
        """What was known of single lanes holds no longer: another walk over the row begins."""
        self._known = {key: known for key, known in self._known.items() if key[2] is None}

    def _place(self, index: Index) -> object:
        """What tells apart the lanes that an index speaks of now and at other times."""
        axis, beside = self.lanes.axis, self.lanes.beside
        if axis is None:
            return None
        place = beside.operand if beside is not None and _uses(index, beside) else None
        if not _uses(index, axis):
            return place
        return axis.operand, self.lanes.count, place

    # -- elements ------------------------------------------------------------------------

    def compute(self, equation: Equation, value: Value, index: Index) -> Operand:
        """The element of an elementwise equation's result, from those of its inputs."""
        operands = [self.element(each, index) for each in equation.inputs]
        lanes = max((operand.lanes for operand in operands), default=1)
        operands = [self.function.splat(operand, lanes) for operand in operands]
        name, dtype = equation.primitive.name, equation.inputs[0].dtype
        if name == "cast":
            result = write_cast(self.function, operands[0], dtype, equation.params["dtype"])
        else:
            if name == "select":
                dtype = equation.inputs[1].dtype
            result = WRITERS[name](self.function, dtype, operands)
        self.set(value, index, result)
        return result

    def element(self, value: Value, index: Index) -> Operand:
        """The element of a value at an index: a vector, or one number for all lanes."""
        read = self.grouping.look(value, index)
        if read.index is not None:
            key = read.value, read.index, self._place(read.index)
            found = self._known.get(key)
            if found is not None:
                return found
        if read.value in self.pointers.of_value:
            return self.load(self.pointers.of_value[read.value], read)
        array = read.value.array
        if array is not None and array.size == 1:
            return constant(element_type(read.value.dtype), array.item())
        return self._source(read)

    def below(self, value: Value, index: Index) -> Operand:
        """The element of a value that is stored, computed from what it is made of."""
        equation = value.equation
        if equation is None or self.grouping.is_given(value):
            return self.element(value, index)
        name = equation.primitive.name
        if name not in VIEWS:
            return self._source(Read(value, index))
        below = equation.inputs[0]
        seen = seen_through(name, equation.params, below.shape, index)
        if seen is not None:
            return self.element(below, seen)
        line = linear(index, contiguous(value.shape))
        return self.load(self.pointers.of_value[below], Read(below, None, line))

    def lines(self, value: Value, index: Index, known: Mapping[Value, Index]) -> list[Affine]:
        """The places in memory that computing an element touches, as sums of loop indices.

        Args:
            value: what is read.
            index: at which element.
            known: what the kernel has computed at which element.
        """
        found, stack = [], [(value, index)]
        while stack:
            read = self.grouping.look(*stack.pop())
            home = self.pointers.of_value.get(read.value)
            if read.index is None:
                assert read.line is not None
                found.append(read.line)
            elif known.get(read.value) == read.index:
                continue
            elif home is not None:
                found.append(linear(read.index, home.strides))
            elif read.value.equation is not None:
                found += self._source_lines(read.value, read.index, stack)
        return found

    def lines_below(self, value: Value, index: Index) -> list[Affine]:
        """The places touched by a stored value that is computed from what it is made of."""
        equation = value.equation
        if equation is None or self.grouping.is_given(value):
            return self.lines(value, index, {})
        stack: list[tuple[Value, Index]] = []
        name = equation.primitive.name
        if name not in VIEWS:
            found = self._source_lines(value, index, stack)
        else:
            below = equation.inputs[0]
            seen = seen_through(name, equation.params, below.shape, index)
            if seen is None:
                return [linear(index, contiguous(value.shape))]
            return self.lines(below, seen, {})
        for each, place in stack:
            found += self.lines(each, place, {})
        return found

    def _source_lines(
        self, value: Value, index: Index, stack: list[tuple[Value, Index]]
    ) -> list[Affine]:
        equation = value.equation
        assert equation is not None
        if value in self.grouping.recomputed:
            stack += [(each, index) for each in equation.inputs]
            return []
        name = equation.primitive.name
        if name == "iota":
            return [index[equation.params["axis"]]]
        if name == "gather":
            x, indices = equation.inputs
            axis = equation.params["axis"]
            after = axis + len(indices.shape)
            stack.append((indices, index[axis:after]))
            stack.append((x, (*index[:axis], Affine(), *index[after:])))
        if name == "dynamic_slice":
            stack.append((equation.inputs[0], index))
        return []

    def _source(self, read: Read) -> Operand:
        """An element of what is computed wherever it is read."""
        equation = read.value.equation
        assert equation is not None, "a value without memory"
        name = equation.primitive.name
        index = read.index
        if index is None:
            raise AssertionError(f"{name} is read by its place in memory, but not stored")
        if read.value in self.grouping.recomputed:
            return self.compute(equation, read.value, index)
        if name == "iota":
            return self._count(index[equation.params["axis"]], read.value.dtype)
        if name == "gather":
            return self._gathered(equation, index)
        if name == "dynamic_slice":
            return self._sliced(equation, index)
        raise AssertionError(f"{name} was to be computed elsewhere")

    def _count(self, place: Affine, dtype: DType) -> Operand:
        """A loop index as a number of some element type."""
        first = self.number(place)
        stride = 0 if self.lanes.axis is None else place.factor(self.lanes.axis)
        if stride == 0:
            return write_cast_wrapping(self.function, first, dtype)
        width = self.lanes.width
        steps = constant_vector("i64", [stride * lane for lane in range(width)])
        wide = self.function.binary("add", self.function.splat(first, width), steps)
        return write_cast_wrapping(self.function, wide, dtype)

    # -- memory ----------------------------------------------------------------------------

    def number(self, place: Affine) -> Operand:
        """The sum of loop indices, for the first lane."""
        number = integer(place.constant)
        # Outer loops first: what does not change in the inner ones is added up before them.
        terms = sorted(place.terms, key=lambda term: _level(term[0]))
        for axis, factor in terms:
            assert axis.operand is not None
            number = self.function.add(number, self.function.multiply(axis.operand, factor))
        return number

    def place(self, home: Home, line: Affine) -> tuple[Operand, int]:
        """The address of an element for the first lane, and elements from lane to lane.

        Args:
            home: the array.
            line: where in it, in elements from its first.
        """
        axis = self.lanes.axis
        stride = 0 if axis is None else line.factor(axis)
        element = memory_type(home.type.dtype)
        address = self.pointers.note(home, line)
        if line.constant:
            address = self.function.address(address, element, line.constant)
        # One address for each open loop, each from the one before, the outer loops first.
        for each, factor in sorted(line.terms, key=lambda term: _level(term[0])):
            assert each.operand is not None
            step = self.function.multiply(each.operand, factor)
            address = self.function.address(address, element, step)
        return address, stride

    def load(self, home: Home, read: Read) -> Operand:
        """An element from memory."""
        line = read.line if read.index is None else linear(read.index, home.strides)
        assert line is not None
        address, stride = self.place(home, line)
        is_far = self.far_bytes is not None and home.type.size_bytes > self.far_bytes
        if is_far and stride == 1:
            self.function.ask_for(self.function.address(address, "i8", _BYTES_AHEAD))
        return self.load_from(address, stride, home.type.dtype)

    def load_from(
        self, address: Operand, stride: int, dtype: DType, *, pinned: bool = False
    ) -> Operand:
        """The numbers that stand ``stride`` elements apart, one for each lane."""
        f, element = self.function, memory_type(dtype)
        lanes = self.lanes
        if stride == 0 or lanes.width == 1:
            loaded = f.load(element, address, pinned=pinned)
        elif stride == 1:
            loaded = f.load_first(element, address, lanes.count, lanes.width, pinned=pinned)
        elif stride == -1:
            address = f.address(address, element, 1 - lanes.count)
            loaded = f.load(vector_type(element, lanes.count), address, pinned=pinned)
            if lanes.count > 1:
                loaded = f.shuffle(loaded, None, range(lanes.count)[::-1])
            loaded = f.widen(loaded, lanes.width)
        else:
            loaded = constant(vector_type(element, lanes.width), 0)
            for lane in range(lanes.count):
                one = f.load(element, f.address(address, element, lane * stride), pinned=pinned)
                loaded = f.with_lane(loaded, lane, one)
        return self.from_memory(loaded, dtype)

    def from_memory(self, x: Operand, dtype: DType) -> Operand:
        """What memory holds, as it is computed with."""
        if dtype != BOOL:
            return x
        return self.function.compare("icmp ne", x, constant(x.type, 0))

    def to_memory(self, x: Operand, dtype: DType) -> Operand:
        """A result as memory holds it."""
        return self.function.convert("zext", x, "i8") if dtype == BOOL else x

    def store(self, x: Operand, home: Home, index: Index) -> None:
        """Put an element where it lives."""
        line = linear(index, home.strides)
        address, stride = self.place(home, line)
        if home.buffer.passes and self._fills_lines(home, line, stride):
            stored = self.to_memory(self.function.splat(x, self.lanes.width), home.type.dtype)
            self._pass_on(stored, address)
        else:
            self.store_to(x, address, stride, home.type.dtype)

    def _pass_on(self, stored: Operand, address: Operand) -> None:
        """Put a vector where another thread will read it, in the way that is faster at present."""
        f = self.function
        place = f.address(self._flag, "i8", BY_MEMORY)
        by_memory = f.compare("icmp ne", f.load("i8", place, pinned=True), constant("i8", 0))
        with f.when(by_memory):
            f.store_past(stored, address)
        with f.when(f.binary("xor", by_memory, constant("i1", 1))):
            f.store(stored, address)

    def _fills_lines(self, home: Home, line: Affine, stride: int) -> bool:
        """Whether lanes that are all in use fill cache lines, with those beside them."""
        lanes, size = self.lanes, home.type.dtype.itemsize
        if stride != 1 or lanes.beside is not None or lanes.count < lanes.width:
            return False
        assert lanes.axis is not None
        start = line.plus(home.offset)
        others = [factor for axis, factor in start.terms if axis is not lanes.axis]
        in_lines = [start.constant, lanes.axis.extent, *others]
        return lanes.width * size >= LINE_BYTES // 2 and not any(
            each * size % LINE_BYTES for each in in_lines
        )

    def store_to(self, x: Operand, address: Operand, stride: int, dtype: DType) -> None:
        """Put one number for each lane ``stride`` elements apart."""
        f, element, lanes = self.function, memory_type(dtype), self.lanes
        if stride == 0 or lanes.width == 1:
            f.store(self.to_memory(x, dtype), address)
            return
        stored = self.to_memory(f.splat(x, lanes.width), dtype)
        if stride == 1:
            f.store_first(stored, address, lanes.count)
            return
        for lane in range(lanes.count):
            f.store(f.lane(stored, lane), f.address(address, element, lane * stride))

    # -- places that are numbers themselves ---------------------------------------------------

    def _gathered(self, equation: Equation, index: Index) -> Operand:
        x, indices = equation.inputs
        axis = equation.params["axis"]
        rank = len(indices.shape)
        which = self.element(indices, index[axis : axis + rank])
        size = x.shape[axis]
        if which.lanes == 1:
            chosen = self._checked(self._as_index(which, indices.dtype), size)
            place = Affine.of(Axis(max(size, 2), chosen))
            return self.element(x, (*index[:axis], place, *index[axis + rank :]))
        return self._gathered_one_by_one(x, which, indices.dtype, axis, rank, index)

    def _gathered_one_by_one(
        self, x: Value, which: Operand, dtype: DType, axis: int, rank: int, index: Index
    ) -> Operand:
        """Each lane reads at its own index."""
        f, lanes = self.function, self.lanes
        wide = self._as_index(which, dtype)
        result: Operand | None = None
        row = lanes.axis
        assert row is not None
        assert row.operand is not None
        first = row.operand
        for lane in range(lanes.count):
            chosen = self._checked(f.lane(wide, lane), x.shape[axis])
            row.operand = f.add(first, lane)
            self.lanes = Lanes(None)
            place = Affine.of(Axis(max(x.shape[axis], 2), chosen))
            one = self.element(x, (*index[:axis], place, *index[axis + rank :]))
            self.lanes, row.operand = lanes, first
            if result is None:
                result = constant(vector_type(one.type, lanes.width), 0)
            result = f.with_lane(result, lane, one)
        assert result is not None
        return result

    def _sliced(self, equation: Equation, index: Index) -> Operand:
        x, *starts = equation.inputs
        places = self.block_places(x.shape, starts, equation.params["sizes"])
        return self.element(x, tuple(a + b for a, b in zip(index, places, strict=True)))

    def block_places(
        self, shape: Sequence[int], starts: Sequence[Value], sizes: Sequence[int]
    ) -> Index:
        """Where a block begins whose starts are computed, as an index."""
        places = []
        for length, start, size in zip(shape, starts, sizes, strict=True):
            number = self._checked(self.element(start, ()), length - size + 1)
            places.append(Affine.of(Axis(max(length - size + 1, 2), number)))
        return tuple(places)

    def chosen(self, x: Operand, dtype: DType, size: int) -> Operand:
        """An index of any integer type, checked: it is one of 0 ... size - 1."""
        return self._checked(self._as_index(x, dtype), size)

    def _as_index(self, x: Operand, dtype: DType) -> Operand:
        """An integer of any type as a signed one of 64 bits; too large ones become -1."""
        if dtype.itemsize == 8:
            return x  # an unsigned number beyond 2^63 is a negative one, and outside too
        return self.function.convert("sext" if dtype.kind == "i" else "zext", x, "i64")

    def _checked(self, number: Operand, size: int) -> Operand:
        """An index from 0 to size - 1; another one sets the flag, and 0 stands for it."""
        f = self.function
        outside = f.compare("icmp uge", number, integer(size))
        with f.when(outside):
            f.store(constant("i8", 1), self._flag)
        return f.select(outside, integer(0), number)


def _uses(index: Index, axis: Axis) -> bool:
    """Whether an index depends on a loop."""
    return any(place.factor(axis) for place in index)


def _level(axis: Axis) -> int:
    return 0 if axis.operand is None else axis.operand.level


def write_cast_wrapping(f: Function, x: Operand, dtype: DType) -> Operand:
    """A count as a number of another type; integers wrap around."""
    if dtype.kind == "f":
        return write_cast(f, x, I64, dtype)
    return f.convert("trunc", x, element_type(dtype))
