"""Training steps of small nets as loops, for tests of the native executor."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import llvmlite.binding as llvm
import numpy as np

import clearprop as cp
from clearprop.executors.native.executor import Compiled
from clearprop.executors.native.llvm.machine import this_machine
from clearprop.ir.program import Program
from clearprop.ir.value import Array
from clearprop.train.preparing import prepared_samples
from clearprop.train.step import training_step

NETS = ("mlp", "conv")
_SAMPLES, _CLASSES = 192, 10


class TrainingLoop(NamedTuple):
    """A loop of training steps and what it is called with.

    Attributes:
        body: one step.
        carry_count: how many values it carries.
        arrays: the inputs for a few steps.
    """

    body: Program
    carry_count: int
    arrays: list[Array]

    def compiled(self, threads: int | None = None, together: bool | None = None) -> Compiled:
        """The loop as machine code."""
        loop = (self.carry_count, 1)
        return Compiled(self.body, this_machine(), loop, threads, together=together)


def training_loop(net: str, *, steps: int = 3, batch: int = 64, width: int = 128) -> TrainingLoop:
    """The loop of a net: the same in every process.

    Args:
        net: one of ``NETS``.
        steps: how many the inputs are for.
        batch: samples in a step.
        width: of the hidden layers of the mlp.
    """
    cp.set_seed(0)
    rng = np.random.default_rng(0)
    model, shape = (_mlp(width), (48,)) if net == "mlp" else (_conv(), (12, 12, 3))
    x = rng.normal(size=(_SAMPLES, *shape)).astype(np.float32)
    y = rng.integers(0, _CLASSES, _SAMPLES)
    loss = cp.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(cp.optimizers.Adam(0.01), loss, executor="reference")
    model.build((None, *shape))
    samples, setup = prepared_samples(model, x, y, None, None, doing="fit")
    setup.optimizer.state = setup.optimizer.initial_state(model.trainable_weights)
    step = training_step(model, setup, samples, batch)
    carried = [weight.numpy() for weight in [*model.trainable_weights]]
    carried += [variable.numpy() for variable in model.non_trainable_variables]
    carried += list(setup.optimizer.state.values())
    carried += [np.zeros(value.shape, value.dtype)
                for value in step.body.inputs[len(carried) : step.carry_count]]  # fmt: skip
    rows = rng.integers(0, _SAMPLES, (steps, batch))
    given = [np.zeros(2, np.uint32), *setup.hyperparameters().values(), *samples.arrays]
    return TrainingLoop(step.body, step.carry_count, [*map(np.array, carried), rows, *given])


def _mlp(width: int) -> cp.Sequential:
    dense = cp.layers.Dense
    return cp.Sequential([
        dense(width, activation="relu"),
        dense(width, activation="tanh"),
        dense(_CLASSES),
    ])


def _conv() -> cp.Sequential:
    layers = cp.layers
    return cp.Sequential([
        layers.Conv2D(8, 3, activation="relu", padding="same"),
        layers.MaxPooling2D(2),
        layers.Conv2D(16, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(_CLASSES),
    ])


def digest(arrays: list[Array]) -> str:
    """A number for all bits of some arrays."""
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


def count_compilations() -> list[str]:
    """A list that grows by one with each module that LLVM compiles in this process."""
    found: list[str] = []
    emit = llvm.TargetMachine.emit_object

    def counted(self: llvm.TargetMachine, module: llvm.ModuleRef) -> bytes:
        found.append(module.name)
        return emit(self, module)

    llvm.TargetMachine.emit_object = counted
    return found
