"""Nested tuples, lists and dicts of values, taken apart and put together again.

A *leaf* is whatever is not a tuple, list, dict or None.  Dict keys are visited in sorted order,
so equal structures always give equal leaf orders.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from clearprop.errors import ArgumentError


@dataclass(frozen=True)
class Structure:
    """The shape of a nest: its kind, its keys, and the structures inside."""

    kind: type[Any] | None  # None marks a leaf
    keys: tuple[Any, ...] = ()
    children: tuple[Structure, ...] = ()

    @property
    def leaf_count(self) -> int:
        """How many leaves the nest holds."""
        return 1 if self.kind is None else sum(child.leaf_count for child in self.children)


_LEAF = Structure(None)


def _never(_: Any) -> bool:
    return False


def flatten(nest: Any, is_leaf: Callable[[Any], bool] = _never) -> tuple[list[Any], Structure]:
    """The leaves of ``nest`` in order, and the structure to rebuild it.

    Args:
        nest: what to take apart.
        is_leaf: tells what else counts as one leaf.

    >>> flatten({"b": 1, "a": (2, 3)})[0]
    [2, 3, 1]
    """
    if nest is None:
        return [], Structure(type(None))
    if is_leaf(nest):
        return [nest], _LEAF
    if isinstance(nest, dict):
        keys = _sorted_keys(nest)
        children = [nest[key] for key in keys]
        kind: type[Any] = dict
    elif isinstance(nest, (tuple, list)):
        keys, children, kind = (), list(nest), type(nest)
    else:
        return [nest], _LEAF
    leaves: list[Any] = []
    structures = []
    for child in children:
        child_leaves, structure = flatten(child, is_leaf)
        leaves += child_leaves
        structures.append(structure)
    return leaves, Structure(kind, keys, tuple(structures))


def _sorted_keys(nest: dict[Any, Any]) -> tuple[Any, ...]:
    try:
        return tuple(sorted(nest))
    except TypeError as error:
        raise ArgumentError(
            "Taking a nest apart: the keys of a dict must have an order",
            found=", ".join(map(repr, nest))[:80],
            needed="keys of one kind, e.g. all text",
        ) from error


def unflatten(structure: Structure, leaves: Sequence[Any]) -> Any:
    """The nest of ``structure`` with these ``leaves``."""
    if len(leaves) != structure.leaf_count:
        raise ArgumentError(
            "Putting a nest together: the number of leaves does not fit",
            found=f"{len(leaves)} leaves",
            needed=f"{structure.leaf_count}",
        )
    if structure.kind is None:
        return leaves[0]
    if structure.kind is type(None):
        return None
    parts, position = [], 0
    for child in structure.children:
        parts.append(unflatten(child, leaves[position : position + child.leaf_count]))
        position += child.leaf_count
    if structure.kind is dict:
        return dict(zip(structure.keys, parts, strict=True))
    if hasattr(structure.kind, "_fields"):  # a named tuple takes its fields one by one
        return structure.kind(*parts)
    return structure.kind(parts)


def map_leaves(
    function: Callable[[Any], Any], nest: Any, is_leaf: Callable[[Any], bool] = _never
) -> Any:
    """``nest`` with ``function`` applied to each leaf."""
    leaves, structure = flatten(nest, is_leaf)
    return unflatten(structure, [function(leaf) for leaf in leaves])
