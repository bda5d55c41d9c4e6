"""The SVG picture of a graph: valid XML, one box for each gate, nothing on top of another."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import clearprop as cp
from clearprop.errors import ArgumentError, DTypeError, UnknownNameError
from clearprop.glass.graph import GraphPicture, show
from clearprop.glass.layout import Layout, Size, layout

SVG = "{http://www.w3.org/2000/svg}"


def neuron(name: str = "w") -> cp.Tensor:
    w = cp.parameter(2.0, name=name)
    f = cp.exp(w * cp.tensor(-1.0, name="x")) * w
    f.backward()
    return f


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_it_shows_every_gate_value_and_gradient() -> None:
    shown = texts(neuron().show().svg())
    gates = ["*", "exp", "*", "w", "x"]
    assert sorted(shown[:5]) == sorted(gates)
    assert {"0.2707", "0.1353", "-2", "-0.1353", "value above each wire"} <= set(shown)
    assert "gradient below it" in shown


def test_without_gradients_it_says_so() -> None:
    shown = texts((cp.parameter(2.0, name="w") * 3).show().svg())
    assert "gradient below it" not in shown
    assert "No gradients yet: backward() fills them in." in shown


@pytest.mark.parametrize("name", ["<b>&\"'", "]]>", "</text><script>", "a\x00\x1b\ud800b", "né"])
def test_names_are_escaped(name: str) -> None:
    svg = neuron(name).show().svg()
    svg.encode()
    shown = texts(svg)
    printable = "".join(letter if letter.isprintable() else " " for letter in name)
    assert " ".join(printable.split()) in shown
    assert "<script>" not in svg


def test_it_changes_nothing_in_the_page_around() -> None:
    root = ElementTree.fromstring(neuron().show().svg())
    for element in root.iter():
        assert not {"id", "class", "style"} & set(element.attrib)
        assert element.tag != f"{SVG}style"


def test_large_graphs_say_what_is_left_out() -> None:
    x = cp.parameter(1.0)
    for _ in range(50):
        x = x * 2
    shown = texts(x.show(limit=3).svg())
    assert shown.count("…") == 1
    assert "47 of 50 gates are left out (…): those farthest from the output." in shown


def test_wires_tell_what_was_spread() -> None:
    bias = cp.parameter([1.0, 2.0], name="bias")
    svg = (cp.parameter(np.ones((3, 2), "float32")) + bias).show().svg()
    assert "<title>spread to (3, 2)</title>" in svg


# -- forms of a picture -----------------------------------------------------------------


def test_notebooks_get_a_picture_and_terminals_text() -> None:
    picture = neuron().show()
    assert repr(picture) == str(picture) == picture.text()
    assert picture._repr_svg_() == picture.svg()
    assert picture.svg() in picture._repr_html_()
    ElementTree.fromstring(picture._repr_html_())


def test_a_kind_holds_everywhere() -> None:
    text, svg = neuron("<w>").show("text"), neuron().show("svg")
    assert text._repr_svg_() is None
    assert "&lt;w&gt;" in text._repr_html_()
    ElementTree.fromstring(text._repr_html_())
    assert str(svg) == svg.svg()


@pytest.mark.parametrize(
    ("ending", "begin"), [("svg", "<svg"), ("html", "<!doct"), ("TXT", "gate")]
)
def test_it_can_be_saved(tmp_path: Path, ending: str, begin: str) -> None:
    path = tmp_path / f"graph.{ending}"
    neuron("wäx").show().save(path)
    saved = path.read_text(encoding="utf-8")
    assert saved.startswith(begin)
    assert saved.endswith("\n")
    assert "wäx" in saved


def test_an_ending_that_cannot_be_written_is_told() -> None:
    with pytest.raises(ArgumentError) as caught:
        neuron().show().save("graph.gif")
    assert re.sub(r"at: .*", "at: ...", str(caught.value)) == (
        "Saving the picture of a graph: the ending of the file is none that it can have\n"
        '  found:  "graph.gif"\n'
        "  needed: .svg, .html, .txt\n"
        '  try:    save("graph.svg")\n'
        "  at: ..."
    )


def test_wrong_arguments_are_told() -> None:
    with pytest.raises(UnknownNameError, match='called "txt" did you mean "text"'):
        neuron().show("txt")
    with pytest.raises(ArgumentError, match="at least one gate"):
        neuron().show(limit=0)
    with pytest.raises(DTypeError, match="only a Tensor has a graph to draw"):
        show(3.0)  # type: ignore[arg-type]


def test_show_is_a_door() -> None:
    assert isinstance(cp.tensor(1.0).show(), GraphPicture)


# -- layout -------------------------------------------------------------------------------


def random_graph(seed: int) -> list[list[int]]:
    """For each box those it reads; every box is read by an earlier one."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 30))
    reads: list[list[int]] = [[] for _ in range(count)]
    for box in range(1, count):
        for reader in {int(rng.integers(0, box)) for _ in range(int(rng.integers(1, 4)))}:
            reads[reader].append(box)
    return reads


def drawn(reads: list[list[int]], seed: int = 0) -> tuple[Layout, list[Size]]:
    rng = np.random.default_rng(seed)
    sizes = [Size(float(rng.integers(30, 90)), 50.0, float(rng.integers(0, 60))) for _ in reads]
    return layout(sizes, reads, box_height=30.0), sizes


@pytest.mark.parametrize("seed", range(20))
def test_boxes_and_wires_keep_apart(seed: int) -> None:
    reads = random_graph(seed)
    plan, sizes = drawn(reads, seed)
    boxes = [
        (x - size.width / 2, x + size.width / 2, y - 25, y + 25)
        for (x, y), size in zip(plan.centers, sizes, strict=True)
    ]
    for one, other in itertools.combinations(boxes, 2):
        apart = one[1] <= other[0] or other[1] <= one[0]
        assert apart or one[3] <= other[2] + 1e-6 or other[3] <= one[2] + 1e-6
    for left, right, top, bottom in boxes:
        assert left >= -1e-6
        assert top >= -1e-6
        assert right <= plan.width + 1e-6
        assert bottom <= plan.height + 1e-6
    for (reader, number), points in plan.routes.items():
        source = reads[reader][number]
        assert points[0] == (boxes[source][1], plan.centers[source][1])
        assert points[-1][0] == pytest.approx(boxes[reader][0])
        assert [x for x, _ in points] == sorted(x for x, _ in points)
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            if y0 == y1:  # a straight piece passes no box
                for box, (left, right, top, bottom) in enumerate(boxes):
                    inside = top + 10 < y0 < bottom - 10 and x0 < right - 1 and x1 > left + 1
                    assert box in {source, reader} or not inside


def test_a_chain_is_a_straight_line() -> None:
    plan, _ = drawn([[1], [2], [3, 4], [], []])
    assert plan.centers[0][1] == pytest.approx(plan.centers[1][1])
    assert plan.centers[1][1] == pytest.approx(plan.centers[2][1])


def test_a_tree_has_no_crossings_and_keeps_its_order() -> None:
    plan, _ = drawn([[1, 2], [3, 4], [5, 6], [], [], [], []])
    heights = [plan.centers[box][1] for box in (3, 4, 5, 6)]
    assert heights == sorted(heights)


def test_crossings_are_undone() -> None:
    # Gate 1 names leaf 5 first, but three others read leaf 5 too: below leaf 6 it crosses less.
    plan, _ = drawn([[1, 2, 3, 4], [5, 6], [5], [5], [5], [], []])
    assert plan.centers[6][1] < plan.centers[5][1]
