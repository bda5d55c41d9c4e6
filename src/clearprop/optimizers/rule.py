"""Optimizers that apply one rule to each weight, and what they all do besides.

One step, in this order: undo loss scaling, gather the gradients of several steps, clip, decay the
weights, apply the rule, average the weights.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np

from clearprop import ops
from clearprop.dtypes import F64, I64, DType
from clearprop.ir.value import Array, Value
from clearprop.optimizers.arguments import CommonArguments
from clearprop.optimizers.clipping import clip_to_global_norm, clip_to_norm, clip_to_value
from clearprop.optimizers.optimizer import State
from clearprop.optimizers.schedules import LearningRateSchedule
from clearprop.tensor.parameter import Parameter

Slots = dict[str, Value]


class Shared:
    """Single numbers that all weights of a step use, in each weight's own element type."""

    def __init__(self, numbers: Mapping[str, Value], dtype: DType) -> None:
        self._numbers, self._dtype = numbers, dtype
        self._cast: dict[str, Value] = {}

    def __getitem__(self, name: str) -> Value:
        if name not in self._cast:
            self._cast[name] = ops.cast(self._numbers[name], self._dtype)
        return self._cast[name]


class RuleOptimizer(CommonArguments):
    """An optimizer with one rule for every weight.

    A subclass defines ``rule``, and if needed ``slots`` (what is kept for each weight) and
    ``prepare`` (numbers that all weights share).

    Args:
        learning_rate: a number, or a schedule.
        weight_decay: each step first multiplies the weights by 1 - learning_rate * weight_decay.
        clipnorm: makes each gradient at most so long.
        clipvalue: makes each element of a gradient at most so large.
        global_clipnorm: makes all gradients together at most so long.
        use_ema: whether a moving average of the weights is kept, which training ends with.
        ema_momentum: how much of the old average stays at each step.
        ema_overwrite_frequency: after every so many steps the weights become the average.
        loss_scale_factor: what the loss is multiplied by, and the gradients are divided by.
        gradient_accumulation_steps: the mean gradient of so many steps is applied at the last.
        name: what it is called.

    Example:
        >>> import clearprop as cp
        >>> from clearprop import ops
        >>> class Signs(cp.optimizers.RuleOptimizer):
        ...     def rule(self, weight, gradient, slots, shared):
        ...         step = ops.multiply(ops.sign(gradient), shared["learning_rate"])
        ...         return ops.subtract(weight, step), {}
        >>> w = cp.parameter([1.0, 2.0])
        >>> Signs(0.5).apply([[3.0, -4.0]], [w])
        >>> w.tolist()
        [0.5, 2.5]
    """

    # -- what a subclass defines ---------------------------------------------------

    def slots(self, parameter: Parameter) -> dict[str, Array]:
        """First numbers of what is kept for a weight from step to step."""
        return {}

    def prepare(self, numbers: dict[str, Value]) -> dict[str, Value]:
        """Numbers that all weights of a step share, computed from others, in float64.

        Args:
            numbers: ``count`` (1 in the first step), ``learning_rate``, the carried arguments,
                and what ``whole_state`` holds (return it changed, under the same name).

        Shapes:
            () each  ->  () each
        """
        return {}

    def whole_state(self) -> dict[str, float]:
        """First values of single numbers that are kept from step to step for all weights."""
        return {}

    @abstractmethod
    def rule(
        self, weight: Value, gradient: Value, slots: Slots, shared: Shared
    ) -> tuple[Value, Slots]:
        """The new weight and its new slots.

        Shapes:
            weight, gradient: S  ->  S
        """

    # -- the contract ------------------------------------------------------------------

    def initial_state(self, parameters: Sequence[Parameter]) -> State:
        """The state before the first step."""
        state: State = {"iterations": np.asarray(0, I64)}
        for name, number in self.whole_state().items():
            state[name] = np.asarray(number, F64)
        for index, parameter in enumerate(parameters):
            slots = self.slots(parameter)
            if self.gradient_accumulation_steps:
                slots["gathered_gradient"] = zeros(parameter)
            if self.use_ema:
                slots["average"] = zeros(parameter)
            state |= {f"{name}/{index}": array for name, array in slots.items()}
        return state

    def scale_loss(self, loss: Value, state: Mapping[str, Value]) -> Value:
        """The loss times ``loss_scale_factor``.

        Shapes:
            loss: ()  ->  ()
        """
        factor = self.loss_scale_factor
        return loss if factor is None else ops.multiply(loss, float(factor))

    def final_weights(
        self,
        weights: Sequence[Array],
        state: Mapping[str, Array],
        parameters: Sequence[Parameter] = (),
    ) -> list[Array]:
        """The moving averages, if they are kept, or else the weights.

        Shapes:
            weights: S each  ->  S each
        """
        if not self.use_ema:
            return list(weights)
        return [state[f"average/{index}"] for index in range(len(weights))]

    def update(
        self,
        weights: Sequence[Value],
        gradients: Sequence[Value | None],
        state: Mapping[str, Value],
        hyper: Mapping[str, Value],
        parameters: Sequence[Parameter] = (),
    ) -> tuple[list[Value], dict[str, Value]]:
        """New weights and new state.

        Shapes:
            weights, gradients: S each  ->  weights of shape S each
        """
        new_weights, new_state = list(weights), dict(state)
        used = [index for index, gradient in enumerate(gradients) if gradient is not None]
        wanted = [gradient for gradient in gradients if gradient is not None]
        if self.loss_scale_factor is not None:
            wanted = [ops.multiply(g, 1 / float(self.loss_scale_factor)) for g in wanted]
        applies, wanted = self._gather(used, wanted, state, new_state)
        numbers = self._numbers(state, hyper)
        by_dtype: dict[DType, Shared] = {}
        slots_of = _slots_by_weight(state)
        for index, gradient in zip(used, self._clipped(wanted, hyper), strict=True):
            weight = weights[index]
            shared = by_dtype.setdefault(weight.dtype, Shared(numbers, weight.dtype))
            old = slots_of.get(index, {})
            decayed = self._decayed(weight, old, shared, parameters[index] if parameters else None)
            new, slots = self.rule(decayed, ops.cast(gradient, weight.dtype), old, shared)
            new_weights[index] = _chosen(applies, new, weight)
            for name, value in slots.items():
                new_state[f"{name}/{index}"] = _chosen(applies, value, old[name])
        for name in self.whole_state():
            new_state[name] = _chosen(applies, numbers[name], state[name])
        if self.use_ema:
            self._average(new_weights, state, new_state)
        new_state["iterations"] = ops.add(state["iterations"], 1)
        return new_weights, new_state

    # -- parts of a step -----------------------------------------------------------------

    def _steps_done(self, state: Mapping[str, Value]) -> Value:
        steps = self.gradient_accumulation_steps
        return ops.floor_divide(state["iterations"], steps) if steps else state["iterations"]

    def _gather(
        self,
        used: Sequence[int],
        gradients: list[Value],
        state: Mapping[str, Value],
        new_state: dict[str, Value],
    ) -> tuple[Value | None, list[Value]]:
        """Whether this step applies gradients (None: always), and the gradients that it applies."""
        steps = self.gradient_accumulation_steps
        if not steps:
            return None, gradients
        last = ops.equal(ops.remainder(ops.add(state["iterations"], 1), steps), 0)
        means = []
        for index, gradient in zip(used, gradients, strict=True):
            name = f"gathered_gradient/{index}"
            total = ops.add(state[name], ops.cast(gradient, state[name].dtype))
            new_state[name] = ops.where(last, 0.0, total)
            means.append(ops.multiply(total, 1 / steps))
        return last, means

    def _numbers(self, state: Mapping[str, Value], hyper: Mapping[str, Value]) -> dict[str, Value]:
        numbers = {name: ops.cast(value, F64) for name, value in hyper.items()}
        numbers |= {name: state[name] for name in self.whole_state()}
        numbers["count"] = ops.add(ops.cast(self._steps_done(state), F64), 1.0)
        if isinstance(self.learning_rate, LearningRateSchedule):
            numbers["learning_rate"] = self.learning_rate(state["iterations"])
        for decay in self._decays():
            if decay in numbers:
                loss = ops.multiply(numbers["learning_rate"], numbers[decay])
                numbers[f"kept_by_{decay}"] = ops.subtract(1.0, loss)
        return numbers | self.prepare(numbers)

    def _decays(self) -> list[str]:
        return [name for name in ("weight_decay", *self.carried) if name.endswith("weight_decay")]

    def decay_for(self, slots: Slots) -> str:
        """The name of the argument that says how fast a weight with these slots decays."""
        return "weight_decay"

    def _decayed(
        self, weight: Value, slots: Slots, shared: Shared, parameter: Parameter | None
    ) -> Value:
        decay = self.decay_for(slots)
        if getattr(self, decay) is None or (parameter is not None and self.is_excluded(parameter)):
            return weight
        return ops.multiply(weight, shared[f"kept_by_{decay}"])

    def _clipped(self, gradients: Sequence[Value], hyper: Mapping[str, Value]) -> list[Value]:
        if "clipnorm" in hyper:
            return [clip_to_norm(gradient, hyper["clipnorm"]) for gradient in gradients]
        if "global_clipnorm" in hyper:
            return clip_to_global_norm(gradients, hyper["global_clipnorm"])
        if "clipvalue" in hyper:
            return [clip_to_value(gradient, hyper["clipvalue"]) for gradient in gradients]
        return list(gradients)

    def _average(
        self, weights: list[Value], state: Mapping[str, Value], new_state: dict[str, Value]
    ) -> None:
        """Average the weights, and now and then let them become the average."""
        done = self._steps_done(state)
        share = ops.where(ops.equal(done, 0), np.float64(1), np.float64(1 - self.ema_momentum))
        every = self.ema_overwrite_frequency
        overwrites = every and ops.equal(ops.remainder(ops.add(done, 1), every), 0)
        for index, weight in enumerate(weights):
            average = mixed(state[f"average/{index}"], weight, ops.cast(share, weight.dtype))
            new_state[f"average/{index}"] = average
            if isinstance(overwrites, Value):
                weights[index] = ops.where(overwrites, average, weight)


def mixed(old: Value, new: Value, share: Value | float) -> Value:
    """old + share * (new - old): a moving average that takes ``share`` of the new value.

    Shapes:
        old, new: S  ->  S
    """
    return ops.add(old, ops.multiply(ops.subtract(new, old), share))


def zeros(parameter: Parameter) -> Array:
    """Zeros of a parameter's shape and element type.

    Shapes:
        parameter: S  ->  S
    """
    return np.zeros(parameter.shape, parameter.dtype)


def _slots_by_weight(state: Mapping[str, Value]) -> dict[int, dict[str, Value]]:
    """For the index of each weight its slots by name."""
    found: dict[int, dict[str, Value]] = {}
    for path, value in state.items():
        name, _, index = path.rpartition("/")
        if name and index.isdecimal():
            found.setdefault(int(index), {})[name] = value
    return found


def _chosen(applies: Value | None, new: Value, old: Value) -> Value:
    return new if applies is None else ops.where(applies, new, old)
