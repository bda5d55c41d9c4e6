"""``clearprop train``: from a source to a tested, saved model."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.cli.moving import COPIES, is_worth_moving, moved_copies
from clearprop.cli.notes import Notes
from clearprop.cli.options import TrainOptions, check_destination, check_numbers, checked_size
from clearprop.cli.program import program, table_example
from clearprop.cli.progress import FewLines, GentleStop
from clearprop.cli.reports import judge
from clearprop.cli.samples import (
    Samples,
    class_labels,
    image_samples,
    refuse_lonely_classes,
    split_rows,
    table_samples,
    with_target,
)
from clearprop.cli.screen import FAINT, heading, is_terminal, say
from clearprop.cli.sources import ImageSource, Source, TableSource, read_source, stem_of
from clearprop.cli.specs import Problem, build_model
from clearprop.data import DATASETS, Table, TableEncoder, decide_task
from clearprop.data.features import plan_column
from clearprop.data.suspects import refuse_nearly_numbers, refuse_numbers_as_classes
from clearprop.errors import ArgumentError, DataError, UnknownNameError
from clearprop.losses import MeanSquaredError, SparseCategoricalCrossentropy
from clearprop.optimizers import Adam
from clearprop.text import count_text, number_text
from clearprop.train import History, Model
from clearprop.train.callbacks import EarlyStopping

Array = np.ndarray[Any, Any]

_FEWEST_TO_VALIDATE = 50  # rows; with fewer, all of them train
_MANY_ROWS = 1000
_STEPS = 4000  # so many steps of the optimizer are usually more than enough
_FEWEST_EPOCHS, _MOST_EPOCHS = 20, 400


@dataclass(frozen=True, eq=False)
class Parts:
    """The samples, each in exactly one part, and what is known of them so far."""

    train: Samples
    validation: Samples | None
    test: Samples
    notes: Notes
    told: tuple[str, ...]


def train(options: TrainOptions) -> bool:
    """Train, test, save and tell.

    Returns:
        Whether the training came to its own end; False if Ctrl-C ended it.

    Raises:
        ClearPropError: whatever is wrong with the command, the data or the training.
    """
    started = time.perf_counter()
    check_numbers(options)
    out = Path(options.out or f"{stem_of(options.source)}.safetensors")
    replaces = check_destination(out)
    size = None if options.image_size is None else checked_size(options)
    source = read_source(options.source, size=size)
    parts = _divided(source, options)
    model = _compiled(parts, options)
    if not options.quiet:
        _say_plan(source, parts, model, options)
    completed = _fit(model, parts, options)
    report = judge(parts.test, model.predict(parts.test.x), parts.notes)
    model.notes = replace(parts.notes, test=report.scores).to_config()
    model.save(out)
    report.say_score("test ")
    if not options.quiet:
        report.say_details(parts.test, parts.notes)
    _say_end(out, replaces, time.perf_counter() - started, options)
    return completed


def _divided(source: Source, options: TrainOptions) -> Parts:
    return (
        _divided_table(source, options)
        if isinstance(source, TableSource)
        else _divided_images(source, options)
    )


def _divided_table(source: TableSource, options: TrainOptions) -> Parts:
    target = _chosen_target(source, options.target)
    table = with_target(source, target)
    for column in source.table.columns.values():
        refuse_nearly_numbers(column, source.table.row_numbers)
    left_out = len(source.table) - len(table)
    decision = decide_task(table[target], options.task)
    labels = None
    if decision.task == "classification":
        refuse_numbers_as_classes(table[target], table.row_numbers)
        labels = class_labels(source, table)
        refuse_lonely_classes(labels, [f"row {number}" for number in table.row_numbers])
    train_rows, test_rows = split_rows(
        len(table), labels, options.test_fraction, options.split_seed
    )
    train_rows, validation_rows = _with_validation(train_rows, labels, options.split_seed)
    encoder = TableEncoder().fit(table.take(train_rows), target=target, task=decision)
    told = [encoder.report()]
    if left_out:
        told.append(f'{count_text(left_out, "row")} without a value in "{target}" left out')
    parts = [
        table_samples(table.take(rows), encoder, labelled=True)
        for rows in (train_rows, test_rows, validation_rows)
        if len(rows)
    ]
    return _parts(source, options, parts, encoder.class_names, encoder, tuple(told))


def _divided_images(source: ImageSource, options: TrainOptions) -> Parts:
    if options.target is not None:
        raise ArgumentError(
            "Choosing the target: images have no columns",
            found=f"--target {options.target}",
            needed="nothing: the classes of the images are predicted",
        )
    if options.task not in {"auto", "classification"}:
        raise (ArgumentError if options.task == "regression" else UnknownNameError)(
            f"Choosing a task: images can be classified, not {options.task}",
            found=f"--task {options.task}",
            needed="--task classification, or nothing",
        )
    whole = image_samples(source, source.class_names)
    refuse_lonely_classes(class_labels(source, None), whole.places, source.class_names)
    train_rows, validation_rows, test_rows = _row_numbers(len(whole), source.y, options)
    parts = [whole.take(rows) for rows in (train_rows, test_rows, validation_rows) if len(rows)]
    told = (f"classification: {count_text(len(source.class_names), 'class', 'classes')}",)
    return _parts(source, options, parts, source.class_names, None, told)


def _training_arrays(parts: Parts, options: TrainOptions) -> tuple[Array, Array]:
    """What goes into ``fit``: the training part, images also moved a little."""
    x, y = parts.train.x, parts.train.y
    assert y is not None
    if not (options.augment and is_worth_moving(x)):
        return x, y
    return moved_copies(x), np.tile(y, COPIES)


def _parts(
    source: Source,
    options: TrainOptions,
    parts: list[Samples],
    class_names: tuple[str, ...],
    encoder: TableEncoder | None,
    told: tuple[str, ...],
) -> Parts:
    validation = parts[2] if len(parts) == 3 else None
    notes = Notes(
        source=options.source,
        fingerprint=source.fingerprint,
        spec=options.spec,
        seed=options.seed,
        split_seed=options.split_seed,
        test_fraction=options.test_fraction,
        train_rows=len(parts[0]),
        validation_rows=0 if validation is None else len(validation),
        test_rows=len(parts[1]),
        class_names=class_names,
        encoder=encoder,
        test={},
    )
    return Parts(parts[0], validation, parts[1], notes, told)


def _chosen_target(source: TableSource, target: str | None) -> str:
    chosen = target or source.table.target
    if chosen is None:
        likely = _likely_target(source.table)
        command = f"clearprop train {shlex.quote(source.name)} --target "
        raise ArgumentError(
            "Choosing the target: it is not known which column to predict",
            found="columns " + ", ".join(source.table.names),
            needed="--target with one of them",
            try_="" if likely is None else command + shlex.quote(likely),
        )
    source.table[chosen]  # its absence is an error
    return chosen


def _likely_target(table: Table) -> str | None:
    """The last column that tells something about its rows: no id, no name."""
    for column in reversed(table.columns.values()):
        try:
            plan = plan_column(column, table.row_numbers)
        except DataError:
            continue
        if plan.feature_names:
            return column.name
    return None


def _row_numbers(
    count: int, labels: Array | None, options: TrainOptions
) -> tuple[Array, Array, Array]:
    """The rows to train on, to tell when to stop, and to test on."""
    seed = options.split_seed
    train_rows, test_rows = split_rows(count, labels, options.test_fraction, seed)
    return *_with_validation(train_rows, labels, seed), test_rows


def _with_validation(rows: Array, labels: Array | None, seed: int) -> tuple[Array, Array]:
    """Rows to train on, and rows to tell when to stop: none where there are too few."""
    if len(rows) < _FEWEST_TO_VALIDATE:
        return rows, rows[:0]
    own = None if labels is None else labels[rows]
    if own is not None and np.unique(own, return_counts=True)[1].min() < 2:
        return rows, rows[:0]  # a class with a single row
    fraction = 0.1 if len(rows) >= _MANY_ROWS else 0.2
    train_places, validation_places = split_rows(len(rows), own, fraction, seed)
    return rows[train_places], rows[validation_places]


def _compiled(parts: Parts, options: TrainOptions) -> Model:
    outputs = len(parts.notes.class_names) or 1
    model = build_model(options.spec, Problem(parts.train.x.shape[1:], outputs))
    classifies = bool(parts.notes.class_names)
    model.compile(
        optimizer=Adam(options.learning_rate),
        loss=SparseCategoricalCrossentropy(from_logits=True) if classifies else MeanSquaredError(),
        metrics=["accuracy"] if classifies else None,
        seed=options.seed,
    )
    return model


def _epochs(count: int, options: TrainOptions) -> int:
    steps = -(-count // options.batch_size)
    usual = min(max(_STEPS // steps, _FEWEST_EPOCHS), _MOST_EPOCHS)
    return options.epochs or usual


def _fit(model: Model, parts: Parts, options: TrainOptions) -> bool:
    """Train; Ctrl-C ends it after the present steps and keeps the best weights so far."""
    x, y = _training_arrays(parts, options)
    epochs = _epochs(len(x), options)
    callbacks: list[Any] = []
    validation = None
    if parts.validation is not None:
        patience = max(10, epochs // 8)
        callbacks.append(
            EarlyStopping(monitor="val_loss", patience=patience, restore_best_weights=True)
        )
        validation = (parts.validation.x, parts.validation.y)
    if not options.quiet and not is_terminal():
        callbacks.append(FewLines())
    stop = GentleStop()
    with stop.at_ctrl_c():
        history = model.fit(
            x,
            y,
            epochs=epochs,
            batch_size=options.batch_size,
            validation_data=validation,
            callbacks=[*callbacks, stop],
            verbose=1 if not options.quiet and is_terminal() else 0,
        )
    if stop.asked or not options.quiet:
        say(_ending(history, stopped=stop.asked))
    return not stop.asked


def _ending(history: History, *, stopped: bool) -> str:
    """How the training came to its end, and which weights are kept."""
    told = count_text(len(history.epoch), "epoch")
    told = f"stopped by Ctrl-C after {told}" if stopped else told
    losses = history.history.get("val_loss")
    if not losses:
        return f"{told}; the last weights are kept"
    best = losses.index(min(losses))
    loss = number_text(losses[best])
    return f"{told}; the weights of epoch {best + 1} are kept (validation loss {loss})"


def _say_plan(source: Source, parts: Parts, model: Model, options: TrainOptions) -> None:
    notes = parts.notes
    say(source.about, *parts.told, "")
    x, _ = _training_arrays(parts, options)
    rows = f"{notes.train_rows:,} to train on"
    if len(x) > notes.train_rows:
        rows += f" (each also moved a little: {len(x):,})"
    if notes.validation_rows:
        rows += f", {notes.validation_rows:,} to tell when to stop"
    stratified = ", the same share of every class in each part" if notes.class_names else ""
    rows += f", {notes.test_rows:,} held out for the test{stratified}"
    say(rows)
    say(
        f"network {notes.spec}: {count_text(model.count_params(), 'parameter')}; Adam, "
        f"learning rate {options.learning_rate:g}, batches of "
        f"{min(options.batch_size, notes.train_rows)}, "
        f"at most {count_text(_epochs(len(x), options), 'epoch')}",
        "",
    )


def _say_end(out: Path, replaces: bool, seconds: float, options: TrainOptions) -> None:
    told = f"saved {out}" + (", in place of an older model" if replaces else "")
    if options.quiet:
        say(told)
        return
    say("", f"{told}; done in {seconds:.1f} s")
    model, source = shlex.quote(str(out)), shlex.quote(options.source)
    heading("next")
    name = program()
    commands = [
        (f"{name} predict {model} {source}", "what it says of each sample"),
        (f"{name} show {model} {source}", "one sample on its way through the layers"),
        (f"{name} check {model} {source}", "its gradients, measured"),
        (f"{name} summary {model}", "what is in the file"),
    ]
    width = max(len(command) for command, _ in commands)
    for command, about in commands:
        say(f"  {command:<{width}}  {about}")
    if options.source in DATASETS:
        say(f"  {table_example()}", style=FAINT)
