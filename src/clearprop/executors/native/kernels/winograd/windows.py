"""Contractions whose windows are 3 x 3 neighbours in an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from clearprop.executors.native.kernels.affine import Axis
from clearprop.executors.native.kernels.sums import SumOfProducts
from clearprop.executors.native.kernels.winograd.transforms import POINTS, RESULTS, TAPS


class Windows(NamedTuple):
    """The loops of a convolution.

    Attributes:
        image: which one.
        high: where a window stands, on the first axis of an image.
        wide: on the second.
        taps: within the window, on both.
        channel: of the input.
        column: of the convolution's results.
    """

    image: Axis
    high: Axis
    wide: Axis
    taps: tuple[Axis, Axis]
    channel: Axis
    column: Axis

    @property
    def squares(self) -> tuple[int, int]:
        """How many rows of squares an image has, and how many are in each."""
        return -(-self.high.extent // RESULTS), -(-self.wide.extent // RESULTS)


def windows_that_add_up(form: SumOfProducts) -> Windows | None:
    """The windows of a contraction that sums over each of them; None if it has others, or none."""
    return _windows(form, form.rows, form.summed)


def windows_added_up(form: SumOfProducts) -> Windows | None:
    """Those of one that sums over all positions, tap by tap; None if it has others, or none."""
    windows = _windows(form, form.summed, form.rows)
    return windows if windows and form.right.line.factor(windows.column) == 1 else None


def _windows(
    form: SumOfProducts, positions: Sequence[Axis], window: Sequence[Axis]
) -> Windows | None:
    if len(positions) != 3 or len(window) != 3 or len(form.columns) != 1:
        return None
    left, (image, *places), (*taps, channel) = form.left, positions, window
    is_window = all(
        tap.extent == TAPS and left.line.factor(place) == left.line.factor(tap) > 0
        for place, tap in zip(places, taps, strict=True)
    )
    is_plain = left.line.factor(channel) == 1 and all(axis.extent == 1 for axis in form.batches)
    is_large = all(place.extent >= POINTS for place in places)
    if not (is_window and is_plain and is_large and left.home.type.dtype.kind == "f"):
        return None
    return Windows(image, places[0], places[1], (taps[0], taps[1]), channel, form.columns[0])
