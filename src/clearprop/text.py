"""Small pieces of text that errors, tables and reports share."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """`` did you mean "price"?`` -- or nothing, when no candidate is near."""
    by_lower_case = {candidate.lower(): candidate for candidate in candidates}
    near = difflib.get_close_matches(name.lower(), by_lower_case, n=3, cutoff=0.5)
    if not near:
        return ""
    letters = sorted(name.lower())  # two of them changed places: the commonest slip of all
    best = next((candidate for candidate in near if sorted(candidate) == letters), near[0])
    return f' did you mean "{by_lower_case[best]}"?'


def snake_case(name: str) -> str:
    """``LayerNormalization`` -> ``layer_normalization``, ``Conv2D`` -> ``conv2d``."""
    spaced = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", spaced).lower()


def bytes_text(count: float) -> str:
    """A number of bytes for people: ``1536`` -> ``1.5 KiB``."""
    for unit in _UNITS[:-1]:
        if abs(count) < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} {_UNITS[-1]}"


def number_text(number: float, digits: int = 4) -> str:
    """A number in few characters: ``0.731058`` -> ``0.7311``, ``2.0`` -> ``2``."""
    text = f"{number:.{digits}g}" if abs(number) < 1e-3 else f"{number:.{digits}f}"
    if "." in text and "e" not in text:
        text = text.rstrip("0").rstrip(".")
    return text if text not in {"-0", ""} else "0"


def count_text(count: int, one: str, many: str | None = None) -> str:
    """``count`` with its noun: ``1 row``, ``1,797 rows``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def table(rows: Sequence[Sequence[str]], *, header: Sequence[str] = (), right: str = "") -> str:
    """Rows in aligned columns, two spaces apart.

    Args:
        rows: cells as text, all rows equally long.
        header: titles above the columns, underlined.
        right: one letter per column, ``r`` aligns it right; shorter text means left.
    """
    everything = [list(header), *map(list, rows)] if header else [list(row) for row in rows]
    if not everything:
        return ""
    widths = [max(len(cell) for cell in column) for column in zip(*everything, strict=True)]
    right = right.ljust(len(widths), "l")

    def line(cells: Sequence[str]) -> str:
        placed = [
            cell.rjust(width) if side == "r" else cell.ljust(width)
            for cell, width, side in zip(cells, widths, right, strict=True)
        ]
        return "  ".join(placed).rstrip()

    lines = [line(row) for row in everything]
    if header:
        lines.insert(1, "  ".join("─" * width for width in widths).rstrip())
    return "\n".join(lines)
