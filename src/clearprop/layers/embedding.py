"""Words, categories and other whole numbers as vectors."""

from __future__ import annotations

from typing import Any, Unpack

from clearprop import initializers, ops, primitives, regularizers
from clearprop.dtypes import is_integer
from clearprop.errors import DTypeError
from clearprop.ir.place import here
from clearprop.ir.value import Value
from clearprop.layers.checks import label, positive_integer
from clearprop.layers.layer import Layer
from clearprop.layers.options import LayerOptions
from clearprop.layers.weight import Weight
from clearprop.ops.lift import lift


class Embedding(Layer):
    """A table of vectors, read at whole numbers.

    Args:
        input_dim: number of vectors: indices are 0 to ``input_dim - 1``.
        output_dim: length of each vector.
        embeddings_initializer: draws the first vectors.
        embeddings_regularizer: adds a penalty on the table to the loss.
        mask_zero: whether index 0 only fills sequences up: it is masked.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        indices: I of whole numbers  ->  (*I, output_dim)

    Weights:
        embeddings: (input_dim, output_dim), uniform from -0.05 to 0.05.

    Raises:
        DTypeError: the indices are no whole numbers.
        LabelError: an index is not in the table (when the numbers are computed).

    Example:
        >>> import clearprop as cp
        >>> cp.layers.Embedding(100, 4)([[3, 1, 3]]).shape
        (1, 3, 4)
    """

    embeddings: Weight

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        mask_zero: bool = False,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.input_dim = positive_integer(self, "input_dim", input_dim)
        self.output_dim = positive_integer(self, "output_dim", output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.mask_zero = mask_zero

    def build(self, input_shape: Any = None) -> None:
        """Make the table."""
        self.embeddings = self.add_weight(
            (self.input_dim, self.output_dim),
            self.embeddings_initializer,
            name="embeddings",
            regularizer=self.embeddings_regularizer,
        )

    def call(self, inputs: Value) -> Value:
        """The vectors at the indices."""
        if not is_integer(inputs.dtype):
            raise DTypeError(
                f"{label(self)}: the places in a table are whole numbers",
                found=f"indices: {inputs.type}",
                needed=f"whole numbers from 0 to {self.input_dim - 1}",
                try_='x.astype("int32"), or Input(shape, dtype="int32") in a model',
                at=str(here()),
            )
        # The primitive itself: unlike `ops.take` it does not count from the end.
        table, indices = lift(self.embeddings, inputs)
        return primitives.gather(table, indices, axis=0)

    def compute_mask(self, inputs: Value, mask: Any) -> Value | None:
        """Where the index is not 0, with ``mask_zero``."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None
