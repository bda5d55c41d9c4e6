"""A loop that appends a row at each step and reads earlier ones: a carry that is written into."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop import primitives as p
from clearprop.ir.value import Array
from clearprop.tensor.tensor import Tensor


def tree_states(leaves: Any, children: Any, weight: Any) -> Tensor:
    """The states of a binary tree's nodes, children first; node t combines two earlier nodes.

    Shapes:
        leaves: (nodes, features), children: i64 (nodes, 2), weight: (features, features)
        ->  (nodes, features)
    """
    count, features = leaves.shape
    start = cp.zeros((count, features), dtype=leaves.dtype)

    def node(carry: Any, row: Any) -> Any:
        states, number = carry
        leaf, pair = row
        below = cp.take(states, pair, axis=0)
        state = cp.tanh(leaf + (below @ weight).sum(axis=0))
        states = p.dynamic_update(states, cp.expand_dims(state, 0), number, cp.tensor(0))
        return (states, number + 1), None

    (states, _), _ = cp.scan(node, (start, cp.tensor(0)), (leaves, children))
    return states


def example(nodes: int, features: int = 3) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(nodes)
    children = np.array([[rng.integers(0, max(t, 1)) for _ in range(2)] for t in range(nodes)])
    return rng.normal(size=(nodes, features)), children, rng.normal(size=(features, features)) / 3


def by_hand(leaves: Array, children: Array, weight: Array) -> Array:
    states = np.zeros_like(leaves)
    for t, (leaf, pair) in enumerate(zip(leaves, children, strict=True)):
        states[t] = np.tanh(leaf + (states[pair] @ weight).sum(axis=0))
    return states


def test_states_are_those_of_a_loop() -> None:
    leaves, children, weight = example(17)
    found = tree_states(cp.tensor(leaves), cp.tensor(children), cp.tensor(weight))
    assert np.allclose(found.numpy(), by_hand(leaves, children, weight), rtol=1e-14)


@pytest.mark.parametrize("argument", [0, 2], ids=["leaves", "weight"])
def test_gradient_is_what_differences_measure(argument: int) -> None:
    arrays = list(example(9))

    def loss(value: Any) -> Tensor:
        leaves, children, weight = (
            value if n == argument else cp.tensor(a) for n, a in enumerate(arrays)
        )
        return (tree_states(leaves, children, weight) ** 2).sum()

    assert cp.check_gradients(loss, arrays[argument])
    assert cp.check_gradients(cp.grad(loss), arrays[argument])  # and the second derivatives


def count_overwrites(monkeypatch: pytest.MonkeyPatch, primitive: p.Primitive) -> list[bool]:
    """For each run of the primitive whether it wrote into its input."""
    runs: list[bool] = []
    meaning, overwrite = primitive.meaning, primitive.overwrite

    def copying(*arrays: Array, **params: Any) -> Any:
        runs.append(False)
        return meaning(*arrays, **params)

    def writing(*arrays: Array, **params: Any) -> Any:
        runs.append(True)
        assert overwrite is not None
        return overwrite(*arrays, **params)

    monkeypatch.setitem(primitive.__dict__, "meaning", copying)
    monkeypatch.setitem(primitive.__dict__, "overwrite", writing)
    return runs


def test_only_the_first_step_copies_what_is_carried(monkeypatch: pytest.MonkeyPatch) -> None:
    leaves, children, weight = map(cp.tensor, example(12))
    run = cp.compile(lambda w: tree_states(leaves, children, w), executor="reference")
    runs = count_overwrites(monkeypatch, p.DYNAMIC_UPDATE)
    run(weight)
    assert runs == [False] + [True] * 11


def test_neither_does_its_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    leaves, children, weight = map(cp.tensor, example(12))
    gradient = cp.grad(lambda w: tree_states(leaves, children, w).sum())
    run = cp.compile(gradient, executor="reference")
    runs = count_overwrites(monkeypatch, p.SCATTER_ADD)
    run(weight)
    assert runs == [True] * 12  # what they scatter into was made by an update in the same step


def test_inputs_and_constants_are_never_written_into() -> None:
    row, number, column = cp.ones((1, 3)), cp.tensor(1), cp.tensor(0)
    constant = cp.zeros((4, 3))
    run = cp.compile(lambda x: (p.dynamic_update(x, row, number, column),
                                p.dynamic_update(constant, row, number, column)))  # fmt: skip
    x = cp.tensor(np.zeros((4, 3), np.float32))
    for _ in range(2):
        changed, other = run(x)
        assert changed.numpy().sum() == other.numpy().sum() == 3
        assert x.numpy().sum() == constant.numpy().sum() == 0


def test_memory_grows_with_the_nodes_not_with_their_square() -> None:
    def peak_bytes(nodes: int) -> int:
        leaves, children, weight = map(cp.tensor, example(nodes, features=16))
        run = cp.compile(cp.grad(lambda w: tree_states(leaves, children, w).sum()))
        run(weight)
        tracemalloc.start()
        run(weight)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert peak_bytes(400) < 5 * peak_bytes(100)  # four times the nodes; the square would be 16
