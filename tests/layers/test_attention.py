"""Attention: who looks where, what it reads, and what does not fit."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop import layers, registry
from clearprop.errors import ArgumentError, ShapeError
from clearprop.functions import check_gradients
from clearprop.layers import (
    AdditiveAttention,
    Attention,
    EinsumDense,
    Embedding,
    GroupQueryAttention,
    Input,
    LearnedPositionalEncoding,
    Masking,
    MultiHeadAttention,
    SinusoidalPositionalEncoding,
)
from clearprop.layers.mode import Mode
from clearprop.ops.random import words
from clearprop.tensor import Tensor

RNG = np.random.default_rng(4)
QUERY, VALUE, KEY = (RNG.normal(size=(2, n, f)) for n, f in ((3, 4), (5, 6), (5, 7)))
HEADED: list[dict[str, Any]] = [
    {"num_heads": 2, "key_dim": 3},
    {"num_heads": 2, "key_dim": 3, "value_dim": 5, "output_shape": 6, "use_gate": True},
    {"num_heads": 1, "key_dim": 2, "use_bias": False, "sliding_window": 2},
    {"num_heads": 3, "key_dim": 2, "output_shape": (2, 3), "attention_axes": 1},
    {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2},
    {"head_dim": 3, "num_query_heads": 2, "num_key_value_heads": 1, "use_gate": True},
]
each_headed = pytest.mark.parametrize("arguments", HEADED, ids=str)


def headed(arguments: dict[str, Any], **more: Any) -> Any:
    cls = MultiHeadAttention if "num_heads" in arguments else GroupQueryAttention
    return cls(**arguments, **more)


def by_hand(layer: Any, query: Any, value: Any, allowed: Any = None) -> Any:
    """softmax(Q K^T / sqrt(d)) V, head by head, in plain NumPy."""
    (wq, bq, wk, bk, wv, bv, wo, bo) = layer.get_weights()
    result = np.zeros((*query.shape[:2], wo.shape[-1])) + bo
    for head in range(wq.shape[1]):
        q, k = query @ wq[:, head] + bq[head], value @ wk[:, head] + bk[head]
        scores = q @ k.transpose(0, 2, 1) / np.sqrt(wq.shape[-1])
        scores = scores if allowed is None else np.where(allowed, scores, -np.inf)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        result += shares @ (value @ wv[:, head] + bv[head]) @ wo[head]
    return result


def randomized(layer: Any, *inputs: Any) -> Any:
    layer(*inputs)
    layer.set_weights([RNG.normal(size=w.shape) for w in layer.weights])
    return layer


# -- several heads -------------------------------------------------------------------------------


def test_several_heads_follow_the_formula() -> None:
    layer = randomized(MultiHeadAttention(2, 3, dtype="float64"), QUERY, VALUE)
    found = layer(QUERY, VALUE).numpy()
    np.testing.assert_allclose(found, by_hand(layer, QUERY, VALUE), rtol=1e-10)


def test_a_causal_mask_hides_the_future() -> None:
    layer = randomized(MultiHeadAttention(2, 3, dtype="float64"), QUERY, QUERY)
    found = layer(QUERY, QUERY, use_causal_mask=True).numpy()
    allowed = np.tril(np.ones((3, 3), bool))
    np.testing.assert_allclose(found, by_hand(layer, QUERY, QUERY, allowed), rtol=1e-10)
    other = QUERY.copy()
    other[:, 2] += 1
    again = layer(other, other, use_causal_mask=True).numpy()
    np.testing.assert_array_equal(again[:, :2], found[:, :2])


def test_all_masks_count_together() -> None:
    layer = randomized(MultiHeadAttention(2, 3, dtype="float64"), QUERY, VALUE)
    values = np.array([[1, 1, 1, 1, 0], [1, 0, 1, 1, 1]], bool)
    keys = np.array([[1, 1, 1, 0, 1], [1, 1, 1, 1, 1]], bool)
    attention = RNG.random((2, 3, 5)) < 0.6
    attention[:, :, 0] = True
    found = layer(
        QUERY, VALUE, VALUE, value_mask=values, key_mask=keys, attention_mask=attention,
        use_causal_mask=True,
    ).numpy()  # fmt: skip
    allowed = values[:, None] & keys[:, None] & attention & np.tri(3, 5, dtype=bool)
    np.testing.assert_allclose(found, by_hand(layer, QUERY, VALUE, allowed), rtol=1e-10)


def test_a_window_only_shows_neighbors() -> None:
    layer = randomized(MultiHeadAttention(1, 3, sliding_window=2, dtype="float64"), VALUE, VALUE)
    near = np.abs(np.subtract.outer(np.arange(5), np.arange(5))) < 2
    expected = by_hand(layer, VALUE, VALUE, near)
    np.testing.assert_allclose(layer(VALUE, VALUE).numpy(), expected, rtol=1e-10)


def test_masks_of_the_inputs_are_heeded_and_handed_on() -> None:
    words = np.array([[3, 1, 2, 0, 0], [4, 4, 4, 4, 0]], np.int32)
    embedding = Embedding(5, 4, mask_zero=True)
    layer, x = MultiHeadAttention(2, 3), embedding(words)
    _, shares = layer(x, x, return_attention_scores=True)
    assert layer(x, x).mask.tolist() == (words != 0).tolist()
    assert not shares.numpy()[0, :, :, 3:].any()
    assert not shares.numpy()[0, :, 3:].any()
    np.testing.assert_allclose(shares.numpy()[0, :, :3].sum(-1), 1, rtol=1e-6)
    stepwise = np.array(layer(x, x).numpy())[:, :3]
    longer = embedding(np.pad(words, ((0, 0), (0, 4))))
    np.testing.assert_allclose(layer(longer, longer).numpy()[:, :3], stepwise, rtol=1e-5)


def test_a_query_without_keys_reads_the_mean_or_nothing_as_in_keras() -> None:
    layer = randomized(MultiHeadAttention(2, 3, dtype="float64"), QUERY, VALUE)
    nowhere = np.zeros((2, 3, 5), bool)
    mean = np.repeat(VALUE.mean(1, keepdims=True), 3, axis=1)
    plain = layer(QUERY, VALUE, attention_mask=nowhere).numpy()
    np.testing.assert_allclose(plain, by_hand(layer, QUERY, mean), rtol=1e-10)
    told, shares = layer(QUERY, VALUE, attention_mask=nowhere, return_attention_scores=True)
    assert not shares.numpy().any()
    bias = np.broadcast_to(layer.output_dense.bias.numpy(), told.shape)
    np.testing.assert_array_equal(told.numpy(), bias)


def test_groups_share_keys_and_values() -> None:
    layer = randomized(GroupQueryAttention(3, 4, 2, dtype="float64"), QUERY, VALUE)
    same = MultiHeadAttention(4, 3, dtype="float64")
    same(QUERY, VALUE)
    weights = layer.get_weights()
    for n in (2, 3, 4, 5):  # kernels and biases of keys and values
        weights[n] = weights[n].repeat(2, axis=weights[n].ndim - 2)
    same.set_weights(weights)
    expected = same(QUERY, VALUE).numpy()
    np.testing.assert_allclose(layer(QUERY, VALUE).numpy(), expected, rtol=1e-10)


def test_attention_along_a_later_axis_is_attention_of_each_part() -> None:
    grid = RNG.normal(size=(2, 3, 4, 6))
    layer = randomized(MultiHeadAttention(2, 3, attention_axes=2, dtype="float64"), grid, grid)
    row = MultiHeadAttention(2, 3, dtype="float64")
    row(grid[:, 0], grid[:, 0])
    row.set_weights(layer.get_weights())
    expected = np.stack([row(grid[:, n], grid[:, n]).numpy() for n in range(3)], 1)
    np.testing.assert_allclose(layer(grid, grid).numpy(), expected, rtol=1e-10)


def test_attention_along_two_axes_is_attention_along_both_in_one_row() -> None:
    grid = RNG.normal(size=(2, 3, 4, 6))
    layer = randomized(MultiHeadAttention(2, 3, dtype="float64"), grid, grid)
    row = MultiHeadAttention(2, 3, dtype="float64")
    row(grid.reshape(2, 12, 6), grid.reshape(2, 12, 6))
    row.set_weights(layer.get_weights())
    flat = grid.reshape(2, 12, 6)
    expected = row(flat, flat).numpy().reshape(grid.shape)
    np.testing.assert_allclose(layer(grid, grid).numpy(), expected, rtol=1e-10)
    mask = RNG.random((3, 4, 3, 4)) < 0.7
    expected = row(flat, flat, attention_mask=mask.reshape(12, 12)).numpy().reshape(grid.shape)
    found = layer(grid, grid, attention_mask=mask).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@each_headed
def test_gradients_are_those_of_finite_differences(arguments: dict[str, Any]) -> None:
    layer = headed(arguments, dtype="float64")
    layer(QUERY, VALUE, KEY)
    assert check_gradients(lambda q, v, k: layer(q, v, k, use_causal_mask=True), QUERY, VALUE, KEY)


@each_headed
def test_headed_attention_can_be_rebuilt(arguments: dict[str, Any]) -> None:
    layer = headed(arguments, name="it", dtype="float64")
    description = registry.describe(layer)
    assert json.loads(json.dumps(description)) == description
    again = registry.rebuild(description)
    assert registry.describe(again) == description
    expected = layer(QUERY, VALUE).numpy()
    np.testing.assert_array_equal(again(QUERY, VALUE).numpy(), expected)


@each_headed
def test_a_symbolic_call_knows_the_shape(arguments: dict[str, Any]) -> None:
    layer = headed(arguments)
    steps, pairs = Input((None, 4)), Input((5, 6))
    shape = layer(QUERY, VALUE).shape
    assert layer(steps, pairs).shape == (None, None, *shape[2:])


def test_inputs_can_be_named() -> None:
    layer = MultiHeadAttention(2, 3)
    found = layer(query=QUERY, value=VALUE, key=KEY)
    np.testing.assert_array_equal(layer(QUERY, VALUE, KEY).numpy(), found.numpy())


def test_a_model_with_attention_learns_and_comes_back(tmp_path: Any) -> None:
    words = Input((6,), dtype="int32")
    x = Embedding(9, 8, mask_zero=True)(words)
    x = layers.Add()([x, MultiHeadAttention(2, 4, dropout=0.1)(x, x)])
    model = cp.Model(words, layers.Dense(1)(layers.GlobalAveragePooling1D()(x)))
    model.compile(cp.optimizers.Adam(0.03), "mse")
    data = np.random.default_rng(0).integers(1, 9, (64, 6)).astype(np.int32)
    data[:, 4:] *= np.random.default_rng(1).integers(0, 2, (64, 2)).astype(np.int32)
    target = (data == 3).any(1).astype(np.float32)[:, None]
    losses = model.fit(data, target, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.3 * losses[0]
    model.save(tmp_path / "it.safetensors")
    again = cp.load_model(tmp_path / "it.safetensors")
    np.testing.assert_array_equal(again.predict(data), model.predict(data))


def test_dropping_follows_from_the_seed() -> None:
    layer = MultiHeadAttention(2, 3, dropout=0.5)
    plain = layer(QUERY, VALUE).numpy()

    def trained(seed: int) -> Any:
        with Mode(True, Tensor.leaf(words(seed)), Tensor.leaf(words(1))).active():
            return layer(QUERY, VALUE).numpy()

    np.testing.assert_array_equal(trained(1), trained(1))
    assert not np.array_equal(trained(1), trained(2))
    assert not np.array_equal(trained(1), plain)


# -- one head ------------------------------------------------------------------------------------


def test_a_masked_value_is_not_read() -> None:
    query, value = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(2, 5, 4))
    value[:, 3:] = 0
    for layer in (Attention(dtype="float64"), AdditiveAttention(dtype="float64")):
        masked = layer([query, Masking(dtype="float64")(value)]).numpy()
        np.testing.assert_allclose(masked, layer([query, value[:, :3]]).numpy(), rtol=1e-9)


def test_a_masked_query_reads_nothing() -> None:
    query = np.array([[[1.0, 2.0], [0.0, 0.0]]])
    found = Attention()([Masking()(query), query])
    assert found.mask.tolist() == [[True, False]]
    assert not found.numpy()[0, 1].any()


def test_shares_can_be_returned() -> None:
    x = RNG.normal(size=(2, 3, 4))
    _, shares = Attention()([x, x], return_attention_scores=True, use_causal_mask=True)
    np.testing.assert_allclose(shares.numpy().sum(-1), 1, rtol=1e-6)
    assert not np.triu(shares.numpy(), 1).any()


# -- positions -----------------------------------------------------------------------------------


def test_sinusoids_turn_at_the_same_rate_everywhere() -> None:
    codes = SinusoidalPositionalEncoding(dtype="float64")(np.zeros((1, 50, 6))).numpy()[0]
    np.testing.assert_allclose((codes**2).sum(-1), 3)  # sin^2 + cos^2 of each pair
    likeness = codes @ codes.T
    for distance in range(1, 50):  # a step's likeness to another depends on their distance only
        np.testing.assert_allclose(np.diag(likeness, distance), likeness[0, distance])


def test_a_longer_sequence_than_vectors_is_refused() -> None:
    layer = LearnedPositionalEncoding(4, name="places")
    layer(np.zeros((1, 3, 2)))
    with pytest.raises(ShapeError) as caught:
        layer(np.zeros((1, 5, 2)))
    assert 'LearnedPositionalEncoding "places": the sequence is longer' in str(caught.value)


# -- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "value"), [((2, 3, 4), (3, 5, 4)), ((3, 4), (5, 4)), ((2, 3, 4), (2, 3, 5, 4))]
)
def test_inputs_that_do_not_fit_are_refused(query: Any, value: Any) -> None:
    with pytest.raises(ShapeError, match="queries, values and keys do not fit together"):
        MultiHeadAttention(2, 3)(np.zeros(query), np.zeros(value))
    with pytest.raises(ShapeError, match="queries, values and keys do not fit together"):
        Attention()([np.zeros(query), np.zeros(value)])


def test_a_mask_that_does_not_fit_is_refused() -> None:
    layer = MultiHeadAttention(2, 3, name="heads")
    with pytest.raises(ShapeError) as caught:
        layer(QUERY, VALUE, attention_mask=np.ones((3, 4), bool))
    assert str(caught.value).splitlines()[:3] == [
        'MultiHeadAttention "heads": attention_mask does not fit queries and keys',
        "  found:  attention_mask: bool[3, 4] for scores of shape (2, 2, 3, 5)",
        "  needed: (2, 3, 5): batch, queries, keys",
    ]


def test_masks_of_steps_need_attention_along_the_steps() -> None:
    grid = np.zeros((2, 3, 4, 5))
    with pytest.raises(ArgumentError, match="knows what comes before what"):
        MultiHeadAttention(2, 3, attention_axes=2)(grid, grid, use_causal_mask=True)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"num_heads": 0}, "num_heads"),
        ({"key_dim": 2.5}, "key_dim"),
        ({"value_dim": 0}, "value_dim"),
        ({"output_shape": (3, 0)}, "output_shape"),
        ({"sliding_window": 0}, "sliding_window"),
        ({"dropout": 1.0}, "dropout"),
        ({"seed": -1}, "seed"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], name: str) -> None:
    with pytest.raises(ArgumentError, match=name):
        MultiHeadAttention(**{"num_heads": 2, "key_dim": 3, **arguments})


def test_groups_divide_the_heads() -> None:
    with pytest.raises(ArgumentError, match="num_query_heads=4, num_key_value_heads=3"):
        GroupQueryAttention(3, 4, 3)


def test_attention_is_called_on_a_list() -> None:
    with pytest.raises(ArgumentError, match="a list of queries, values and maybe keys"):
        Attention()(QUERY)
    with pytest.raises(ArgumentError, match="dot"):
        Attention(score_mode="dott")


@pytest.mark.parametrize(
    ("equation", "bias_axes"),
    [
        ("ab,bc", None),
        ("ab->ac", None),
        ("ab,bc->ad", None),
        ("...ab,bc->ac...", None),
        ("a...b,bc->a...c", None),
        ("ab,b...->ab", None),
        ("aab,bc->ac", None),
        ("ab,bc->ac", "d"),
    ],
)
def test_equations_that_say_nothing_are_refused(equation: str, bias_axes: str | None) -> None:
    with pytest.raises(ArgumentError, match="does not say how the axes are connected"):
        EinsumDense(equation, 3, bias_axes=bias_axes)


@pytest.mark.parametrize("output_shape", [(3, 4), (2, None), ()])
def test_output_shapes_that_do_not_fit_are_refused(output_shape: Any) -> None:
    with pytest.raises(ShapeError):
        EinsumDense("abc,cd->abd", output_shape)(np.zeros((2, 5, 3)))


def test_einsum_dense_says_what_it_was_built_for() -> None:
    layer = EinsumDense("abc,cd->abd", (None, 4), name="it")
    layer(np.zeros((2, 5, 3)))
    with pytest.raises(ShapeError, match="the input has 2 features, the weights were built for 3"):
        layer(np.zeros((2, 5, 2)))
    with pytest.raises(ShapeError, match="another number of axes"):
        layer(np.zeros((2, 3)))


def test_einsum_dense_draws_as_a_dense_layer_between_the_same_units() -> None:
    layer = EinsumDense("abc,cde->abde", (None, 30, 40))
    layer(np.zeros((1, 1, 500)))
    limit = np.sqrt(6 / (500 + 1200))
    assert 0.99 * limit < np.abs(layer.kernel.numpy()).max() <= limit
