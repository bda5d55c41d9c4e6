"""Text pieces, the form of errors, doors and settings."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clearprop as cp
from clearprop import errors, text
from clearprop.doors import door, lazy_attributes
from clearprop.errors import ArgumentError, ClearPropError, DTypeError
from clearprop.settings import settings

# -- text -----------------------------------------------------------------------------


def test_the_nearest_name_is_suggested() -> None:
    assert text.did_you_mean("prize", ["Price", "size_m2"]) == ' did you mean "Price"?'
    assert text.did_you_mean("zzz", ["price"]) == ""
    assert text.did_you_mean("x", []) == ""
    assert text.did_you_mean("adma", ["Adamax", "Nadam", "Adam"]) == ' did you mean "Adam"?'


@pytest.mark.parametrize(
    ("name", "snake"),
    [
        ("LayerNormalization", "layer_normalization"), ("Conv2D", "conv2d"), ("Dense", "dense"),
        ("GlobalAveragePooling1D", "global_average_pooling1d"), ("LSTM", "lstm"),
        ("ReLU", "re_lu"), ("MySQLLayer", "my_sql_layer"),
    ],
)  # fmt: skip
def test_names_in_snake_case(name: str, snake: str) -> None:
    assert text.snake_case(name) == snake


def test_numbers_in_few_characters() -> None:
    numbers = [0.731058, 2.0, -0.0, 0.00012345678, 1234.5, -3.14159, float("nan"), float("inf"), 0]
    assert [text.number_text(number) for number in numbers] == [
        "0.7311", "2", "0", "0.0001235", "1234.5", "-3.1416", "nan", "inf", "0",
    ]  # fmt: skip


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_in_few_characters_is_near_the_number(number: float) -> None:
    assert float(text.number_text(number)) == pytest.approx(number, rel=0.06, abs=5e-5)


def test_sizes_and_counts() -> None:
    assert [text.bytes_text(n) for n in (0, 1023, 1536, 2**20, 3 * 2**50)] == [
        "0 B", "1023 B", "1.5 KiB", "1.0 MiB", "3072.0 TiB",
    ]  # fmt: skip
    assert text.count_text(1, "row") == "1 row"
    assert text.count_text(1797, "row") == "1,797 rows"
    assert text.count_text(2, "class", "classes") == "2 classes"


def test_tables_are_aligned() -> None:
    assert text.table([["a", "1"], ["bcd", "22"]], header=["name", "n"], right="lr") == (
        "name   n\n────  ──\na      1\nbcd   22"
    )
    assert text.table([]) == ""


# -- errors ---------------------------------------------------------------------------


def test_an_error_answers_in_order() -> None:
    error = ClearPropError("Doing", found="a\nb", needed="c", try_="d", at="x.py:1")
    assert (
        str(error) == "Doing\n  found:  a\n          b\n  needed: c\n  try:    d\n  at:     x.py:1"
    )
    assert str(ClearPropError("Doing")) == "Doing"


def test_every_error_has_one_root_and_is_known_to_python() -> None:
    kinds = [
        thing for thing in vars(errors).values()
        if isinstance(thing, type) and issubclass(thing, ClearPropError)
    ]  # fmt: skip
    for kind in kinds:
        if kind is not ClearPropError:
            assert any(base.__module__ == "builtins" for base in kind.__mro__[2:-3]), kind
            assert kind.__name__ in (errors.__doc__ or "")


# -- doors ----------------------------------------------------------------------------


def test_a_door_opens_when_it_is_used() -> None:
    assert door("math", "hypot")(3.0, 4.0) == 5.0
    assert door("no_such_module", "x").__name__ == "x"
    with pytest.raises(ModuleNotFoundError):
        door("no_such_module", "x")()


def test_names_of_a_package_are_found_late() -> None:
    find, names = lazy_attributes("pack", {"tau": "math", "path": "os.path"})
    assert find("tau") == pytest.approx(6.283185307)
    assert find("path").__name__.endswith("path")
    assert names() == ["path", "tau"]
    with pytest.raises(AttributeError, match="module 'pack' has no attribute 'nothing'"):
        find("nothing")


# -- settings -------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _settings_again() -> Iterator[None]:
    seed, dtype = settings.seed, settings.dtype
    yield
    settings.seed, settings.dtype = seed, dtype


def test_python_floats_take_the_default_type() -> None:
    settings.dtype = "float64"
    assert cp.tensor([1.0]).dtype == cp.parameter([1]).dtype == cp.zeros(2).dtype == np.float64
    settings.dtype = np.float32
    assert cp.tensor([1.0]).dtype == np.float32


def test_the_default_type_is_a_float() -> None:
    with pytest.raises(ArgumentError) as error:
        settings.dtype = "int32"
    assert str(error.value) == (
        "Setting the default element type: layers compute with floating-point numbers\n"
        "  found:  int32\n"
        "  needed: float32 or float64"
    )
    with pytest.raises(DTypeError):
        settings.dtype = "float16"
    assert settings.dtype == np.float32


def test_seeds_are_whole_numbers_of_64_bits() -> None:
    for seed in (0, 2**64 - 1, np.int64(3), np.uint64(2**64 - 1)):
        cp.set_seed(seed)  # type: ignore[arg-type]
        assert settings.seed == seed
        assert type(settings.seed) is int
    with pytest.raises(ArgumentError, match="must be a whole number"):
        settings.seed = -1
    for wrong in (-1, 2**64, 1.0, "1", None, True, np.int8(-1)):
        with pytest.raises(ArgumentError, match="must be a whole number"):
            cp.set_seed(wrong)  # type: ignore[arg-type]
