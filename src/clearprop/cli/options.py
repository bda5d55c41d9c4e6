"""The options of ``clearprop train``, refused before any work if they cannot be used."""

from __future__ import annotations

import math
import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from clearprop.cli.sources import read_size
from clearprop.data import DATASETS
from clearprop.errors import ArgumentError, ModelFileError
from clearprop.train.files import read_file


@dataclass(frozen=True)
class TrainOptions:
    """What stands on the command line."""

    source: str
    target: str | None
    spec: str
    task: str
    epochs: int | None
    batch_size: int
    learning_rate: float
    seed: int
    split_seed: int
    test_fraction: float
    image_size: str | None
    augment: bool
    out: str | None
    quiet: bool


def check_numbers(options: TrainOptions) -> None:
    """Refuse numbers that no training can use, under the names that they have here.

    Raises:
        ArgumentError: a learning rate or a fraction that cannot work.
    """
    rate, fraction = options.learning_rate, options.test_fraction
    if not 0 < rate < math.inf:
        raise ArgumentError(
            "Choosing --learning-rate: nothing would be learned",
            found=f"--learning-rate {rate:g}",
            needed="a number above 0",
            try_="--learning-rate 0.002",
        )
    if not 0 < fraction < 1:
        share = fraction / 100 if 1 < fraction < 100 else 0.2
        raise ArgumentError(
            "Choosing --test-fraction: it is not a share of the rows",
            found=f"--test-fraction {fraction:g}",
            needed="a number between 0 and 1, both excluded",
            try_=f"--test-fraction {share:g} sets {share:.0%} of the rows apart",
        )


def checked_size(options: TrainOptions) -> tuple[int, int]:
    """The height and width of --image-size.

    Raises:
        ArgumentError: it is none, or the source is no folder of images.
    """
    size = read_size(str(options.image_size))
    if options.source in DATASETS or Path(options.source).is_file():
        raise ArgumentError(
            "Choosing --image-size: it resizes the images of a folder",
            found=f"--image-size {options.image_size} for {options.source}",
            needed="a folder with one sub-folder of images per class",
            try_="the same command without --image-size",
        )
    return size


def check_destination(out: Path) -> bool:
    """Whether the file exists, and is a model that may be replaced.

    Raises:
        ArgumentError: nothing can be written there, or it is something else.
    """
    doing = f"Choosing where to save: {out}"
    folder = out.parent
    if not folder.is_dir():
        raise ArgumentError(
            f"{doing} lies in a folder that does not exist",
            found=str(folder),
            needed="a folder that exists",
        )
    if out.is_dir():
        raise ArgumentError(f"{doing} is a folder", needed="the name of a file")
    if not os.access(folder, os.W_OK):
        raise ArgumentError(
            f"{doing} lies in a folder that nothing can be written to",
            found=str(folder),
            needed="a folder that you may write to",
            try_="--out with another place",
        )
    if not out.exists():
        return False
    try:
        read_file(out)
    except ModelFileError as error:
        raise ArgumentError(
            f"{doing} exists and is not a ClearProp model",
            found=error.found or error.doing,
            needed="a new name, or a model to replace: nothing else is ever overwritten",
            try_=f"--out {shlex.quote(str(out.with_name(out.stem + '-model.safetensors')))}",
        ) from error
    return True
