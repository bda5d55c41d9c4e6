"""The base of all layers: where they stand, which weights they draw, how they are called."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.errors import DTypeError, ShapeError
from clearprop.ir.program import equations_under
from clearprop.layers import Dense, Dropout, Flatten, Layer
from clearprop.layers.mode import Mode, current_mode, direct_mode
from clearprop.layers.weight import Weight
from clearprop.ops.random import words
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
        def values(self, shape: Any, random: Any) -> Any:
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
        with Mode(True, Tensor.leaf(words(seed)), Tensor.leaf(words(step))).active():
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
