"""The table of layers that slide over space: convolution, pooling, borders, enlarging."""

from __future__ import annotations

from tests.layers.case import Case

SIGNAL, PICTURE, VOLUME = ((2, 9, 4),), ((2, 7, 6, 4),), ((2, 4, 5, 4, 2),)
SMALL = ((2, 3, 4, 4),)
RANDOM_BIAS = {"bias_initializer": "random_normal"}

CONVOLUTIONS = [
    Case("Conv1D", {"filters": 3, "kernel_size": 3}, SIGNAL),
    Case("Conv1D", {"filters": 2, "kernel_size": 4, "padding": "causal"}, SIGNAL),
    Case(
        "Conv1D", {"filters": 2, "kernel_size": 3, "padding": "causal", "dilation_rate": 3}, SIGNAL
    ),
    Case("Conv1D", {"filters": 2, "kernel_size": 2, "padding": "causal", "strides": 3}, SIGNAL),
    Case("Conv1D", {"filters": 4, "kernel_size": 4, "padding": "same", "strides": 2}, SIGNAL),
    Case("Conv1D", {"filters": 4, "kernel_size": 2, "groups": 4, "use_bias": False}, SIGNAL),
    Case("Conv2D", {"filters": 3, "kernel_size": 3, "activation": "relu", **RANDOM_BIAS}, PICTURE),
    Case("Conv2D", {"filters": 2, "kernel_size": (2, 3), "padding": "same"}, PICTURE),
    Case("Conv2D", {"filters": 2, "kernel_size": 3, "padding": "same", "strides": 2}, PICTURE),
    Case(
        "Conv2D",
        {"filters": 2, "kernel_size": (4, 2), "padding": "same", "strides": (3, 2)},
        PICTURE,
    ),
    Case("Conv2D", {"filters": 2, "kernel_size": 2, "strides": (2, 3)}, PICTURE),
    Case("Conv2D", {"filters": 2, "kernel_size": (3, 2), "dilation_rate": (2, 3)}, PICTURE),
    Case(
        "Conv2D", {"filters": 2, "kernel_size": 3, "dilation_rate": 2, "padding": "same"}, PICTURE
    ),
    Case("Conv2D", {"filters": 6, "kernel_size": 3, "groups": 2, "padding": "same"}, PICTURE),
    Case("Conv2D", {"filters": 8, "kernel_size": 3, "groups": 4, "strides": 2}, PICTURE),
    Case("Conv2D", {"filters": 5, "kernel_size": 1, "use_bias": False}, PICTURE),
    Case("Conv2D", {"filters": 5, "kernel_size": 1, "strides": 2}, PICTURE),
    Case("Conv2D", {"filters": 1, "kernel_size": (7, 6)}, PICTURE),
    Case("Conv2D", {"filters": 1, "kernel_size": 1}, ((1, 1, 1, 1),)),
    Case("Conv3D", {"filters": 3, "kernel_size": 2}, VOLUME),
    Case(
        "Conv3D",
        {"filters": 2, "kernel_size": (3, 2, 1), "padding": "same", "strides": (2, 1, 2)},
        VOLUME,
    ),
    Case(
        "Conv3D", {"filters": 2, "kernel_size": 2, "dilation_rate": (1, 2, 3), "groups": 2}, VOLUME
    ),
]

