"""What the Python functions that become bodies of loops and choices use from outside."""

from __future__ import annotations

from collections.abc import Sequence

from clearprop.errors import UnsupportedError
from clearprop.ir.place import here
from clearprop.ir.program import equations_under
from clearprop.ir.value import Equation, Value
from clearprop.tensor.parameter import Trace


def captured_by(outputs: Sequence[Value], inputs: Sequence[Value]) -> list[Value]:
    """Values from outside that ``outputs`` need: what does not depend on ``inputs``.

    Plain numbers are not captured; they stay constants of the body.
    """
    own = set(inputs)
    inner: set[Equation] = set()
    captured: dict[Value, None] = {}

    def is_outside(value: Value) -> bool:
        return value not in own and value.equation not in inner

    equations = equations_under(outputs, own.__contains__)
    for equation in equations:
        if not all(is_outside(value) for value in equation.inputs):
            inner.add(equation)
    reads = [value for equation in equations if equation in inner for value in equation.inputs]
    for value in [*reads, *outputs]:
        if is_outside(value) and (value.array is None or getattr(value, "tracked", False)):
            captured[value] = None
    return list(captured)


def refuse_updates(trace: Trace, word: str, place: str, *, needed: str) -> None:
    """Make sure that a traced body gave no variable a new value.

    Args:
        trace: of the body.
        word: what it is the body of.
        place: what that is, such as "loop".
        needed: how values can come out of it instead.

    Raises:
        UnsupportedError: it did.
    """
    if trace.updates:
        raise UnsupportedError(
            f"{word}: the body updates variables, which a {place} cannot keep",
            found=", ".join(parameter.name or "a parameter" for parameter in trace.updates),
            needed=needed,
            try_=f"call such layers outside of the {place}, or in inference mode",
            at=str(here()),
        )
