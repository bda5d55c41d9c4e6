"""cp.compile: the same function as a Program per shape."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop import tree
from clearprop.errors import NotBuiltError, TraceError, UnknownNameError
from clearprop.functions.compiled import MOST_SIGNATURES
from clearprop.layers import BatchNormalization, Layer

X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


def line() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def gelu(x: Any) -> Any:
    return 0.5 * x * (1 + cp.erf(x / np.float32(2) ** 0.5))


@pytest.mark.parametrize(
    "function",
    [
        gelu,
        lambda x: {"sum": x.sum(), "both": (x, x.T), "none": None},
        lambda x: cp.scan(lambda c, r: (c * 0.5 + r, c), cp.zeros(3, x.dtype), x),
        cp.grad(lambda x: (gelu(x) ** 2).sum()),
        cp.jacobian(lambda x: cp.softmax(x[0])),
        lambda x: [cp.argmax(x, axis=1), x > 0, 3.0],
    ],
    ids=["formula", "nest", "scan", "grad", "jacobian", "mixed"],
)
def test_results_are_those_of_the_plain_function(function: Any) -> None:
    for x in (X, X[:2], X.astype(np.float64)):
        expected, structure = tree.flatten(function(cp.tensor(x)))
        found, found_structure = tree.flatten(cp.compile(function)(x))
        assert found_structure == structure
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one.numpy(), np.asarray(other), rtol=2e-6, atol=1e-7)


def test_each_shape_is_traced_once() -> None:
    traced: list[object] = []
    function = cp.compile(lambda x: traced.append(x.type) or x * 2)
    for x in (X, X + 1, X[:2], X[:2], X.astype(np.float64), X):
        np.testing.assert_array_equal(function(x).numpy(), 2 * x)
    assert len(traced) == 3


def test_the_program_can_be_read() -> None:
    text = str(cp.compile(lambda x, y: x + y).program([1.0, 2.0], 3.0))
    assert text == (
        "program(v0: f32[2], v1: f32[]):\n"
        "  v2: f32[2] = broadcast_to v1 shape=(2,) new_axes=(0,)\n"
        "  v3: f32[2] = add v0 v2\n"
        "  return v3"
    )


def test_parameters_are_read_anew() -> None:
    w, unread = cp.parameter(2.0, name="w"), cp.parameter(1.0)
    function = cp.compile(lambda x: (x * w, w, unread))
    assert [each.item() for each in function(3.0)] == [6.0, 2.0, 1.0]
    before = function(3.0)
    w.assign(5.0)
    unread.assign(7.0)
    assert [each.item() for each in function(3.0)] == [15.0, 5.0, 7.0]
    assert [each.item() for each in before] == [6.0, 2.0, 1.0]


def test_tensors_outside_are_constants() -> None:
    scale = cp.tensor([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(cp.compile(lambda x: x * scale)(X).numpy(), X * scale.numpy())


class Counting(Layer):
    """Counts its calls in a variable, and tells the count."""

    def build(self, _: Any) -> None:
        self.count = self.add_weight((), "zeros", name="count", trainable=False)

    def call(self, inputs: Any) -> Any:
        self.update(self.count, self.count + 1)
        return inputs + self.count


def test_variables_have_their_new_values_after_the_call() -> None:
    layer = Counting()
    layer.build(())
    twice = cp.compile(lambda x: layer(layer(x)))
    assert [twice(0.0).item() for _ in range(3)] == [3.0, 7.0, 11.0]
    assert layer.count.numpy() == 6


def test_a_variable_that_is_only_written_is_written() -> None:
    w = cp.parameter(1.0)

    class Writes(Layer):
        def call(self, inputs: Any) -> Any:
            self.update(w, inputs * 2)
            self.update(w, 4)
            return w

    assert cp.compile(Writes())(3.0).item() == 4.0
    assert w.item() == 4.0


def test_running_averages_follow_as_they_do_without_compiling() -> None:
    plain, compiled = BatchNormalization(), BatchNormalization()
    compiled.build((None, 3))
    function = cp.compile(lambda x: compiled(x, training=True))
    for factor in (1, 2, 3):
        expected = plain(X * np.float32(factor), training=True)
        found = function(X * np.float32(factor))
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-6)
    for one, other in zip(compiled.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_a_compiled_function_can_be_traced() -> None:
    w = cp.parameter(2.0)
    cube = cp.compile(lambda x: w * x**3)
    assert cp.grad(cube)(3.0).item() == 54.0
    outer = cp.compile(lambda x: cube(x) + cube(1.0))
    assert outer(2.0).item() == 18.0
    w.assign(1.0)
    assert outer(2.0).item() == 9.0
    last, _ = cp.scan(lambda c, r: (c + cube(r), None), 0.0, [1.0, 2.0])
    assert last.item() == 9.0
    last.backward()
    assert w.grad.item() == 9.0


def test_a_decision_by_an_argument_is_explained() -> None:
    with pytest.raises(TraceError, match="placeholder of an argument") as error:
        cp.compile(lambda x: x if x > 0 else -x)(1.0)
    assert error.value.at == f"{__file__}:{line() - 1}"


def changing(*calls: tuple[Any, ...]) -> str:
    """The one warning that calls with so many shapes give, at this file's line."""
    function = cp.compile(lambda *args: args[0])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for call in calls:
            function(*call)
    (warning,) = caught
    assert warning.filename == __file__
    return str(warning.message)


