"""A parameter is never lost by an operator in place."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.errors import TraceError

SIGNS = {
    "+": operator.iadd,
    "-": operator.isub,
    "*": operator.imul,
    "/": operator.itruediv,
    "//": operator.ifloordiv,
    "%": operator.imod,
    "@": operator.imatmul,
    "**": operator.ipow,
}


@pytest.mark.parametrize("sign", SIGNS)
def test_a_parameter_does_not_change_in_place(sign: str) -> None:
    w = cp.parameter(np.eye(2), name="kernel")
    with pytest.raises(TraceError) as error:
        SIGNS[sign](w, np.eye(2))
    assert error.value.doing == f"kernel {sign}= ...: a parameter changes by assign, not in place"
    assert error.value.try_.startswith(f"kernel.assign(kernel {sign} ...) to change it")
    assert error.value.at.startswith(__file__)


def test_the_weights_of_a_model_do_not_either() -> None:
    model = cp.Sequential([cp.layers.Input((2,)), cp.layers.Dense(1)])
    for weight in model.trainable_weights:
        with pytest.raises(TraceError, match="changes by assign"):
            weight -= 0.1


def test_other_tensors_may_be_named_anew() -> None:
    total: Any = cp.tensor([1.0])
    total += cp.parameter([2.0])
    assert total.tolist() == [3.0]
