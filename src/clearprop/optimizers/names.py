"""Optimizers by the names that stand for them."""

from __future__ import annotations

from clearprop.errors import ArgumentError
from clearprop.ir.place import here
from clearprop.optimizers.optimizer import Optimizer
from clearprop.optimizers.rule import RuleOptimizer
from clearprop.registry import named


def get(spec: object) -> Optimizer:
    """The optimizer that ``spec`` stands for.

    Args:
        spec: a name such as ``"adam"`` (with its default arguments), an Optimizer, or a class of
            them.

    Raises:
        UnknownNameError: no optimizer has this name.
        ArgumentError: it is none of these things.

    Example:
        >>> get("adam").learning_rate
        0.001
    """
    if isinstance(spec, Optimizer):
        return spec
    if isinstance(spec, str):
        cls = named(spec, RuleOptimizer, kind="optimizer", at=str(here()))  # type: ignore[type-abstract]
        return cls()
    if isinstance(spec, type) and issubclass(spec, RuleOptimizer):
        return spec()
    raise ArgumentError(
        "Choosing an optimizer: this is not one",
        found=f"{spec!r}"[:80],
        needed='a name such as "adam", or cp.optimizers.Adam(0.001)',
        at=str(here()),
    )