_TRANSPOSED = [
    {"filters": 3, "kernel_size": 3},
    {"filters": 3, "kernel_size": 3, "padding": "same"},
    {"filters": 2, "kernel_size": 3, "strides": 2},
    {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same"},
    {"filters": 2, "kernel_size": 2, "strides": 2, "padding": "same"},
    {"filters": 2, "kernel_size": 4, "strides": 3, "padding": "same"},
    {"filters": 2, "kernel_size": 1, "strides": 3, "padding": "same"},
    {"filters": 2, "kernel_size": 2, "strides": 3},
    {"filters": 2, "kernel_size": 3, "strides": 2, "output_padding": 1},
    {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 0},
    {"filters": 2, "kernel_size": 4, "strides": 3, "padding": "same", "output_padding": 2},
    {"filters": 2, "kernel_size": 3, "dilation_rate": 2},
    {"filters": 2, "kernel_size": 2, "dilation_rate": 2, "padding": "same"},
]
TRANSPOSED = [
    *(Case("Conv1DTranspose", arguments, SIGNAL) for arguments in _TRANSPOSED),
    *(Case("Conv2DTranspose", arguments, SMALL) for arguments in _TRANSPOSED),
    Case(
        "Conv2DTranspose",
        {
            "filters": 3, "kernel_size": (2, 3), "strides": (1, 2), "activation": "tanh",
            "use_bias": False,
        },
        SMALL,
    ),
    Case("Conv3DTranspose", {"filters": 3, "kernel_size": (1, 2, 3)}, VOLUME),
    Case(
        "Conv3DTranspose",
        {"filters": 1, "kernel_size": 2, "strides": 2, "padding": "same"},
        VOLUME,
    ),
]  # fmt: skip

SEPARABLE = [
    Case("DepthwiseConv1D", {"kernel_size": 3}, SIGNAL),
    Case("DepthwiseConv1D", {"kernel_size": 3, "strides": 2, "padding": "same"}, SIGNAL),
    Case("DepthwiseConv1D", {"kernel_size": 2, "depth_multiplier": 3, "dilation_rate": 2}, SIGNAL),
    Case("DepthwiseConv2D", {"kernel_size": 3, "activation": "relu", **RANDOM_BIAS}, PICTURE),
    Case("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2, "padding": "same"}, PICTURE),
    Case("DepthwiseConv2D", {"kernel_size": (3, 2), "strides": 2, "use_bias": False}, PICTURE),
    Case("DepthwiseConv2D", {"kernel_size": 2, "dilation_rate": 2}, PICTURE),
    Case("SeparableConv1D", {"filters": 3, "kernel_size": 3}, SIGNAL),
    Case(
        "SeparableConv1D",
        {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same", "depth_multiplier": 2},
        SIGNAL,
    ),
    Case("SeparableConv2D", {"filters": 3, "kernel_size": 3, "activation": "elu"}, PICTURE),
    Case("SeparableConv2D", {"filters": 2, "kernel_size": 2, "dilation_rate": 2}, PICTURE),
    Case(
        "SeparableConv2D",
        {
            "filters": 5, "kernel_size": (2, 3), "padding": "same", "depth_multiplier": 2,
            "use_bias": False, "strides": 2,
        },
        PICTURE,
    ),
]  # fmt: skip

# Keras on PyTorch repeats the border where "same" padding is not equal on both sides; for pooling
# only such cases are compared where it is, the others with sums of their own.
POOLINGS = [
    case
    for kind in ("Max", "Average")
    for case in (
        Case(f"{kind}Pooling1D", {"pool_size": 2}, SIGNAL),
        Case(f"{kind}Pooling1D", {"pool_size": 3, "strides": 1, "padding": "same"}, SIGNAL),
        Case(f"{kind}Pooling1D", {"pool_size": 3, "strides": 4}, SIGNAL),
        Case(f"{kind}Pooling2D", {"pool_size": 2}, PICTURE),
        Case(f"{kind}Pooling2D", {"pool_size": 3, "strides": 1, "padding": "same"}, PICTURE),
        Case(
            f"{kind}Pooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}, ((2, 7, 5, 3),)
        ),
        Case(f"{kind}Pooling2D", {"pool_size": (3, 2), "strides": (1, 2)}, PICTURE),
        Case(f"{kind}Pooling2D", {"pool_size": (7, 6)}, PICTURE),
        Case(f"{kind}Pooling3D", {"pool_size": 2}, VOLUME),
        Case(f"{kind}Pooling3D", {"pool_size": (1, 3, 1), "strides": 1, "padding": "same"}, VOLUME),
        Case(f"Global{kind}Pooling2D", {}, PICTURE),
        Case(f"Global{kind}Pooling2D", {"keepdims": True}, PICTURE),
        Case(f"Global{kind}Pooling2D", {"data_format": "channels_first"}, PICTURE),
        Case(f"Global{kind}Pooling3D", {}, VOLUME),
        Case(f"Global{kind}Pooling3D", {"keepdims": True}, VOLUME),
    )
]

BORDERS = [
    Case("ZeroPadding1D", {}, SIGNAL),
    Case("ZeroPadding1D", {"padding": (0, 3)}, SIGNAL),
    Case("ZeroPadding2D", {}, PICTURE),
    Case("ZeroPadding2D", {"padding": (2, 0)}, PICTURE),
    Case("ZeroPadding2D", {"padding": ((1, 0), (2, 3))}, PICTURE),
    Case("ZeroPadding3D", {}, VOLUME),
    Case("ZeroPadding3D", {"padding": ((1, 0), (2, 3), (0, 0))}, VOLUME),
    Case("Cropping1D", {}, SIGNAL),
    Case("Cropping1D", {"cropping": (0, 4)}, SIGNAL),
    Case("Cropping2D", {}, PICTURE),
    Case("Cropping2D", {"cropping": 2}, PICTURE),
    Case("Cropping2D", {"cropping": ((1, 0), (2, 3))}, PICTURE),
    Case("Cropping3D", {"cropping": (1, 1, 1)}, VOLUME),
    Case("Cropping3D", {"cropping": ((1, 0), (2, 0), (0, 3))}, VOLUME),
    Case("UpSampling1D", {}, SIGNAL),
    Case("UpSampling1D", {"size": 3}, SIGNAL),
    Case("UpSampling2D", {}, SMALL),
    Case("UpSampling2D", {"size": (1, 3)}, SMALL),
    Case("UpSampling2D", {"size": (2, 3), "interpolation": "bilinear"}, SMALL),
    Case("UpSampling2D", {"size": 4, "interpolation": "bilinear"}, ((1, 1, 2, 1),)),
    Case("UpSampling3D", {"size": (2, 1, 2)}, VOLUME),
]

GROUPS = [
    Case("GroupNormalization", {"groups": 2}, PICTURE),
    Case("GroupNormalization", {"groups": -1, "epsilon": 1e-5}, PICTURE),
    Case("GroupNormalization", {"groups": 1, "scale": False}, SIGNAL),
    Case("GroupNormalization", {"groups": 4, "center": False}, ((3, 8),)),
    Case("GroupNormalization", {"groups": 3, "axis": 1}, ((2, 6, 3, 5),)),
]

SPATIAL_CASES = [*CONVOLUTIONS, *TRANSPOSED, *SEPARABLE, *POOLINGS, *BORDERS, *GROUPS]
