"""First numbers of weights: ``cp.initializers``."""

from clearprop.initializers.constant import Constant, Identity, Ones, Zeros
from clearprop.initializers.distributions import RandomNormal, RandomUniform, TruncatedNormal
from clearprop.initializers.initializer import Initializer, RandomInitializer
from clearprop.initializers.names import get
from clearprop.initializers.orthogonal import Orthogonal
from clearprop.initializers.random_stream import RandomStream
from clearprop.initializers.scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
    fans,
)
from clearprop.initializers.spectral import STFT, window_values

__all__ = [
    "STFT",
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomInitializer",
    "RandomNormal",
    "RandomStream",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "fans",
    "get",
    "window_values",
]
