"""The gradient check of a whole model."""

from __future__ import annotations

from typing import Any

from clearprop import ops
from clearprop.errors import ArgumentError
from clearprop.functions.check import GradientReport, check_gradients
from clearprop.ir.place import here
from clearprop.ir.value import Value
from clearprop.layers.masks import masks_of
from clearprop.train.model import Model
from clearprop.train.preparing import prepared_samples
from clearprop.train.samples import read_samples


def check_model_gradients(model: Model, x: Any, y: Any, tolerance: float) -> GradientReport:
    """See ``Model.check_gradients``."""
    model.needs_weights("check_gradients")
    if y is None:
        samples = read_samples(x, input_names=model.input_names_for(x))
        return check_gradients(
            lambda *inputs: model.flat_outputs(inputs), *samples.inputs, tolerance=tolerance
        )
    samples, setup = prepared_samples(model, x, y, None, None, doing="check_gradients")

    def loss(*inputs: Value) -> Value:
        total: Value | None = None
        outputs = model.flat_outputs(inputs)
        for output, target, one, factor in zip(
            outputs, samples.targets, setup.losses, setup.loss_weights, strict=True
        ):
            if one is not None:
                value = ops.multiply(one(target, output, mask=masks_of(output)), factor)
                total = value if total is None else ops.add(total, value)
        if total is None:
            raise ArgumentError(
                "check_gradients: the model was compiled without a loss that could be checked",
                found="targets, but no loss that takes them",
                needed="model.check_gradients(x)",
                at=str(here()),
            )
        return total

    return check_gradients(loss, *samples.inputs, tolerance=tolerance)
