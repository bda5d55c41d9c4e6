"""The base of all losses: shapes are checked, samples weighted, losses reduced."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from clearprop import ops
from clearprop.ir.types import Shape
from clearprop.ir.value import Array, Value
from clearprop.losses.labels import check_labels
from clearprop.losses.reduction import fitted_weight, known_reduction, reduced_loss
from clearprop.losses.shapes import check_same_shape
from clearprop.ops.lift import ArrayLike, lift, lift_float
from clearprop.registry import Configurable
from clearprop.text import snake_case

DEFAULT_REDUCTION = "sum_over_batch_size"


class Loss(Configurable, ABC):
    """How wrong predictions are: a number that training makes small.

    A subclass defines ``call(y_true, y_pred)``, the loss of each sample.

    Args:
        name: by default the class's name in snake_case.
        reduction: what becomes of the samples' losses: ``"sum_over_batch_size"`` or ``"mean"``
            (their weighted sum divided by their number), ``"mean_with_sample_weight"`` (divided
            by the sum of the weights), ``"sum"``, or ``"none"`` or None (all of them).

    Attributes:
        label_kind: what the targets are: ``"index"`` (class numbers), ``"one_hot"``, ``"binary"``
            (0 to 1), ``"hinge"`` (-1 or 1), ``"distribution"``, ``"nonnegative"``,
            ``"regression"``, ``"sequence"``, ``"identity"``, or ``"any"`` (nothing is checked).

    Shapes:
        y_true: S, y_pred: S  ->  ()

    Example:
        >>> import clearprop as cp
        >>> class Largest(cp.losses.Loss):
        ...     def call(self, y_true, y_pred):
        ...         return cp.ops.max(cp.ops.abs(y_true - y_pred), axis=-1)
        >>> float(Largest()([[1.0, 2.0]], [[1.5, 4.0]]))
        2.0
    """

    label_kind = "any"

    def __init__(self, name: str | None = None, reduction: str | None = DEFAULT_REDUCTION) -> None:
        self.name = name or snake_case(type(self).__name__)
        self.reduction = known_reduction(type(self).__name__, reduction)

    @abstractmethod
    def call(self, y_true: Value, y_pred: Value) -> Value:
        """The loss of each sample.

        Shapes:
            y_true: S, y_pred: S  ->  the samples, usually S without its last axis
        """

    def __call__(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
        mask: ArrayLike | None = None,
    ) -> Value:
        """The loss of a batch.

        Args:
            y_true: the targets.
            y_pred: the predictions.
            sample_weight: how much each sample counts.
            mask: whether each sample counts at all.

        Shapes:
            y_true: S, y_pred: S, sample_weight and mask: the first axes of the losses  ->  ()

        Raises:
            ShapeError: the shapes differ; nothing is broadcast silently.
        """
        target, prediction = lift(y_true)[0], lift_float(y_pred)
        self.check_shapes(target.shape, prediction.shape)
        losses = self.call(target, prediction)
        weight = None if sample_weight is None else lift(sample_weight)[0]
        return reduced_loss(
            self.name, losses, weight, self._joined_mask(mask, target, losses), self.reduction
        )

    def check_shapes(self, y_true: Shape, y_pred: Shape) -> None:
        """Refuse targets that do not fit the predictions; by default their shapes must be equal.

        Raises:
            ShapeError: they do not fit.
        """
        check_same_shape(self.name, y_true, y_pred)

    def check_labels(self, y: Array, output_shape: Shape) -> None:
        """Refuse targets that this loss cannot work with, before anything runs.

        Args:
            y: all targets.
            output_shape: shape of the predictions, with the batch (whose length may be None).

        Raises:
            LabelError: it names the index, the value and the range that is needed.
        """
        check_labels(self.label_kind, self.name, y, output_shape, self._options())

    def counted(self, y_true: Value, losses: Value) -> Value | None:
        """Whether each sample counts, for a loss that leaves some out; None where all do.

        Shapes:
            y_true: the targets, losses: S  ->  bool S
        """
        return None

    def _options(self) -> dict[str, Any]:
        """What the loss was told besides its name and reduction."""
        config = self.get_config()
        return {key: config[key] for key in config if key not in {"name", "reduction", "fn"}}

    def _joined_mask(self, mask: ArrayLike | None, y_true: Value, losses: Value) -> Value | None:
        from_outside = None if mask is None else lift(mask)[0]
        own = self.counted(y_true, losses)
        if from_outside is None or own is None:
            return own if from_outside is None else from_outside
        outside = fitted_weight(self.name, from_outside, losses.shape, "the mask")
        return ops.logical_and(own, outside)

    def __repr__(self) -> str:
        parameters = inspect.signature(type(self).__init__).parameters
        changed = [
            f"{key}={value!r}"
            for key, value in self.get_config().items()
            if key not in parameters or parameters[key].default != value
        ]
        return f"{type(self).__name__}({', '.join(changed)})"


class FunctionLoss(Loss):
    """A loss whose ``call`` is a function; it hands its own arguments on.

    Shapes:
        y_true: S, y_pred: S  ->  ()

    Example:
        >>> import clearprop as cp
        >>> cp.losses.Huber(delta=2.0).function is cp.losses.huber
        True
    """

    @staticmethod
    @abstractmethod
    def function(*args: Any, **kwargs: Any) -> Value:
        """The loss of each sample."""

    def call(self, y_true: Value, y_pred: Value) -> Value:
        """The loss of each sample.

        Shapes:
            y_true: S, y_pred: S  ->  the samples, usually S without its last axis
        """
        return self.function(y_true, y_pred, **self._options())


class LossFunctionWrapper(Loss):
    """A loss made of a function of yours.

    Args:
        fn: takes y_true, y_pred and ``kwargs``, returns the loss of each sample.
        reduction: as for every Loss.
        name: by default the function's.
        kwargs: handed on to the function.

    Shapes:
        y_true: S, y_pred: S  ->  ()

    Example:
        >>> import clearprop as cp
        >>> def cubed(y_true, y_pred):
        ...     return cp.ops.mean(cp.ops.abs(y_true - y_pred) ** 3, axis=-1)
        >>> float(cp.losses.LossFunctionWrapper(cubed)([[1.0]], [[3.0]]))
        8.0
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = DEFAULT_REDUCTION,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", None), reduction)
        self.fn, self.kwargs = fn, kwargs

    def call(self, y_true: Value, y_pred: Value) -> Value:
        """The loss of each sample.

        Shapes:
            y_true: S, y_pred: S  ->  what the function returns
        """
        return lift(self.fn(y_true, y_pred, **self.kwargs))[0]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments by name."""
        return super().get_config() | self.kwargs
