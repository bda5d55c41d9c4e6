"""The fully connected layer in index notation: which axes are connected is written down."""

from __future__ import annotations

import copy
import string
from collections.abc import Sequence
from typing import Any, Unpack

from clearprop import activations, initializers, ops, regularizers
from clearprop.errors import ArgumentError, ShapeError
from clearprop.initializers import Initializer, VarianceScaling
from clearprop.ir.place import here
from clearprop.ir.value import Value
from clearprop.layers.activity import penalize_activity
from clearprop.layers.checks import BuildShape, label, needs_length
from clearprop.layers.layer import Layer
from clearprop.layers.options import LayerOptions
from clearprop.layers.weight import Weight


class EinsumDense(Layer):
    """A fully connected layer between any axes: g(einsum(equation, x, W) + b).

    Args:
        equation: index notation for the input, the kernel and the result, such as
            ``"abc,cd->abd"``; ``...`` stands for further axes, first or last in the input and in
            the result.
        output_shape: lengths of the result's axes, without the batch and without ``...``; None
            where the input says it.
        activation: name or function g; None for none.
        bias_axes: letters of those axes of the result that b has; None for no b.
        kernel_initializer: draws the first W.
        bias_initializer: draws the first b.
        kernel_regularizer: adds a penalty on W to the loss.
        bias_regularizer: adds a penalty on b to the loss.
        activity_regularizer: adds a penalty on the result, per sample, to the loss.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        ``"abc,cde->abde"``, x: (batch, b, c)  ->  (batch, b, d, e)

    Weights:
        kernel: the lengths of the kernel's letters, Glorot uniform between the axes that it sums
            over and those that it makes.
        bias: from the first of ``bias_axes`` on, length 1 at other axes, zeros.

    Example:
        >>> import clearprop as cp, numpy as np
        >>> layer = cp.layers.EinsumDense("abc,cde->abde", (None, 4, 8), bias_axes="de")
        >>> layer(np.zeros((2, 5, 32))).shape
        (2, 5, 4, 8)
    """

    kernel: Weight
    bias: Weight | None

    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.equation, self.bias_axes = equation, bias_axes
        self.output_shape = output_shape
        self._inputs, self._kernel, self._output = self._parsed()
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        # A mask stays right where batch and steps stay the first two axes.
        self.supports_masking = self._inputs[:2] == self._output[:2]

    def _parsed(self) -> tuple[str, str, str]:
        """Letters of input, kernel and result; ``.`` stands for ``...``."""
        text = self.equation.replace(" ", "").replace("...", ".")
        inputs, comma, rest = text.partition(",")
        kernel, arrow, output = rest.partition("->")
        letters = set(inputs + kernel + output) - {"."}
        ends = [
            part.find(".") if part[:1] == "." else part.find(".") - len(part)
            for part in (inputs, output)
            if "." in part
        ]
        is_readable = (
            comma and arrow and inputs and kernel and output
            and letters <= set(string.ascii_letters)
            and "." not in kernel and inputs.count(".") == output.count(".") <= 1
            and all(end in {0, -1} for end in ends) and len(set(ends)) <= 1
            and set(kernel) <= set(inputs + output) and set(output) <= set(inputs + kernel)
            and all(len(set(part)) == len(part) for part in (inputs, kernel, output))
            and set(self.bias_axes or "") <= set(output) - {"."}
        )  # fmt: skip
        if not is_readable:
            raise ArgumentError(
                f"{label(self)}: the equation does not say how the axes are connected",
                found=f"equation={self.equation!r}, bias_axes={self.bias_axes!r}",
                needed="letters of the input, the kernel and the result, each known from another",
                try_='EinsumDense("abc,cd->abd", (None, 64), bias_axes="d")',
                at=str(here()),
            )
        return inputs, kernel, output

    def _spelled(self, rank: int) -> tuple[str, str]:
        """Letters of input and result for an input with so many axes."""
        count = rank - len(self._inputs.replace(".", ""))
        if count < 0 or (count and "." not in self._inputs):
            raise ShapeError(
                f"{label(self)}: the input has another number of axes than its equation",
                found=f"an input with {rank} axes",
                needed=f"{len(self._inputs.replace('.', ''))} axes"
                f"{' or more' if '.' in self._inputs else ''}, for {self.equation!r}",
                at=str(here()),
            )
        used = self._inputs + self._kernel + self._output
        fresh = "".join(c for c in string.ascii_letters if c not in used)[:count]
        return self._inputs.replace(".", fresh), self._output.replace(".", fresh)

    def _lengths(self, input_shape: BuildShape) -> dict[str, int | None]:
        """The length of every letter, as far as the input and ``output_shape`` tell."""
        inputs, _ = self._spelled(len(input_shape))
        lengths = dict(zip(inputs, input_shape, strict=True))
        has_free_batch = self._output.startswith(".") and len(inputs) >= len(self._inputs)
        named = self._output.replace(".", "")[0 if has_free_batch else 1 :]
        given = self.output_shape
        given = (given,) if isinstance(given, int) else tuple(given)
        for letter, length in zip(named, given, strict=False):
            if length is not None and lengths.setdefault(letter, length) != length:
                given = ()
        if len(named) != len(given):
            raise ShapeError(
                f"{label(self)}: the output shape does not fit the equation",
                found=f"output_shape={self.output_shape!r} for an input {tuple(input_shape)}",
                needed=f"a length for each of {', '.join(named) or 'no axes'}: those of the "
                "input, or None, where the input has them",
                at=str(here()),
            )
        return lengths

    def build(self, input_shape: BuildShape) -> None:
        """Make W and b for these lengths."""
        lengths = self._lengths(input_shape)
        self.kernel = self.add_weight(
            self._known(lengths, self._kernel),
            self._fan_aware(self.kernel_initializer),
            name="kernel",
            regularizer=self.kernel_regularizer,
        )
        self.bias = None
        if self.bias_axes:
            output = self._output.replace(".", "")
            spec = output[min(output.index(letter) for letter in self.bias_axes) :]
            shape = [
                self._known(lengths, letter)[0] if letter in self.bias_axes else 1
                for letter in spec
            ]
            if self._output.endswith("."):
                shape += [1] * (len(input_shape) - len(self._inputs) + 1)
            self.bias = self.add_weight(
                tuple(shape),
                self.bias_initializer,
                name="bias",
                regularizer=self.bias_regularizer,
            )

    def _known(self, lengths: dict[str, int | None], letters: str) -> tuple[int, ...]:
        known = tuple(n for n in map(lengths.get, letters) if n is not None)
        if len(known) < len(letters):
            raise ShapeError(
                f"{label(self)}: the weights depend on a length that is not known",
                found=f"equation={self.equation!r}, output_shape={self.output_shape!r}",
                needed=f"a number for each of {', '.join(letters)}",
                at=str(here()),
            )
        return known

    def _fan_aware(self, initializer: Initializer) -> Initializer:
        """The initializer, told which axes of the kernel are inputs and which are outputs."""
        if not isinstance(initializer, VarianceScaling) or initializer.input_axes is not None:
            return initializer
        told = copy.copy(initializer)
        axes = list(enumerate(self._kernel))
        told.output_axes = [axis for axis, letter in axes if letter in self._output]
        told.input_axes = [axis for axis, letter in axes if letter not in self._output]
        return told

    def call(self, inputs: Value) -> Any:
        """g(einsum(equation, x, W) + b)."""
        letters, output = self._spelled(len(inputs.shape))
        for letter, length in zip(self._kernel, self.kernel.shape, strict=True):
            if letter in letters:
                needs_length(self, inputs, letters.index(letter), length, "features")
        outputs = ops.einsum(f"{letters},{self._kernel}->{output}", inputs, self.kernel)
        if self.bias is not None:
            outputs = ops.add(outputs, self.bias)
        outputs = self.activation(outputs)
        penalize_activity(self, self.activity_regularizer, outputs)
        return outputs
