"""Keras 3 on TensorFlow and on JAX, as it compiles by itself and otherwise."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from benchmarks.workloads import Array, Workload, sinusoids

# Back end, jit_compile, steps that one call of the back end runs.
_SETTINGS = {
    "tensorflow": ("tensorflow", False, 1),
    "tensorflow-steps": ("tensorflow", False, 16),
    "tensorflow-xla": ("tensorflow", True, 1),
    "jax": ("jax", True, 1),
}
MODES = tuple(_SETTINGS)


def prepare(mode: str, threads: int) -> None:
    """Import the framework and say how many threads it has."""
    backend = _SETTINGS[mode][0]
    os.environ["KERAS_BACKEND"] = backend
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    if backend == "tensorflow":
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
    import keras

    keras.utils.set_random_seed(0)


def version() -> str:
    """The framework's version and its back end's."""
    import keras

    if keras.backend.backend() == "jax":
        import jax

        return f"Keras {keras.__version__}, JAX {jax.__version__}"
    import tensorflow

    return f"Keras {keras.__version__}, TensorFlow {tensorflow.__version__}"


def trainer(workload: Workload, mode: str, x: Array, y: Array) -> Callable[[int], None]:
    """A function that trains so many epochs."""
    import keras

    _, compiled, steps = _SETTINGS[mode]
    model = make_model(workload)
    model.compile(
        _optimizer(workload),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=compiled,
        steps_per_execution=steps,
    )

    def epochs(count: int) -> None:
        model.fit(x, y, batch_size=workload.batch, epochs=count, shuffle=True, verbose=0)

    return epochs


def _optimizer(workload: Workload) -> Any:
    import keras

    rate = workload.learning_rate
    if workload.optimizer == "adam":
        return keras.optimizers.Adam(rate)
    return keras.optimizers.SGD(rate, momentum=0.9 if workload.optimizer == "momentum" else 0.0)


def make_model(workload: Workload) -> Any:
    """The workload's net."""
    import keras
    from keras import layers

    inputs = keras.Input(workload.input_shape)
    x: Any = inputs
    options = workload.options
    if workload.kind == "mlp":
        for units in options["units"]:
            x = layers.Dense(units, options["activation"])(x)
    elif workload.kind == "lenet":
        for filters in (32, 64):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
            x = layers.MaxPooling2D(2)(x)
        x = layers.Dense(128, "relu")(layers.Flatten()(x))
    elif workload.kind == "resnet20":
        x = _residual(x)
    elif workload.kind == "lstm":
        x = layers.LSTM(options["units"])(x)
    else:
        x = _encoded(x, workload)
    return keras.Model(inputs, layers.Dense(workload.classes)(x))


def _residual(x: Any) -> Any:
    from keras import layers

    def convolved(x: Any, filters: int, size: int, strides: int = 1) -> Any:
        x = layers.Conv2D(filters, size, strides, padding="same", use_bias=False)(x)
        return layers.BatchNormalization(momentum=0.9)(x)

    x = layers.Activation("relu")(convolved(x, 16, 3))
    for filters in (16, 32, 64):
        for number in range(3):
            strides = 2 if number == 0 and filters > 16 else 1
            shortcut = x if strides == 1 else convolved(x, filters, 1, strides)
            change = layers.Activation("relu")(convolved(x, filters, 3, strides))
            change = convolved(change, filters, 3)
            x = layers.Activation("relu")(layers.Add()([shortcut, change]))
    return layers.GlobalAveragePooling2D()(x)


def _encoded(x: Any, workload: Workload) -> Any:
    from keras import layers

    options, dim = workload.options, workload.input_shape[-1]
    x = x + sinusoids(*workload.input_shape)[None]
    for _ in range(options["layers"]):
        attention = layers.MultiHeadAttention(options["heads"], dim // options["heads"])(x, x)
        x = layers.LayerNormalization(epsilon=1e-5)(layers.Add()([x, attention]))
        hidden = layers.Dense(options["feed_forward"], "relu")(x)
        change = layers.Dense(dim)(hidden)
        x = layers.LayerNormalization(epsilon=1e-5)(layers.Add()([x, change]))
    return layers.GlobalAveragePooling1D()(x)
