"""--model SPEC: the architectures that the command line can build, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clearprop.errors import ArgumentError, UnknownNameError
from clearprop.layers import Dense, Dropout, Flatten, Input
from clearprop.text import did_you_mean
from clearprop.train import Sequential

DEFAULT_SPEC = "mlp"
_IMAGE_UNITS, _TABLE_UNITS = (256,), (64, 32)
_IMAGE_DROPOUT = 0.4
_MOST_UNITS = 65_536


@dataclass(frozen=True)
class Problem:
    """What a network must take and give.

    Attributes:
        input_shape: of one sample.
        outputs: how many numbers it gives for one sample.
    """

    input_shape: tuple[int, ...]
    outputs: int

    @property
    def is_image(self) -> bool:
        """Whether a sample is an image."""
        return len(self.input_shape) == 3


@dataclass(frozen=True)
class Spec:
    """One architecture.

    Attributes:
        build: its layers between input and output, from the text after the colon.
        told: one line for people.
    """

    build: Callable[[Problem, str], list[Any]]
    told: str


def build_model(spec: str, problem: Problem) -> Sequential:
    """A network with the architecture of a spec, such as ``mlp:64,32``; its outputs are logits.

    Raises:
        UnknownNameError: no architecture of this name.
        ArgumentError: what stands after the colon is not what the architecture needs.
    """
    name, _, details = spec.partition(":")
    if name not in SPECS:
        raise UnknownNameError(
            f'Choosing a network: there is none called "{name}"',
            found=f'"{name}"' + did_you_mean(name, SPECS),
            needed="one of:\n" + "\n".join(f"{key}: {one.told}" for key, one in SPECS.items()),
        )
    inside = SPECS[name].build(problem, details)
    return Sequential([Input(problem.input_shape), *inside, Dense(problem.outputs)])


def _multilayer_perceptron(problem: Problem, details: str) -> list[Any]:
    units = _units(details) or (_IMAGE_UNITS if problem.is_image else _TABLE_UNITS)
    hidden = [Dense(count, activation="relu") for count in units]
    if problem.is_image:
        return [Flatten(), *hidden, Dropout(_IMAGE_DROPOUT)]
    return list(hidden)


def _linear(problem: Problem, details: str) -> list[Any]:
    if details:
        raise ArgumentError(
            "Choosing a network: linear has no hidden units",
            found=f"linear:{details}",
            needed="linear",
            try_=f"mlp:{details}",
        )
    return [Flatten()] if problem.is_image else []


SPECS = {
    "mlp": Spec(
        _multilayer_perceptron,
        "layers of relu units; mlp:64,32 has 64 and then 32 hidden units",
    ),
    "linear": Spec(_linear, "no hidden layer: logistic or linear regression"),
}


def _units(details: str) -> tuple[int, ...]:
    words = [word.strip() for word in details.split(",")] if details else []
    if not all(word.isdecimal() and 0 < int(word) <= _MOST_UNITS for word in words):
        raise ArgumentError(
            "Choosing a network: the hidden units are not numbers",
            found=f"mlp:{details}",
            needed=f"whole numbers from 1 to {_MOST_UNITS:,}, separated by commas",
            try_="mlp:64,32",
        )
    return tuple(map(int, words))
