"""First mistakes with layers: the words of each error."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.errors import ArgumentError, NotBuiltError, UnsupportedError

X = np.ones((2, 3), np.float32)


def test_an_unknown_argument_is_told_with_the_nearest() -> None:
    layer: Any = cp.layers.Dense
    with pytest.raises(ArgumentError) as error:
        layer(3, activaton="relu")
    assert error.value.doing == 'Dense: there is no argument "activaton"'
    assert error.value.found == "activaton='relu' did you mean \"activation\"?"
    assert error.value.needed.startswith("one of units, activation, use_bias")
    assert error.value.needed.endswith("name, trainable, dtype")


@pytest.mark.parametrize(
    ("given", "shape"),
    [
        ({"input_shape": (3,)}, "(3,)"),
        ({"input_dim": 3}, "(3,)"),
        ({"batch_input_shape": (None, 8, 3)}, "(8, 3)"),
    ],
)
def test_the_shape_of_the_input_has_a_place_of_its_own(given: dict[str, Any], shape: str) -> None:
    layer: Any = cp.layers.Dense
    with pytest.raises(ArgumentError) as error:
        layer(4, **given)
    assert error.value.try_ == f"put cp.layers.Input({shape}) before it in the model"


def test_layers_of_ones_own_may_take_any_argument() -> None:
    class Free(cp.layers.Dense):
        def __init__(self, units: int, **options: Any) -> None:
            self.extra = options.pop("extra")
            super().__init__(units, **options)

    class Strict(cp.layers.Layer):
        def __init__(self, factor: float) -> None:
            super().__init__()
            self.factor = factor

    assert Free(2, extra=5, name="free").extra == 5
    assert copy.copy(Strict(factor=2.0)).factor == 2.0
    strict: Any = Strict
    with pytest.raises(ArgumentError, match='did you mean "factor"'):
        strict(factr=2.0)


@pytest.mark.parametrize("base", [cp.layers.Layer, cp.Model])
def test_a_forgotten_init_of_the_base_is_told(base: type) -> None:
    class Mine(base):  # type: ignore[misc]
        def __init__(self) -> None:
            self.dense = cp.layers.Dense(2)

        def call(self, inputs: Any) -> Any:
            return self.dense(inputs)

    for use in (lambda: Mine()(X), lambda: Mine().name, lambda: Mine().trainable):
        with pytest.raises(NotBuiltError) as error:
            use()
        assert error.value.needed == "super().__init__() as the first line of __init__"
    assert not hasattr(Mine(), "no_such_attribute")


def test_a_layer_without_call_is_told() -> None:
    class Torch(cp.layers.Layer):
        def forward(self, inputs: Any) -> Any:
            return inputs

    class Nothing(cp.layers.Layer):
        pass

    with pytest.raises(UnsupportedError, match="name it call"):
        Torch()(X)
    with pytest.raises(UnsupportedError, match="def call"):
        Nothing()(X)
