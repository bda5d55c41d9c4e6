"""Models and their training: compile, fit, evaluate, predict, save."""

from clearprop.train.checkpoint import load_model
from clearprop.train.functional import Functional
from clearprop.train.history import History
from clearprop.train.model import Model
from clearprop.train.sequential import Sequential

__all__ = ["Functional", "History", "Model", "Sequential", "load_model"]
