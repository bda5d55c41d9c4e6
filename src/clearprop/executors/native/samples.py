"""The samples of a small step: what all its kernels divide among their tasks.

A step of some microseconds has no time for threads that wait for one another at each kernel.  If
each task has the same samples everywhere they run without waiting (``bundles``): in training from
the first layer to the last and back, until the gradients of the weights are added up; in a
recurrence from the first step in time to the last, for each sample depends on nothing but itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from clearprop.executors.native.groups import CONTRACTIONS, MAPS, REDUCTIONS
from clearprop.executors.native.kernels.affine import VIEWS
from clearprop.executors.native.kernels.kernel import MULTIPLY_ADDS_PER_SECOND, Samples
from clearprop.executors.native.kernels.task_groups import task_limit
from clearprop.executors.native.llvm.machine import Machine
from clearprop.ir.program import Program
from clearprop.ir.value import Equation, Value

_TASKS = 2
LEAST_SECONDS, _MOST_SECONDS = 8e-6, 1e-4  # of all products, by the estimate
_LEAST_SAMPLES = 4  # of a task
_FULL_TILES = 16  # samples of a task whose tiles are as good as any


def products_seconds(program: Program) -> float:
    """About how long all products take on one thread."""
    return sum(2 * products(each) for each in contractions(program)) / MULTIPLY_ADDS_PER_SECOND


def divided_samples(program: Program, rows: Set[Value]) -> Samples | None:
    """The samples of a round of a loop, if its kernels should divide them.

    Args:
        program: of the round.
        rows: inputs that are others in each round: one number or more for each sample.
    """
    count = _count(rows)
    if count is None or not LEAST_SECONDS <= products_seconds(program) <= _MOST_SECONDS:
        return None
    values = _by_sample(program, rows, count)
    if not all(_is_by_sample(each, values) for each in contractions(program)):
        return None
    return Samples(count, _TASKS, values)


def recurrent_samples(
    machine: Machine,
    program: Program,
    rows: Set[Value],
    carried: Sequence[tuple[Value, Value]],
    lasting: Set[Value],
) -> Samples | None:
    """The samples of a round of a recurrence, if its kernels should divide them.

    They should if the products in it multiply samples by weights that are the same in all rounds,
    and are few enough to stay in each core's second cache: each thread reads all of them.

    Args:
        machine: for which processor.
        program: of the round.
        rows: inputs that are others in each round: one number or more for each sample.
        carried: what a round hands on to the next, as it was before and is after.
        lasting: inputs that are the same in all rounds.
    """
    found, count = contractions(program), _count(rows)
    most = task_limit(sum(2 * products(each) for each in found))
    if not found or count is None or most < _TASKS:
        return None
    weights = {_shown(each.inputs[1]) for each in found}
    size = sum(each.type.size_bytes for each in weights)
    if not weights <= lasting or size > machine.level2_bytes // 2:
        return None
    own = _carried_by_sample(program, rows, carried, count)
    values = _by_sample(program, rows | own, count)
    if not own or not all(each.inputs[0] in values and _are_rows(each) for each in found):
        return None
    tasks = _TASKS
    while count % (2 * tasks) == 0 and count // (2 * tasks) >= _FULL_TILES and 2 * tasks <= most:
        tasks *= 2
    return Samples(count, tasks, values)


def contractions(program: Program) -> list[Equation]:
    """The contractions of a Program, in order."""
    return [each for each in program.equations if each.primitive.name in CONTRACTIONS]


def _count(rows: Set[Value]) -> int | None:
    """How many samples there are, if so many can be divided."""
    counts = {value.shape[0] for value in rows if value.shape}
    if len(counts) != 1:
        return None
    (count,) = counts
    return None if count // _TASKS < _LEAST_SAMPLES else count


def _carried_by_sample(
    program: Program, rows: Set[Value], carried: Sequence[tuple[Value, Value]], count: int
) -> Set[Value]:
    """What is carried that has a row for each sample before a round, and after it."""
    found = {before for before, _ in carried if before.shape[:1] == (count,)}
    while True:
        values = _by_sample(program, rows | found, count)
        lost = {before for before, after in carried if before in found and after not in values}
        if not lost:
            return found
        found -= lost


def _shown(value: Value) -> Value:
    """What is seen through views."""
    while value.equation is not None and value.equation.primitive.name in VIEWS:
        value = value.equation.inputs[0]
    return value


def products(equation: Equation) -> int:
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
    x, y = equation.inputs
    if x not in values or equation.params["batch"][0]:
        return False
    return _are_rows(equation) or (sums_first(equation) and y in values)


def sums_first(equation: Equation) -> bool:
    """Whether a product sums over the first axes of both factors."""
    contract = equation.params["contract"]
    return bool(contract[0][:1] == contract[1][:1] == (0,))


def _are_rows(equation: Equation) -> bool:
    """Whether this is a product, and the first axis of its left factor one of its rows."""
    name, params = equation.primitive.name, equation.params
    return name == "dot_general" and 0 not in params["contract"][0] and not params["batch"][0]


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
    if name in CONTRACTIONS:
        return _are_rows(equation) and equation.inputs[0] in found
    if name in REDUCTIONS:
        return 0 not in _axes(params)
    if name == "transpose":
        return bool(params["order"][0] == 0)
    if name == "gather":
        return params["axis"] == 0 and equation.inputs[1] in found
    if name == "concatenate":
        return bool(params["axis"] != 0)
    if name == "slice":
        return equation.inputs[0].shape[0] == count
    return name in MAPS | {"reshape", "broadcast_to", "stop_gradient"}


def _axes(params: Mapping[str, object]) -> tuple[object, ...]:
    axes = params.get("axes")
    return axes if isinstance(axes, tuple) else (params.get("axis"),)
