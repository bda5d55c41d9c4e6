"""The table of layers: what each layer class is tested on, by every promise and by Keras."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clearprop import layers
from clearprop.layers import Layer


@dataclass(frozen=True)
class Case:
    """A layer with arguments, and the shapes of its inputs.

    Attributes:
        cls: name of the layer class.
        arguments: of its constructor; Keras takes the same.
        shapes: one for each input; a list of several is given to the layer.
        high: indices below this number in place of floats, if not 0.
        is_random: whether training draws random numbers.
    """

    cls: str
    arguments: dict[str, Any] = field(default_factory=dict)
    shapes: tuple[tuple[int, ...], ...] = ((4, 6),)
    high: int = 0
    is_random: bool = False

    def __str__(self) -> str:
        told = ",".join(f"{name}={value}" for name, value in self.arguments.items())
        return f"{self.cls}({told}){'x'.join(str(shape) for shape in self.shapes)}"

    def layer(self, **more: Any) -> Layer:
        return getattr(layers, self.cls)(**self.arguments, **more)

    def inputs(self, dtype: Any = np.float32, seed: int = 0) -> Any:
        """Random arrays without ties: a list of them where the layer takes several."""
        rng = np.random.default_rng(seed)
        arrays = [
            rng.integers(0, self.high, shape).astype(np.int32)
            if self.high
            else rng.normal(0.3, 1.2, shape).astype(dtype)
            for shape in self.shapes
        ]
        return arrays if len(arrays) > 1 else arrays[0]


SEQUENCE, IMAGE = ((3, 5, 4),), ((2, 4, 3, 5),)
TWO = ((4, 6), (4, 6))
MERGES = ["Add", "Multiply", "Average", "Maximum", "Minimum"]
CASES = [
    Case("Dense", {"units": 3}),
    Case("Dense", {"units": 3, "activation": "tanh", "bias_initializer": "ones"}, SEQUENCE),
    Case("Dense", {"units": 1, "use_bias": False, "activation": "sigmoid"}, IMAGE),
    Case("Dense", {"units": 5, "activation": "softmax", "kernel_initializer": "he_normal"}),
    Case("Activation", {"activation": "gelu"}),
    Case("Activation", {"activation": "swish"}, SEQUENCE),
    Case("ReLU"),
    Case("ReLU", {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2}),
    Case("LeakyReLU"),
    Case("LeakyReLU", {"negative_slope": 0.01}, SEQUENCE),
    Case("PReLU", {"alpha_initializer": "random_normal"}),
    Case("PReLU", {"alpha_initializer": "ones", "shared_axes": [1, 2]}, IMAGE),
    Case("ELU"),
    Case("ELU", {"alpha": 0.5}),
    Case("Softmax"),
    Case("Softmax", {"axis": 1}, SEQUENCE),
    Case("Softmax", {"axis": [1, 2]}, SEQUENCE),
    Case("Dropout", {"rate": 0.4}, is_random=True),
    Case("Dropout", {"rate": 0.4, "noise_shape": (None, 1, None), "seed": 3}, SEQUENCE, 0, True),
    Case("Dropout", {"rate": 0.0}),
    Case("AlphaDropout", {"rate": 0.3}, is_random=True),
    Case("SpatialDropout1D", {"rate": 0.5}, SEQUENCE, is_random=True),
    Case("SpatialDropout2D", {"rate": 0.5}, IMAGE, is_random=True),
    Case("SpatialDropout3D", {"rate": 0.5}, ((2, 3, 2, 2, 4),), is_random=True),
    Case("GaussianNoise", {"stddev": 0.3}, is_random=True),
    Case("GaussianDropout", {"rate": 0.3}, SEQUENCE, is_random=True),
    Case("ActivityRegularization", {"l1": 0.1, "l2": 0.2}),
    Case("Flatten", {}, IMAGE),
    Case("Flatten", {"data_format": "channels_first"}, IMAGE),
    Case("Flatten", {}, ((7,),)),
    Case("Reshape", {"target_shape": (3, 2)}),
    Case("Reshape", {"target_shape": (2, -1, 5)}, IMAGE),
    Case("Permute", {"dims": (3, 1, 2)}, IMAGE),
    Case("RepeatVector", {"n": 3}),
    Case("Embedding", {"input_dim": 9, "output_dim": 3}, ((4, 5),), high=9),
    Case("Embedding", {"input_dim": 3, "output_dim": 1}, ((2, 3, 2),), high=3),
    Case("BatchNormalization"),
    Case("BatchNormalization", {"momentum": 0.8, "epsilon": 1e-2}, SEQUENCE),
    Case("BatchNormalization", {"axis": 1, "center": False}, IMAGE),
    Case("BatchNormalization", {"scale": False}, IMAGE),
    Case("LayerNormalization"),
    Case("LayerNormalization", {"axis": [1, 2], "epsilon": 1e-6}, SEQUENCE),
    Case("LayerNormalization", {"axis": [1, 3], "scale": False}, IMAGE),
    Case("LayerNormalization", {"axis": -1, "center": False}, SEQUENCE),
    Case("LayerNormalization", {"rms_scaling": True}),
    Case("RMSNormalization"),
    Case("RMSNormalization", {"axis": [-2, -1], "epsilon": 1e-3}, SEQUENCE),
    Case("UnitNormalization"),
    Case("UnitNormalization", {"axis": [1, 2]}, SEQUENCE),
    Case("Normalization"),
    Case("Normalization", {"axis": (1, 2)}, SEQUENCE),
    Case("Normalization", {"axis": None, "mean": 0.5, "variance": 4.0}),
    Case("Normalization", {"mean": [0.0, 1.0, 2.0, 3.0], "variance": [1.0] * 4}, SEQUENCE),
    Case("Normalization", {"mean": 0.5, "variance": 4.0, "invert": True}, SEQUENCE),
    Case("Rescaling", {"scale": 0.5, "offset": -1.0}),
    Case("Rescaling", {"scale": [1.0, 2.0, 3.0, 4.0]}, SEQUENCE),
    *(Case(name, {}, TWO) for name in [*MERGES, "Subtract"]),
    *(Case(name, {}, ((3, 5, 4), (3, 1, 4), (3, 4))) for name in MERGES),
    Case("Concatenate", {}, ((4, 6), (4, 2), (4, 1))),
    Case("Concatenate", {"axis": 1}, ((3, 5, 4), (3, 2, 4))),
    Case("Dot", {"axes": 1}, TWO),
    Case("Dot", {"axes": -1, "normalize": True}, ((3, 5, 4), (3, 2, 4))),
    Case("Dot", {"axes": (2, 1)}, ((3, 5, 4), (3, 4))),
    Case("Dot", {"axes": [1, 2]}, ((3, 4), (3, 5, 4))),
    Case("Dot", {"axes": (1, 3)}, ((3, 4, 2), (3, 2, 5, 4))),
    Case("GlobalAveragePooling1D", {}, SEQUENCE),
    Case("GlobalAveragePooling1D", {"data_format": "channels_first", "keepdims": True}, SEQUENCE),
    Case("GlobalMaxPooling1D", {}, SEQUENCE),
    Case("GlobalMaxPooling1D", {"keepdims": True}, SEQUENCE),
    Case("Identity"),
    *SPATIAL_CASES,
]
