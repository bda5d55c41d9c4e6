"""How loops and choices are written at random, with random Programs inside; and repetitions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from clearprop.dtypes import I64
from clearprop.ir.program import Program, programs_in
from clearprop.ir.types import TensorType
from clearprop.ir.value import Equation, Value
from tests.support.random_builder import Builder, Rejected

Steps = Callable[[Builder, int], None]  # writes some random words
_TO_APPEND = 3  # equations that write a row of a history


def _is_rounded(b: Builder, values: Sequence[Value]) -> list[bool]:
    return [value in b.rounded for value in values]


def _rows(b: Builder, length: int) -> Value:
    """Some array with one row for each step."""
    old = [value for value in b.pool if value.shape[:1] == (length,)]
    if old and b.chance(0.7):
        return b.recent(old)
    row = b.operand("biuf", ranks=(0, 3)).type
    return b.leaf(TensorType((length, *row.shape), row.dtype))


def scan_writer(steps: Steps) -> Callable[[Builder], None]:
    """Writes loops whose bodies are written by ``steps``."""

    def write(b: Builder) -> None:
        if b.depth >= b.options.depth:
            raise Rejected
        if b.chance(0.25):
            _write_history(b, steps)
            return
        length = b.one_of([0, 1, 2, 2, 3, 3, 4])
        carry = [b.operand("biuf", ranks=(0, 3)) for _ in range(b.below(4))]
        per_step = [_rows(b, length) for _ in range(b.below(3))]
        captured = [b.operand("biuf") for _ in range(b.below(3))]
        rows = [TensorType(value.shape[1:], value.dtype) for value in per_step]
        types = [*(v.type for v in carry), *rows, *(v.type for v in captured)]
        rounded = [v.dtype.kind == "f" for v in carry] + _is_rounded(b, [*per_step, *captured])
        inside = b.inner([Value(type_) for type_ in types], rounded)
        steps(inside, 5)
        least = 0 if carry else 1
        outputs = [_of_type(inside, value.type) for value in carry]
        outputs += [_any(inside) for _ in range(least + b.below(3 - least))]
        b.write(
            "scan",
            *(*carry, *per_step, *captured),
            body=inside.finish(outputs),
            carry_count=len(carry),
            step_count=len(per_step),
            length=length,
            reverse=b.chance(0.5),
        )

    return write


def _write_history(b: Builder, steps: Steps) -> None:
    """Write a loop that reads an earlier row of what it carries, and appends one, at each step."""
    row = b.operand("biuf", ranks=(0, 2)).type
    count = 1 + b.below(4)
    length = b.below(count + 1)
    carry = [b.like(TensorType((count, *row.shape), row.dtype)), b.index(count - length + 1, ())]
    per_step = [b.index(count, (length,))]
    captured = [b.operand("biuf") for _ in range(b.below(3))]
    if b.budget.left < _TO_APPEND + 2:  # a word that reads, and the loop itself
        raise Rejected
    history, number, earlier = (
        Value(carry[0].type),
        Value(carry[1].type),
        Value(TensorType((), I64)),
    )
    rest = [Value(value.type) for value in captured]
    rounded = [row.dtype.kind == "f", False, False, *_is_rounded(b, captured)]
    inside = b.inner([history, number, earlier, *rest], rounded)
    b.budget.left -= _TO_APPEND
    inside.write("gather", history, earlier, axis=0)
    steps(inside, 4)
    b.budget.left += _TO_APPEND
    (block,) = inside.write("reshape", _of_type(inside, row), shape=(1, *row.shape))
    zero, one = (Value.leaf(np.asarray(n, I64)) for n in (0, 1))
    (after,) = inside.write("dynamic_update", history, block, number, *(zero for _ in row.shape))
    (following,) = inside.write("add", number, one)
    b.write(
        "scan",
        *(*carry, *per_step, *captured),
        body=inside.finish([after, following, *([_any(inside)] if b.chance(0.5) else [])]),
        carry_count=len(carry),
        step_count=len(per_step),
        length=length,
        reverse=b.chance(0.5),
    )


def branch_writer(steps: Steps) -> Callable[[Builder], None]:
    """Writes choices whose bodies are written by ``steps``."""

    def write(b: Builder) -> None:
        if b.depth >= b.options.depth:
            raise Rejected
        operands = [b.operand("biuf") for _ in range(b.below(4))]
        bodies: list[Program] = []
        for _ in range(1 + b.below(3)):
            inputs = [Value(value.type) for value in operands]
            inside = b.inner(inputs, _is_rounded(b, operands))
            steps(inside, 4)
            if bodies:
                outputs = [_of_type(inside, value.type) for value in bodies[0].outputs]
            else:
                outputs = [_any(inside) for _ in range(1 + b.below(3))]
            bodies.append(inside.finish(outputs))
        b.write("branch", b.index(len(bodies), ()), *operands, bodies=tuple(bodies))

    return write


def _any(b: Builder) -> Value:
    """Something to return."""
    return b.recent(b.pool) if b.pool else b.operand("biuf")


def _of_type(b: Builder, type_: TensorType) -> Value:
    """Something of this type to return: rather a result than what was given."""
    results = [v for v in b.pool if v.type == type_ and v.equation is not None]
    return b.recent(results) if results and b.chance(0.8) else b.like(type_)


def write_again(b: Builder) -> None:
    """Write an earlier equation once more: the same, or one of its params or inputs is another."""
    earlier: Equation = b.one_of(b.equations)
    b.word = earlier.primitive.name
    params = dict(earlier.params)
    if "reverse" in params and b.chance(0.4):
        params["reverse"] = not params["reverse"]
    elif "body" in params and b.chance(0.6):
        body: Program = params["body"]
        given = [*body.inputs, *(v for e in body.equations for v in e.inputs)]
        if given:
            more = [*body.outputs, b.one_of(given)]
            params["body"] = Program(body.inputs, body.equations, more)
    inside = sum(1 for body in all_programs_in(params) for _ in body.equations)
    if b.budget.left <= inside:
        raise Rejected
    inputs = list(earlier.inputs)
    floats = [i for i, value in enumerate(inputs) if value.dtype.kind == "f"]
    if floats and b.chance(0.4):
        place = b.one_of(floats)
        inputs[place] = b.leaf(inputs[place].type)
    b.write(b.word, *inputs, **params)
    b.budget.left -= inside


def all_programs_in(params: Mapping[str, Any]) -> Iterator[Program]:
    """The Programs in the params of an equation, those inside of them included."""
    for _, program in programs_in(params):
        yield program
        for equation in program.equations:
            yield from all_programs_in(equation.params)
