"""The arguments that every layer has."""

from __future__ import annotations

from typing import Any, TypedDict


class LayerOptions(TypedDict, total=False):
    """What every layer's constructor takes besides its own arguments, always by name.

    Attributes:
        name: unique in the model; by default the class's name in snake_case with a number.
        trainable: whether ``fit`` may change the weights; True by default.
        dtype: element type of the weights; ``cp.settings.dtype`` by default.
    """

    name: str | None
    trainable: bool
    dtype: Any
