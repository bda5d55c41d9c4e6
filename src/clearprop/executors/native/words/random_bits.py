"""Random bits: Philox 4x32-10, several blocks side by side.

Each lane of a vector computes one block.  A lane has 64 bits, of which the lower 32 are a word of
the block: the product of two words is one instruction, and what stands above a word is ignored.

Reference:
    J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as
    1, 2, 3", Proceedings of SC11 (2011): Philox 4x32-10.
"""

from __future__ import annotations

from clearprop.executors.native.groups import Group, Read
from clearprop.executors.native.homes import Home
from clearprop.executors.native.kernels.affine import Affine
from clearprop.executors.native.kernels.elements import Elements
from clearprop.executors.native.kernels.kernel import Compilation, KernelWriter, task_count
from clearprop.executors.native.llvm.registers import (
    Operand,
    constant,
    constant_vector,
    vector_type,
)
from clearprop.executors.native.llvm.writer import Function
from clearprop.executors.native.words.operands import operand_home, result_home
from clearprop.ir.value import Value

_ROUNDS = 10
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
_LOW = 0xFFFFFFFF
_WORDS = 4  # of a block


def write_random_bits(compilation: Compilation, group: Group) -> None:
    """Append the kernel of random bits."""
    equation = group.members[0]
    home = result_home(compilation, group)
    if home is not None:
        assert home.is_plain
        _RandomBits(compilation, home).write(*equation.inputs)


class _RandomBits:
    def __init__(self, compilation: Compilation, home: Home) -> None:
        self.writer = KernelWriter(compilation, "random_bits")
        self.f, self.home, self.compilation = self.writer.function, home, compilation
        self.size = home.type.size
        blocks = -(-self.size // _WORDS)
        self.lanes = min(compilation.machine.lanes(8), 1 << (blocks - 1).bit_length())

    def write(self, key: Value, counter: Value) -> None:
        f, words = self.f, self.lanes * _WORDS
        keys, counters = (self._words(value) for value in (key, counter))
        target = self.writer.pointers.address(self.home)
        whole = self.size // words
        work = self.size * _ROUNDS * 2
        chunk = -(-max(whole, 1) // task_count(max(whole, 1), work))
        tasks = max(1, -(-whole // chunk))
        if whole:
            start: Operand | int = 0
            stop: Operand | int = whole
            if tasks > 1:
                start = f.multiply(self.writer.begin, chunk)
                stop = f.minimum(f.multiply(self.writer.end, chunk), whole)
            with f.loop(start, stop) as loop:
                assert loop.index is not None
                first = f.multiply(loop.index, self.lanes)
                for number, half in enumerate(self._blocks(first, keys, counters)):
                    place = f.add(f.multiply(loop.index, words), number * words // 2)
                    f.store(half, f.address(target, "i32", place))
        if whole * words < self.size:
            is_last = f.compare("icmp eq", self.writer.end, constant("i64", tasks))
            with f.when(is_last):
                self._rest(target, whole, keys, counters)
        self.writer.finish(tasks, work)

    def _words(self, value: Value) -> list[Operand]:
        """The two words of the key or the counter, as numbers of 64 bits."""
        elements: Elements = self.writer.elements
        home = operand_home(self.compilation, value)
        loaded = [elements.load(home, Read(value, (Affine(at),))) for at in range(2)]
        return [self.f.convert("zext", word, "i64") for word in loaded]

    def _rest(
        self, target: Operand, whole: int, keys: list[Operand], counters: list[Operand]
    ) -> None:
        """The words that do not fill all lanes."""
        f, place = self.f, whole * self.lanes * _WORDS
        for half in self._blocks(constant("i64", whole * self.lanes), keys, counters):
            count = min(half.lanes, self.size - place)
            if count > 0:
                f.store(f.narrow(half, count), f.address(target, "i32", place))
            place += half.lanes

    def _blocks(
        self, first: Operand, keys: list[Operand], counters: list[Operand]
    ) -> list[Operand]:
        """The words of the blocks from ``first`` on, in their order, as two vectors."""
        f, lanes = self.f, self.lanes
        numbers = constant_vector("i64", range(lanes))
        block = f.binary("add", f.splat(first, lanes), numbers)
        half = constant(block.type, 32)
        c = [block, f.binary("lshr", block, half), *(f.splat(each, lanes) for each in counters)]
        multipliers = [constant(block.type, each) for each in _MULTIPLIERS]
        for number in range(_ROUNDS):
            first_product = f.binary("mul", _low(f, c[0]), multipliers[0])
            second_product = f.binary("mul", _low(f, c[2]), multipliers[1])
            k = [
                f.splat(f.add(key, number * step), lanes)
                for key, step in zip(keys, _KEY_STEPS, strict=True)
            ]
            c = [
                _xor(f, f.binary("lshr", second_product, half), c[1], k[0]),
                second_product,
                _xor(f, f.binary("lshr", first_product, half), c[3], k[1]),
                first_product,
            ]
        return self._in_order(c)

    def _in_order(self, c: list[Operand]) -> list[Operand]:
        """The words of all lanes, block after block, where each lane has those of its block."""
        f, lanes = self.f, self.lanes
        half = constant(c[0].type, 32)
        pairs = [
            f.binary("or", _low(f, low), f.binary("shl", high, half))
            for low, high in ((c[0], c[1]), (c[2], c[3]))
        ]
        if lanes == 1:
            return [_as_words(f, pair) for pair in pairs]
        order = [place for lane in range(lanes) for place in (lane, lanes + lane)]
        return [
            _as_words(f, f.shuffle(pairs[0], pairs[1], part))
            for part in (order[:lanes], order[lanes:])
        ]


def _low(f: Function, x: Operand) -> Operand:
    return f.binary("and", x, constant(x.type, _LOW))


def _xor(f: Function, *operands: Operand) -> Operand:
    result = operands[0]
    for operand in operands[1:]:
        result = f.binary("xor", result, operand)
    return result


def _as_words(f: Function, x: Operand) -> Operand:
    """Numbers of 64 bits as twice as many of 32."""
    type_ = vector_type("i32", 2 * x.lanes)
    return f.pure(type_, f"bitcast {x.type} {x.text} to {type_}", x)
