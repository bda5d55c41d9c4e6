"""Initializers by the names and numbers that stand for them."""

from __future__ import annotations

from typing import Any, overload

import numpy as np

from clearprop.errors import ArgumentError
from clearprop.initializers.constant import Constant
from clearprop.initializers.initializer import Initializer
from clearprop.ir.place import here
from clearprop.registry import named

_ALIASES = {
    "zero": "Zeros",
    "one": "Ones",
    "normal": "RandomNormal",
    "uniform": "RandomUniform",
    "IdentityInitializer": "Identity",
    "OrthogonalInitializer": "Orthogonal",
    "STFTInitializer": "STFT",
}


@overload
def get(spec: None) -> None: ...
@overload
def get(spec: object) -> Initializer: ...
def get(spec: object) -> Initializer | None:
    """The initializer that ``spec`` stands for.

    Args:
        spec: a name such as ``"he_normal"`` or ``"HeNormal"``, an Initializer or a class of them,
            a number or array (a constant), or None (which stays None).

    Raises:
        UnknownNameError: no initializer has this name.
        ArgumentError: it is none of these things.

    Example:
        >>> get("he_normal").scale
        2.0
        >>> get(3)((2,)).tolist()
        [3.0, 3.0]
    """
    if spec is None or isinstance(spec, Initializer):
        return spec
    if isinstance(spec, str):
        cls = named(spec, Initializer, _ALIASES, at=str(here()))  # type: ignore[type-abstract]
        return cls()
    if isinstance(spec, type) and issubclass(spec, Initializer):
        return spec()
    if isinstance(spec, (bool, int, float, np.generic, np.ndarray)):
        return Constant(spec)
    raise ArgumentError(
        "Choosing an initializer: this is not one",
        found=_text_of(spec),
        needed='a name such as "glorot_uniform", a number, or a subclass of '
        "cp.initializers.Initializer",
        at=str(here()),
    )


def _text_of(spec: Any) -> str:
    return f"{spec!r}"[:80]
