"""Where commands write: color on a terminal, plain text elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from clearprop.text import table

# Sky blue and orange of Okabe and Ito's palette: told apart with every kind of color vision.
RIGHT = "bold #56b4e9"
WRONG = "bold #e69f00"
FAINT = "dim"
_LONGEST_CELL = 24


def console(*, stderr: bool = False) -> Console:
    """The screen, or what takes its place in a pipe."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


def say(*lines: str | Text, style: str = "") -> None:
    """Write lines to the standard output."""
    screen = console()
    for line in lines or ("",):
        screen.print(line, style=style or None)


def heading(text: str) -> None:
    """Write a title, with an empty line above it."""
    say("", Text(text, style="bold"))


def note(text: str) -> None:
    """Write to the standard error what a reader should know and a program should not read."""
    console(stderr=True).print(f"note: {text}")


def is_terminal() -> bool:
    """Whether people look at the standard output as it is written."""
    return console().is_terminal


def is_colored() -> bool:
    """Whether the standard output shows colors."""
    screen = console()
    return screen.is_terminal and screen.color_system is not None and not screen.no_color


def speaks_unicode() -> bool:
    """Whether the standard output can show block characters."""
    try:
        "░▒▓█▀".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def shortened(cell: str) -> str:
    """A cell that leaves room for others, on one line."""
    flat = " ".join(cell.split())
    return flat if len(flat) <= _LONGEST_CELL else flat[: _LONGEST_CELL - 1] + "…"


def fitting_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, first: int, last: int
) -> str:
    """A table that is no wider than the screen: columns in the middle give way to an ``…``.

    Args:
        header: titles of the columns.
        rows: cells, one for each column.
        first: how many columns at the left always stay.
        last: how many columns at the right always stay.
    """
    cells = [[shortened(cell) for cell in header]]
    cells += [[shortened(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) + 2 for column in zip(*cells, strict=True)]
    middle = list(range(first, len(header) - last))
    room = console().width - sum(widths[:first]) - sum(widths[len(header) - last :])
    kept = middle
    while kept and sum(widths[column] for column in kept) + 3 * (len(kept) < len(middle)) > room:
        kept = kept[:-1]
    shown = [*range(first), *kept, *range(len(header) - last, len(header))]
    cut = first + len(kept)
    picked = [[row[column] for column in shown] for row in cells]
    if len(kept) < len(middle):
        picked = [[*row[:cut], "…", *row[cut:]] for row in picked]
    numeric = "".join(
        "r" if all(_is_number(row[column]) for row in picked[1:]) else "l"
        for column in range(len(picked[0]))
    )
    return table(picked[1:], header=picked[0], right=numeric)


def _is_number(cell: str) -> bool:
    try:
        float(cell or "0")
    except ValueError:
        return False
    return True
