"""Sliding windows with many taps: loops over the taps, with bounds that keep them inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels.affine import Affine, Axis, Index, linear, total
from clearprop.executors.native.kernels.elements import Lanes
from clearprop.executors.native.kernels.kernel import KernelWriter
from clearprop.executors.native.llvm.registers import Operand, integer
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.words.runs import Sliding
from clearprop.executors.native.words.window_words import State, WindowWord

_TOGETHER = 4  # vectors of channels that one walk over a window takes
Bounds = tuple[Operand | int, Operand | int]
Take = Callable[[State, Operand, Sequence[Affine]], State]


def write_window_loops(
    writer: KernelWriter, word: WindowWord, home: Home, batch: Axis, slidings: Sequence[Sliding]
) -> None:
    """Write all outputs of one element of the batch.

    Args:
        writer: the kernel.
        word: what is done with each tap.
        home: where the result goes.
        batch: the axis of the batch, whose loop is open.
        slidings: how the window slides on each axis of space.
    """
    loops = _Loops(writer, word, home, batch, slidings)
    if word.goes_back:
        _over(writer.function, home.type.shape[1:-1], [], loops.clear)
    _over(writer.function, [sliding.positions for sliding in slidings], [], loops.window)


def _over(
    f: Function,
    extents: Sequence[int],
    places: list[Affine],
    body: Callable[[Sequence[Affine]], None],
) -> None:
    """Loops one inside of the other."""
    if not extents:
        body(places)
        return
    with f.loop(0, extents[0]) as loop:
        assert loop.index is not None
        _over(f, extents[1:], [*places, _standing(loop.index)], body)


def _standing(number: Operand) -> Affine:
    """A number that is known when the code runs, as a place."""
    return Affine.of(Axis(2, number))


class _Vectors(NamedTuple):
    """Some rounds over the channels.

    Attributes:
        start: the first channel.
        stop: the channel after the last.
        width: lanes of a vector.
        together: vectors in each round.
    """

    start: int
    stop: int
    width: int
    together: int


def _vectors(extent: int, width: int) -> Iterator[_Vectors]:
    """All channels, in vectors as wide as possible."""
    start = extent // (width * _TOGETHER) * width * _TOGETHER
    if start:
        yield _Vectors(0, start, width, _TOGETHER)
    while start < extent:
        while start + width > extent:
            width //= 2
        count = (extent - start) // width
        yield _Vectors(start, start + count * width, width, count)
        start += count * width


class _Loops:
    def __init__(
        self,
        writer: KernelWriter,
        word: WindowWord,
        home: Home,
        batch: Axis,
        slidings: Sequence[Sliding],
    ) -> None:
        self.f, self.elements = writer.function, writer.elements
        self.word, self.home, self.slidings = word, home, slidings
        self.batch, self.channel = Affine.of(batch), Axis(home.type.shape[-1])
        self.width = writer.compilation.machine.lanes(word.homes[0].type.dtype.itemsize)

    def _index(self, places: Sequence[Affine]) -> Index:
        return (self.batch, *places, Affine.of(self.channel))

    def _stand(self, start: Operand, width: int) -> None:
        """Stand at a vector of channels."""
        self.channel.operand = start
        self.elements.lanes = Lanes(None)
        if self.channel.extent > 1:
            self.elements.lanes = Lanes(self.channel, width, width)

    def _rounds(self) -> Iterator[tuple[list[Operand], int]]:
        """Loops over the channels: the vectors of a round, and their width."""
        for vectors in _vectors(self.channel.extent, self.width):
            step = vectors.width * vectors.together
            with self.f.loop(vectors.start, vectors.stop, step) as loop:
                assert loop.index is not None
                starts = [
                    self.f.add(loop.index, n * vectors.width) for n in range(vectors.together)
                ]
                yield starts, vectors.width

    def clear(self, element: Sequence[Affine]) -> None:
        """Put zeros into an element."""
        for starts, width in self._rounds():
            for start in starts:
                self._stand(start, width)
                self.elements.store(self.word.first()[0], self.home, self._index(element))

    def window(self, position: Sequence[Affine]) -> None:
        """All taps of one window."""
        bounds = [
            _bounds(self.f, sliding, self.elements.number(at))
            for sliding, at in zip(self.slidings, position, strict=True)
        ]
        for starts, width in self._rounds():
            if self.word.goes_back:
                self._give_back(position, bounds, starts, width)
            else:
                self._look(position, bounds, starts, width)

    def _look(
        self,
        position: Sequence[Affine],
        bounds: Sequence[Bounds],
        starts: Sequence[Operand],
        width: int,
    ) -> None:
        """One result for each channel, from all taps."""
        place = self._first_tap(bounds)
        first: State = []
        for start in starts:
            self._stand(start, width)
            first += self.word.first(place)
        size = len(first) // len(starts)

        def take(state: State, tap: Operand, element: Sequence[Affine]) -> State:
            after: State = []
            for number, start in enumerate(starts):
                self._stand(start, width)
                own = state[number * size :][:size]
                after += self.word.step(own, tap, self._index(element), self._index(position))
            return after

        state = self._taps(first, position, bounds, take)
        for number, start in enumerate(starts):
            self._stand(start, width)
            result = self.word.result(state[number * size :][:size])
            self.elements.store(result, self.home, self._index(position))

    def _give_back(
        self,
        position: Sequence[Affine],
        bounds: Sequence[Bounds],
        starts: Sequence[Operand],
        width: int,
    ) -> None:
        """What each channel has for its elements."""
        dtype = self.home.type.dtype

        def take(state: State, tap: Operand, element: Sequence[Affine]) -> State:
            index = self._index(element)
            for start in starts:
                self._stand(start, width)
                place = self.elements.place(self.home, linear(index, self.home.strides))
                before = self.elements.load_from(*place, dtype, pinned=True)
                (after,) = self.word.step([before], tap, self._index(position), index)
                self.elements.store_to(after, *place, dtype)
            return state

        self._taps([], position, bounds, take)

    def _taps(
        self, state: State, position: Sequence[Affine], bounds: Sequence[Bounds], take: Take
    ) -> State:
        """Loops over the taps of a window, the last tap first where their numbers are added."""
        f, backwards = self.f, self.word.adds and not self.word.goes_back

        def axis(state: State, number: Operand, element: list[Affine]) -> State:
            if len(element) == len(bounds):
                return take(state, number, element)
            sliding, (low, high) = self.slidings[len(element)], bounds[len(element)]
            start, stop = low, high
            if backwards:
                start = f.add(f.multiply(high, -1), sliding.window)
                stop = f.add(f.multiply(low, -1), sliding.window)
            with f.loop(start, stop, carried=state) as loop:
                assert loop.index is not None
                tap = loop.index
                if backwards:
                    tap = f.add(f.multiply(tap, -1), sliding.window - 1)
                shift = _standing(tap).times(sliding.dilation).plus(-sliding.low)
                place = total([position[len(element)].times(sliding.stride), shift])
                following = f.add(f.multiply(number, sliding.window), tap)
                loop.next = axis(loop.carried, following, [*element, place])
            return loop.results

        return axis(state, integer(0), [])

    def _first_tap(self, bounds: Sequence[Bounds]) -> Operand:
        """The number of the first tap that lies on an element; 0 if none does."""
        f, number, is_there = self.f, integer(0), Operand("i1", "true")
        for sliding, (low, high) in zip(self.slidings, bounds, strict=True):
            number = f.add(f.multiply(number, sliding.window), low)
            some = f.compare("icmp slt", f.add(low, 0), f.add(high, 0))
            is_there = f.binary("and", is_there, some)
        return f.select(is_there, number, integer(0))


def _bounds(f: Function, sliding: Sliding, position: Operand) -> Bounds:
    """The first tap that lies on an element, and the tap after the last that does."""
    if sliding.stays_inside:
        return 0, sliding.window
    before = f.add(f.multiply(position, -sliding.stride), sliding.low)
    low = _rounded_up(f, f.maximum(before, 0), sliding.dilation)
    high = _rounded_up(f, f.maximum(f.add(before, sliding.size), 0), sliding.dilation)
    return low, f.minimum(high, sliding.window)


def _rounded_up(f: Function, x: Operand, divisor: int) -> Operand:
    """x / divisor of numbers that are not negative, rounded up."""
    if divisor == 1:
        return x
    return f.binary("udiv", f.add(x, divisor - 1), integer(divisor))
