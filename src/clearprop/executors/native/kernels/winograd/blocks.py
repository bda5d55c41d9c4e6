"""Which convolutions are computed Winograd's way, and in which blocks."""

from __future__ import annotations

from typing import NamedTuple

from clearprop.executors.native.kernels.schedule import part_count
from clearprop.executors.native.kernels.task_groups import task_limit
from clearprop.executors.native.kernels.tiles import Tile, balanced, choose_tile, tile_cost
from clearprop.executors.native.kernels.winograd.transforms import PLACES, TAPS
from clearprop.executors.native.kernels.winograd.windows import Windows
from clearprop.executors.native.llvm.machine import Machine

# Times in multiply-adds of whole vectors: of transforming what a square reads, or what its results
# are; of reading a vector of a transformed kernel, of making one, and of adding to one.
_INPUT, _RESULT = 48.0, 40.0
_KERNEL, _KERNEL_MADE, _KERNEL_ADDED = 1.5, 12.0, 3.0
_FAR = 6.0  # to bring a vector of a plane to the second cache, and back
_IDLE = 0.4  # of a task: what threads wait for one another in the end
_MOST_SUMS_BYTES = 1 << 20  # of a kernel's gradient on the stack
_WORTH = 0.85  # of the time that products by definition take


class Blocks(NamedTuple):
    """How a convolution is cut.

    Attributes:
        rows: of squares that are transformed and multiplied together.
        wide: squares in each of them.
        of_task: over how many blocks of rows a task goes.
        tile: of a product.
        panel: columns of a tile.
    """

    rows: int
    wide: int
    of_task: int
    tile: Tile
    panel: int


class SumBlocks(NamedTuple):
    """How the gradient of a kernel is cut.

    Attributes:
        images: that are transformed and multiplied together.
        rows: of squares in each of them.
        wide: squares in each row.
        parts: into how many tasks all images are divided.
        tile: of a product.
    """

    images: int
    rows: int
    wide: int
    parts: int
    tile: Tile


def choose_blocks(machine: Machine, windows: Windows, size: int) -> Blocks | None:
    """The blocks of a convolution; None where products by definition take less time.

    Args:
        machine: for which processor.
        windows: of the convolution.
        size: bytes of a number.
    """
    sizes = _Sizes(machine, windows, size)
    images, (high, wide) = windows.image.extent, windows.squares
    wanted = task_limit(2 * images * sizes.products)
    best, least = None, float("inf")
    for rows, part in sizes.shapes:
        squares = rows * part
        tile = choose_tile(machine, (1, squares), windows.column.extent, sizes.width)
        cost = PLACES * sizes.channels * tile_cost(tile, (1, squares), sizes.results)
        cost += squares * (sizes.inputs * _INPUT + sizes.results * _RESULT)
        cost += sizes.kernel * _KERNEL + sizes.far(squares)
        blocks = -(-high // rows)
        for of_task in {1, blocks}:
            tasks = images * -(-blocks // of_task)
            idle = 0.0 if wanted == 1 else tasks % 2 / tasks + _IDLE / min(tasks, wanted)
            total = cost * blocks * -(-wide // part) * (1 + idle)
            if total < least:
                best = Blocks(rows, part, of_task, tile, tile.vectors * sizes.width)
                least = total
    shape = windows.high.extent, windows.wide.extent
    tile = choose_tile(machine, shape, windows.column.extent, sizes.width)
    usual = TAPS**2 * sizes.channels * tile_cost(tile, shape, sizes.results)
    return best if least + sizes.kernel * _KERNEL_MADE / images < _WORTH * usual else None


def choose_sum_blocks(machine: Machine, windows: Windows, size: int) -> SumBlocks | None:
    """The blocks of a kernel's gradient; None where products by definition take less time.

    Args:
        machine: for which processor.
        windows: of the convolution.
        size: bytes of a number.
    """
    sizes = _Sizes(machine, windows, size)
    images, (high, wide) = windows.image.extent, windows.squares
    if sizes.kernel * sizes.width * size > min(machine.level2_bytes, _MOST_SUMS_BYTES):
        return None
    parts = part_count(machine, TAPS**2 * sizes.channels * windows.column.extent * size, images)
    tile = choose_tile(machine, (1, sizes.channels), windows.column.extent, sizes.width)
    added = sizes.kernel * _KERNEL_ADDED

    def cost_of_block(together: int, rows: int, part: int) -> float:
        """Of what depends on its size, for each square."""
        squares = together * rows * part
        return (added + sizes.far(squares)) / squares

    options = [(1, *shape) for shape in sizes.shapes]
    most = min(-(-images // parts), sizes.most // (high * wide))
    options += [(together, high, wide) for together in range(2, most + 1)]
    block = min(options, key=lambda each: cost_of_block(*each))
    cost = PLACES * tile_cost(tile, (1, sizes.channels), sizes.results)
    cost += (sizes.inputs + sizes.results) * _INPUT + cost_of_block(*block)
    cost *= high * wide
    cost += sizes.kernel * _KERNEL_MADE * parts / images
    shape = TAPS, TAPS * sizes.channels
    usual_tile = choose_tile(machine, shape, windows.column.extent, sizes.width)
    usual = tile_cost(usual_tile, shape, sizes.results)
    usual *= windows.high.extent * windows.wide.extent
    return SumBlocks(*block, parts, tile) if cost < _WORTH * usual else None


class _Sizes:
    """What both choices depend on.

    Attributes:
        width: lanes of a vector.
        channels: of the input.
        inputs: vectors of them.
        results: vectors of columns.
        moved: vectors of a square, input and results, transformed.
        most: squares of a block: these stay in the second cache.
        shapes: rows of squares that a block may have, and how many of each: whole rows, or a part
            of one that stays in the first or the second cache.
        kernel: vectors of a transformed kernel.
        products: multiply-adds of an image by definition.
    """

    def __init__(self, machine: Machine, windows: Windows, size: int) -> None:
        self.width = machine.lanes(size)
        self.channels, columns = windows.channel.extent, windows.column.extent
        self.inputs, self.results = -(-self.channels // self.width), -(-columns // self.width)
        self.moved = PLACES * (self.inputs + self.results)
        self._near = machine.level1_bytes // (self.width * size)
        self.most = max(1, machine.level2_bytes // 4 // (self.moved * self.width * size))
        high, wide = windows.squares
        parts = {balanced(wide, max(1, most)) for most in (self.most, self._near // self.moved)}
        self.shapes = [(1, part) for part in sorted(parts - {wide})]
        self.shapes += [(rows, wide) for rows in range(1, min(high, self.most // wide) + 1)]
        self.kernel = PLACES * self.channels * self.results
        area = windows.high.extent * windows.wide.extent
        self.products = TAPS**2 * area * self.channels * columns

    def far(self, squares: int) -> float:
        """Time for what a block of so many squares finds in the second cache, not in the first."""
        return max(0.0, squares * self.moved - self._near) * _FAR
