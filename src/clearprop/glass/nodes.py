"""What a picture of a graph shows: gates and leaves, without the helpers between them.

Operations spread and convert numbers by equations of their own.  A picture leaves these out: a
constant stands in the label of its gate, and a wire leads through to where its numbers come from.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from clearprop.errors import TraceError
from clearprop.glass.wording import Numbers, gate_label, name_text, number, numbers
from clearprop.ir.place import NOWHERE, Place
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.tensor.parameter import Parameter
from clearprop.tensor.tensor import Tensor, compute


@dataclass(frozen=True)
class Wire:
    """What a gate reads.

    Attributes:
        source: where the numbers come from.
        note: what was done to them on the way, such as ``spread to (5, 3)``, or "".
    """

    source: Node
    note: str


@dataclass(eq=False)
class Node:
    """One gate or leaf of the picture.

    Attributes:
        label: operation or name.
        type: shape and element type.
        is_gate: whether an operation gives it (or else it is a leaf).
        value: its numbers; None where there are none.
        gradient: its derivative; None where there is none.
        place: the user's line that wrote it; NOWHERE for leaves.
        is_left_out: whether it stands for a part of the graph that is not drawn.
        wires: what it reads, in order; constants are in the label.
    """

    label: str
    type: TensorType
    is_gate: bool
    value: Numbers | None = None
    gradient: Numbers | None = None
    place: Place = NOWHERE
    is_left_out: bool = False
    wires: list[Wire] = field(default_factory=list)


@dataclass(frozen=True)
class Drawn:
    """The part of a graph that a picture shows.

    Attributes:
        nodes: all nodes, each before those it reads; the first is the output.
        gate_count: number of gates in the whole graph.
        left_out_count: number of gates that are not drawn.
        has_gradients: whether ``backward()`` was called on the output or on something above it.
        has_parameters: whether anything in the graph can be learned.
    """

    nodes: tuple[Node, ...]
    gate_count: int
    left_out_count: int
    has_gradients: bool
    has_parameters: bool


def drawn_graph(output: Tensor, limit: int | None) -> Drawn:
    """The gates nearest to ``output``, at most ``limit`` of them, with what they read.

    Shapes:
        output: any
    """
    reads = _reads_under(output)  # nearest first
    gates = [value for value in reads if value.equation is not None]
    kept = set(gates if limit is None else gates[:limit])
    has_gradients = output.grad is not None
    nodes: dict[Value, Node] = {}

    def node_of(value: Value) -> Node:
        if value not in nodes:
            is_left_out = value.equation is not None and value not in kept
            nodes[value] = (
                Node("…", value.type, is_gate=True, is_left_out=True)
                if is_left_out
                else _node(value, with_gradient=has_gradients)
            )
        return nodes[value]

    node_of(output)
    for value in reads:
        if value in kept:
            node_of(value).wires = [Wire(node_of(v), note) for v, note in reads[value]]
    return Drawn(
        nodes=_consumers_first(nodes[output]),
        gate_count=len(gates),
        left_out_count=len(gates) - len(kept),
        has_gradients=has_gradients,
        has_parameters=output.tracked,
    )


def _reads_under(output: Value) -> dict[Value, list[tuple[Value, str]]]:
    """For each value of the picture what it reads by wire, the nearest to the output first."""
    reads: dict[Value, list[tuple[Value, str]]] = {}
    waiting = deque([output])
    seen = {output}
    while waiting:
        value = waiting.popleft()
        inputs = value.equation.inputs if value.equation is not None else ()
        reads[value] = [_source(given) for given in inputs if _constant(given) is None]
        for source, _ in reads[value]:
            if source not in seen:
                seen.add(source)
                waiting.append(source)
    return reads


# -- helpers between the gates --------------------------------------------------


def _step_down(value: Value) -> Value | None:
    """What ``value`` merely spreads or converts; None where it is more than that."""
    if value.equation is None or value.name:
        return None
    name = value.equation.primitive.name
    (below, *_) = value.equation.inputs or (value,)
    if name == "cast":
        return below
    if name != "broadcast_to":
        return None
    # Axes of length 1 that become longer are taken away first, by a reshape on the same line.
    inner = below.equation
    if inner is None or inner.primitive.name != "reshape" or below.name:
        return below
    lengths = [n for n in inner.inputs[0].shape if n != 1]
    is_same = lengths == [n for n in below.shape if n != 1]
    return inner.inputs[0] if is_same and inner.place == value.equation.place else below


def _source(value: Value) -> tuple[Value, str]:
    """Where the numbers of ``value`` come from, and what was done to them on the way."""
    source = value
    while (below := _step_down(source)) is not None:
        source = below
    notes = []
    if source.shape != value.shape:
        notes.append(f"spread to {value.shape}")
    if source.dtype != value.dtype:
        notes.append(f"as {value.dtype.name}")
    return source, ", ".join(notes)


def _constant(value: Value) -> str | None:
    """The text of a number without a name that was written into the formula."""
    source, _ = _source(value)
    array = source.array
    if source.equation is not None or array is None or not array.size or _is_named(source):
        return None
    is_one_number = not array.shape or not any(array.strides)  # spread numbers take no steps
    return number(array.flat[0].item()) if is_one_number else None


def _is_named(value: Value) -> bool:
    return bool(value.name) or _is_parameter(value)


def _is_parameter(value: Value) -> bool:
    return isinstance(value, Parameter) or (isinstance(value, Tensor) and value.owner is not None)


# -- nodes ------------------------------------------------------------------------


def _node(value: Value, *, with_gradient: bool) -> Node:
    equation = value.equation
    gradient = value.grad if with_gradient and isinstance(value, Tensor) else None
    return Node(
        label=_label(value),
        type=value.type,
        is_gate=equation is not None,
        value=_numbers(value),
        gradient=None if gradient is None else _numbers(gradient),
        place=NOWHERE if equation is None else equation.place,
    )


def _label(value: Value) -> str:
    name = name_text(value.name)
    equation = value.equation
    if equation is None:
        kind = "parameter" if _is_parameter(value) else "input" if value.is_placeholder else "data"
        return name or kind
    label = gate_label(equation, [_constant(given) for given in equation.inputs])
    if len(equation.types) > 1:
        label = f"{label}, result {value.index + 1} of {len(equation.types)}"
    return f"{name} = {label}" if name else label


def _numbers(value: Value) -> Numbers | None:
    try:
        return numbers(compute(value))
    except TraceError:  # it depends on an argument of a function that is being traced
        return None


def _consumers_first(output: Node) -> tuple[Node, ...]:
    """All nodes under ``output``, each before those it reads."""
    ordered: list[Node] = []
    seen: set[Node] = set()
    stack = [(output, False)]
    while stack:
        node, is_done = stack.pop()
        if is_done:
            ordered.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack += [(wire.source, False) for wire in node.wires]
    return tuple(reversed(ordered))
