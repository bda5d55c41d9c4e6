"""Calls see the arrays as they are at the time of the call."""

from __future__ import annotations

import numpy as np
import pytest

from clearprop.executors.native.executor import Compiled
from clearprop.executors.native.llvm.machine import this_machine
from tests.executors.native.test_keys import sums


@pytest.mark.parametrize("shape", [(3, 4), (300, 400)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_view_that_is_read_only_shows_what_is_written_below(
    shape: tuple[int, int], order: str
) -> None:
    call = Compiled(sums(shape=shape), this_machine())
    whole = np.ones(shape, np.float32, order="F" if order == "F" else "C")
    view = whole[:]
    view.flags.writeable = False
    for value in (1, 5):
        whole[...] = value
        np.testing.assert_array_equal(call([view])[0], np.full(shape[1], 2 * value * shape[0]))
