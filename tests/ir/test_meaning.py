"""Running a Program: the definition that every executor is compared with."""

from __future__ import annotations

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

from clearprop import ops
from clearprop import primitives as p
from clearprop.errors import LabelError, ShapeError, TraceError
from clearprop.executors.choose import choose_executor
from clearprop.executors.reference import compile_program, evaluate
from clearprop.ir.meaning import first_nonfinite, run, run_equation
from clearprop.ir.place import Place, at_place
from clearprop.ir.primitive import REGISTRY, Primitive, no_flops
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from tests.ir.programs import ALL, inputs_of
from tests.support.examples import EXAMPLES, Example

BIG = TensorType((250_000,), np.dtype(np.float64))  # 2 MB
NUMBER = TensorType((), np.dtype(np.float64))


def test_values_are_freed_after_their_last_reader() -> None:
    x = out = Value(BIG)
    for _ in range(30):
        out = p.add(p.exp(out), x)
    program, array = Program.under([out], [x]), np.zeros(250_000)
    run(Program.under([p.exp(x)], [x]), [array])
    tracemalloc.start()
    run(program, [array])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * array.nbytes  # sixty results were computed


def test_what_a_loop_gives_nobody_is_freed() -> None:
    x = Value(BIG)
    row = Value(NUMBER)
    body = Program.under([p.exp(x), row], [x, row])
    rows = Value(TensorType((3,), NUMBER.dtype))
    _, stacked = p.scan(body, [x], [rows], length=3)
    total = p.reduce_sum(
        p.exp(p.broadcast_to(stacked, shape=(3, 80_000), new_axes=(1,))), axes=(1,)
    )
    program, arrays = Program.under([total], [x, rows]), [np.zeros(250_000), np.zeros(3)]
    tracemalloc.start()
    run(program, arrays)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * arrays[0].nbytes


def test_a_program_is_not_kept_alive_by_having_run() -> None:
    x = Value(NUMBER)
    program = Program.under([p.exp(x)], [x])
    run(program, [np.array(1.0)])
    gone = weakref.ref(program)
    del program
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_inputs_and_constants_are_never_written_to(example: Example) -> None:
    inputs = [Value(type_) for type_ in example.types]
    program = Program.under(REGISTRY[example.name].apply_all(*inputs, **example.params), inputs)
    arrays = [array.copy() for array in example.arrays()]  # writable
    before = [array.tobytes() for array in arrays]
    first = [array.tobytes() for array in run(program, arrays)]
    assert [array.tobytes() for array in arrays] == before
    assert [array.tobytes() for array in run(program, arrays)] == first


def test_outputs_may_be_inputs_constants_and_repeated() -> None:
    x, constant = Value(NUMBER), Value.leaf(np.array(7.0))
    program = Program.under([x, constant, x, p.negate(x)], [x, Value(NUMBER)])
    assert run(program, [np.array(1.0), np.array(2.0)]) == [1.0, 7.0, 1.0, -1.0]


def test_results_are_arrays_even_where_numpy_gives_scalars() -> None:
    x = Value(NUMBER)
    for array in run(Program.under([p.exp(x), p.less(x, x)], [x]), [np.array(0.0)]):
        assert type(array) is np.ndarray


def test_warnings_of_numpy_stay_inside() -> None:
    x = Value(NUMBER)
    program = Program.under([p.log(x), p.divide(x, x)], [x])
    assert np.isneginf(run(program, [np.array(0.0)])[0])


def test_an_error_knows_its_line() -> None:
    def refuse(x: Array) -> Array:
        raise LabelError("Looking up a row: there is none", found="9", needed="0 to 3")

    refusing = Primitive(
        "refusing_for_a_test",
        infer=lambda x: x,
        meaning=refuse,
        gradient=None,
        flops=no_flops,
    )
    try:
        x = Value(NUMBER)
        with at_place(Place("train.py", 12, "net/embedding")):
            program = Program.under([refusing.apply(x)], [x])
        expected = (
            "Looking up a row: there is none\n"
            "  found:  9\n"
            "  needed: 0 to 3\n"
            "  at:     train.py:12 in net/embedding"
        )
        with pytest.raises(LabelError) as error:
            run(program, [np.array(1.0)])
        assert str(error.value) == expected
        with pytest.raises(LabelError) as error:
            run_equation(program.equations[0], [np.array(1.0)])
        assert str(error.value) == expected
    finally:
        del REGISTRY["refusing_for_a_test"]


def test_a_placeholder_of_another_program_is_refused() -> None:
    x, other = Value(NUMBER), Value(NUMBER, name="lost")
    with pytest.raises(TraceError) as error:
        run(Program.under([p.add(x, other)], [x]), [np.array(1.0)])
    assert str(error.value) == (
        "Listing a Program: a value belongs to another, finished computation\n"
        "  found:  a placeholder lost of type f64[]\n"
        "  needed: one of this computation's own inputs\n"
        "  try:    return it from the function it was made in, or pass it as an argument"
    )


def test_the_first_number_that_breaks_is_found() -> None:
    x = Value(NUMBER)
    fine, broken = ops.exp(x), ops.log(ops.subtract(x, 2.0))
    program = Program.under([ops.multiply(ops.add(broken, fine), 2.0)], [x])
    found = first_nonfinite(program, [np.array(1.0)])
    assert found is not None
    assert found.equation is broken.equation
    assert np.isnan(found.array)
    assert first_nonfinite(program, [np.array(3.0)]) is None
    assert first_nonfinite(program, [np.array(np.nan)]) is None  # it came in broken


# -- the reference executor ------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_a_compiled_program_gives_what_it_means(name: str) -> None:
    program = ALL[name]()
    arrays = list(inputs_of(program))
    call = compile_program(program)
    for _ in range(2):
        for one, other in zip(call(arrays), run(program, arrays), strict=True):
            np.testing.assert_array_equal(one, other)


def test_values_are_evaluated_with_feeds() -> None:
    x, y = Value(NUMBER), Value(NUMBER)
    feeds = {x: np.array(2.0), y: np.array(3.0)}
    assert evaluate([p.multiply(x, y), y], feeds) == [6.0, 3.0]
    assert evaluate([Value.leaf(np.array(4.0))]) == [4.0]
    assert choose_executor().compile_program(Program.under([x], [x]))([np.array(5.0)]) == [5.0]


def test_shapes_are_checked_when_written_not_when_run() -> None:
    with pytest.raises(ShapeError):
        p.add(Value(BIG), Value(NUMBER))
