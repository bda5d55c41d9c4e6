"""ClearProp: ``model.fit`` on the native executor, and ``cp.compile`` for predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.workloads import Array, Inference, Workload

MODES = ("native",)
_threads = 1


def prepare(mode: str, threads: int) -> None:
    """Import the framework and say how many threads it has."""
    global _threads
    import clearprop  # noqa: F401

    _threads = threads


def version() -> str:
    """The framework's version."""
    import clearprop

    return f"ClearProp {clearprop.__version__}"


def peak() -> float:
    """The multiply-add loop, floating-point operations in a second."""
    from clearprop.executors.native.peak import measure_peak

    return measure_peak(_threads, seconds=0.1)


def trainer(workload: Workload, mode: str, x: Array, y: Array) -> Callable[[int], None]:
    """A function that trains so many epochs."""
    from clearprop.models.standard import workload_model

    model = workload_model(workload, executor=mode, threads=_threads)

    def epochs(count: int) -> None:
        model.fit(x, y, batch_size=workload.batch, epochs=count, shuffle=True, verbose=0)

    return epochs


def predictor(inference: Inference, mode: str, weights: list[Array]) -> Callable[[Array], Array]:
    """A function from samples to logits."""
    import clearprop as cp

    units, shape = inference.units, inference.input_shape
    model: Any
    if inference.kind == "lenet":
        model = cp.models.lenet(shape, inference.classes, units[:2], units[2])
    else:
        model = cp.models.mlp(shape, inference.classes, units)
    model.set_weights(weights)
    compiled = cp.compile(model)
    return lambda x: compiled(x).numpy()
