"""JAX by hand: a whole epoch as one jitted ``lax.scan`` over its steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.workloads import Array, Workload, sinusoids

MODES = ("scan",)
Weights = dict[str, Any]
_DIMENSIONS = ("NHWC", "HWIO", "NHWC")


def prepare(mode: str, threads: int) -> None:
    """Import the framework; its threads follow the cores of the process."""
    import jax.numpy  # noqa: F401


def version() -> str:
    """The framework's version."""
    import jax

    return f"JAX {jax.__version__}"


def trainer(workload: Workload, mode: str, x: Array, y: Array) -> Callable[[int], None]:
    """A function that trains so many epochs."""
    import jax
    from jax import lax

    weights = first_weights(workload)
    state = (weights, jax.tree.map(np.zeros_like, (weights, weights)), np.float32(0))
    samples, labels = jax.numpy.asarray(x), jax.numpy.asarray(y.astype(np.int32))
    steps, rest = divmod(len(x), workload.batch)

    def one(state: Any, rows: Any) -> tuple[Any, Any]:
        weights, slots, count = state
        value, gradients = jax.value_and_grad(loss)(weights, samples[rows], labels[rows], workload)
        weights, slots = _updated(workload, weights, gradients, slots, count + 1)
        return (weights, slots, count + 1), value

    @partial(jax.jit, donate_argnums=0)
    def epoch(state: Any, order: Any) -> tuple[Any, Any]:
        full = order[: steps * workload.batch].reshape(steps, workload.batch)
        state, losses = lax.scan(one, state, full)
        if rest:
            state, _ = one(state, order[-rest:])
        return state, losses

    rng = np.random.default_rng(0)

    def epochs(count: int) -> None:
        nonlocal state
        for _ in range(count):
            state, losses = epoch(state, rng.permutation(len(x)).astype(np.int32))
            losses.block_until_ready()

    return epochs


def loss(weights: Weights, x: Any, y: Any, workload: Workload) -> Any:
    """The mean cross-entropy of the labels."""
    import jax
    import jax.numpy as jnp

    nets = {
        "mlp": _mlp, "lenet": _lenet, "resnet20": _resnet20, "lstm": _lstm,
        "transformer": _transformer,
    }  # fmt: skip
    logits = jax.nn.log_softmax(nets[workload.kind](weights, x, workload))
    return -jnp.take_along_axis(logits, y[:, None], axis=1).mean()


def _updated(
    workload: Workload, weights: Weights, gradients: Weights, slots: Any, count: Any
) -> tuple[Weights, Any]:
    import jax
    import jax.numpy as jnp

    rate, each = workload.learning_rate, jax.tree.map
    if workload.optimizer == "adam":
        mean = each(lambda m, g: 0.9 * m + 0.1 * g, slots[0], gradients)
        square = each(lambda v, g: 0.999 * v + 0.001 * g * g, slots[1], gradients)
        rate = rate * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        new = each(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), weights, mean, square)
        return new, (mean, square)
    if workload.optimizer == "momentum":
        speed = each(lambda s, g: 0.9 * s - rate * g, slots[0], gradients)
        return each(lambda w, s: w + s, weights, speed), (speed, slots[1])
    return each(lambda w, g: w - rate * g, weights, gradients), slots


# -- nets --------------------------------------------------------------------------------------


def _dense(weights: Weights, name: str, x: Any) -> Any:
    return x @ weights[name] + weights[f"{name}_bias"]


def _mlp(weights: Weights, x: Any, workload: Workload) -> Any:
    import jax
    import jax.numpy as jnp

    activation = {"relu": jax.nn.relu, "tanh": jnp.tanh}[workload.options["activation"]]
    for number in range(len(workload.options["units"])):
        x = activation(_dense(weights, f"dense_{number}", x))
    return _dense(weights, "last", x)


def _convolved(kernel: Any, x: Any, strides: int = 1) -> Any:
    from jax import lax

    both = (strides, strides)
    return lax.conv_general_dilated(x, kernel, both, "SAME", dimension_numbers=_DIMENSIONS)


