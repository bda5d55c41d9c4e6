"""Contractions are cut by their sizes and the processor's, within what its caches hold."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.executors.native.kernels.affine import Axis
from clearprop.executors.native.kernels.factors import Copy, Factor, Sizes
from clearprop.executors.native.kernels.schedule import (
    Schedule,
    choose_schedule,
)
from clearprop.executors.native.kernels.tiles import Tile, choose_tile
from clearprop.executors.native.kernels.winograd.blocks import choose_blocks, choose_sum_blocks
from clearprop.executors.native.kernels.winograd.windows import Windows
from clearprop.executors.native.llvm.machine import Machine, neon_machine

AVX2 = Machine("x86_64-unknown-linux-gnu", "x86-64", "+avx2,+fma", 32, 16)
AVX512 = replace(AVX2, vector_bytes=64, vector_registers=32, level2_bytes=1 << 20)
SSE = replace(AVX2, vector_bytes=16)
MACHINES = [SSE, AVX2, AVX512, neon_machine()]
SIZES = st.integers(1, 1500)


def product_of(
    rows: int, summed: int, columns: int, machine: Machine, turned: str = "", reads_after: int = 0
) -> tuple[Sizes, Schedule]:
    """The schedule of a matrix product; ``turned`` names the factors that are read turned over."""
    sizes = Sizes(1, 1, (1, rows), columns, (summed,), 4)
    is_left, is_right = "left" in turned, "right" in turned
    left = Factor(
        is_along=is_left, is_turned=not is_left, step_bytes=4 * rows if is_left else 4,
        size_bytes=4 * rows * summed,
    )  # fmt: skip
    right = Factor(
        is_along=not is_right, is_turned=is_right, step_bytes=4 if is_right else 4 * columns,
        size_bytes=4 * summed * columns,
    )  # fmt: skip
    schedule = choose_schedule(machine, sizes, left, right, is_plain=True, reads_after=reads_after)
    return sizes, schedule


@pytest.mark.parametrize("machine", MACHINES)
@given(rows=SIZES, summed=SIZES, columns=SIZES, turned=st.sampled_from(["", "left", "right"]))
def test_tasks_are_made_of_tiles_and_fit_on_a_stack(
    machine: Machine, rows: int, summed: int, columns: int, turned: str
) -> None:
    sizes, schedule = product_of(rows, summed, columns, machine, turned, 4 * rows * columns)
    tile, group = schedule.tile, schedule.group
    panel = tile.vectors * sizes.lanes(machine)
    assert tile.rows * tile.vectors + tile.vectors + 1 <= machine.vector_registers
    if schedule.parts == 1:
        units = (tile.outer, tile.inner, panel)
        assert not any(size % unit for size, unit in zip(group, units, strict=True))
    steps = schedule.rounds
    assert 1 <= steps <= summed
    if schedule.right is Copy.INSIDE:
        assert 4 * steps * group[2] <= 512 << 10 or group[2] == panel
        assert steps <= (512 if turned == "left" else 2048)
        if turned == "right":
            assert steps == summed  # squares are turned over whole
    if schedule.waits and schedule.parts == 1:
        assert 4 * math.prod(group) <= 256 << 10 or group[:2] == (tile.outer, tile.inner)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("turned", ["", "left", "right"])
def test_a_large_product_has_tasks_for_several_threads(machine: Machine, turned: str) -> None:
    sizes, schedule = product_of(256, 1024, 1024, machine, turned)
    extents = (*sizes.rows, sizes.columns)
    tasks = math.prod(-(-size // of) for size, of in zip(extents, schedule.group, strict=True))
    assert 8 <= tasks <= 128


def test_a_small_product_is_one_task_that_copies_nothing() -> None:
    for machine in MACHINES:
        _, schedule = product_of(8, 8, 8, machine)
        assert schedule.right is Copy.NOT
        assert schedule.group[1] >= 8
        assert not schedule.copies_left
        assert not schedule.waits


def test_long_sums_of_few_results_are_cut_into_parts() -> None:
    assert product_of(48, 40_000, 32, AVX2, "left")[1].parts == 64
    assert product_of(96, 40_000, 64, AVX2, "left")[1].parts == 16
    assert product_of(1024, 256, 1024, AVX2, "left")[1].parts == 1


def test_results_wait_where_much_is_read_beside_them() -> None:
    assert product_of(1024, 256, 1024, AVX2, "left", 12 << 20)[1].waits
    assert not product_of(1024, 256, 1024, AVX2, "left")[1].waits


def test_tiles_fill_the_registers_and_waste_little() -> None:
    assert choose_tile(AVX2, (1, 600), 160, 8) == Tile(1, 6, 2)
    wide = choose_tile(AVX512, (1, 1400), 320, 16)
    assert wide.rows * wide.vectors >= 24
    # 8 positions in a row: 4 and 4, rather than 6 and 2.
    assert choose_tile(AVX2, (8, 8), 64, 8).inner == 4


# -- Winograd's way ----------------------------------------------------------------------


def windows_of_size(images: int, high: int, wide: int, channels: int, columns: int) -> Windows:
    taps = Axis(3), Axis(3)
    return Windows(Axis(images), Axis(high), Axis(wide), taps, Axis(channels), Axis(columns))


@pytest.mark.parametrize("machine", MACHINES)
@given(
    images=st.integers(1, 300), high=st.integers(4, 300), wide=st.integers(4, 3000),
    channels=st.integers(1, 600), columns=st.integers(1, 600),
)  # fmt: skip
def test_squares_fit_on_a_stack(
    machine: Machine, images: int, high: int, wide: int, channels: int, columns: int
) -> None:
    windows = windows_of_size(images, high, wide, channels, columns)
    squares = windows.squares
    bytes_of_square = 4 * 16 * (channels + columns + 2 * machine.lanes(4))
    blocks, sums = choose_blocks(machine, windows, 4), choose_sum_blocks(machine, windows, 4)
    for found in (blocks, sums):
        if found is not None:
            assert found.rows <= squares[0]
            assert found.wide <= squares[1]
            assert found.rows == 1 or found.wide == squares[1]
            area = found.rows * found.wide * (found.images if found is sums else 1)
            assert area == 1 or area * bytes_of_square <= machine.level2_bytes
    if sums is not None:
        assert sums.images == 1 or sums.rows == squares[0]
        assert 4 * 16 * channels * columns <= 1 << 20
        assert 1 <= sums.parts <= images


@pytest.mark.parametrize("machine", MACHINES)
def test_few_channels_and_small_images_go_by_the_definition(machine: Machine) -> None:
    for sizes in ((64, 32, 32, 1, 1), (2, 5, 5, 4, 4)):
        assert choose_blocks(machine, windows_of_size(*sizes), 4) is None
        assert choose_sum_blocks(machine, windows_of_size(*sizes), 4) is None
    for sizes in ((64, 32, 32, 32, 32), (64, 8, 8, 64, 64), (1, 14, 14, 32, 64)):
        assert choose_blocks(machine, windows_of_size(*sizes), 4) is not None
