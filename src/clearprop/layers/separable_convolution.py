"""Convolutions of each channel by itself, and the mixture of channels after them."""

from __future__ import annotations

from typing import Any, Unpack

from clearprop import initializers, ops, regularizers
from clearprop.ir.value import Value
from clearprop.layers.checks import BuildShape, positive_integer
from clearprop.layers.options import LayerOptions
from clearprop.layers.spatial import ConvolutionBase
from clearprop.layers.weight import Weight
from clearprop.ops.sliding import Padding, PerAxis

# -- depthwise -----------------------------------------------------------------------------


class _DepthwiseConvolution(ConvolutionBase):
    """A depthwise convolution in any number of dimensions."""

    kernel: Weight

    def __init__(
        self,
        kernel_size: PerAxis,
        strides: PerAxis = 1,
        padding: Padding = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: PerAxis = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.depth_multiplier = positive_integer(self, "depth_multiplier", depth_multiplier)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.set_ending(
            activation, use_bias, bias_initializer, bias_regularizer, activity_regularizer
        )

    def build(self, input_shape: BuildShape) -> None:
        """Make a kernel for each channel, and the bias."""
        channels = self.input_channels(input_shape)
        self.kernel = self.add_weight(
            (*self.kernel_size, channels, self.depth_multiplier),
            self.depthwise_initializer,
            name="kernel",
            regularizer=self.depthwise_regularizer,
        )
        self.add_bias(channels * self.depth_multiplier)

    def call(self, inputs: Value) -> Any:
        """g(each channel * its kernels + bias)."""
        outputs = ops.depthwise_conv(
            self.checked(inputs), self.kernel, self.strides, self.padding, self.dilation_rate
        )
        return self.finished(outputs)


class DepthwiseConv1D(_DepthwiseConvolution):
    """A convolution of each channel of a sequence by itself.

    The arguments are those of ``DepthwiseConv2D``, with one axis instead of two.

    Shapes:
        x: (batch, steps, in)  ->  (batch, N, in * depth_multiplier),
        N = (W - F + 2P)/S + 1, rounded down

    Weights:
        kernel: (kernel_size, in, depth_multiplier), Glorot uniform.
        bias: (in * depth_multiplier,), zeros.

    Example:
        >>> import clearprop as cp
        >>> layer = cp.layers.DepthwiseConv1D(2, depthwise_initializer="ones")
        >>> layer([[[1.0, 5.0], [2.0, 7.0]]]).tolist()
        [[[3.0, 12.0]]]
    """

    rank = 1


class DepthwiseConv2D(_DepthwiseConvolution):
    """A convolution of each channel of an image by itself: cheap, the channels do not mix.

    Args:
        kernel_size: length of the window: a number, or one for rows and one for columns.
        strides: places from one position of the window to the next.
        padding: ``"valid"``, ``"same"``, or numbers of zeros around x.
        depth_multiplier: how many kernels each channel has.
        data_format: None or ``"channels_last"``.
        dilation_rate: places from one element of the window to the next.
        activation: name or function g; None for none.
        use_bias: whether a bias is added.
        depthwise_initializer: draws the first kernels.
        bias_initializer: draws the first bias.
        depthwise_regularizer: adds a penalty on the kernels to the loss.
        bias_regularizer: adds a penalty on the bias to the loss.
        activity_regularizer: adds a penalty on the result, per sample, to the loss.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, rows, columns, in)  ->  (batch, N, M, in * depth_multiplier);
        on each axis N = (W - F + 2P)/S + 1, rounded down

    Weights:
        kernel: (*kernel_size, in, depth_multiplier), Glorot uniform.
        bias: (in * depth_multiplier,), zeros.

    Example:
        >>> import clearprop as cp
        >>> layer = cp.layers.DepthwiseConv2D((1, 2), depthwise_initializer="ones")
        >>> layer([[[[1.0, 5.0], [2.0, 7.0]]]]).tolist()
        [[[[3.0, 12.0]]]]
    """

    rank = 2


# -- separable -----------------------------------------------------------------------------


class _SeparableConvolution(ConvolutionBase):
    """A separable convolution in any number of dimensions."""

    depthwise_kernel: Weight
    pointwise_kernel: Weight

    def __init__(
        self,
        filters: int,
        kernel_size: PerAxis,
        strides: PerAxis = 1,
        padding: Padding = "valid",
        data_format: str | None = None,
        dilation_rate: PerAxis = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.filters = positive_integer(self, "filters", filters)
        self.set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.depth_multiplier = positive_integer(self, "depth_multiplier", depth_multiplier)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.set_ending(
            activation, use_bias, bias_initializer, bias_regularizer, activity_regularizer
        )

    def build(self, input_shape: BuildShape) -> None:
        """Make the kernels of the channels, the mixture and the bias."""
        channels = self.input_channels(input_shape)
        self.depthwise_kernel = self.add_weight(
            (*self.kernel_size, channels, self.depth_multiplier),
            self.depthwise_initializer,
            name="depthwise_kernel",
            regularizer=self.depthwise_regularizer,
        )
        self.pointwise_kernel = self.add_weight(
            (*(1,) * self.rank, channels * self.depth_multiplier, self.filters),
            self.pointwise_initializer,
            name="pointwise_kernel",
            regularizer=self.pointwise_regularizer,
        )
        self.add_bias(self.filters)

    def call(self, inputs: Value) -> Any:
        """g(the mixture of (each channel * its kernels) + bias)."""
        outputs = ops.separable_conv(
            self.checked(inputs),
            self.depthwise_kernel,
            self.pointwise_kernel,
            self.strides,
            self.padding,
            self.dilation_rate,
        )
        return self.finished(outputs)


class SeparableConv1D(_SeparableConvolution):
    """A convolution of each channel of a sequence by itself, then a mixture of the channels.

    The arguments are those of ``SeparableConv2D``, with one axis instead of two.

    Shapes:
        x: (batch, steps, in)  ->  (batch, N, filters),  N = (W - F + 2P)/S + 1, rounded down

    Weights:
        depthwise_kernel: (kernel_size, in, depth_multiplier), Glorot uniform.
        pointwise_kernel: (1, in * depth_multiplier, filters), Glorot uniform.
        bias: (filters,), zeros.

    Example:
        >>> import clearprop as cp
        >>> ones = {"depthwise_initializer": "ones", "pointwise_initializer": "ones"}
        >>> cp.layers.SeparableConv1D(1, 2, **ones)([[[1.0, 5.0], [2.0, 7.0]]]).tolist()
        [[[15.0]]]
    """

    rank = 1


class SeparableConv2D(_SeparableConvolution):
    """A convolution of each channel of an image by itself, then a mixture of the channels.

    It sees what ``Conv2D`` sees, with far fewer weights: F^2 in + in out in place of F^2 in out.

    Args:
        filters: the channels of the result.
        kernel_size: length of the window: a number, or one for rows and one for columns.
        strides: places from one position of the window to the next.
        padding: ``"valid"``, ``"same"``, or numbers of zeros around x.
        data_format: None or ``"channels_last"``.
        dilation_rate: places from one element of the window to the next.
        depth_multiplier: how many kernels each channel has.
        activation: name or function g; None for none.
        use_bias: whether a bias is added.
        depthwise_initializer: draws the first kernels of the channels.
        pointwise_initializer: draws the first mixture.
        bias_initializer: draws the first bias.
        depthwise_regularizer: adds a penalty on the kernels of the channels to the loss.
        pointwise_regularizer: adds a penalty on the mixture to the loss.
        bias_regularizer: adds a penalty on the bias to the loss.
        activity_regularizer: adds a penalty on the result, per sample, to the loss.
        **options: ``name``, ``trainable``, ``dtype``.

    Shapes:
        x: (batch, rows, columns, in)  ->  (batch, N, M, filters);
        on each axis N = (W - F + 2P)/S + 1, rounded down

    Weights:
        depthwise_kernel: (*kernel_size, in, depth_multiplier), Glorot uniform.
        pointwise_kernel: (1, 1, in * depth_multiplier, filters), Glorot uniform.
        bias: (filters,), zeros.

    Reference:
        F. Chollet, "Xception: deep learning with depthwise separable convolutions", CVPR (2017).

    Example:
        >>> import clearprop as cp
        >>> ones = {"depthwise_initializer": "ones", "pointwise_initializer": "ones"}
        >>> cp.layers.SeparableConv2D(1, (1, 2), **ones)([[[[1.0, 5.0], [2.0, 7.0]]]]).tolist()
        [[[[15.0]]]]
    """

    rank = 2
