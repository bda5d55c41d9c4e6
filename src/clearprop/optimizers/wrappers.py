"""Optimizers made of optimizers: one that scales the loss, one that divides the work."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from functools import reduce
from typing import TypeVar

import numpy as np

from clearprop import ops
from clearprop.dtypes import F32, I64
from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.ir.value import Array, Value
from clearprop.optimizers.arguments import LearningRate
from clearprop.optimizers.optimizer import Optimizer, State, path_of
from clearprop.optimizers.rule import RuleOptimizer
from clearprop.registry import Configurable
from clearprop.tensor.parameter import Parameter

T = TypeVar("T")

_INNER = "inner."  # before the names of the inner optimizer's state


class LossScaleOptimizer(Optimizer):
    """Another optimizer, with the loss multiplied by as large a number as goes well.

    The gradients are divided by it.  If one of them is not finite, the step is left out and the
    number is halved; after ``dynamic_growth_steps`` good steps in a row it is doubled.

    Args:
        inner_optimizer: the optimizer that does the steps.
        initial_scale: the first number.
        dynamic_growth_steps: after so many good steps it is doubled.
        name: what it is called.

    Reference:
        P. Micikevicius et al., "Mixed precision training", ICLR (2018).
    """

    def __init__(
        self,
        inner_optimizer: RuleOptimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(inner_optimizer, RuleOptimizer):
            raise ArgumentError(
                "LossScaleOptimizer: there is no optimizer inside",
                found=f"{inner_optimizer!r}"[:80],
                needed="for example cp.optimizers.Adam()",
                at=str(here()),
            )
        inner_optimizer.loss_scale_factor = None  # or gradients would be divided twice
        self.inner_optimizer = inner_optimizer
        self.initial_scale, self.dynamic_growth_steps = initial_scale, dynamic_growth_steps
        self.name = name or type(self).__name__.lower()

    @property
    def learning_rate(self) -> LearningRate:
        """The inner optimizer's."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: LearningRate) -> None:
        self.inner_optimizer.learning_rate = value

    def hyperparameters(self) -> dict[str, float]:
        """The inner optimizer's."""
        return self.inner_optimizer.hyperparameters()

    def structure(self) -> Hashable:
        """What the formulas of a step depend on besides data."""
        return (type(self), self.dynamic_growth_steps, self.inner_optimizer.structure())

    def initial_state(self, parameters: Sequence[Parameter]) -> State:
        """The state before the first step."""
        inner = self.inner_optimizer.initial_state(parameters)
        return {
            "iterations": np.asarray(0, I64),
            "good_steps": np.asarray(0, I64),
            "scale": np.asarray(self.initial_scale, F32),
            **{_INNER + name: array for name, array in inner.items()},
        }

    def scale_loss(self, loss: Value, state: Mapping[str, Value]) -> Value:
        """The loss times the present scale.

        Shapes:
            loss: ()  ->  ()
        """
        return ops.multiply(loss, ops.cast(state["scale"], loss.dtype))

    def final_weights(
        self,
        weights: Sequence[Array],
        state: Mapping[str, Array],
        parameters: Sequence[Parameter] = (),
    ) -> list[Array]:
        """Those of the inner optimizer.

        Shapes:
            weights: S each  ->  S each
        """
        return self.inner_optimizer.final_weights(weights, _inside(state, _INNER), parameters)

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
        scale, inner = state["scale"], _inside(state, _INNER)
        finite = [ops.all(ops.isfinite(g)) for g in gradients if g is not None]
        goes_well = reduce(ops.logical_and, finite) if finite else ops.equal(scale, scale)
        factor = ops.reciprocal(scale)
        unscaled = [
            None if g is None else ops.multiply(g, ops.cast(factor, g.dtype)) for g in gradients
        ]
        new_weights, new_inner = self.inner_optimizer.update(
            weights, unscaled, inner, hyper, parameters
        )
        good_steps = ops.add(state["good_steps"], 1)
        grows = ops.equal(good_steps, self.dynamic_growth_steps)
        good_scale = ops.multiply(scale, ops.where(grows, 2.0, 1.0))
        new_state = {
            "iterations": ops.add(state["iterations"], 1),
            "good_steps": ops.where(
                ops.logical_and(goes_well, ops.logical_not(grows)), good_steps, 0
            ),
            "scale": ops.where(goes_well, good_scale, ops.multiply(scale, 0.5)),
        }
        for name, value in new_inner.items():
            new_state[_INNER + name] = ops.where(goes_well, value, inner[name])
        chosen = [
            ops.where(goes_well, new, old) for new, old in zip(new_weights, weights, strict=True)
        ]
        return chosen, new_state


