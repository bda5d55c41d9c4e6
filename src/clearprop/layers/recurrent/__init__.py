"""Recurrent layers: sequences read step by step."""

from clearprop.layers.recurrent.bidirectional import Bidirectional
from clearprop.layers.recurrent.gru import GRU, GRUCell
from clearprop.layers.recurrent.lstm import LSTM, LSTMCell
from clearprop.layers.recurrent.rnn import RNN
from clearprop.layers.recurrent.simple_rnn import SimpleRNN, SimpleRNNCell
from clearprop.layers.recurrent.stacked import StackedRNNCells
from clearprop.layers.recurrent.time_distributed import TimeDistributed

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Bidirectional",
    "GRUCell",
    "LSTMCell",
    "SimpleRNN",
    "SimpleRNNCell",
    "StackedRNNCells",
    "TimeDistributed",
]
