"""What a model made by ``clearprop train`` remembers of its data, in the same file."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.cli.samples import (
    Samples,
    class_labels,
    image_samples,
    split_rows,
    table_samples,
    with_target,
)
from clearprop.cli.sources import ImageSource, Source, TableSource, read_source
from clearprop.data import TableEncoder
from clearprop.data.configs import ConfigReader
from clearprop.errors import ArgumentError, DataError, ModelFileError
from clearprop.train import Model, load_model

Array = np.ndarray[Any, Any]

_VERSION, _SUFFIX = 1, ".safetensors"
_KEYS = (
    "version", "source", "fingerprint", "spec", "seed", "split_seed", "test_fraction", "train_rows",
    "validation_rows", "test_rows", "class_names", "table", "test",
)  # fmt: skip


@dataclass(frozen=True)
class Notes:
    """Where a model comes from, how its inputs are made and what its outputs mean.

    Attributes:
        source: what it was trained on, as it stood on the command line.
        fingerprint: of that data.
        spec: the architecture that was asked for.
        seed: of the weights and the order of the rows.
        split_seed: of the split.
        test_fraction: the share of the rows that was held out.
        train_rows: how many rows it was trained on.
        validation_rows: how many told when to stop.
        test_rows: how many were held out.
        class_names: one for each output; empty for regression.
        encoder: the rules for tables; None if the inputs are images.
        test: what the test came to, by name.
    """

    source: str
    fingerprint: str
    spec: str
    seed: int
    split_seed: int
    test_fraction: float
    train_rows: int
    validation_rows: int
    test_rows: int
    class_names: tuple[str, ...]
    encoder: TableEncoder | None
    test: dict[str, float]

    @property
    def target(self) -> str:
        """What is predicted."""
        return "class" if self.encoder is None else self.encoder.target.name

    def to_config(self) -> dict[str, Any]:
        """The notes as JSON can hold them."""
        config = {key: getattr(self, key, None) for key in _KEYS}
        return config | {
            "version": _VERSION,
            "class_names": list(self.class_names),
            "table": None if self.encoder is None else self.encoder.to_config(),
        }

    def samples(self, source: Source, *, labelled: bool) -> Samples:
        """The source as the model takes it.

        Args:
            source: a table or images, as the model was trained on.
            labelled: whether the truth is wanted too; rows without it are then left out.

        Raises:
            DataError: another kind of data, columns that do not match, an unknown label.
        """
        if self.encoder is not None:
            if not isinstance(source, TableSource):
                raise _other_kind(source.name, "images", "a table")
            table = source.table
            if labelled and self.target in table:
                table = with_target(source, self.target)
            return table_samples(table, self.encoder, labelled=labelled)
        if not isinstance(source, ImageSource):
            raise _other_kind(source.name, "a table", "images")
        return image_samples(source, self.class_names)

    def held_out(self, source: Source) -> Array | None:
        """The rows of the source that were held out in training, if it is the same data.

        Shapes:
            -> (rows,) indices into the samples with a target.
        """
        if source.fingerprint != self.fingerprint:
            return None
        table = None
        if isinstance(source, TableSource):
            table = with_target(source, self.target)
        labels = class_labels(source, table) if self.class_names else None
        count = len(table) if table is not None else len(class_labels(source, None))
        return split_rows(count, labels, self.test_fraction, self.split_seed)[1]


def notes_from_config(config: object) -> Notes:
    """The notes that `Notes.to_config` described.

    Raises:
        ModelFileError: the config is malformed.
    """
    reader = ConfigReader(config, "what the model knows of its data", _KEYS)
    if reader.count("version") != _VERSION:
        reader.refuse(f"version {reader.count('version')}", f"version {_VERSION}")
    table, test = reader.entry("table"), reader.entry("test")
    if not isinstance(test, dict) or not all(isinstance(name, str) for name in test):
        reader.refuse(f"test: {test!r}", "numbers by name")
    scores = ConfigReader(test, "the result of the test", tuple(test))
    encoder = None if table is None else TableEncoder.from_config(table)
    class_names = tuple(reader.texts("class_names"))
    if encoder is not None and encoder.class_names != class_names:
        reader.refuse(f"class_names: {class_names}", "those of the table encoder")
    if encoder is None and len(class_names) < 2:
        reader.refuse(f"class_names: {class_names}", "at least two")
    return Notes(
        source=reader.text("source"),
        fingerprint=reader.text("fingerprint"),
        spec=reader.text("spec"),
        seed=reader.count("seed"),
        split_seed=reader.count("split_seed"),
        test_fraction=reader.number("test_fraction", positive=True),
        train_rows=reader.count("train_rows"),
        validation_rows=reader.count("validation_rows"),
        test_rows=reader.count("test_rows"),
        class_names=class_names,
        encoder=encoder,
        test={name: scores.number(name) for name in test},
    )


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A model of ``clearprop train`` with its notes."""

    path: str
    model: Model
    notes: Notes

    def read(self, name: str, *, labelled: bool) -> Source:
        """The source of this name, images in the size and channels of the model."""
        if self.notes.encoder is not None:
            return read_source(name, labelled=labelled)
        height, width, channels = input_shape(self.model)
        return read_source(name, size=(height, width), channels=channels, labelled=labelled)


