"""scikit-learn: its perceptrons."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.workloads import Array, Workload

MODES = ("fit",)


def prepare(mode: str, threads: int) -> None:
    """Import the framework; its threads follow the environment."""
    import sklearn.neural_network  # noqa: F401


def version() -> str:
    """The framework's version."""
    import sklearn

    return f"scikit-learn {sklearn.__version__}"


def trainer(workload: Workload, mode: str, x: Array, y: Array) -> Callable[[int], None]:
    """A function that trains so many epochs."""
    import warnings

    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore")  # of epochs that end before anything converges
    model = MLPClassifier(
        workload.options["units"],
        workload.options["activation"],
        solver=workload.optimizer,
        alpha=0.0,
        batch_size=workload.batch,
        learning_rate_init=workload.learning_rate,
        max_iter=1,
        momentum=0.0,
        epsilon=1e-7,
        warm_start=True,
        n_iter_no_change=10**6,
        random_state=0,
    )

    def epochs(count: int) -> None:
        model.set_params(max_iter=count)
        model.fit(x, y)

    return epochs
