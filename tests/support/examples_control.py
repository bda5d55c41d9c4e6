"""Examples of the primitives that hold Programs: loops, loops in loops, and choices."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from clearprop.dtypes import I64
from clearprop.ir.program import Program
from clearprop.ir.value import Value
from clearprop.primitives import (
    add,
    branch,
    constant_like,
    dynamic_slice,
    dynamic_update,
    gather,
    multiply,
    reshape,
    scan,
    sin,
    tanh,
)
from tests.support.example import Example, Input, floats


def body_of(function: Callable[..., list[Value]], *types: Input) -> Program:
    inputs = [Value(each.type) for each in types]
    return Program.under(function(*inputs), inputs)


def number(index: int) -> Input:
    return Input((), I64, given=(index,))


# -- loops --------------------------------------------------------------------

RECURRENCE = body_of(
    lambda state, x, weight: [
        tanh(add(multiply(weight, state), x)),
        multiply(weight, x),
    ],
    *(floats(3), floats(3), floats(3)),
)


def _nested(outer_reverse: bool, inner_length: int) -> Example:
    """A recurrence over rows inside of a recurrence over tables."""

    def outer(state: Value, table: Value, weight: Value) -> list[Value]:
        last, rows = scan(
            RECURRENCE, [state], [table], [weight], length=inner_length, reverse=not outer_reverse
        )
        return [multiply(last, weight), rows, last]

    body = body_of(outer, floats(3), floats(inner_length, 3), floats(3))
    return Example(
        "scan",
        (floats(3), floats(2, inner_length, 3), floats(3)),
        {
            "body": body,
            "carry_count": 1,
            "step_count": 1,
            "length": 2,
            "reverse": outer_reverse,
        },
    )


def _history() -> Example:
    """Each step reads two rows that earlier steps wrote, and writes its own."""

    def step(history: Value, at: Value, parent: Value, row: Value) -> list[Value]:
        zero = constant_like(0, at)
        earlier = gather(history, parent, axis=0)
        before = reshape(dynamic_slice(history, at, zero, sizes=(1, 2)), shape=(2,))
        new = tanh(add(multiply(earlier, row), sin(before)))
        after = dynamic_update(
            history, reshape(new, shape=(1, 2)), add(at, constant_like(1, at)), zero
        )
        return [after, add(at, constant_like(1, at)), new]

    body = body_of(step, floats(4, 2), number(0), number(0), floats(2))
    return Example(
        "scan",
        (floats(4, 2), number(0), Input((3,), I64, given=(0, 0, 2)), floats(3, 2)),
        {"body": body, "carry_count": 2, "step_count": 2, "length": 3, "reverse": False},
    )


LOOPS = [
    *(
        Example(
            "scan",
            (floats(3), floats(length, 3), floats(3)),
            {
                "body": RECURRENCE,
                "carry_count": 1,
                "step_count": 1,
                "length": length,
                "reverse": reverse,
            },
        )
        for length, reverse in ((4, False), (3, True), (1, False), (0, False), (0, True))
    ),
    *(_nested(reverse, length) for reverse, length in ((False, 3), (True, 1), (False, 0))),
    _history(),
]

# -- choices ------------------------------------------------------------------

PRODUCT = body_of(lambda x, y: [multiply(x, y), sin(x)], floats(3), floats(3))
FIRST = body_of(lambda x, y: [x, x], floats(3), floats(3))
NEITHER = body_of(lambda x, y: [constant_like(2, x), constant_like(3, y)], floats(3), floats(3))


def _nested_choice(index: int) -> Example:
    inner = body_of(
        lambda which, x, y: [*branch(which, y, x, bodies=(PRODUCT, FIRST))],
        *(number(0), floats(3), floats(3)),
    )
    outer = body_of(lambda which, x, y: [y, tanh(x)], number(0), floats(3), floats(3))
    inputs = (number(index), number(0), floats(3), floats(3))
    return Example("branch", inputs, {"bodies": (outer, inner)})


def _choice_in_a_loop() -> Example:
    """At each step its own body."""

    def step(state: Value, which: Value, x: Value) -> list[Value]:
        return [*branch(which, state, x, bodies=(PRODUCT, FIRST, NEITHER))]

    body = body_of(step, floats(3), number(0), floats(3))
    return Example(
        "scan",
        (floats(3), Input((4,), I64, given=(0, 1, 2, 0)), floats(4, 3)),
        {"body": body, "carry_count": 1, "step_count": 2, "length": 4, "reverse": False},
    )


BRANCHES = [
    *(
        Example("branch", (number(index), floats(3), floats(3)), {"bodies": (PRODUCT, FIRST)})
        for index in (0, 1)
    ),
    Example("branch", (number(0), floats(3), floats(3)), {"bodies": (PRODUCT,)}),
    Example(
        "branch",
        (number(0),),
        {"bodies": (Program([], [], [Value.leaf(np.array([1.0, 2.0]))]),)},
    ),
    *map(_nested_choice, (0, 1)),
    _choice_in_a_loop(),
]
