"""What the type rules of the primitives check, in one wording."""

from __future__ import annotations

from clearprop.dtypes import DType
from clearprop.errors import ArgumentError, DTypeError, ShapeError
from clearprop.ir.types import TensorType

_NEEDED = {
    "f": "float32 or float64",
    "iu": "integers",
    "iuf": "integers or floats",
    "biu": "integers or booleans",
    "b": "booleans",
}
_TRY = {
    "f": "cast to float32 first",
    "iu": "cast to int64 first",
    "iuf": "cast the booleans to float32 or int64 first",
    "biu": "compare or cast first: bits belong to whole numbers",
    "b": "compare first, e.g. x > 0",
}
ANY_KIND = "biuf"


def one_type(word: str, *types: TensorType) -> TensorType:
    """The type that all inputs of ``word`` share.

    Raises:
        ShapeError: the shapes differ.
        DTypeError: the element types differ.
    """
    first = types[0]
    for other in types[1:]:
        if other is not first and other != first:
            wrong = ShapeError if other.shape != first.shape else DTypeError
            raise wrong(
                f"{word}: the inputs must have one type",
                found=" and ".join(map(str, types)),
                needed=f"{first} for every input",
                try_="use the function of clearprop.ops: it broadcasts and promotes",
            )
    return first


def needs_kind(word: str, type_: TensorType, kinds: str) -> TensorType:
    """``type_`` itself, when the kind of its elements is one of ``kinds`` (b, i, u, f).

    Raises:
        DTypeError: it is another kind.
    """
    if type_.dtype.kind not in kinds:
        raise DTypeError(
            f"{word}: cannot work on elements of type {type_.dtype.name}",
            found=str(type_),
            needed=_NEEDED[kinds],
            try_=_TRY[kinds],
        )
    return type_


def needs_dtype(word: str, what: str, type_: TensorType, dtype: DType) -> None:
    """Check that the input called ``what`` holds elements of type ``dtype``.

    Raises:
        DTypeError: it holds others.
    """
    if type_.dtype != dtype:
        raise DTypeError(
            f"{word}: {what} must be {dtype.name}",
            found=f"{what}: {type_}",
            needed=dtype.name,
            try_=f"cast it to {dtype.name} first",
        )


def needs_axes(word: str, type_: TensorType, axes: tuple[int, ...]) -> None:
    """Check that ``axes`` are axes of ``type_``, each named once, counted from the front.

    Raises:
        ShapeError: there is no such axis.
        ArgumentError: an axis is named twice.
    """
    rank = len(type_.shape)
    for axis in axes:
        if not 0 <= axis < rank:
            raise ShapeError(
                f"{word}: there is no axis {axis}",
                found=f"axis {axis} of {type_}",
                needed=f"0 <= axis < {rank}" if rank else "an array that has axes",
            )
    if len(set(axes)) != len(axes):
        raise ArgumentError(
            f"{word}: an axis is named twice", found=f"{axes}", needed="each axis once"
        )


def needs_one_per_axis(word: str, type_: TensorType, **params: tuple[int, ...]) -> None:
    """Check that each of ``params`` has one number for each axis of ``type_``.

    Raises:
        ArgumentError: one has more or fewer.
    """
    for name, numbers in params.items():
        if len(numbers) != len(type_.shape):
            raise ArgumentError(
                f"{word}: {name} must have one number for each axis",
                found=f"{name}={numbers} for {type_}",
                needed=f"{len(type_.shape)} numbers",
            )
