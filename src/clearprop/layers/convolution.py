"""Convolutions: the same small kernel at every place."""

from __future__ import annotations

from typing import Any, Unpack

from clearprop import initializers, ops, regularizers
from clearprop.errors import ShapeError
from clearprop.ir.place import here
from clearprop.ir.value import Value
from clearprop.layers.checks import BuildShape, label, positive_integer
from clearprop.layers.options import LayerOptions
from clearprop.layers.spatial import ConvolutionBase
from clearprop.layers.weight import Weight
from clearprop.ops.sliding import Padding, PerAxis


class _Convolution(ConvolutionBase):
    """A convolution in any number of dimensions."""

    kernel: Weight

    def __init__(
        self,
        filters: int,
        kernel_size: PerAxis,
        strides: PerAxis = 1,
        padding: Padding = "valid",
        data_format: str | None = None,
        dilation_rate: PerAxis = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.filters = positive_integer(self, "filters", filters)
        self.set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.groups = positive_integer(self, "groups", groups)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.set_ending(
            activation, use_bias, bias_initializer, bias_regularizer, activity_regularizer
        )

    def build(self, input_shape: BuildShape) -> None:
        """Make the kernel and the bias for this number of channels."""
        channels = self.input_channels(input_shape)
        if channels % self.groups or self.filters % self.groups:
            raise ShapeError(
                f"{label(self)}: the channels do not make {self.groups} equal groups",
                found=f"{channels} channels in, filters={self.filters}, groups={self.groups}",
                needed="numbers of channels and filters that groups divides",
                at=str(here()),
            )
        self.kernel = self.add_weight(
            (*self.kernel_size, channels // self.groups, self.filters),
            self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
        )
        self.add_bias(self.filters)

    def call(self, inputs: Value) -> Any:
        """g(inputs * kernel + bias)."""
        outputs = ops.conv(
            self.checked(inputs),
            self.kernel,
            self.strides,
            self.padding,
            self.dilation_rate,
            self.groups,
        )
        return self.finished(outputs)


class Conv1D(_Convolution):
    """A convolution of sequences and signals, g(x * kernel + bias).

    The arguments are those of ``Conv2D``, with one axis instead of two, and one padding more:
    ``"causal"``, with which no step sees later ones.

    Shapes:
        x: (batch, steps, in)  ->  (batch, N, filters),  N = (W - F + 2P)/S + 1, rounded down

    Weights:
        kernel: (kernel_size, in / groups, filters), Glorot uniform.
        bias: (filters,), zeros.

    Example:
        >>> import clearprop as cp
        >>> layer = cp.layers.Conv1D(1, 2, padding="causal", kernel_initializer="ones")
        >>> layer([[[1.0], [2.0], [3.0]]]).tolist()
        [[[1.0], [3.0], [5.0]]]
    """

    rank = 1


class Conv2D(_Convolution):
    """A convolution of images, g(x * kernel + bias): one small kernel at every place.

    At each place the ``filters`` kernels see a window of ``kernel_size`` and all its channels;
    everywhere they are the same, so that what moves in the image moves in the result.

    Args:
        filters: number of kernels, the channels of the result.
        kernel_size: length of the window: a number, or one for rows and one for columns.
        strides: places from one position of the window to the next.
        padding: ``"valid"`` (none: the result is smaller), ``"same"`` (with strides 1 the result
            is as large as x), or numbers of zeros around x.
        data_format: None or ``"channels_last"``.
        dilation_rate: places from one element of the window to the next.
        groups: how many parts the channels have; each part of the result sees its part of x.
        activation: name or function g; None for none.
        use_bias: whether a bias is added.
        kernel_initializer: draws the first kernel.
        bias_initializer: draws the first bias.
        kernel_regularizer: adds a penalty on the kernel to the loss.
        bias_regularizer: adds a penalty on the bias to the loss.
        activity_regularizer: adds a penalty on the result, per sample, to the loss.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, rows, columns, in)  ->  (batch, N, M, filters);
        on each axis N = (W - F + 2P)/S + 1, rounded down, for W elements, a window of F,
        P zeros on each side and stride S.

    Weights:
        kernel: (*kernel_size, in / groups, filters), Glorot uniform.
        bias: (filters,), zeros.

    Reference:
        Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
        recognition", Proceedings of the IEEE 86 (1998).

    Example:
        >>> import clearprop as cp
        >>> layer = cp.layers.Conv2D(1, 2, kernel_initializer="ones")
        >>> layer([[[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]]]).tolist()
        [[[[12.0], [16.0]]]]
    """

    rank = 2


class Conv3D(_Convolution):
    """A convolution of volumes and films, g(x * kernel + bias).

    The arguments are those of ``Conv2D``, with three axes instead of two.

    Shapes:
        x: (batch, planes, rows, columns, in)  ->  (batch, *positions, filters);
        on each axis N = (W - F + 2P)/S + 1, rounded down

    Weights:
        kernel: (*kernel_size, in / groups, filters), Glorot uniform.
        bias: (filters,), zeros.

    Example:
        >>> import clearprop as cp
        >>> layer = cp.layers.Conv3D(1, (2, 1, 1), kernel_initializer="ones")
        >>> layer([[[[[1.0]]], [[[2.0]]]]]).tolist()
        [[[[[3.0]]]]]
    """

    rank = 3
