"""What comes in becomes an array, and what no network can learn from is refused in words."""

from __future__ import annotations

import numpy as np
import pytest

from clearprop.data import as_array, check_data, check_same_length
from clearprop.errors import ClearPropError, DataError, ShapeError


class Wrapped:
    """Something with ``__array__``, as a Tensor or a data frame."""

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        return np.arange(3.0)


def test_a_numpy_array_is_not_copied() -> None:
    x = np.zeros((2, 3), np.uint8)
    assert as_array(x) is x


def test_lists_numbers_and_array_likes_become_arrays() -> None:
    assert as_array([[1, 2], [3, 4]]).shape == (2, 2)
    assert as_array(3.0).shape == ()
    assert as_array(Wrapped()).tolist() == [0, 1, 2]
    assert as_array(np.array([1, 2.5, True], object).tolist()).dtype == np.float64
    assert as_array(Wrapped()).dtype == np.float64


def test_arrow_data_become_arrays() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"a": [1, 2], "b": [1.5, None]})

    class Stream:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return frame.__arrow_c_stream__(requested_schema)

    for source in (frame, Stream()):
        np.testing.assert_array_equal(as_array(source), [[1, 1.5], [2, np.nan]])


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.bool_, np.float16, np.float32])
def test_numbers_of_any_type_pass(dtype: type) -> None:
    check_data(np.ones((4, 3), dtype))


def test_finite_numbers_whose_sum_overflows_pass() -> None:
    check_data(np.full(100, 3e38, np.float32))
    check_data(np.array([1.7e308, 1.7e308, -1.7e308]))


def refused(kind: type[ClearPropError], what: object, text: str) -> None:
    with pytest.raises(kind) as caught:
        what()  # type: ignore[operator]
    assert str(caught.value) == text


def test_nan_is_refused_with_its_place() -> None:
    x = np.ones((4, 3))
    x[2, 1], x[3, 0] = np.nan, np.inf
    refused(
        DataError,
        lambda: check_data(x),
        """\
Checking x: 2 values are NaN or infinite
  found:  x[2, 1] = nan, the first of 2 (1 NaN, 1 infinite)
  needed: finite numbers: NaN and infinity spread to every weight in one step
  try:    fill or leave out those rows; cp.data.TableEncoder fills missing values""",
    )


def test_one_infinite_number_is_refused() -> None:
    with pytest.raises(DataError, match=r"1 value is infinite\n  found:  y\[1\] = -inf\n"):
        check_data(np.array([0, -np.inf]), "y")


def test_text_is_refused() -> None:
    refused(
        DataError,
        lambda: check_data(np.array([["1", "red"]])),
        """\
Checking x: it holds text, not numbers
  found:  x of dtype <U3, with '1'
  needed: integers or floating-point numbers
  try:    cp.data.TableEncoder turns text and missing values into numbers""",
    )
    with pytest.raises(DataError, match="with 'red'"):
        check_data(np.array([1, "red"], object))


@pytest.mark.parametrize(
    ("x", "word"),
    [(np.ones(2, complex), "complex"), (np.zeros(2, "M8[D]"), "dates"), (np.array([{}]), "dict")],
)
def test_other_elements_are_named(x: np.ndarray, word: str) -> None:
    with pytest.raises(DataError, match=word):
        check_data(x)


def test_nothing_is_refused() -> None:
    with pytest.raises(DataError, match=r"it is empty\n  found:  x of shape \(0, 3\)"):
        check_data(np.zeros((0, 3)))


def test_ragged_lists_are_refused_with_the_row() -> None:
    refused(
        ShapeError,
        lambda: as_array([[1, 2], [3]]),
        """\
Reading x: its lists have different lengths
  found:  x[0] has length 2, x[1] has length 1
  needed: rows of one length, so that they make an array
  try:    pad the shorter rows, or leave the longer ones out""",
    )
    with pytest.raises(ShapeError, match=r"x\[1\] has a single value"):
        as_array([[1], 2])


@pytest.mark.parametrize("x", [{1: 2}, {1, 2}, (i for i in range(3)), None])
def test_what_is_no_array_is_refused(x: object) -> None:
    with pytest.raises(DataError, match="is not an array"):
        as_array(x)


def test_different_lengths_are_refused() -> None:
    check_same_length(x=np.zeros(3), y=np.zeros((3, 2)), sample_weight=None)
    refused(
        ShapeError,
        lambda: check_same_length(x=np.zeros((1000, 2)), y=np.zeros(999)),
        """\
Comparing lengths: x and y have different numbers of rows
  found:  x: 1,000 rows, y: 999 rows
  needed: one row for each sample in every array""",
    )
    with pytest.raises(ShapeError, match="single number"):
        check_same_length(x=np.array(1.0))
