"""Metrics that are means (or sums) of one number per sample."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from clearprop import ops
from clearprop.dtypes import F64
from clearprop.ir.types import Shape
from clearprop.ir.value import Array, Value
from clearprop.losses.loss import Loss
from clearprop.losses.reduction import safe_divide
from clearprop.losses.shapes import check_same_shape
from clearprop.metrics.metric import Metric, State, masked_weight, weight_for
from clearprop.ops.lift import ArrayLike, lift, lift_float


class Mean(Metric):
    """The weighted mean of numbers.

    Args:
        name: what histories call it.

    Shapes:
        values: (n, *S), sample_weight: the first axes of it  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.Mean()([1.0, 3.0, 8.0]))
        4.0
    """

    def __init__(self, name: str | None = "mean") -> None:
        super().__init__(name)

    def initial_state(self, output_shape: Shape | None = None) -> dict[str, Array]:
        """Nothing summed, nothing counted."""
        return {"total": np.zeros(()), "count": np.zeros(())}

    def update(  # type: ignore[override]
        self, state: State, values: ArrayLike, sample_weight: Any = None
    ) -> dict[str, Value]:
        """The state after some numbers.

        Shapes:
            values: (n, *S), sample_weight: the first axes of it  ->  (), ()
        """
        return with_values(self.name, state, lift(values)[0], sample_weight)

    def compute(self, state: State) -> Value:
        """The mean; 0 before the first number.

        Shapes:
            (), ()  ->  ()
        """
        return safe_divide(state["total"], state["count"])


class Sum(Metric):
    """The weighted sum of numbers.

    Args:
        name: what histories call it.

    Shapes:
        values: S, sample_weight: the first axes of S  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.Sum()([1.0, 3.0, 8.0]))
        12.0
    """

    def __init__(self, name: str | None = "sum") -> None:
        super().__init__(name)

    def initial_state(self, output_shape: Shape | None = None) -> dict[str, Array]:
        """Nothing summed."""
        return {"total": np.zeros(())}

    def update(  # type: ignore[override]
        self, state: State, values: ArrayLike, sample_weight: Any = None
    ) -> dict[str, Value]:
        """The state after some numbers.

        Shapes:
            values: S, sample_weight: the first axes of S  ->  ()
        """
        numbers = ops.cast(lift(values)[0], F64)
        weight = weight_for(self.name, sample_weight, numbers.shape)
        if weight is not None:
            numbers = ops.multiply(numbers, weight)
        return {"total": ops.add(state["total"], ops.sum(numbers))}

    def compute(self, state: State) -> Value:
        """The sum.

        Shapes:
            ()  ->  ()
        """
        return state["total"]


def with_values(
    metric: str, state: State, values: Value, sample_weight: ArrayLike | None
) -> dict[str, Value]:
    """The state of a mean after some numbers; a sample counts once, however many it has.

    Shapes:
        values: (n, *S), sample_weight: the first axes of it  ->  (), ()
    """
    numbers = ops.cast(values, F64)
    samples = values.shape[0] if values.shape else 1
    per_sample = float(max(math.prod(values.shape[1:]), 1))
    weight = weight_for(metric, sample_weight, values.shape)
    count: ArrayLike = float(samples)
    if weight is not None:
        numbers = ops.multiply(numbers, weight)
        count = ops.divide(ops.sum(weight), per_sample)
    total = ops.divide(ops.sum(numbers), per_sample)
    return {"total": ops.add(state["total"], total), "count": ops.add(state["count"], count)}


class MeanOf(Metric):
    """The mean of a function of targets and predictions, one number per sample.

    Shapes:
        y_true: S, y_pred: S  ->  ()

    Example:
        >>> import clearprop as cp
        >>> class Bias(cp.metrics.MeanOf):
        ...     def values(self, y_true, y_pred):
        ...         return cp.ops.mean(y_pred - y_true, axis=-1)
        >>> float(Bias()([[1.0], [2.0]], [[2.0], [5.0]]))
        2.0
    """

    @abstractmethod
    def values(self, y_true: Value, y_pred: Value) -> Value:
        """The numbers to take the mean of.

        Shapes:
            y_true: S, y_pred: S  ->  the samples, usually S without its last axis
        """

    def check_shapes(self, y_true: Shape, y_pred: Shape) -> None:
        """Refuse targets that do not fit the predictions; by default their shapes must be equal.

        Raises:
            ShapeError: they do not fit.
        """
        check_same_shape(self.name, y_true, y_pred)

    def counted(self, y_true: Value, values: Value) -> Value | None:
        """Whether each sample counts, for a metric that leaves some out; None where all do.

        Shapes:
            y_true: the targets, values: S  ->  bool S
        """
        return None

    def initial_state(self, output_shape: Shape | None = None) -> dict[str, Array]:
        """Nothing summed, nothing counted."""
        return {"total": np.zeros(()), "count": np.zeros(())}

    def update(
        self, state: State, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: Any = None
    ) -> dict[str, Value]:
        """The state after a batch.

        Shapes:
            y_true: S, y_pred: S, sample_weight: the first axes of S  ->  (), ()
        """
        target, prediction = lift(y_true)[0], lift_float(y_pred)
        self.check_shapes(target.shape, prediction.shape)
        values = self.values(target, prediction)
        counted = self.counted(target, values)
        if counted is not None:
            sample_weight = masked_weight(sample_weight, counted)
        return with_values(self.name, state, values, sample_weight)

    def compute(self, state: State) -> Value:
        """The mean; 0 before the first batch.

        Shapes:
            (), ()  ->  ()
        """
        return safe_divide(state["total"], state["count"])


class FunctionMean(MeanOf):
    """A mean whose ``values`` are a function's; it hands its own arguments on.

    Shapes:
        y_true: S, y_pred: S  ->  ()

    Example:
        >>> import clearprop as cp
        >>> cp.metrics.MeanSquaredError().function is cp.losses.mean_squared_error
        True
    """

    @staticmethod
    @abstractmethod
    def function(*args: Any, **kwargs: Any) -> Value:
        """The numbers to take the mean of."""

    def values(self, y_true: Value, y_pred: Value) -> Value:
        """The numbers to take the mean of.

        Shapes:
            y_true: S, y_pred: S  ->  the samples, usually S without its last axis
        """
        config = self.get_config()
        return self.function(
            y_true, y_pred, **{key: config[key] for key in config if key != "name"}
        )


class MeanMetricWrapper(MeanOf):
    """The mean of a function of yours.

    Args:
        fn: takes y_true, y_pred and ``kwargs``, returns one number per sample; or a Loss.
        name: by default the function's.
        kwargs: handed on to the function.

    Shapes:
        y_true: S, y_pred: S  ->  ()

    Example:
        >>> import clearprop as cp
        >>> def bias(y_true, y_pred):
        ...     return cp.ops.mean(y_pred - y_true, axis=-1)
        >>> float(cp.metrics.MeanMetricWrapper(bias)([[1.0]], [[3.0]]))
        2.0
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, **kwargs: Any) -> None:
        given = fn.name if isinstance(fn, Loss) else getattr(fn, "__name__", None)
        super().__init__(name or given)
        self.fn, self.kwargs = fn, kwargs

    def check_shapes(self, y_true: Shape, y_pred: Shape) -> None:
        """Leave it to a Loss to say what fits; a function gets whatever there is.

        Raises:
            ShapeError: the Loss refuses the shapes.
        """
        if isinstance(self.fn, Loss):
            self.fn.check_shapes(y_true, y_pred)

    def counted(self, y_true: Value, values: Value) -> Value | None:
        """Whether each sample counts, where a Loss leaves some out.

        Shapes:
            y_true: the targets, values: S  ->  bool S
        """
        return self.fn.counted(y_true, values) if isinstance(self.fn, Loss) else None

    def values(self, y_true: Value, y_pred: Value) -> Value:
        """The numbers to take the mean of.

        Shapes:
            y_true: S, y_pred: S  ->  what the function returns
        """
        function = self.fn.call if isinstance(self.fn, Loss) else self.fn
        return lift(function(y_true, y_pred, **self.kwargs))[0]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments by name."""
        return super().get_config() | self.kwargs
