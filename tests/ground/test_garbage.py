"""The search for garbage is put off, and afterwards the collector is as it was."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import numpy as np
import pytest

import clearprop as cp
from clearprop.garbage import collection_put_off


@pytest.fixture(autouse=True)
def _collector_is_on() -> Iterator[None]:
    gc.enable()
    yield
    gc.enable()


def test_the_collector_is_on_again_after_an_error() -> None:
    with pytest.raises(ValueError, match="inside"), collection_put_off():
        raise ValueError("inside")
    assert gc.isenabled()


def test_a_collector_that_is_off_stays_off() -> None:
    gc.disable()
    with collection_put_off():
        pass
    assert not gc.isenabled()


def test_the_collector_is_on_again_when_threads_overlap() -> None:
    entered, leave = threading.Event(), threading.Event()

    def wait_inside() -> None:
        with collection_put_off():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=wait_inside)
    thread.start()
    entered.wait(10)
    with collection_put_off():
        leave.set()
        thread.join(10)
    assert gc.isenabled()


@pytest.mark.parametrize("executor", ["reference", "native"])
def test_nothing_is_collected_while_a_function_is_traced(executor: str) -> None:
    found = []

    def square(x: cp.Tensor) -> cp.Tensor:
        found.append(gc.isenabled())
        return x * x

    compiled = cp.compile(square, executor=executor)
    assert compiled(np.float32(3)).item() == 9
    assert found == [False]
    assert gc.isenabled()
