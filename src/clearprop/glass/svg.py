"""A graph as an SVG picture: gates from left to right, values above wires, gradients below."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.sax.saxutils import escape

from clearprop.glass.layout import Layout, Size, layout
from clearprop.glass.nodes import Drawn, Node
from clearprop.glass.outline import notes
from clearprop.glass.wording import Numbers

# Colors that people with any color vision tell apart: Okabe and Ito 2008, Color Universal Design.
VALUE_COLOR, GRADIENT_COLOR = "#0072b2", "#d55e00"
_INK, _QUIET, _WIRE, _PAPER = "#1a1a1a", "#555555", "#8a8a8a", "#ffffff"
_GATE_FILL, _LEAF_FILL = "#e9eff4", "#ffffff"
_FONT = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_LABEL_SIZE, _NUMBER_SIZE = 14, 12
_LETTER = 0.61  # width of a letter of a monospaced font, for each pixel of its size
_BOX_HEIGHT, _NODE_HEIGHT, _LINE_HEIGHT, _MARGIN = 30.0, 50.0, 17.0, 18.0
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def svg(drawn: Drawn) -> str:
    """The SVG picture of a graph: one element that can stand in a file or in a page.

    It has no ids, classes or styles, so that it changes nothing in a page it is put into.
    """
    nodes = drawn.nodes
    number_of = {node: number for number, node in enumerate(nodes)}
    reads = [[number_of[wire.source] for wire in node.wires] for node in nodes]
    plan = layout([_size(node) for node in nodes], reads, box_height=_BOX_HEIGHT)
    legend = _legend(drawn)
    letters = max(len(line) for line, _ in legend)
    width = max(plan.width, letters * _NUMBER_SIZE * _LETTER) + 2 * _MARGIN
    top_of_legend = plan.height + 2 * _MARGIN
    height = top_of_legend + len(legend) * _LINE_HEIGHT + _MARGIN / 2
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" font-family="{_FONT}">',
        f"<title>{_escaped(_title(nodes[0]))}</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{_PAPER}"/>',
        f'<g transform="translate({_MARGIN:.0f} {_MARGIN:.0f})">',
        *_group(f'fill="none" stroke="{_WIRE}" stroke-width="1.4"', _wires(plan, nodes)),
        *_group(
            f'font-size="{_LABEL_SIZE}" text-anchor="middle" fill="{_INK}"',
            (_box(node, *center) for node, center in zip(nodes, plan.centers, strict=True)),
        ),
        *_numbers(plan, nodes, "value", VALUE_COLOR, -6),
        *_numbers(plan, nodes, "gradient", GRADIENT_COLOR, 15),
        "</g>",
        *_group(
            f'font-size="{_NUMBER_SIZE}"',
            (
                f'<text x="{_MARGIN:.0f}" y="{top_of_legend + number * _LINE_HEIGHT:.1f}" '
                f'fill="{color}">{_escaped(line)}</text>'
                for number, (line, color) in enumerate(legend)
            ),
        ),
        "</svg>",
    ])  # fmt: skip


def _group(attributes: str, parts: Iterable[str]) -> list[str]:
    return [f"<g {attributes}>", *parts, "</g>"]


def _size(node: Node) -> Size:
    label = len(node.label) * _LABEL_SIZE * _LETTER
    letters = max((len(n.short) for n in (node.value, node.gradient) if n), default=0)
    return Size(max(label + 20, 40), _NODE_HEIGHT, letters * _NUMBER_SIZE * _LETTER + 12)


def _wires(plan: Layout, nodes: tuple[Node, ...]) -> list[str]:
    """Every wire, and the one that leaves the output."""
    (x, y), size = plan.centers[0], _size(nodes[0])
    start = x + size.width / 2
    wires = [f'<path d="M{start:.1f} {y:.1f}H{start + size.stem:.1f}"/>']
    for (reader, number), points in plan.routes.items():
        note = nodes[reader].wires[number].note
        title = f"<title>{_escaped(note)}</title>" if note else ""
        wires.append(f'<path d="{_path(points)}">{title}</path>')
    return wires


def _path(points: list[tuple[float, float]]) -> str:
    """Straight to the second point, curved to the third, straight to the fourth, and so on."""
    (x, y), *others = points
    steps = [f"M{x:.1f} {y:.1f}"]
    for number, (next_x, next_y) in enumerate(others):
        if number % 2 and next_y != y:
            middle = (x + next_x) / 2
            steps.append(
                f"C{middle:.1f} {y:.1f} {middle:.1f} {next_y:.1f} {next_x:.1f} {next_y:.1f}"
            )
        else:
            steps.append(f"H{next_x:.1f}")
        x, y = next_x, next_y
    return "".join(steps)


def _box(node: Node, x: float, y: float) -> str:
    """A gate is a filled box with round corners, a leaf an empty one with round ends."""
    width = _size(node).width
    fill, corner = (_GATE_FILL, 6) if node.is_gate else (_LEAF_FILL, _BOX_HEIGHT / 2)
    stroke = f'stroke="{_QUIET}"' + (' stroke-dasharray="3 3"' if node.is_left_out else "")
    return (
        f"<g><title>{_escaped(_details(node))}</title>"
        f'<rect x="{x - width / 2:.1f}" y="{y - _BOX_HEIGHT / 2:.1f}" width="{width:.1f}" '
        f'height="{_BOX_HEIGHT:.0f}" rx="{corner:.0f}" fill="{fill}" {stroke}/>'
        f'<text x="{x:.1f}" y="{y + 5:.1f}">{_escaped(node.label)}</text></g>'
    )


def _numbers(
    plan: Layout, nodes: tuple[Node, ...], what: str, color: str, distance: float
) -> list[str]:
    """The values or gradients, each at the wire that leaves its box."""
    texts = []
    for node, (x, y) in zip(nodes, plan.centers, strict=True):
        numbers: Numbers | None = getattr(node, what)
        if numbers is not None:
            left, line = x + _size(node).width / 2 + 6, y + distance
            texts.append(f'<text x="{left:.1f}" y="{line:.1f}">{_escaped(numbers.short)}</text>')
    return _group(f'font-size="{_NUMBER_SIZE}" fill="{color}"', texts)


def _details(node: Node) -> str:
    """What appears when the pointer rests on a box."""
    lines = [f"{node.label}: {node.type}"]
    lines += [f"value: {node.value.text}"] if node.value else []
    lines += [f"gradient: {node.gradient.text}"] if node.gradient else []
    lines += [f"at: {node.place}"] if str(node.place) else []
    return "\n".join(lines)


def _title(output: Node) -> str:
    return f"The computational graph below {output.label}: {output.type}"


def _legend(drawn: Drawn) -> list[tuple[str, str]]:
    lines = [("value above each wire", VALUE_COLOR)]
    if drawn.has_gradients:
        lines.append(("gradient below it", GRADIENT_COLOR))
    return lines + [(line, _QUIET) for note in notes(drawn) for line in note.splitlines()]


def _escaped(text: str) -> str:
    """Text that is safe in XML: its signs escaped, characters that XML does not know replaced."""
    return escape(_NO_XML.sub("\ufffd", text))
