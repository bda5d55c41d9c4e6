"""Element types, settings and the errors' form."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop import dtypes
from clearprop.dtypes import F32, F64, I64, SHORT_NAMES, U64, as_dtype, promote
from clearprop.errors import DTypeError

ALL = list(SHORT_NAMES)


@pytest.mark.parametrize("dtype", ALL, ids=str)
def test_each_type_has_several_names(dtype: dtypes.DType) -> None:
    for spec in (dtype, dtype.name, dtype.type, SHORT_NAMES[dtype], dtype.newbyteorder(">")):
        assert as_dtype(spec) == dtype
        assert as_dtype(spec).isnative
    assert dtypes.short_name(dtype) == SHORT_NAMES[dtype]


def test_python_types_name_theirs() -> None:
    assert [as_dtype(kind) for kind in (float, int, bool)] == [F64, I64, dtypes.BOOL]


@given(st.text(max_size=6) | st.integers() | st.lists(st.integers(), max_size=2) | st.none()
       | st.dictionaries(st.text(max_size=2), st.integers(), max_size=2))  # fmt: skip
def test_everything_else_is_refused_in_our_words(spec: object) -> None:
    try:
        dtype = as_dtype(spec)
    except DTypeError:
        return
    assert dtype in SHORT_NAMES


def test_the_nearest_name_is_told() -> None:
    with pytest.raises(DTypeError) as error:
        as_dtype("flot32")
    assert str(error.value) == (
        "Choosing an element type: 'flot32' is not one that ClearProp knows\n"
        "  found:  'flot32' did you mean \"float32\"?\n"
        "  needed: float32, float64, int8, int16, int32, int64, uint8, uint16, uint32, uint64, bool"
    )
    for spec in ("float16", "complex64", "O", "S3", "M8[s]", "f4,f4", None):
        with pytest.raises(DTypeError):
            as_dtype(spec)


@pytest.mark.parametrize(("one", "other"), list(itertools.product(ALL, ALL)), ids=str)
def test_types_meet_as_in_numpy_but_integers_never_widen_floats(
    one: dtypes.DType, other: dtypes.DType
) -> None:
    met = promote(one, other)
    assert met == promote(other, one)
    assert promote(met, one) == promote(met, other) == met
    kinds = {one.kind, other.kind}
    if "f" in kinds and kinds & {"i", "u"}:
        assert met == (one if one.kind == "f" else other)
    elif {one.kind, other.kind} == {"i", "u"} and U64 in {one, other}:
        assert met == I64  # NumPy would take float64
    else:
        assert met == np.result_type(one, other)


def test_kinds_are_told_apart() -> None:
    assert [dtypes.is_float(dtype) for dtype in (F32, I64, dtypes.BOOL)] == [True, False, False]
    assert [dtypes.is_integer(dtype) for dtype in (F32, I64, U64, dtypes.BOOL)] == [
        False, True, True, False,
    ]  # fmt: skip
