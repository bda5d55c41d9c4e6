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
    "Model": "clearprop.train",
    "Sequential": "clearprop.train",
    "load_model": "clearprop.train",
}  # fmt: skip
__getattr__, _list_lazy = lazy_attributes(__name__, _HOMES)

__all__ = [
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
