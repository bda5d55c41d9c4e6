"""Products of matrices are NumPy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

from clearprop import ops
from clearprop.errors import ArgumentError, ClearPropError, ShapeError, UnsupportedError
from tests.ops.checks import exactly, same

RNG = np.random.default_rng(2)


def arrays(*shapes: tuple[int, ...]) -> list[np.ndarray[Any, Any]]:
    return [RNG.integers(-4, 5, shape).astype(float) for shape in shapes]


@given(hnp.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=2, max_side=3))
def test_matrix_products_are_numpys(shapes: hnp.BroadcastableShapes) -> None:
    x, y = arrays(*shapes.input_shapes)
    exactly(ops.matmul(x, y), np.matmul(x, y))


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "?"])
def test_products_of_all_types(dtype: str) -> None:
    x, y = np.ones((2, 3), dtype), np.ones((3, 4), dtype)
    wanted = np.full((2, 4), 3, "i8" if dtype == "?" else dtype)
    exactly(ops.matmul(x, y), wanted)
    exactly(ops.matmul(x, y.astype("f8")), np.full((2, 4), 3.0))


def test_empty_products_are_numpys() -> None:
    for shapes in [((0, 3), (3, 2)), ((2, 0), (0, 3)), ((4, 2, 0), (4, 0, 1)), ((0, 1, 2), (2, 3))]:
        x, y = arrays(*shapes)
        exactly(ops.matmul(x, y), np.matmul(x, y))


@pytest.mark.parametrize(
    "shapes",
    [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (5, 3, 4)), ((), (2, 3)), ((2,), ())],
)
def test_dot_is_numpys(shapes: Any) -> None:
    x, y = arrays(*shapes)
    exactly(ops.dot(x, y), np.dot(x, y))


def test_outer_is_numpys() -> None:
    for shapes in [((3,), (4,)), ((2, 2), (3,)), ((), (2,))]:
        x, y = arrays(*shapes)
        exactly(ops.outer(x, y), np.outer(x, y))


@pytest.mark.parametrize("axes", [0, 1, 2, ([1, 2], [0, 1]), ([2, 1], [1, 0]), ([-1], [1]), (1, 0)])
def test_tensordot_is_numpys(axes: Any) -> None:
    x, y = arrays((2, 3, 3), (3, 3, 4))
    exactly(ops.tensordot(x, y, axes), np.tensordot(x, y, axes))


@pytest.mark.parametrize("offset", [0, 1, -1, 2, -3, 7])
def test_diagonals_are_numpys(offset: int) -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    for axes in [(0, 1), (1, 2), (2, 0), (-1, 1)]:
        exactly(ops.diagonal(x, offset, *axes), np.diagonal(x, offset, *axes))
        exactly(ops.trace(x, offset, *axes), np.trace(x, offset, *axes))


EINSUMS = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)), ("ij,kj->ki", (2, 3), (4, 3)),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)), ("bij,bjk->kib", (2, 3, 4), (2, 4, 5)),
    ("i,i->", (3,), (3,)), ("i,j->ji", (3,), (2,)), ("ij,ij->ij", (2, 3), (2, 3)),
    ("ij,ij->j", (2, 3), (2, 3)), ("ijk,l->jl", (2, 3, 4), (5,)), ("ba,bc", (2, 3), (2, 4)),
    ("nhwc,hwcf->nf", (2, 3, 3, 2), (3, 3, 2, 4)), (" i j , j -> i ", (2, 3), (3,)),
]  # fmt: skip


@pytest.mark.parametrize(("subscripts", "first", "second"), EINSUMS)
def test_einsum_of_two_is_numpys(subscripts: str, first: Any, second: Any) -> None:
    x, y = arrays(first, second)
    exactly(ops.einsum(subscripts, x, y), np.einsum(subscripts, x, y))


@pytest.mark.parametrize("subscripts", ["ij->ji", "ij->i", "ij->", "ji", "ij", "ij->ij"])
def test_einsum_of_one_is_numpys(subscripts: str) -> None:
    (x,) = arrays((2, 3))
    exactly(ops.einsum(subscripts, x), np.asarray(np.einsum(subscripts, x)))


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: ops.einsum("ii->i", np.ones((2, 2))), UnsupportedError),
        (lambda: ops.einsum("...i->i", np.ones((2, 2))), UnsupportedError),
        (lambda: ops.einsum("i,i,i->i", *[np.ones(2)] * 3), UnsupportedError),
        (lambda: ops.einsum("ij->k", np.ones((2, 2))), ArgumentError),
        (lambda: ops.einsum("ij->ii", np.ones((2, 2))), ArgumentError),
        (lambda: ops.einsum("i,j->ij", np.ones(2)), ArgumentError),
        (lambda: ops.einsum("i1->i", np.ones((2, 2))), ArgumentError),
        (lambda: ops.einsum("ij->i", np.ones(2)), ArgumentError),
        (lambda: ops.einsum("ij,jk->ik", np.ones((2, 3)), np.ones((4, 2))), ShapeError),
        (lambda: ops.matmul(np.ones((2, 3)), np.ones((4, 2))), ShapeError),
        (lambda: ops.matmul(np.ones((2, 3, 3)), np.ones((3, 3, 3))), ShapeError),
        (lambda: ops.matmul(2.0, np.ones(2)), ShapeError),
        (lambda: ops.dot(np.ones(2), np.ones(3)), ShapeError),
        (lambda: ops.tensordot(np.ones((2, 3)), np.ones((3, 2)), 2), ShapeError),
        (lambda: ops.tensordot(np.ones((2, 3)), np.ones((3, 2)), ([0, 1], [0])), ArgumentError),
        (lambda: ops.tensordot(np.ones(3), np.ones((3, 2)), 2), ClearPropError),
        (lambda: ops.trace(np.ones(3)), ArgumentError),
    ],
)
def test_products_that_cannot_be_are_refused(
    call: Callable[[], object], error: type[ClearPropError]
) -> None:
    with pytest.raises(error) as caught:
        call()
    assert caught.value.found
    assert caught.value.needed


def test_matrices_that_do_not_fit_are_explained() -> None:
    with pytest.raises(ShapeError) as error:
        ops.matmul(np.ones((32, 784)), np.ones((100, 10)))
    assert str(error.value).startswith(
        "Multiplying matrices: axis 1 of x has length 784, axis 0 of y has 100\n"
        "  found:  x: f64[32, 784], y: f64[100, 10]\n"
        "  needed: equal lengths, such as x: (n, k), y: (k, m)\n"
        "  try:    transpose one of them, or check the number of features\n"
    )


def test_float32_products_stay_float32() -> None:
    x = RNG.normal(size=(4, 5)).astype("f4")
    same(ops.matmul(x, x.T), x @ x.T, dtype="f4")


@pytest.mark.parametrize("k", [-4, -1, 0, 1, 4])
@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (2, 3, 2), (0, 2)])
def test_triangles_are_numpys(shape: tuple[int, ...], k: int) -> None:
    (x,) = arrays(shape)
    exactly(ops.tril(x, k), np.tril(x, k))
    exactly(ops.triu(x, k), np.triu(x, k))


def test_a_row_has_no_triangle() -> None:
    with pytest.raises(ShapeError, match="only matrices have one"):
        ops.tril([1, 2])


@pytest.mark.parametrize(
    "shapes", [((3,), (3,)), ((2, 3), (3,)), ((2, 3), (4, 2, 3)), ((), (2,)), ((2, 0), (0,))]
)
def test_inner_products_are_numpys(shapes: tuple[tuple[int, ...], ...]) -> None:
    x, y = arrays(*shapes)
    exactly(ops.inner(x, y), np.inner(x, y))


def test_inner_products_need_equal_lengths() -> None:
    with pytest.raises(ShapeError, match="axis 1 of x has length 3, axis 0 of y has 2"):
        ops.inner(np.ones((2, 3)), np.ones(2))
