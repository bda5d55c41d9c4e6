"""Every primitive keeps its promises, on each example of the table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

import clearprop.primitives
from clearprop.dtypes import F64
from clearprop.executors.reference import evaluate
from clearprop.ir.primitive import REGISTRY
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from clearprop.passes.gradient import differentiate
from tests.support.examples import EXAMPLES, Example

STEP = 1e-6
CONSTANT_BY_CHOICE = {"stop_gradient"}  # it depends on its input, and says it does not

each_example = pytest.mark.parametrize(
    "example", [*EXAMPLES, *(e.in_float32() for e in EXAMPLES if e.has_floats)], ids=str
)


def is_exact(example: Example) -> bool:
    """Whether its results have the digits that a difference needs."""
    inferred = REGISTRY[example.name].infer(*example.types, **example.params)
    types = inferred if isinstance(inferred, tuple) else (inferred,)
    return all(type_.dtype == F64 for type_ in (*example.types, *types) if type_.dtype.kind == "f")


each_exact_example = pytest.mark.parametrize(
    "example", [e for e in EXAMPLES if e.has_floats and is_exact(e)], ids=str
)


class Graph:
    """An example as a graph, with its derivatives in random directions."""

    def __init__(self, example: Example) -> None:
        self.inputs = [Value(type_) for type_ in example.types]
        results = REGISTRY[example.name].apply_all(*self.inputs, **example.params)
        self.outputs = [value for value in results if value.dtype.kind == "f"]
        self.weights = [Value(value.type) for value in self.outputs]
        self.d_inputs = differentiate(self.outputs, self.weights, self.inputs)


def types_of(results: object) -> tuple[TensorType, ...]:
    arrays = results if isinstance(results, tuple) else (results,)
    return tuple(TensorType(np.shape(array), np.asarray(array).dtype) for array in arrays)


def directions(values: Sequence[Value], seed: int) -> list[Array]:
    """Random directions; integers and booleans stand still."""
    rng = np.random.default_rng(seed)
    return [
        rng.normal(size=value.shape) if value.dtype.kind == "f" else np.zeros(value.shape, "i1")
        for value in values
    ]


def moved(arrays: Sequence[Array], ways: Sequence[Array], step: float) -> list[Array]:
    return [
        array + step * way if array.dtype.kind == "f" else array
        for array, way in zip(arrays, ways, strict=True)
    ]


def dot(left: Sequence[Array | None], right: Sequence[Array]) -> float:
    pairs = zip(left, right, strict=True)
    return sum(float(np.sum(a * b)) for a, b in pairs if a is not None)


def numbers(values: Sequence[Value | None], feeds: dict[Value, Array]) -> list[Array | None]:
    there = iter(evaluate([value for value in values if value is not None], feeds))
    return [None if value is None else next(there) for value in values]


def test_every_primitive_has_an_example() -> None:
    assert {example.name for example in EXAMPLES} == set(REGISTRY)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_a_primitive_has_one_name_in_its_forms(name: str) -> None:
    assert getattr(clearprop.primitives, name.upper()) is REGISTRY[name]
    python_name = f"{name}_" if name in {"slice", "round"} else name
    assert callable(getattr(clearprop.primitives, python_name))


@each_example
def test_the_inferred_type_is_the_type_that_comes_out(example: Example) -> None:
    primitive = REGISTRY[example.name]
    inferred = primitive.infer(*example.types, **example.params)
    with np.errstate(all="ignore"):
        results = primitive.meaning(*example.arrays(), **example.params)
    assert types_of(results) == (inferred if isinstance(inferred, tuple) else (inferred,))


@each_example
def test_the_cost_is_a_whole_number(example: Example) -> None:
    flops = REGISTRY[example.name].flops(*example.types, **example.params)
    assert type(flops) is int
    assert flops >= 0


@each_example
def test_derivatives_have_the_types_of_the_inputs(example: Example) -> None:
    graph = Graph(example)
    for value, derivative in zip(graph.inputs, graph.d_inputs, strict=True):
        assert derivative is None or derivative.type == value.type


@each_exact_example
def test_the_gradient_agrees_with_differences(example: Example) -> None:
    graph = Graph(example)
    weights, ways = directions(graph.weights, 1), directions(graph.inputs, 2)

    def loss(step: float) -> float:
        arrays = moved(example.arrays(), ways, step)
        return dot(evaluate(graph.outputs, dict(zip(graph.inputs, arrays, strict=True))), weights)

    feeds = dict(zip(graph.inputs + graph.weights, example.arrays() + weights, strict=True))
    exact = dot(numbers(graph.d_inputs, feeds), ways)
    differences = (loss(STEP) - loss(-STEP)) / (2 * STEP)
    if example.name in CONSTANT_BY_CHOICE:
        assert exact == 0
    else:
        assert exact == pytest.approx(differences, rel=1e-6, abs=2e-8)


@each_exact_example
def test_the_gradient_of_the_gradient_agrees_with_differences(example: Example) -> None:
    graph = Graph(example)
    floating = [value for value in graph.d_inputs if value is not None]
    steady = graph.inputs + graph.weights
    aims = [Value(value.type) for value in floating]
    second = differentiate(floating, aims, steady)

    aim_arrays, ways = directions(aims, 3), directions(steady, 4)
    start = example.arrays() + directions(graph.weights, 1)

    def slope(step: float) -> float:
        feeds = dict(zip(steady, moved(start, ways, step), strict=True))
        return dot(evaluate(floating, feeds), aim_arrays)

    feeds = dict(zip(steady + aims, start + aim_arrays, strict=True))
    exact = dot(numbers(second, feeds), ways)
    differences = (slope(STEP) - slope(-STEP)) / (2 * STEP)
    assert exact == pytest.approx(differences, rel=1e-6, abs=2e-8)
