"""Attention with several heads, each of which looks for something else."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from typing import Any, Unpack

from clearprop import initializers, ops, regularizers
from clearprop.errors import ArgumentError, ShapeError
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.ir.value import Value
from clearprop.layers.attending import causal_mask, shares, who_may_look, window_mask
from clearprop.layers.checks import (
    BuildShape,
    axes_of,
    known_lengths,
    label,
    number_from,
    positive_integer,
)
from clearprop.layers.dropout import Dropout, checked_seed
from clearprop.layers.einsum_dense import EinsumDense
from clearprop.layers.layer import Layer
from clearprop.layers.options import LayerOptions

_LETTERS = string.ascii_letters


class _HeadedAttention(Layer):
    """What both kinds of several-headed attention share: all but the names of their arguments."""

    supports_masking = True

    query_dense: EinsumDense
    key_dense: EinsumDense
    gate_dense: EinsumDense | None
    value_dense: EinsumDense
    output_dense: EinsumDense

    # Heads of the queries and of the keys; lengths of a head's keys and of its values.
    _heads: tuple[int, int]
    _lengths: tuple[int, int]
    output_shape: int | Sequence[int] | None = None
    attention_axes: int | Sequence[int] | None = None

    def __init__(
        self,
        dropout: float,
        use_bias: bool,
        sliding_window: int | None,
        draws_and_penalties: Sequence[Any],
        use_gate: bool,
        seed: int | None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.dropout = number_from(self, "dropout", dropout, below=1.0)
        self.use_bias, self.use_gate = use_bias, use_gate
        self.sliding_window = sliding_window
        if sliding_window is not None:
            self.sliding_window = positive_integer(self, "sliding_window", sliding_window)
        kernel, bias, kernel_penalty, bias_penalty, penalty = draws_and_penalties
        self.kernel_initializer = initializers.get(kernel)
        self.bias_initializer = initializers.get(bias)
        self.kernel_regularizer = regularizers.get(kernel_penalty)
        self.bias_regularizer = regularizers.get(bias_penalty)
        self.activity_regularizer = regularizers.get(penalty)
        self.seed = checked_seed(self, seed)
        self._dropping = Dropout(self.dropout, seed=seed)

    def __call__(  # type: ignore[override]
        self, query: Any, value: Any, key: Any = None, **kwargs: Any
    ) -> Any:
        """What the queries read.

        Args:
            query: what looks.
            value: what is read.
            key: what is compared with the queries; the values by default.
            **kwargs: ``query_mask``, ``value_mask``, ``key_mask``: bool (batch, steps), by default
                those of the inputs; ``attention_mask``: bool (batch, queries, keys), True where a
                query may look at a key; ``return_attention_scores``: whether the share that each
                key got is returned too; ``use_causal_mask``: whether only keys that are not
                later than the query are seen; ``training``.

        Shapes:
            query: (batch, queries, features), value and key: (batch, keys, features)
            ->  (batch, queries, features); shares: (batch, heads, queries, keys)
        """
        inputs = (query, value) if key is None else (query, value, key)
        return super().__call__(*inputs, **kwargs)

    # -- weights ----------------------------------------------------------------

    def build(
        self, query_shape: BuildShape, value_shape: BuildShape, key_shape: Any = None
    ) -> None:
        """Make the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        self._check_shapes(query_shape, value_shape, key_shape)
        rank = len(query_shape)
        (heads, key_heads), (key_dim, value_dim) = self._heads, self._lengths
        self.query_dense = self._projection("query", rank, 1, (heads, key_dim))
        self.query_dense.build(query_shape)
        self.key_dense = self._projection("key", rank, 1, (key_heads, key_dim))
        self.key_dense.build(key_shape)
        self.gate_dense = None
        if self.use_gate:
            self.gate_dense = self._projection("gate", rank, 1, (heads, value_dim), "sigmoid")
            self.gate_dense.build(query_shape)
        self.value_dense = self._projection("value", rank, 1, (key_heads, value_dim))
        self.value_dense.build(value_shape)
        made = self.output_shape or known_lengths(self, query_shape, (-1,))
        made = (made,) if isinstance(made, int) else tuple(made)
        self.output_dense = self._projection("attention_output", rank + 1, 2, made)
        self.output_dense.build((*query_shape[:-1], heads, value_dim))

    def _projection(
        self, name: str, rank: int, summed: int, made: Sequence[int], activation: Any = None
    ) -> EinsumDense:
        """A dense layer from the last ``summed`` of ``rank`` axes to axes of lengths ``made``."""
        letters, new = _LETTERS[:rank], _LETTERS[rank : rank + len(made)]
        kept, gone = letters[: rank - summed], letters[rank - summed :]
        return EinsumDense(
            f"{letters},{gone}{new}->{kept}{new}",
            (*[None] * (len(kept) - 1), *made),
            activation,
            new if self.use_bias else None,
            self.kernel_initializer,
            self.bias_initializer,
            self.kernel_regularizer,
            self.bias_regularizer,
            self.activity_regularizer,
            name=name,
            dtype=self.dtype,
        )

    # -- computing --------------------------------------------------------------

    def call(
        self,
        query: Value,
        value: Value,
        key: Value | None = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """What the queries read; with the shares of the keys if they are wanted."""
        key = value if key is None else key
        axes = self._check_shapes(query.shape, value.shape, key.shape)
        masks = {"query_mask": query_mask, "value_mask": value_mask, "key_mask": key_mask}
        gate = None if self.gate_dense is None else self.gate_dense(query)
        score, combine = _equations(len(query.shape) + 1, axes)
        repeats = self._heads[0] // self._heads[1]
        keys, values = self.key_dense(key), self.value_dense(value)
        if repeats > 1:
            keys, values = (ops.repeat(x, repeats, axis=2) for x in (keys, values))
        queries = ops.multiply(self.query_dense(query), 1 / math.sqrt(self._lengths[0]))
        scores = ops.einsum(score, keys, queries)
        allowed = self._allowed(
            scores.shape, axes, masks, use_causal_mask, attention_mask=attention_mask
        )
        # Keras computes the plain case in one piece, which does not look for lonely queries.
        is_plain = not (self.dropout or return_attention_scores or len(query.shape) != 3)
        along = tuple(range(len(scores.shape) - len(axes), len(scores.shape)))
        found = shares(scores, allowed, along, zero_without_keys=not is_plain)
        read = ops.einsum(combine, self._dropping(found, training=training), values)
        outputs = self.output_dense(read if gate is None else ops.multiply(read, gate))
        return (outputs, found) if return_attention_scores else outputs

    def _check_shapes(
        self, query: BuildShape, value: BuildShape, key: BuildShape
    ) -> tuple[int, ...]:
        """The axes along which is looked.

        Raises:
            ShapeError: the inputs do not fit together.
        """
        rank = len(query)
        axes: tuple[int, ...] = tuple(range(1, rank - 1))
        if self.attention_axes is not None and rank >= 2:
            axes = axes_of(self, self.attention_axes, rank)
        others = [axis for axis in range(rank - 1) if axis not in axes]
        fits = rank >= 3 and len(value) == len(key) == rank and rank - 1 not in axes
        fits = fits and tuple(value[:-1]) == tuple(key[:-1])
        if fits and all(query[axis] == value[axis] for axis in others):
            return axes
        shapes = [tuple(shape) for shape in (query, value, key)]
        raise ShapeError(
            f"{label(self)}: queries, values and keys do not fit together",
            found=f"query {shapes[0]}, value {shapes[1]}, key {shapes[2]}",
            needed="(batch, queries, features), (batch, keys, features), (batch, keys, features)",
            try_="layer(x, x) for attention of x to itself",
            at=str(here()),
        )

    def _allowed(
        self,
        scores: Shape,
        axes: tuple[int, ...],
        masks: dict[str, Any],
        use_causal_mask: bool,
        attention_mask: Any,
    ) -> Value | None:
        """Which query may look at which key: one mask of all."""
        masks = {name: mask for name, mask in masks.items() if mask is not None}
        if axes != (1,) and (masks or use_causal_mask or self.sliding_window):
            raise ArgumentError(
                f"{label(self)}: only attention along axis 1 knows what comes before what",
                found=", ".join(masks) or "a causal mask or a sliding window",
                needed="attention_axes=None or 1, and inputs (batch, steps, features)",
                try_="attention_mask, with an axis for each axis of the queries and of the keys",
                at=str(here()),
            )
        for name, mask in masks.items():
            masks[name] = ops.expand_dims(mask, -1 if name == "query_mask" else -2)
        queries, keys = scores[-2:]
        if use_causal_mask:
            masks["the causal mask"] = causal_mask(queries, keys)
        if self.sliding_window:
            masks["the sliding window"] = window_mask(queries, keys, self.sliding_window)
        masks["attention_mask"] = attention_mask
        return who_may_look(self, scores, masks, len(axes))


def _equations(rank: int, axes: tuple[int, ...]) -> tuple[str, str]:
    """Index notation for scores = (keys, queries) and readings = (shares, values).

    Args:
        rank: number of axes of queries (batch, ..., heads, key_dim); keys have as many.
        axes: along which is looked.

    Example:
        >>> _equations(4, (1,))
        ('aecd,abcd->acbe', 'acbe,aecd->abcd')
    """
    queries, fresh = list(_LETTERS[:rank]), iter(_LETTERS[rank:])
    keys = [next(fresh) if axis in axes else letter for axis, letter in enumerate(queries)]
    together = [letter for axis, letter in enumerate(queries[:-1]) if axis not in axes]
    looking = [queries[axis] for axis in axes] + [keys[axis] for axis in axes]
    query, key, score = map("".join, (queries, keys, together + looking))
    return f"{key},{query}->{score}", f"{score},{key}->{query}"


class MultiHeadAttention(_HeadedAttention):
    """Attention with several heads: softmax(Q K^T / sqrt(key_dim)) V, each on its own projections.

    Called on queries and values: ``layer(x, x)`` is attention of x to itself.  Masks of the inputs
    are heeded, and the result has that of the queries.  A query that may look at nothing reads
    the mean of all values; 0 where shares are returned or dropped or there are several axes of
    attention (this is how Keras has it).

    Args:
        num_heads: number of heads.
        key_dim: length of each head's queries and keys.
        value_dim: length of each head's values; ``key_dim`` by default.
        dropout: the probability that a query does not see a value, while training.
        use_bias: whether the projections have biases.
        output_shape: lengths of the result's last axes; the features of the queries by default.
        attention_axes: along which axes is looked; by default all between batch and features.
        sliding_window: a query only sees keys less than so many steps away.
        kernel_initializer: draws the first kernels.
        bias_initializer: draws the first biases.
        kernel_regularizer: adds penalties on the kernels to the loss.
        bias_regularizer: adds penalties on the biases to the loss.
        activity_regularizer: adds penalties on what the projections give to the loss.
        use_gate: whether what the heads read passes gates that the queries open.
        seed: a whole number that the dropping follows from, in place of the model's seed.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        query: (batch, queries, a), value: (batch, keys, b), key: (batch, keys, c)
        ->  (batch, queries, a)

    Weights:
        query/kernel: (a, num_heads, key_dim), query/bias: (num_heads, key_dim).
        key/kernel: (c, num_heads, key_dim), key/bias: (num_heads, key_dim).
        gate/kernel: (a, num_heads, value_dim), gate/bias: (num_heads, value_dim), with
        ``use_gate``.
        value/kernel: (b, num_heads, value_dim), value/bias: (num_heads, value_dim).
        attention_output/kernel: (num_heads, value_dim, a), attention_output/bias: (a,).
        Kernels are Glorot uniform, biases zeros.

    Reference:
        A. Vaswani, N. Shazeer, N. Parmar, J. Uszkoreit, L. Jones, A. N. Gomez, L. Kaiser,
        I. Polosukhin, "Attention is all you need", NIPS (2017).

    Example:
        >>> import clearprop as cp, numpy as np
        >>> x = np.zeros((2, 10, 16))
        >>> cp.layers.MultiHeadAttention(num_heads=4, key_dim=8)(x, x, use_causal_mask=True).shape
        (2, 10, 16)
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None,
        attention_axes: int | Sequence[int] | None = None,
        sliding_window: int | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        chosen = (
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
        )
        super().__init__(dropout, use_bias, sliding_window, chosen, use_gate, seed, **options)
        self.num_heads = positive_integer(self, "num_heads", num_heads)
        self.key_dim = positive_integer(self, "key_dim", key_dim)
        self.value_dim = value_dim
        values = key_dim if value_dim is None else positive_integer(self, "value_dim", value_dim)
        self._heads, self._lengths = (self.num_heads, self.num_heads), (self.key_dim, values)
        self.output_shape, self.attention_axes = output_shape, attention_axes
        given = () if output_shape is None else output_shape
        for length in (given,) if isinstance(given, int) else given:
            positive_integer(self, "output_shape", length)


class GroupQueryAttention(_HeadedAttention):
    """Attention with several heads, groups of which share their keys and values.

    With one group it is multi-query attention, with as many groups as heads
    ``MultiHeadAttention``, which says what both have in common.

    Args:
        head_dim: length of each head's queries, keys and values.
        num_query_heads: number of heads.
        num_key_value_heads: number of groups, which divides the number of heads.
        dropout: the probability that a query does not see a value, while training.
        use_bias: whether the projections have biases.
        sliding_window: a query only sees keys less than so many steps away.
        kernel_initializer: draws the first kernels.
        bias_initializer: draws the first biases.
        kernel_regularizer: adds penalties on the kernels to the loss.
        bias_regularizer: adds penalties on the biases to the loss.
        activity_regularizer: adds penalties on what the projections give to the loss.
        use_gate: whether what the heads read passes gates that the queries open.
        seed: a whole number that the dropping follows from, in place of the model's seed.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        query: (batch, queries, a), value: (batch, keys, b), key: (batch, keys, c)
        ->  (batch, queries, a)

    Weights:
        As in ``MultiHeadAttention``, with ``num_key_value_heads`` in ``key`` and ``value``.

    Raises:
        ArgumentError: the groups do not divide the heads.

    Reference:
        J. Ainslie, J. Lee-Thorp, M. de Jong, Y. Zemlyanskiy, F. Lebron, S. Sanghai, "GQA: training
        generalized multi-query transformer models from multi-head checkpoints", EMNLP (2023).

    Example:
        >>> import clearprop as cp, numpy as np
        >>> x = np.zeros((2, 10, 16))
        >>> cp.layers.GroupQueryAttention(8, num_query_heads=4, num_key_value_heads=2)(x, x).shape
        (2, 10, 16)
    """

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        chosen = (
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
        )
        super().__init__(dropout, use_bias, sliding_window, chosen, use_gate, seed, **options)
        self.head_dim = positive_integer(self, "head_dim", head_dim)
        heads = positive_integer(self, "num_query_heads", num_query_heads)
        groups = positive_integer(self, "num_key_value_heads", num_key_value_heads)
        if heads % groups:
            raise ArgumentError(
                f"{label(self)}: each group has equally many heads",
                found=f"num_query_heads={heads}, num_key_value_heads={groups}",
                needed="a number of groups that divides the number of heads",
                at=str(here()),
            )
        self.num_query_heads, self.num_key_value_heads = heads, groups
        self._heads, self._lengths = (heads, groups), (self.head_dim, self.head_dim)
