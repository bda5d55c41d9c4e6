"""simplify: the same numbers, bit for bit, with less to compute."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clearprop as cp
from clearprop import ops
from clearprop import primitives as p
from clearprop.ir.meaning import run
from clearprop.ir.primitive import REGISTRY
from clearprop.ir.printing import program_text
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from clearprop.passes.constants import spread_constants
from clearprop.passes.gradient import differentiate
from clearprop.passes.prune import prune_scans
from clearprop.passes.simplify import simplify
from tests.ir.programs import ALL, inputs_of
from tests.support.examples import EXAMPLES, Example

PAIR = TensorType((2,), np.dtype(np.float64))
NUMBER = TensorType((), np.dtype(np.float64))


def same_bits(program: Program, arrays: list[Array]) -> Program:
    """The simplified Program; its outputs have been compared, and it cannot be simplified more."""
    before = [np.asarray(array) for array in run(program, arrays)]
    simple = simplify(program)
    for one, other in zip(run(simple, arrays), before, strict=True):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        assert one.tobytes() == other.tobytes()
    assert program_text(simplify(simple)) == program_text(simple)
    return simple


def words(program: Program) -> Iterator[str]:
    for equation in program.equations:
        yield equation.primitive.name
        for param in equation.params.values():
            if isinstance(param, Program):
                yield from words(param)


def derived(example: Example) -> Program:
    """The example, its derivatives, and theirs."""
    inputs = [Value(type_) for type_ in example.types]
    outputs: list[Value] = list(REGISTRY[example.name].apply_all(*inputs, **example.params))
    for _ in range(2):
        d_outputs = [p.constant_like(1, value) for value in outputs]
        firsts = differentiate(outputs, d_outputs, inputs, inputs)
        outputs += [value for value in firsts if value is not None]
    return Program.under(outputs, inputs)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_examples_and_their_derivatives_stay(example: Example) -> None:
    same_bits(derived(example), example.arrays())


@pytest.mark.parametrize("name", ALL)
def test_programs_stay(name: str) -> None:
    program = ALL[name]()
    same_bits(program, list(inputs_of(program)))


_UNARY: list[Callable[[Value], Value]] = [
    ops.negative, ops.exp, ops.absolute, ops.sign, ops.tanh, ops.square, ops.stop_gradient,
    lambda x: ops.reshape(x, (6,)), lambda x: ops.reshape(x, (2, 3)), lambda x: ops.transpose(x),
    lambda x: ops.add(x, 0.0), lambda x: ops.add(x, -0.0), lambda x: ops.multiply(x, 1.0),
    lambda x: ops.divide(1.0, x), lambda x: ops.multiply(x, 0.0), lambda x: ops.cast(x, "f8"),
    lambda x: ops.cast(ops.cast(x, "f4"), "f8"), lambda x: ops.add(x, np.full((1,), 2.0)),
]  # fmt: skip
_STEPS = st.lists(
    st.tuples(st.integers(0, len(_UNARY) - 1), st.integers(0, 99), st.integers(0, 99)),
    min_size=1,
    max_size=12,
)


@given(_STEPS, st.booleans())
def test_random_compositions_stay(steps: list[tuple[int, int, int]], odd: bool) -> None:
    x = Value(TensorType((2, 3), np.dtype(np.float64)))
    values: list[Value] = [x]
    for which, one, other in steps:
        value = _UNARY[which](values[one % len(values)])
        fellow = values[other % len(values)]
        values.append(ops.add(value, fellow) if value.shape == fellow.shape else value)
    array = np.array([[np.nan, -0.0, 0.0], [np.inf, -1.5, 2.0]]) if odd else np.ones((2, 3))
    same_bits(Program.under(values[-3:], [x]), [array])


# -- once ---------------------------------------------------------------------------


def test_equal_equations_become_one() -> None:
    x = Value(PAIR)
    program = Program.under([ops.add(ops.exp(x), ops.multiply(ops.exp(x), 2.0)), ops.exp(x)], [x])
    assert list(words(same_bits(program, [np.ones(2)]))).count("exp") == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (0.0, -0.0),
        (1.0, np.nextafter(1.0, 2)),
        (np.nan, np.frombuffer(np.uint64(0x7FF8000000000001).tobytes())[0]),
    ],
)
def test_constants_are_one_only_if_their_bits_are(one: float, other: float) -> None:
    x = Value(NUMBER)
    twice = [p.divide(x, Value.leaf(np.array(each))) for each in (one, other, one)]
    simple = same_bits(Program.under(twice, [x]), [np.array(1.0)])
    assert list(words(simple)) == ["divide", "divide"]


def test_an_input_is_no_constant_even_if_it_has_numbers() -> None:
    x, constant = Value.leaf(np.array(2.0)), Value.leaf(np.array(2.0))
    program = Program.under([p.multiply(x, x), p.multiply(x, constant)], [x])
    assert run(simplify(program), [np.array(3.0)]) == [9.0, 6.0]


def test_an_input_may_come_from_elsewhere() -> None:
    x = Value(PAIR)
    middle = p.reshape(x, shape=(2, 1))
    program = Program.under([p.reshape(middle, shape=(1, 2)), p.exp(middle)], [middle])
    assert len(same_bits(program, [np.ones((2, 1))]).inputs) == 1


def test_what_changes_nothing_goes() -> None:
    x = Value(TensorType((2, 3), np.dtype(np.float64)))
    same = ops.reshape(ops.reshape(ops.reshape(x, (6,)), (3, 2)), (2, 3))
    same = p.transpose(p.cast(p.stop_gradient(same), dtype=same.dtype), order=(0, 1))
    simple = same_bits(Program.under([same], [x]), [np.ones((2, 3))])
    assert simple.equations == ()
    assert simple.outputs == (x,)


def test_different_random_numbers_stay_apart() -> None:
    keys = [Value.leaf(np.array([1, n], np.uint32)) for n in (1, 1, 2)]
    counter = Value.leaf(np.array([0, 0], np.uint32))
    draws = [p.random_bits(key, counter, shape=(2,)) for key in keys]
    again = p.random_bits(keys[0], counter, shape=(2,))
    longer = p.random_bits(keys[0], counter, shape=(3,))
    simple = same_bits(Program.under([*draws, again, longer], []), [])
    assert list(words(simple)).count("random_bits") == 4
    first, equal, other, *_ = run(simple, [])
    np.testing.assert_array_equal(first, equal)
    assert not np.array_equal(first, other)


# -- constants ----------------------------------------------------------------------


def test_a_repeated_number_is_held_once() -> None:
    x = Value(TensorType((300, 400)))
    spread = np.broadcast_to(np.float32(-0.0), (300, 400))
    partly = np.broadcast_to(np.arange(400, dtype=np.float32), (300, 400))
    program = Program.under([p.add(p.add(x, Value.leaf(spread)), Value.leaf(partly))], [x])
    (stand_in,) = spread_constants(program).values()
    (number,) = stand_in.equation.inputs
    assert number.shape == ()
    assert np.signbit(number.array)
    simple = same_bits(program, [np.full((300, 400), -0.0, np.float32)])
    assert sorted(value.array.size for value in simple.constants) == [1, 300 * 400]


def test_a_number_in_a_formula_is_a_number_in_the_program() -> None:
    text = str(cp.compile(lambda x: x * 2 + 2).program(np.ones((5, 5))))
    assert text.count("broadcast_to 2.0") == 1
    assert "constant" not in text


# -- loops --------------------------------------------------------------------------


def rnn(x: Any, rows: Any, weight: Any) -> Any:
    def body(state: Any, row: Any) -> Any:
        state = cp.tanh(state @ weight + row)
        return state, (state * 2, cp.exp(row))

    last, (outputs, _) = cp.scan(body, x, rows)
    return (last * outputs).sum()


ROWS = np.random.default_rng(0).normal(size=(4, 2))
ARGUMENTS = np.ones(2), ROWS, np.array([[0.5, 0.1], [0.2, -0.3]])


def loops(text: str) -> int:
    return len(re.findall(r"= scan ", text))


def compare(function: Callable[..., Any], *arguments: Array) -> str:
    """The Program's text; its numbers have been compared with the plain function's."""
    compiled = cp.compile(function, executor="reference")
    expected, found = function(*map(cp.tensor, arguments)), compiled(*arguments)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    program = compiled.program(*arguments)
    assert program_text(simplify(program)) == program_text(program)
    return str(program)


def test_a_loop_and_its_gradient_are_two_loops() -> None:
    function = cp.value_and_grad(rnn, argnums=(0, 2))
    text = compare(lambda *args: (lambda v, d: (v, *d))(*function(*args)), *ARGUMENTS)
    assert loops(text) == 2
    assert "exp" not in text  # nobody reads that output


def test_the_gradient_alone_runs_the_loop_once_each_way() -> None:
    assert loops(compare(cp.grad(rnn, argnums=(0, 1, 2)), *ARGUMENTS)) == 2


def test_the_backward_loop_runs_an_inner_loop_again_rather_than_keep_all_its_steps() -> None:
    def loss(x: Any, rows: Any) -> Any:
        def outer(carry: Any, row: Any) -> Any:
            last, outputs = cp.scan(lambda c, r: (c * r + row.sum(), c), carry, row * x)
            return last, outputs.sum()

        last, sums = cp.scan(outer, x.sum(), rows)
        return last + sums.sum()

    text = compare(cp.grad(loss, argnums=(0, 1)), np.ones(2), ROWS)
    assert loops(text) == 5  # two outer ones; inner: forward, and again with its way back


def test_two_loops_that_give_the_same_stay_apart_if_one_carries() -> None:
    c = Value(NUMBER)
    inside = Value(NUMBER)
    body = Program.under([p.add(inside, inside)], [inside])
    (last,) = p.scan(body, [c], [], [], length=3)
    (rows,) = p.scan(body, [], [], [c], length=3)
    simple = same_bits(Program.under([last, rows], [c]), [np.array(1.5)])
    assert [value.shape for value in simple.outputs] == [(), (3,)]


def test_what_nobody_reads_leaves_a_loop() -> None:
    def function(rows: Any, unread: Any) -> Any:
        def body(carry: Any, row: Any) -> Any:
            used, idle, feeding = carry
            x, y = row
            return (used + feeding, idle * y, feeding * 0.5), (cp.exp(y), used * x)

        (last, _, _), (_, outputs) = cp.scan(
            body, (cp.zeros((), "f8"), unread.sum(), cp.ones((), "f8")), (rows, unread)
        )
        return last, outputs

    text = compare(function, ROWS[:, 0], ROWS[:, 1])
    assert "exp" not in text
    assert "reduce_sum" not in text  # the idle carry's start is not computed either
    assert "carry_count=2 step_count=1" in text


def test_a_loop_whose_results_only_an_idle_loop_reads_goes_too() -> None:
    def function(rows: Any) -> Any:
        _, first = cp.scan(lambda c, r: (c, cp.tanh(r)), 0.0, rows)
        (_, kept), _ = cp.scan(
            lambda c, r: ((c[0] + r[0], c[1] * 2), None), (np.float64(0), 1.0), (first, rows)
        )
        return (kept,)

    text = compare(function, ROWS[:, 0])
    assert loops(text) == 1
    assert "tanh" not in text


def test_an_idle_input_of_an_inner_loop_leaves_the_outer_one() -> None:
    def function(rows: Any, idle: Any) -> Any:
        def outer(carry: Any, row: Any) -> Any:
            (last, _), _ = cp.scan(lambda c, r: ((c[0] + r, c[1] + idle), None), (carry, idle), row)
            return last, None

        return cp.scan(outer, np.float64(0), rows)[:1]

    text = compare(function, ROWS, np.array(3.0))
    assert "captured" not in text
    assert re.search(r"= scan \S+ \S+ carry_count=1 step_count=1", text)


def test_pruning_alone_keeps_the_numbers() -> None:
    program = ALL["loop"]()
    arrays = list(inputs_of(program))
    pruned = prune_scans(program)
    np.testing.assert_array_equal(run(pruned, arrays)[0], run(program, arrays)[0])
    assert len(pruned.equations[-2].types) <= len(program.equations[-2].types)


def test_loops_that_differ_in_what_nobody_reads_become_one() -> None:
    x, y, idle = Value(NUMBER), Value(NUMBER), Value(NUMBER)
    carry, passive = Value(NUMBER), Value(NUMBER)
    body = Program.under([carry, passive, carry], [carry, passive])
    sums = [p.scan(body, [x, other], [], length=2)[2] for other in (y, idle)]
    simple = same_bits(Program.under(sums, [x, y, idle]), [np.array(1.5)] * 3)
    assert list(words(simple)).count("scan") == 1
