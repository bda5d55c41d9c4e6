"""The base of all metrics: a state of fixed size, how a batch changes it, and what it says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from clearprop import ops
from clearprop.dtypes import F64
from clearprop.errors import ArgumentError
from clearprop.executors.reference import evaluate
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.ir.value import Array, Value
from clearprop.losses.reduction import fitted_weight
from clearprop.ops.lift import ArrayLike, lift
from clearprop.registry import Configurable
from clearprop.text import snake_case

State = Mapping[str, Value]


class Metric(Configurable, ABC):
    """A number that tells how good predictions are, gathered over batches.

    The pure part is what a compiled step carries along: ``initial_state``, ``update`` and
    ``compute``.  On top of it lies an object that remembers: ``update_state``, ``result`` and
    ``reset_state``.

    Args:
        name: what histories call it; by default the class's name in snake_case.

    Attributes:
        needs_all_predictions: whether it has to see all predictions at once.
        direction: ``"up"`` where more is better, ``"down"`` where less is, else "".

    Shapes:
        y_true: S, y_pred: S  ->  ()

    Example:
        >>> import clearprop as cp
        >>> metric = cp.metrics.MeanAbsoluteError()
        >>> metric.update_state([[0.0]], [[2.0]])
        >>> metric.update_state([[0.0]], [[4.0]])
        >>> float(metric.result())
        3.0
    """

    needs_all_predictions = False
    direction = ""

    def __init__(self, name: str | None = None) -> None:
        self.name = name or snake_case(type(self).__name__)
        self._state: dict[str, Array] | None = None

    # -- what subclasses define -------------------------------------------------

    @abstractmethod
    def initial_state(self, output_shape: Shape | None = None) -> dict[str, Array]:
        """The state before the first batch: counts and sums.

        Args:
            output_shape: shape of the predictions, with the batch; some need its last length.
        """

    @abstractmethod
    def update(
        self, state: State, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: Any = None
    ) -> dict[str, Value]:
        """The state after a batch.

        Shapes:
            y_true: S, y_pred: S, sample_weight: the first axes of S  ->  the state's shapes
        """

    @abstractmethod
    def compute(self, state: State) -> Value:
        """What the state says.

        Shapes:
            the state's  ->  (), or one number for each class or threshold
        """

    # -- the object that remembers ------------------------------------------------

    def update_state(self, *arrays: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Take a batch in: ``update_state(y_true, y_pred, sample_weight=None)``.

        Shapes:
            y_true: S, y_pred: S, sample_weight: the first axes of S
        """
        before = self._state
        if before is None:
            before = self.initial_state(lift(arrays[min(1, len(arrays) - 1)])[0].shape)
        state = {key: lift(array)[0] for key, array in before.items()}
        if sample_weight is not None:
            arrays = (*arrays, sample_weight)
        after = self.update(state, *arrays)
        self._state = dict(zip(after, evaluate(list(after.values())), strict=True))

    def result(self, state: State | None = None) -> Value:
        """What a state says; without one, what all batches since ``reset_state`` say.

        Shapes:
            the state's  ->  (), or one number for each class or threshold
        """
        if state is None:
            own = self.initial_state() if self._state is None else self._state
            state = {key: lift(array)[0] for key, array in own.items()}
        return self.compute(state)

    def reset_state(self) -> None:
        """Forget all batches."""
        self._state = None

    def __call__(self, *arrays: ArrayLike, sample_weight: ArrayLike | None = None) -> Value:
        """Take a batch in and say the result.

        Shapes:
            y_true: S, y_pred: S, sample_weight: the first axes of S  ->  ()
        """
        self.update_state(*arrays, sample_weight=sample_weight)
        return self.result()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


def weight_for(metric: str, sample_weight: ArrayLike | None, shape: Shape) -> Value | None:
    """A weight in f64 for each number of an array of this shape, or None.

    Shapes:
        sample_weight: the first axes of ``shape``  ->  ``shape``
    """
    if sample_weight is None:
        return None
    weight = ops.cast(lift(sample_weight)[0], F64)
    return fitted_weight(metric, weight, shape)


def masked_weight(sample_weight: ArrayLike | None, mask: ArrayLike) -> Value:
    """Weights for a metric's update: 0 where the mask says no.

    Shapes:
        sample_weight: the first axes of S, mask: bool S  ->  S

    Example:
        >>> masked_weight([2.0, 3.0], [[True, False], [True, True]]).tolist()
        [[2.0, 0.0], [3.0, 3.0]]
    """
    counts = ops.cast(lift(mask)[0], F64)
    weight = weight_for("A mask", sample_weight, counts.shape)
    return counts if weight is None else ops.multiply(weight, counts)


def last_length(metric: str, output_shape: Shape | None) -> int:
    """How many outputs there are.

    Raises:
        ArgumentError: the shape is not known.
    """
    if not output_shape:
        raise ArgumentError(
            f"{metric}: how much it must remember depends on the number of outputs",
            found=f"output_shape={output_shape}",
            needed="the shape of the predictions",
            try_="metric.update_state(y_true, y_pred) first, or initial_state(output_shape)",
            at=str(here()),
        )
    return output_shape[-1]
