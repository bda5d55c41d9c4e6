"""The base of all layers: where they stand, which weights they draw, what is recorded."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.errors import ArgumentError, DTypeError, LabelError, ShapeError, TraceError
from clearprop.ir.program import equations_under
from clearprop.layers import BatchNormalization, Dense, Dropout, Embedding, Flatten, Input, Layer
from clearprop.layers.mode import Mode, current_mode, direct_mode, seed_words
from clearprop.layers.symbolic import SymbolicTensor, calls_under
from clearprop.layers.weight import Weight
from clearprop.settings import settings
from clearprop.tensor import Tensor

X = np.ones((2, 3), np.float32)


def line() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


@pytest.fixture(autouse=True)
def _seed_again() -> Iterator[None]:
    seed = settings.seed
    yield
    settings.seed = seed


class Chain(Layer):
    """Layers one after the other."""

    def __init__(self, *parts: Layer, **options: Any) -> None:
        super().__init__(**options)
        self.parts = list(parts)

    def call(self, inputs: Any) -> Any:
        for part in self.parts:
            inputs = part(inputs)
        return inputs


# -- names and positions -----------------------------------------------------------------


def test_names_are_unique_and_given_names_are_kept() -> None:
    parts = [Dense(1), Dense(1, name="dense_1"), Dense(1), Dense(1), Flatten(), Dense(1)]
    Chain(*parts)(X)
    names = [part.name for part in parts]
    assert names == ["dense", "dense_1", "dense_2", "dense_3", "flatten", "dense_4"]
    assert len(set(names)) == len(names)


def test_positions_go_down() -> None:
    inner = Dense(2)
    chain = Chain(Flatten(), Chain(Dense(3), inner))
    chain(X)
    assert inner.position == (1, 1)
    assert [weight.position for weight in inner.weights] == [(1, 1)] * 2
    assert inner.path == "chain/dense_1"


def test_a_second_owner_changes_nothing() -> None:
    shared = Dense(2)
    first = Chain(Flatten(), shared, name="first")
    first(X)
    before = shared.get_weights(), shared.name, shared.position
    second = Chain(shared, Dense(2), name="second")
    second(X)
    assert (shared.name, shared.position) == before[1:] == ("dense", (1,))
    np.testing.assert_array_equal(shared.get_weights()[0], before[0][0])


def test_a_layer_may_know_the_one_around_it() -> None:
    inner = Dense(2)
    chain = Chain(inner)
    inner.around = chain  # type: ignore[attr-defined]
    chain(X)
    assert (chain.position, inner.position) == ((), (0,))
    assert len(chain.weights) == len(chain.trainable_weights) == 2
    chain.trainable = False
    assert inner.trainable_weights == []


def test_a_layer_that_is_used_twice_counts_once() -> None:
    shared = Dense(3)
    chain = Chain(shared, Flatten(), shared)
    chain(X)
    assert [weight.name for weight in chain.weights] == ["kernel", "bias"]
    assert chain.count_params() == 12
    assert [layer.position for layer in chain.sublayers] == [(0,), (1,)]


def test_layers_are_found_in_lists_tuples_and_dicts() -> None:
    class Holder(Layer):
        def __init__(self) -> None:
            super().__init__()
            self.alone, self.pair = Dense(1), (Dense(2), Dense(3))
            self.table = {"a": Dense(4)}

        def call(self, inputs: Any) -> Any:
            return inputs

    assert [layer.units for layer in Holder().sublayers] == [1, 2, 3, 4]  # type: ignore[attr-defined]


def test_a_call_names_its_layers_in_equations_and_errors() -> None:
    class Breaks(Layer):
        def call(self, inputs: Any) -> Any:
            return inputs + np.ones(7)

    chain = Chain(Dense(2), name="net")
    output = chain(X)
    places = {str(equation.place) for equation in equations_under([output], lambda _: False)}
    assert all(place.endswith("in net/dense") for place in places)
    with pytest.raises(ShapeError) as error:
        Chain(Breaks(), name="net")(X)
    assert error.value.at == f"{__file__}:{line() - 8} in net/breaks"


def test_a_functional_model_names_the_line_of_each_call_and_its_layer() -> None:
    x = Input((3,))
    hidden = Dense(2, name="hidden")(x)
    at = f"{__file__}:{line() - 1}"
    model = cp.Model(x, hidden * 2)
    output = model(X)
    places = {str(each.place) for each in equations_under([output], lambda _: False)}
    assert any(place.startswith(at) and place.endswith("/hidden") for place in places)


# -- weights ------------------------------------------------------------------------------


def kernel(*, seed: int, before: int = 0, dtype: str = "float32", name: str = "a") -> np.ndarray:
    settings.seed = seed
    chain = Chain(Flatten(name=name), Dense(4, dtype=dtype))
    for _ in range(before):
        Dense(5)(X)  # what is built before does not matter
    chain(X)
    array: np.ndarray = chain.get_weights()[0]
    return array


def test_weights_follow_from_seed_position_and_name_alone() -> None:
    first = kernel(seed=1)
    np.testing.assert_array_equal(kernel(seed=1, before=3, name="b"), first)
    assert not np.array_equal(kernel(seed=2), first)
    np.testing.assert_allclose(kernel(seed=1, dtype="float64"), first, rtol=1e-6)
    assert not np.array_equal(kernel(seed=2**63 + 1), kernel(seed=1))

    class Twins(Layer):
        def build(self, _: Any) -> None:
            self.one = self.add_weight((3, 3), name="one")
            self.other = self.add_weight((3, 3), name="other")

        def call(self, inputs: Any) -> Any:
            return inputs

    twins = Twins()
    twins(X)
    assert not np.array_equal(twins.one.numpy(), twins.other.numpy())


def test_reseeding_draws_again_only_what_nobody_has_set() -> None:
    settings.seed = 5
    layer = Dense(4)
    layer(X)
    drawn, bias = layer.get_weights()
    layer.kernel.reseed(9)
    assert not np.array_equal(layer.kernel.numpy(), drawn)
    layer.kernel.reseed(5)
    np.testing.assert_array_equal(layer.kernel.numpy(), drawn)
    layer.set_weights([drawn * 2, bias])
    layer.kernel.reseed(7)
    np.testing.assert_array_equal(layer.kernel.numpy(), drawn * 2)
    assert not layer.kernel.is_drawn


def test_moving_draws_again_only_what_nobody_has_set() -> None:
    settings.seed = 5
    layer, set_layer = Dense(4), Dense(4)
    layer(X)
    set_layer(X)
    set_layer.set_weights([np.ones((3, 4)), np.ones(4)])
    alone = layer.get_weights()[0]
    Chain(Flatten(), layer).place_layers([Flatten(), layer, set_layer])
    assert not np.array_equal(layer.get_weights()[0], alone)
    assert set_layer.get_weights()[0].tolist() == [[1.0] * 4] * 3


def test_results_computed_before_a_reseed_stay() -> None:
    weight = Weight((2,), np.dtype("f4"), cp.initializers.RandomNormal(), name="w")
    late = weight * 1
    before = weight.numpy()
    weight.reseed(99)
    assert not np.array_equal(weight.numpy(), before)
    np.testing.assert_array_equal(late.numpy(), before)


def test_initializers_are_asked_once_and_only_when_needed() -> None:
    asked: list[Any] = []

    class Remembering(cp.initializers.Initializer):
        def __call__(self, shape: Any, dtype: Any = None, key: Any = None) -> Any:
            asked.append(shape)
            return np.ones(shape)

    layer = Dense(4, kernel_initializer=Remembering())
    layer.build((None, 3))
    assert asked == []
    layer(X)
    layer(X)
    assert asked == [(3, 4)]


@pytest.mark.parametrize(
    "wrong",
    [
        [np.zeros((3, 4))],
        [np.zeros((3, 4)), np.zeros(5)],
        [np.zeros((4, 3)), np.zeros(4)],
        [np.zeros((3, 4)), ["a", "b", "c", "d"]],
        [np.zeros((3, 4)), [[1.0], [2.0, 3.0]]],
        [np.zeros((3, 4)), np.zeros(4, complex)],
        [np.zeros((3, 4)), None],
    ],
    ids=["number", "shape", "order", "text", "ragged", "complex", "none"],
)
def test_weights_that_cannot_be_set_change_nothing(wrong: list[Any]) -> None:
    layer = Dense(4)
    layer(X)
    before = layer.get_weights()
    with pytest.raises((ShapeError, DTypeError)) as error:
        layer.set_weights(wrong)
    assert error.value.at == f"{__file__}:{line() - 1}"
    for one, other in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_are_copied_in_and_out() -> None:
    layer = Dense(4)
    layer(X)
    given = [np.ones((3, 4), np.float32), np.ones(4, np.float32)]
    layer.set_weights(given)
    given[0][:] = 5
    layer.get_weights()[1][:] = 7
    assert {float(weight.numpy().max()) for weight in layer.weights} == {1.0}


# -- training mode and random numbers ------------------------------------------------------


def test_the_same_layer_drawing_twice_draws_differently() -> None:
    drop = Dropout(0.5)
    ones = np.ones((4, 50), np.float32)
    with direct_mode(True).active():
        first, second = drop(ones).numpy(), drop(ones).numpy()
        third = drop(ones, training=True).numpy()
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, third)


def test_a_call_that_changes_the_mode_does_not_repeat_random_numbers() -> None:
    drop = Dropout(0.5)
    ones = np.ones((4, 50), np.float32)
    with direct_mode(False).active():
        first, second = (drop(ones, training=True).numpy() for _ in range(2))
        assert np.array_equal(drop(ones).numpy(), ones)
    assert not np.array_equal(first, second)


def test_random_numbers_follow_from_seed_step_and_position() -> None:
    drop, ones = Dropout(0.5), np.ones((4, 50), np.float32)

    def draw(seed: int, step: int) -> np.ndarray:
        with Mode(True, Tensor.leaf(seed_words(seed)), Tensor.leaf(seed_words(step))).active():
            array: np.ndarray = drop(ones).numpy()
            return array

    np.testing.assert_array_equal(draw(1, 2), draw(1, 2))
    for seed, step in ((1, 3), (2, 2), (1 + 2**40, 2)):
        assert not np.array_equal(draw(seed, step), draw(1, 2))


def test_modes_end_with_their_call() -> None:
    assert current_mode() is None
    with pytest.raises(ShapeError):
        Dense(2)(np.ones(()), training=True)
    assert current_mode() is None


# -- recording -------------------------------------------------------------------------------


def test_calls_on_a_symbolic_tensor_are_recorded() -> None:
    x = Input((4,), name="x")
    hidden = Dense(3, name="h")(x)
    out = cp.exp(hidden) * 2 + hidden[:, :1]
    assert (x.shape, hidden.shape, out.shape) == ((None, 4), (None, 3), (None, 3))
    names = [getattr(c.function, "name", None) or c.function.__name__ for c in calls_under([out], [x])]
    assert names == ["h", "exp", "multiply", "index", "add"]
    model = cp.Model(x, out)
    batch = np.arange(8, dtype=np.float32).reshape(2, 4) / 8
    weights, bias = (weight.numpy() for weight in model.weights)
    inside = batch @ weights + bias
    expected = np.exp(inside) * 2 + inside[:, :1]
    np.testing.assert_allclose(model(batch).numpy(), expected, rtol=1e-6)


def test_unknown_lengths_stay_unknown_and_apart() -> None:
    x = Input((None, None, 3))
    assert x.shape == (None, None, None, 3)
    assert cp.transpose(x, (0, 2, 1, 3)).shape == (None, None, None, 3)
    assert x[:, ::7, :5].shape == (None, None, 5, 3)
    assert x.sum(axis=1).shape == (None, None, 3)
    assert cp.reshape(x, (-1, 3)).shape == (None, 3)
    with pytest.raises(ShapeError):  # two unknown lengths are not the same one
        x + cp.transpose(x, (0, 2, 1, 3))
    with pytest.raises(ShapeError):  # nor is an unknown length a known one
        x + np.ones((1, 4, 1, 1))


def test_elements_have_the_type_that_was_asked_for() -> None:
    words = Input((5,), dtype="int64")
    assert words.dtype == np.int64
    embedded = Embedding(10, 3)(words)
    assert (embedded.shape, embedded.dtype) == ((None, 5, 3), np.float32)
    assert (words > 2).dtype == np.bool_


def test_recording_draws_no_weights_and_updates_none() -> None:
    normalization = BatchNormalization()
    normalization(Input((3,)), training=True)
    assert normalization.built
    assert normalization.moving_mean._numbers is None
    assert normalization.moving_mean.numpy().tolist() == [0.0] * 3


def test_arrays_meet_symbolic_tensors_on_either_side() -> None:
    x, array = Input((3,)), np.ones(3, np.float32)
    for result in (x + array, array + x, array * x, x / array, array - x, x @ np.ones((3, 2))):
        assert isinstance(result, SymbolicTensor)
    assert (array > x).dtype == np.bool_


def test_a_layer_may_give_several_results() -> None:
    class Parts(Layer):
        def call(self, inputs: Any) -> Any:
            return {"low": inputs[:, :1], "high": (inputs[:, 1:], inputs.sum())}

    parts = Parts()(Input((3,)))
    assert parts["low"].shape == (None, 1)
    assert parts["high"][0].shape == (None, 2)
    assert parts["high"][1].shape == ()


def test_a_wrong_shape_fails_at_the_line_that_draws_it() -> None:
    x = Input((3,))
    with pytest.raises(ShapeError) as error:
        x + np.ones(4)
    assert error.value.at == f"{__file__}:{line() - 1}"
    layer = Dense(2)
    layer(x)
    with pytest.raises(ShapeError) as error:
        layer(Input((7,)))
    assert error.value.at.startswith(f"{__file__}:{line() - 1}")


def test_a_symbolic_tensor_has_no_numbers() -> None:
    x = Input((3,), name="x")
    with pytest.raises(TraceError) as error:
        np.asarray(x)
    assert str(error.value) == (
        "Asking a symbolic Tensor for numbers: it has none, it only draws the model\n"
        "  found:  <symbolic x: f32(None, 3)>\n"
        "  needed: an operation or a layer\n"
        "  try:    build model = cp.Model(inputs, outputs) and call model.predict(x)\n"
        f"  at:     {__file__}:{line() - 6}"
    )
    with pytest.raises(TraceError) as error:
        if x[0, 0] > 1:
            pass
    assert str(error.value) == (
        "Deciding by a symbolic Tensor: it has no numbers, it only draws the model\n"
        "  found:  <symbolic bool()>\n"
        "  needed: an operation or a layer\n"
        "  try:    choose with cp.where(condition, a, b)\n"
        f"  at:     {__file__}:{line() - 7}"
    )
    with pytest.raises(TraceError) as error:
        list(x)
    assert str(error.value) == (
        "Going through a symbolic Tensor: its first axis is a batch of unknown size\n"
        "  found:  <symbolic x: f32(None, 3)>\n"
        "  needed: an operation on the whole batch\n"
        "  try:    take a column with x[:, 0]\n"
        f"  at:     {__file__}:{line() - 6}"
    )


def test_an_input_needs_a_shape() -> None:
    with pytest.raises(ArgumentError) as error:
        Input(4)  # type: ignore[arg-type]
    assert str(error.value) == (
        "Input: the shape of one sample is a tuple of whole numbers\n"
        "  found:  shape=4\n"
        "  needed: for example (4,) or (28, 28, 1)\n"
        "  try:    Input((4,))\n"
        f"  at:     {__file__}:{line() - 6}"
    )
    for wrong in ((-1,), (2.5,), ("a",)):
        with pytest.raises(ArgumentError, match="whole numbers"):
            Input(wrong)  # type: ignore[arg-type]
    assert Input(()).shape == (None,)


def test_an_index_outside_of_a_known_length_is_refused() -> None:
    with pytest.raises(LabelError):
        Input((3,))[:, 3]


def test_training_is_recorded_with_the_call() -> None:
    x = Input((50,))
    model = cp.Model(x, Dropout(0.5)(x, training=True))
    assert not np.array_equal(model(np.ones((1, 50), np.float32)).numpy(), np.ones((1, 50)))


# -- updates ---------------------------------------------------------------------------------


def test_an_update_must_fit() -> None:
    class Wrong(Layer):
        def build(self, _: Any) -> None:
            self.state = self.add_weight((2,), "zeros", name="state", trainable=False)

        def call(self, inputs: Any) -> Any:
            self.update(self.state, inputs)
            return inputs

    layer = Wrong()
    layer.build(())
    for call in (layer, cp.compile(layer)):
        with pytest.raises(ShapeError, match='"state"'):
            call(np.ones(3))
        call(np.array([1, 2]))
        assert layer.state.numpy().tolist() == [1.0, 2.0]
        assert layer.state.numpy().dtype == np.float32
