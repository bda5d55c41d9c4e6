"""Each layer of the table, with its strides, paddings, dilations and groups, learns as Keras's.

In front of it stands a dense layer, behind it another one, so that derivatives pass through it too.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.layers.case import Case
from tests.layers.cases import CASES
from tests.reference.pairs import SAMPLES, assert_trains_alike, labels, numbers

# Keras warns of its own argument, which is compared all the same.
pytestmark = pytest.mark.filterwarnings("ignore:You passed `rms_scaling=True`:UserWarning")

OURS_ALONE = {"SinusoidalPositionalEncoding", "LearnedPositionalEncoding"}


def can_be_compared(case: Case) -> bool:
    """Whether it learns by itself; tests/reference/test_masks trains those that make masks."""
    makes_a_mask = case.cls == "Masking" or case.arguments.get("mask_zero")
    has_features = all(len(shape) > 1 for shape in case.shapes)
    return has_features and not (makes_a_mask or case.is_random or case.cls in OURS_ALONE)


COMPARED = [case for case in CASES if can_be_compared(case)]


def samples_of(case: Case) -> list[np.ndarray]:
    """As many samples as a training has, in the shapes of the case."""
    if case.high:
        return [labels(case.high, *shape[1:]).astype(np.int32) for shape in case.shapes]
    return [numbers(*shape[1:], seed=seed) for seed, shape in enumerate(case.shapes)]


def net_around(case: Case, x: list[np.ndarray]) -> Any:
    """A function that builds the net of the library it is given."""

    size = math.prod(case.layer()(case.inputs()).shape[1:])

    def make(kit: Any) -> Any:
        layer = getattr(kit.layers, case.cls)(**case.arguments)
        if case.cls == "Normalization" and "mean" not in case.arguments:
            layer.adapt(x[0])
        dtype = "int32" if case.high else "float32"
        inputs = [kit.layers.Input(shape[1:], dtype=dtype) for shape in case.shapes]
        given = inputs if case.high else [mixed(kit, each) for each in inputs]
        result = layer(given if len(given) > 1 else given[0])
        return kit.Model(inputs, kit.layers.Dense(1)(kit.layers.Reshape((size,))(result)))

    return make


def mixed(kit: Any, x: Any) -> Any:
    """The channels mixed, so that there is something to learn in front of the layer."""
    return kit.layers.Dense(x.shape[-1], "tanh")(x)


def compiled(kit: Any) -> dict[str, Any]:
    return {"optimizer": kit.optimizers.Adam(0.01), "loss": "mse"}


@pytest.mark.parametrize("case", COMPARED, ids=str)
def test_a_net_with_the_layer_trains_as_in_keras(case: Case) -> None:
    x = samples_of(case)
    assert all(len(each) == SAMPLES for each in x)
    assert_trains_alike(net_around(case, x), compiled, x, numbers(1, seed=9))
