"""Where the boxes of a graph stand: in layers from left to right, with few crossings.

Each box stands as far right as what it feeds allows.  A wire that passes a layer gets a slot of
its own there, so that it runs between the boxes and not through them.

Reference:
    Sugiyama, Tagawa, Toda 1981, Methods for Visual Understanding of Hierarchical System
    Structures: layers, order by the mean position of neighbors, positions.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass

_SWEEPS = 8
_SLOT_HEIGHT = 14.0
_CURVE_WIDTH = 46.0

Item = tuple[int, int]  # (box, layer): the box itself, or its wire passing that layer


@dataclass(frozen=True)
class Size:
    """How much room a box takes.

    Attributes:
        width: of the box.
        height: of the box with the numbers beside it.
        stem: length of wire that leaves it straight, with numbers along it.
    """

    width: float
    height: float
    stem: float


@dataclass(frozen=True)
class Layout:
    """The positions of everything.

    Attributes:
        centers: (x, y) of each box.
        routes: for each (reader, number of its wire) the points the wire passes, in pairs: it
            runs straight from the first to the second, curved to the third, and so on.
        width: of the whole.
        height: of the whole.
    """

    centers: tuple[tuple[float, float], ...]
    routes: dict[tuple[int, int], list[tuple[float, float]]]
    width: float
    height: float


def layout(sizes: Sequence[Size], reads: Sequence[Sequence[int]], *, box_height: float) -> Layout:
    """Positions for boxes that read each other.

    Args:
        sizes: of each box; the first is the output.
        reads: for each box those it reads, all of which stand after it.
        box_height: along which incoming wires are spread.
    """
    layer_of = _layers(reads)
    layers, links = _items(reads, layer_of)
    _order(layers, links)
    heights = {item: _height(item, sizes, layer_of) for layer in layers for item in layer}
    rows = _rows(layers, links, heights)
    lefts, widths, stems = _columns(layers, sizes, layer_of)
    top = min(rows[item] - heights[item] / 2 for item in rows)
    bottom = max(rows[item] + heights[item] / 2 for item in rows)
    centers = tuple(
        (lefts[layer] + widths[layer] / 2, rows[box, layer] - top)
        for box, layer in enumerate(layer_of)
    )
    routes = {}
    for reader, sources in enumerate(reads):
        for number, source in enumerate(sources):
            points = [(centers[source][0] + sizes[source].width / 2, centers[source][1])]
            for layer in range(layer_of[source], layer_of[reader], -1):
                y = rows[source, layer] - top
                if layer != layer_of[source]:
                    points.append((lefts[layer], y))
                points.append((lefts[layer] + widths[layer] + stems[layer], y))
            port = box_height * ((number + 1) / (len(sources) + 1) - 0.5)
            y = centers[reader][1] + port
            points.append((lefts[layer_of[reader]], y))
            points.append((centers[reader][0] - sizes[reader].width / 2, y))
            routes[reader, number] = points
    width = lefts[0] + widths[0] + stems[0]
    return Layout(centers, routes, width, bottom - top)


# -- layers ------------------------------------------------------------------------


def _layers(reads: Sequence[Sequence[int]]) -> list[int]:
    """Each box's layer, counted from the output: one beyond the farthest of its readers."""
    layer_of = [0] * len(reads)
    for reader, sources in enumerate(reads):
        for source in sources:
            layer_of[source] = max(layer_of[source], layer_of[reader] + 1)
    return layer_of


def _items(
    reads: Sequence[Sequence[int]], layer_of: Sequence[int]
) -> tuple[list[list[Item]], dict[Item, list[Item]]]:
    """What stands in each layer, and for each item those of the next layer that it reads."""
    layers: list[list[Item]] = [[] for _ in range(max(layer_of) + 1)]
    links: dict[Item, list[Item]] = {}
    for box, layer in enumerate(layer_of):
        layers[layer].append((box, layer))
        links[box, layer] = [(source, layer + 1) for source in reads[box]]
    for layer in range(len(layers) - 1):
        for item in layers[layer]:
            for below in links[item]:
                if below not in links:  # a wire on its way
                    layers[layer + 1].append(below)
                    links[below] = [(below[0], layer + 2)]
    return layers, links


# -- order -------------------------------------------------------------------------


