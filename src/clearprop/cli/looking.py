"""``clearprop summary``, ``show`` and ``check``: what is in a model, and whether it is right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from rich.text import Text

from clearprop.cli.notes import Notes, TrainedModel, input_shape, open_model, refuse_swapped
from clearprop.cli.pictures import picture, shades, strip
from clearprop.cli.reports import probabilities_of, value_text, value_texts
from clearprop.cli.samples import Samples, cells
from clearprop.cli.screen import FAINT, RIGHT, WRONG, console, heading, note, say
from clearprop.data import DATASETS
from clearprop.errors import ArgumentError, ModelFileError
from clearprop.layers.layer import Layer
from clearprop.layers.mode import inference_mode
from clearprop.tensor.tensor import Tensor
from clearprop.text import count_text, number_text, table
from clearprop.train import Model
from clearprop.train.summary import summary_text

Array = np.ndarray[Any, Any]

_CHECKED_SAMPLES = 8
_STRIP, _BAR = 32, 32
_MOST_OUTPUTS = 10


def summary(model_path: str) -> None:
    """Tell what is in a model file.

    Raises:
        ModelFileError: the file is not a model.
    """
    model, notes = open_model(model_path)
    say(summary_text(model))
    if notes is None:
        return
    heading("trained on")
    told = [
        ["source", notes.source],
        ["network", notes.spec],
        ["rows", f"{notes.train_rows:,} to train on, {notes.validation_rows:,} to tell when to "
                 f"stop, {notes.test_rows:,} held out"],
        ["epochs", f"{len(model.history.epoch):,}"],
        ["seed", _seeds_text(notes)],
    ]  # fmt: skip
    told += [
        [f"test {name.replace('_', ' ')}", value_text(score)] for name, score in notes.test.items()
    ]
    say(table(told))
    if notes.encoder is not None:
        heading("columns")
        say(notes.encoder.report())
    else:
        say("", "classes: " + ", ".join(notes.class_names))


def _seeds_text(notes: Notes) -> str:
    same = notes.seed == notes.split_seed
    return f"{notes.seed}" if same else f"{notes.seed}, {notes.split_seed} of the split"


def show(model_path: str, source_name: str | None, sample: int) -> None:
    """Draw one sample on its way through the layers.

    Raises:
        ClearPropError: the model or the data cannot be used, or there is no such sample.
    """
    refuse_swapped("show", model_path, source_name)
    model, notes = open_model(model_path)
    samples = _example(TrainedModel(model_path, model, notes), source_name) if notes else None
    if samples is None:
        _refuse_source(source_name)
        samples = _random_samples(model, 1)
        note("the model's data are not here: the sample is drawn at random")
    if not 1 <= sample <= len(samples):
        raise ArgumentError(
            f"Choosing a sample: there is none with the number {sample}",
            found=f"--sample {sample}",
            needed=f"a number from 1 to {len(samples):,}",
        )
    chosen = samples.take(np.array([sample - 1]))
    _say_input(chosen)
    legend = "shading: from 0 to the largest number of the layer, signs left out"
    say(Text(f"  {legend}:{shades()}", FAINT))
    seen = layer_outputs(model, chosen.x)
    for layer, output in seen:
        _say_layer(layer, output)
    if notes is not None:
        _say_output(notes, chosen, seen[-1][1])


def check(model_path: str, source_name: str | None) -> bool:
    """Compare the gradients of a model with measured differences.

    Returns:
        Whether all agree.

    Raises:
        ClearPropError: the model or the data cannot be used.
    """
    refuse_swapped("check", model_path, source_name)
    model, notes = open_model(model_path)
    samples = _example(TrainedModel(model_path, model, notes), source_name) if notes else None
    if samples is None:
        _refuse_source(source_name)
        samples = _random_samples(model, _CHECKED_SAMPLES)
        say(f"on {count_text(len(samples), 'sample')} drawn at random")
    else:
        samples = samples.take(np.arange(min(_CHECKED_SAMPLES, len(samples))))
        say(f"on {count_text(len(samples), 'sample')}, {samples.places[0]} and what follows it")
    say(
        "each line compares one number, a derivative: how fast the result changes as that array "
        "moves in a random direction",
        "",
    )
    report = model.check_gradients(samples.x, samples.y)
    say(str(report))
    passed = bool(report)
    say(Text("the gradients are right", RIGHT) if passed else Text("a gradient is wrong", WRONG))
    return passed


def layer_outputs(model: Model, x: Array) -> list[tuple[Layer, Array]]:
    """What each layer of the model gives for these samples, in the order in which they work.

    Shapes:
        x: (n, ...).
    """
    own = {id(layer) for layer in model.layers}
    seen: list[tuple[Layer, Array]] = []

    def observe(layer: Layer, output: Any) -> None:
        if id(layer) in own and isinstance(output, Tensor):
            seen.append((layer, output.numpy()))

    mode = inference_mode()
    mode.observers.append(observe)
    with mode.active():
        model.flat_outputs([Tensor.leaf(x)])
    return seen


def _example(trained: TrainedModel, source_name: str | None) -> Samples | None:
    """The samples of the source given, else of the one the model was trained on if it is here."""
    name = source_name or trained.notes.source
    if source_name is None and name not in DATASETS and not Path(name).exists():
        return None
    source = trained.read(name, labelled=trained.notes.encoder is not None or _has_classes(name))
    samples = trained.notes.samples(source, labelled=False)
    target = trained.notes.target
    if samples.table is not None and target in samples.table:
        samples = trained.notes.samples(source, labelled=True)
    return samples


def _has_classes(name: str) -> bool:
    return name in DATASETS or any(p.is_dir() for p in Path(name).glob("*"))


def _refuse_source(source_name: str | None) -> None:
    if source_name is not None:
        raise ModelFileError(
            "Reading the source: the model does not know what its inputs are",
            found="a model without the notes that `clearprop train` writes",
            needed="the command without a source",
        )


def _random_samples(model: Model, count: int) -> Samples:
    shape = input_shape(model)
    if not shape:
        raise ModelFileError(
            "Drawing a sample: the shape of the model's input is not known",
            found=f"a model with {count_text(len(model.input_names), 'input')}",
            needed="one input of known shape",
        )
    x = np.random.default_rng(0).normal(size=(count, *shape)).astype(np.float32)
    places = tuple(f"random sample {number}" for number in range(1, count + 1))
    return Samples(x, None, places, None)


def _say_input(samples: Samples) -> None:
    say(Text(samples.places[0], style="bold"))
    if samples.table is not None:
        columns = samples.table.columns.values()
        say(table([["  " + column.name, cells(column)[0]] for column in columns]))
    elif samples.x.ndim == 4:
        for line in picture(samples.x[0]):
            say(Text("  ") + line)
    say(f"  input {_shape_text(samples.x)}  {_numbers_text(samples.x)}")


def _say_layer(layer: Layer, output: Array) -> None:
    weights = f", {count_text(layer.count_params(), 'parameter')}" if layer.weights else ""
    say("  │", Text.assemble("  ▼ ", (layer.name, "bold"), f" ({type(layer).__name__}{weights})"))
    say(f"    {_shape_text(output)}  {_numbers_text(output)}")
    say(f"    {strip(output, min(_STRIP, console().width - 8))}")


def _say_output(notes: Notes, samples: Samples, output: Array) -> None:
    say("  │")
    if not notes.class_names:
        assert notes.encoder is not None
        say(f"  ▼ {notes.target}: {value_texts(notes.encoder.decode(output))[0]}")
        return
    probabilities = probabilities_of(output)[0]
    say("  ▼ softmax")
    order = np.argsort(-probabilities, kind="stable")[:_MOST_OUTPUTS].tolist()
    true = None if samples.y is None else int(samples.y[0])
    width = max(len(notes.class_names[place]) for place in order)
    for place in order:
        bar = "█" * round(float(probabilities[place]) * _BAR)
        line = Text(f"    {notes.class_names[place]:>{width}}  {probabilities[place]:.4f}  {bar}")
        if place == true:
            line.append("  the true class", RIGHT if place == order[0] else WRONG)
        say(line)


def _shape_text(array: Array) -> str:
    return " by ".join(map(str, array.shape[1:])) or "1"


def _numbers_text(array: Array) -> str:
    zeros = float((array == 0).mean())
    told = f"from {number_text(float(array.min()), 3)} to {number_text(float(array.max()), 3)}"
    return f"{told}, {zeros:.0%} are 0" if zeros else told
