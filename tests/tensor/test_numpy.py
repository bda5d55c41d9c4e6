"""Tensors and NumPy arrays stand for each other, in both directions."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clearprop as cp
from clearprop.errors import ArgumentError
from clearprop.tensor import Tensor

F4 = np.float32
A = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]], F4)
B = np.array([2.0, 0.25, -3.0], F4)
BINARY = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod,
    operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne,
]  # fmt: skip
UFUNCS = [
    np.exp, np.tanh, np.sin, np.abs, np.sign, np.negative, np.square, np.arctan, np.floor,
    np.isnan, np.rint, np.positive, np.fabs, np.expm1, np.reciprocal, np.conjugate,
]  # fmt: skip


def same(found: object, expected: Any) -> None:
    assert isinstance(found, Tensor)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("sign", BINARY, ids=lambda sign: sign.__name__)
def test_operators_take_arrays_on_either_side(sign: Callable[[Any, Any], Any]) -> None:
    same(sign(cp.tensor(A), B), sign(A, B))
    same(sign(A, cp.tensor(B)), sign(A, B))
    same(sign(cp.tensor(A), cp.tensor(B)), sign(A, B))
    same(sign(cp.tensor(A), 2.0), sign(A, F4(2)))
    same(sign(2.0, cp.tensor(A)), sign(F4(2), A))


def test_powers_and_matrix_products_take_arrays_on_either_side() -> None:
    same(cp.tensor(A) ** 2, A**2)
    same(2 ** cp.tensor(B), 2**B)
    same(A @ cp.tensor(B), A @ B)
    same(cp.tensor(A) @ B, A @ B)
    same(cp.tensor(A) @ A.T, A @ A.T)


@pytest.mark.parametrize("sign", [operator.and_, operator.or_, operator.xor])
def test_bits_take_arrays_on_either_side(sign: Callable[[Any, Any], Any]) -> None:
    x, y = np.array([12, 10]), np.array([6, 3])
    same(sign(cp.tensor(x), y), sign(x, y))
    same(sign(x, cp.tensor(y)), sign(x, y))
    same(sign(cp.tensor(x > 11), y > 5), sign(x > 11, y > 5))
    same(~cp.tensor(x), ~x)
    same(cp.tensor(x) << 2, x << 2)
    same(cp.tensor(x) >> 1, x >> 1)


@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda ufunc: ufunc.__name__)
def test_numpys_functions_of_a_tensor_are_operations(ufunc: np.ufunc) -> None:
    same(ufunc(cp.tensor(A)), ufunc(A))
    assert ufunc(cp.parameter(A)).tracked  # it can still be differentiated


@pytest.mark.parametrize(
    "ufunc", [np.add, np.multiply, np.maximum, np.arctan2, np.logaddexp, np.true_divide, np.less]
)
def test_numpys_functions_of_an_array_and_a_tensor_are_operations(ufunc: np.ufunc) -> None:
    same(ufunc(A, cp.tensor(B)), ufunc(A, B))
    same(ufunc(cp.tensor(A), B), ufunc(A, B))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.sum(x), lambda x: np.mean(x, axis=0), lambda x: np.std(x, 1),
        lambda x: np.max(x, axis=1, keepdims=True), lambda x: np.where(x > 0, x, 0 * x),
        lambda x: np.concatenate([x, x], axis=1), lambda x: np.stack([x, x]),
        lambda x: np.transpose(x), lambda x: np.reshape(x, (3, 2)), lambda x: np.dot(x, B),
        lambda x: np.clip(x, F4(-1), F4(1)), lambda x: np.einsum("ij->ji", x),
        lambda x: np.argmax(x, axis=1), lambda x: np.any(x > 3), lambda x: np.outer(x, B),
    ],
)  # fmt: skip
def test_numpys_reductions_and_shapes_are_operations(call: Callable[[Any], Any]) -> None:
    same(call(cp.tensor(A)), call(A))
    assert call(cp.parameter(A)).tracked


def test_what_clearprop_lacks_gets_the_numbers() -> None:
    x = cp.tensor(A)
    np.testing.assert_array_equal(np.percentile(x, 50, axis=0), np.percentile(A, 50, axis=0))
    np.testing.assert_array_equal(np.sum(x, dtype="f8"), np.sum(A, dtype="f8"))
    np.testing.assert_array_equal(np.sort(x, axis=0), np.sort(A, axis=0))
    assert np.allclose(x, A)
    assert np.shape(x) == (2, 3)
    with pytest.raises(TypeError, match="NotImplemented"):
        np.cbrt(x)


def test_writing_a_tensor_into_an_array_is_refused() -> None:
    array = np.ones(3)
    with pytest.raises(TypeError):
        array += cp.tensor(B)
    np.testing.assert_array_equal(array, np.ones(3))


def test_a_tensor_is_an_array_to_numpy() -> None:
    x = cp.tensor(A)
    np.testing.assert_array_equal(np.asarray(x), A)
    assert np.asarray(x, "f8").dtype == np.float64
    np.testing.assert_array_equal(np.array([cp.tensor(1.0), cp.tensor(2.0)]), [1, 2])
    np.testing.assert_array_equal(np.arange(5)[cp.tensor([3, 1])], [3, 1])
    copy = np.array(x)
    copy[0] = 0  # a copy is the caller's own
    np.testing.assert_array_equal(x.numpy(), A)


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x, lambda x: x * 2, lambda x: x.T, lambda x: x[0], lambda x: cp.parameter(x) * 2,
        lambda x: cp.parameter(A), lambda x: cp.compile(lambda y: y * 2)(x), lambda x: x.detach(),
        lambda x: cp.grad(lambda y: (y * y).sum())(x),
        lambda x: cp.scan(lambda c, r: (c + r, c), cp.zeros(3), x)[1],
    ],
)  # fmt: skip
def test_nobody_writes_into_the_numbers(make: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(ValueError, match="read-only"):
        make(cp.tensor(A)).numpy()[0] = 7


def test_a_tensor_keeps_its_numbers_when_the_array_changes() -> None:
    array = A.copy()
    x, product = cp.tensor(array), cp.parameter(np.ones(3, F4)) * array
    array[:] = 0
    np.testing.assert_array_equal(x.numpy(), A)
    np.testing.assert_array_equal(product.numpy(), A)


def test_going_through_a_tensor_gives_its_rows() -> None:
    rows = list(cp.tensor(A))
    assert len(rows) == len(cp.tensor(A)) == 2
    same(rows[1], A[1])
    first, second = cp.parameter([1.0, 2.0])
    (first * second).backward()
    with pytest.raises(TypeError, match="no length"):
        len(cp.tensor(1.0))


def test_one_number_is_a_python_number() -> None:
    assert float(cp.tensor([[2.5]])) == 2.5
    assert int(cp.tensor(3.7)) == 3
    assert "abc"[cp.tensor(1)] == "b"
    assert bool(cp.tensor(0.0)) is False
    assert cp.tensor(0.5).item() == 0.5
    assert f"{cp.tensor(0.12345):.3f} {cp.tensor(2)}" == "0.123 Tensor(2, i64[])"
    with pytest.raises(TypeError):
        operator.index(cp.tensor(1.0))
    for several in (cp.tensor([1.0, 2.0]), cp.zeros((0,))):
        with pytest.raises(ArgumentError, match="Deciding by a Tensor: it is not a single number"):
            bool(several)
        with pytest.raises(ArgumentError, match="one number of a Tensor: it is not a single"):
            float(several)


def test_comparing_gives_numbers_and_hashing_the_node() -> None:
    x, y = cp.tensor([1.0, 2.0]), cp.tensor([1.0, 2.0])
    assert (x == y).tolist() == [True, True]
    assert len({x, y, x}) == 2


@pytest.mark.parametrize(
    ("left", "right", "result"),
    [
        ("f4", 2, "f4"), ("f4", 2.5, "f4"), ("f8", 2.5, "f8"), ("i4", 2, "i4"), ("i4", 2.5, "f4"),
        ("?", 2, "i8"), ("u1", 2, "u1"), ("?", 2.5, "f4"), ("?", True, "?"),
    ],
)  # fmt: skip
def test_python_numbers_take_the_type_they_meet(left: str, right: float, result: str) -> None:
    x = cp.tensor(np.ones(2, left))
    assert cp.maximum(x, right).dtype == np.dtype(result)
    assert cp.maximum(right, x).dtype == np.dtype(result)


@pytest.mark.parametrize(
    ("left", "right", "result"),
    [
        ("f4", "f8", "f8"), ("f4", "i8", "f4"), ("f8", "i4", "f8"), ("i4", "i8", "i8"),
        ("u1", "i1", "i2"), ("?", "f4", "f4"), ("?", "i4", "i4"), ("u8", "i8", "i8"),
    ],
)  # fmt: skip
def test_arrays_of_two_types_meet_in_one(left: str, right: str, result: str) -> None:
    x, y = np.ones(2, left), np.ones(2, right)
    assert (cp.tensor(x) + y).dtype == np.dtype(result)
    assert (y + cp.tensor(x)).dtype == np.dtype(result)


_KEYS = st.one_of(
    st.integers(-4, 3),
    st.slices(4),
    st.just(None),
    st.just(Ellipsis),
    st.lists(st.integers(-4, 3), min_size=1, max_size=3),
)


@given(st.lists(_KEYS, min_size=1, max_size=3))
def test_indexing_is_numpys(keys: list[Any]) -> None:
    array = np.arange(64.0).reshape(4, 4, 4)
    key = tuple(keys)
    if sum(part is Ellipsis for part in key) > 1:
        with pytest.raises(IndexError):
            array[key]
        return
    try:
        expected = array[key]
    except IndexError:  # rows of different lengths do not go together
        with pytest.raises((ValueError, IndexError)):
            cp.tensor(array)[key]
        return
    np.testing.assert_array_equal(cp.tensor(array)[key].numpy(), expected)
