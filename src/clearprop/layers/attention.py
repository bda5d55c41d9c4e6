"""Attention with one head and without projections: what is like the query is read."""

from __future__ import annotations

from typing import Any, Unpack

from clearprop import activations, ops
from clearprop.dtypes import BOOL
from clearprop.errors import ArgumentError, ShapeError
from clearprop.ir.place import here
from clearprop.ir.value import Value
from clearprop.layers.attending import causal_mask
from clearprop.layers.checks import label, number_from
from clearprop.layers.dropout import Dropout, checked_seed
from clearprop.layers.layer import Layer
from clearprop.layers.options import LayerOptions
from clearprop.layers.weight import Weight
from clearprop.text import did_you_mean

_MODES = ("dot", "concat")
_AWAY = 1e9  # what masked scores lose: Keras's number


class Attention(Layer):
    """Values read by likeness: softmax(q k^T) v.

    Each query takes the mean of the values, weighted by how alike it is to their keys.

    Args:
        use_scale: whether the scores get a learned factor.
        score_mode: ``"dot"`` for q k^T, ``"concat"`` for w sum(tanh(q + k)).
        dropout: the probability that a query does not see a value, while training.
        seed: a whole number that the dropping follows from, in place of the model's seed.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        list of q: (batch, queries, dim), v: (batch, keys, width) and maybe
        k: (batch, keys, dim)  ->  (batch, queries, width); without k, v is k too

    Weights:
        scale: (), ones, with ``use_scale``.
        concat_score_weight: (), ones, with ``"concat"``.

    Reference:
        M.-T. Luong, H. Pham, C. D. Manning, "Effective approaches to attention-based neural
        machine translation", EMNLP (2015).

    Example:
        >>> import clearprop as cp, numpy as np
        >>> q, v = np.array([[[99.0, 0.0]]]), np.array([[[99.0, 0.0], [0.0, 99.0]]])
        >>> cp.layers.Attention()([q, v]).tolist()
        [[[99.0, 0.0]]]
    """

    scale: Weight | None
    concat_score_weight: Weight | None

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        if score_mode not in _MODES:
            raise ArgumentError(
                f"{label(self)}: there is no such way to score",
                found=f"score_mode={score_mode!r}" + did_you_mean(str(score_mode), _MODES),
                needed='"dot" or "concat"',
                at=str(here()),
            )
        self.use_scale, self.score_mode = use_scale, score_mode
        self.dropout = number_from(self, "dropout", dropout, below=1.0)
        self.seed = checked_seed(self, seed)
        self._dropping = Dropout(self.dropout, seed=seed)

    def build(self, input_shape: Any) -> None:
        """Make the factors of the scores."""
        self.scale = self.concat_score_weight = None
        if self.use_scale:
            self.scale = self.add_weight((), "ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """The values that each query reads; with the shares of each value if they are wanted."""
        query, value, key = self._query_value_key(inputs)
        query_mask, value_mask = (None, None) if mask is None else (mask[0], mask[1])
        scores = self._scores(query, key)
        allowed: Any = None if value_mask is None else ops.expand_dims(_bool(value_mask), -2)
        if use_causal_mask:
            causal = causal_mask(*scores.shape[-2:])
            allowed = causal if allowed is None else ops.logical_and(allowed, causal)
        if allowed is not None:
            scores = ops.where(allowed, scores, ops.subtract(scores, _AWAY))
        found = activations.softmax(scores)
        outputs = ops.matmul(self._dropping(found, training=training), value)
        if query_mask is not None:
            outputs = ops.where(ops.expand_dims(_bool(query_mask), -1), outputs, 0.0)
        return (outputs, found) if return_attention_scores else outputs

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        """That of the queries."""
        return mask[0] if mask else None

    def _scores(self, query: Value, key: Value) -> Value:
        """How alike each query and each key are.

        Shapes:
            query: (batch, queries, dim), key: (batch, keys, dim)  ->  (batch, queries, keys)
        """
        if self.concat_score_weight is None:
            scores = ops.matmul(query, ops.swapaxes(key, -2, -1))
            return scores if self.scale is None else ops.multiply(scores, self.scale)
        sums = every_sum(query, key)
        sums = sums if self.scale is None else ops.multiply(sums, self.scale)
        return ops.multiply(ops.sum(ops.tanh(sums), axis=-1), self.concat_score_weight)

    def _query_value_key(self, inputs: Any) -> tuple[Value, Value, Value]:
        if not isinstance(inputs, (list, tuple)) or len(inputs) not in {2, 3}:
            raise ArgumentError(
                f"{label(self)}: it is called on a list of queries, values and maybe keys",
                found=f"a list of {len(inputs)}" if isinstance(inputs, list) else "a single input",
                needed="[query, value] or [query, value, key]",
                try_=f"{type(self).__name__}()([x, x]) for attention of x to itself",
                at=str(here()),
            )
        query, value, key = inputs[0], inputs[1], inputs[-1]
        fits = (
            len(query.shape) == len(value.shape) == len(key.shape) >= 3
            and query.shape[:-2] == value.shape[:-2]
            and value.shape[:-1] == key.shape[:-1]
            and query.shape[-1] == key.shape[-1]
        )
        if not fits:
            raise ShapeError(
                f"{label(self)}: queries, values and keys do not fit together",
                found=" and ".join(str(x.type) for x in inputs),
                needed="(batch, queries, dim), (batch, keys, width) and (batch, keys, dim)",
                at=str(here()),
            )
        return query, value, key


class AdditiveAttention(Attention):
    """Values read by a learned likeness: softmax(sum(w tanh(q + k))) v.

    Args:
        use_scale: whether w is learned; else it is 1.
        dropout: the probability that a query does not see a value, while training.
        seed: a whole number that the dropping follows from, in place of the model's seed.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        list of q: (batch, queries, dim), v: (batch, keys, width) and maybe
        k: (batch, keys, dim)  ->  (batch, queries, width); without k, v is k too

    Weights:
        scale: (dim,), Glorot uniform, with ``use_scale``.

    Reference:
        D. Bahdanau, K. Cho, Y. Bengio, "Neural machine translation by jointly learning to align
        and translate", ICLR (2015).

    Example:
        >>> import clearprop as cp, numpy as np
        >>> q, v = np.zeros((2, 3, 4)), np.zeros((2, 5, 4))
        >>> cp.layers.AdditiveAttention()([q, v]).shape
        (2, 3, 4)
    """

    def __init__(
        self,
        use_scale: bool = True,
        dropout: float = 0.0,
        seed: int | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(use_scale, "dot", dropout, seed, **options)

    def build(self, input_shape: Any) -> None:
        """Make w."""
        self.scale = None
        if self.use_scale:
            self.scale = self.add_weight((input_shape[0][-1],), name="scale")

    def _scores(self, query: Value, key: Value) -> Value:
        sums = ops.tanh(every_sum(query, key))
        return ops.sum(sums if self.scale is None else ops.multiply(sums, self.scale), axis=-1)


def every_sum(query: Value, key: Value) -> Value:
    """Each query plus each key.

    Shapes:
        query: (batch, queries, dim), key: (batch, keys, dim)  ->  (batch, queries, keys, dim)
    """
    return ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3))


def _bool(mask: Value) -> Value:
    return mask if mask.dtype == BOOL else ops.cast(mask, BOOL)
