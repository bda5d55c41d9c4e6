"""Reshaping, tables, merging and pooling: where each number goes, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clearprop import layers
from clearprop.errors import ArgumentError, DTypeError, LabelError, ShapeError
from clearprop.functions import grad
from clearprop.layers import Embedding

A = np.arange(24.0, dtype=np.float32).reshape(2, 3, 4)


def told(caught: pytest.ExceptionInfo[BaseException]) -> str:
    """The message without its line."""
    return str(caught.value).rpartition("\n")[0]


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.Flatten(), A.reshape(2, 12)),
        (layers.Flatten(data_format="channels_first"), A.transpose(0, 2, 1).reshape(2, 12)),
        (layers.Reshape((6, -1)), A.reshape(2, 6, 2)),
        (layers.Reshape((-1,)), A.reshape(2, 12)),
        (layers.Permute((2, 1)), A.transpose(0, 2, 1)),
        (layers.Identity(), A),
        (layers.GlobalAveragePooling1D(), A.mean(1)),
        (layers.GlobalMaxPooling1D(data_format="channels_first", keepdims=True), A[:, :, 3:]),
    ],
)
def test_each_number_goes_to_its_place(layer: layers.Layer, expected: np.ndarray) -> None:
    np.testing.assert_allclose(layer(A).numpy(), expected)


def test_a_vector_is_repeated() -> None:
    y = layers.RepeatVector(3)(A[:, 0]).numpy()
    np.testing.assert_array_equal(y, np.stack([A[:, 0]] * 3, 1))


@pytest.mark.parametrize("target", [(-1, -1), (-2, 3), 2.5, ("a",)])
def test_target_shapes_are_checked(target: Any) -> None:
    with pytest.raises(ArgumentError, match="the target shape is a tuple of lengths"):
        layers.Reshape(target)


@pytest.mark.parametrize("target", [(5, 2), (5, -1), (0, -1)])
def test_numbers_that_do_not_fill_a_shape(target: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError) as caught:
        layers.Reshape(target, name="r")(A)
    assert told(caught) == (
        f'Reshape "r": 12 numbers per sample do not fill {target}\n'
        "  found:  x: f32[2, 3, 4]\n"
        "  needed: lengths whose product is 12"
    )


def test_axes_are_permuted_each_once() -> None:
    with pytest.raises(ArgumentError, match="each axis of a sample is named once"):
        layers.Permute((1, 1))
    with pytest.raises(ShapeError, match="the input has 3 axes, it takes 4"):
        layers.Permute((1, 3, 2))(A)
    with pytest.raises(ArgumentError, match="n is a whole number above 0"):
        layers.RepeatVector(0)


# -- tables -----------------------------------------------------------------------------


def test_rows_are_read_and_their_gradients_added_up() -> None:
    table = Embedding(3, 2)
    table([[0]])
    table.set_weights([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]])
    indices = np.array([[2, 0, 2]])
    np.testing.assert_array_equal(table(indices).numpy(), [[[5, 6], [1, 2], [5, 6]]])
    table(indices).sum().backward()
    assert table.embeddings.grad is not None
    np.testing.assert_array_equal(table.embeddings.grad.numpy(), [[1, 1], [0, 0], [2, 2]])


@pytest.mark.parametrize("index", [3, -1])
def test_an_index_outside_of_the_table_is_refused(index: int) -> None:
    with pytest.raises(LabelError) as caught:
        Embedding(3, 2, name="words")([[0, index]]).numpy()
    assert str(caught.value).splitlines()[:3] == [
        "gather: an index lies outside of axis 0",
        f"  found:  index {index} on an axis of 3 elements",
        "  needed: 0 to 2",
    ]
    assert str(caught.value).endswith(" in words")


def test_places_in_a_table_are_whole_numbers() -> None:
    with pytest.raises(DTypeError) as caught:
        Embedding(3, 2, name="words")([[0.0, 1.0]])
    assert told(caught) == (
        'Embedding "words": the places in a table are whole numbers\n'
        "  found:  indices: f32[1, 2]\n"
        "  needed: whole numbers from 0 to 2\n"
        '  try:    x.astype("int32"), or Input(shape, dtype="int32") in a model'
    )


# -- merging -----------------------------------------------------------------------------


def test_inputs_with_fewer_axes_are_repeated_behind_the_batch() -> None:
    y = layers.Add()([A, A[:, 0]]).numpy()
    np.testing.assert_array_equal(y, A + A[:, :1])


def test_cosines_are_dots_of_unit_vectors() -> None:
    x, y = A[:, 0] + 1, A[:, 1] - 20
    cosine = layers.Dot(axes=1, normalize=True)([x, y]).numpy()
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    np.testing.assert_allclose(cosine[:, 0], (x * y).sum(1) / lengths, rtol=1e-5)


def test_max_and_min_share_the_gradient_of_equals() -> None:
    both = grad(lambda x: layers.Maximum()([x, x * 1.0]).sum())(A).numpy()
    np.testing.assert_array_equal(both, 1.0)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ShapeError) as caught:
        layers.Add(name="sum")([A, A[:, :2]])
    assert str(caught.value).splitlines()[:2] == [
        'Add "sum": lengths 2 and 3 of axis -2 do not fit together',
        "  found:  (2, 3, 4) and (2, 2, 4)",
    ]
    assert str(caught.value).endswith(" in sum")


def test_samples_belong_together() -> None:
    for layer in (layers.Multiply(name="m"), layers.Dot(-1, name="m")):
        with pytest.raises(ShapeError) as caught:
            layer([A, A[:1]])
        assert told(caught) == (
            f'{type(layer).__name__} "m": the inputs have different numbers of samples\n'
            "  found:  (2, 3, 4) and (1, 3, 4)\n"
            "  needed: one batch size, the first axis"
        )


def test_what_is_joined_differs_in_one_axis_only() -> None:
    with pytest.raises(ShapeError) as caught:
        layers.Concatenate(name="join")([A, A[:, :2]])
    assert told(caught) == (
        'Concatenate "join": the inputs differ in more than axis -1\n'
        "  found:  (2, 3, 4) and (2, 2, 4)\n"
        "  needed: equal lengths everywhere but at axis -1\n"
        "  try:    Flatten, Reshape or a Dense layer before it"
    )


@pytest.mark.parametrize(
    ("call", "found"),
    [
        (lambda: layers.Add(name="sum")(A, A), "2 separate arguments"),
        (lambda: layers.Add(name="sum")(A), "a single f32[2, 3, 4]"),
    ],
)
def test_merging_takes_one_list(call: Any, found: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        call()
    assert told(caught) == (
        'Add "sum": it is called on a list of several inputs\n'
        f"  found:  {found}\n"
        "  needed: a list of one or more Tensors or arrays\n"
        "  try:    Add()([a, b])"
    )


def test_subtraction_and_dots_take_two() -> None:
    for layer in (layers.Subtract(), layers.Dot(1)):
        with pytest.raises(ArgumentError, match="it is called on a list of 2 inputs"):
            layer([A, A, A])


@pytest.mark.parametrize("axes", [(1,), (1, 2, 3), (1, "a")])
def test_a_dot_has_one_axis_of_each(axes: Any) -> None:
    with pytest.raises(ArgumentError, match="one axis of each input is summed over"):
        layers.Dot(axes)


@pytest.mark.parametrize("axes", [0, (1, 2)])
def test_axes_that_cannot_be_summed_over(axes: Any) -> None:
    with pytest.raises(ShapeError, match="the axes to be summed over do not fit together"):
        layers.Dot(axes)([A, A])
