"""A graph as text: a tree from the output down to the leaves, with its numbers in columns."""

from __future__ import annotations

import linecache
from collections import Counter
from pathlib import PurePath

from clearprop.dtypes import short_name
from clearprop.glass.nodes import Drawn, Node
from clearprop.glass.wording import NOTHING, Numbers
from clearprop.ir.place import NOWHERE, Place

_LONGEST_SOURCE = 60


def outline(drawn: Drawn, *, lines: bool | None = None) -> str:
    """The text drawing of a graph.

    What several gates read is drawn where it is met first, with a mark such as ``[1]``; everywhere
    else stands ``↑ [1]``.

    Args:
        drawn: what to draw.
        lines: whether each gate tells the line of code it comes from; None: if there are several.
    """
    rows = _tree(drawn)
    first_met = [node for _, node in rows if node is not None]
    places = {node.place for node in first_met if node.place != NOWHERE}
    columns = [["gate", *(label for label, _ in rows)]]
    if any(node.type.shape for node in first_met) or len({n.type.dtype for n in first_met}) > 1:
        columns.append(_types([node for _, node in rows]))
    columns.append(_aligned("value", [_text(node, "value") for _, node in rows]))
    columns.append(_aligned("gradient", [_text(node, "gradient") for _, node in rows]))
    if lines or (lines is None and len(places) > 1):
        columns.append(["line", *_line_texts([node for _, node in rows])])
    return "\n".join([*_joined(columns), *(f"\n{note}" for note in notes(drawn))])


def notes(drawn: Drawn) -> list[str]:
    """What a reader should know beside the numbers."""
    found = []
    if drawn.left_out_count:
        found.append(
            f"{drawn.left_out_count:,} of {drawn.gate_count:,} gates are left out (…): those "
            "farthest from the output.\nshow(limit=None) draws all; a Tensor inside shows its "
            "own part with show()."
        )
    if not drawn.has_parameters:
        found.append(
            "No parameter reaches it: plain numbers do not remember where they come from.\n"
            "Write cp.parameter(...) for what should be learned."
        )
    elif not drawn.has_gradients:
        found.append("No gradients yet: backward() fills them in.")
    return found


def _tree(drawn: Drawn) -> list[tuple[str, Node | None]]:
    """The rows from top to bottom: what stands in the first column, and the node if it is new."""
    readers = Counter(wire.source for node in drawn.nodes for wire in node.wires)
    marks: dict[Node, str] = {}
    rows: list[tuple[str, Node | None]] = []
    stack = [(drawn.nodes[0], "", "", "")]  # node, note, what stands before it and before below
    while stack:
        node, note, before, before_below = stack.pop()
        note = f" {note}" if note else ""
        if node in marks:
            rows.append((f"{before}↑ {node.label} {marks[node]}{note}", None))
            continue
        label = node.label
        if readers[node] > 1:
            marks[node] = f"[{len(marks) + 1}]"
            label = f"{label} {marks[node]}"
        rows.append((f"{before}{label}{note}", node))
        last = len(node.wires) - 1
        for number, wire in reversed(list(enumerate(node.wires))):
            branch, below = ("└ ", "  ") if number == last else ("├ ", "│ ")
            stack.append((wire.source, wire.note, before_below + branch, before_below + below))
    return rows


# -- columns -----------------------------------------------------------------------


def _text(node: Node | None, what: str) -> str:
    """A node's value or gradient; nothing where it stands elsewhere or is left out."""
    if node is None or node.is_left_out:
        return ""
    numbers: Numbers | None = getattr(node, what)
    return NOTHING if numbers is None else numbers.text


def _types(nodes: list[Node | None]) -> list[str]:
    dtypes = {node.type.dtype for node in nodes if node is not None}
    if len(dtypes) > 1:
        return ["type", *("" if node is None else str(node.type) for node in nodes)]
    (dtype,) = dtypes
    head = "shape" if short_name(dtype) == "f32" else f"shape ({short_name(dtype)})"
    return [head, *("" if node is None else str(node.type.shape) for node in nodes)]


def _aligned(head: str, texts: list[str]) -> list[str]:
    """Single numbers with their points below each other; arrays and words start on the left."""
    wholes = {text: text.partition(".")[0] for text in texts if _is_number(text)}
    width = max((len(whole) for whole in wholes.values()), default=0)
    return [
        head,
        *(
            " " * (width - len(wholes[text])) + text
            if text in wholes
            else text.rjust(width)
            if text == NOTHING
            else text
            for text in texts
        ),
    ]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _line_texts(nodes: list[Node | None]) -> list[str]:
    """Each gate's line; the words of a line where it stands first."""
    files = {node.place.file for node in nodes if node is not None and node.is_gate}
    told: set[Place] = set()
    texts = []
    for node in nodes:
        if node is None or node.place == NOWHERE:
            texts.append("")
            continue
        texts.append(_line_text(node.place, told, with_file=len(files) > 1))
    return texts


def _line_text(place: Place, told: set[Place], *, with_file: bool) -> str:
    where = f"{PurePath(place.file).name}:{place.line}" if with_file else str(place.line)
    if place.layer:
        where = f"{where} in {place.layer}"
    source = linecache.getline(place.file, place.line).strip()
    if place in told or not source:
        return where
    told.add(place)
    short = source if len(source) <= _LONGEST_SOURCE else source[: _LONGEST_SOURCE - 1] + "…"
    return f"{where}: {short}"


def _joined(columns: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in columns]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in zip(*columns, strict=True)
    ]
    rule = "  ".join("─" * width for width in widths)
    return [lines[0], rule, *lines[1:]]
