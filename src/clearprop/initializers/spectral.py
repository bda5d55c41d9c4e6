"""Convolution kernels that compute a short-time Fourier transform."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from clearprop.errors import ArgumentError, ShapeError
from clearprop.initializers.initializer import Initializer
from clearprop.initializers.random_stream import RandomStream
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.ir.value import Array
from clearprop.text import did_you_mean

# Windows that are sums of cosines: weights of cos(0), -cos(1 turn), cos(2 turns), -...
_COSINE_SUMS = {
    "boxcar": (1.0,),
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
}
_WINDOWS = (*_COSINE_SUMS, "bartlett", "cosine")


def window_values(name: str, length: int, *, periodic: bool = False) -> Array:
    """A window function at ``length`` equally spaced places.

    Args:
        name: one of boxcar, hann, hamming, blackman, nuttall, blackmanharris, flattop, bartlett,
            cosine.
        length: how many places.
        periodic: whether the window is one period, of which the last place begins the next one,
            rather than symmetric.

    Shapes:
        Output: (length,)

    Reference:
        F. J. Harris, "On the use of windows for harmonic analysis with the discrete Fourier
        transform", Proceedings of the IEEE 66 (1978).

    Example:
        >>> window_values("hann", 4, periodic=True).round(6).tolist()
        [0.0, 0.5, 1.0, 0.5]
    """
    if length <= 1:
        return np.ones(length)
    span = length + 1 if periodic else length
    place = np.arange(length)
    if name == "cosine":
        return np.asarray(np.sin(np.pi / span * (place + 0.5)))
    turn = place / (span - 1)
    if name == "bartlett":
        return 1 - np.abs(2 * turn - 1)
    weights = _COSINE_SUMS[name]
    terms = (
        (-1) ** number * weight * np.cos(2 * np.pi * number * turn)
        for number, weight in enumerate(weights)
    )
    return np.asarray(sum(terms, np.zeros(length)))


class STFT(Initializer):
    """The real or imaginary part of a windowed Fourier transform, as a convolution kernel.

    At time t and frequency f of n: window(t) * cos(2 pi t f / n), or -sin for the imaginary part.

    Args:
        side: ``"real"`` or ``"imag"``.
        window: name of a window function (see ``window_values``), its values, or None.
        scaling: ``"density"`` divides by the root of the sum of the window's squares,
            ``"spectrum"`` by the sum of its sizes, None by nothing.
        periodic: whether a named window is periodic rather than symmetric.

    Shapes:
        Output: (frame length, 1, frequencies), frequencies = n // 2 + 1

    Example:
        >>> STFT(window=None)((4, 1, 3)).round(3)[:, 0, 1].tolist()
        [1.0, 0.0, -1.0, -0.0]
    """

    def __init__(
        self,
        side: str = "real",
        window: Any = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ) -> None:
        self.side = _one_of("side", side, ("real", "imag"))
        self.window = _one_of("window", window, _WINDOWS) if isinstance(window, str) else window
        self.scaling = scaling and _one_of("scaling", scaling, ("density", "spectrum"))
        self.periodic = periodic

    def values(self, shape: Shape, random: RandomStream) -> Array:
        """The kernel.

        Shapes:
            Output: ``shape`` = (frame length, 1, frequencies)
        """
        if len(shape) != 3 or shape[1] != 1:
            raise ShapeError(
                "STFT: the kernel has one input channel",
                found=f"shape {shape}",
                needed="(frame length, 1, frequencies)",
                at=str(here()),
            )
        length, _, frequencies = shape
        angle = 2 * math.pi * np.outer(np.arange(length), np.arange(frequencies))
        angle /= max(1, (frequencies - 1) * 2)
        kernel = np.cos(angle) if self.side == "real" else -np.sin(angle)
        return np.asarray(kernel * self._scaled_window(length)[:, None])[:, None, :]

    def _scaled_window(self, length: int) -> Array:
        if self.window is None:
            return np.ones(length)
        if isinstance(self.window, str):
            window = window_values(self.window, length, periodic=self.periodic)
        else:
            window = np.asarray(self.window, np.float64)
        if window.shape != (length,):
            raise ShapeError(
                "STFT: the window does not fit the kernel",
                found=f"a window of shape {window.shape}",
                needed=f"one value for each of {length} places in time",
                at=str(here()),
            )
        if self.scaling == "density":
            return np.asarray(window / np.sqrt(np.square(window).sum()))
        if self.scaling == "spectrum":
            return np.asarray(window / np.abs(window).sum())
        return window


def _one_of(argument: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ArgumentError(
            f"STFT: there is no {argument} {value!r}",
            found=f"{argument}={value!r}" + did_you_mean(str(value), choices),
            needed="one of " + ", ".join(choices),
            at=str(here()),
        )
    return value
