"""Where the time of a training goes: each kernel beside what the machine can do at most."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from clearprop.ir.program import Program
from clearprop.ir.value import Array
from clearprop.ops.random import words
from clearprop.text import bytes_text, table
from clearprop.train import Model
from clearprop.train.preparing import prepared_samples
from clearprop.train.setup import Setup
from clearprop.train.step import Step, training_step

if TYPE_CHECKING:
    from clearprop.executors.native.counting import KernelCount
    from clearprop.executors.native.peak import Ceilings

_CONTRACTIONS = ("dot_general", "conv")  # how the names of primitives that multiply-add begin
STEADY_SECONDS = 1.0
_COUNTED_SECONDS = 0.3
_FAR_BELOW = 0.25  # of its ceiling: what holds such a kernel back is something else
Tell = Callable[[str], None]


@dataclass(frozen=True)
class TrainingSpeed:
    """How fast ``fit`` is.

    Attributes:
        samples_per_second: in steady state.
        first_seconds: of the first epoch, tracing and compiling included.
        epoch_samples: samples of an epoch.
    """

    samples_per_second: float
    first_seconds: float
    epoch_samples: int


def training_speed(
    model: Model, x: Array, y: Any, batch_size: int, steady_seconds: float | None = None
) -> TrainingSpeed:
    """Train the model for about a second and say how fast that was.

    Args:
        model: compiled.
        x: samples.
        y: their targets.
        batch_size: samples of a step.
        steady_seconds: how long to measure, after two epochs; None for a second.
    """
    wanted = STEADY_SECONDS if steady_seconds is None else steady_seconds

    def seconds(epochs: int) -> float:
        start = time.perf_counter()
        model.fit(x, y, batch_size=batch_size, epochs=epochs, verbose=0)
        return time.perf_counter() - start

    first, epochs = seconds(1), 1
    took = seconds(1)
    while took < wanted / 2:
        epochs = max(epochs + 1, min(epochs * 16, round(epochs * wanted / took)))
        took = seconds(epochs)
    return TrainingSpeed(len(x) * epochs / took, first, len(x))


def training_flops(model: Model, x: Array, y: Any, batch_size: int) -> float:
    """Floating-point operations of a training step's contractions, for one sample."""
    step = _Traced(model, x, y, batch_size).step
    return contraction_flops(step.body) / batch_size


def contraction_flops(program: Program) -> int:
    """Operations of all products of matrices and convolutions; two for each multiply-add."""
    total = 0
    waiting = [(program, 1)]
    while waiting:
        present, often = waiting.pop()
        for equation in present.equations:
            primitive, params = equation.primitive, equation.params
            if primitive.name.startswith(_CONTRACTIONS):
                types = [value.type for value in equation.inputs]
                total += often * primitive.flops(*types, **params)
            rounds = int(params.get("length", 1)) if primitive.control else 1
            waiting += [(body, often * rounds) for body in _bodies(params)]
    return total


def _bodies(params: Mapping[str, Any]) -> list[Program]:
    """The Programs among the params of an equation."""
    lists = [one if isinstance(one, tuple) else (one,) for one in params.values()]
    return [one for ones in lists for one in ones if isinstance(one, Program)]


@dataclass(frozen=True)
class Roofline:
    """A training step on one thread, kernel by kernel.

    Attributes:
        kernels: in the order in which they run.
        ceilings: what one thread reaches at most.
        compile_seconds: how long compiling took.
        arena_bytes: memory that the step works on.
    """

    kernels: tuple[KernelCount, ...]
    ceilings: Ceilings
    compile_seconds: float
    arena_bytes: int

    @property
    def step_seconds(self) -> float:
        """How long a step takes."""
        return sum(kernel.seconds for kernel in self.kernels)

    def ceiling(self, kernel: KernelCount) -> tuple[str, float]:
        """What bounds a kernel, and which share of that ceiling it reaches.

        ``arithmetic``: its operations take longer than reading its memory would; ``memory``: the
        other way round; ``neither``: it stays so far below both that something else holds it
        back, such as functions like exp, or its size.
        """
        rate = self.ceilings.bytes_per_second(kernel.size_bytes)
        arithmetic = kernel.flops / self.ceilings.flops_per_second
        memory = kernel.calls * kernel.size_bytes / rate
        share = max(arithmetic, memory) / max(kernel.seconds, 1e-12)
        if share < _FAR_BELOW:
            return "neither", share
        return ("arithmetic" if arithmetic >= memory else "memory"), share

    def shares(self) -> dict[str, float]:
        """Which share of the time goes to kernels with each bound."""
        found = dict.fromkeys(("arithmetic", "memory", "neither"), 0.0)
        for kernel in self.kernels:
            found[self.ceiling(kernel)[0]] += kernel.seconds / self.step_seconds
        return found

    def text(self, most: int = 12) -> str:
        """A table of the kernels that take the most time.

        Args:
            most: how many are shown; the others share a line.
        """
        order = sorted(self.kernels, key=lambda kernel: -kernel.seconds)
        shown, others = order[:most], order[most:]
        rows = [self._row(kernel) for kernel in shown]
        if others:
            share = sum(kernel.seconds for kernel in others) / self.step_seconds
            micro = 1e6 * sum(kernel.seconds for kernel in others)
            rows.append([
                f"{len(others)} others",
                "",
                "",
                _digits(micro),
                f"{share:.1%}",
                *[""] * 5,
            ])
        header = (
            "kernel", "largest array", "calls", "us", "share", "flop", "GFLOP/s", "GB/s", "ceiling",
            "bound by",
        )  # fmt: skip
        return table(rows, header=header, right="llrrrrrrrl")

    def _row(self, kernel: KernelCount) -> list[str]:
        bound, share = self.ceiling(kernel)
        seconds = max(kernel.seconds, 1e-12)
        touched = kernel.calls * kernel.size_bytes
        return [
            kernel.label,
            kernel.shape,
            str(kernel.calls),
            _digits(1e6 * kernel.seconds),
            f"{kernel.seconds / self.step_seconds:.1%}",
            scaled_text(kernel.flops),
            f"{kernel.flops / seconds / 1e9:,.1f}",
            f"{touched / seconds / 1e9:,.1f}",
            f"{share:.0%}",
            bound,
        ]


