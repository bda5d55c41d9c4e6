"""PyTorch's table of operations with samples, computed by machine code."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from clearprop.executors.native.executor import Compiled
from clearprop.executors.native.llvm.machine import this_machine
from clearprop.ir.program import Program
from tests.reference.opinfo.helpers import NotHere
from tests.reference.opinfo.samples import LEAST, Question, question, samples
from tests.reference.opinfo.table import COUNTERPARTS

# PyTorch's own remark on how it computes a sample.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
NAMES = sorted(COUNTERPARTS)
AT_ONCE = 50  # operations in one Program


def questions(name: str, chosen: Sequence[object]) -> Iterator[tuple[str, Question]]:
    """What samples ask for, with a name each; without what they ask for in vain."""
    for number, sample in enumerate(chosen):
        try:
            yield f"{name}, {number}", question(name, sample)
        except NotHere:
            continue


def differences(asked: Sequence[tuple[str, Question]]) -> list[str]:
    """What machine code answers otherwise: one Program for all of them."""
    inputs = [each for _, one in asked for each in one.inputs]
    values = [each for _, one in asked for each in one.values]
    arrays = [each.array for each in inputs if each.array is not None]
    found = iter(Compiled(Program.under(values, inputs), this_machine())(arrays))
    told = []
    for name, one in asked:
        try:
            one.check([next(found) for _ in one.values])
        except AssertionError as error:
            told.append(f"{name}: {error}")
    return told


@pytest.mark.parametrize("start", range(0, len(NAMES), AT_ONCE))
def test_one_sample_of_each_operation_agrees(start: int) -> None:
    asked = []
    for name in NAMES[start : start + AT_ONCE]:
        first = list(samples(name, most=12))
        asked += questions(name, random.Random(name).sample(first, min(1, len(first))))
    assert len(asked) > AT_ONCE // 2
    assert differences(asked) == []


@pytest.mark.slow
def test_all_samples_agree() -> None:
    found: Counter[str] = Counter()
    told = []
    for name in NAMES:
        asked = list(questions(name, list(samples(name))))
        told += differences(asked)
        found["samples"] += len(asked)
        found["derivatives"] += sum(one.gradients for _, one in asked)
    assert told == []
    assert found["samples"] >= LEAST["samples"]
    assert found["derivatives"] >= LEAST["derivatives"]
