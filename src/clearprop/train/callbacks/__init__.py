"""What may happen during training: ``cp.callbacks``."""

from clearprop.train.callback import Callback
from clearprop.train.callbacks.csv_logger import CSVLogger
from clearprop.train.callbacks.early_stopping import EarlyStopping
from clearprop.train.callbacks.lambda_callback import LambdaCallback
from clearprop.train.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from clearprop.train.callbacks.model_checkpoint import ModelCheckpoint
from clearprop.train.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = [
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]
