"""Real data that come with ClearProp, and the list of every data set that has a name."""

from __future__ import annotations

import csv
import importlib.resources
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from clearprop.data.intake import Array
from clearprop.data.synthetic import circle, gaussians, plane, spiral, xor
from clearprop.errors import UnknownNameError
from clearprop.text import did_you_mean

_FILES = importlib.resources.files("clearprop.data").joinpath("files")
_DRAWN = "drawn at random by clearprop.data.synthetic"


@dataclass(frozen=True)
class DatasetInfo:
    """A data set that has a name.

    Attributes:
        name: what the command line calls it.
        load: gives ``(x, y)``.
        task: classification or regression.
        feature_names: one per feature; empty for images.
        class_names: one per class; empty for regression.
        description: one line.
        source: where it comes from.
        licence: under which it may be used.
    """

    name: str
    load: Callable[[], tuple[Array, Array]]
    task: Literal["classification", "regression"]
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    description: str
    source: str
    licence: str

    def __str__(self) -> str:
        lines = [
            f"{self.name}: {self.description}",
            f"  task:     {self.task}",
            f"  classes:  {', '.join(self.class_names)}",
            f"  features: {', '.join(self.feature_names)}",
            f"  source:   {self.source}",
            f"  licence:  {self.licence}",
        ]
        return "\n".join(line for line in lines if not line.endswith(": "))


def load_digits() -> tuple[Array, Array]:
    """1,797 handwritten digits, 8 by 8 pixels, ink from 0 to 1 in steps of 1/16.

    Shapes:
        -> x float32 (1797, 8, 8, 1), y int64 (1797,), the digits 0 to 9.

    Reference:
        Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine
        Learning Repository, https://doi.org/10.24432/C50P49, CC BY 4.0.

    Example:
        >>> x, y = load_digits()
        >>> x.shape, y[:3].tolist()
        ((1797, 8, 8, 1), [0, 1, 2])
    """
    with (
        _FILES.joinpath("digits.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as stored,
    ):
        images, labels = stored["images"], stored["labels"]
    x: Array = images[..., None].astype(np.float32) / np.float32(16)
    return x, labels.astype(np.int64)


def load_iris() -> tuple[Array, Array]:
    """150 iris flowers of three species: lengths and widths of sepals and petals in cm.

    Shapes:
        -> x float32 (150, 4), y int64 (150,): 0 setosa, 1 versicolor, 2 virginica.

    Reference:
        Fisher (1936), The use of multiple measurements in taxonomic problems, Annals of
        Eugenics 7; UCI Machine Learning Repository, https://doi.org/10.24432/C56C76, CC BY 4.0.

    Example:
        >>> x, y = load_iris()
        >>> x.shape, int(y.max())
        ((150, 4), 2)
    """
    with _FILES.joinpath("iris.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    species = DATASETS["iris"].class_names
    x: Array = np.array([[float(cell) for cell in row[:4]] for row in rows], np.float32)
    return x, np.array([species.index(row[4]) for row in rows], np.int64)


def describe(name: str) -> DatasetInfo:
    """What is known about the data set ``name``; printed, it is a small card.

    Raises:
        UnknownNameError: no data set has this name.

    Example:
        >>> describe("iris").class_names
        ('setosa', 'versicolor', 'virginica')
    """
    if name not in DATASETS:
        raise UnknownNameError(
            f'Looking for a data set: there is none called "{name}"',
            found=f'"{name}"' + did_you_mean(name, DATASETS),
            needed="one of: " + ", ".join(DATASETS),
        )
    return DATASETS[name]


def _points(name: str, load: Callable[[], tuple[Array, Array]], description: str) -> DatasetInfo:
    regression = name == "plane"
    return DatasetInfo(
        name=name,
        load=load,
        task="regression" if regression else "classification",
        feature_names=("x1", "x2"),
        class_names=() if regression else ("0", "1"),
        description=description,
        source=_DRAWN,
        licence="the licence of ClearProp (Apache-2.0)",
    )


DATASETS: dict[str, DatasetInfo] = {
    info.name: info
    for info in (
        DatasetInfo(
            name="digits",
            load=load_digits,
            task="classification",
            feature_names=(),
            class_names=tuple("0123456789"),
            description="1,797 handwritten digits, 8 by 8 pixels",
            source="Alpaydin and Kaynak (1998), UCI, https://doi.org/10.24432/C50P49",
            licence="CC BY 4.0",
        ),
        DatasetInfo(
            name="iris",
            load=load_iris,
            task="classification",
            feature_names=(
                "sepal length (cm)",
                "sepal width (cm)",
                "petal length (cm)",
                "petal width (cm)",
            ),
            class_names=("setosa", "versicolor", "virginica"),
            description="150 flowers of three species of iris, four measurements of each",
            source="Fisher (1936), UCI, https://doi.org/10.24432/C56C76",
            licence="CC BY 4.0",
        ),
        _points("circle", circle, "a disk of points in a ring of points"),
        _points("xor", xor, "points whose class is the product of their signs"),
        _points("gaussians", gaussians, "two round clouds of points"),
        _points("spiral", spiral, "two arms of points that wind about each other"),
        _points("plane", plane, "points whose height is to be predicted"),
    )
}