def test_a_shape_that_keeps_changing_is_named() -> None:
    many = range(1, MOST_SIGNATURES + 9)
    start = "more than 32 combinations of shapes were compiled; what changes is "
    assert changing(*((np.ones((4, n)), 1.0) for n in many)) == (
        start + "axis 1 of argument 0 (1, 2, 3, ...): pad it to a few sizes"
    )
    assert changing(*((np.ones((n, 2)), np.ones(2 * n)) for n in many)) == (
        start + "axis 0 of argument 0 (1, 2, 3, ...) and axis 0 of argument 1 (2, 4, 6, ...): "
        "pad it to a few sizes"
    )
    assert "what changes is the number of axes of argument 0:" in changing(
        *((np.ones((1,) * n),) for n in range(33))
    )
    assert "what changes is the nesting of the arguments:" in changing(
        *(([np.ones(2)] * n,) for n in many)
    )


def test_old_shapes_are_traced_again_when_they_come_back() -> None:
    traced: list[object] = []
    function = cp.compile(lambda x: traced.append(x.type) or x * 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for n in range(MOST_SIGNATURES + 1):
            function(np.ones(n))
    function(np.ones(MOST_SIGNATURES))
    assert len(traced) == MOST_SIGNATURES + 1
    assert function(np.ones(0)).shape == (0,)
    assert len(traced) == MOST_SIGNATURES + 2


def test_an_executor_is_honored_or_refused() -> None:
    assert cp.compile(gelu, executor="reference")(X).shape == X.shape
    with pytest.raises(UnknownNameError, match='did you mean "reference"') as error:
        cp.compile(gelu, executor="referense")
    assert str(error.value).startswith(
        "Choosing an executor: there is none called 'referense' here\n"
        "  found:  'referense' did you mean \"reference\"?\n"
        "  needed: native, reference"
    )
    assert error.value.at == f"{__file__}:{line() - 6}"


def test_explain_prints_the_stages(capsys: pytest.CaptureFixture[str]) -> None:
    function = cp.compile(lambda x: cp.softmax(x * 2.0))
    with pytest.raises(NotBuiltError, match="nothing has been compiled yet"):
        function.explain()
    function(X)
    function.explain()
    told = capsys.readouterr().out
    for part in ("Program: ", "Groups: 1", "Schedule: 1 kernel", "Memory: ", "reduce_max"):
        assert part in told
    assert "f32[4, 3]" in told
    function.explain(X[:2], llvm=True)
    told = capsys.readouterr().out
    assert "f32[2, 3]" in told
    assert "define void @" in told