class OptimizerMap(Configurable):
    """Which optimizer is for which weights.

    Args:
        default_optimizer: for the weights that no pattern names.
        optimizer_map: patterns of whole paths, and their optimizers.

    Example:
        >>> import clearprop as cp
        >>> optimizers = cp.optimizers.OptimizerMap(
        ...     cp.optimizers.Adam(), {"encoder/.*": cp.optimizers.SGD()}
        ... )
        >>> optimizers["encoder/kernel"].name, optimizers["decoder/kernel"].name
        ('sgd', 'adam')
    """

    def __init__(
        self,
        default_optimizer: RuleOptimizer,
        optimizer_map: Mapping[str, RuleOptimizer] | None = None,
    ) -> None:
        for optimizer in (default_optimizer, *(optimizer_map or {}).values()):
            if not isinstance(optimizer, RuleOptimizer):
                raise ArgumentError(
                    "OptimizerMap: this is no optimizer for a part of the weights",
                    found=f"{optimizer!r}"[:80],
                    needed="for example cp.optimizers.Adam()",
                    at=str(here()),
                )
        self.default_optimizer = default_optimizer
        self.optimizer_map = dict(optimizer_map or {})

    def __getitem__(self, path: str) -> RuleOptimizer:
        if path in self.optimizer_map:
            return self.optimizer_map[path]
        found = [pattern for pattern in self.optimizer_map if re.fullmatch(pattern, path)]
        if len(found) > 1:
            raise ArgumentError(
                f"OptimizerMap: several patterns name the weight {path!r}",
                found=", ".join(found),
                needed="one",
                at=str(here()),
            )
        return self.optimizer_map[found[0]] if found else self.default_optimizer

    def __setitem__(self, pattern: str, optimizer: RuleOptimizer) -> None:
        self.optimizer_map[pattern] = optimizer

    @property
    def optimizers(self) -> list[RuleOptimizer]:
        """All of them, each once, the default one last."""
        found = {id(one): one for one in self.optimizer_map.values()}
        found.setdefault(id(self.default_optimizer), self.default_optimizer)
        return list(found.values())


class MultiOptimizer(Optimizer):
    """Several optimizers, each for its part of the weights.

    Args:
        optimizer_map: which optimizer is for which weights.
        loss_scale_factor: goes to all of them.
        name: what it is called.

    Example:
        >>> import clearprop as cp
        >>> slow, fast = cp.optimizers.SGD(0.25), cp.optimizers.SGD(0.5)
        >>> both = cp.optimizers.MultiOptimizer(cp.optimizers.OptimizerMap(slow, {"b.*": fast}))
        >>> a, b = cp.parameter([1.0], name="a"), cp.parameter([1.0], name="b")
        >>> both.apply([[1.0], [1.0]], [a, b])
        >>> a.tolist(), b.tolist()
        ([0.75], [0.5])
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap,
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__()
        self.optimizer_map, self.loss_scale_factor = optimizer_map, loss_scale_factor
        for optimizer in optimizer_map.optimizers:
            optimizer.loss_scale_factor = loss_scale_factor
        self.name = name or type(self).__name__.lower()

    @property
    def optimizers(self) -> list[RuleOptimizer]:
        """The optimizers inside."""
        return self.optimizer_map.optimizers

    def hyperparameters(self) -> dict[str, float]:
        """Those of all, after the number of the optimizer: ``0.learning_rate``."""
        return {
            f"{number}.{name}": value
            for number, optimizer in enumerate(self.optimizers)
            for name, value in optimizer.hyperparameters().items()
        }

    def structure(self) -> Hashable:
        """What the formulas of a step depend on besides data."""
        patterns = tuple(self.optimizer_map.optimizer_map)
        return (type(self), patterns, tuple(one.structure() for one in self.optimizers))

    def initial_state(self, parameters: Sequence[Parameter]) -> State:
        """The states of all, after the number of the optimizer: ``0.momentum/3``."""
        state: State = {"iterations": np.asarray(0, I64)}
        for number, (optimizer, indices) in enumerate(self._parts(parameters)):
            part = optimizer.initial_state([parameters[index] for index in indices])
            state |= {f"{number}.{name}": array for name, array in part.items()}
        return state

    def _parts(self, parameters: Sequence[Parameter]) -> list[tuple[RuleOptimizer, list[int]]]:
        chosen = [self.optimizer_map[path_of(parameter)] for parameter in parameters]
        return [
            (optimizer, [index for index, one in enumerate(chosen) if one is optimizer])
            for optimizer in self.optimizers
        ]

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
        """The moving averages of those optimizers that keep them.

        Shapes:
            weights: S each  ->  S each
        """
        final = list(weights)
        for number, (optimizer, indices) in enumerate(self._parts(parameters)):
            part = [weights[index] for index in indices]
            averages = optimizer.final_weights(part, _inside(state, f"{number}."))
            for index, average in zip(indices, averages, strict=True):
                final[index] = average
        return final

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
        for number, (optimizer, indices) in enumerate(self._parts(parameters)):
            part_weights, part_state = optimizer.update(
                [weights[index] for index in indices],
                [gradients[index] for index in indices],
                _inside(state, f"{number}."),
                _inside(hyper, f"{number}."),
                [parameters[index] for index in indices],
            )
            for index, weight in zip(indices, part_weights, strict=True):
                new_weights[index] = weight
            new_state |= {f"{number}.{name}": value for name, value in part_state.items()}
        new_state["iterations"] = ops.add(state["iterations"], 1)
        return new_weights, new_state


def _inside(state: Mapping[str, T], prefix: str) -> dict[str, T]:
    return {
        name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)
    }
