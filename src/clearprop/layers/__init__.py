"""Layers: functions with weights.   Names, arguments, defaults and weight layouts are Keras's."""

from clearprop.layers.activation_layers import (
    ELU,
    Activation,
    LeakyReLU,
    PReLU,
    ReLU,
    Softmax,
)
from clearprop.layers.activity import ActivityRegularization
from clearprop.layers.batch_normalization import BatchNormalization
from clearprop.layers.dense import Dense
from clearprop.layers.dropout import (
    AlphaDropout,
    Dropout,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from clearprop.layers.embedding import Embedding
from clearprop.layers.layer import Layer
from clearprop.layers.merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
)
from clearprop.layers.noise import GaussianDropout, GaussianNoise
from clearprop.layers.pooling import GlobalAveragePooling1D, GlobalMaxPooling1D
from clearprop.layers.reshaping import Flatten, Identity, Permute, RepeatVector, Reshape
from clearprop.layers.sample_normalization import (
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from clearprop.layers.scaling import Normalization, Rescaling
from clearprop.layers.symbolic import Input

__all__ = [
    "ELU",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AlphaDropout",
    "Average",
    "BatchNormalization",
    "Concatenate",
    "Dense",
    "Dot",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalMaxPooling1D",
    "Identity",
    "Input",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Maximum",
    "Minimum",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "Subtract",
    "UnitNormalization",
]
