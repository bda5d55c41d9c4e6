"""dot_general against einsum, on every way to pair axes."""

from __future__ import annotations

import string

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clearprop.ir.types import TensorType
from clearprop.primitives import DOT_GENERAL, dot_general, multiply
from tests.support.numbers import compute, gradients, leaf


@st.composite
def sentences(draw: st.DrawFn) -> tuple[str, str, str, str]:
    """Letters of the axes: (x, y, batch, contracted), x and y shuffled."""
    letters = iter(string.ascii_lowercase)
    batch, contracted, rows, columns = (
        [next(letters) for _ in range(draw(st.integers(0, 2)))] for _ in range(4)
    )
    x = draw(st.permutations(batch + contracted + rows))
    y = draw(st.permutations(batch + contracted + columns))
    return "".join(x), "".join(y), "".join(batch), "".join(contracted)


@given(sentences(), st.integers(0, 2**32 - 1))
def test_contractions_and_their_gradients_are_those_of_einsum(
    sentence: tuple[str, str, str, str], seed: int
) -> None:
    x_axes, y_axes, batch, contracted = sentence
    rng = np.random.default_rng(seed)
    size = {letter: int(rng.integers(0, 4)) for letter in x_axes + y_axes}
    x = rng.normal(size=[size[letter] for letter in x_axes])
    y = rng.normal(size=[size[letter] for letter in y_axes])
    used = batch + contracted
    output = batch + "".join(a for a in x_axes + y_axes if a not in used)
    params = {
        "contract": tuple(tuple(axes.index(a) for a in contracted) for axes in (x_axes, y_axes)),
        "batch": tuple(tuple(axes.index(a) for a in batch) for axes in (x_axes, y_axes)),
    }
    expected = np.einsum(f"{x_axes},{y_axes}->{output}", x, y)
    np.testing.assert_allclose(
        compute(dot_general(leaf(x), leaf(y), **params)), expected, atol=1e-12
    )

    weight = rng.normal(size=expected.shape)
    d_x, d_y = gradients(lambda a, b: multiply(dot_general(a, b, **params), leaf(weight)), x, y)
    np.testing.assert_allclose(
        d_x, np.einsum(f"{output},{y_axes}->{x_axes}", weight, y), atol=1e-12
    )
    np.testing.assert_allclose(
        d_y, np.einsum(f"{x_axes},{output}->{y_axes}", x, weight), atol=1e-12
    )


def test_the_cost_counts_multiplications_and_additions() -> None:
    x, y = TensorType((5, 3, 4)), TensorType((5, 4, 2))
    assert DOT_GENERAL.flops(x, y, contract=((2,), (1,)), batch=((0,), (0,))) == 2 * 5 * 3 * 4 * 2


def test_small_integers_wrap_in_products() -> None:
    found = compute(
        dot_general(
            leaf([100, 100], "i1"), leaf([1, 1], "i1"), contract=((0,), (0,)), batch=((), ())
        )
    )
    assert (found.tolist(), found.dtype) == (-56, np.int8)
