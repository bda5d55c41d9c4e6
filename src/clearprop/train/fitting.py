"""``fit``: reading what it was given, then the loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from clearprop.errors import ArgumentError, DataError
from clearprop.ir.place import here
from clearprop.train.callback import CallbackList
from clearprop.train.history import History
from clearprop.train.loop import Fit
from clearprop.train.preparing import check_batches, check_counts, prepared_samples
from clearprop.train.samples import Samples
from clearprop.train.setup import Setup
from clearprop.train.suitability import warn_of_unseen_classes

if TYPE_CHECKING:
    from clearprop.train.model import Model

Judge = Callable[[int], dict[str, Any]]


def fit(
    model: Model,
    x: Any,
    y: Any,
    *,
    epochs: int,
    batch_size: int,
    validation_split: float,
    validation_data: Any,
    shuffle: bool,
    sample_weight: Any,
    class_weight: Mapping[int, float] | None,
    initial_epoch: int,
    callbacks: Sequence[Any],
    verbose: Any,
    validation_batch_size: int | None,
    validation_freq: int,
) -> History:
    """See ``Model.fit``."""
    check_counts("fit", epochs=epochs, batch_size=batch_size, validation_freq=validation_freq)
    if validation_batch_size is not None:
        check_counts("fit", validation_batch_size=validation_batch_size)
    check_counts("fit", at_least=0, initial_epoch=initial_epoch)
    _check_split(validation_split)
    samples, setup = prepared_samples(model, x, y, sample_weight, class_weight, doing="fit")
    validation: Samples | None = None
    if validation_data is not None:
        validation = _validation_samples(model, validation_data, class_weight)
    elif validation_split:
        samples, validation = samples.split_last(validation_split)
        warn_of_unseen_classes(samples, validation, setup)

    check_batches(model, "fit", samples.count, batch_size)
    if validation is not None:
        check_batches(model, "validation", validation.count, validation_batch_size or batch_size)
    listed = CallbackList(
        model, callbacks, verbose=verbose, epochs=epochs, first_epoch=initial_epoch
    )
    training = Fit(model, samples, setup, batch_size=batch_size, shuffle=shuffle, callbacks=listed)

    judge = None
    if validation is not None:
        size = validation_batch_size or batch_size
        judge = _validation_judge(model, validation, setup, size, listed, validation_freq)
    with listed.at_work():
        try:
            return training.run(range(initial_epoch, epochs), judge)
        finally:
            training.remember_data()


def _validation_samples(
    model: Model, given: Any, class_weight: Mapping[int, float] | None
) -> Samples:
    parts = given if isinstance(given, (tuple, list)) else ()
    if len(parts) not in {2, 3}:
        raise DataError(
            "fit: validation_data holds inputs, targets and perhaps weights",
            found=f"{len(parts)} parts" if parts else f"a {type(given).__name__}",
            needed="(x, y) or (x, y, sample_weight)",
            at=str(here()),
        )
    weight = parts[2] if len(parts) == 3 else None
    samples, _ = prepared_samples(
        model, parts[0], parts[1], weight, class_weight, doing="validation"
    )
    return samples


def _validation_judge(
    model: Model,
    validation: Samples,
    setup: Setup,
    batch_size: int,
    callbacks: CallbackList,
    frequency: int,
) -> Judge:
    """What tells the numbers of the validation after an epoch; nothing where none is due."""

    def judge(epoch: int) -> dict[str, Any]:
        if (epoch + 1) % frequency:
            return {}
        results = model.judge(validation, setup, batch_size, callbacks)
        return {f"val_{name}": value for name, value in results.items()}

    return judge


def _check_split(fraction: Any) -> None:
    is_number = isinstance(fraction, (int, float, np.number)) and not isinstance(fraction, bool)
    if not is_number or not 0 <= fraction < 1:
        raise ArgumentError(
            "fit: validation_split is the part of the samples that is kept for validation",
            found=f"validation_split={fraction!r}",
            needed="0 <= validation_split < 1",
            try_="validation_split=0.2",
            at=str(here()),
        )
