"""Learning rates that change with the number of the step: ``cp.optimizers.schedules``.

A schedule is a formula of the step's number, so training carries the number and nothing else.
All are computed in float64.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from clearprop import ops
from clearprop.dtypes import F64
from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.ir.value import Value
from clearprop.ops.lift import ArrayLike
from clearprop.registry import Configurable

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "Warmup",
]

_ROUNDING = 1e-9  # what a quotient of logarithms may fall short of a whole number


class LearningRateSchedule(Configurable, ABC):
    """A learning rate as a function of the number of steps done before.

    A subclass writes it with operations in ``rate``.

    Example:
        >>> import clearprop as cp
        >>> class Half(cp.optimizers.schedules.LearningRateSchedule):
        ...     def rate(self, step):
        ...         return 0.5 / (step + 1)
        >>> Half()(4).item()
        0.1
    """

    @abstractmethod
    def rate(self, step: Value) -> Value:
        """The learning rate after ``step`` steps.

        Shapes:
            step: f64 ()  ->  ()
        """

    def __call__(self, step: ArrayLike) -> Value:
        """The learning rate after ``step`` steps.

        Shapes:
            step: ()  ->  f64 ()
        """
        return ops.cast(self.rate(ops.cast(step, F64)), F64)


class ExponentialDecay(LearningRateSchedule):
    """initial * decay_rate^(step / decay_steps).

    Args:
        initial_learning_rate: where it starts.
        decay_steps: after so many steps it is multiplied by ``decay_rate``.
        decay_rate: the factor.
        staircase: whether it changes only at every ``decay_steps``-th step.
        name: what it is called.

    Example:
        >>> import clearprop as cp
        >>> cp.optimizers.schedules.ExponentialDecay(1.0, decay_steps=10, decay_rate=0.5)(20).item()
        0.25
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(self, "decay_steps", decay_steps)
        self.decay_rate, self.staircase, self.name = decay_rate, staircase, name

    def rate(self, step: Value) -> Value:
        """The learning rate.

        Shapes:
            step: ()  ->  ()
        """
        time = ops.divide(step, self.decay_steps)
        time = ops.floor(time) if self.staircase else time
        return ops.multiply(self.initial_learning_rate, ops.power(self.decay_rate, time))


