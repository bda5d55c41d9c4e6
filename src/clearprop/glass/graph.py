"""Pictures of a computational graph: what stands behind ``tensor.show()``."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path

from clearprop.errors import ArgumentError, DTypeError, UnknownNameError
from clearprop.glass.nodes import Drawn, drawn_graph
from clearprop.glass.outline import outline
from clearprop.glass.svg import svg
from clearprop.ir.place import here
from clearprop.tensor.tensor import Tensor
from clearprop.text import did_you_mean

KINDS = ("text", "svg")


class GraphPicture:
    """A graph as it was when it was drawn; prints as text, appears in a notebook as a picture.

    Attributes:
        kind: ``text`` or ``svg`` for one of them everywhere, None for what the place can show.
    """

    def __init__(self, drawn: Drawn, kind: str | None = None, *, lines: bool | None = None) -> None:
        self.kind = kind
        self._drawn = drawn
        self._lines = lines

    def text(self) -> str:
        """The drawing in letters: a tree from the output down, numbers in columns."""
        return outline(self._drawn, lines=self._lines)

    def svg(self) -> str:
        """The picture as SVG: gates from left to right, values above wires, gradients below."""
        return svg(self._drawn)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture into a file whose ending chooses: ``.svg``, ``.html`` or ``.txt``.

        Raises:
            ArgumentError: another ending.
        """
        file = Path(path)
        writers = {".svg": self.svg, ".html": self._page, ".txt": self.text}
        if file.suffix.lower() not in writers:
            raise ArgumentError(
                "Saving the picture of a graph: the ending of the file is none that it can have",
                found=f'"{file.name}"',
                needed=", ".join(writers),
                try_=f'save("{file.stem}.svg")',
                at=str(here()),
            )
        file.write_text(writers[file.suffix.lower()]() + "\n", encoding="utf-8")

    def __str__(self) -> str:
        return self.svg() if self.kind == "svg" else self.text()

    def __repr__(self) -> str:
        return str(self)

    def _repr_svg_(self) -> str | None:
        return None if self.kind == "text" else self.svg()

    def _repr_html_(self) -> str:
        if self.kind == "text":
            return f'<pre style="line-height: 1.2">{escape(self.text())}</pre>'
        return f'<div style="overflow-x: auto">{self.svg()}</div>'

    def _page(self) -> str:
        head = '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Graph</title>\n'
        return f"{head}{self._repr_html_()}\n</html>"


def show(
    tensor: Tensor,
    kind: str | None = None,
    *,
    limit: int | None = 40,
    lines: bool | None = None,
) -> GraphPicture:
    """A picture of everything that ``tensor`` is computed from, with values and gradients.

    Args:
        tensor: the output of the graph.
        kind: ``"text"`` or ``"svg"``; by default text on a terminal, a picture in a notebook.
        limit: how many gates to draw, the nearest first; None for all.
        lines: whether the text tells the line of code of each gate; by default where the graph
            was written on several.

    Shapes:
        tensor: any; single numbers and up to four are shown, larger arrays by range and mean.

    Raises:
        DTypeError: not a Tensor.
        UnknownNameError: there is no such kind.
        ArgumentError: a limit below 1.

    Example:
        >>> import clearprop as cp
        >>> x = cp.parameter(3.0, name="x")
        >>> f = x * x + 1
        >>> f.backward()
        >>> print(f.show())
        gate         value  gradient
        ───────────  ─────  ────────
        · + 1        10     1
        └ *           9     1
          ├ x [1]     3     6
          └ ↑ x [1]
    """
    if not isinstance(tensor, Tensor):
        raise DTypeError(
            "show: only a Tensor has a graph to draw",
            found=type(tensor).__name__,
            needed="a Tensor",
            try_="cp.tensor(...) and cp.parameter(...) make one of numbers",
            at=str(here()),
        )
    if kind is not None and kind not in KINDS:
        raise UnknownNameError(
            f'show: there is no kind of picture called "{kind}"{did_you_mean(kind, KINDS)}',
            needed="text, svg, or None for what the place can show",
            at=str(here()),
        )
    if limit is not None and limit < 1:
        raise ArgumentError(
            "show: at least one gate has to be drawn",
            found=f"limit={limit}",
            needed="1 or more, or None for all",
            at=str(here()),
        )
    return GraphPicture(drawn_graph(tensor, limit), kind, lines=lines)