def refuse_swapped(command: str, model_path: str, source_name: str | None) -> None:
    """Refuse a command whose source stands in the place of the model.

    Raises:
        ArgumentError: a model is given as the source, and something else as the model.
    """
    if source_name is None or Path(source_name).suffix != _SUFFIX:
        return
    if Path(model_path).suffix != _SUFFIX and Path(source_name).is_file():
        swapped = shlex.join(["clearprop", command, source_name, model_path])
        raise ArgumentError(
            "Reading the command: the model and the data are swapped",
            found=f"{model_path} where the model belongs",
            needed="the model first, then the data",
            try_=swapped,
        )


def open_model(path: str) -> tuple[Model, Notes | None]:
    """The model in a file, and its notes if it has those of ``clearprop train``.

    Raises:
        ModelFileError: no such file, not a model, or notes that do not belong to it.
    """
    model: Model = load_model(path)
    if not {"version", "source", "class_names", "table"} <= set(model.notes):
        return model, None
    notes = notes_from_config(model.notes)
    shape = input_shape(model)
    if notes.encoder is None:
        fits = len(shape) == 3 and shape[2] in {1, 3}
    else:
        fits = shape == (len(notes.encoder.feature_names),)
    if not fits:
        raise ModelFileError(
            f"Opening {os.path.basename(path)}: its notes do not belong to its network",
            found=f"a network for inputs of shape {shape}",
            needed="images (height, width, channels)"
            if notes.encoder is None
            else f"the {len(notes.encoder.feature_names)} features of its encoder",
            try_="train it again",
        )
    return model, notes


def open_trained(path: str) -> TrainedModel:
    """A model that knows what its inputs and outputs mean.

    Raises:
        ModelFileError: the file is not such a model.
    """
    model, notes = open_model(path)
    if notes is None:
        raise ModelFileError(
            f"Opening {os.path.basename(path)}: the model does not know its data",
            found="a model without the notes that `clearprop train` writes",
            needed="a model that knows its columns or classes",
            try_="clearprop train; or in Python cp.load_model(path).predict(x)",
        )
    return TrainedModel(path, model, notes)


def input_shape(model: Model) -> tuple[int, ...]:
    """The shape of one sample; () where that is not known or there are several inputs."""
    types = model.known_input_types(batch=1)
    return types[0].shape[1:] if types is not None and len(types) == 1 else ()


def _other_kind(name: str, found: str, needed: str) -> DataError:
    return DataError(
        f'Reading "{name}": the model was trained on another kind of data',
        found=found,
        needed=needed,
    )
