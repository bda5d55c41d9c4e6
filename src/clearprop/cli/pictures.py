"""Images drawn with characters, several side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.style import Style
from rich.text import Text

from clearprop.cli.screen import console, is_colored, speaks_unicode

Array = np.ndarray[Any, Any]

_MOST_PIXELS = 32  # in height and width; larger images are averaged down
_LARGE_PIXELS = 16  # up to this height a pixel is two characters wide and one line high
_BLOCKS, _LETTERS = " ░▒▓█", " .:*#"
_GAP = 3
_INDENT = "  "


def picture(image: Array) -> list[Text]:
    """An image as lines of characters: in its colors on a terminal, in five shades elsewhere.

    Shapes:
        image: (height, width, channels), from 0 to 1.
    """
    pixels = _shrunk(np.clip(np.nan_to_num(np.asarray(image, float)), 0, 1))
    large = len(pixels) <= _LARGE_PIXELS
    if is_colored() and speaks_unicode():
        return _large_colors(pixels) if large else _half_blocks(pixels)
    gray = pixels.mean(axis=2)
    if not large:  # a character is twice as high as wide
        gray = _padded(gray).reshape(-1, 2, gray.shape[1]).mean(axis=1)
    shades = _BLOCKS if speaks_unicode() else _LETTERS
    levels = np.minimum((gray * len(shades)).astype(int), len(shades) - 1)
    width = 2 if large else 1
    return [Text("".join(shades[level] * width for level in row)) for row in levels]


def side_by_side(images: Sequence[Array], captions: Sequence[Sequence[Text | str]]) -> list[Text]:
    """Images with the lines of their captions below, as many in a row as the screen is wide.

    Shapes:
        images: (height, width, channels) each.
    """
    cells = []
    for image, caption in zip(images, captions, strict=True):
        below = [line if isinstance(line, Text) else Text(line) for line in caption]
        cells.append([*picture(image), *below])
    if not cells:
        return []
    width = max(line.cell_len for cell in cells for line in cell)
    in_a_row = max(1, (console().width - len(_INDENT) + _GAP) // (width + _GAP))
    lines: list[Text] = []
    for start in range(0, len(cells), in_a_row):
        row = cells[start : start + in_a_row]
        lines += [Text("")] if start else []
        for parts in zip(*row, strict=True):
            line = Text(_INDENT)
            for place, part in enumerate(parts, start=1):
                line.append_text(part)
                line.append(" " * (width - part.cell_len + _GAP) * (place < len(parts)))
            lines.append(line)
    return lines


def strip(values: Array, width: int) -> str:
    """Numbers as one line of shades, the largest magnitude darkest; neighbors are averaged.

    Shapes:
        values: any.
    """
    sizes = np.abs(np.nan_to_num(np.asarray(values, float).ravel()))
    parts = np.array_split(sizes, min(width, sizes.size)) if sizes.size else []
    means = np.array([part.mean() for part in parts])
    shades = _BLOCKS if speaks_unicode() else _LETTERS
    largest = means.max(initial=0.0) or 1.0
    return "".join(shades[round(level)] for level in means / largest * (len(shades) - 1))


def shades() -> str:
    """The shades that the screen can show, from nothing to the most."""
    return _BLOCKS if speaks_unicode() else _LETTERS


def _large_colors(pixels: Array) -> list[Text]:
    lines = []
    for row in pixels:
        line = Text()
        for pixel in row:
            line.append("  ", Style(bgcolor=_color(pixel)))
        lines.append(line)
    return lines


def _half_blocks(pixels: Array) -> list[Text]:
    lines = []
    pairs = _padded(pixels).reshape(-1, 2, *pixels.shape[1:])
    for upper, lower in pairs:
        line = Text()
        for over, under in zip(upper, lower, strict=True):
            line.append("▀", Style(color=_color(over), bgcolor=_color(under)))
        lines.append(line)
    return lines


def _color(pixel: Array) -> str:
    channels = pixel if len(pixel) == 3 else pixel[:1].repeat(3)
    return "#" + "".join(f"{round(255 * level):02x}" for level in channels.tolist())


def _padded(pixels: Array) -> Array:
    """An even number of rows."""
    return np.concatenate([pixels, np.zeros_like(pixels[:1])]) if len(pixels) % 2 else pixels


def _shrunk(pixels: Array) -> Array:
    for axis in (0, 1):
        count = pixels.shape[axis]
        if count > _MOST_PIXELS:
            starts = np.arange(_MOST_PIXELS) * count // _MOST_PIXELS
            sums = np.add.reduceat(pixels, starts, axis=axis)
            shape = [1, 1, 1]
            shape[axis] = -1
            pixels = sums / np.diff([*starts, count]).reshape(shape)
    return pixels
