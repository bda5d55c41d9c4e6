"""Ready nets, each on one screen from public layers.   Their outputs are logits."""

from clearprop.models.convolutional import lenet
from clearprop.models.feed_forward import mlp
from clearprop.models.recurrent import lstm_classifier
from clearprop.models.residual import resnet20
from clearprop.models.transformer import transformer_classifier

__all__ = [
    "lenet",
    "lstm_classifier",
    "mlp",
    "resnet20",
    "transformer_classifier",
]
