"""Nests of values are taken apart and put together again."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop import tree
from clearprop.errors import ArgumentError

Point = namedtuple("Point", "x y")
NESTS = st.recursive(
    st.integers() | st.none() | st.text(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3)
        | st.tuples(inner, inner).map(lambda pair: Point(*pair))
    ),
    max_leaves=12,
)


@given(NESTS)
def test_a_nest_comes_back(nest: Any) -> None:
    leaves, structure = tree.flatten(nest)
    again = tree.unflatten(structure, leaves)
    assert again == nest
    assert type(again) is type(nest)
    assert structure.leaf_count == len(leaves)
    assert tree.flatten(again) == (leaves, structure)


@given(NESTS)
def test_leaves_are_mapped_in_place(nest: Any) -> None:
    mapped = tree.map_leaves(lambda leaf: (leaf,), nest)
    leaves, structure = tree.flatten(nest)
    flat, _ = tree.flatten(
        mapped, lambda part: type(part) is tuple and part in [(x,) for x in leaves]
    )
    assert tree.unflatten(structure, [leaf for (leaf,) in flat]) == nest


def test_the_order_of_keys_does_not_matter() -> None:
    one, other = tree.flatten({"b": 1, "a": (2, 3)}), tree.flatten(OrderedDict(a=(2, 3), b=1))
    assert one == other
    assert one[0] == [2, 3, 1]


def test_structures_differ_where_nests_do() -> None:
    nests = [1, None, [1], (1,), {"a": 1}, {"b": 1}, [[1]], [1, 1], Point(1, 1), (1, 1), [None]]
    structures = [tree.flatten(nest)[1] for nest in nests]
    assert len(set(structures)) == len(nests)
    assert hash(tree.flatten([1, {"a": 2}])[1]) == hash(tree.flatten([3, {"a": 4}])[1])


def test_a_caller_says_what_else_is_a_leaf() -> None:
    leaves, structure = tree.flatten({"a": [1, 2], "b": [[3]]}, lambda part: part == [1, 2])
    assert leaves == [[1, 2], 3]
    assert tree.unflatten(structure, ["x", "y"]) == {"a": "x", "b": [["y"]]}


def test_leaves_of_another_number_are_refused() -> None:
    _, structure = tree.flatten([1, (2, None)])
    for leaves in ([1], [1, 2, 3]):
        with pytest.raises(ArgumentError) as error:
            tree.unflatten(structure, leaves)
        assert str(error.value) == (
            "Putting a nest together: the number of leaves does not fit\n"
            f"  found:  {len(leaves)} leaves\n"
            "  needed: 2"
        )


def test_keys_without_an_order_are_refused() -> None:
    with pytest.raises(ArgumentError) as error:
        tree.flatten({1: 0, "a": 0})
    assert str(error.value) == (
        "Taking a nest apart: the keys of a dict must have an order\n"
        "  found:  1, 'a'\n"
        "  needed: keys of one kind, e.g. all text"
    )