class InverseTimeDecay(LearningRateSchedule):
    """initial / (1 + decay_rate * step / decay_steps).

    Args:
        initial_learning_rate: where it starts.
        decay_steps: the unit of time.
        decay_rate: how fast it falls.
        staircase: whether it changes only at every ``decay_steps``-th step.
        name: what it is called.

    Example:
        >>> import clearprop as cp
        >>> cp.optimizers.schedules.InverseTimeDecay(1.0, decay_steps=10, decay_rate=1.0)(30).item()
        0.25
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(self, "decay_steps", decay_steps)
        self.decay_rate, self.staircase, self.name = decay_rate, staircase, name

    def rate(self, step: Value) -> Value:
        """The learning rate.

        Shapes:
            step: ()  ->  ()
        """
        time = ops.divide(step, self.decay_steps)
        time = ops.floor(time) if self.staircase else time
        return ops.divide(
            self.initial_learning_rate, ops.add(1.0, ops.multiply(self.decay_rate, time))
        )


class PiecewiseConstantDecay(LearningRateSchedule):
    """One value up to and with each boundary, the last one after all.

    Args:
        boundaries: numbers of steps, rising.
        values: one more than boundaries.
        name: what it is called.

    Example:
        >>> from clearprop.optimizers.schedules import PiecewiseConstantDecay
        >>> schedule = PiecewiseConstantDecay([100, 200], [0.5, 0.25, 0.125])
        >>> [schedule(step).item() for step in (0, 100, 101, 1000)]
        [0.5, 0.5, 0.25, 0.125]
    """

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        name: str = "PiecewiseConstant",
    ) -> None:
        if len(values) != len(boundaries) + 1:
            raise ArgumentError(
                "PiecewiseConstantDecay: there must be one value more than boundaries",
                found=f"{len(boundaries)} boundaries and {len(values)} values",
                needed=f"{len(boundaries) + 1} values",
                at=str(here()),
            )
        if list(boundaries) != sorted(set(boundaries)):
            raise ArgumentError(
                "PiecewiseConstantDecay: the boundaries must rise",
                found=f"boundaries={list(boundaries)}",
                needed="for example [100, 200]",
                at=str(here()),
            )
        self.boundaries, self.values, self.name = list(boundaries), list(values), name

    def rate(self, step: Value) -> Value:
        """The learning rate.

        Shapes:
            step: ()  ->  ()
        """
        rate = _number(self.values[0])
        for boundary, value in zip(self.boundaries, self.values[1:], strict=True):
            rate = ops.where(ops.greater(step, boundary), _number(value), rate)
        return rate


class PolynomialDecay(LearningRateSchedule):
    """(initial - end) * (1 - step / decay_steps)^power + end, and ``end`` after decay_steps.

    Args:
        initial_learning_rate: where it starts.
        decay_steps: how long it falls.
        end_learning_rate: where it ends.
        power: 1 is a straight line.
        cycle: whether it starts again with a longer ``decay_steps`` (twice, three times, ... as
            long) instead of staying at the end.
        name: what it is called.

    Example:
        >>> import clearprop as cp
        >>> cp.optimizers.schedules.PolynomialDecay(1.0, 10, end_learning_rate=0.0)(5).item()
        0.5
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(self, "decay_steps", decay_steps)
        self.end_learning_rate, self.power = end_learning_rate, power
        self.cycle, self.name = cycle, name

    def rate(self, step: Value) -> Value:
        """The learning rate.

        Shapes:
            step: ()  ->  ()
        """
        time = ops.divide(step, self.decay_steps)
        if self.cycle:
            done = ops.divide(time, ops.maximum(ops.ceil(time), 1.0))
        else:
            done = ops.minimum(time, 1.0)
        fall = self.initial_learning_rate - self.end_learning_rate
        left = ops.power(ops.subtract(1.0, done), self.power)
        return ops.add(ops.multiply(fall, left), self.end_learning_rate)


class CosineDecay(LearningRateSchedule):
    """Half a period of a cosine, from the initial rate down to ``alpha`` times it.

    initial * ((1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2 + alpha).  With a
    ``warmup_target`` the rate first rises in a straight line to it, and falls from there.

    Args:
        initial_learning_rate: where it starts.
        decay_steps: how long it falls (after the rise).
        alpha: what remains, as a fraction.
        name: what it is called.
        warmup_target: where it rises to, or None.
        warmup_steps: how long it rises.

    Reference:
        I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR
        (2017).

    Example:
        >>> from clearprop.optimizers.schedules import CosineDecay
        >>> schedule = CosineDecay(0.0, 100, warmup_target=1.0, warmup_steps=10)
        >>> [round(schedule(step).item(), 6) for step in (0, 5, 10, 60, 110)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(self, "decay_steps", decay_steps)
        self.alpha, self.name = alpha, name
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps

    def rate(self, step: Value) -> Value:
        """The learning rate.

        Shapes:
            step: ()  ->  ()
        """
        if self.warmup_target is None or not self.warmup_steps:
            top = self.initial_learning_rate if self.warmup_target is None else self.warmup_target
            return self._decayed(step, top)
        return _after_rise(
            step,
            self.warmup_steps,
            self.initial_learning_rate,
            _number(self.warmup_target),
            self._decayed(ops.subtract(step, self.warmup_steps), self.warmup_target),
        )

    def _decayed(self, step: Value, top: float) -> Value:
        done = ops.minimum(ops.divide(step, self.decay_steps), 1.0)
        return ops.multiply(top, _half_cosine(done, self.alpha))


class CosineDecayRestarts(LearningRateSchedule):
    """Cosine decays one after the other, each longer and lower than the one before.

    Args:
        initial_learning_rate: where the first one starts.
        first_decay_steps: how long the first one is.
        t_mul: how many times longer the next one is.
        m_mul: how many times higher the next one starts.
        alpha: what remains at the end of the first one, as a fraction.
        name: what it is called.

    Reference:
        I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR
        (2017).

    Example:
        >>> import clearprop as cp
        >>> schedule = cp.optimizers.schedules.CosineDecayRestarts(1.0, 10)
        >>> [round(schedule(step).item(), 6) for step in (0, 5, 10, 20, 30)]
        [1.0, 0.5, 1.0, 0.5, 1.0]
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = _positive(self, "first_decay_steps", first_decay_steps)
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name

    def rate(self, step: Value) -> Value:
        """The learning rate.

        Shapes:
            step: ()  ->  ()
        """
        time = ops.divide(step, self.first_decay_steps)
        if self.t_mul == 1:
            restarts = ops.floor(time)
            done = ops.subtract(time, restarts)
        else:
            # n decays take 1 + t + ... + t^(n - 1) = (t^n - 1) / (t - 1) times the first one.
            growth = self.t_mul - 1
            power = ops.divide(
                ops.log(ops.add(1.0, ops.multiply(growth, time))), math.log(self.t_mul)
            )
            restarts = ops.floor(ops.add(power, _ROUNDING))
            length = ops.power(self.t_mul, restarts)
            before = ops.divide(ops.subtract(length, 1.0), growth)
            done = ops.divide(ops.subtract(time, before), length)
        # As in Keras, alpha is a floor under all decays: m_mul scales only what stands above it.
        height = ops.power(self.m_mul, restarts)
        half = ops.multiply(height, _half_cosine(done, 0.0))
        share = ops.add(ops.multiply(1 - self.alpha, half), self.alpha)
        return ops.multiply(self.initial_learning_rate, share)


