"""Where the time of a training goes."""

from __future__ import annotations

import numpy as np

from clearprop.executors.native.counting import KernelCount
from clearprop.executors.native.peak import Ceilings
from clearprop.glass.roofline import (
    Roofline,
    scaled_text,
    training_flops,
    training_roofline,
    training_speed,
)
from clearprop.losses import SparseCategoricalCrossentropy
from clearprop.models import lstm_classifier, mlp
from clearprop.models.standard import workload_model
from clearprop.models.workloads import WORKLOADS, make_data

LOSS = SparseCategoricalCrossentropy(from_logits=True)
CEILINGS = Ceilings(1, 100e9, ((1 << 14, 200e9), (1 << 24, 20e9)))


def _kernel(flops: int, size: int, seconds: float, calls: int = 1) -> KernelCount:
    return KernelCount("word", "f32[8]", calls, flops, size, seconds)


def test_kernels_are_told_by_what_bounds_them() -> None:
    kernels = (
        _kernel(10**6, 1000, 20e-6),  # 10 us of arithmetic
        _kernel(10, 1 << 20, 80e-6),  # 52 us of reading
        _kernel(10, 100, 50e-6),
        _kernel(10, 10_000, 1e-6, calls=10),  # ten times 10 kB from the near cache
    )
    roofline = Roofline(kernels, CEILINGS, 0.5, 1000)
    assert [roofline.ceiling(kernel)[0] for kernel in kernels] == [
        "arithmetic", "memory", "neither", "memory",
    ]  # fmt: skip
    assert sum(roofline.shares().values()) == 1
    text = roofline.text(most=2)
    assert text.splitlines()[2].split()[-2:] == ["66%", "memory"]
    assert "2 others" in text.splitlines()[-1]


def test_flops_of_loops_count_each_round() -> None:
    model = lstm_classifier((7, 3), 2, units=(5,))
    model.compile("sgd", LOSS)
    x, y = np.zeros((4, 7, 3), np.float32), np.zeros(4, np.int64)
    forward = 7 * (3 * 20 + 5 * 20) + 5 * 2
    without_the_input = 2 * 7 * 3 * 20
    assert training_flops(model, x, y, 4) == 2 * (3 * forward) - without_the_input


def test_a_training_step_is_counted_and_changes_nothing() -> None:
    workload = WORKLOADS["playground"]
    model = workload_model(workload)
    x, y = make_data(workload)
    model.build((None, 2))
    before = model.get_weights()
    told: list[str] = []
    roofline = training_roofline(model, x, y, workload.batch, told.append)
    assert told[0] == "tracing the training step"
    assert roofline.step_seconds > 0
    assert any("dot_general" in kernel.label for kernel in roofline.kernels)
    assert all((old == new).all() for old, new in zip(before, model.get_weights(), strict=True))


def test_a_training_that_has_begun_goes_on_unchanged() -> None:
    model = mlp((3,), 2, (4,))
    model.compile("adam", LOSS, executor="reference")
    x, y = np.ones((8, 3), np.float32), np.zeros(8, np.int64)
    model.fit(x, y, batch_size=4, verbose=0)
    before = dict(model.optimizer.state)
    training_flops(model, x, y, 4)
    assert all(model.optimizer.state[name] is array for name, array in before.items())


def test_speed_is_that_of_fit() -> None:
    model = mlp((3,), 2, (4,))
    model.compile("sgd", LOSS, executor="reference")
    speed = training_speed(model, np.zeros((20, 3), np.float32), np.zeros(20, np.int64), 8, 0.01)
    assert speed.samples_per_second > 0
    assert speed.epoch_samples == 20


def test_numbers_have_their_scale() -> None:
    assert [scaled_text(number) for number in (5, 1500, 462_422_016, 3e9)] == [
        "5", "1.5 k", "462 M", "3 G",
    ]  # fmt: skip
