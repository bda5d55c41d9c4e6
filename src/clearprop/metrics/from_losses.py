"""Losses as metrics: their means over all samples."""

from __future__ import annotations

from clearprop.ir.types import Shape
from clearprop.ir.value import Value
from clearprop.losses.binary import binary_crossentropy
from clearprop.losses.categorical import categorical_crossentropy, kl_divergence
from clearprop.losses.counts import poisson
from clearprop.losses.distances import (
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
)
from clearprop.losses.hinges import categorical_hinge, hinge, squared_hinge
from clearprop.losses.shapes import check_index_shape
from clearprop.losses.sparse import sparse_categorical_crossentropy, without_ignored
from clearprop.losses.squares import mean_squared_error, mean_squared_logarithmic_error
from clearprop.metrics.mean import FunctionMean


class MeanSquaredError(FunctionMean):
    """The mean of (y - p)^2.

    Args:
        name: what histories call it.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.MeanSquaredError()([[0.0], [1.0]], [[3.0], [2.0]]))
        5.0
    """

    direction = "down"
    function = staticmethod(mean_squared_error)

    def __init__(self, name: str | None = "mean_squared_error") -> None:
        super().__init__(name)


class MeanAbsoluteError(FunctionMean):
    """The mean of |y - p|.

    Args:
        name: what histories call it.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.MeanAbsoluteError()([[0.0], [1.0]], [[3.0], [2.0]]))
        2.0
    """

    direction = "down"
    function = staticmethod(mean_absolute_error)

    def __init__(self, name: str | None = "mean_absolute_error") -> None:
        super().__init__(name)


class MeanAbsolutePercentageError(FunctionMean):
    """100 times the mean of |y - p| / |y|.

    Args:
        name: what histories call it.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.MeanAbsolutePercentageError()([[2.0], [4.0]], [[3.0], [4.0]]))
        25.0
    """

    direction = "down"
    function = staticmethod(mean_absolute_percentage_error)

    def __init__(self, name: str | None = "mean_absolute_percentage_error") -> None:
        super().__init__(name)


class MeanSquaredLogarithmicError(FunctionMean):
    """The mean of (log(1 + y) - log(1 + p))^2.

    Args:
        name: what histories call it.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.MeanSquaredLogarithmicError()([[1.0]], [[1.0]]))
        0.0
    """

    direction = "down"
    function = staticmethod(mean_squared_logarithmic_error)

    def __init__(self, name: str | None = "mean_squared_logarithmic_error") -> None:
        super().__init__(name)


class LogCoshError(FunctionMean):
    """The mean of log(cosh(y - p)).

    Args:
        name: what histories call it.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> round(float(cp.metrics.LogCoshError()([[0.0]], [[1.0]])), 4)
        0.4338
    """

    direction = "down"
    function = staticmethod(log_cosh)

    def __init__(self, name: str | None = "logcosh") -> None:
        super().__init__(name)


class Poisson(FunctionMean):
    """The mean of p - y log p, where p is an expected count.

    Args:
        name: what histories call it.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> round(float(cp.metrics.Poisson()([[0.0, 2.0]], [[3.0, 1.0]])), 4)
        2.0
    """

    direction = "down"
    function = staticmethod(poisson)

    def __init__(self, name: str | None = "poisson") -> None:
        super().__init__(name)


class KLDivergence(FunctionMean):
    """The sum of y log(y / p) over the classes.

    Args:
        name: what histories call it.

    Shapes:
        y_true: (*S, classes), y_pred: (*S, classes)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> round(float(cp.metrics.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])), 4)
        0.1438
    """

    direction = "down"
    function = staticmethod(kl_divergence)

    def __init__(self, name: str | None = "kl_divergence") -> None:
        super().__init__(name)


class Hinge(FunctionMean):
    """The mean of max(1 - y p, 0), for labels -1 and 1; 0 and 1 alone count as -1 and 1.

    Args:
        name: what histories call it.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.Hinge()([[-1.0], [1.0]], [[0.5], [3.0]]))
        0.75
    """

    direction = "down"
    function = staticmethod(hinge)

    def __init__(self, name: str | None = "hinge") -> None:
        super().__init__(name)


class SquaredHinge(FunctionMean):
    """The mean of max(1 - y p, 0)^2, for labels -1 and 1; 0 and 1 alone count as -1 and 1.

    Args:
        name: what histories call it.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.SquaredHinge()([[-1.0], [1.0]], [[1.0], [3.0]]))
        2.0
    """

    direction = "down"
    function = staticmethod(squared_hinge)

    def __init__(self, name: str | None = "squared_hinge") -> None:
        super().__init__(name)


class CategoricalHinge(FunctionMean):
    """max(n - s + 1, 0): s the right class's score, n the largest of the others.

    Args:
        name: what histories call it.

    Shapes:
        y_true: (*S, classes), y_pred: (*S, classes)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> float(cp.metrics.CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]]))
        0.75
    """

    direction = "down"
    function = staticmethod(categorical_hinge)

    def __init__(self, name: str | None = "categorical_hinge") -> None:
        super().__init__(name)


class BinaryCrossentropy(FunctionMean):
    """The mean of -(y log p + (1 - y) log(1 - p)).

    Args:
        name: what histories call it.
        from_logits: whether the model ends without a sigmoid.
        label_smoothing: labels 0 and 1 become half of this, and 1 minus half of this.

    Shapes:
        y_true: (*S, outputs), y_pred: (*S, outputs)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> round(float(cp.metrics.BinaryCrossentropy()([[1.0]], [[0.5]])), 4)
        0.6931
    """

    direction = "down"
    function = staticmethod(binary_crossentropy)

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(name)
        self.from_logits, self.label_smoothing = from_logits, label_smoothing


class CategoricalCrossentropy(FunctionMean):
    """The sum of -y log p over the classes, for one-hot labels.

    Args:
        name: what histories call it.
        from_logits: whether the model ends without a softmax.
        label_smoothing: the share of each label that goes to all classes alike.
        axis: along which the classes lie.

    Shapes:
        y_true: (*S, classes), y_pred: (*S, classes)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> round(float(cp.metrics.CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.6931
    """

    direction = "down"
    function = staticmethod(categorical_crossentropy)

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(name)
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis


class SparseCategoricalCrossentropy(FunctionMean):
    """-log of the probability of the right class, for class numbers.

    Args:
        name: what histories call it.
        from_logits: whether the model ends without a softmax.
        ignore_class: a label whose samples do not count.
        axis: along which the classes lie.

    Shapes:
        y_true: S or (*S, 1), y_pred: (*S, classes)  ->  ()

    Example:
        >>> import clearprop as cp
        >>> round(float(cp.metrics.SparseCategoricalCrossentropy()([1], [[0.5, 0.5]])), 4)
        0.6931
    """

    direction = "down"
    function = staticmethod(sparse_categorical_crossentropy)

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(name)
        self.from_logits, self.ignore_class, self.axis = from_logits, ignore_class, axis

    def check_shapes(self, y_true: Shape, y_pred: Shape) -> None:
        """Refuse labels that are not one class number for each row of predictions.

        Raises:
            ShapeError: they do not fit.
        """
        check_index_shape(self.name, y_true, y_pred, self.axis)

    def counted(self, y_true: Value, values: Value) -> Value | None:
        """Whether a sample has another label than the ignored one.

        Shapes:
            y_true: S or (*S, 1), values: S  ->  bool S
        """
        return without_ignored(y_true, values.shape, self.ignore_class)
