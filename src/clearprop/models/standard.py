"""The nets of the workloads, compiled as each of them says."""

from __future__ import annotations

from clearprop.losses import SparseCategoricalCrossentropy
from clearprop.models.convolutional import lenet
from clearprop.models.feed_forward import mlp
from clearprop.models.recurrent import lstm_classifier
from clearprop.models.residual import resnet20
from clearprop.models.transformer import transformer_classifier
from clearprop.models.workloads import Workload
from clearprop.optimizers import SGD, Adam, Optimizer
from clearprop.train import Model


def workload_model(
    workload: Workload, *, executor: str | None = None, threads: int | None = None
) -> Model:
    """The workload's net, ready to be trained: cross-entropy from logits, no metrics.

    Args:
        workload: the description.
        executor: as ``Model.compile`` takes it.
        threads: as ``Model.compile`` takes it.

    Example:
        >>> from clearprop.models.standard import workload_model
        >>> from clearprop.models.workloads import WORKLOADS
        >>> workload_model(WORKLOADS["tabular"]).count_params()
        6274
    """
    model = _net(workload)
    loss = SparseCategoricalCrossentropy(from_logits=True)
    model.compile(_optimizer(workload), loss, executor=executor, threads=threads)
    return model


def _net(workload: Workload) -> Model:
    shape, classes, options = workload.input_shape, workload.classes, workload.options
    if workload.kind == "mlp":
        return mlp(shape, classes, options["units"], options["activation"])
    if workload.kind == "lenet":
        return lenet(shape, classes)
    if workload.kind == "resnet20":
        return resnet20(shape, classes)
    if workload.kind == "lstm":
        return lstm_classifier(shape, classes, (options["units"],))
    return transformer_classifier(
        shape, classes, options["layers"], options["heads"], options["feed_forward"]
    )


def _optimizer(workload: Workload) -> Optimizer:
    rate = workload.learning_rate
    if workload.optimizer == "adam":
        return Adam(rate)
    return SGD(rate, momentum=0.9 if workload.optimizer == "momentum" else 0.0)
