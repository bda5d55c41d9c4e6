"""Random bits in machine code are those of the definition."""

from __future__ import annotations

import numpy as np
import pytest

from clearprop.executors.native.llvm.machine import Machine
from clearprop.ir.types import Shape
from tests.support.native_kernels import machines, width_name
from tests.support.native_programs import check_word

SHAPES = [(), (1,), (3,), (4,), (7,), (33,), (8, 16), (1001,), (100_000,), (0,), (3, 5, 7)]


@pytest.mark.parametrize("machine", machines(), ids=width_name)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_random_bits_are_those_of_the_definition(shape: Shape, machine: Machine) -> None:
    key = np.array([5, 0xFFFFFFFF], np.uint32)
    counter = np.array([0xFFFFFFF0, 77], np.uint32)
    check_word("random_bits", machine, key, counter, shape=shape)
