"""How wrong predictions are: ``cp.losses``, with Keras's names, arguments and defaults."""

from clearprop.losses.binary import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    binary_crossentropy,
    binary_focal_crossentropy,
)
from clearprop.losses.categorical import (
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    KLDivergence,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    kl_divergence,
)
from clearprop.losses.counts import Poisson, poisson
from clearprop.losses.distances import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
)
from clearprop.losses.embeddings import Circle, circle
from clearprop.losses.hinges import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from clearprop.losses.loss import FunctionLoss, Loss, LossFunctionWrapper
from clearprop.losses.names import get
from clearprop.losses.overlap import Dice, Tversky, dice, tversky
from clearprop.losses.sequences import CTC, ctc
from clearprop.losses.shapes import match_target_rank
from clearprop.losses.sparse import (
    CategoricalGeneralizedCrossEntropy,
    SparseCategoricalCrossentropy,
    categorical_generalized_cross_entropy,
    sparse_categorical_crossentropy,
)
from clearprop.losses.squares import (
    HalfSquaredError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    ResidualSumOfSquares,
    half_squared_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    residual_sum_of_squares,
)

__all__ = [
    "CTC",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "CosineSimilarity",
    "Dice",
    "FunctionLoss",
    "HalfSquaredError",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "LossFunctionWrapper",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "ResidualSumOfSquares",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "cosine_similarity",
    "ctc",
    "dice",
    "get",
    "half_squared_error",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "match_target_rank",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "residual_sum_of_squares",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]
