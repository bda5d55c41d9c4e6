"""Kernels that run task by task: only where each task needs no more than its own part."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from clearprop.executors.native.access import Access
from clearprop.executors.native.bundles import as_one, bundled
from clearprop.executors.native.control import steps_in
from clearprop.executors.native.executor import Compiled
from clearprop.executors.native.homes import Buffer, Home, Stripe
from clearprop.executors.native.kernels.kernel import Kernel
from clearprop.executors.native.llvm.machine import this_machine
from clearprop.executors.native.plan import Bundle, Step
from clearprop.executors.native.slots import give_slots
from clearprop.ir.types import TensorType
from tests.support.native_cases import cases


def kernel(
    tasks: int, reads: Sequence[Buffer], writes: Sequence[Buffer], span: int | None = 64
) -> Kernel:
    """A kernel whose tasks are each at ``span`` bytes of every buffer."""
    type_ = TensorType((64,), np.dtype("f4"))
    stripe = None if span is None else Stripe(span)
    homes = tuple(Home.plain(buffer, type_) for buffer in [*reads, *writes])
    written = tuple(buffer in writes for buffer in [*reads, *writes])
    return Kernel("k", "k", homes, written, (stripe,) * len(homes), tasks, 1000, 1e-3)


def buffers(count: int) -> list[Buffer]:
    return [Buffer("arena", 256) for _ in range(count)]


def order(steps: Sequence[Step]) -> list[list[Kernel]]:
    """The kernels in order, those that run task by task together."""
    found = []
    for step in steps:
        assert isinstance(step, (Kernel, Bundle))
        found.append(step.kernels if isinstance(step, Bundle) else [step])
    return found


def test_what_reads_what_the_same_task_wrote_runs_with_it() -> None:
    a, b, c = buffers(3)
    first, second = kernel(4, [a], [b]), kernel(4, [b], [c])
    assert order(bundled([first, second])) == [[first, second]]


@pytest.mark.parametrize(
    "second",
    [
        lambda a, b, c: kernel(8, [b], [c]),  # other tasks
        lambda a, b, c: kernel(4, [b], [c], span=None),  # each task needs all of it
        lambda a, b, c: kernel(4, [b], [c], span=32),  # other parts
        lambda a, b, c: kernel(4, [c], [a], span=None),  # it overwrites what others still read
    ],
)
def test_other_tasks_and_other_parts_are_waited_for(second: object) -> None:
    a, b, c = buffers(3)
    assert callable(second)
    steps = [kernel(4, [a], [b]), second(a, b, c)]
    assert order(bundled(steps)) == [[step] for step in steps]


def test_kernels_whose_tasks_meet_nobody_else_s_are_one() -> None:
    state, step, new = buffers(3)
    first, second = kernel(4, [state], [step]), kernel(4, [step], [new])
    back = kernel(4, [new], [state])  # what the next round begins with
    one = as_one([Bundle([first, second]), back])
    assert one is not None
    assert one.kernels == [first, second, back]


@pytest.mark.parametrize(
    "other",
    [
        lambda a, b: kernel(8, [a], [b]),  # other tasks
        lambda a, b: kernel(4, [b], [a], span=32),  # other parts
        lambda a, b: kernel(4, [b], [a], span=None),  # each task is at all of it
        lambda a, b: kernel(4, [a], [b], span=None),  # each task writes all of it: in each round
    ],
)
def test_kernels_whose_tasks_meet_others_are_not(other: Callable[..., Kernel]) -> None:
    a, b = buffers(2)
    assert as_one([kernel(4, [a], [b]), other(a, b)]) is None
    assert as_one([other(a, b), kernel(4, [a], [b])]) is None
    assert as_one([kernel(1, [a], [b])]) is None
    assert as_one([kernel(4, [a], [b], span=None)]) is None
    assert as_one([]) is None


def test_what_stands_between_runs_before_or_after() -> None:
    a, b, c, weights, panels, total = buffers(6)
    first, sums = kernel(4, [a], [b]), kernel(1, [b], [total], span=None)
    pack, second = kernel(2, [weights], [panels], span=None), kernel(4, [b, panels], [c])
    second = replace(second, spans=(Stripe(64), None, Stripe(64)))  # each task needs all panels
    assert order(bundled([first, sums, pack, second])) == [[pack], [first, second], [sums]]


def test_the_order_of_all_that_meets_is_kept() -> None:
    choose = random.Random(0)
    for _ in range(300):
        pool = buffers(6)
        steps: list[Step] = [
            kernel(
                choose.choice([1, 4, 4, 4, 8]),
                choose.sample(pool, choose.randint(0, 3)),
                choose.sample(pool, 1),
                choose.choice([64, 64, None]),
            )
            for _ in range(12)
        ]
        groups = order(bundled(steps))
        place = {each: (n, k) for n, group in enumerate(groups) for k, each in enumerate(group)}
        assert set(place) == set(steps)
        for number, later in enumerate(steps):
            for earlier in steps[:number]:
                assert isinstance(later, Kernel)
                assert isinstance(earlier, Kernel)
                one, other = Access(earlier), Access(later)
                if one.meets(other):
                    assert place[earlier] < place[later]
                    together = place[earlier][0] == place[later][0]
                    assert not together or other.keeps_to(one)


def test_what_only_a_bundle_needs_lies_in_slots() -> None:
    given, made, other, gone = buffers(4)
    bundle = Bundle([
        kernel(4, [given], [made]),
        kernel(4, [made], [other]),
        kernel(4, [other], [gone]),
    ])
    assert give_slots(bundle, [made, other]) == [made, other]
    assert [made.kind, made.size_bytes, made.row_bytes] == ["slot", 64, 64]
    assert bundle.slot_bytes == 128  # both are there while the second kernel runs
    assert made.number != other.number


def test_what_lies_in_stripes_has_no_slot() -> None:
    given, made, other = buffers(3)
    stripes = (Stripe(16, 64), Stripe(16, 64))
    pair = [
        replace(kernel(4, [given], [made]), spans=stripes),
        replace(kernel(4, [made], [other]), spans=stripes),
    ]
    assert order(bundled(pair)) == [pair]  # each task finds what it wrote
    assert give_slots(Bundle(pair), [made]) == []


def test_what_a_kernel_is_at_in_other_parts_has_no_slot() -> None:
    given, made, other = buffers(3)
    whole = replace(kernel(4, [made], [other]), spans=(None, Stripe(64)))
    assert give_slots(Bundle([kernel(4, [given], [made]), whole]), [made]) == []
    assert made.kind == "arena"


@pytest.mark.parametrize("name", ["image after image", "several images in each task"])
def test_images_go_through_a_net_one_after_the_other(name: str) -> None:
    program, arrays = dict(cases())[name]
    alone = Compiled(program, this_machine(), threads=1)
    bundles = [step for _, step in steps_in(alone.plan) if isinstance(step, Bundle)]
    assert any(len(bundle.kernels) > 2 for bundle in bundles)
    assert alone.blueprint.slot_bytes > 0
    expected = alone(arrays)
    for threads in (2, 3, 8):
        for found, wanted in zip(
            Compiled(program, this_machine(), threads=threads, together=True)(arrays),
            expected,
            strict=True,
        ):
            np.testing.assert_array_equal(found, wanted)