class Warmup(LearningRateSchedule):
    """A straight rise, then another schedule or a fixed rate.

    Args:
        learning_rate: what follows, counted from the end of the rise.
        warmup_steps: how long it rises to the first rate of what follows.
        initial_learning_rate: where the rise starts.
        name: what it is called.

    Reference:
        P. Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour" (2017).

    Example:
        >>> import clearprop as cp
        >>> schedule = cp.optimizers.schedules.Warmup(0.5, warmup_steps=10)
        >>> [schedule(step).item() for step in (0, 5, 10, 99)]
        [0.0, 0.25, 0.5, 0.5]
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule,
        warmup_steps: int,
        initial_learning_rate: float = 0.0,
        name: str = "Warmup",
    ) -> None:
        self.learning_rate, self.name = learning_rate, name
        self.warmup_steps = _positive(self, "warmup_steps", warmup_steps)
        self.initial_learning_rate = initial_learning_rate

    def rate(self, step: Value) -> Value:
        """The learning rate.

        Shapes:
            step: ()  ->  ()
        """
        if isinstance(self.learning_rate, LearningRateSchedule):
            target = self.learning_rate(0)
            after = self.learning_rate(ops.maximum(ops.subtract(step, self.warmup_steps), 0.0))
        else:
            target = after = _number(self.learning_rate)
        return _after_rise(step, self.warmup_steps, self.initial_learning_rate, target, after)


def _after_rise(step: Value, steps: float, start: float, target: Value, after: Value) -> Value:
    done = ops.divide(step, steps)
    rising = ops.add(start, ops.multiply(ops.subtract(target, start), done))
    return ops.where(ops.less(done, 1.0), rising, after)


def _number(value: float) -> Value:
    """A Python number in float64: alone it would be of ``settings.dtype``."""
    return ops.cast(np.float64(value), F64)


def _half_cosine(done: Value, alpha: float) -> Value:
    """From 1 at ``done`` = 0 to alpha at 1."""
    cosine = ops.add(0.5, ops.multiply(0.5, ops.cos(ops.multiply(math.pi, done))))
    return ops.add(ops.multiply(1 - alpha, cosine), alpha)


def _positive(schedule: LearningRateSchedule, name: str, value: float) -> float:
    if not value > 0:
        raise ArgumentError(
            f"{type(schedule).__name__}: {name} is a positive number of steps",
            found=f"{name}={value!r}",
            needed="1 or more",
            at=str(here()),
        )
    return value
