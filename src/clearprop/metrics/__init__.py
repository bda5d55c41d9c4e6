"""How good predictions are: ``cp.metrics``, with Keras's names, arguments and defaults."""

from clearprop.losses.binary import binary_crossentropy, binary_focal_crossentropy
from clearprop.losses.categorical import (
    categorical_crossentropy,
    categorical_focal_crossentropy,
    kl_divergence,
)
from clearprop.losses.counts import poisson
from clearprop.losses.distances import (
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
)
from clearprop.losses.hinges import categorical_hinge, hinge, squared_hinge
from clearprop.losses.sparse import sparse_categorical_crossentropy
from clearprop.losses.squares import mean_squared_error, mean_squared_logarithmic_error
from clearprop.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from clearprop.metrics.auc import AUC
from clearprop.metrics.confusion import ConfusionMatrix, ConfusionMetric
from clearprop.metrics.f_scores import F1Score, FBetaScore
from clearprop.metrics.from_losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from clearprop.metrics.mean import FunctionMean, Mean, MeanMetricWrapper, MeanOf, Sum
from clearprop.metrics.metric import Metric, masked_weight
from clearprop.metrics.names import get
from clearprop.metrics.operating_points import (
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
from clearprop.metrics.overlap import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from clearprop.metrics.regression import (
    ConcordanceCorrelation,
    CosineSimilarity,
    PearsonCorrelation,
    R2Score,
    RootMeanSquaredError,
    concordance_correlation,
    pearson_correlation,
)
from clearprop.metrics.thresholds import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    ThresholdMetric,
    TrueNegatives,
    TruePositives,
)

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "BinaryIoU",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "ConcordanceCorrelation",
    "ConfusionMatrix",
    "ConfusionMetric",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "FunctionMean",
    "Hinge",
    "IoU",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanIoU",
    "MeanMetricWrapper",
    "MeanOf",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "OneHotIoU",
    "OneHotMeanIoU",
    "PearsonCorrelation",
    "Poisson",
    "Precision",
    "PrecisionAtRecall",
    "R2Score",
    "Recall",
    "RecallAtPrecision",
    "RootMeanSquaredError",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SpecificityAtSensitivity",
    "SquaredHinge",
    "Sum",
    "ThresholdMetric",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "accuracy",
    "binary_accuracy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "concordance_correlation",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "masked_weight",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "pearson_correlation",
    "poisson",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]
