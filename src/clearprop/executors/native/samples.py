"""The samples of a small step of training: what its kernels divide among their tasks.

A step of some microseconds has no time for threads that wait for one another at each kernel.  If
each task has the same samples everywhere, from the first layer to the last and back, they run
without waiting (``bundles``), and meet where the gradients of the weights are added up.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

from clearprop.executors.native.groups import CONTRACTIONS, MAPS, REDUCTIONS
from clearprop.executors.native.kernels.kernel import MULTIPLY_ADDS_PER_SECOND, Samples
from clearprop.ir.program import Program
from clearprop.ir.value import Equation, Value

_TASKS = 2
_LEAST_SECONDS, _MOST_SECONDS = 8e-6, 1e-4  # of all products, by the estimate
_LEAST_SAMPLES = 4  # of a task


def divided_samples(program: Program, rows: Set[Value]) -> Samples | None:
    """The samples of a round of a loop, if its kernels should divide them.

    Args:
        program: of the round.
        rows: inputs that are others in each round: one number or more for each sample.
    """
    contractions = [each for each in program.equations if each.primitive.name in CONTRACTIONS]
    flops = sum(2 * _products(each) for each in contractions)
    if not _LEAST_SECONDS <= flops / MULTIPLY_ADDS_PER_SECOND <= _MOST_SECONDS:
        return None
    counts = {value.shape[0] for value in rows if value.shape}
    if len(counts) != 1:
        return None
    (count,) = counts
    if count % _TASKS or count // _TASKS < _LEAST_SAMPLES:
        return None
    values = _by_sample(program, rows, count)
    if not all(_is_by_sample(each, values) for each in contractions):
        return None
    return Samples(count, _TASKS, values)


def _products(equation: Equation) -> int:
    """How many products a matrix product adds up; of other contractions too many to be small."""
    if equation.primitive.name != "dot_general":
        return 1 << 40
    x, _ = equation.inputs
    products = equation.types[0].size
    for axis in equation.params["contract"][0]:
        products *= x.shape[axis]
    return products


def _is_by_sample(equation: Equation, values: Set[Value]) -> bool:
    """Whether a product's rows, or what it sums over, are the samples."""
    contract, batch = equation.params["contract"], equation.params["batch"]
    x, y = equation.inputs
    if x not in values or batch[0]:
        return False
    if 0 not in contract[0]:
        return True
    return contract[0][0] == contract[1][0] == 0 and y in values


def _by_sample(program: Program, rows: Set[Value], count: int) -> Set[Value]:
    """The values whose first axis are the samples."""
    found = set(rows)
    for equation in program.equations:
        if any(each in found for each in equation.inputs) and _keeps_first(equation, found, count):
            found.update(each for each in program.results[equation] if each is not None)
    return found


def _keeps_first(equation: Equation, found: Set[Value], count: int) -> bool:
    """Whether the first axis of a result is that of an input with a row for each sample."""
    name, params, shape = equation.primitive.name, equation.params, equation.types[0].shape
    if not shape or shape[0] != count:
        return False
    if name == "dot_general":
        is_free = 0 not in params["contract"][0] and not params["batch"][0]
        return is_free and equation.inputs[0] in found
    if name in REDUCTIONS:
        return 0 not in _axes(params)
    if name == "transpose":
        return bool(params["order"][0] == 0)
    if name == "gather":
        return params["axis"] == 0 and equation.inputs[1] in found
    return name in MAPS | {"reshape", "broadcast_to", "stop_gradient"}


def _axes(params: Mapping[str, object]) -> tuple[object, ...]:
    axes = params.get("axes")
    return axes if isinstance(axes, tuple) else (params.get("axis"),)
