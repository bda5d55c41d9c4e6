"""ClearProp: neural networks you can see through, compiled.

>>> import clearprop as cp
>>> model = cp.Sequential([cp.layers.Dense(64, activation="relu"), cp.layers.Dense(10)])
>>> loss = cp.losses.SparseCategoricalCrossentropy(from_logits=True)
>>> model.compile("adam", loss, metrics=["accuracy"])

Tensors, operations and functions of functions are here at once; the rooms of the library
(``cp.layers``, ``cp.losses``, ...) are imported when they are first used.
"""

from typing import TYPE_CHECKING

from clearprop import ops
from clearprop.doors import lazy_attributes
from clearprop.functions import (
    branch,
    check_gradients,
    compile,  # noqa: A004 -- Keras's and JAX's word
    cond,
    grad,
    hessian,
    jacobian,
    scan,
    value_and_grad,
)
from clearprop.ops import *  # noqa: F403 -- every operation, by the names that ops exports
from clearprop.registry import register
from clearprop.settings import set_seed, settings
from clearprop.tensor import Parameter, Tensor, parameter, tensor

if TYPE_CHECKING:
    from clearprop import (
        activations,
        data,
        errors,
        glass,
        initializers,
        layers,
        losses,
        metrics,
        models,
        optimizers,
        regularizers,
    )
    from clearprop.layers import Input
    from clearprop.train import Model, Sequential, callbacks, load_model

__version__ = "0.1.0"

_HOMES = {
    **{
        room: f"clearprop.{room}"
        for room in (
            "activations", "data", "errors", "glass", "initializers", "layers", "losses",
            "metrics", "models", "optimizers", "regularizers",
        )
    },
    "callbacks": "clearprop.train.callbacks",
    "Input": "clearprop.layers",
    "Model": "clearprop.train",
    "Sequential": "clearprop.train",
    "load_model": "clearprop.train",
}  # fmt: skip
_IN_ROOMS = {
    "activations": "elu gelu leaky_relu mish relu relu6 selu silu softplus softsign swish",
    "layers": "Activation Add BatchNormalization Concatenate Conv1D Conv2D Conv3D Dense Dropout "
    "Embedding Flatten GRU LSTM Layer LayerNormalization MaxPooling2D MultiHeadAttention ReLU "
    "Reshape SimpleRNN Softmax",
    "losses": "BinaryCrossentropy CategoricalCrossentropy Loss MeanAbsoluteError MeanSquaredError "
    "SparseCategoricalCrossentropy",
    "metrics": "Accuracy Metric",
    "optimizers": "Adam AdamW Optimizer RMSprop SGD",
    "callbacks": "Callback EarlyStopping ModelCheckpoint",
}
_ELSEWHERE = {
    **{
        name: f"it is cp.{room}.{name}"
        for room, names in _IN_ROOMS.items()
        for name in names.split()
    },
    "nn": "layers are in cp.layers, activations in cp.activations, losses in cp.losses",
    "optim": "optimizers are in cp.optimizers",
    "Linear": "it is cp.layers.Dense(units)",
    "Variable": "it is cp.parameter(numbers)",
    "no_grad": "nothing has to be switched off: gradients are computed where backward() is called",
    "GradientTape": "no tape is needed: call loss.backward() and take w.grad, or use cp.grad(f)",
    "from_numpy": "it is cp.tensor(array)",
}
__getattr__, _list_lazy = lazy_attributes(__name__, _HOMES, _ELSEWHERE)

__all__ = [
    "Input",
    "Model",
    "Parameter",
    "Sequential",
    "Tensor",
    "__version__",
    "activations",
    "branch",
    "callbacks",
    "check_gradients",
    "compile",
    "cond",
    "data",
    "errors",
    "glass",
    "grad",
    "hessian",
    "initializers",
    "jacobian",
    "layers",
    "load_model",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "parameter",
    "register",
    "regularizers",
    "scan",
    "set_seed",
    "settings",
    "tensor",
    "value_and_grad",
]
__all__ += ops.__all__


def __dir__() -> list[str]:
    return sorted({*globals(), *_list_lazy()})
