"""Counterparts of PyTorch's activations, losses, convolutions and pooling."""

from __future__ import annotations

from typing import Any

from clearprop import activations, losses, ops
from tests.reference.opinfo.helpers import Counterpart, elementwise, leave_out, plain, reduced


def _leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    return activations.leaky_relu(x, negative_slope)


def _elu(x: Any, alpha: float = 1.0) -> Any:
    return activations.elu(x, alpha)


def _celu(x: Any, alpha: float = 1.0) -> Any:
    return activations.celu(x, alpha)


def _gelu(x: Any, approximate: str = "none") -> Any:
    return activations.gelu(x, approximate=approximate == "tanh")


def _hard_tanh(x: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    leave_out((min_val, max_val) != (-1, 1), "other limits, which clip has")
    return activations.hard_tanh(x)


def _softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    if (beta, threshold) == (1, 20):
        return activations.softplus(x)
    return ops.where(beta * x > threshold, x, activations.softplus(beta * x) / beta)


def _shrink(function: Counterpart) -> Counterpart:
    def call(x: Any, lambd: float = 0.5) -> Any:
        return function(x, lambd)

    return call


def _softmin(x: Any, dim: int, **kwargs: Any) -> Any:
    plain(**kwargs)
    leave_out(not x.shape, "a single number has no axis")
    return ops.softmax(-x, dim)


def _prelu(x: Any, weight: Any) -> Any:
    if weight.ndim == 1 and weight.shape[0] > 1:
        weight = ops.reshape(weight, (-1,) + (1,) * max(x.ndim - 2, 0))
    elif weight.shape:
        weight = ops.reshape(weight, ())
    return ops.where(x > 0, x, weight * x)


ACTIVATIONS: dict[str, Counterpart] = {
    "nn.functional.celu": _celu,
    "nn.functional.elu": _elu,
    "nn.functional.gelu": _gelu,
    "nn.functional.glu": lambda x, dim=-1: activations.glu(x, dim),
    "nn.functional.hardshrink": _shrink(activations.hard_shrink),
    "nn.functional.hardsigmoid": elementwise(activations.hard_sigmoid),
    "nn.functional.hardswish": elementwise(activations.hard_silu),
    "nn.functional.hardtanh": _hard_tanh,
    "nn.functional.leaky_relu": _leaky_relu,
    "nn.functional.logsigmoid": elementwise(activations.log_sigmoid),
    "nn.functional.mish": elementwise(activations.mish),
    "nn.functional.prelu": _prelu,
    "nn.functional.relu": elementwise(activations.relu),
    "nn.functional.relu6": elementwise(activations.relu6),
    "nn.functional.selu": elementwise(activations.selu),
    "nn.functional.silu": elementwise(activations.silu),
    "nn.functional.softmin": _softmin,
    "nn.functional.softmin.with_dtype": _softmin,
    "nn.functional.softplus": _softplus,
    "nn.functional.softshrink": _shrink(activations.soft_shrink),
    "nn.functional.softsign": elementwise(activations.softsign),
    "nn.functional.tanhshrink": elementwise(activations.tanh_shrink),
    "nn.functional.threshold": lambda x, threshold, value: activations.threshold(
        x, threshold, value
    ),
}

# -- losses ---------------------------------------------------------------------------


def _of_elements(loss: Counterpart, x: Any, target: Any, how: str, **arguments: Any) -> Any:
    """Our losses average over the last axis; here each element is a sample with one output."""
    single = loss(ops.expand_dims(target, -1), ops.expand_dims(x, -1), **arguments)
    return reduced(single, how)


def _mse(x: Any, target: Any, reduction: str = "mean") -> Any:
    return _of_elements(losses.mean_squared_error, x, target, reduction)


def _l1(x: Any, target: Any, reduction: str = "mean") -> Any:
    return _of_elements(losses.mean_absolute_error, x, target, reduction)


def _huber(x: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    return _of_elements(losses.huber, x, target, reduction, delta=delta)


def _smooth_l1(x: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Any:
    leave_out(beta == 0, "a Huber loss without a curve, which is the absolute error")
    return _of_elements(losses.huber, x, target, reduction, delta=beta) / beta


def _binary(
    x: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    leave_out(pos_weight is not None, "other weights for the positive class")
    single = _of_elements(losses.binary_crossentropy, x, target, "none", from_logits=True)
    return reduced(single if weight is None else single * weight, reduction)


def _cross_entropy(
    x: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    leave_out(weight is not None, "weights of classes, which fit takes")
    leave_out(target.dtype.kind == "i" and label_smoothing, "smoothed whole-number labels")
    if x.ndim > 1:
        x = ops.moveaxis(x, 1, -1)
    if target.dtype.kind == "f":
        target = ops.moveaxis(target, 1, -1) if target.ndim > 1 else target
        single = losses.categorical_crossentropy(
            target, x, from_logits=True, label_smoothing=label_smoothing
        )
        return reduced(single, reduction)
    leave_out(ignore_index >= 0, "labels that are passed over")
    single = losses.sparse_categorical_crossentropy(target, x, from_logits=True)
    return reduced(single, reduction)


LOSSES: dict[str, Counterpart] = {
    "nn.functional.binary_cross_entropy_with_logits": _binary,
    "nn.functional.cross_entropy": _cross_entropy,
    "nn.functional.huber_loss": _huber,
    "nn.functional.l1_loss": _l1,
    "nn.functional.mse_loss": _mse,
    "nn.functional.smooth_l1_loss": _smooth_l1,
}

# -- windows, whose channels are last here and second in PyTorch -----------------------------


def _channels_last(x: Any, rank: int) -> Any:
    """(batch, *space, channels), also of one sample alone."""
    return ops.moveaxis(x if x.ndim == rank + 2 else ops.expand_dims(x, 0), 1, -1)


def _channels_second(y: Any, like: Any) -> Any:
    y = ops.moveaxis(y, -1, 1)
    return y if y.ndim == like.ndim else ops.squeeze(y, 0)


def _every(number: Any, rank: int) -> tuple[int, ...]:
    """One number for each axis."""
    numbers = number if isinstance(number, tuple) else (number,)
    return numbers * rank if len(numbers) == 1 else numbers


def _hanging_over(
    sizes: Any, window: Any, strides: Any, padding: Any, dilation: Any
) -> list[tuple[int, int]]:
    """Padding with as many places more behind each axis as the last window hangs over it.

    PyTorch leaves out a window that begins behind the elements and the padding in front of them.
    """
    sides = []
    axes = zip(sizes, window, strides, padding, dilation, strict=True)
    for size, taps, step, low, gap in axes:
        room = size + 2 * low - (taps - 1) * gap - 1
        begins_inside = (room // step + 1) * step < size + low
        sides.append((low, low + (-room % step if begins_inside else 0)))
    return sides


def _conv(rank: int) -> Counterpart:
    def call(
        x: Any,
        weight: Any,
        bias: Any = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Any:
        y = ops.conv(
            _channels_last(x, rank),
            ops.transpose(weight, (*range(2, rank + 2), 1, 0)),
            _every(stride, rank),
            padding if isinstance(padding, str) else _every(padding, rank),
            _every(dilation, rank),
            groups,
        )
        return _channels_second(y if bias is None else y + bias, x)

    return call


def _conv_transpose(rank: int) -> Counterpart:
    def call(
        x: Any,
        weight: Any,
        bias: Any = None,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        dilation: Any = 1,
    ) -> Any:
        leave_out(groups != 1, "groups of a transposed convolution")
        y = ops.conv_transpose(
            _channels_last(x, rank),
            ops.transpose(weight, (*range(2, rank + 2), 1, 0)),
            _every(stride, rank),
            output_padding=_every(output_padding, rank),
            dilation=_every(dilation, rank),
        )
        cut = zip(_every(padding, rank), y.shape[1:-1], strict=True)
        y = y[(slice(None), *(slice(side, length - side) for side, length in cut))]
        return _channels_second(y if bias is None else y + bias, x)

    return call


def _max_pool(rank: int) -> Counterpart:
    def call(
        x: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        window = _every(kernel_size, rank)
        steps = window if stride in {None, ()} else _every(stride, rank)
        sides, gaps = _every(padding, rank), _every(dilation, rank)
        if ceil_mode:
            sides = _hanging_over(x.shape[-rank:], window, steps, sides, gaps)
        y = ops.max_pool(_channels_last(x, rank), window, steps, sides, gaps)
        return _channels_second(y, x)

    return call


def _average_pool(rank: int) -> Counterpart:
    def call(
        x: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: Any = None,
    ) -> Any:
        leave_out(divisor_override is not None, "another divisor")
        window = _every(kernel_size, rank)
        steps = window if stride in {None, ()} else _every(stride, rank)
        borders = _every(padding, rank)
        sides = [(each, each) for each in borders]
        if ceil_mode:
            sides = _hanging_over(x.shape[-rank:], window, steps, borders, (1,) * rank)
        y = _channels_last(x, rank)
        if count_include_pad and any(borders):  # what lies in the padding are zeros to be counted
            y = ops.pad(y, [(0, 0), *((each, each) for each in borders), (0, 0)])
            sides = [(0, high - low) for low, high in sides]
        return _channels_second(ops.average_pool(y, window, steps, sides), x)

    return call


WINDOWS: dict[str, Counterpart] = {
    f"nn.functional.{name}{rank}d": of_rank(rank)
    for rank in (1, 2, 3)
    for name, of_rank in {
        "avg_pool": _average_pool,
        "conv": _conv,
        "conv_transpose": _conv_transpose,
        "max_pool": _max_pool,
    }.items()
}

NETWORKS = ACTIVATIONS | LOSSES | WINDOWS
