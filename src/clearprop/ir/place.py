"""Where an equation comes from: the user's own line, and the layer that wrote it."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache

from clearprop.errors import ClearPropError

_PACKAGE = __name__.partition(".")[0]


@dataclass(frozen=True)
class Place:
    """A line of the user's code and the path of the layer that was at work there.

    Attributes:
        file: path of the user's file, or "" where there is none.
        line: line number in it, from 1.
        layer: path of layers, e.g. ``digits/dense_1``, or "".
    """

    file: str = ""
    line: int = 0
    layer: str = ""

    def __str__(self) -> str:
        at = f"{self.file}:{self.line}" if self.file else ""
        return f"{at} in {self.layer}" if at and self.layer else at or self.layer


NOWHERE = Place()
_layer: ContextVar[str] = ContextVar("layer", default="")
_fixed: ContextVar[Place | None] = ContextVar("fixed_place", default=None)


def here() -> Place:
    """The place of the nearest caller outside of this package."""
    fixed = _fixed.get()
    if fixed is not None:
        # A recorded call knows its line; which layers are at work shows when it is replayed.
        layer = "" if fixed.layer else _layer.get()
        return Place(fixed.file, fixed.line, layer) if layer else fixed
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_own(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    return Place(frame.f_code.co_filename, frame.f_lineno, _layer.get())


@cache
def _is_own(module: str) -> bool:
    """Whether a module belongs to this package."""
    return module.partition(".")[0] == _PACKAGE


@contextmanager
def at_place(place: Place) -> Generator[None]:
    """Equations written inside come from ``place`` (a gradient belongs to its forward line)."""
    token = _fixed.set(place)
    try:
        yield
    finally:
        _fixed.reset(token)


@contextmanager
def in_layer(name: str) -> Generator[str]:
    """Equations written inside belong to the layer ``name``, below those already at work."""
    outer = _layer.get()
    path = f"{outer}/{name}" if outer else name
    token = _layer.set(path)
    try:
        yield path
    finally:
        _layer.reset(token)


class _TellingLine:
    """Errors raised inside that know no line get the user's.

    It is no generator: the standard library would stand between the user's line and the error.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, ClearPropError):
            error.at = error.at or str(here())


telling_line = _TellingLine()


def layer_path() -> str:
    """The path of layers at work now, or ""."""
    return _layer.get()
