"""NaN and infinity are found and replaced as NumPy does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clearprop import ops
from tests.ops.checks import exactly
from tests.support.numbers import gradients

BROKEN = np.array([0.0, -0.0, 1.5, np.nan, np.inf, -np.inf, 1e-310])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("arguments", [{}, {"nan": 7.0}, {"posinf": 1.0, "neginf": -1.0}], ids=str)
def test_broken_numbers_are_replaced(dtype: str, arguments: dict[str, float]) -> None:
    x = BROKEN.astype(dtype)
    exactly(ops.nan_to_num(x, **arguments), np.nan_to_num(x, **arguments))


def test_whole_numbers_are_never_broken() -> None:
    exactly(ops.nan_to_num(np.array([1, 2])), np.array([1, 2]))


def test_only_what_was_kept_has_a_derivative() -> None:
    (d_x,) = gradients(ops.nan_to_num, BROKEN)
    assert d_x.tolist() == [1, 1, 1, 0, 0, 0, 1]


@pytest.mark.parametrize("equal_nan", [False, True])
@pytest.mark.parametrize("tolerances", [{}, {"rtol": 0.0, "atol": 1.0}, {"rtol": 0.5, "atol": 0.0}])
def test_nearness_is_numpys(tolerances: dict[str, Any], equal_nan: bool) -> None:
    x, y = (each.ravel() for each in np.meshgrid(BROKEN, [*BROKEN, 1.6, 1.5 + 1e-9, 3.0]))
    found = ops.isclose(x, y, **tolerances, equal_nan=equal_nan)
    exactly(found, np.isclose(x, y, **tolerances, equal_nan=equal_nan))
