"""What holds for every Program, as checks that raise AssertionError where it does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import numpy as np

from clearprop.dtypes import F64
from clearprop.ir import serialize
from clearprop.ir.meaning import run
from clearprop.ir.printing import program_text
from clearprop.ir.program import Program
from clearprop.ir.value import Array, Value
from clearprop.ir.verify import verify
from clearprop.passes.gradient import value_and_gradients
from clearprop.passes.inline import inline
from clearprop.passes.simplify import simplify
from clearprop.primitives import add, cast, multiply, reduce_sum
from tests.support.random_control import all_programs_in
from tests.support.random_programs import Options, RandomProgram, random_program
from tests.support.shrinking import fails_like, shrink

Check = Callable[[RandomProgram], None]
_STEP = 1e-4


def check(keeps: Check, seed: int, options: Options = Options()) -> None:  # noqa: B008
    """Make sure that the random Program keeps the promise; if not, show a small one."""
    random = random_program(seed, options)
    try:
        keeps(random)
    except Exception as error:
        small = shrink(random, fails_like(keeps, error))
        told = f"seed {seed}, {options}: {keeps.__name__} fails on\n{small}\n{error}"
        raise AssertionError(told) from error


def same_bits(one: Sequence[Array], other: Sequence[Array]) -> None:
    """Equal types, shapes and bits; a NaN is a NaN, whatever its bits."""
    assert len(one) == len(other)
    for number, (a, b) in enumerate(zip(one, other, strict=True)):
        assert (a.dtype, a.shape) == (b.dtype, b.shape), f"output {number} is of another type"
        equal = _bits(a) == _bits(b)
        if a.dtype.kind == "f":
            equal |= np.isnan(a) & np.isnan(b)
        assert equal.all(), f"output {number} was\n{a!r}\nand is\n{b!r}"


def _bits(array: Array) -> Array:
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}").reshape(array.shape)


def outputs_of(program: Program, arrays: Sequence[Array]) -> list[Array]:
    """Its outputs for copies of these inputs, as copies."""
    return [array.copy() for array in run(program, [array.copy(order="K") for array in arrays])]


# -- the promises -----------------------------------------------------------------


def keeps_the_rules(random: RandomProgram) -> None:
    verify(random.program)
    for value, array in zip(random.program.inputs, random.arrays, strict=True):
        assert (value.shape, value.dtype) == (array.shape, array.dtype)


def has_one_text(random: RandomProgram) -> None:
    text = str(random.program)
    assert text == program_text(random.program)
    assert text.startswith("program(")
    equations = sum(1 for line in text.splitlines() if " = " in line and ": " in line)
    programs = [random.program]
    programs += [p for e in random.program.equations for p in all_programs_in(e.params)]
    assert equations >= sum(len(each.equations) for each in programs)
    for line in program_text(random.program, places=True).splitlines():
        assert line.partition("  # ")[0].rstrip() in text


def runs_the_same_again(random: RandomProgram) -> None:
    """The same bits twice, of the announced types; inputs and constants are not written into."""
    program, arrays = random
    held = [*arrays, *(v.array for v in program.constants if v.array is not None)]
    before = [array.copy() for array in held]
    first = run(program, arrays)
    kept = [array.copy() for array in first]
    same_bits(run(program, arrays), kept)
    same_bits(first, kept)
    same_bits(held, before)
    for value, array in zip(program.outputs, first, strict=True):
        assert (value.shape, value.dtype) == (array.shape, array.dtype)


def comes_back_from_json(random: RandomProgram) -> None:
    data, arrays = serialize.program_to_dict(random.program)
    again = serialize.program_from_dict(json.loads(json.dumps(data, allow_nan=False)), arrays)
    assert str(again) == str(random.program)
    same_bits(outputs_of(again, random.arrays), outputs_of(random.program, random.arrays))


def is_the_same_when_simplified(random: RandomProgram) -> None:
    program, arrays = random
    simple = simplify(program)
    verify(simple)
    assert simple.inputs == program.inputs
    same_bits(outputs_of(simple, arrays), outputs_of(program, arrays))
    assert program_text(simplify(simple)) == program_text(simple)


def is_the_same_when_inlined(random: RandomProgram) -> None:
    program, arrays = random
    inputs = [Value(value.type) for value in program.inputs]
    again = Program.under(inline(program, inputs), inputs)
    verify(again)
    same_bits(outputs_of(again, arrays), outputs_of(program, arrays))


def has_gradients(random: RandomProgram) -> None:
    """Its derivatives are a Program too, and the same when simplified."""
    program = _with_loss(random.program)
    if program is None:
        return
    derived = value_and_gradients(program, _floating(program))
    verify(derived)
    for value, derivative in zip(
        [program.inputs[i] for i in _floating(program)],
        derived.outputs[len(program.outputs) :],
        strict=True,
    ):
        assert derivative.type == value.type
    is_the_same_when_simplified(RandomProgram(derived, random.arrays))


def has_the_gradients_that_differences_say(random: RandomProgram) -> None:
    program, arrays = _with_loss(random.program), random.arrays
    if program is None:
        return
    by = _floating(program)
    rng = np.random.default_rng(0)
    ways = {i: rng.uniform(-1, 1, arrays[i].shape) for i in by}

    def loss(step: float) -> float:
        moved = [a + step * ways[i] if i in ways else a for i, a in enumerate(arrays)]
        return float(run(program, moved)[0])

    derivatives = outputs_of(value_and_gradients(program, by), arrays)[len(program.outputs) :]
    exact = sum(float((d * ways[i]).sum()) for i, d in zip(by, derivatives, strict=True))
    near, far = ((loss(h) - loss(-h)) / (2 * h) for h in (_STEP, 2 * _STEP))
    measured = (4 * near - far) / 3  # the error is of the fourth order in the step
    assert np.isfinite(exact)
    assert abs(exact - measured) <= 1e-6 * max(1, abs(exact)), f"{exact} is measured as {measured}"


def _with_loss(program: Program) -> Program | None:
    """The Program with a first output to differentiate: the sum of all floats, weighted."""
    rng = np.random.default_rng(1)
    loss: Value | None = None
    for output in program.outputs:
        if output.dtype.kind == "f":
            weights = Value.leaf(rng.uniform(0.5, 1.5, output.shape))
            axes = tuple(range(len(output.shape)))
            part = reduce_sum(multiply(cast(output, dtype=F64), weights), axes=axes)
            loss = part if loss is None else add(loss, part)
    return None if loss is None else Program.under([loss, *program.outputs], program.inputs)


def _floating(program: Program) -> list[int]:
    return [i for i, value in enumerate(program.inputs) if value.dtype.kind == "f"]


FOR_ALL: list[Check] = [
    keeps_the_rules,
    has_one_text,
    runs_the_same_again,
    comes_back_from_json,
    is_the_same_when_simplified,
    is_the_same_when_inlined,
    has_gradients,
]
FOR_SMOOTH: list[Check] = [has_the_gradients_that_differences_say, has_gradients]
