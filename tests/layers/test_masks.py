"""Masks go with sequences through layers and models, and are never lost unnoticed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop import layers
from clearprop.errors import ArgumentError, ShapeError
from clearprop.functions import check_gradients
from clearprop.layers import Dense, Input, Layer, Masking
from clearprop.layers.masks import masks_of

X = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)
X[0, 2:] = X[1, 1] = 0
MASK = [[True, True, False, False], [True, False, True, True]]
OTHER = [[True, False, False, False], [False, True, True, True]]
WORDS = np.array([[3, 1, 0, 0], [2, 0, 1, 1]])


def line() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def mask_of(value: Any) -> Any:
    mask = masks_of(value)
    return None if mask is None else mask.tolist()


class OnEachStep(Layer):
    supports_masking = True

    def call(self, inputs: Any) -> Any:
        return inputs * 2


class Nothing(Layer):
    """Gives its input itself, and ends the mask."""

    def call(self, inputs: Any) -> Any:
        return inputs

    def compute_mask(self, inputs: Any, mask: Any) -> None:
        return None


class Counting(Layer):
    """How many steps count."""

    def call(self, inputs: Any, mask: Any = None) -> Any:
        return cp.sum(cp.ops.cast(mask, "float32"), axis=1)


# -- where masks come from --------------------------------------------------------------------


def test_masking_marks_steps_by_a_number() -> None:
    masked = Masking()(X)
    assert mask_of(masked) == MASK
    np.testing.assert_array_equal(masked.numpy(), X)
    filled = np.where(X == 0, -7, X)
    other = Masking(-7.0)(filled)
    assert mask_of(other) == MASK
    np.testing.assert_array_equal(other.numpy(), X)


def test_an_embedding_masks_index_0_if_it_is_told_to() -> None:
    assert mask_of(layers.Embedding(5, 3, mask_zero=True)(WORDS)) == MASK
    assert mask_of(layers.Embedding(5, 3)(WORDS)) is None


def test_a_mask_can_be_given_by_name() -> None:
    assert mask_of(Dense(2)(X, mask=MASK)) == MASK
    assert mask_of(Dense(2)(X, mask=np.array(MASK, np.int32))) == MASK
    masked = Masking()(X)
    assert mask_of(Dense(2)(masked, mask=OTHER)) == OTHER
    assert mask_of(masked) == MASK  # the input keeps its own
    np.testing.assert_array_equal(Counting()(X, mask=OTHER).numpy(), [1, 3])


def test_operations_end_a_mask() -> None:
    assert mask_of(Masking()(X) * 2) is None


# -- where they go ------------------------------------------------------------------------------

STEP_BY_STEP: list[Callable[[], Layer]] = [
    lambda: Dense(2), lambda: layers.Activation("relu"), layers.ReLU, layers.LeakyReLU,
    layers.PReLU, layers.ELU, lambda: layers.Dropout(0.5), lambda: layers.AlphaDropout(0.5),
    lambda: layers.SpatialDropout1D(0.5), lambda: layers.GaussianNoise(0.5),
    lambda: layers.GaussianDropout(0.5), lambda: layers.ActivityRegularization(0.1),
    layers.BatchNormalization, layers.LayerNormalization, layers.RMSNormalization,
    layers.UnitNormalization, lambda: layers.Normalization(mean=0.0, variance=1.0),
    lambda: layers.GroupNormalization(1), lambda: layers.Rescaling(2.0), layers.Identity,
    lambda: layers.TimeDistributed(Dense(2)), lambda: layers.Softmax(1), OnEachStep,
]  # fmt: skip
ENDING: list[Callable[[], Layer]] = [
    layers.GlobalAveragePooling1D, lambda: layers.LSTM(2), lambda: layers.GRU(2),
    lambda: layers.SimpleRNN(2), lambda: layers.Bidirectional(layers.GRU(2)), Counting, Nothing,
]  # fmt: skip
LOSING: list[Callable[[], Layer]] = [
    layers.Flatten, lambda: layers.Reshape((3, 4)), lambda: layers.Permute((2, 1)),
    layers.GlobalMaxPooling1D, lambda: layers.Conv1D(2, 2), layers.MaxPooling1D,
    layers.ZeroPadding1D, layers.UpSampling1D,
]  # fmt: skip


@pytest.mark.parametrize("make", STEP_BY_STEP)
@pytest.mark.parametrize("training", [False, True])
def test_layers_on_each_step_pass_the_mask(make: Callable[[], Layer], training: bool) -> None:
    masked = Masking()(X)
    assert mask_of(make()(masked, training=training)) == MASK
    assert mask_of(masked) == MASK
    assert mask_of(make()(X, training=training)) is None


@pytest.mark.parametrize("make", ENDING)
def test_layers_over_the_steps_end_the_mask(make: Callable[[], Layer]) -> None:
    masked = Masking()(X)
    assert mask_of(make()(masked)) is None
    assert mask_of(masked) == MASK


@pytest.mark.parametrize("make", LOSING)
def test_a_mask_is_not_lost_unnoticed(make: Callable[[], Layer]) -> None:
    with pytest.raises(ArgumentError, match="the mask of its input would be lost here"):
        make()(Masking()(X))
    with pytest.raises(ArgumentError, match="the mask of its input would be lost here"):
        make()(Masking()(Input((4, 3))))  # while the model is drawn


def test_the_error_says_what_to_do() -> None:
    masked = Masking()(X)
    with pytest.raises(ArgumentError) as caught:
        layers.Flatten(name="flat")(masked)
    assert str(caught.value) == (
        'Flatten "flat": the mask of its input would be lost here\n'
        "  found:  x: f32[2, 4, 3] with a mask: some steps only fill the sequence up, and Flatten "
        "cannot leave them out\n"
        "  needed: a layer that takes masks (LSTM, GRU, GlobalAveragePooling1D, ...) or works on "
        "each step alone (Dense, LayerNormalization, ...)\n"
        "  try:    put Flatten behind a layer that ends the mask, such as GlobalAveragePooling1D "
        "or LSTM(units); in a layer of your own that works on each step alone, set "
        "supports_masking = True; or leave out mask_zero or Masking\n"
        f"  at:     {__file__}:{line() - 10} in flat"
    )


def test_a_layer_of_layers_leaves_it_to_those_inside() -> None:
    class Block(Layer):
        def __init__(self, *parts: Layer) -> None:
            super().__init__()
            self.parts = list(parts)

        def call(self, inputs: Any) -> Any:
            for part in self.parts:
                inputs = part(inputs)
            return inputs

    masked = Masking()(X)
    assert mask_of(Block(Dense(2), layers.Dropout(0.1))(masked)) == MASK
    assert mask_of(Block(Dense(2), layers.GlobalAveragePooling1D())(masked)) is None
    with pytest.raises(ArgumentError, match='Flatten "flatten": the mask'):
        Block(Dense(2), layers.Flatten())(masked)


def test_masks_of_several_inputs_go_by_name() -> None:
    class Look(Layer):
        def call(self, query: Any, value: Any, query_mask: Any = None, value_mask: Any = None):  # type: ignore[no-untyped-def]
            self.seen = mask_of_mask(query_mask), mask_of_mask(value_mask)
            return query

    def mask_of_mask(mask: Any) -> Any:
        return None if mask is None else mask.tolist()

    look = Look()
    look(X, Masking()(X))
    assert look.seen == (None, MASK)
    look(Masking()(X), X)
    assert look.seen == (MASK, None)
    look(Masking()(X), X, query_mask=cp.tensor(OTHER))
    assert look.seen == (OTHER, None)


# -- what layers do with them ---------------------------------------------------------------------


def test_the_mean_over_steps_is_that_of_those_that_count() -> None:
    expected = np.stack([X[0, :2].mean(0), X[1, [0, 2, 3]].mean(0)])
    pool = layers.GlobalAveragePooling1D()
    np.testing.assert_allclose(pool(Masking()(X)).numpy(), expected, rtol=1e-6)
    first = layers.GlobalAveragePooling1D("channels_first", keepdims=True)
    turned = first(X.transpose(0, 2, 1), mask=MASK)
    np.testing.assert_allclose(turned.numpy(), expected[:, :, None], rtol=1e-6)
    assert check_gradients(lambda x: pool(x, mask=MASK), X)


def test_batch_statistics_are_those_of_the_steps_that_count() -> None:
    layer = layers.BatchNormalization(momentum=0.0)
    result = layer(Masking()(X), training=True).numpy()
    rows = X[np.array(MASK)]
    np.testing.assert_allclose(layer.moving_mean.numpy(), rows.mean(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layer.moving_variance.numpy(), rows.var(0), rtol=1e-5)
    np.testing.assert_allclose(
        result[np.array(MASK)], (rows - rows.mean(0)) / np.sqrt(rows.var(0) + 1e-3), atol=1e-5
    )
    assert check_gradients(lambda x: layer(x, training=True, mask=MASK), X)


def test_softmax_gives_masked_steps_no_probability() -> None:
    result = layers.Softmax(axis=1)(X, mask=MASK).numpy()
    assert (result[~np.array(MASK)] == 0).all()
    np.testing.assert_allclose(result.sum(1), np.ones((2, 3)), rtol=1e-6)
    nothing = layers.Softmax()([[1.0, 2.0]], mask=[[False, False]])
    assert nothing.tolist() == [[0, 0]]


A, B = np.array([[[1.0], [2.0]]], np.float32), np.array([[[5.0], [1.0]]], np.float32)
YES, NO = [[True, False]], [[False, False]]


def merged(layer: Layer, first: Any, second: Any) -> tuple[Any, Any]:
    given = [
        OnEachStep()(x, mask=mask) if mask else OnEachStep()(x)
        for x, mask in ((A, first), (B, second))
    ]
    result = layer(given)
    return result.numpy().ravel().tolist(), mask_of(result)


def test_merging_layers_keep_what_one_of_the_inputs_has() -> None:
    assert merged(layers.Add(), YES, [[True, True]]) == ([12.0, 6.0], [[True, True]])
    assert merged(layers.Add(), YES, None) == ([12.0, 6.0], None)
    assert merged(layers.Multiply(), YES, [[False, True]]) == ([2.0, 2.0], [[True, True]])
    assert merged(layers.Multiply(), YES, NO) == ([2.0, 0.0], [[True, False]])
    assert merged(layers.Multiply(), YES, None) == ([20.0, 2.0], None)
    assert merged(layers.Maximum(), YES, [[False, True]]) == ([2.0, 2.0], [[True, True]])
    assert merged(layers.Minimum(), [[True, True]], [[False, True]]) == (
        [2.0, 2.0],
        [[True, True]],
    )
    assert merged(layers.Concatenate(1), YES, None)[1] == [[True, False, True, True]]
    assert merged(layers.Concatenate(-1), YES, NO)[1] == [[True, False]]
    assert merged(layers.Dot(1), YES, YES)[1] is None


# -- masks in models -------------------------------------------------------------------------------


def both_models() -> list[cp.Model]:
    def stack() -> list[Layer]:
        return [layers.Embedding(5, 3, mask_zero=True), Dense(2), layers.GlobalAveragePooling1D()]

    words = Input((4,), dtype="int32")
    hidden = words
    for layer in stack():
        hidden = layer(hidden)
    return [cp.Sequential(stack()), cp.Model(words, hidden)]


@pytest.mark.parametrize("which", [0, 1])
def test_models_pass_masks_on(which: int) -> None:
    model = both_models()[which]
    result = model(WORDS).numpy()
    table, kernel, bias = model.get_weights()
    steps = table[WORDS] @ kernel + bias
    counts = (WORDS != 0)[..., None]
    np.testing.assert_allclose(result, (steps * counts).sum(1) / counts.sum(1), rtol=1e-5)
    np.testing.assert_allclose(model.predict(WORDS), result, rtol=1e-6)


def test_models_in_models_and_masks_by_name() -> None:
    inner = cp.Sequential([Input((4, 3)), Dense(2)])
    x = Input((4, 3))
    outer = cp.Model(x, layers.GlobalAveragePooling1D()(inner(x)))
    expected = layers.GlobalAveragePooling1D()(inner(X), mask=MASK).numpy()
    np.testing.assert_allclose(outer(Masking()(X)).numpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(outer(X, mask=MASK).numpy(), expected, rtol=1e-6)
    assert not np.allclose(outer(X).numpy(), expected)


def test_a_mask_of_another_shape_is_refused() -> None:
    with pytest.raises(ShapeError) as caught:
        layers.GlobalAveragePooling1D(name="mean")(X, mask=[[True, False], [True, True]])
    assert str(caught.value) == (
        'GlobalAveragePooling1D "mean": the mask does not fit the input\n'
        "  found:  mask: bool[2, 2]\n"
        "  needed: a mask of shape (2, 4)\n"
        f"  at:     {__file__}:{line() - 5} in mean"
    )
    with pytest.raises(ShapeError, match="the mask does not fit"):
        Dense(2)(X, mask=[[True, False, True, True]] * 3)
    with pytest.raises(ArgumentError, match="several inputs need several masks"):
        layers.Add()([cp.tensor(X), cp.tensor(X)], mask=MASK[0][0])
