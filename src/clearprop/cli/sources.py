"""SOURCE on the command line: a shipped data set, a table in a file, or images."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.data import (
    DATASETS,
    Table,
    as_table,
    read_image_folder,
    read_images,
    read_table,
)
from clearprop.data.images import IMAGE_SUFFIXES
from clearprop.data.reading import PARQUET_SUFFIXES, TEXT_SUFFIXES
from clearprop.errors import ArgumentError, DataError
from clearprop.text import count_text, did_you_mean

Array = np.ndarray[Any, Any]
Size = tuple[int, int]

TABLE_SUFFIXES = (*TEXT_SUFFIXES, *PARQUET_SUFFIXES)
_CLASS, _VALUE = "class", "value"  # what the target of a shipped set is called


@dataclass(frozen=True, eq=False)
class TableSource:
    """Rows of named columns.

    Attributes:
        name: as it stands on the command line.
        about: a line or two for people.
        table: the columns, with the target if one is known.
        fingerprint: the same for the same data.
    """

    name: str
    about: str
    table: Table
    fingerprint: str


@dataclass(frozen=True, eq=False)
class ImageSource:
    """Images, with their classes if these are known.

    Attributes:
        name: as it stands on the command line.
        about: a line or two for people.
        x: the images, 0 to 1.
        y: the number of each image's class.
        class_names: one per class; empty where there are no classes.
        places: for each image what to call it.
        fingerprint: the same for the same data.

    Shapes:
        x: float32 (n, height, width, channels); y: int64 (n,).
    """

    name: str
    about: str
    x: Array
    y: Array | None
    class_names: tuple[str, ...]
    places: tuple[str, ...]
    fingerprint: str


Source = TableSource | ImageSource


def read_source(
    name: str, *, size: Size | None = None, channels: int | None = None, labelled: bool = True
) -> Source:
    """The data that a name on the command line stands for.

    Args:
        name: a shipped set, a table's file, a folder of images, or an image file.
        size: (height, width) to resize images to.
        channels: of the images; as they are unless given.
        labelled: whether sub-folders of images are classes; else all images below count.

    Raises:
        DataError: nothing of this name, or nothing that can be read.
        MissingExtraError: a package for this kind of file is not installed.
    """
    path = Path(name)
    if name in DATASETS:
        return _shipped(name)
    if path.is_dir() and labelled:
        return _class_folders(path, name, size, channels)
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
        return _loose_images(files, name, size, channels)
    suffix = path.suffix.lower()
    if path.is_file() and suffix in IMAGE_SUFFIXES and not labelled:
        return _loose_images([path], name, size, channels)
    if path.is_file() and suffix in TABLE_SUFFIXES:
        table = read_table(path)
        about = f"{path.name}: {count_text(len(table), 'row')}, "
        about += count_text(len(table.names), "column")
        return TableSource(name, about, table, _digest(path.read_bytes()))
    raise _unusable(path, name, labelled)


def stem_of(name: str) -> str:
    """What files made from a source are called."""
    return name if name in DATASETS else Path(name).resolve().stem


def _unusable(path: Path, name: str, labelled: bool) -> DataError:
    if path.exists():
        found = f"{path.name} ends in {path.suffix.lower() or 'nothing'}"
    else:
        folder = path.parent
        beside = [str(folder / p.name) for p in folder.iterdir()] if folder.is_dir() else []
        found = f"nothing at {path}" + did_you_mean(name, (*DATASETS, *beside))
    return DataError(
        f'Reading "{name}": it is neither a shipped data set nor a file that can be read',
        found=found,
        needed=f"one of {', '.join(DATASETS)}; a table ({', '.join(TABLE_SUFFIXES)});\n"
        + ("a folder with one sub-folder of images per class" if labelled else "images"),
        try_="clearprop train digits",
    )


def _shipped(name: str) -> Source:
    info = DATASETS[name]
    x, y = info.load()
    about = f"{name}: {info.description}\n{info.source}; {info.licence}"
    digest = _digest(x.tobytes(), y.tobytes())
    if not info.feature_names:
        places = tuple(f"sample {number}" for number in range(1, len(x) + 1))
        return ImageSource(name, about, x, y, info.class_names, places, digest)
    columns: dict[str, Any] = {
        feature: _short(x[:, column]) for column, feature in enumerate(info.feature_names)
    }
    target = _CLASS if info.class_names else _VALUE
    columns[target] = [info.class_names[label] for label in y] if info.class_names else _short(y)
    return TableSource(name, about, as_table(columns, target=target), digest)


def _short(values: Array) -> list[float]:
    """The shortest numbers that float32 tells apart: 6.4, not 6.400000095367432."""
    return [float(str(value)) for value in values]


def _class_folders(path: Path, name: str, size: Size | None, channels: int | None) -> ImageSource:
    try:
        folder = read_image_folder(path, size, channels)
    except DataError as error:
        if "different sizes" in error.doing:
            error.try_ = "--image-size 32x32 resizes them all to that height and width"
        raise
    height, width, depth = folder.x.shape[1:]
    about = f"{path.resolve().name}: {count_text(len(folder.x), 'image')} "
    about += f"of {height} by {width} pixels, "
    about += "gray" if depth == 1 else "in color"
    if folder.ignored:
        about += f"; {count_text(folder.ignored, 'other file')} ignored"
    places = tuple(str(file.relative_to(path)) for file in folder.paths)
    digest = _digest(folder.x.tobytes(), folder.y.tobytes())
    return ImageSource(name, about, folder.x, folder.y, folder.class_names, places, digest)


def _loose_images(
    files: list[Path], name: str, size: Size | None, channels: int | None
) -> ImageSource:
    if not files:
        raise DataError(
            f'Reading "{name}": the folder has no images',
            needed="files ending in " + ", ".join(sorted(IMAGE_SUFFIXES)),
        )
    x = read_images(files, size, channels)
    folder = Path(name) if Path(name).is_dir() else Path(name).parent
    places = tuple(str(file.relative_to(folder)) for file in files)
    about = f"{Path(name).resolve().name}: {count_text(len(x), 'image')}"
    return ImageSource(name, about, x, None, (), places, _digest(x.tobytes()))


def read_size(text: str) -> Size:
    """``32x48`` -> height 32, width 48; ``32`` means 32x32.

    Raises:
        ArgumentError: anything else.
    """
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.isdigit() and 0 < int(part) <= 4096 for part in parts):
        raise ArgumentError(
            "Reading --image-size: it is not a height and a width",
            found=text,
            needed="such as 32x32: height x width in pixels, each from 1 to 4096",
        )
    return int(parts[0]), int(parts[-1])


def _digest(*contents: bytes) -> str:
    together = hashlib.sha256()
    for content in contents:
        together.update(content)
    return together.hexdigest()[:32]