def _order(layers: list[list[Item]], links: dict[Item, list[Item]]) -> None:
    """Put the items of each layer into an order with few crossings."""
    readers: dict[Item, list[Item]] = {item: [] for item in links}
    for item, sources in links.items():
        for source in sources:
            readers[source].append(item)
    place = _first_places(layers, links)
    best, fewest = dict(place), _crossings(layers, links, place)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        neighbors = readers if sweep % 2 == 0 else links
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            mean = {
                item: sum(place[n] for n in neighbors[item]) / len(neighbors[item])
                if neighbors[item]
                else float(place[item])
                for item in layer
            }
            for position, item in enumerate(sorted(layer, key=lambda i: (mean[i], place[i]))):
                place[item] = position
        crossings = _crossings(layers, links, place)
        if crossings < fewest:
            best, fewest = dict(place), crossings
    for layer in layers:
        layer.sort(key=lambda item: best[item])


def _first_places(layers: list[list[Item]], links: dict[Item, list[Item]]) -> dict[Item, int]:
    """Items in the order in which their readers, from top to bottom, name them."""
    place = {item: position for position, item in enumerate(layers[0])}
    for above, layer in itertools.pairwise(layers):
        readers = sorted(above, key=place.__getitem__)
        named = dict.fromkeys(source for reader in readers for source in links[reader])
        for position, item in enumerate([*named, *(item for item in layer if item not in named)]):
            place[item] = position
    return place


def _crossings(
    layers: list[list[Item]], links: dict[Item, list[Item]], place: dict[Item, int]
) -> int:
    count = 0
    for layer in layers:
        met: list[int] = []
        for item in sorted(layer, key=place.__getitem__):
            for source in links[item]:  # in the order in which they enter
                count += len(met) - bisect_right(met, place[source])
                insort(met, place[source])
    return count


# -- positions ---------------------------------------------------------------------


def _height(item: Item, sizes: Sequence[Size], layer_of: Sequence[int]) -> float:
    box, layer = item
    return sizes[box].height if layer_of[box] == layer else _SLOT_HEIGHT


def _rows(
    layers: list[list[Item]], links: dict[Item, list[Item]], heights: dict[Item, float]
) -> dict[Item, float]:
    """The y of each item: near its neighbors, without overlaps."""
    readers: dict[Item, list[Item]] = {item: [] for item in links}
    for item, sources in links.items():
        for source in sources:
            readers[source].append(item)
    rows: dict[Item, float] = {}
    for layer in layers:
        rows.update(zip(layer, _apart([0.0] * len(layer), layer, heights), strict=True))
    for sweep in range(2 * _SWEEPS):  # the last one makes a chain of gates a straight line
        neighbors = links if sweep % 2 else readers
        for layer in reversed(layers) if sweep % 2 else layers:
            wanted = [_mean_row(rows, neighbors[item], rows[item]) for item in layer]
            rows.update(zip(layer, _apart(wanted, layer, heights), strict=True))
    return rows


def _mean_row(rows: dict[Item, float], neighbors: list[Item], otherwise: float) -> float:
    return sum(rows[item] for item in neighbors) / len(neighbors) if neighbors else otherwise


def _apart(wanted: list[float], layer: list[Item], heights: dict[Item, float]) -> list[float]:
    """The positions nearest to the wanted ones, in sum of squares, at which nothing overlaps.

    Reference:
        Isotonic regression by pooling neighbors that violate the order, on the positions less
        the room that everything above takes.
    """
    offsets = [0.0]
    for above, item in itertools.pairwise(layer):
        offsets.append(offsets[-1] + (heights[above] + heights[item]) / 2)
    pools: list[tuple[float, int]] = []  # (mean, how many)
    for position, offset in zip(wanted, offsets, strict=True):
        mean, count = position - offset, 1
        while pools and pools[-1][0] > mean:
            other, members = pools.pop()
            mean = (mean * count + other * members) / (count + members)
            count += members
        pools.append((mean, count))
    means = [mean for mean, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def _columns(
    layers: list[list[Item]], sizes: Sequence[Size], layer_of: Sequence[int]
) -> tuple[list[float], list[float], list[float]]:
    """For each layer its left edge, the width of its boxes, and the length of its stems."""
    boxes = [
        [sizes[box] for box, own in enumerate(layer_of) if own == layer]
        for layer in range(len(layers))
    ]
    widths = [max(size.width for size in column) for column in boxes]
    stems = [max(size.stem for size in column) for column in boxes]
    lefts = [0.0] * len(layers)
    for layer in range(len(layers) - 2, -1, -1):
        before = layer + 1
        lefts[layer] = lefts[before] + widths[before] + stems[before] + _CURVE_WIDTH
    return lefts, widths, stems
