"""PyTorch's samples for its operations, computed by both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.testing._internal.common_methods_invocations import (  # noqa: PLC2701 - its only home
    op_db,
)

from clearprop.errors import ClearPropError
from clearprop.executors.reference import evaluate
from clearprop.ir.value import Array, Value
from clearprop.passes.gradient import differentiate
from clearprop.tensor import Tensor
from tests.reference.opinfo.helpers import NotHere, leave_out
from tests.reference.opinfo.table import COUNTERPARTS

RTOL, ATOL = 1e-9, 1e-11
COARSE = {"nn.functional.hardsigmoid": 1e-7}  # PyTorch's slope is 1/6 rounded to float32
# At least so many of each, so that nothing is left out unnoticed.
LEAST = {"samples": 5630, "derivatives": 5780, "refused": 190}
WITH_PLACES = {f"nn.functional.max_pool{n}d" for n in (1, 2, 3)}  # theirs tell where, if asked


def _name(op: Any) -> str:
    return f"{op.name}.{op.variant_test_name}" if op.variant_test_name else str(op.name)


OPERATIONS = {_name(op): op for op in op_db}


class Outcome(NamedTuple):
    """What became of a sample.

    Attributes:
        reason: why it was left out; "" where it was compared.
        gradients: how many derivatives were compared.
    """

    reason: str = ""
    gradients: int = 0


def samples(name: str, most: int | None = None) -> Iterator[Any]:
    """The operation's samples, always the same; whole numbers where it takes no others."""
    op = OPERATIONS[name]
    torch.manual_seed(0)
    dtype = torch.float64 if torch.float64 in op.dtypes else torch.int64
    requires_grad = op.supports_autograd and dtype == torch.float64
    yield from islice(op.sample_inputs("cpu", dtype, requires_grad=requires_grad), most)


def error_samples(name: str) -> list[Any]:
    op = OPERATIONS[name]
    if op.error_inputs_func is None:
        return []
    torch.manual_seed(0)
    return list(op.error_inputs("cpu"))


def converted(nest: Any, leaves: list[tuple[torch.Tensor, Tensor]]) -> Any:
    """The same with our Tensors in place of PyTorch's; the pairs are added to ``leaves``."""
    if isinstance(nest, torch.Tensor):
        for theirs, ours in leaves:
            if theirs is nest:
                return ours
        leave_out(nest.is_complex(), "complex numbers")
        leave_out(nest.ndim > 64, "more axes than NumPy has")
        own = Tensor.leaf(nest.detach().numpy().copy())
        own.tracked = True  # what is made of it remembers so, and any executor can compute it
        leaves.append((nest, own))
        return own
    if isinstance(nest, torch.Size):
        return tuple(nest)
    if isinstance(nest, (list, tuple)):
        return type(nest)(converted(part, leaves) for part in nest)
    if isinstance(nest, dict):
        return {key: converted(value, leaves) for key, value in nest.items()}
    return nest


def refusal(name: str, sample: Any) -> str:
    """What we say to a sample that PyTorch refuses; "" where we compute it.

    Raises:
        NotHere: it asks for what ClearProp does not have.
    """
    try:
        for result in call_ours(name, sample, []):
            np.asarray(result)
    except ClearPropError as error:
        return str(error)
    return ""


def flat(result: Any) -> list[Any]:
    if isinstance(result, (tuple, list)):
        return [part for each in result for part in flat(each)]
    return [result]


def call_ours(name: str, sample: Any, leaves: list[tuple[torch.Tensor, Tensor]]) -> list[Any]:
    leave_out("out" in sample.kwargs, "a place to store the result")
    input_, args, kwargs = (
        converted(each, leaves) for each in (sample.input, sample.args, sample.kwargs)
    )
    return flat(COUNTERPARTS[name](input_, *args, **kwargs))


class Question(NamedTuple):
    """A sample as it is computed here, and what PyTorch says to it.

    Attributes:
        inputs: the sample's arrays.
        values: results and derivatives, to be computed by some executor.
        expected: for each of them PyTorch's numbers.
        gradients: how many of them are derivatives.
        rtol: how far they may be off.
    """

    inputs: list[Tensor]
    values: list[Value]
    expected: list[Array]
    gradients: int
    rtol: float

    def check(self, found: Sequence[Array]) -> None:
        """Make sure that numbers of the values are PyTorch's."""
        for own, other in zip(found, self.expected, strict=True):
            _same(own, other, self.rtol)


def question(name: str, sample: Any) -> Question:
    """What is to be computed of a sample: values, and derivatives in a random direction.

    Raises:
        NotHere: it asks for what ClearProp does not have.
    """
    leaves: list[tuple[torch.Tensor, Tensor]] = []
    ours = call_ours(name, sample, leaves)
    with torch.enable_grad():
        theirs = flat(OPERATIONS[name].op(sample.input, *sample.args, **sample.kwargs))
    if name in WITH_PLACES:
        theirs = theirs[:1]
    assert len(ours) == len(theirs)
    values, expected = list(ours), [other.detach().numpy(force=True) for other in theirs]
    for own, other in zip(ours, expected, strict=True):
        assert own.dtype == other.dtype
    found, wanted = _gradients(ours, theirs, leaves)
    inputs = [own for _, own in leaves]
    rtol = COARSE.get(name, RTOL)
    return Question(inputs, values + found, expected + wanted, len(found), rtol)


def compare(name: str, sample: Any) -> Outcome:
    """Make sure that values and derivatives are the same, by the definitions."""
    try:
        asked = question(name, sample)
    except NotHere as reason:
        return Outcome(str(reason))
    asked.check(evaluate(asked.values))
    return Outcome("", asked.gradients)


def _gradients(
    ours: list[Any], theirs: list[torch.Tensor], leaves: list[tuple[torch.Tensor, Tensor]]
) -> tuple[list[Value], list[Array]]:
    """The derivatives by all inputs that have some: ours, to be computed, and PyTorch's."""
    inputs = [pair for pair in leaves if pair[0].requires_grad]
    outputs = [pair for pair in zip(ours, theirs, strict=True) if pair[1].requires_grad]
    if not inputs or not outputs:
        return [], []
    rng = np.random.default_rng(0)
    directions = [np.asarray(rng.normal(size=own.shape)).astype(own.dtype) for own, _ in outputs]
    expected = torch.autograd.grad(
        [other for _, other in outputs],
        [other for other, _ in inputs],
        [torch.from_numpy(direction) for direction in directions],
        allow_unused=True,
    )
    found = differentiate(
        [own for own, _ in outputs],
        [Value.leaf(direction) for direction in directions],
        [own for _, own in inputs],
    )
    zeros = [np.zeros(own.shape) for _, own in inputs]
    return (
        [
            Value.leaf(zero) if value is None else value
            for value, zero in zip(found, zeros, strict=True)
        ],
        [
            zero if other is None else other.numpy(force=True)
            for other, zero in zip(expected, zeros, strict=True)
        ],
    )


def _same(found: Any, expected: Any, rtol: float) -> None:
    assert found.shape == expected.shape
    rtol = 1e-6 if expected.dtype == np.float32 else rtol
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=ATOL * (1 + _largest(expected)))


def _largest(array: Any) -> float:
    finite = np.abs(array[np.isfinite(array)]) if array.dtype.kind == "f" else np.zeros(0)
    return float(finite.max(initial=0.0))