def training_roofline(
    model: Model, x: Array, y: Any, batch_size: int, tell: Tell | None = None
) -> Roofline:
    """Count the cycles of each kernel of the model's training step, on one thread.

    The model itself is not trained by it.

    Args:
        model: compiled.
        x: samples.
        y: their targets.
        batch_size: samples of a step; all samples if there are fewer.
        tell: is told what is going on.

    Example:
        >>> import clearprop as cp, numpy as np
        >>> from clearprop.glass.roofline import training_roofline
        >>> model = cp.Sequential([cp.layers.Dense(4, "tanh"), cp.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> roofline = training_roofline(model, np.ones((8, 2), "f"), np.ones((8, 1), "f"), 4)
        >>> print(roofline.text())
        kernel ...
    """
    from clearprop.executors.native.counting import CountedLoop  # with llvmlite: when needed
    from clearprop.executors.native.peak import measure_ceilings

    tell = tell or (lambda text: None)
    tell("tracing the training step")
    traced = _Traced(model, x, y, batch_size)
    tell("compiling it with counters")
    loop = CountedLoop(traced.step.body, traced.step.carry_count)
    tell("measuring what the machine can do")
    before = measure_ceilings(threads=1)
    tell("counting the cycles of each kernel")
    counts = loop.count(traced.arrays(1))
    taken = sum(kernel.seconds for kernel in counts)
    for _ in range(2):  # the first run has cold caches; the second says how many steps fit
        steps = max(1, min(round(_COUNTED_SECONDS / max(taken, 1e-7)), 1 << 16))
        counts = loop.count(traced.arrays(steps))
        taken = sum(kernel.seconds for kernel in counts)
    ceilings = before.best_with(measure_ceilings(threads=1))
    return Roofline(tuple(counts), ceilings, loop.compile_seconds, loop.arena_bytes)


class _Traced:
    """A training step, and numbers to run it with."""

    def __init__(self, model: Model, x: Array, y: Any, batch_size: int) -> None:
        samples, setup = prepared_samples(model, x, y, None, None, doing="fit")
        self.batch_size = min(batch_size, samples.count)
        before = setup.optimizer.state
        try:
            setup.optimizer.state = setup.optimizer.initial_state(model.trainable_weights)
            self.step: Step = training_step(model, setup, samples, self.batch_size)
            self._samples, self._carry = samples, _first_carry(model, setup)
        finally:
            setup.optimizer.state = before  # as a training that has begun left it
        self._numbers = list(setup.hyperparameters().values())

    def arrays(self, steps: int) -> list[Array]:
        """The inputs of so many steps on shuffled samples."""
        rng = np.random.default_rng(0)
        wanted = steps * self.batch_size
        times = -(-wanted // self._samples.count)
        order = np.concatenate([rng.permutation(self._samples.count) for _ in range(times)])
        rows = order[:wanted].reshape(steps, self.batch_size)
        return [*self._carry, rows, words(0), *self._numbers, *self._samples.arrays]


def _first_carry(model: Model, setup: Setup) -> list[Array]:
    weights = [*model.trainable_weights, *model.non_trainable_variables]
    slots: Sequence[Array] = list(setup.optimizer.state.values())
    metrics = list(setup.first_metric_state().values())
    return [*(weight.array for weight in weights), *slots, words(0), *metrics]


def scaled_text(number: float) -> str:
    """A number with the letter of its scale: ``462 M``, ``1.28 k``."""
    for scale, letter in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")):
        if number >= scale:
            return f"{number / scale:.3g}{letter}"
    return f"{number:.3g}"


def _digits(number: float) -> str:
    """At least one digit behind the point, and two of small numbers."""
    return f"{number:,.1f}" if number >= 10 else f"{number:.2f}"


def ceilings_text(ceilings: Ceilings) -> str:
    """What a number of threads reach at most, in lines."""
    count = "1 thread" if ceilings.threads == 1 else f"{ceilings.threads} threads"
    reads = ", ".join(f"{bytes_text(size)}: {rate / 1e9:.0f}" for size, rate in ceilings.read_rates)
    return (
        f"{count}: multiply-adds {ceilings.flops_per_second / 1e9:,.1f} GFLOP/s; reading again "
        f"and again, GB/s from {reads}"
    )