def _lenet(weights: Weights, x: Any, workload: Workload) -> Any:
    import jax
    from jax import lax

    for name in ("first", "second"):
        x = jax.nn.relu(_convolved(weights[name], x) + weights[f"{name}_bias"])
        x = lax.reduce_window(x, -np.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    x = jax.nn.relu(_dense(weights, "dense", x.reshape(len(x), -1)))
    return _dense(weights, "last", x)


def _resnet20(weights: Weights, x: Any, workload: Workload) -> Any:
    """Moving averages are left out: they cost next to nothing and change no step."""
    import jax

    def normal(name: str, x: Any, strides: int = 1) -> Any:
        x = _convolved(weights[name], x, strides)
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        factor = jax.lax.rsqrt(variance + 1e-3) * weights[f"{name}_gamma"]
        return (x - mean) * factor + weights[f"{name}_beta"]

    x = jax.nn.relu(normal("stem", x))
    for filters in (16, 32, 64):
        for number in range(3):
            strides = 2 if number == 0 and filters > 16 else 1
            name = f"block_{filters}_{number}"
            shortcut = x if strides == 1 else normal(f"{name}_shortcut", x, strides)
            change = jax.nn.relu(normal(f"{name}_first", x, strides))
            x = jax.nn.relu(shortcut + normal(f"{name}_second", change))
    return _dense(weights, "last", x.mean((1, 2)))


def _lstm(weights: Weights, x: Any, workload: Workload) -> Any:
    import jax
    import jax.numpy as jnp
    from jax import lax

    units = workload.options["units"]

    def step(state: Any, projected: Any) -> tuple[Any, None]:
        h, c = state
        i, f, candidate, o = jnp.split(projected + h @ weights["recurrent"], 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(candidate)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    zeros = jnp.zeros((len(x), units))
    projected = _dense(weights, "inputs", x.swapaxes(0, 1))
    (h, _), _ = lax.scan(step, (zeros, zeros), projected, unroll=2)
    return _dense(weights, "last", h)


def _transformer(weights: Weights, x: Any, workload: Workload) -> Any:
    import jax
    import jax.numpy as jnp

    def normal(name: str, x: Any) -> Any:
        centered = x - x.mean(-1, keepdims=True)
        factor = jax.lax.rsqrt((centered**2).mean(-1, keepdims=True) + 1e-5)
        return centered * factor * weights[f"{name}_gamma"] + weights[f"{name}_beta"]

    steps, dim = workload.input_shape
    heads = workload.options["heads"]
    x = x + sinusoids(steps, dim)
    for number in range(workload.options["layers"]):
        name = f"layer_{number}"
        parts = jnp.split(_dense(weights, f"{name}_qkv", x), 3, axis=-1)
        q, k, v = (part.reshape(len(x), steps, heads, dim // heads) for part in parts)
        scores = jnp.einsum("bthd,bshd->bhts", q, k) * (dim // heads) ** -0.5
        mixed = jnp.einsum("bhts,bshd->bthd", jax.nn.softmax(scores), v)
        attention = _dense(weights, f"{name}_out", mixed.reshape(x.shape))
        x = normal(f"{name}_first", x + attention)
        hidden = jax.nn.relu(_dense(weights, f"{name}_up", x))
        x = normal(f"{name}_second", x + _dense(weights, f"{name}_down", hidden))
    return _dense(weights, "last", x.mean(axis=1))


# -- their first weights -------------------------------------------------------------------------


def first_weights(workload: Workload) -> Weights:
    """Kernels and biases by name, drawn at random."""
    rng = np.random.default_rng(0)
    weights: Weights = {}

    def kernel(name: str, *shape: int, bias: bool = True) -> None:
        inputs = int(np.prod(shape[:-1]))
        limit = (3 / inputs) ** 0.5
        weights[name] = rng.uniform(-limit, limit, shape).astype(np.float32)
        if bias:
            weights[f"{name}_bias"] = np.zeros(shape[-1], np.float32)

    def norm(name: str, size: int) -> None:
        weights[f"{name}_gamma"] = np.ones(size, np.float32)
        weights[f"{name}_beta"] = np.zeros(size, np.float32)

    shape, options = workload.input_shape, workload.options
    before = shape[-1]
    if workload.kind == "mlp":
        for number, units in enumerate(options["units"]):
            kernel(f"dense_{number}", before, units)
            before = units
    elif workload.kind == "lenet":
        kernel("first", 3, 3, before, 32)
        kernel("second", 3, 3, 32, 64)
        kernel("dense", 64 * (shape[0] // 4) * (shape[1] // 4), before := 128)
    elif workload.kind == "resnet20":
        before = _residual_weights(before, kernel, norm)
    elif workload.kind == "lstm":
        units = options["units"]
        kernel("inputs", before, 4 * units)
        kernel("recurrent", units, 4 * units, bias=False)
        before = units
    else:
        for number in range(options["layers"]):
            name = f"layer_{number}"
            kernel(f"{name}_qkv", before, 3 * before)
            kernel(f"{name}_out", before, before)
            kernel(f"{name}_up", before, options["feed_forward"])
            kernel(f"{name}_down", options["feed_forward"], before)
            norm(f"{name}_first", before)
            norm(f"{name}_second", before)
    kernel("last", before, workload.classes)
    return weights


def _residual_weights(before: int, kernel: Any, norm: Any) -> int:
    def convolution(name: str, before: int, filters: int, size: int) -> None:
        kernel(name, size, size, before, filters, bias=False)
        norm(name, filters)

    convolution("stem", before, 16, 3)
    before = 16
    for filters in (16, 32, 64):
        for number in range(3):
            name = f"block_{filters}_{number}"
            convolution(f"{name}_first", before, filters, 3)
            convolution(f"{name}_second", filters, filters, 3)
            if before != filters:
                convolution(f"{name}_shortcut", before, filters, 1)
            before = filters
    return before
