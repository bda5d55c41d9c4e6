"""--model SPEC: the architectures that the command line can build, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from clearprop.errors import ArgumentError, UnknownNameError
from clearprop.models import lenet, mlp, resnet20
from clearprop.text import did_you_mean
from clearprop.train import Model

_IMAGE_UNITS, _TABLE_UNITS = (256,), (64, 32)
_IMAGE_DROPOUT = 0.4
_LENET_FILTERS, _LENET_DROPOUT = (32, 64), 0.4
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
        build: the network, from the text after the colon.
        told: one line for people.
    """

    build: Callable[[Problem, str], Model]
    told: str


def build_model(spec: str, problem: Problem) -> Model:
    """A network with the architecture of a spec, such as ``mlp:64,32``; its outputs are logits.

    Raises:
        UnknownNameError: no architecture of this name.
        ArgumentError: what stands after the colon is not what the architecture needs, or the
            samples are not.
    """
    name, _, details = spec.partition(":")
    if name and set(name) <= set("0123456789, "):
        raise ArgumentError(
            "Choosing a network: numbers alone name none",
            found=spec,
            needed="its name before them",
            try_=f"--model mlp:{spec.replace(' ', '')}",
        )
    if name not in SPECS:
        raise UnknownNameError(
            f'Choosing a network: there is none called "{name}"',
            found=f'"{name}"' + did_you_mean(name, SPECS),
            needed="one of:\n" + "\n".join(f"{key}: {one.told}" for key, one in SPECS.items()),
        )
    return SPECS[name].build(problem, details)


def _multilayer_perceptron(problem: Problem, details: str) -> Model:
    if problem.is_image:
        units = _counts("mlp", "hidden units", details) or _IMAGE_UNITS
        return mlp(problem.input_shape, problem.outputs, units, dropout=_IMAGE_DROPOUT)
    units = _counts("mlp", "hidden units", details) or _TABLE_UNITS
    return mlp(problem.input_shape, problem.outputs, units)


def _linear(problem: Problem, details: str) -> Model:
    _refuse_details("linear", "hidden units", details, f"mlp:{details}")
    return mlp(problem.input_shape, problem.outputs, ())


def _lenet(problem: Problem, details: str) -> Model:
    filters = _counts("lenet", "filters", details) or _LENET_FILTERS
    _needs_images("lenet", problem, smallest=2 ** len(filters))
    return lenet(problem.input_shape, problem.outputs, filters, dropout=_LENET_DROPOUT)


def _resnet20(problem: Problem, details: str) -> Model:
    _refuse_details("resnet20", "filters to choose", details, "resnet20")
    _needs_images("resnet20", problem, smallest=1)
    return resnet20(problem.input_shape, problem.outputs)


SPECS = {
    "mlp": Spec(
        _multilayer_perceptron,
        "layers of relu units; mlp:64,32 has 64 and then 32 hidden units",
    ),
    "linear": Spec(_linear, "no hidden layer: logistic or linear regression"),
    "lenet": Spec(
        _lenet,
        "for images: convolutions and pooling; lenet:32,64 has 32 and then 64 filters",
    ),
    "resnet20": Spec(_resnet20, "for images: the residual network of 20 layers; slow"),
}


def _counts(name: str, what: str, details: str) -> tuple[int, ...]:
    """The numbers after the colon."""
    words = [word.strip() for word in details.split(",")] if details else []
    if not all(word.isdecimal() and 0 < int(word) <= _MOST_UNITS for word in words):
        raise ArgumentError(
            f"Choosing a network: the {what} are not numbers",
            found=f"{name}:{details}",
            needed=f"whole numbers from 1 to {_MOST_UNITS:,}, separated by commas",
            try_=f"{name}:64,32",
        )
    return tuple(map(int, words))


def _refuse_details(name: str, what: str, details: str, instead: str) -> None:
    if details:
        raise ArgumentError(
            f"Choosing a network: {name} has no {what}",
            found=f"{name}:{details}",
            needed=name,
            try_=instead,
        )


def _needs_images(name: str, problem: Problem, *, smallest: int) -> None:
    shape = problem.input_shape
    if not problem.is_image or min(shape[:2]) < smallest:
        raise ArgumentError(
            f"Choosing a network: {name} looks at images",
            found=f"samples of shape {shape}",
            needed=f"(height, width, channels), at least {smallest} by {smallest}",
            try_="--model mlp",
        )
