"""Regularizers by the names that stand for them."""

from __future__ import annotations

from typing import overload

from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.registry import named
from clearprop.regularizers.regularizers import L1L2, Regularizer


@overload
def get(spec: None) -> None: ...
@overload
def get(spec: object) -> Regularizer: ...
def get(spec: object) -> Regularizer | None:
    """The regularizer that ``spec`` stands for.

    Args:
        spec: ``"l1"``, ``"l2"``, ``"l1_l2"`` (0.01 of each), ``"orthogonal_regularizer"``, a
            Regularizer or a class of them, or None (which stays None).

    Raises:
        UnknownNameError: no regularizer has this name.
        ArgumentError: it is none of these things.

    Example:
        >>> get("l2").l2
        0.01
    """
    if spec is None or isinstance(spec, Regularizer):
        return spec
    if isinstance(spec, str):
        cls = named(spec, Regularizer, at=str(here()))  # type: ignore[type-abstract]
        return cls(l1=0.01, l2=0.01) if cls is L1L2 else cls()
    if isinstance(spec, type) and issubclass(spec, Regularizer):
        return spec()
    raise ArgumentError(
        "Choosing a regularizer: this is not one",
        found=f"{spec!r}"[:80],
        needed='a name such as "l2", cp.regularizers.L2(0.01), or a subclass of '
        "cp.regularizers.Regularizer",
        at=str(here()),
    )
