"""Moving numbers about is NumPy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from clearprop import ops
from clearprop.errors import ArgumentError, ClearPropError, ShapeError
from clearprop.ir.value import Value
from tests.ops.checks import exactly

X = np.arange(24.0).reshape(2, 3, 4)

SAME_CALLS: list[tuple[str, Callable[..., Any], tuple[Any, ...]]] = [
    *(("reshape", np.reshape, (shape,)) for shape in [(6, 4), (-1,), (4, -1), 24, (1, 24, 1)]),
    ("ravel", np.ravel, ()),
    *(("expand_dims", np.expand_dims, (axis,)) for axis in [0, 1, -1, (0, 2), (-1, 0)]),
    *(("transpose", np.transpose, axes) for axes in [(), ((2, 0, 1),), ((-1, 0, 1),), (None,)]),
    *(("swapaxes", np.swapaxes, axes) for axes in [(0, 2), (-1, 1), (1, 1)]),
    *(("moveaxis", np.moveaxis, m) for m in [(0, -1), (2, 0), ((0, 1), (2, 0)), ([2, 0], [0, 2])]),
    *(("tile", np.tile, (n,)) for n in [2, (2, 1), (1, 2, 3), (2, 1, 1, 2), 0, ()]),
    *(("repeat", np.repeat, args) for args in [(2,), (3, 0), (2, 1), (2, -1), (0, 1)]),
    *(("flip", np.flip, axis) for axis in [(), (0,), (-1,), ((0, 2),), (None,)]),
    *(("roll", np.roll, args) for args in [(1,), (-5,), (2, 1), (-1, -1), (7, 0), (0, 1)]),
    *(("broadcast_to", np.broadcast_to, (s,)) for s in [(2, 3, 4), (5, 2, 3, 4), (0, 2, 3, 4)]),
    *(
        ("pad", np.pad, (width, mode))
        for width in [1, (1, 2), ((1, 0), (0, 2), (2, 1)), 0, ((1, 2),)]
        for mode in ["constant", "edge", "reflect", "symmetric", "wrap"]
    ),
]


@pytest.mark.parametrize(("name", "reference", "args"), SAME_CALLS)
def test_calls_mean_what_they_mean_in_numpy(
    name: str, reference: Callable[..., Any], args: tuple[Any, ...]
) -> None:
    exactly(getattr(ops, name)(X, *args), reference(X, *args))
    exactly(getattr(ops, name)(X.astype(bool), *args), reference(X.astype(bool), *args))


def test_what_changes_nothing_writes_no_equation() -> None:
    x = Value.leaf(X)
    for result in (
        ops.reshape(x, (2, 3, 4)), ops.transpose(x, (0, 1, 2)), ops.broadcast_to(x, X.shape),
        ops.squeeze(x), ops.cast(x, "float64"), ops.index(x, ...), ops.roll(x, 3, axis=1),
        ops.concatenate([x]), ops.split(x, 1)[0],
    ):  # fmt: skip
        assert result is x


@pytest.mark.parametrize("axis", [None, 0, 2, -2, (0, 2)])
def test_squeeze_is_numpys(axis: Any) -> None:
    x = np.ones((1, 3, 1)) if axis != -2 else np.ones((1, 1, 2))
    exactly(ops.squeeze(x, axis), np.squeeze(x, axis))


@given(st.data())
def test_reshape_with_a_free_length_is_numpys(data: st.DataObject) -> None:
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    target = data.draw(st.lists(st.integers(-1, 6), max_size=3).map(tuple))
    x = np.zeros(shape)
    try:
        wanted = x.reshape(target)
    except ValueError:
        with pytest.raises(ShapeError):
            ops.reshape(x, target)
    else:
        assert ops.reshape(x, target).shape == wanted.shape


def test_reshape_explains_itself() -> None:
    with pytest.raises(ShapeError) as error:
        ops.reshape(np.ones((2, 3)), (4, -1))
    assert str(error.value).startswith(
        "Reshaping: 6 elements do not fill the shape (4, -1)\n"
        "  found:  x: f64[2, 3]\n"
        "  needed: a shape with 6 elements; one length may be -1\n"
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda: ops.squeeze(X, 1),
        lambda: ops.broadcast_to(X, (3, 4)),
        lambda: ops.broadcast_to(X, (2, 3, 5)),
        lambda: ops.broadcast_to(X, (1, 3, 4)),
        lambda: ops.broadcast_to(X, (-1, 3, 4)),
        lambda: ops.transpose(X, (0, 1)),
        lambda: ops.transpose(X, (0, 1, 1)),
        lambda: ops.moveaxis(X, (0, 0), (0, 1)),
        lambda: ops.moveaxis(X, (0, 1), (0,)),
        lambda: ops.expand_dims(X, 4),
        lambda: ops.repeat(X, -1),
        lambda: ops.concatenate([]),
        lambda: ops.concatenate(X),
        lambda: ops.concatenate([X, X[0]]),
        lambda: ops.concatenate([X, X[:, :2]], axis=0),
        lambda: ops.concatenate([1.0, 2.0]),
        lambda: ops.stack([X, X[:, :2]]),
        lambda: ops.stack([X, X], axis=4),
        lambda: ops.split(X, 2, axis=1),
        lambda: ops.split(X, 0),
        lambda: ops.split(X, "parts"),
        lambda: ops.split(X, 1.5),
        lambda: ops.split(X, [0, 0.5]),
        lambda: ops.pad(X, -1),
        lambda: ops.pad(X, ((1, 1), (1, 1))),
        lambda: ops.pad(X, 1, "nonsense"),
        lambda: ops.pad(X, 1, constant_values=np.ones(2)),
        lambda: ops.pad(np.ones((0, 2)), 1, "edge"),
        lambda: ops.zeros((2, -1)),
        lambda: ops.zeros(2.5),
    ],
)
def test_what_cannot_be_is_refused_before_it_runs(call: Callable[[], object]) -> None:
    with pytest.raises((ShapeError, ArgumentError)) as error:
        call()
    assert isinstance(error.value, ClearPropError)
    assert error.value.needed
    assert error.value.at


# -- joining and splitting --------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_joining_is_numpys(axis: int | None) -> None:
    y = X + 100
    exactly(ops.concatenate([X, y, X], axis), np.concatenate([X, y, X], axis))
    if axis is not None:
        exactly(ops.stack([X, y], axis), np.stack([X, y], axis))


def test_joining_promotes_and_allows_different_lengths() -> None:
    x, y = np.ones((2, 3), np.float32), np.ones((1, 3), np.int64)
    exactly(ops.concatenate([x, y]), np.ones((3, 3), np.float32))
    exactly(ops.stack([1, 2.5]), np.array([1, 2.5], np.float32))


@pytest.mark.parametrize(
    "sections", [1, 3, [1], [1, 2], [0, 2, 2], [5], [-1], [], np.array([1, 2])]
)
def test_splitting_is_numpys(sections: Any) -> None:
    parts, wanted = ops.split(X, sections, axis=1), np.split(X, sections, axis=1)
    assert len(parts) == len(wanted)
    for part, array in zip(parts, wanted, strict=True):
        exactly(part, array)


def test_nothing_splits_into_any_number_of_parts() -> None:
    assert [part.shape for part in ops.split(np.ones((0, 2)), 3)] == [(0, 2)] * 3


def test_borders_have_their_own_number() -> None:
    x = np.ones((1, 2), np.float32)
    wanted = np.pad(x, 1, constant_values=-1)
    exactly(ops.pad(x, 1, constant_values=-1), wanted)
    exactly(ops.pad(np.array([1]), 1, constant_values=0.5), np.array([0.5, 1, 0.5], "f4"))


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 2)])
def test_stacks_in_two_directions_are_numpys(shape: tuple[int, ...]) -> None:
    x = np.arange(float(np.prod(shape))).reshape(shape)
    exactly(ops.hstack([x, x + 1]), np.hstack([x, x + 1]))
    exactly(ops.vstack([x, x + 1]), np.vstack([x, x + 1]))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_unstacking_undoes_stacking(axis: int) -> None:
    parts = ops.unstack(X, axis)
    assert len(parts) == X.shape[axis]
    exactly(ops.stack(parts, axis), X)


@pytest.mark.parametrize("n", [0, 1, 2, 9])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_differences_are_numpys(axis: int, n: int) -> None:
    exactly(ops.diff(X, n, axis), np.diff(X, n, axis))


def test_differences_are_taken_some_times() -> None:
    with pytest.raises(ArgumentError, match="how often"):
        ops.diff(X, -1)


def test_rolling_along_several_axes_is_numpys() -> None:
    exactly(ops.roll(X, (1, -2), (0, 1)), np.roll(X, (1, -2), (0, 1)))
    exactly(ops.roll(X, 1, (0, 1)), np.roll(X, 1, (0, 1)))
    with pytest.raises(ArgumentError, match="each axis needs one shift"):
        ops.roll(X, (1, 2), 0)
