"""Initializers whose spread follows from how many inputs and outputs a weight connects.

With n inputs of variance 1, weights of variance 1/n give sums of variance 1: signals neither grow
nor fade from layer to layer, forwards (n inputs) or backwards (n outputs).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from clearprop.errors import ArgumentError
from clearprop.initializers.initializer import RandomInitializer
from clearprop.initializers.random_stream import RandomStream
from clearprop.ir.place import here
from clearprop.ir.types import Shape
from clearprop.ir.value import Array
from clearprop.text import did_you_mean

_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")

# Standard deviation of a standard normal without what lies beyond 2: of
# 1 - 4 * density(2) / (2 * probability(2) - 1) the root.
_TRUNCATED_STDDEV = 0.87962566103423978


def fans(
    shape: Shape,
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
) -> tuple[int, int]:
    """How many inputs one output of a weight sees, and how many outputs one input reaches.

    A matrix is (inputs, outputs); a convolution kernel is (*window, inputs, outputs), each of
    which counts once for every place of the window; a vector counts as both.

    Args:
        shape: the weight's shape.
        input_axes: the axes whose lengths are multiplied for the inputs, for another layout;
            both or neither must be given.
        output_axes: the same for the outputs.

    Example:
        >>> fans((784, 100)), fans((3, 3, 16, 32))
        ((784, 100), (144, 288))
    """
    if input_axes is not None and output_axes is not None:
        inputs, outputs = (math.prod(shape[axis] for axis in a) for a in (input_axes, output_axes))
        return inputs, outputs
    if len(shape) < 2:
        length = shape[0] if shape else 1
        return length, length
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


class VarianceScaling(RandomInitializer):
    """Random numbers of variance ``scale`` / n, where n counts inputs or outputs.

    ``uniform`` draws between -l and l with l = sqrt(3 * scale / n).

    Args:
        scale: a positive number.
        mode: what n is: the number of inputs (``"fan_in"``), of outputs (``"fan_out"``), or the
            mean of both (``"fan_avg"``).
        distribution: ``"truncated_normal"``, ``"untruncated_normal"`` or ``"uniform"``.
        seed: see ``RandomInitializer``.
        input_axes: axes of the inputs, where the weight is not (..., inputs, outputs).
        output_axes: axes of the outputs.

    Example:
        >>> wide = VarianceScaling(scale=3.0, distribution="uniform")((400, 10))
        >>> abs(wide).max() <= (3 * 3 / 400) ** 0.5
        np.True_
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(seed)
        if not scale > 0:
            raise ArgumentError(
                f"{type(self).__name__}: a variance is positive",
                found=f"scale={scale!r}",
                needed="scale > 0",
                at=str(here()),
            )
        distribution = distribution.lower()
        self.scale = scale
        self.mode = self._one_of("mode", mode, _MODES)
        self.distribution = self._one_of(
            "distribution",
            "truncated_normal" if distribution == "normal" else distribution,
            _DISTRIBUTIONS,
        )
        self.input_axes, self.output_axes = input_axes, output_axes

    def _one_of(self, argument: str, value: str, choices: tuple[str, ...]) -> str:
        if value not in choices:
            raise ArgumentError(
                f"{type(self).__name__}: there is no {argument} {value!r}",
                found=f"{argument}={value!r}" + did_you_mean(str(value), choices),
                needed="one of " + ", ".join(choices),
                at=str(here()),
            )
        return value

    def values(self, shape: Shape, random: RandomStream) -> Array:
        """Numbers whose variance fits the weight's size.

        Shapes:
            Output: ``shape``
        """
        inputs, outputs = fans(shape, self.input_axes, self.output_axes)
        count = {"fan_in": inputs, "fan_out": outputs, "fan_avg": (inputs + outputs) / 2}
        variance = self.scale / max(1.0, count[self.mode])
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return random.uniform(shape, -limit, limit)
        if self.distribution == "untruncated_normal":
            return math.sqrt(variance) * random.normal(shape)
        return math.sqrt(variance) / _TRUNCATED_STDDEV * random.truncated_normal(shape)


class GlorotUniform(VarianceScaling):
    """Uniform numbers between -l and l, l = sqrt(6 / (inputs + outputs)).

    Args:
        seed: see ``RandomInitializer``.
        input_axes: see ``VarianceScaling``.
        output_axes: see ``VarianceScaling``.

    Reference:
        X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural
        networks", AISTATS (2010).

    Example:
        >>> abs(GlorotUniform()((20, 30))).max() <= (6 / (20 + 30)) ** 0.5
        np.True_
    """

    def __init__(
        self,
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed, input_axes, output_axes)


class GlorotNormal(VarianceScaling):
    """Truncated normal numbers of variance 2 / (inputs + outputs).

    Args:
        seed: see ``RandomInitializer``.
        input_axes: see ``VarianceScaling``.
        output_axes: see ``VarianceScaling``.

    Reference:
        X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural
        networks", AISTATS (2010).
    """

    def __init__(
        self,
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed, input_axes, output_axes)


class HeUniform(VarianceScaling):
    """Uniform numbers between -l and l, l = sqrt(6 / inputs): for layers with relu.

    Relu halves the mean square of what passes; the variance is doubled to make up for it.

    Args:
        seed: see ``RandomInitializer``.
        input_axes: see ``VarianceScaling``.
        output_axes: see ``VarianceScaling``.

    Reference:
        K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers: surpassing human-level
        performance on ImageNet classification", ICCV (2015).
    """

    def __init__(
        self,
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed, input_axes, output_axes)


class HeNormal(VarianceScaling):
    """Truncated normal numbers of variance 2 / inputs: for layers with relu.

    Args:
        seed: see ``RandomInitializer``.
        input_axes: see ``VarianceScaling``.
        output_axes: see ``VarianceScaling``.

    Reference:
        K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers: surpassing human-level
        performance on ImageNet classification", ICCV (2015).
    """

    def __init__(
        self,
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(2.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)


class LecunUniform(VarianceScaling):
    """Uniform numbers between -l and l, l = sqrt(3 / inputs): for layers with selu.

    Args:
        seed: see ``RandomInitializer``.
        input_axes: see ``VarianceScaling``.
        output_axes: see ``VarianceScaling``.

    Reference:
        Y. LeCun, L. Bottou, G. Orr, K.-R. Müller, "Efficient BackProp" (1998).
    """

    def __init__(
        self,
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed, input_axes, output_axes)


class LecunNormal(VarianceScaling):
    """Truncated normal numbers of variance 1 / inputs: for layers with selu.

    Args:
        seed: see ``RandomInitializer``.
        input_axes: see ``VarianceScaling``.
        output_axes: see ``VarianceScaling``.

    Reference:
        G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter, "Self-normalizing neural networks",
        NeurIPS (2017).
    """

    def __init__(
        self,
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(1.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)
