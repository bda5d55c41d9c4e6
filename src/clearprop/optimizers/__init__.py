"""Rules that change weights against their gradients: ``cp.optimizers``."""

from clearprop.optimizers import schedules
from clearprop.optimizers.adagrad import Adadelta, Adagrad, Ftrl
from clearprop.optimizers.adam import Adam, Adamax, AdamW, Nadam
from clearprop.optimizers.large_batch import Adafactor, Lamb, Lion, ScheduleFreeAdamW
from clearprop.optimizers.muon import Muon
from clearprop.optimizers.names import get
from clearprop.optimizers.optimizer import Optimizer
from clearprop.optimizers.rmsprop import RMSprop
from clearprop.optimizers.rule import RuleOptimizer
from clearprop.optimizers.sgd import SGD
from clearprop.optimizers.wrappers import LossScaleOptimizer, MultiOptimizer, OptimizerMap

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "RuleOptimizer",
    "ScheduleFreeAdamW",
    "get",
    "schedules",
]
